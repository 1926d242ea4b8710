"""Bytes → nodes with origins. YAML is parsed here and nowhere else.

PyYAML's parser (the C one where it is built in) gives events; what they mean is ours (`spec.composer`, `spec.scalars`).
Source: cases C01-C05.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import yaml

from reconciler.problems import Origin, Problem, Problems
from reconciler.spec.bulk import uncollected
from reconciler.spec.careful import CarefulComposer
from reconciler.spec.composer import Composer, Stop, Text
from reconciler.spec.document import Node, SourceFile
from reconciler.spec.quick import quick_documents
from reconciler.spec.scalars import LIMITS, Limits, scalar

__all__ = ["load_all", "load_file", "load_one", "set_value"]

# Compiled where they are needed: 5 ms, and most files are plain ASCII.
# C0 and C1 controls, and the line breaks of YAML 1.1 that no editor shows as such: a parser would make spaces of them.
_CONTROL: Final = r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
# Byte order marks that stand at the start of a document because files were joined; an editor shows none of them.
_MARKS: Final = r"(?<![^\r\n])\ufeff+(?=---|#|%)|(?<=---[\r\n])\ufeff+|(?<=---\r\n)\ufeff+"
_ORDINARY: Final = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
_FIRST: Final = Composer if hasattr(yaml, "CSafeLoader") else CarefulComposer
_CAREFUL: Final = 1024 * 1024
"""Characters that the slow parser is given."""
_REREAD: Final = 8 * 1024 * 1024
"""Characters that are read again for the sake of harmless tabs."""


def load_all(files: Sequence[SourceFile], problems: Problems, limits: Limits = LIMITS) -> tuple[Node, ...]:
    """The documents of all files in order, empty ones left out; what is wrong goes to `problems`."""
    with uncollected():
        return tuple(node for file in files for node in load_file(file, problems, limits))


def load_one(file: SourceFile, problems: Problems, limits: Limits = LIMITS) -> Node | None:
    """The only document of a file (`reconciler.yaml`, values); none for an empty file or a bad one."""
    nodes = load_file(file, problems, limits)
    for extra in nodes[1:]:
        problems.add(
            Problem(
                code="many-documents",
                wrong="a second document",
                expected="one document in this file",
                origin=extra.origin,
            )
        )
    return nodes[0] if nodes else None


def load_file(file: SourceFile, problems: Problems, limits: Limits = LIMITS) -> tuple[Node, ...]:
    """The documents of one file, empty ones left out.

    Problems: `too-large`, `not-utf8`, `control-character`, `tab`, `yaml-syntax`, `duplicate-key`, `unknown-tag`,
    `bad-key`, `bad-alias`, `bad-number`, `too-deep`, `too-many-values`, `too-many-documents`.
    """
    try:
        text = _decode(file, limits)
        return _compose(text, problems, limits)
    except Stop as stop:
        problems.add(stop.problem)
        return ()


def set_value(text: str, origin: Origin) -> Node:
    """The value of a `--set`: typed like a plain scalar, or text in quotes. Never parsed as anything else.

    Raises:
        ValueError: as `scalar`.
    """
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    if quoted:
        problems = Problems()
        nodes = load_file(SourceFile(origin.file, text.encode("utf-8", "surrogatepass")), problems)
        if not problems and len(nodes) == 1 and isinstance(nodes[0].value, str):
            return Node(nodes[0].value, origin)
        for problem in problems.items:
            if problem.code == "control-character":
                raise ValueError(problem.wrong)
        return Node(text, origin)  # it only looks quoted
    try:
        return Node(scalar(text), origin)
    except ValueError as error:
        raise ValueError(f"{error}: {text[:40]}; text needs quotes: '\"{text[:40]}\"'") from None


def _decode(file: SourceFile, limits: Limits) -> Text:
    if len(file.data) > limits.bytes:
        raise Stop(
            Problem(
                code="too-large",
                wrong=f"the file has {len(file.data):,} bytes",
                expected=f"at most {limits.bytes:,}",
                origin=Origin(file.path),
            )
        )
    try:
        text = file.data.decode("utf-8")
    except UnicodeDecodeError as error:
        good = file.data[: error.start].decode("utf-8")
        place = Text(file.path, good.lstrip("\ufeff")).origin(len(good.lstrip("\ufeff")))
        raise Stop(
            Problem(
                code="not-utf8",
                wrong=f"byte {error.start} (0x{file.data[error.start]:02x}) is not UTF-8",
                expected="a file saved as UTF-8",
                origin=place,
            )
        ) from None
    if file.data.isascii() and not file.data.translate(None, _ORDINARY):
        return Text(file.path, text)  # a tenth of the time of the two searches below
    result = Text(file.path, re.sub(_MARKS, "", text.lstrip("\ufeff")))
    bad = re.search(_CONTROL, result.text)
    if bad is not None:
        raise Stop(
            Problem(
                code="control-character",
                wrong=f"control character U+{ord(bad[0]):04X}",
                expected=f'text, or an escape inside double quotes such as "\\u{ord(bad[0]):04x}"',
                origin=result.origin(bad.start()),
            )
        )
    return result


def _compose(text: Text, problems: Problems, limits: Limits) -> tuple[Node, ...]:
    """Compose; what the C parser refuses is heard again by one that takes more, so that both give the same errors."""
    quick = quick_documents(text.file, text.text, limits) if _FIRST is Composer else None
    if quick is not None:
        return quick
    composer, spent = _FIRST, 0
    while True:
        found = Problems()
        try:
            nodes = composer(text, found, limits).documents()
        except yaml.YAMLError as error:
            spent += len(text.text)
            mended = _mend_tab(text, error)
            if composer is not CarefulComposer and len(text.text) <= _CAREFUL:
                composer = CarefulComposer
            elif mended is not None and spent <= _REREAD:
                text = mended
            else:
                problems.extend(found.items)
                raise Stop(_syntax_problem(text, error)) from None
        else:
            problems.extend(found.items)
            return nodes


def _mark_index(text: Text, error: yaml.YAMLError) -> int | None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return None if mark is None else min(int(mark.index), len(text.text))


def _mend_tab(text: Text, error: yaml.YAMLError) -> Text | None:
    """The text with a harmless tab, at which the parser stopped, made a space; none if it is not that."""
    index = _mark_index(text, error)
    if index is None or text.text[index : index + 1] != "\t":
        return None
    rest = text.line_after(index)
    blank = len(rest) - len(rest.lstrip(" \t"))
    harmless = rest.strip() == "" or rest.lstrip().startswith("#") or text.line_before(index).strip(" \t") != ""
    if not harmless:
        return None
    return Text(text.file, text.text[:index] + " " * blank + text.text[index + blank :])


def _syntax_problem(text: Text, error: yaml.YAMLError) -> Problem:
    index = _mark_index(text, error)
    origin = Origin(text.file) if index is None else text.origin(index)
    said = str(getattr(error, "problem", "") or "this is no YAML")
    indent = "" if index is None else text.line_before(index) + text.text[index : index + 1]
    if "tab" in said.split() or (indent.endswith("\t") and not indent.strip()):
        return Problem(code="tab", wrong="a tab is used as indentation", expected="spaces", origin=origin)
    where = str(getattr(error, "context", "") or "")
    mark = getattr(error, "context_mark", None)
    related = () if mark is None else (text.origin(min(int(mark.index), len(text.text))),)
    hint = _brace_hint(text, index)
    wrong = f"{where}: {said}" if where else said
    return Problem(code="yaml-syntax", wrong=wrong, expected=hint or "YAML", origin=origin, related=related)


def _brace_hint(text: Text, index: int | None) -> str:
    """An unquoted template is read as a flow mapping: the commonest way to break a file."""
    line = "" if index is None else text.line_before(index) + text.line_after(index)
    if "{{" in line or "{%" in line:
        return 'YAML; a template needs quotes around it: "{{ ... }}"'
    return ""

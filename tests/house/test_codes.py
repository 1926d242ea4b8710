"""Every code that an error, a reason or a finding may carry is explained, nothing else is, and what is told is true.

Which literals are codes is read from the syntax trees: kebab-case words wherever they stand, and single words where
codes stand (`code=`, a parameter called `code` or `reason`, an assignment to such a name, a table of codes).
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import click
import pytest

import reconciler.codes
from reconciler.cli.main import cli
from reconciler.codes import CODES, Code
from reconciler.fields.setting import COMMON_SETTINGS
from reconciler.problems import Problems
from reconciler.providers.registry import provider_types
from reconciler.spec.document import SourceFile
from reconciler.spec.load import load_one
from reconciler.spec.project_schema import PROJECT_SCHEMA
from reconciler.spec.template import Renderer, Scope

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "reconciler"
KEBAB = re.compile(r"[a-z]+(-[a-z0-9]+)+\Z")
WORD = re.compile(r"[a-z]+(-[a-z0-9]+)*\Z")
NAMES = frozenset({"code", "reason"})
MADE: Mapping[str, tuple[str, ...]] = {"unknown-": ("unknown-project", "unknown-cluster"), "demo-": ()}
"""The start of a word that is put together as it is said → all codes that come of it."""
OTHER_WORDS = {
    "values of fields, kinds and lifecycles": (
        "at-next-start by-reference create-first data-loss delete-first in-place real-time stop-start after-read "
        "very-high not-sent default-ai-project"
    ),
    "states of drift": "run-state",
    "events of a run": "run-started step-news step-ended run-ended",
    "schema keywords and formats": "date-time field-path x-literal x-numeric-text x-pattern-words",
    "headers, markers, wire": (
        "content-type retry-after x-api-key x-project-id x-sdk-date x-subject-token rc-id en-us utf-8 utf-16-le"
    ),
    "git": (
        "cat-file commit-tree hash-object ls-remote ls-tree merge-base read-tree rev-list rev-parse update-index "
        "write-tree reconciler-ledger"
    ),
    "examples and units": "gitops-bot ml-platform my-account team-a theta-units keep-data",
    "inside one module": "wrong-value",
    "sheets": "modelarts-services modelarts-notebooks",
}
EXCUSED = frozenset(" ".join(OTHER_WORDS.values()).split())

STAGES = {
    module.name: importlib.import_module(f"reconciler.codes.{module.name}").CODES
    for module in pkgutil.iter_modules(reconciler.codes.__path__)
    if module.name != "code"
}
TYPES = {name: type_.codes() for name, type_ in provider_types().items()}
ALL: list[Code] = [code for codes in (*STAGES.values(), *TYPES.values()) for code in codes]


# -- what is said -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def trees() -> dict[str, ast.Module]:
    """Module path → tree, of all that may say a code: not the emulator, whose errors are the vendors'."""
    paths = [path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))]
    told = [path for path in paths if not {"emulator", "codes"} & set(path.parts) and path.name != "codes.py"]
    return {path.as_posix(): ast.parse((PACKAGE / path).read_text(encoding="utf-8")) for path in told}


@lru_cache(maxsize=1)
def said() -> dict[str, list[str]]:
    """Every literal that may be a code → the places where it is said; to compare with it is not to say it."""
    found: dict[str, list[str]] = {}
    everywhere = [_takers(tree) for tree in trees().values()]
    names = {name for takers in everywhere for name in takers}
    known = {name: {place for takers in everywhere for place in takers.get(name, ())} for name in names}
    for path, tree in trees().items():
        takers = known | _takers(tree)
        silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        silent |= {id(text) for text in _compared(tree)}
        for node in ast.walk(tree):
            words = (*_anywhere(node), *_at_places(node, takers))
            for text in (text for text in words if id(text) not in silent):
                found.setdefault(text.value, []).append(f"{path}:{text.lineno}")
    return found


@lru_cache(maxsize=1)
def asked() -> frozenset[str]:
    """Every literal that a code or a reason is compared with."""
    return frozenset(text.value for tree in trees().values() for text in _compared(tree))


def _compared(tree: ast.Module) -> Iterator[Any]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and getattr(node.left, "attr", getattr(node.left, "id", "")) in NAMES:
            for side in node.comparators:
                yield from _values(side)


def _anywhere(node: ast.AST) -> Iterator[Any]:
    """Kebab-case words, and codes in brackets at the end of a message."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if KEBAB.match(node.value):
            yield node
        for word in re.findall(r" \[([a-z]+(?:-[a-z0-9]+)*)\]\Z", node.value):
            yield ast.copy_location(ast.Constant(word), node)
    if isinstance(node, ast.JoinedStr) and (start := _start(node)):
        yield from (ast.copy_location(ast.Constant(word), node) for word in MADE.get(start, (f"{start}…",)))


def _start(node: ast.JoinedStr) -> str:
    """`unknown-` of f"unknown-{what}"."""
    first = node.values[0]
    text = str(first.value) if isinstance(first, ast.Constant) and len(node.values) == 2 else ""
    return text if re.fullmatch(r"[a-z]+(-[a-z]+)*-", text) else ""


def _at_places(node: ast.AST, takers: Mapping[str, set[int]]) -> Iterator[Any]:
    """Words, also single ones, where a code is expected."""
    match node:
        case ast.Call(func=func, args=args, keywords=keywords):
            name = getattr(func, "attr", getattr(func, "id", ""))
            given = [args[place] for place in takers.get(name, ()) if place < len(args)]
            for value in (*given, *(keyword.value for keyword in keywords if keyword.arg in NAMES)):
                yield from _values(value)
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            for name, value in zip(names, values, strict=False):
                yield from _values(value) if getattr(name, "id", "") in NAMES else ()
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            yield from _values(value) if name in NAMES else ()
            if re.search(r"codes\Z", name, re.IGNORECASE) and isinstance(value, ast.Dict):
                for item in value.values:
                    yield from _values(item.elts[0] if isinstance(item, ast.Tuple) else item)
        case ast.FunctionDef(args=arguments):
            pairs = [*zip(arguments.args[::-1], arguments.defaults[::-1], strict=False)]
            pairs += [
                (arg, value) for arg, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value
            ]
            for argument, value in pairs:
                yield from _values(value) if argument.arg in NAMES else ()
        case ast.Return(value=ast.Tuple(elts=[ast.Constant() as first, ast.JoinedStr(), *_])):
            yield from _values(first)


def _values(node: ast.AST) -> Iterator[Any]:
    """The words that an expression may come to."""
    match node:
        case ast.Constant(value=str(text)) if WORD.match(text):
            yield node
        case ast.IfExp(body=body, orelse=other):
            yield from (*_values(body), *_values(other))
        case ast.BoolOp(values=parts) | ast.Set(elts=parts) | ast.Tuple(elts=parts) | ast.Call(args=[_, *parts]):
            for part in parts:
                yield from _values(part)


def _takers(tree: ast.Module) -> dict[str, set[int]]:
    """Function or class → the places of its parameters that take a code."""
    found: dict[str, set[int]] = {}
    for node in ast.walk(tree):
        for below in ast.iter_child_nodes(node):
            if isinstance(below, ast.FunctionDef):
                is_method = isinstance(node, ast.ClassDef)
                names = [argument.arg for argument in below.args.args][is_method:]
                name = node.name if isinstance(node, ast.ClassDef) and below.name == "__init__" else below.name
                found.setdefault(name, set()).update(place for place, arg in enumerate(names) if arg in NAMES)
    return found


def test_every_code_is_explained() -> None:
    known = {code.code for code in ALL} | EXCUSED
    assert {word: places[0] for word, places in said().items() if word not in known} == {}


def test_every_explanation_is_of_a_code_that_is_said() -> None:
    assert [code.code for code in ALL if code.code not in said()] == []


def test_nobody_asks_for_a_code_that_is_never_said() -> None:
    assert sorted(asked() - {code.code for code in ALL}) == []


def test_no_word_is_excused_that_nobody_writes() -> None:
    assert sorted(EXCUSED - set(said())) == []


def test_each_code_is_explained_once_and_can_be_found() -> None:
    codes = [code.code for code in ALL]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []
    assert set(CODES.values()) == {code for stage in STAGES.values() for code in stage}
    assert all(name == code.code for name, code in CODES.items())


@pytest.mark.parametrize("name", TYPES)
def test_a_providers_own_codes_are_said_there_alone(name: str) -> None:
    home = f"providers/{name}/"
    assert {
        code.code: said()[code.code] for code in TYPES[name] if not all(p.startswith(home) for p in said()[code.code])
    } == {}
    kinds = {kind.label for kind in provider_types()[name].kinds} | {name}
    assert {code.stage for code in TYPES[name]} <= kinds


# -- what is told of them ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def options() -> frozenset[str]:
    """Every option of every command."""
    found: set[str] = set()
    waiting: list[click.Command] = [cli]
    while waiting:
        command = waiting.pop()
        found |= {option for parameter in command.params for option in parameter.opts}
        if isinstance(command, click.Group):
            context = click.Context(command)
            below = (command.get_command(context, name) for name in command.list_commands(context))
            waiting += [one for one in below if one is not None]
    return frozenset(found)


@lru_cache(maxsize=1)
def field_names() -> frozenset[str]:
    """Every field of a document, and every setting of a provider."""
    found = {setting.name for setting in COMMON_SETTINGS} | {"endpoint", "spec", "metadata", "lifecycle"}
    found |= {setting.name for type_ in provider_types().values() for setting in type_.settings}
    waiting: list[Any] = [
        PROJECT_SCHEMA,
        *(json.loads(path.read_bytes()) for path in (ROOT / "schemas").glob("*.json")),
    ]
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, dict):
            found |= set(schema.get("properties", {}))
            waiting += schema.values()
        elif isinstance(schema, list):
            waiting += schema
    return frozenset(found)


@pytest.mark.parametrize("code", ALL, ids=lambda code: code.code)
def test_an_explanation_is_short_and_names_only_what_there_is(code: Code) -> None:
    for text in (code.meaning, code.remedy):
        assert 10 <= len(text) <= 400
        assert text[0].isupper() or text.startswith(("-", "`"))
        assert text.endswith(".")
    whole = f"{code.meaning} {code.remedy} {code.example}"
    assert re.search(r"(?<![\w./:])/(work|home|root|usr|tmp|etc|var|opt)\b", whole) is None
    assert set(re.findall(r"(?<![\w'\"-])--?[A-Za-z][a-z-]*", whole)) <= options()
    assert set(re.findall(r"\bRECONCILER_[A-Z_]+", whole)) <= set(variables())
    dotted = re.findall(r"`([a-z]\w*(?:\.\w+)+)`", whole)
    camel = re.findall(r"`([a-z]+[A-Z]\w*)`", whole)
    words = {word for name in (*dotted, *camel) if name != "reconciler.yaml" for word in name.split(".")}
    assert words <= field_names()


@lru_cache(maxsize=1)
def variables() -> frozenset[str]:
    """Environment variables of ours that the package reads."""
    return frozenset(
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("RECONCILER_")
    )


@pytest.mark.parametrize("code", [code for code in ALL if code.example], ids=lambda code: code.code)
def test_an_example_is_a_command_or_yaml_that_works(code: Code) -> None:
    lines = [line for line in code.example.splitlines() if not re.search(r"# (wrong|refused)\b", line)]
    assert lines
    assert all(len(line) <= 100 for line in code.example.splitlines())
    commands = [line for line in lines if line.startswith(("reconciler ", "export "))]
    for line in commands:
        _, *words = line.replace("'", "").split()
        if line.startswith("reconciler "):
            cli.make_context("reconciler", words, resilient_parsing=True)
            _parse(cli, words)
    problems = Problems()
    document = load_one(
        SourceFile("example", "\n".join(line for line in lines if line not in commands).encode()), problems
    )
    assert problems.items == ()
    assert (document is not None) == (len(commands) < len(lines))
    common = json.loads((ROOT / "schemas/common.json").read_bytes())["$defs"]
    for part in ("lifecycle", "metadata"):
        below = document.get(part) if document is not None else None
        known = {**common[part]["properties"], "formerOwners": {}} if below is not None else {}
        assert set(below.entries() if below is not None else ()) <= set(known)


@pytest.mark.parametrize(
    "code", [code for code in ALL if re.search(r"# (wrong|refused)\b", code.example)], ids=lambda code: code.code
)
def test_an_example_of_a_mistake_is_refused_with_its_code(code: Code) -> None:
    whole = "# refused" in code.example
    lines = [line for line in code.example.splitlines() if whole or "# wrong" in line]
    problems = Problems()
    node = load_one(SourceFile("example", "\n".join(lines).encode()), problems)
    if node is not None:
        Renderer(frozenset(), problems).render(node, Scope.of())
    assert {problem.code for problem in problems.items} == {code.code}


def _parse(command: click.Command, words: list[str]) -> None:
    """As click does for a run, but for the checks of files."""
    context = click.Context(command, resilient_parsing=True)
    if isinstance(command, click.Group):
        below = command.get_command(context, words[0])
        assert below is not None, words[0]
        _parse(below, words[1:])
    else:
        command.parse_args(context, words)

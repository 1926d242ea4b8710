"""The quick reading of plain text gives the composer's nodes, places and sources included, or leaves it to that."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.problems import Problem, Problems
from reconciler.spec import load as load_module
from reconciler.spec.document import Node, SourceFile
from reconciler.spec.load import load_file
from reconciler.spec.quick import quick_documents
from reconciler.spec.scalars import LIMITS, Limits
from tests.fuzz.edits import ODD

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted({*ROOT.glob("specs-example/**/*.yaml"), *ROOT.glob("tests/golden/plans/*/**/*.yaml")})
UNUSUAL: Final = (
    *(
        "a: &x 1\nb: *x\n",
        "- &x {a: 1}\n- {<<: *x}\n",
        "a: !!str 1\n",
        "!x\n",
        "? a\n: b\n",
        "{[a]: b}\n",
        "{{a}}: b\n",
    ),
    *("a: 1\na: 2\n", ": x\n", "'': x\n", "<<: {a: 1}\n", "'<<': {a: 1}\n", "1: x\n", "null: x\n", "true: x\n"),
    *('a: "\\ud83d\\ude00"\n', 'a: "\\ud83d"\n', '"\\0a": 1\n', "a: 1e400\n", "a: " + "9" * 500 + "\n", "a: -0\n"),
    *("a:\t1\n", "\ta: 1\n", "a: [1,\n\t2]\n", "- - - 1\n", "a: b: c\n", "a: {{ x }}\n", "a: '{{ x }}' # c\n"),
    *("a: b\r\nc: '{{ x }}'\r\n", "a: b\rc: d\r", "\ufeffa: 1\n", "---\n---\na: 1\n...\nb: 2\n", "", "# c\n", "~\n"),
    *(
        "a: |\n  {{ x }}\n  y\n",
        "a: >-\n  é {{ x }}\n\n  z\nb: 1\n",
        "é: ['{{ é }}', {ü: 1}]\n",
        "a: *.py\n",
        "a: b & c\n",
    ),
    *("[" * 70 + "]" * 70 + "\n", "[" * 3000 + "]" * 3000 + "\n", "".join(f"{' ' * n}a:\n" for n in range(70))),
    *(
        "".join(f"{' ' * n}a:\n" for n in range(600)),
        "- a\n" * 30,
        "--- 1\n" * 5,
        "a: 'x\n  y'\n",
        "a: 'x: y\n",
        "@a\n",
    ),
    *(
        "%YAML 1.1\n---\na: 1\n",
        "%TAG ! tag:x,2026:\n---\na: 1\n",
        "a: ! 1\n",
        "a: !<x> 1\n",
        "--- |\n text\n",
        "a: \x01\n",
    ),
    *("".join(f"k{n}: {word}\n" for n, word in enumerate(ODD) if "\n" not in word), "a: .5\nb: +1\nc: 0o7\nd: =\n"),
)


def both(text: str, limits: Limits = LIMITS) -> tuple[tuple[Node, ...], tuple[Problem, ...]]:
    """What is read, having been compared with what the composer alone reads."""
    found: list[tuple[tuple[Node, ...], tuple[Problem, ...]]] = []
    with pytest.MonkeyPatch.context() as patch:
        for quick in (True, False):
            if not quick:
                patch.setattr(load_module, "quick_documents", lambda *_: None)
            problems = Problems()
            nodes = load_file(SourceFile("a.yaml", text.encode()), problems, limits)
            found.append((nodes, problems.items))
    assert found[0] == found[1]
    # Equal numbers may be of two kinds, and 1 is True.
    first, second = ([(path, repr(node)) for root in nodes for path, node in root.walk()] for nodes, _ in found)
    assert first == second
    return found[0]


def test_files_of_the_repository_read_alike_and_almost_all_quickly() -> None:
    slow = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        both(text)
        if quick_documents("a.yaml", text, LIMITS) is None:
            slow.append(path.name)
    assert len(FILES) > 100
    assert len(slow) < len(FILES) / 10, slow


@pytest.mark.parametrize("text", UNUSUAL)
def test_what_is_unusual_reads_alike(text: str) -> None:
    both(text)
    both(f"{text}x: y\n")


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="there is no C parser here")
@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(documents=2), "--- a\n--- b\n--- c\n"),
        (Limits(values=4), "[a, b, c, d, e]\n"),
        (Limits(depth=3), "[[[[a]]]]\n"),
        (Limits(digits=3), "a: 1234\n"),
    ],
)
def test_limits_are_those_of_the_composer(limits: Limits, text: str) -> None:
    assert both(text)[1] == (), "of all limits it is not beyond"
    assert [problem.code for problem in both(text, limits)[1]] != []


_TOKENS: Final = st.sampled_from(
    [
        *(
            "a",
            "b: ",
            "- ",
            "\n",
            "  ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "'",
            '"',
            "{{ x }}",
            "&x ",
            "*x",
            "!",
            "|\n",
            ">\n",
            "#",
            "? ",
        ),
        *("true", "1", "1.10", "~", "<<: ", "---\n", "...\n", "\\", "\\u0041", "é", "\t", "key: value\n", "  - item\n"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_TOKENS, max_size=25).map("".join))
@example("a: {b: [c, '{{ x }}']}\n")
def test_any_text_reads_alike(text: str) -> None:
    both(text)

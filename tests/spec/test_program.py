"""Templates that are run without Jinja give what Jinja gives, or are left to it."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.problems import Origin, Problems
from reconciler.spec import template as template_module
from reconciler.spec.document import Node, WrittenFloat, from_plain
from reconciler.spec.faults import Budget, Fault
from reconciler.spec.program import Program, parse, quick_program
from reconciler.spec.sandbox import compiled
from reconciler.spec.template import Renderer, Scope

VALUES: Final = {
    "a": {"b": "text", "n": 3, "f": WrittenFloat("1.10"), "yes": True, "nil": None, "list": [1, "x"], "items": "own"},
    "long": "x" * 2000,
    "empty": "",
}
SCOPE: Final = Scope.of(
    values=from_plain(VALUES, Origin("values.yaml")),
    metadata=from_plain({"name": "chat", "labels": {"team": "ml"}}, Origin("a.yaml")),
    environment=from_plain("prod", Origin("-e", 0, 0)),
)
NAMES: Final = ("values.a.b", "values.a", "values.a.n", "values.a.f", "values.a.yes", "values.a.nil", "values.a.list")
ODD: Final = (
    *("values.a.items", "values.items", "values.no", "values.a.b.c", "values.a.b.upper", "values", "values.long"),
    *("metadata.name", "metadata.labels.team", "metadata._x", "environment", "environment.x", "item", "item.x", "nope"),
    *('ref("theta/Deployment/a").endpoint', "ref('theta/Deployment/a').id", 'ref("theta/Deployment/a")', 'ref("a")'),
    *('ref("theta/Deployment/a").nope', 'secret("TOKEN")', 'secret("OTHER")', 'secret("TOKEN").id', "secret(TOKEN)"),
    *("values.empty", "values['a']", "values.a.b|upper", "true", "values.not", "values.1", "values . a", "- values.a"),
    *('"{{ x }}"', "values.a }", "{ values.a", "values.a\n.b", "self", "loop", "range", "values.é", "values.a.b\t"),
)
TEXTS: Final = ("", "/v1", "http://", "é\n", "{", "}", "}}", "#", "{#", "{%", "\r\n", "%}", "-", '"', "\\", "  ")
GAPS: Final = ("", " ", "\n", "-", "- ", "+", "\u00a0", "\x1f")


@st.composite
def templates(draw: st.DrawFn) -> str:
    """Texts and expressions in turn, the usual ones more often."""
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        parts.append(draw(st.sampled_from(TEXTS)))
        gap = draw(st.sampled_from(GAPS)) if draw(st.integers(0, 5)) == 0 else " "
        parts.append(f"{{{{{gap}{draw(st.sampled_from(NAMES + ODD))}{gap}}}}}")
    return "".join([*parts, draw(st.sampled_from(TEXTS))])


def told(program: Any, source: str) -> tuple[object, ...]:
    """What comes of a template: value and layers, problems with their places, and what is left of the budget."""
    problems, budget = Problems(), Budget()
    node = Node(source, Origin("a.yaml", 3, 5), raw=f'"{source}"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(template_module, "parse", program)
        made = Renderer(frozenset({"TOKEN"}), problems, budget=budget).render(node, SCOPE, "theta/Deployment/chat")
    return repr(made), problems.items, budget.rounds, budget.characters


@settings(max_examples=300, deadline=None)
@given(templates())
@example("{{ values.a.n }}")
@example('x {{ ref("theta/Deployment/a").endpoint }}/{{ metadata.name }}')
@example("{{ values.a }}{{ values.a.b }}")
@example("{{ values.long }}" * 200)
def test_the_same_with_and_without_jinja(source: str) -> None:
    assert told(parse, source) == told(compiled, source)
    quick = quick_program(source)
    if quick is not None:
        other = compiled(source)
        assert [getattr(quick, key) for key in Program.__slots__ if key != "run"] == [
            getattr(other, key) for key in Program.__slots__ if key != "run"
        ]


@pytest.mark.parametrize("source", ["{{ values.a }}", 'a {{ ref("x/Y/z").id }}{{ secret("T") }}', "{{environment}}"])
def test_the_usual_forms_are_run_here(source: str) -> None:
    assert quick_program(source) is not None


def test_a_name_that_is_missing_is_left_to_jinja() -> None:
    program = quick_program("{{ values.nope }}")
    assert program is not None
    (found,) = program.run({"values": {}}, Budget())
    with pytest.raises(Fault, match="'nope' is undefined"):
        str(found)

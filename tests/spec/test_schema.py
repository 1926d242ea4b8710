"""`loosen` and `tighten` are exact inverses, whatever a strict schema holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.spec.schema import TEMPLATE_REF, loosen, tighten

LEAVES: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "integer", "minimum": 1},
    {"type": "boolean", "x-literal": True},
    {"enum": ["a", "b"]},
    {"type": "string", "pattern": "^a$"},
    {"$ref": "common.json#/$defs/name"},
    {"type": ["string", "null"], "maxLength": 3},
]


def nodes() -> st.SearchStrategy[Any]:
    names = st.sampled_from(["a", "items", "properties", "anyOf"])

    def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            st.fixed_dictionaries(
                {"type": st.just("object")},
                optional={"properties": st.dictionaries(names, inner, max_size=3), "additionalProperties": inner},
            ),
            st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
            st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
            st.fixed_dictionaries({"allOf": st.lists(st.fixed_dictionaries({"if": inner, "then": inner}), max_size=2)}),
        )

    return st.recursive(st.sampled_from(LEAVES) | st.booleans(), deeper, max_leaves=8)


@given(
    st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("ab"), nodes())})
)
def test_tighten_undoes_loosen_and_loosen_is_idempotent(schema: dict[str, Any]) -> None:
    loose = loosen(schema)
    assert tighten(loose) == schema
    assert loosen(loose) == loose


def test_values_that_would_refuse_a_template_take_one_and_structure_does_not() -> None:
    strict: dict[str, Any] = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {"n": {"type": "integer"}, "t": {"type": "string"}, "no": False}}
        },
    }
    spec = loosen(strict)["properties"]["spec"]
    assert spec["type"] == "object"
    assert spec["properties"]["n"] == {"anyOf": [{"type": "integer"}, {"$ref": TEMPLATE_REF}]}
    assert spec["properties"]["t"] == {"type": "string"}
    assert spec["properties"]["no"] is False

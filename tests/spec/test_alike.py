"""Values that are the same to the last type, and one object in the place of two."""

from __future__ import annotations

import copy
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from reconciler.spec.alike import alike, shared
from reconciler.spec.values import SecretRef

LEAVES: Final = st.one_of(st.none(), st.booleans(), st.integers(0, 1), st.sampled_from([0.0, 1.0, "", "a", "1"]))
TREES: Final = st.recursive(
    LEAVES | st.just(SecretRef("A")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def spelled(value: Any) -> str:
    """A value so that two of the same text are the same to the last type, whatever the order of keys."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {spelled(value[key])}' for key in sorted(value))}}}"
    return f"[{', '.join(map(spelled, value))}]" if isinstance(value, list) else repr(value)


@given(TREES, TREES)
def test_alike_are_values_of_one_spelling(one: Any, other: Any) -> None:
    plain = "None" not in spelled(one) and "SecretRef" not in spelled(one)
    assert alike(one, other) == (plain and spelled(one) == spelled(other))
    assert alike(one, copy.deepcopy(one)) == plain


@given(TREES, TREES)
def test_what_is_shared_says_the_same_as_before(one: Any, like: Any) -> None:
    before, other = spelled(one), spelled(like)
    result = shared(copy.deepcopy(one), like)
    assert spelled(result) == before
    assert spelled(like) == other
    if alike(one, like) and isinstance(like, dict | list):
        assert result is like

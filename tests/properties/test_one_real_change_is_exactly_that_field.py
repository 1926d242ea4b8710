"""Law: one real change, among any respelling, is exactly that field."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.diff.change import FieldClass
from tests.diff.toys import compared, paths
from tests.properties.strategies import ENGINES, changed, law, respelled


@law
@given(spec=ENGINES, data=st.data())
def test_change_of_the_spec_is_pending_and_of_that_field_alone(spec: dict[str, Any], data: st.DataObject) -> None:
    live = respelled(data.draw, spec)
    path, desired = changed(data.draw, spec)
    result = compared(desired, live, spec)
    _is_exactly(paths(result), path)
    assert {change.field_class for change in result.changes} == {FieldClass.PENDING}


@law
@given(spec=ENGINES, data=st.data())
def test_change_of_the_live_side_is_drift_and_of_that_field_alone(spec: dict[str, Any], data: st.DataObject) -> None:
    path, other = changed(data.draw, spec)
    if not path:
        return  # an entry that somebody adds to a keyed list is theirs, not drift
    result = compared(spec, respelled(data.draw, other), spec)
    _is_exactly(paths(result), path)
    assert {change.field_class for change in result.changes} == {FieldClass.DRIFT}


def _is_exactly(found: list[str], path: str) -> None:
    if path:
        assert [one.replace('["', ".").replace('"]', "") for one in found] == [path]
    else:
        new = "tolerations[brand new,Equal,NoSchedule]"
        assert found == [f"{new}.effect", f"{new}.key"]

"""Law: what only a provider may change (defaults, order, spelling, foreign entries) is never a change."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.diff.toys import compared, paths
from tests.properties.strategies import ENGINES, law, respelled


@law
@given(spec=ENGINES, data=st.data())
def test_respelled_spec_is_no_change(spec: dict[str, Any], data: st.DataObject) -> None:
    live = respelled(data.draw, spec)
    for applied in (spec, None):
        assert paths(compared(spec, live, applied)) == []


@law
@given(spec=ENGINES, data=st.data())
def test_what_is_taken_out_is_a_change_only_of_what_was_ours(spec: dict[str, Any], data: st.DataObject) -> None:
    live = respelled(data.draw, spec)
    gone = data.draw(st.sampled_from(sorted(spec)))
    rest = {key: value for key, value in spec.items() if key != gone}
    assert paths(compared(rest, live, rest)) == []
    result = compared(rest, live, spec)
    assert {str(change.path).split(".")[0].split("[")[0] for change in result.changes} <= {gone}
    assert result.changes or (gone == "replicas" and spec[gone] == 1)
    assert all(change.removed for change in result.changes)

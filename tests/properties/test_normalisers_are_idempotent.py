"""Law: what was brought to its comparable form stays as it is; and no value makes a comparison fail."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given

from reconciler.diff.compare import canonical
from reconciler.fields.normalise import NORMALISERS, normalise
from tests.properties.strategies import COMPARABLE, law


@pytest.mark.parametrize("name", sorted(NORMALISERS))
@law
@given(value=COMPARABLE)
@example(value=[{"a": 1, "b": 2}, {"b": 2.0, "a": 1}])
@example(value="1e999999999999")
@example(value="docker.io/library/library/x:latest:latest")
@example(value="powereded")
@example(value="1e30")
def test_normaliser_is_idempotent(name: str, value: Any) -> None:
    once = normalise(name, value)
    assert normalise(name, once) == once
    assert canonical(once) == canonical(normalise(name, once))


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("quantity", "1.1", "1100m", True),
        ("quantity", "1000M", "1Gi", False),
        ("quantity", "12345678901234567890123456789012", "12345678901234567890123456789013", False),
        ("quantity", "1_000", 1000, False),
        ("number", "70", 70, True),
        ("number", "1_0", 10, False),
        ("two_decimals", "0.125", 0.12, True),
        ("text", 0, "0", True),
        ("lower", "A", "a", True),
        ("as_set", [1, "1"], ["1", 1.0], True),
        ("as_set", [{"a": 1, "b": None}], [{"a": 1.0}], True),
        ("as_set", ["1"], [1], False),
        ("deep_set", [["a", "b"], ["c"]], [["c"], ["b", "a"]], True),
        ("comma_set", "a, b", "b,a,,a", True),
        ("ids", [{"id": 1}, "2"], ["2", "1"], True),
        (
            "schedule",
            [{"type": "stop", "duration": 2, "time_unit": "HOURS"}],
            [{"type": "stop", "duration": "120", "time_unit": "MINUTES"}],
            True,
        ),
        ("image", "docker.io/library/nginx:latest", "nginx", True),
        ("image", "nginx:1.27", "nginx", False),
        ("profile", "GPU Powered", "gpupower", True),
    ],
)
def test_spellings(name: str, one: Any, other: Any, same: bool) -> None:  # noqa: FBT001 - a table's column
    assert (canonical(normalise(name, one)) == canonical(normalise(name, other))) is same

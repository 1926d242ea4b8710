"""Law: a value comes back from the ledger or a plan file as it was, and no text of a user becomes a reference."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from reconciler.spec.values import decode, encode, pending_in
from tests.properties.strategies import JSON, VALUES, law


@law
@given(value=VALUES)
def test_encode_and_decode_round_trip_through_json(value: Any) -> None:
    assert decode(json.loads(json.dumps(encode(value)))) == value


@law
@given(value=JSON)
def test_plain_data_never_becomes_a_reference(value: Any) -> None:
    assert pending_in(decode(encode(value))) == ()

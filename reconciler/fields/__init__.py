"""What a fact about a field or a kind may be. The facts themselves stand in `providers/<x>/`."""

from reconciler.fields.kind import (
    MARKER_ROOM,
    Check,
    CostRule,
    Finding,
    Kind,
    MarkerSlot,
    NameRule,
    Phase,
    ReplaceOrder,
    WaitFor,
)
from reconciler.fields.path import FieldPath
from reconciler.fields.rule import (
    IN_PLACE,
    REPLACE,
    UNSET,
    FieldRule,
    Interruption,
    Secret,
    Seen,
    Unset,
)

__all__ = [
    "IN_PLACE",
    "MARKER_ROOM",
    "REPLACE",
    "UNSET",
    "Check",
    "CostRule",
    "FieldPath",
    "FieldRule",
    "Finding",
    "Interruption",
    "Kind",
    "MarkerSlot",
    "NameRule",
    "Phase",
    "ReplaceOrder",
    "Secret",
    "Seen",
    "Unset",
    "WaitFor",
]

"""What the credentials must be permitted for writes, for `doctor`."""

from __future__ import annotations

from typing import Final

from reconciler.diff.change import CallOp
from reconciler.providers.base import Right

__all__ = ["RIGHTS"]

RIGHTS: Final = (
    Right(
        kind="Inference",
        ops=(CallOp.CREATE, CallOp.UPDATE, CallOp.DELETE),
        right="a role that permits each of these on inferences",
        source="runai §1.1 inferred",
    ),
)

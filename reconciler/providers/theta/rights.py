"""What the credentials must be permitted for writes, for `doctor`."""

from __future__ import annotations

from typing import Final

from reconciler.diff.change import CallOp
from reconciler.providers.base import Right

__all__ = ["RIGHTS"]

RIGHTS: Final = (
    Right(
        kind="Deployment",
        ops=(CallOp.CREATE, CallOp.DELETE),
        right="the project's API key, which may do all in its project",
        source="theta §1 public",
    ),
)

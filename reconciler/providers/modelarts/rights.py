"""The IAM actions that writes need, as the vendor's pages on permissions name them."""

from __future__ import annotations

from typing import Final

from reconciler.diff.change import CallOp
from reconciler.providers.base import Right

__all__ = ["RIGHTS"]

_PAGE: Final = "modelarts-services §7 public, and the vendor's page modelarts_03_0165 (service permissions)"

RIGHTS: Final = (
    Right(kind="Service", ops=(CallOp.CREATE,), right="modelarts:service:create", source=_PAGE),
    Right(kind="Service", ops=(CallOp.UPDATE,), right="modelarts:service:update", source=_PAGE),
    Right(kind="Service", ops=(CallOp.START, CallOp.STOP), right="modelarts:service:action", source=_PAGE),
    Right(kind="Service", ops=(CallOp.DELETE,), right="modelarts:service:delete", source=_PAGE),
    Right(
        kind="Notebook",
        ops=(CallOp.CREATE,),
        right="modelarts:notebook:create with rights on its OBS bucket and objects",
        source="modelarts-notebooks §1 public",
    ),
    Right(
        kind="Notebook",
        ops=(CallOp.UPDATE,),
        right="modelarts:notebook:update",
        source="modelarts-notebooks §1 public",
    ),
    Right(
        kind="Notebook",
        ops=(CallOp.START, CallOp.STOP),
        right="modelarts:notebook:action with the same rights on OBS",
        source="modelarts-notebooks §1 public",
    ),
    Right(
        kind="Notebook",
        ops=(CallOp.DELETE,),
        right="modelarts:notebook:delete",
        source="modelarts-notebooks §1 public",
    ),
)

"""Every stable code that an error, a reason or a finding may carry, and what it means: `explain CODE`. Pure data.

A module a stage. Codes that only one provider's checks use stand beside them (`providers/<x>/codes.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciler.codes import (
    apply,
    command,
    diff,
    github,
    ledger,
    load,
    plan,
    project,
    provider,
    secrets,
    spec,
    template,
)
from reconciler.codes.code import Code

__all__ = ["CODES", "Code"]

_STAGES: Final = (load, template, spec, project, diff, plan, apply, ledger, secrets, provider, command, github)
CODES: Final[Mapping[str, Code]] = {code.code: code for stage in _STAGES for code in stage.CODES}

"""Bodies and small values in the vendor's form. Source: runai §1.2, §4.1."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.emulator.runai.versions import NAME
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Response

__all__ = ["error_body", "fail", "new_id", "project_id_out", "switch", "timestamp"]

_MESSAGES: Final = {
    400: "Required parameter is missing",
    401: "Issuer is not familiar.",
    403: "You do not have sufficient permissions.",
    404: "Resource id not found.",
    409: "Resource with this name already exists",
    429: "Too many requests.",
    500: "Something went wrong.",
    503: "Please try again in few minutes.",
}


def error_body(status: int, message: str = "", details: str = "") -> dict[str, Any]:
    """`{"code", "message", "details"?}`."""
    body: dict[str, Any] = {"code": status, "message": message or _MESSAGES.get(status, "Something went wrong.")}
    if details:
        body["details"] = details
    return body


def fail(status: int, message: str = "", details: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """A refusal."""
    return Response(status=status, body=error_body(status, message, details), headers=dict(headers or {}))


def timestamp(seconds: float | None) -> str | None:
    """RFC 3339 with milliseconds, in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id() -> str:
    """A fresh workload id."""
    return str(uuid.uuid4())


def switch(tx: Tx, name: str) -> str:
    """A switch as text, so that 409 and "409" are one."""
    return str(tx.switch(NAME, name))


def project_id_out(tx: Tx, project_id: str) -> str | int:
    """A project id as the switch `idTypeOut` wants it."""
    return int(project_id) if switch(tx, "idTypeOut") == "number" and project_id.isdigit() else project_id

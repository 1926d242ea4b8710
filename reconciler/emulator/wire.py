"""What a module of the emulator is made of: `Request`, `Response`, `Route`, `Module`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.emulator.store import Tx
from reconciler.emulator.switches import Switches

__all__ = ["Handler", "Module", "Request", "Response", "Route"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the vendor would see it: `path` is without our mount prefix, `params` come from the route."""

    method: str
    path: str
    params: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    base_url: str
    """`http://127.0.0.1:<port>`, for catalogues that name addresses."""

    def first(self, name: str, default: str = "") -> str:
        """The first query value of this name."""
        return next((value for key, value in self.query if key == name), default)

    def every(self, name: str) -> list[str]:
        """All query values of this name, in order."""
        return [value for key, value in self.query if key == name]

    def json(self) -> Any:
        """The parsed body.

        Raises:
            ValueError: when it is no JSON.
        """
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A reply. `body`: JSON value, or `bytes` sent as they are; `None` sends no body at all."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


Handler = Callable[[Tx, Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path such as `/deployments/{shard}/{suffix}`; `{rest:path}` takes slashes too.

    The first match wins.
    """

    method: str
    path: str
    handler: Handler


class Module(Protocol):
    """One vendor API of the emulator."""

    name: str
    """Key of state, switches and log: `theta`, `runai`, `modelarts-services`, `-notebooks`, `modelarts` (IAM)."""
    switches: Switches
    """What tests may choose; defaults, checks and docs come from it."""

    def mounts(self) -> Mapping[str, Sequence[Route]]:
        """Mount prefix (`/theta/controller`) → routes below it."""
        ...

    def seed(self, tx: Tx) -> None:
        """Fill an empty state: catalogue, and a few foreign resources."""
        ...

    def state(self, tx: Tx) -> list[dict[str, Any]]:
        """All live objects as the vendor would show them in full (detail form), for tests."""
        ...

    def error(self, status: int, message: str) -> Any:
        """The vendor's error body for a status, used for unknown routes and injected faults without a body."""
        ...

    def connection(self, base_url: str) -> Mapping[str, str]:
        """This module's part of `reconciler emulator`'s first line (DESIGN §9); addresses start with `base_url`."""
        ...

    def open_to_all(self) -> None:
        """Embedded: from now on accept any credentials and project ids (an account that nobody has to set up)."""
        ...

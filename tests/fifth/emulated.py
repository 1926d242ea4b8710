"""The API of toy lamps: what `reconciler/emulator/toy/__init__.py` would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.emulator.store import Tx
from reconciler.emulator.switches import Switch, Switches, number
from reconciler.emulator.wire import Handler, Request, Response, Route

__all__ = ["MODULES"]

_TOKEN: Final = "toy-demo-token"
_LAMPS: Final = "toy-lamp"


class Toy:
    """Lamps below `/toy`."""

    name = "toy"
    switches = Switches(
        Switch(name="warm_s", default=5, takes="seconds", read=number, does="how long a new lamp is warming"),
    )

    def __init__(self) -> None:
        self._open = False

    def mounts(self) -> Mapping[str, Sequence[Route]]:
        routes = (
            ("GET", "/lamps", self._list),
            ("POST", "/lamps", self._create),
            ("PATCH", "/lamps/{id}", self._update),
            ("DELETE", "/lamps/{id}", self._delete),
        )
        return {"/toy": [Route(method, path, self._guarded(handler)) for method, path, handler in routes]}

    def seed(self, tx: Tx) -> None:
        """Somebody else's lamp."""
        self._put(tx, {"name": "hall", "colour": "white", "socket": "E14", "labels": {}})

    def state(self, tx: Tx) -> list[dict[str, Any]]:
        return [self._view(tx, lamp) for _, lamp in tx.all(_LAMPS)]

    def error(self, status: int, message: str) -> Any:  # noqa: ARG002 - the body does not repeat the status
        return {"error": message}

    def connection(self, base_url: str) -> Mapping[str, str]:
        return {"endpoint": f"{base_url}/toy", "token": _TOKEN}

    def open_to_all(self) -> None:
        self._open = True

    def _guarded(self, handler: Handler) -> Handler:
        def guarded(tx: Tx, request: Request) -> Response:
            token = request.headers.get("x-token", "")
            if not token or not (self._open or token == _TOKEN):
                return self._refuse(401, "no such token")
            return handler(tx, request)

        return guarded

    def _list(self, tx: Tx, _request: Request) -> Response:
        return Response(body={"lamps": self.state(tx)})

    def _create(self, tx: Tx, request: Request) -> Response:
        wish = request.json()
        if not {"name", "socket"} <= set(wish) <= {"name", "colour", "socket", "labels"}:
            return self._refuse(400, "name and socket, and maybe colour and labels")
        if any(lamp["name"] == wish["name"] for _, lamp in tx.all(_LAMPS)):
            return self._refuse(409, f"there is a lamp {wish['name']}")
        return Response(status=201, body=self._view(tx, self._put(tx, {"colour": "white", "labels": {}, **wish})))

    def _update(self, tx: Tx, request: Request) -> Response:
        lamp, wish = tx.get(_LAMPS, request.params["id"]), request.json()
        if lamp is None:
            return self._refuse(404, "no such lamp")
        if set(wish) != {"colour"}:
            return self._refuse(400, "only the colour can change")
        tx.put(_LAMPS, lamp["id"], lamp | wish)
        return Response(body=self._view(tx, lamp | wish))

    def _delete(self, tx: Tx, request: Request) -> Response:
        if tx.get(_LAMPS, request.params["id"]) is None:
            return self._refuse(404, "no such lamp")
        tx.delete(_LAMPS, request.params["id"])
        return Response(status=204)

    def _put(self, tx: Tx, lamp: dict[str, Any]) -> dict[str, Any]:
        stored = {**lamp, "id": f"lamp-{tx.count(_LAMPS)}", "made_at": tx.now}
        tx.put(_LAMPS, stored["id"], stored)
        return stored

    def _view(self, tx: Tx, lamp: Mapping[str, Any]) -> dict[str, Any]:
        warming = tx.now - lamp["made_at"] < tx.switch("toy", "warm_s")
        shown = {key: value for key, value in lamp.items() if key != "made_at"}
        return {**shown, "status": "warming" if warming else "lit"}

    def _refuse(self, status: int, message: str) -> Response:
        return Response(status=status, body=self.error(status, message))


MODULES = (Toy,)

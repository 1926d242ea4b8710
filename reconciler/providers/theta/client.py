"""Theta's wire: hosts, key, envelope, pages, spelling of routes. Source: providers/theta.md §§1, 2, 9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from reconciler.problems import Problem, ProviderError, Refused, UnknownOutcome
from reconciler.providers.base import Context
from reconciler.providers.http import HttpClient, HttpReply, is_loopback, one_line
from reconciler.providers.theta.kinds import API_HOST, CONTROLLER, PINNED
from reconciler.providers.theta.offer import Offer, read_offer
from reconciler.spec.values import KnownAfterApply, SecretRef, fill

__all__ = ["API", "ThetaClient"]

API: Final = "api"
"""Label of the API host."""
_PAGE_SIZE: Final = 50
_PAGE_LIMIT: Final = 100
_TRIES: Final = 3
_CATEGORIES: Final = ("prototyping", "serving")
_NOT_ALLOWED: Final = "not allowed to perform"
_NO_SUCH_ROUTE: Final = frozenset({404, 405})


class _ApiKey:
    """The key in its header, revealed only while a request is built."""

    def __init__(self, key: Any, context: Context) -> None:
        self._key = key
        self._context = context

    def headers(self, method: str, url: httpx.URL, body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        return {"x-api-key": _revealed(self._key, self._context)}

    def renew(self) -> bool:
        return False


class ThetaClient:
    """One project of Theta EdgeCloud.

    Raises:
        Refused: a host that may not get the key, or an `apiEndpoint` that was forgotten beside a local `endpoint`.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], context: Context) -> None:
        self._name = name
        self._context = context
        self.project = _revealed(settings["projectId"], context)
        style = str(settings.get("routeStyle") or "auto")
        self._styles: tuple[str, ...] = ("plural", "singular") if style == "auto" else (style,)
        endpoint = str(settings.get("endpoint") or CONTROLLER)
        api = str(settings.get("apiEndpoint") or API_HOST)
        if is_loopback(endpoint) and api.rstrip("/") == API_HOST:
            raise Refused([_forgotten(name)])
        self._http = HttpClient(
            provider=name,
            context=context,
            base_urls={"": endpoint, API: api},
            auth=_ApiKey(settings["apiKey"], context),
            explain=_explain,
            timeout_s=float(settings.get("requestTimeout", 60.0)),
            pinned_hosts=PINNED,
            concurrency=int(settings.get("concurrency") or 4),
        )

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def path(self, rest: str) -> str:
        """A route of existing deployments in the spelling that the list taught us."""
        return _stem(self._styles[0]) + rest

    def deployments(self) -> list[Mapping[str, Any]]:
        """All items of the project, each (shard, suffix) once; soft-deleted ones included.

        Raises:
            ProviderError: the list could not be read whole.
        """
        body = self._list()
        if body is None:
            return []  # how the server's language writes an empty list
        if not isinstance(body, list):
            raise self._odd("GET", self.path("/list"), "the body is no list")
        found: dict[str, Mapping[str, Any]] = {}
        for item in body:
            if not isinstance(item, Mapping) or not isinstance(item.get("Shard"), int) or not item.get("Suffix"):
                raise self._odd("GET", self.path("/list"), "an item has no Shard and Suffix")
            found.setdefault(f"{item['Shard']}/{item['Suffix']}", item)
        return list(found.values())

    def offer(self) -> Offer:
        """Templates of both categories and custom ones, and machines.

        Raises:
            ProviderError: one of the four lists could not be read whole.
        """
        path = "/deployment_template/list_standard_templates"
        standard = [item for category in _CATEGORIES for item in self._pages(path, {"category": category})]
        custom = self._pages("/deployment_template/list_custom_templates", {"project_id": self.project})
        body = self._body("/resource/vm/list", {}, host=API)
        machines = body.get("vms") if isinstance(body, Mapping) else None
        if not isinstance(machines, list) or not all(isinstance(vm, Mapping) and vm.get("id") for vm in machines):
            raise self._odd("GET", "/resource/vm/list", "there is no list 'vms' of machines with ids")
        return read_offer(standard, custom, machines)

    def write(self, method: str, path: str, *, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """One write.

        Returns:
            HTTP status, and the envelope's `body` (`None` for an empty reply).

        Raises:
            UnknownOutcome: it may have landed; a 2xx that says `error` counts as that.
            ProviderError: refused.
        """
        told: set[str] = set()

        def reveal(ref: SecretRef | KnownAfterApply) -> Any:
            if not isinstance(ref, SecretRef):
                return ref
            value = self._context.resolve(ref.name)
            told.add(value)
            return value

        payload = fill(body, reveal)
        try:
            reply = self._http.write(method, path, query=query, body=payload)
            if reply.body is None:
                return reply.status, None
            if isinstance(reply.body, Mapping) and reply.body.get("status") == "success":
                return reply.status, reply.body.get("body")
            _, sentence = _explain(reply.body)
            message = f"{self._name}: {method} {path}: HTTP {reply.status}, but no success: {one_line(sentence)}"
            raise UnknownOutcome(f"{message}; it may have been done", code="unknown-outcome", status=reply.status)
        except ProviderError as error:
            raise _plain_error(error, told) from None

    # -- reading --------------------------------------------------------------------------------------------------

    def _list(self) -> Any:
        """The list in the first spelling that the server knows; only a list ever teaches the spelling (theta §2)."""
        query = {"project_id": self.project}
        for style in self._styles:
            try:
                body = self._body(_stem(style) + "/list", query)
            except ProviderError as error:
                if error.status not in _NO_SUCH_ROUTE or style == self._styles[-1]:
                    raise
            else:
                self._styles = (style, *(other for other in self._styles if other != style))
                return body
        return None

    def _pages(self, path: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """All templates of one list; begun again, three times at most, when its total moves."""
        for _ in range(_TRIES):
            found = self._read_through(path, query)
            if found is not None:
                return found
        raise self._odd("GET", path, f"the total moved {_TRIES} times while it was read")

    def _read_through(self, path: str, query: Mapping[str, str]) -> list[Mapping[str, Any]] | None:
        """All pages, or `None` when the list changed meanwhile."""
        found: dict[str, Mapping[str, Any]] = {}
        total: int | None = None
        for page in range(_PAGE_LIMIT):
            body = self._body(path, {**query, "page": str(page), "number": str(_PAGE_SIZE)})
            items, count = self._page(path, body)
            if total is not None and count != total:
                return None
            total, known = count, len(found)
            found.update({item["id"]: item for item in items})
            if len(found) >= total:
                return list(found.values())
            if not items:
                return None  # fewer than promised: somebody deleted one
            if len(found) == known:
                raise self._odd("GET", path, f"page {page} repeats earlier ones")
        raise self._odd("GET", path, f"more than {_PAGE_LIMIT} pages")

    def _page(self, path: str, body: Any) -> tuple[list[Mapping[str, Any]], int]:
        items = body.get("templates") if isinstance(body, Mapping) else None
        total = str(body.get("total_count", "")) if isinstance(body, Mapping) else ""
        if items is None and total == "0":
            items = []
        if not isinstance(items, list) or not total.isdigit():
            raise self._odd("GET", path, "there is no 'templates' with a 'total_count'")
        if not all(isinstance(item, Mapping) and isinstance(item.get("id"), str) for item in items):
            raise self._odd("GET", path, "a template has no id")
        return items, int(total)

    def _body(self, path: str, query: Mapping[str, str], host: str = "") -> Any:
        """The envelope's `body` of a read."""
        reply: HttpReply = self._http.get(path, query=query, host=host)
        if not isinstance(reply.body, Mapping):
            raise self._odd("GET", path, f"HTTP {reply.status} without a JSON object")
        if reply.body.get("status") != "success" or "body" not in reply.body:
            _, sentence = _explain(reply.body)
            raise self._odd("GET", path, f"HTTP {reply.status}, but no success: {one_line(sentence)}")
        return reply.body["body"]

    def _odd(self, method: str, path: str, what: str) -> ProviderError:
        return ProviderError(f"{self._name}: {method} {path}: {what}", code="provider-failed")


def _revealed(value: Any, context: Context) -> str:
    """A setting as text, its secrets filled in."""
    return str(fill(value, lambda ref: context.resolve(ref.name) if isinstance(ref, SecretRef) else ref))


def _stem(style: str) -> str:
    return "/deployments" if style == "plural" else "/deployment"


def _explain(body: Any) -> tuple[str, str]:
    """Message extraction order of theta §1: `message`, `error`, `body` if a text, else the start of it all."""
    if isinstance(body, Mapping):
        for key in ("message", "error", "body"):
            if isinstance(body.get(key), str) and body[key]:
                return "", str(body[key])[:500]
        return "", f"status {body.get('status')!r}"
    return "", str(body)[:500]


def _plain_error(error: ProviderError, told: set[str]) -> ProviderError:
    """The same error without any value that we revealed for the request (a server may quote what it got).

    A 403 with another sentence than the usual one is about quota or credit, not about the key. Source: theta §1.
    """
    text, code = str(error), error.code
    for value in sorted(filter(None, told), key=len, reverse=True):
        text = text.replace(value, "(secret)")
    if error.status == httpx.codes.FORBIDDEN and _NOT_ALLOWED not in text:
        code = "rejected"
    make = UnknownOutcome if isinstance(error, UnknownOutcome) else ProviderError
    return make(text, code=code, status=error.status, error_code=error.error_code)


def _forgotten(name: str) -> Problem:
    return Problem(
        code="host-not-allowed",
        address=name,
        wrong=f"endpoint is on this machine, but apiEndpoint is still {API_HOST} (nothing sent)",
        expected="apiEndpoint of the same server",
    )

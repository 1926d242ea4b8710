"""The part of GitHub's REST API that we use, over real HTTP on 127.0.0.1: state that a test reads and sets directly.

Written from the public reference: pages by `Link`, permissions per token (403),
`GET /user` refused to a workflow's own token, 422 for what is too long, labels that come to be when they are put on.
A fault is `{"method", "path" (regular expression), "skip", "count", "when": "before" | "after-commit", "status",
"headers", "body", "drop"}`.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

BOT = "github-actions[bot]"
WRITES = {"pull-requests": "write", "issues": "write", "contents": "read"}
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_LONGEST = 65_536
_BASE = "/api/v3"


@dataclass(frozen=True)
class _Token:
    login: str
    permissions: Mapping[str, str]
    is_person: bool


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Cut(Response):
    """An answer that breaks off."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{"})


@dataclass
class GitHubApi:
    """One repository.

    Attributes:
        page_size: The longest page, whatever is asked for.
        requests: Every request: method, path, query, body, login, status, committed.
        pulls: Number → pull request. `comments`: number → comments, oldest first. `issues`: number → issue.
        commit_pulls: Commit → numbers of the pull requests that GitHub ties to it.
        labels: Number of a pull request → names of its labels. `known_labels`: those that exist.
        can_make_labels: Whether a label that is put on comes to be. `knows_creator`: whether lists heed that filter.
        crlf: Whether bodies come back with the other kind of line break. `now`: when a comment is written or edited.
    """

    repository: str = "acme/shop"
    page_size: int = 3
    requests: list[dict[str, Any]] = field(default_factory=list)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    commit_pulls: dict[str, list[int]] = field(default_factory=dict)
    labels: dict[int, list[str]] = field(default_factory=dict)
    known_labels: set[str] = field(default_factory=set)
    faults: list[dict[str, Any]] = field(default_factory=list)
    can_make_labels: bool = True
    knows_creator: bool = True
    crlf: bool = False
    now: str = "2026-11-28T00:00:00Z"
    _tokens: dict[str, _Token] = field(default_factory=dict)
    _last_id: int = 1000

    # -- what a test says -------------------------------------------------------------------------------------------

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}{_BASE}"
        application = Starlette(routes=[Route("/{path:path}", self._serve, methods=_METHODS)])
        config = uvicorn.Config(
            application, ws="none", lifespan="off", log_config=None, log_level="critical", access_log=False
        )
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve(sockets=[self._socket])), daemon=True
        )

    def start(self) -> GitHubApi:
        """Serve; returns when requests are accepted."""
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the emulated GitHub did not start"
            time.sleep(0.002)
        return self

    def reset(self) -> GitHubApi:
        """Be as new, at the same address."""
        for held in (self.requests, self.pulls, self.comments, self.issues, self.commit_pulls, self.labels):
            held.clear()
        for more in (self.known_labels, self.faults, self._tokens):
            more.clear()
        self.page_size, self.can_make_labels, self.knows_creator, self.crlf = 3, True, True, False
        self.now = "2026-11-28T00:00:00Z"
        return self

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def token(self, permissions: Mapping[str, str] = WRITES, *, login: str = BOT, is_person: bool = False) -> str:
        """A new token; that of an app or a workflow may not ask who it is."""
        text = f"ghs_{len(self._tokens):04d}canarytoken"
        self._tokens[text] = _Token(login, dict(permissions), is_person)
        return text

    def environment(self, token: str | None = None) -> dict[str, str]:
        """The variables of a runner."""
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_SERVER_URL": "https://github.example.com",
            "GITHUB_RUN_ID": "77",
            "GITHUB_TOKEN": self.token() if token is None else token,
        }

    def pull(self, number: int, *, head: str, fork: str = "", merged: str = "", base: str = "main") -> dict[str, Any]:
        """Add a pull request, merged as the commit `merged` when that is given."""
        self.pulls[number] = {
            "number": number,
            "html_url": f"https://github.example.com/{self.repository}/pull/{number}",
            "state": "closed" if merged else "open",
            "merged_at": "2026-11-28T12:00:00Z" if merged else None,
            "base": {"ref": base, "repo": {"full_name": self.repository}},
            "head": {"sha": head, "repo": {"full_name": fork or self.repository}},
        }
        if merged:
            self.commit_pulls.setdefault(merged, []).append(number)
        return self.pulls[number]

    def comment(self, number: int, body: str, login: str = BOT) -> dict[str, Any]:
        """Add a comment, by whomever."""
        self._last_id += 1
        made = {
            "id": self._last_id,
            "body": body,
            "user": {"login": login},
            "updated_at": self.now,
            "html_url": f"https://github.example.com/{self.repository}/pull/{number}#issuecomment-{self._last_id}",
        }
        self.comments.setdefault(number, []).append(made)
        return made

    def issue(self, number: int, body: str, *, login: str = BOT, state: str = "open") -> dict[str, Any]:
        """Add an issue, by whomever."""
        self.issues[number] = {
            "number": number,
            "title": "an issue",
            "body": body,
            "state": state,
            "labels": [],
            "user": {"login": login},
            "html_url": f"https://github.example.com/{self.repository}/issues/{number}",
        }
        return self.issues[number]

    def writes(self) -> list[dict[str, Any]]:
        """Requests that are no GET and were carried out."""
        return [entry for entry in self.requests if entry["method"] != "GET" and entry["committed"]]

    # -- what a client hears ----------------------------------------------------------------------------------------

    async def _serve(self, request: Request) -> Response:
        raw = await request.body()
        body = json.loads(raw) if raw else None
        path = request.url.path.removeprefix(_BASE)
        token = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        entry = {
            "method": request.method,
            "path": path,
            "query": dict(request.query_params),
            "body": body,
            "login": token.login if token else None,
            "committed": False,
        }
        self.requests.append(entry)
        fault = self._fault(request.method, path)
        if fault is not None and fault.get("when", "before") == "before":
            answer = _faulty(fault)
        else:
            answer = self._answer(request, path, body, token)
            entry["committed"] = answer.status_code < 300
            if fault is not None:
                answer = _faulty(fault)
        entry["status"] = answer.status_code
        return answer

    def _fault(self, method: str, path: str) -> dict[str, Any] | None:
        for fault in self.faults:
            if fault.get("method", method) != method or not re.search(fault.get("path", ""), path):
                continue
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
                continue
            if fault.get("count", 1) == 0:
                continue
            fault["count"] = fault.get("count", 1) - 1
            return fault
        return None

    def _answer(self, request: Request, path: str, body: Any, token: _Token | None) -> Response:
        try:
            if token is None:
                raise _Refused(401, "Bad credentials")  # noqa: TRY301 - one place makes answers of refusals
            found = self._route(request.method, path, body, token, request.query_params)
        except _Refused as refused:
            return JSONResponse({"message": str(refused)}, status_code=refused.status)
        if request.method == "GET" and isinstance(found, list):
            return self._page(request, found)
        if found is None:
            return Response(status_code=204)
        return JSONResponse(self._shown(found), status_code=201 if request.method == "POST" else 200)

    def _shown(self, found: Any) -> Any:
        if not self.crlf or not isinstance(found, dict) or not isinstance(found.get("body"), str):
            return found
        return {**found, "body": found["body"].replace("\n", "\r\n")}

    def _page(self, request: Request, found: list[Any]) -> Response:
        query = dict(request.query_params)
        size = min(int(query.get("per_page", 30)), self.page_size)
        page = int(query.get("page", 1))
        headers = {}
        if page * size < len(found):
            following = urlencode({**query, "page": page + 1})
            address = f"{self.url.removesuffix(_BASE)}{quote(request.url.path)}?{following}"
            headers["Link"] = f'<{address}>; rel="next", <{address}>; rel="last"'
        return JSONResponse([self._shown(item) for item in found[(page - 1) * size : page * size]], headers=headers)

    def _route(self, method: str, path: str, body: Any, token: _Token, query: Mapping[str, str]) -> Any:
        if (method, path) == ("GET", "/user"):
            if not token.is_person:
                raise _Refused(403, "Resource not accessible by integration")
            return {"login": token.login}
        home = f"/repos/{self.repository}/"
        if not path.startswith(home):
            raise _Refused(404, "Not Found")
        rest = path.removeprefix(home)
        for pattern, handle in (
            (r"issues/(\d+)/comments", self._comments),
            (r"issues/comments/(\d+)", self._one_comment),
            (r"issues/(\d+)/labels(?:/(.+))?", self._labels),
            (r"issues(?:/(\d+))?", self._issues),
            (r"pulls/(\d+)", self._pull),
            (r"commits/([0-9a-f]+)/pulls", self._commit),
        ):
            match = re.fullmatch(pattern, rest)
            if match is not None:
                return handle(method, body, token, query, *match.groups())
        raise _Refused(404, "Not Found")

    def _may(self, token: _Token, *names: str, write: bool) -> None:
        wanted = {"write"} if write else {"read", "write"}
        if not any(token.permissions.get(name) in wanted for name in names):
            raise _Refused(403, "Resource not accessible by integration")

    def _comments(self, method: str, body: Any, token: _Token, _: Any, number: str) -> Any:
        kind = "pull-requests" if int(number) in self.pulls else "issues"
        self._may(token, kind, "issues", write=method != "GET")
        if int(number) not in {*self.pulls, *self.issues}:
            raise _Refused(404, "Not Found")
        if method == "GET":
            return self.comments.get(int(number), [])
        return self.comment(int(number), _body(body), token.login)

    def _one_comment(self, method: str, body: Any, token: _Token, _: Any, number: str) -> Any:
        self._may(token, "pull-requests", "issues", write=method != "GET")
        for comments in self.comments.values():
            for comment in comments:
                if comment["id"] == int(number):
                    if method == "DELETE":
                        comments.remove(comment)
                        return None
                    if method == "PATCH":
                        comment.update(body=_body(body), updated_at=self.now)
                    return comment
        raise _Refused(404, "Not Found")

    def _labels(self, method: str, body: Any, token: _Token, _: Any, number: str, name: str | None) -> Any:
        self._may(token, "pull-requests", "issues", write=method != "GET")
        worn = self.labels.setdefault(int(number), [])
        if method == "DELETE":
            if name not in worn:
                raise _Refused(404, "Label does not exist")
            worn.remove(str(name))
        elif method == "POST":
            worn.extend(label for label in body["labels"] if label not in worn)
            self._make_labels(body["labels"])
        return [{"name": label} for label in worn]

    def _issues(self, method: str, body: Any, token: _Token, query: Mapping[str, str], number: str | None) -> Any:
        self._may(token, "issues", write=method != "GET")
        if method == "GET" and number is None:
            both = [*self.issues.values(), *({**pull, "pull_request": {}} for pull in self.pulls.values())]
            heeded = query if self.knows_creator else {**query, "creator": ""}
            return [issue for issue in both if _is_asked(issue, heeded)]
        if number is None:
            text = _body(body)
            self._make_labels(body.get("labels", []))
            made = self.issue(max([*self.issues, *self.pulls, 0]) + 1, text, login=token.login)
            made.update(title=body["title"], labels=body.get("labels", []))
            return made
        if int(number) not in self.issues:
            raise _Refused(404, "Not Found")
        issue = self.issues[int(number)]
        if method == "PATCH":
            issue.update({**body, **({"body": _body(body)} if "body" in body else {})})
        return issue

    def _make_labels(self, names: list[str]) -> None:
        if not self.can_make_labels and not set(names) <= self.known_labels:
            raise _Refused(422, "Validation Failed")
        self.known_labels |= set(names)

    def _pull(self, _: str, __: Any, token: _Token, ___: Any, number: str) -> Any:
        self._may(token, "pull-requests", write=False)
        if int(number) not in self.pulls:
            raise _Refused(404, "Not Found")
        return self.pulls[int(number)]

    def _commit(self, _: str, __: Any, token: _Token, ___: Any, sha: str) -> Any:
        self._may(token, "pull-requests", write=False)
        return [self.pulls[number] for number in self.commit_pulls.get(sha, [])]


def _body(body: Any) -> str:
    text = body["body"]
    if len(text.encode("utf-16-le")) // 2 > _LONGEST:
        raise _Refused(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    return str(text)


def _is_asked(issue: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    if query.get("state", "open") not in {"all", issue.get("state", "open")}:
        return False
    return query.get("creator", "") in {"", issue.get("user", {}).get("login", "")}


def _faulty(fault: Mapping[str, Any]) -> Response:
    if fault.get("drop"):
        return _Cut()
    body = fault.get("body", {"message": "a fault"})
    return JSONResponse(body, status_code=fault.get("status", 502), headers=fault.get("headers"))

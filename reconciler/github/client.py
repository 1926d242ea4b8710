"""GitHub's REST API, of github.com or of an Enterprise server: reads with patience, writes that are never doubled.

A read is repeated (5xx, network, rate limits) until its patience is used up. A write that was refused for its rate, or
never reached the server, has not happened and is sent again; one whose fate is unknown (a timeout, a 5xx) is looked for
first, and sent once more only if it did not land. The token goes to one host, over HTTPS (but for loopback), and never
along a redirect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
import tenacity

from reconciler.github.errors import Again, GitHubError, final
from reconciler.problems import Problem, SpecError
from reconciler.providers.http import is_loopback
from reconciler.render.safe import for_terminal

__all__ = ["API_URL", "GitHub"]

API_URL: Final = "https://api.github.com"
_PER_PAGE: Final = "100"
_MOST_PAGES: Final = 1_000
_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_PATIENCE_S: Final = 120.0
"""Pauses of all requests of one command together: nobody waits longer for a comment."""
_SECONDARY_S: Final = 60.0
"""GitHub asks for a minute where a secondary limit names no time."""
_LONGEST_MESSAGE: Final = 300
_LIMITED: Final = frozenset({403, 429})
_HIDDEN: Final = "(secret)"

Query = Mapping[str, str]
Landed = Callable[[], Any]
"""Looks whether a write is there already; gives what the write would have answered, or `None`."""


@dataclass(slots=True)
class _Patience:
    """What is left of the time that one command may spend in pauses."""

    left_s: float
    sleep: Callable[[float], None]

    def pause(self, wanted_s: float) -> bool:
        """Wait, if there is patience for all of it."""
        if wanted_s > self.left_s:
            return False
        self.spend(wanted_s)
        return True

    def spend(self, wanted_s: float) -> None:
        """Wait."""
        self.left_s -= wanted_s
        self.sleep(wanted_s)


@dataclass(slots=True)
class GitHub:
    """One repository.

    Args:
        token: Whatever GITHUB_TOKEN holds.
        repository: `owner/name`.
        api_url: Base address of the API.
        needs: The permission whose lack explains a 403, such as `pull-requests: write`.
        sleep: Pauses, in seconds.
        now: Seconds since the epoch, for rate limits that name a time.

    Raises:
        SpecError: `github-setting`, for an address or a token that can't be used.
    """

    token: str = field(repr=False)
    repository: str
    api_url: str = API_URL
    needs: str = ""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    patience_s: float = _PATIENCE_S
    _http: httpx.Client = field(init=False, repr=False)
    _patience: _Patience = field(init=False)

    def __post_init__(self) -> None:
        self.api_url = self.api_url.rstrip("/")
        url = _address(self.api_url)
        if not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise _setting("GITHUB_TOKEN is no token: it holds characters that none has", "one line without blanks")
        local = is_loopback(self.api_url)
        self._patience = _Patience(self.patience_s, self.sleep)
        self._http = httpx.Client(
            timeout=_TIMEOUT,
            trust_env=not local,
            verify=httpx.create_ssl_context(trust_env=not local) if url.scheme == "https" else False,
            follow_redirects=False,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "reconciler",
                "Connection": "close",  # a write on a kept connection may meet a server that has just closed it
            },
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def path(self, *parts: object) -> str:
        """`/repos/OWNER/NAME/…` with each part escaped."""
        return "/".join([f"/repos/{self.repository}", *(quote(str(part), safe="") for part in parts)])

    def get(self, path: str, query: Query | None = None) -> Any:
        """Read one thing.

        Raises:
            GitHubError: it can't be read.
        """
        return self._read(f"{self.api_url}{path}", query or {})[0]

    def pages(self, path: str, query: Query | None = None) -> Iterator[dict[str, Any]]:
        """Read a list to its end, whatever number of pages it has; only objects are given.

        Raises:
            GitHubError: a page can't be read, or the list leads to another host or to no end.
        """
        url, asked = f"{self.api_url}{path}", {**(query or {}), "per_page": _PER_PAGE}
        for _ in range(_MOST_PAGES):
            items, url_next = self._read(url, asked)
            if not isinstance(items, list):
                raise GitHubError(f"GET {path}: GitHub answered no list")
            yield from (item for item in items if isinstance(item, dict))
            if not url_next:
                return
            url, asked = url_next, {}
        raise GitHubError(f"GET {path}: the list has more than {_MOST_PAGES} pages")

    def write(self, method: str, path: str, body: Any = None, *, landed: Landed) -> Any:
        """Send a write, at most twice, and the second time only when it is certain that the first did nothing.

        `landed` reads whether the write is there; it is called only when nobody knows.

        Raises:
            GitHubError: it did not happen, or nobody can tell.
        """
        url, doubts = f"{self.api_url}{path}", 0
        while True:
            try:
                return self._send(method, url, {}, body)[0]
            except Again as error:
                if not self._patience.pause(max(error.pause_s, 1.0)):
                    raise final(error) from None
                if not error.happened:
                    continue
                found = landed()
                if found is not None:
                    return found
                doubts += 1
                if doubts > 1:
                    raise final(error) from None

    def _read(self, url: str, query: Query) -> tuple[Any, str]:
        """A GET with retries: parsed JSON, and the address of the next page or an empty one."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again),
            stop=lambda state: state.upcoming_sleep > self._patience.left_s,
            wait=_pause,
            sleep=self._patience.spend,
            reraise=True,
        )
        try:
            return retrying(self._send, "GET", url, query, None)
        except Again as error:
            raise final(error) from None

    def _send(self, method: str, url: str, query: Query, body: Any) -> tuple[Any, str]:
        shown = for_terminal(httpx.URL(url).path)
        what = f"{method} {shown}"
        try:
            reply = self._http.request(method, url, params=query or None, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Again(f"{what}: GitHub can't be reached ({type(error).__name__})", happened=False) from None
        except httpx.HTTPError as error:
            raise Again(f"{what}: no answer from GitHub ({type(error).__name__})", happened=True) from None
        except httpx.InvalidURL:
            raise GitHubError(f"{what}: that is no address") from None
        if not reply.is_success:
            raise self._refused(what, reply)
        if reply.status_code == httpx.codes.NO_CONTENT:
            return {}, ""
        try:
            return reply.json(), self._next(reply, what)
        except (ValueError, RecursionError):
            raise GitHubError(f"{what}: what answered is no GitHub (its answer is no JSON)") from None

    def _next(self, reply: httpx.Response, what: str) -> str:
        """The next page; the token follows it only to the same host."""
        link = reply.links.get("next", {}).get("url", "")
        if not link:
            return ""
        url = reply.url.join(link)
        if (url.scheme, url.host, url.port) != (reply.url.scheme, reply.url.host, reply.url.port):
            raise GitHubError(f"{what}: its next page is on another host ({for_terminal(url.host)}); not followed")
        return str(url)

    def _refused(self, what: str, reply: httpx.Response) -> GitHubError:
        """An answer that is no success, in a sentence."""
        status, told = reply.status_code, _told(reply).replace(self.token, _HIDDEN)
        text = f"{what}: GitHub answered {status}" + (f" ({told})" if told else "")
        if reply.is_redirect:
            return GitHubError(
                f"{text}, a redirect, which is not followed with a token; is GITHUB_REPOSITORY or GITHUB_API_URL an "
                "old name?",
                status=status,
            )
        pause_s = self._limit(reply, told)
        if pause_s is not None:
            return Again(f"{text}: too many requests", status=status, pause_s=pause_s, happened=False)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            return Again(text, status=status, pause_s=_seconds(reply) or 0.0, happened=True)
        if status == httpx.codes.UNAUTHORIZED:
            text += "; GITHUB_TOKEN is not valid here"
        elif status in {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND} and self.needs:
            text += f"; the token probably lacks the permission `{self.needs}`"
        return GitHubError(text, status=status)

    def _limit(self, reply: httpx.Response, told: str) -> float | None:
        """Seconds that a rate limit asks for; `None` where the answer is about something else."""
        if reply.status_code not in _LIMITED:
            return None
        wish = _seconds(reply)
        if wish is not None:
            return wish
        if reply.headers.get("X-RateLimit-Remaining") == "0":
            reset = reply.headers.get("X-RateLimit-Reset", "")
            return max(float(reset) - self.now(), 1.0) if reset.isdecimal() else _SECONDARY_S
        if reply.status_code == httpx.codes.TOO_MANY_REQUESTS or "rate limit" in told.lower():
            return _SECONDARY_S
        return None


def _pause(state: tenacity.RetryCallState) -> float:
    """Growing pauses with jitter, and never less than the server asks for."""
    growing = 0.5 + tenacity.wait_random_exponential(multiplier=1, max=20)(state)
    error = state.outcome.exception() if state.outcome is not None else None
    return max(growing, error.pause_s if isinstance(error, Again) else 0.0)


def _seconds(reply: httpx.Response) -> float | None:
    """`Retry-After`, which GitHub gives in seconds."""
    text = str(reply.headers.get("Retry-After", "")).strip()
    return float(text) if text.isascii() and text.isdecimal() else None


def _told(reply: httpx.Response) -> str:
    """GitHub's own sentence, short and harmless."""
    try:
        body = reply.json()
    except (ValueError, RecursionError):
        return ""
    message = body.get("message") if isinstance(body, dict) else None
    return for_terminal(str(message))[:_LONGEST_MESSAGE] if message else ""


def _address(text: str) -> httpx.URL:
    """The API's base address, if the token may go there.

    Raises:
        SpecError: `github-setting`.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    safe = url.scheme == "https" or (url.scheme == "http" and is_loopback(text))
    if not url.host or not safe or url.userinfo or url.query:
        raise _setting(f"GITHUB_API_URL is {for_terminal(text)!r}", "https://, a host and perhaps a path")
    return url


def _setting(wrong: str, expected: str) -> SpecError:
    return SpecError([Problem(code="github-setting", wrong=wrong, expected=expected)])

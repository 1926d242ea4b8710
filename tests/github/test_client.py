"""Reads are patient, writes are never doubled, and the token goes nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from reconciler.github.actor import ACTIONS, find_actor
from reconciler.github.client import GitHub
from reconciler.github.comment import find, post
from reconciler.github.errors import GitHubError
from reconciler.github.place import open_github
from reconciler.problems import SpecError
from tests.github.github_api import BOT, GitHubApi

BODY = "<!-- reconciler: plan shop -->\nhello"


@dataclass
class Desk:
    github: GitHub
    pauses: list[float] = field(default_factory=list)


@pytest.fixture
def desk(api: GitHubApi) -> Iterator[Desk]:
    pauses: list[float] = []
    github = GitHub(api.token(), api.repository, api.url, "pull-requests: write", pauses.append, lambda: 1000.0)
    yield Desk(github, pauses)
    github.close()


def say(desk: Desk) -> str:
    return post(desk.github, 7, BODY, find(desk.github, 7, "shop", BOT), BOT)


@pytest.mark.parametrize(
    ("fault", "pause"),
    [
        pytest.param({"status": 502}, (0, 21), id="a server's error"),
        pytest.param({"drop": True}, (0, 21), id="an answer that breaks off"),
        pytest.param({"status": 429, "headers": {"Retry-After": "40"}}, (40, 41), id="too many requests"),
        pytest.param({"status": 403, "headers": {"Retry-After": "41"}}, (41, 42), id="a secondary limit with a time"),
        pytest.param(
            {"status": 403, "body": {"message": "You have exceeded a secondary rate limit"}},
            (60, 61),
            id="a secondary limit without one",
        ),
        pytest.param(
            {"status": 403, "headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1050"}},
            (50, 51),
            id="a limit that is used up",
        ),
    ],
)
def test_a_read_waits_as_long_as_it_is_asked_to(
    api: GitHubApi, desk: Desk, fault: dict[str, object], pause: tuple[float, float]
) -> None:
    api.faults = [{"method": "GET", **fault}]

    assert desk.github.get("/repos/acme/shop/pulls/7")["number"] == 7
    assert [pause[0] <= seconds < pause[1] for seconds in desk.pauses] == [True]


def test_patience_has_an_end(api: GitHubApi, desk: Desk) -> None:
    api.faults = [{"status": 503, "count": 1000}]
    with pytest.raises(GitHubError, match=r"GET /api/v3/user: GitHub answered 503 \(a fault\)"):
        desk.github.get("/user")
    assert 60 < sum(desk.pauses) <= 120

    api.faults = [{"status": 429, "headers": {"Retry-After": "3600"}}]
    with pytest.raises(GitHubError, match="429"):
        desk.github.get("/user")
    assert sum(desk.pauses) <= 120, "a pause that is too long is not begun"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 502, "when": "after-commit"}, id="it landed, and the answer was a 502"),
        pytest.param({"drop": True, "when": "after-commit"}, id="it landed, and the answer was lost"),
        pytest.param({"status": 502}, id="it did not land"),
        pytest.param({"status": 403, "headers": {"Retry-After": "3"}}, id="it was refused for its rate"),
    ],
)
def test_a_write_is_there_once_whatever_becomes_of_its_answer(
    api: GitHubApi, desk: Desk, fault: dict[str, object]
) -> None:
    for method in ("POST", "PATCH", "DELETE"):
        api.faults = [{"method": method, **fault}]
        api.requests.clear()
        if method == "DELETE":
            api.comment(7, BODY)
        if method == "PATCH":
            api.comments[7][0]["body"] = f"{BODY} before"
        say(desk)
        assert [entry["method"] for entry in api.writes()] == [method]
        assert [comment["body"] for comment in api.comments[7]] == [BODY]


def test_a_write_in_doubt_is_sent_twice_and_no_more(api: GitHubApi, desk: Desk) -> None:
    api.faults = [{"method": "POST", "status": 502, "count": 1000}]

    with pytest.raises(GitHubError, match=r"POST .*502"):
        say(desk)
    assert [entry["method"] for entry in api.requests].count("POST") == 2


def test_a_list_is_followed_to_its_end_and_never_to_another_host(api: GitHubApi, desk: Desk) -> None:
    for number in range(8):
        api.comment(7, f"comment {number}")
    path = "/repos/acme/shop/issues/7/comments"
    assert [item["body"][-1] for item in desk.github.pages(path)] == list("01234567")

    other = {"Link": '<https://evil.example/next>; rel="next"'}
    api.faults = [{"status": 200, "headers": other, "body": []}]
    with pytest.raises(GitHubError, match="another host"):
        list(desk.github.pages(path))


def test_a_redirect_is_an_error(api: GitHubApi, desk: Desk) -> None:
    api.faults = [{"status": 301, "headers": {"Location": f"{api.url}/user"}}]

    with pytest.raises(GitHubError, match="a redirect, which is not followed"):
        desk.github.get("/user")
    assert len(api.requests) == 1


def test_an_error_says_what_is_missing_and_neither_the_token_nor_a_command(api: GitHubApi, desk: Desk) -> None:
    told = {"message": f"no\n::add-mask::x {desk.github.token} \x1b[31m"}
    api.faults = [{"status": 403, "body": told}]

    with pytest.raises(GitHubError) as error:
        desk.github.get("/user")
    text = str(error.value)
    assert "GET /api/v3/user: GitHub answered 403" in text
    assert "lacks the permission `pull-requests: write`" in text
    assert desk.github.token not in text + repr(desk.github)
    assert text.isprintable()
    assert " ::" not in text


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"GITHUB_API_URL": "http://github.example.com"}, id="plain HTTP"),
        pytest.param({"GITHUB_API_URL": "https://me:secret@github.example.com"}, id="credentials in the address"),
        pytest.param({"GITHUB_API_URL": "ftp://127.0.0.1"}, id="another scheme"),
        pytest.param({"GITHUB_REPOSITORY": "shop"}, id="no repository"),
        pytest.param({"GITHUB_REPOSITORY": "a/b/../../c"}, id="a path"),
        pytest.param({"GITHUB_TOKEN": ""}, id="no token"),
        pytest.param({"GITHUB_TOKEN": "two words"}, id="no token that can be one"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(environ: dict[str, str]) -> None:
    whole = {"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "a/b", "GITHUB_API_URL": "https://github.example.com/api/v3"}
    open_github(whole, "issues: write").close()

    with pytest.raises(SpecError, match=next(iter(environ))) as error:
        open_github(whole | environ, "issues: write")
    assert [problem.code for problem in error.value.problems] == ["github-setting"]


def test_loopback_goes_through_no_proxy(api: GitHubApi, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    github = GitHub(desk.github.token, api.repository, api.url, sleep=desk.pauses.append)

    assert github.get("/repos/acme/shop/pulls/7")["number"] == 7
    github.close()


def test_the_account_is_the_tokens_own_where_it_may_be_asked(api: GitHubApi, desk: Desk) -> None:
    make: Callable[[str], GitHub] = lambda token: GitHub(token, api.repository, api.url)  # noqa: E731 - a short name
    person = make(api.token(login="ann", is_person=True))

    assert find_actor(person, None) == "ann"
    assert find_actor(desk.github, None) == ACTIONS
    assert find_actor(desk.github, "my-app[bot]") == "my-app[bot]"
    person.close()

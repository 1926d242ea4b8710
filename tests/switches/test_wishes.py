"""What `POST /_emulator/switches` takes: only what a switch has, in any spelling of it, and all or nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from reconciler.emulator.server import Emulator, Server


def present(emulator: Emulator, module: str, switch: str) -> Any:
    with emulator.transaction() as tx:
        return tx.switch(module, switch)


@pytest.mark.parametrize(
    ("module", "switch", "wish", "kept"),
    [
        ("theta", "suffix_glitch", "on", True),
        ("theta", "strict", "off", False),
        ("theta", "delete_missing", "200", 200),
        ("theta", "annotations_mode", None, "null"),
        ("runai", "duplicateName", 400, "400"),
        ("runai", "version", 2.21, "2.21"),
        ("runai", "tokenLifetime", "90", 90),
        ("modelarts-notebooks", "bearer_token", True, "on"),
        ("modelarts-services", "rate_limit", {"requests": "3", "per_s": 4}, {"requests": 3, "per_s": 4}),
        ("modelarts-services", "rate_limit", None, None),
    ],
)
def test_another_spelling_of_a_value_is_that_value(module: str, switch: str, wish: Any, kept: Any) -> None:
    emulator = Emulator(None)
    emulator.set_switches({module: {switch: wish}})

    found = present(emulator, module, switch)
    assert (found, type(found)) == (kept, type(kept))
    emulator.close()


@pytest.mark.parametrize(
    ("module", "switch", "wish", "words"),
    [
        ("theta", "routes", "dual", "routes can't be dual: it takes both, plural, singular"),
        ("theta", "strict", 1, "it takes true, false"),
        ("theta", "timeline", "fast", "slow"),
        ("theta", "timeline", [[0, "Pending"]], "pod phase"),
        ("theta", "list_lag_ms", -1, "a number from 0"),
        ("theta", "anotations_mode", "echo", "did you mean 'annotations_mode'?"),
        ("runai", "listLag", 1.5, "a whole number from 0"),
        ("runai", "tokenLifetime", True, "a number from 0"),
        ("runai", "outcomes", {"it": "failed"}, "Failed, Degraded"),
        ("runai", "policy", {"default": {}}, '"defaults"'),
        ("runai", "gpuQuota", 4, '{"default": 2}'),
        ("modelarts-services", "specification_doubts", {"a": "gone"}, "sellout, closed, over_quota"),
        ("modelarts-services", "rate_limit", {"requests": 3}, "null, or"),
        ("modelarts-services", "update_rollback", "it", "a list of names"),
        ("modelarts-services", "quota", {"realtime": 3}, "infer type"),
        ("modelarts", "token_ttl_s", "soon", "a number from 0"),
        ("modelarts", "ttl", 3, "token_ttl_s"),
    ],
)
def test_what_a_switch_does_not_take_is_refused_and_nothing_is_set(
    emulator: Server, module: str, switch: str, wish: Any, words: str
) -> None:
    wishes = {"modelarts-notebooks": {"delete": "sync"}, module: {switch: wish}}
    reply = httpx.post(f"{emulator.url}/_emulator/switches", json=wishes, trust_env=False)

    assert reply.status_code == 400
    assert module in reply.json()["error"]
    assert words in reply.json()["error"]
    assert present(emulator.emulator, "modelarts-notebooks", "delete") == "async"

"""Reads metrics of many live things at once, for people to look at: nothing that fails here fails a command."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from reconciler.diff.live import Live
from reconciler.diff.metrics import Metrics
from reconciler.fields import Phase
from reconciler.problems import ReconcilerError
from reconciler.providers.base import Measures, Provider

__all__ = ["measure"]

_AT_ONCE: Final = 8
"""Things at a time; each provider instance sends no more requests at a time than its own `concurrency`."""
_BUDGET_S: Final = 30.0
"""When no further request begins: a person waits for this."""
_NOT_THERE: Final = frozenset({Phase.GOING, Phase.GONE})


def measure(providers: Mapping[str, Provider], items: Iterable[Live]) -> dict[tuple[str, str], Metrics]:
    """(instance, live id) → what was measured; nothing for what has no metrics, or is on its way out.

    Args:
        providers: Instance name → opened provider.
        items: What to look at.
    """
    until = time.monotonic() + _BUDGET_S

    def one(provider: Measures, live: Live) -> Metrics:
        try:
            return provider.metrics(live, is_time=lambda: time.monotonic() < until)
        except ReconcilerError as error:  # as far as a provider does not keep the protocol
            return Metrics(problems=(str(error),))

    able = {name: provider for name, provider in providers.items() if isinstance(provider, Measures)}
    wanted = [(able[live.provider], live) for live in items if live.provider in able and live.phase not in _NOT_THERE]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        found = list(pool.map(lambda pair: one(*pair), wanted))
    return {(live.provider, live.id): metrics for (_, live), metrics in zip(wanted, found, strict=True)}

"""What `doctor` says of access: which hosts will get the credentials and why they may, and which rights writes need."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from reconciler.cli.session import allowed_hosts
from reconciler.problems import Refused
from reconciler.providers.base import Diagnosis, Health, ProviderType, Right
from reconciler.providers.http import check_host, is_loopback
from reconciler.providers.registry import provider_types
from reconciler.spec.resource import ProviderConfig

__all__ = ["hosts", "rights"]

_EMBEDDED: Final = "the emulator inside this command: no credential leaves this process"


def hosts(config: ProviderConfig) -> Iterator[Diagnosis]:
    """A line for those that will receive credentials, and one for each that may not. Source: DESIGN §12."""
    topic = f"{config.name}: hosts"
    if config.embedded:
        yield Diagnosis(topic=topic, state=Health.OK, message=_EMBEDDED)
        return
    kind = provider_types()[config.type]
    addresses = tuple(dict.fromkeys(kind.addresses(config)))
    refused = {url: found for url in addresses if (found := _refusal(url, kind)) is not None}
    told = [f"{_host(url)} ({_reason(url, kind)})" for url in addresses if url not in refused]
    if told:
        yield Diagnosis(topic=topic, state=Health.OK, message=f"credentials go to {', '.join(told)}")
    yield from (
        Diagnosis(topic=topic, state=Health.FAILED, message=message, remedy=remedy)
        for message, remedy in refused.values()
    )


def _refusal(url: str, kind: ProviderType) -> tuple[str, str] | None:
    """What is wrong with a host, and what to do about it; `None` where nothing is."""
    try:
        check_host(url, provider="", pinned=kind.pinned_hosts, allowed=allowed_hosts(os.environ))
    except Refused as refusal:
        host = _host(url)
        if refusal.problems[0].code == "https-only":
            return f"credentials would go to {host} unencrypted", f"https:// instead of {urlsplit(url).scheme}://"
        return (
            f"credentials would go to {host}, which nobody outside the repository has allowed",
            f"RECONCILER_ALLOW_HOSTS={host} in the environment, if that is the right one",
        )
    return None


def _reason(url: str, kind: ProviderType) -> str:
    if is_loopback(url):
        return "this machine"
    return "the vendor's own" if _host(url) in kind.pinned_hosts else "in RECONCILER_ALLOW_HOSTS"


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def rights(name: str, kind: str, rows: Iterable[Right], *, is_read: bool) -> Iterator[Diagnosis]:
    """What the writes of one kind need; that can't be tried without one of them, so it is told."""
    told = [f"{row.right} ({', '.join(row.ops)})" for row in rows if row.kind == kind]
    if told:
        reads = "reads were done; " if is_read else ""
        message = f"{reads}writes need {', '.join(told)}; not tried: that would take a write"
        yield Diagnosis(topic=f"{name}: {kind} rights", state=Health.OK, message=message)

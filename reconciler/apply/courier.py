"""Sends one step's calls, each noted before it leaves and after, and waits for the phases that it needs."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.apply.wait import Interrupted, Patience, Trouble, Waited, until
from reconciler.diff.change import Call, CallOp, Change
from reconciler.diff.compare import Sides, compare
from reconciler.diff.live import Live, Marker
from reconciler.fields import Phase
from reconciler.ledger.journal import IntentRow, IntentState
from reconciler.ledger.store import Lease
from reconciler.plan.digest import canonical_json
from reconciler.plan.order import Step
from reconciler.problems import ProviderError, UnknownOutcome
from reconciler.providers.base import Provider, Reply
from reconciler.spec.resource import Resource
from reconciler.spec.values import encode

__all__ = ["Courier", "StepTools", "Work", "expect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTools:
    """What every step needs.

    Attributes:
        owner, run_id, revision: Who does it.
        lease: Every ledger write goes through it.
        providers: Instance → provider.
        digests: Address → digest of its change.
        generations: Address → generation of the last create that anybody remembers.
        fingerprint: Secret name → keyed fingerprint, or empty.
        window_s: Provider → settle window in seconds.
        versions: Instance → API release.
        is_embedded: Whether a provider is the emulator in this process, whose endpoints nobody can ask.
        say: (address, sentence): progress.
    """

    owner: str
    run_id: str
    lease: Lease
    providers: Mapping[str, Provider]
    digests: Mapping[str, str]
    generations: Mapping[str, int]
    fingerprint: Callable[[str], str]
    window_s: Callable[[Provider], float]
    versions: Mapping[str, str]
    is_embedded: Callable[[Provider], bool] = lambda _provider: False
    revision: str = ""
    timeout_s: float | None = None
    say: Callable[[str, str], None] = lambda _address, _text: None


@dataclass(slots=True)
class Work:
    """One step under way; `open_intent`: noted, and not closed yet; `sent`: whether any write has gone out."""

    step: Step
    half: Change
    change: Change
    provider: Provider
    spec: Mapping[str, Any] = field(default_factory=dict)
    marker: Marker | None = None
    live_id: str = ""
    started_s: float = 0.0
    open_intent: int = 0
    sent: bool = False

    @property
    def desired(self) -> Resource:
        """The desired side of a step that has one (all but deletes)."""
        if self.half.desired is None:
            message = "a delete has no desired side"
            raise AssertionError(message)
        return self.half.desired


class Courier:
    """The only place that hands writes to a provider. Safe to use from several threads."""

    def __init__(self, tools: StepTools, stop: threading.Event) -> None:
        self._tools = tools
        self._stop = stop

    def send(self, work: Work, index: int, call: Call) -> Waited:
        """One call that is no create and no delete: wait for its phase, note, send, note, wait for its effect."""
        before = self.wait_phase(work, call)
        intent_id, _ = self.intend(work, index, call)
        reply = self.deliver(work, call, intent_id)
        if reply is None and not self.took_effect(work, call):
            raise UnknownOutcome(f"{call.summary or call.method} may or may not have been done")
        self.close(work, intent_id, IntentState.DONE, live_id=call.target)
        if not call.until:
            return Waited(ok=True, live=None)
        return self._reach(work, call.until, before)

    def _reach(self, work: Work, phases: Container[Phase], before: Live | None) -> Waited:
        """Wait until it is in one of these phases, or until that is in vain."""
        trouble = Trouble(work.provider, work.half.kind, before=before, lag_s=self.window_s(work))

        def done(live: Live | None) -> Waited | None:
            if live is None:
                return None
            return Waited(ok=True, live=live) if live.phase in phases else trouble.judge(live)

        return until(work.provider, work.half.kind, work.live_id, done, self.patience(work))

    def took_effect(self, work: Work, call: Call) -> bool:
        """After an unknown outcome: does reading show, within the settle window, what the call wanted?

        Fields that nobody shows (secrets) prove nothing: then the next run sends the whole section again.
        """
        telling = any(change.verifiable and not change.sensitive for change in work.change.fields)

        def seen(live: Live | None) -> Waited | None:
            if live is None:
                return None
            landed = live.phase in call.until if call.until else telling and not self.kept_old(work, live)
            return Waited(ok=True, live=live) if landed else None

        if not call.until and not telling:
            return False
        patience = dataclasses.replace(self.patience(work), timeout_s=self.window_s(work))
        return until(work.provider, work.half.kind, work.live_id, seen, patience).ok

    def window_s(self, work: Work) -> float:
        """How long a write may take to show: the settle window, or a minute of the emulator's own time."""
        return self._tools.window_s(work.provider) or 60.0

    def list_lag_s(self, work: Work) -> float:
        """How long reading may show what was before a write; 0 in an emulator that was given no lag."""
        return min(float(work.provider.config.settings.get("listLag", 0.0)), self._tools.window_s(work.provider))

    def wait_phase(self, work: Work, call: Call) -> Live | None:
        """Wait until the live resource is in a phase in which this call may be sent; how it was then.

        Raises:
            ProviderError: it is not, and won't be.
        """
        if not call.when:
            return work.half.live
        trouble = Trouble(work.provider, work.half.kind)

        def done(live: Live | None) -> Waited | None:
            if live is None or live.phase in call.when:
                return Waited(ok=True, live=live)
            return None if live.phase is Phase.GOING else trouble.judge(live)  # it goes: then there is nothing to do

        waited = until(work.provider, work.half.kind, work.live_id, done, self.patience(work))
        expect(waited)
        return waited.live

    def intend(
        self, work: Work, index: int, call: Call, context: Mapping[str, Any] | None = None
    ) -> tuple[int, IntentRow]:
        """Note a call before it is sent; durable on return.

        Raises:
            Interrupted: when no new write may be sent.
        """
        if self._stop.is_set():
            raise Interrupted
        row = IntentRow(
            owner=self._tools.owner,
            run=self._tools.run_id,
            address=work.step.address,
            step=work.step.id,
            call_index=index,
            op=str(call.op),
            op_id=work.marker.op if work.marker and call.op is CallOp.CREATE else "",
            marker=str(work.marker) if work.marker else "",
            live_name=work.desired.live_name if work.half.desired else "",
            target=call.target,
            digest=self._tools.digests.get(work.step.address, ""),
            sent_at=work.provider.clock.now(),
            body_digest=hashlib.sha256(canonical_json(encode(call.body))).hexdigest(),
            context=context or {},
        )
        work.open_intent = self._tools.lease.intend(row)
        return work.open_intent, row

    def close(self, work: Work, intent_id: int, state: IntentState, **values: Any) -> None:
        """Note how a call came out."""
        self._tools.lease.close_intent(intent_id, state, **values)
        work.open_intent = 0

    def deliver(self, work: Work, call: Call, intent_id: int) -> Reply | None:
        """Send; `None` when the outcome is unknown (the intent stays open), and a refusal closes the intent."""
        self._tools.say(work.step.address, call.summary or f"{call.method} {call.path}")
        self._tools.lease.check()
        try:
            reply = work.provider.send(call)
        except UnknownOutcome as error:
            self._tools.say(work.step.address, f"{error}; looking")
            work.sent = True
            return None
        except ProviderError as error:
            self.close(work, intent_id, IntentState.FAILED, note=str(error))
            raise
        work.sent = True
        return reply

    def kept_old(self, work: Work, live: Live) -> list[str]:
        """Changed fields that the live side still does not show as written."""
        touched = {change.path for change in work.change.fields}
        sides = Sides(
            kind=work.desired.kind,
            desired=work.spec,
            live=live,
            applied=work.spec,
            version=self._tools.versions.get(work.desired.ref.provider, ""),
            ignore=work.desired.lifecycle.ignore_changes,
        )
        # What was taken out shows only against what was applied before.
        before = dataclasses.replace(sides, applied=work.change.applied.spec if work.change.applied else {})
        still_there = [change for change in compare(before).changes if change.removed and change.verifiable]
        old = [*compare(sides).changes, *still_there]
        return [str(change.path) for change in old if change.path in touched]

    def patience(self, work: Work) -> Patience:
        """How long this step may wait: `lifecycle.wait.timeout`, else the kind's default."""
        wait = work.half.desired.lifecycle.wait if work.half.desired else None
        timeout_s = wait.timeout_s if wait is not None and wait.timeout_s is not None else work.half.kind.timeout_s
        poll_s = min(float(work.provider.config.settings.get("pollInterval", 15.0)), work.half.kind.poll_s)
        return Patience(
            timeout_s=timeout_s,
            poll_s=max(poll_s, 0.01),
            stop=self._stop,
            say=lambda text: self._tools.say(work.step.address, text),
        )


def expect(waited: Waited) -> None:
    """Go on only if waiting came to what was waited for.

    Raises:
        ProviderError: `timeout`, saying what was seen last.
    """
    if not waited.ok:
        raise ProviderError(waited.message, code="timeout")

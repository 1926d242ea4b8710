"""One step of a plan: its calls one by one, each noted before it is sent and after, then waiting and reading back."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.apply.courier import Courier, StepTools, Work, expect
from reconciler.apply.probe import until_answers
from reconciler.apply.record import entry_for, new_marker
from reconciler.apply.removal import Remover, keeps_entry
from reconciler.apply.settle import intent_of
from reconciler.apply.wait import Interrupted, Trouble, Waited, until, until_gone, until_ready
from reconciler.diff.change import Action, Call, Change
from reconciler.diff.live import Applied, Live, create_digest
from reconciler.fields import Interruption, WaitFor
from reconciler.ledger.journal import IntentRow, IntentState, dump
from reconciler.plan.order import Step
from reconciler.plan.outcome import Outcome, State
from reconciler.problems import ProviderError, UnknownOutcome
from reconciler.providers.gather import read
from reconciler.spec.resource import ResourceRef
from reconciler.spec.values import KnownAfterApply, SecretRef, fill, pending_in

__all__ = ["StepRunner", "StepTools"]

_HEARD_S = 60.0
"""How long a list may lag behind a create that was answered, at least."""


class StepRunner:
    """Runs steps, from several threads; remembers what references may now read."""

    def __init__(self, tools: StepTools, stop: threading.Event, outputs: dict[str, Mapping[str, str]]) -> None:
        self._tools = tools
        self._stop = stop
        self._courier = Courier(tools, stop)
        self._remover = Remover(tools, self._courier)
        self._outputs = outputs
        self._entries: dict[str, Applied] = {}
        self._lock = threading.Lock()

    def concurrency(self, provider: str) -> int:
        """Steps at a time for one provider instance."""
        return int(self._tools.providers[provider].config.settings.get("concurrency", 4))

    def run(self, step: Step, half: Change, change: Change) -> Outcome:
        """Do one step to its end.

        Returns:
            Its outcome, whatever the provider did.

        Raises:
            ReconcilerError: from the ledger or the lease only: nothing more may be sent.
        """
        provider = self._tools.providers[ResourceRef.parse(step.address).provider]
        work = Work(step, half, change, provider, live_id=half.live_id, started_s=provider.clock.now())
        if half.desired is not None and step.op is not Action.DELETE:
            work.spec = fill(half.desired.spec, self._now_known)
            missing = [found for found in pending_in(work.spec) if isinstance(found, KnownAfterApply)]
            if missing:
                return self._end(work, State.FAILED, f"{missing[0]} is not known; nothing was sent")
        try:
            return _STEPS[step.op](self, work)
        except UnknownOutcome as error:
            return self._end(work, State.UNKNOWN, f"{error}; the next run looks first")
        except ProviderError as error:
            doubt = "; what was sent before may have been done" if work.open_intent else ""
            return self._end(work, State.UNKNOWN if doubt else State.FAILED, f"{error}{doubt}")
        except Interrupted:
            truth = f"{work.live_id} exists" if work.live_id else "the writes that went out are noted"
            told = f"the run was stopped; {truth if work.sent else 'nothing was sent'}"
            return self._end(work, State.UNKNOWN if work.sent else State.SKIPPED, told)

    def watch(self, step: Step, change: Change) -> Outcome:
        """Go on waiting for what an earlier run made and never saw ready (SETTLEMENT R12). Sends nothing."""
        provider = self._tools.providers[ResourceRef.parse(step.address).provider]
        work = Work(step, change, change, provider, live_id=change.live_id, started_s=provider.clock.now())
        if change.live is None:
            return self._end(work, State.UNKNOWN, "it can't be found any more")
        try:
            waited = self._wait_ready(work, change.live)
        except ProviderError as error:
            return self._end(work, State.FAILED, str(error))
        except Interrupted:
            return self._end(work, State.SKIPPED, "the run was stopped while waiting; nothing was sent")
        live = waited.live or change.live
        with self._lock:
            self._outputs[step.address] = live.outputs
        if not waited.ok:
            return self._end(work, State.FAILED, f"{live.id} exists; {waited.message}")
        work.spec = fill(work.desired.spec, self._now_known)
        self._note(work, self._entry(work, live, ready=True))
        return self._end(work, State.DONE, "", endpoint=live.outputs.get("endpoint", ""))

    # -- create -----------------------------------------------------------------------------------------------------

    def _create(self, work: Work) -> Outcome:
        tools, resource = self._tools, work.desired
        for dying in work.change.candidates if work.change.reason == "on-its-way-out" else ():
            expect(until_gone(work.provider, resource.kind, dying, self._courier.patience(work)))
        generation = tools.generations.get(resource.address, 0) + 1
        work.marker = new_marker(resource, work.spec, owner=tools.owner, generation=generation)
        half = dataclasses.replace(work.half, desired=dataclasses.replace(resource, spec=work.spec))
        calls = work.provider.calls(half, str(work.marker))
        at_once = len(calls) == 1 and self._target(work) is WaitFor.NONE
        live = self._send_create(work, calls[0], at_once=at_once)
        if at_once:
            return self._reached(work, live)
        waited = self._wait_ready(work, live)
        for index, call in enumerate(calls[1:], start=1):
            if not waited.ok:
                break
            # Nobody knew the id when the calls were planned.
            known = dataclasses.replace(call, path=call.path.replace("{id}", live.id), target=live.id)
            waited = self._courier.send(work, index, known)
        return self._finish(work, waited, Action.CREATE)

    def _send_create(self, work: Work, call: Call, *, at_once: bool) -> Live:
        """Send the create and find what it made: by the reply's id, else by looking for our marker.

        `at_once`: nothing is to be waited for, so that the intent's end and the final entry are one note.
        """
        entry = self._entry(work, None, created_at=work.provider.clock.now(), ready=False)
        intent_id, row = self._courier.intend(work, 0, call, context={"entry": dump(entry)})
        reply = self._courier.deliver(work, call, intent_id)
        if reply is not None:
            self._tools.lease.note_evidence(intent_id, reply.live_id, reply.evidence)
            row = dataclasses.replace(row, live_id=reply.live_id, evidence=reply.evidence)
        live = self._find(work, row)
        work.live_id = live.id
        made = dataclasses.replace(entry, live_id=live.id, live_name=live.name or entry.live_name)
        if at_once:
            made = self._entry(work, live, created_at=work.started_s, ready=True)
        self._courier.close(work, intent_id, IntentState.DONE, live_id=live.id, entry=made)
        if at_once:
            with self._lock:
                self._entries[work.step.address] = made
        return live

    def _find(self, work: Work, row: IntentRow) -> Live:
        """Look until the create shows up; it is never sent again in this run (case C37).

        Raises:
            UnknownOutcome: when it does not show up in the time allowed.
        """
        provider = work.provider
        heard = bool(row.live_id or row.evidence)
        deadline = provider.clock.now() + max(self._courier.window_s(work), _HEARD_S if heard else 0.0)
        pause = 1.0
        while True:
            live = self._by_reply(work, row)
            settled = provider.settle(intent_of(row), read(provider, work.desired.kind)) if live is None else None
            live = settled.live if settled is not None else live
            if live is not None:
                return live
            if provider.clock.now() >= deadline or self._stop.is_set():
                told = f" and answered{f' as {row.live_id}' if row.live_id else ''}" if heard else ""
                candidates = settled.candidates if settled is not None else ()
                hint = f"; it may be one of {', '.join(candidates)}" if candidates else ""
                raise UnknownOutcome(f"the create was sent{told}, and nothing with its marker shows up{hint}")
            provider.clock.sleep(pause)
            pause = min(pause * 2, 10.0)

    @staticmethod
    def _by_reply(work: Work, row: IntentRow) -> Live | None:
        """What the reply named, if it can be read."""
        if not row.live_id:
            return None
        try:
            return work.provider.read_one(work.desired.kind, row.live_id)
        except ProviderError:
            return None  # it exists, all the same: look again

    # -- update, adopt ----------------------------------------------------------------------------------------------

    def _update(self, work: Work) -> Outcome:
        half = dataclasses.replace(work.half, desired=dataclasses.replace(work.desired, spec=work.spec))
        marker = work.half.live.marker if work.half.live else ""
        if work.step.op is Action.ADOPT and work.desired.kind.marker.can_change:
            generation = self._tools.generations.get(work.step.address, 0) + 1
            work.marker = new_marker(work.desired, work.spec, owner=self._tools.owner, generation=generation)
            marker = str(work.marker)
        waited = Waited(ok=True, live=work.half.live)
        for index, call in enumerate(work.provider.calls(half, marker)):
            waited = self._courier.send(work, index, call)
            if not waited.ok:
                return self._finish(work, waited, work.step.op)
        return self._finish(work, self._settle_update(work), work.step.op)

    def _settle_update(self, work: Work) -> Waited:
        """Wait until the live side says what was written, and it is ready again (cases C38, C44)."""
        kind, live_id = work.desired.kind, work.half.live_id

        def done(live: Live | None) -> Waited | None:
            if live is None or self._courier.kept_old(work, live):
                return None
            return Waited(ok=True, live=live)

        patience = self._courier.patience(work)
        lag_s = self._courier.window_s(work)
        kept = until(
            work.provider, kind, live_id, done, dataclasses.replace(patience, timeout_s=min(patience.timeout_s, lag_s))
        )
        if not kept.ok:
            old = ", ".join(self._courier.kept_old(work, kept.live)) if kept.live else "all"
            return Waited(ok=False, live=kept.live, message=f"the server kept the old value of {old}")
        rolls = any(change.interruption is not Interruption.NONE for change in work.change.fields)
        stale_s = min(kind.status_lag_s, self._courier.list_lag_s(work)) if rolls else 0.0
        ready = self._wait_ready(work, kept.live, stale_s) if kept.live is not None else kept
        gone_back = self._courier.kept_old(work, ready.live) if ready.ok and ready.live is not None else ()
        if gone_back:  # a roll-out that failed on its way is rolled back, and the status says nothing of it
            old = ", ".join(gone_back)
            return Waited(ok=False, live=ready.live, message=f"the server went back to the old value of {old}")
        return ready

    # -- delete -----------------------------------------------------------------------------------------------------

    def _delete(self, work: Work) -> Outcome:
        if work.half.leftover is not None and work.change.live is not None:
            expect(self._wait_ready(work, work.change.live))
            self._expect_same(work, work.half.leftover)
            self._choose(work, work.change.live, work.half.leftover)
        with self._lock:
            current = self._entries.get(work.step.address, work.change.applied)
        state, message = self._remover.remove(work, current)
        if state is State.DONE and not keeps_entry(work):
            with self._lock:
                self._outputs.pop(work.step.address, None)
        return self._end(work, state, message)

    def _expect_same(self, work: Work, condemned: Live) -> None:
        """Look once more right before it goes: a wait may have been long (SETTLEMENT §6).

        Raises:
            ProviderError: it carries another marker now.
        """
        now = work.provider.read_one(work.half.kind, condemned.id)
        if now is not None and now.marker and now.marker != condemned.marker:
            raise ProviderError(
                f"{condemned.id} carries another marker than before; it was not deleted", code="conflict"
            )

    def _choose(self, work: Work, survivor: Live, condemned: Live) -> None:
        """Note which of two halves stays before the other one goes (SETTLEMENT §6, R18)."""
        known = work.change.applied
        if known is not None and (known.live_id, known.successor) == (survivor.id, condemned.id):
            return
        marker = survivor.parsed_marker
        same = known if known is not None and known.live_id == survivor.id else None
        spec: Mapping[str, Any] = same.spec if same is not None else {}
        if marker is not None and marker.digest == create_digest(work.desired.spec):
            spec = work.desired.spec  # what it was made from; else nobody knows what was applied to it
        entry = entry_for(
            work.desired,
            spec,
            live=survivor,
            before=same,
            # Its create had the secrets of its time: today's would hide that one has changed since.
            fingerprint=lambda name: same.fingerprints.get(name, "") if same is not None else "",
            now_s=work.provider.clock.now(),
            revision=self._tools.revision,
            run=self._tools.run_id,
            successor=condemned.id,
        )
        self._note(work, entry)

    # -- ends -------------------------------------------------------------------------------------------------------

    @staticmethod
    def _target(work: Work) -> WaitFor:
        return work.desired.lifecycle.wait.target or work.desired.kind.wait

    def _wait_ready(self, work: Work, live: Live, stale_s: float = 0.0) -> Waited:
        wait, target = work.desired.lifecycle.wait, self._target(work)
        if target is WaitFor.NONE:
            return Waited(ok=True, live=live)
        patience = self._courier.patience(work)
        may_rest = work.step.op is not Action.CREATE or work.desired.lifecycle.run_state == "stopped"
        kind, before = work.desired.kind, work.half.live if work.step.op is not Action.CREATE else None
        trouble = Trouble(work.provider, kind, before=before, lag_s=self._courier.window_s(work))
        waited = until_ready(
            work.provider, kind, live.id, target, patience, trouble=trouble, may_rest=may_rest, stale_s=stale_s
        )
        if (
            target is WaitFor.HTTP
            and waited.ok
            and waited.live is not None
            and not self._tools.is_embedded(work.provider)
        ):
            return until_answers(waited.live, wait.path, work.provider.clock, patience)
        return waited

    def _finish(self, work: Work, waited: Waited, op: Action) -> Outcome:
        """Note what was reached; an item that was made but is not ready keeps `ready: false`."""
        live = waited.live or work.provider.read_one(work.half.kind, work.live_id)
        if live is None:
            return self._end(work, State.UNKNOWN, waited.message or "it can't be found any more")
        applied = waited.ok or op is Action.CREATE
        if applied:
            values: dict[str, Any] = {"ready": waited.ok}
            if op is not Action.UPDATE and work.marker is not None:
                values |= {"marker": str(work.marker), "generation": work.marker.generation}
            if op is Action.CREATE:
                values["created_at"] = work.started_s
            self._note(work, self._entry(work, live, **values))
        reached = self._reached(work, live)
        if not waited.ok:
            truth = f"{live.id} exists; " if op is Action.CREATE else ""
            return self._end(work, State.FAILED, f"{truth}{waited.message}")
        return reached

    def _reached(self, work: Work, live: Live) -> Outcome:
        """It is there, and references may read it."""
        with self._lock:
            self._outputs[work.step.address] = live.outputs
        return self._end(work, State.DONE, "", endpoint=live.outputs.get("endpoint", ""))

    def _note(self, work: Work, entry: Applied) -> None:
        self._tools.lease.put_entry(entry)
        with self._lock:
            self._entries[work.step.address] = entry

    def _entry(self, work: Work, live: Live | None, **values: Any) -> Applied:
        before = None if work.step.op is Action.CREATE else work.change.applied
        if work.step.op is Action.CREATE:
            values.setdefault("marker", str(work.marker))
            values.setdefault("generation", work.marker.generation if work.marker else 1)
            old = work.change.live
            if work.change.action is Action.REPLACE and work.change.replace_order == "create-first" and old is not None:
                values.setdefault("successor", old.id)
        return entry_for(
            work.desired,
            work.spec,
            live=live,
            before=before,
            fingerprint=self._tools.fingerprint,
            now_s=work.provider.clock.now(),
            revision=self._tools.revision,
            run=self._tools.run_id,
            **values,
        )

    def _end(self, work: Work, state: State, message: str, *, endpoint: str = "") -> Outcome:
        return Outcome(
            step=work.step.id,
            address=work.step.address,
            op=work.step.op,
            state=state,
            message=message,
            live_id=work.live_id,
            endpoint=endpoint,
            seconds=max(0.0, work.provider.clock.now() - work.started_s),
        )

    def _now_known(self, reference: SecretRef | KnownAfterApply) -> Any:
        if isinstance(reference, SecretRef):
            return reference
        with self._lock:
            return self._outputs.get(reference.address, {}).get(reference.attribute, reference)


_STEPS: Mapping[Action, Callable[[StepRunner, Work], Outcome]] = {
    Action.CREATE: StepRunner._create,  # noqa: SLF001 - the class's own table of steps
    Action.UPDATE: StepRunner._update,  # noqa: SLF001
    Action.ADOPT: StepRunner._update,  # noqa: SLF001
    Action.DELETE: StepRunner._delete,  # noqa: SLF001
}

"""Deletes one live thing; the list decides whether it is gone (case C41), and only then its entry leaves the ledger."""

from __future__ import annotations

import dataclasses
from typing import Final

from reconciler.apply.courier import Courier, StepTools, Work, expect
from reconciler.apply.wait import Waited, until_gone
from reconciler.diff.change import Action, Call, CallOp
from reconciler.diff.live import Applied
from reconciler.fields import Phase, ReplaceOrder
from reconciler.ledger.journal import IntentState, Tombstone
from reconciler.plan.outcome import State
from reconciler.problems import ProviderError

__all__ = ["Remover", "keeps_entry"]

_GONE_ALREADY: Final = "the server says that it is gone"


def keeps_entry(work: Work) -> bool:
    """Whether the entry stays: in a create-first replace it is the new one's, and only its other half goes."""
    return work.change.action is Action.REPLACE and work.change.replace_order is ReplaceOrder.CREATE_FIRST


class Remover:
    """The delete of a step, from its first call to the ledger."""

    def __init__(self, tools: StepTools, courier: Courier) -> None:
        self._tools = tools
        self._courier = courier

    def remove(self, work: Work, current: Applied | None) -> tuple[State, str]:
        """Send the calls, wait until it is gone, note it.

        Args:
            work: The step.
            current: The entry of its address as it is now.

        Returns:
            How it ended, and what a person should know.

        Raises:
            ProviderError: a call was refused.
            Interrupted: when asked to stop.
        """
        marker = work.half.live.marker if work.half.live else ""
        intent_id, doubt = 0, ""
        for index, call in enumerate(work.provider.calls(work.half, marker)):
            intent_id, doubt = self._send(work, index, call)
        grace_s = self._courier.window_s(work) if doubt else None
        patience = self._courier.patience(work)
        waited = until_gone(work.provider, work.half.kind, work.half.live_id, patience, grace_s=grace_s)
        if not waited.ok:
            return self._still_there(work, waited, intent_id, doubt)
        self._forget(work, current, intent_id)
        return State.DONE, "it was gone already" if doubt == _GONE_ALREADY else ""

    def _send(self, work: Work, index: int, call: Call) -> tuple[int, str]:
        """Send one call: (its open intent, why it is in doubt until we have looked)."""
        if call.op is not CallOp.DELETE:
            expect(self._courier.send(work, index, call))
            return 0, ""
        self._courier.wait_phase(work, call)
        intent_id, _ = self._courier.intend(work, index, call)
        try:
            reply = self._courier.deliver(work, call, intent_id)
        except ProviderError as error:
            if error.code != "not-found":
                raise
            self._tools.say(work.step.address, f"{_GONE_ALREADY}, or its address is spelt otherwise; the list decides")
            return 0, _GONE_ALREADY
        return intent_id, "" if reply is not None else "nobody knows whether the delete was done"

    def _still_there(self, work: Work, waited: Waited, intent_id: int, doubt: str) -> tuple[State, str]:
        if waited.live is not None and waited.live.phase is Phase.GOING:
            return State.UNKNOWN, f"it is on its way out, and was {waited.message}"
        told = f"{work.half.live_id} is still there: {waited.message}"
        if intent_id:
            self._courier.close(work, intent_id, IntentState.FAILED, note=told)
        return State.FAILED, f"{doubt or 'the delete was accepted'}, and {told}"

    def _forget(self, work: Work, current: Applied | None, intent_id: int) -> None:
        live = work.half.live
        tombstone = Tombstone(
            address=work.step.address,
            live_id=work.half.live_id,
            at=work.provider.clock.now(),
            live_name=live.name if live else "",
            marker=live.marker if live else "",
            run=self._tools.run_id,
        )
        forget, kept = work.step.address, None
        if keeps_entry(work):
            forget = ""
            # By the address that the plan knows: the entry may have been read under a former one.
            kept = dataclasses.replace(current, address=work.step.address, successor="") if current else None
        if intent_id:
            self._courier.close(work, intent_id, IntentState.DONE, entry=kept, forget=forget, tombstone=tombstone)
        elif forget:
            self._tools.lease.forget(forget, tombstone)
        elif kept is not None:
            self._tools.lease.put_entry(kept)

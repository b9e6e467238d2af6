"""Going back: one step at a time, over finished units and finished parcels, without a question asked.

What was confirmed is not deleted: a compensating entry takes it back, and the next confirmation of the same unit names
the inspection that it corrects.
"""

from __future__ import annotations

import msgspec

from station.inspection import record
from station.inspection.draft import ConfirmedEvent, DraftEvent, MismatchDroppedEvent, dump, event_of, without_last_step
from station.inspection.stepper import CURRENT, Stepper, fact_of
from station.inspection.view import Band, Outcome, State, Tone
from station.journal.entry import Fact


class GoingBack:
    """BACK and UNDO."""

    def __init__(self, at: Stepper) -> None:
        self._at = at

    def back(self) -> Outcome:
        """BACK: one step within the unit; it also answers a message."""
        if self._at.draft.state is State.MISMATCH:
            return self._at.do(MismatchDroppedEvent(), tone=Tone.ACCEPT)
        if self._at.draft.state in (State.IDLE, State.DONE):
            if self._at.notice is not None:
                return self._at.outcome(Tone.ACCEPT)  # Esc answers a message that stays until answered
            return self._at.not_now("Back", "use UNDO to take back a finished unit")
        return self.undo()

    def undo(self) -> Outcome:
        """UNDO: the last act of the inspector, and what devices did after it."""
        if not self._at.log.records:
            return self._undo_into_past()
        last = self._at.log.records[-1].event
        log = without_last_step(self._at.log)
        facts: list[Fact] = []
        now = self._at.clock.now()
        unit = self._at.draft.unit
        if isinstance(last, ConfirmedEvent) and unit is not None:
            voided = record.InspectionVoided(last.inspection_id, "undone by the inspector", now)
            facts.append(fact_of(record.INSPECTION_VOIDED, voided))
            log = msgspec.structs.replace(log, corrects={**log.corrects, unit.unit_id: last.inspection_id})
        elif not log.records and self._at.draft.parcel is not None:
            facts.append(fact_of(record.PARCEL_CLOSED, record.ParcelClosed(self._at.draft.parcel.id, 0, (), now)))
        what = event_of(self._last_act()).value
        drafts: dict[str, bytes | None] = {CURRENT: dump(log) if log.records else None}
        if not log.records:
            log = self._at.reopen_past(drafts)
        self._at.save(facts, drafts)
        self._at.adopt(log)
        self._at.refresh_figures()
        return self._at.tell(Band.IDLE, "undone", what=what, tone=Tone.TICK)

    def _last_act(self) -> DraftEvent:
        kept = len(without_last_step(self._at.log).records)
        return self._at.log.records[kept].event

    def _undo_into_past(self) -> Outcome:
        drafts: dict[str, bytes | None] = {}
        log = self._at.reopen_past(drafts)
        if not log.records:
            return self._at.tell(Band.REJECT, "nothing_to_undo")
        self._at.save([], drafts)
        self._at.adopt(log)
        return self.undo()

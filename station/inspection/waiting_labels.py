"""Labels on their way: kept beside the draft from the moment a unit is recorded until its label is known to be there.

The printer's queue is in memory. Without this, a label that waits for paper when the plug is pulled would be gone, and
its unit would stand in a tote without a plate. The job is written in the same transaction as the inspection and deleted
when the label has left (with scan-back: when it has been scanned). What is found after a start may or may not be on
paper, so it is printed once more marked COPY: a second label that says so does no harm, a missing one does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from station.canonical import canonical_json
from station.inspection import record
from station.inspection.stepper import Stepper, fact_of
from station.inspection.view import LabelJob, Outcome

logger = logging.getLogger(__name__)

_SLOT = "label:"
_KEPT = 50
"""A bench without a printer never hears that a label has left; only the newest are kept."""


class WaitingLabels:
    """The labels that no one has reported as printed. Used by the desk's thread."""

    def __init__(self, at: Stepper) -> None:
        self._at = at
        self._known: dict[str, None] | None = None
        at.keep_label = self.kept

    def kept(self, job: LabelJob) -> Mapping[str, bytes | None]:
        """Draft slots that keep a job, for the transaction that records its unit."""
        slots = self._slots()
        name = _SLOT + job.lpn
        slots.pop(name, None)
        slots[name] = None
        surplus = list(slots)[:-_KEPT]
        for slot in surplus:
            del slots[slot]
        return {**dict.fromkeys(surplus), name: canonical_json(job)}

    def copies(self, lpn: str) -> int:
        """Number of the last copy that still waits; 0 = none does, or the original."""
        job = self._job(_SLOT + lpn)
        return job.copy if job is not None else 0

    def left(self, lpn: str) -> None:
        """The label is there; any copy of it counts."""
        name = _SLOT + lpn
        if name in self._slots():
            self._at.save([], {name: None})
            self._slots().pop(name, None)

    def again(self) -> Outcome | None:
        """After a start: what was on its way is printed as a copy; None = nothing was.

        Every label that goes out is in the record, so that a plate with two labels explains itself.
        """
        jobs = [job for slot in list(self._slots()) if (job := self._job(slot)) is not None]
        if not jobs:
            return None
        copies = tuple(replace(job, job_id=self._at.ids(), copy=job.copy + 1) for job in jobs)
        now = self._at.clock.now()
        facts = [
            fact_of(record.LABEL_PRINTED, record.LabelPrinted(copy.job_id, copy.lpn, copy.copy, now)) for copy in copies
        ]
        self._at.save(facts, {_SLOT + copy.lpn: canonical_json(copy) for copy in copies})
        logger.info("%d labels were on their way when the station ended; they are printed as copies", len(copies))
        self._at.labels = (*self._at.labels, *copies)
        return self._at.outcome(None, keep_notice=True)

    def _slots(self) -> dict[str, None]:
        """Filled slots, oldest first; asked of the store once."""
        if self._known is None:
            self._known = dict.fromkeys(self._at.store.slots(_SLOT))
        return self._known

    def _job(self, slot: str) -> LabelJob | None:
        saved = self._at.store.draft(slot) if slot in self._slots() else None
        try:
            return msgspec.json.decode(saved, type=LabelJob) if saved is not None else None
        except msgspec.DecodeError as error:
            logger.error("label %s cannot be printed again: %s", slot, error)
            return None

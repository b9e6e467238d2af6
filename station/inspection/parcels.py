"""Parcels: opened by their code, closed by the next one, parked and taken up again."""

from __future__ import annotations

from datetime import datetime

import msgspec

from station.identify.scan import Candidate, Check, RawScan
from station.inspection import record
from station.inspection.draft import LineState, Log, ParcelOpenedEvent, dump, load, replay
from station.inspection.finding import find_parcel
from station.inspection.stepper import CURRENT, Stepper, fact_of
from station.inspection.view import Band, Outcome, State, Tone
from station.journal.entry import Fact
from station.returns.model import ArrivalKind, Parcel, ReturnAuthorisation

_PARKED = "parked:"


class Parcels:
    """What can be done with a parcel as a whole."""

    def __init__(self, at: Stepper) -> None:
        self._at = at

    def scan(self, scan: RawScan, candidates: tuple[Candidate, ...], text: str) -> Outcome:
        """A code at the idle bench: the parcel it opens, or why it opens none."""
        if not self._at.store.disk_state.accepts_parcels:
            return self._at.tell(Band.HOLD, "disk_full")
        resumed = self._resume_parked(text)
        if resumed is not None:
            return resumed
        found = find_parcel(candidates, text, self._at.store.directory)
        openings = [(authorisation, self._lines_of(authorisation)) for authorisation in found.returns]
        still_open = [(a, lines) for a, lines in openings if any(x.line.quantity > x.done_before for x in lines)]
        if len(still_open) == 1:
            authorisation, lines = still_open[0]
            return self._open(ArrivalKind.RMA, scan, text, authorisation, lines, found.lpn)
        if len(still_open) > 1:
            return self._at.tell(Band.REJECT, "parcel_ambiguous", scanned=text, count=str(len(still_open)))
        if openings:
            return self._at.tell(Band.REJECT, "parcel_all_done", rma=openings[0][0].id)
        return self.refuse(candidates, text, "parcel_unknown")

    def refuse(self, candidates: tuple[Candidate, ...], text: str, code: str) -> Outcome:
        """A code that leads nowhere; a wrong check digit is named as such."""
        if candidates and all(candidate.check is Check.BAD for candidate in candidates):
            kind = candidates[0].kind.value
            return self._at.tell(Band.REJECT, "code_bad_check", scanned=text, kind=kind)
        return self._at.tell(Band.REJECT, code, scanned=text)

    def _lines_of(self, authorisation: ReturnAuthorisation) -> tuple[LineState, ...]:
        directory = self._at.store.directory
        done = directory.inspected_units(authorisation.merchant_id, authorisation.id)
        return tuple(
            LineState(line, directory.item(authorisation.merchant_id, line.sku), done.get(line.line, 0))
            for line in authorisation.lines
        )

    def _open(
        self,
        arrival: ArrivalKind,
        scan: RawScan,
        text: str,
        authorisation: ReturnAuthorisation | None,
        lines: tuple[LineState, ...],
        lpn: str | None,
    ) -> Outcome:
        now = self._at.clock.now()
        merchant = self._at.store.directory.merchant(authorisation.merchant_id) if authorisation is not None else None
        parcel = Parcel(self._at.ids(), arrival, now, text, authorisation, merchant)
        facts = self._closing_facts(now)
        facts.append(
            fact_of(
                record.PARCEL_OPENED,
                record.ParcelOpened(
                    parcel_id=parcel.id,
                    arrival=arrival,
                    scan=scan,
                    rma=authorisation.id if authorisation is not None else None,
                    merchant_id=authorisation.merchant_id if authorisation is not None else None,
                    opened_at=now,
                ),
            )
        )
        event = ParcelOpenedEvent(parcel=parcel, lines=lines, scan=scan, given_lpn=lpn)
        return self._at.do(event, tone=Tone.ACCEPT, facts=facts, fresh=True)

    def _closing_facts(self, now: datetime) -> list[Fact]:
        """The finished parcel before this one is closed: units that did not come stay expected elsewhere."""
        parcel = self._at.draft.parcel
        if parcel is None:
            return []
        missing = tuple(line.line.line for line in self._at.draft.open_lines)
        closed = record.ParcelClosed(parcel.id, len(self._at.draft.confirmed), missing, now)
        return [fact_of(record.PARCEL_CLOSED, closed)]

    def no_label(self) -> Outcome:
        """NO LABEL: a parcel that nobody announced."""
        if self._at.draft.state not in (State.IDLE, State.DONE):
            return self._at.not_now("No label", "finish or park this parcel first")
        if not self._at.store.disk_state.accepts_parcels:
            return self._at.tell(Band.HOLD, "disk_full")
        scan = RawScan(b"RSC-NO-LABEL", "command", self._at.clock.now())
        return self._open(ArrivalKind.UNANNOUNCED, scan, "no label", None, (), None)

    def park(self) -> Outcome:
        """Set the unfinished parcel aside; scanning it again takes it up."""
        parcel = self._at.draft.parcel
        if parcel is None or self._at.draft.state in (State.IDLE, State.DONE):
            return self._at.not_now("Park", "there is no unfinished parcel")
        now = self._at.clock.now()
        parked = record.ParcelParked(parcel.id, "parked by the inspector", now)
        name = parcel.authorisation.id if parcel.authorisation is not None else parcel.scanned
        self._at.store.commit(
            [fact_of(record.PARCEL_PARKED, parked)],
            actor=self._at.seat.inspector,
            drafts={f"{_PARKED}{parcel.id}": dump(self._at.log), CURRENT: None},
        )
        self._at.adopt(Log())
        return self._at.tell(Band.IDLE, "parked", rma=name)

    def _resume_parked(self, text: str) -> Outcome | None:
        for slot in self._at.store.slots(_PARKED):
            saved = self._at.store.draft(slot)
            if saved is None or _quoted(text) not in saved:
                continue  # most parked parcels are passed over without reading them
            log = load(saved)
            parcel = replay(log).parcel
            if parcel is None:
                continue
            authorisation = parcel.authorisation
            names = {parcel.scanned}
            if authorisation is not None:
                names |= {authorisation.id, *authorisation.tracking, *authorisation.lpns}
            if text in names and parcel.arrival is not ArrivalKind.UNANNOUNCED:
                drafts = {**self._at.archive(), CURRENT: dump(log), slot: None}
                self._at.save([], drafts)
                self._at.adopt(log)
                return self._at.outcome(Tone.ACCEPT)
        return None


def _quoted(text: str) -> bytes:
    """The text as it stands in a saved draft."""
    return msgspec.json.encode(text)[1:-1]

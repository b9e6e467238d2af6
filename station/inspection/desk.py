"""The use cases of a bench: one method per thing that can arrive, each ends with what the screen shows now.

Every method runs on one thread, in the order in which things happened. A method that changes the draft has saved it
durably before it returns, so the screen never shows a step that a pulled plug could take back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from station.canonical import canonical_json
from station.clock import Clock
from station.decision.decide import decide
from station.decision.model import Decision
from station.decision.rules import Rules
from station.errors import IllegalTransition, InvalidInput
from station.identify.text import split_aim
from station.identify.commands import BY_BARCODE, PREFIX, Command
from station.identify.interpret import interpret
from station.identify.scan import Candidate, CandidateKind, Check, RawScan
from station.inspection import record, showing
from station.inspection.draft import (
    EMPTY,
    AnsweredEvent,
    ConfirmedEvent,
    Draft,
    DraftEvent,
    IdentifiedEvent,
    LineState,
    Log,
    MismatchDroppedEvent,
    MismatchedEvent,
    ParcelOpenedEvent,
    PhotographedEvent,
    SecondLookEvent,
    SkippedEvent,
    UnitDraft,
    WeighAgainEvent,
    WeighedEvent,
    WeightExplainedEvent,
    append,
    apply,
    dump,
    event_of,
    load,
    replay,
    without_last_step,
)
from station.inspection.facts import Answer, IdentityOutcome, Photo, Skipped, WeightReading
from station.inspection.finding import ItemFound, find_item, find_parcel
from station.inspection.plates import new_plate
from station.inspection.plausibility import COMPLETE, WEIGHT_CHECK, judge_weight
from station.inspection.ports import BenchStore, RecentUnit, ShiftFigures
from station.inspection.protocol import Protocol
from station.inspection.recording import (
    BARE_PROTOCOL,
    case_of,
    declared_reason,
    inspection_of,
    title_of,
    traits_of,
)
from station.inspection.view import Band, LabelJob, Notice, Outcome, State, Tone
from station.inspection.workflow import Event, Needs, may, next_state
from station.journal.entry import Fact
from station.returns.model import ArrivalKind, Parcel, ReturnAuthorisation

logger = logging.getLogger(__name__)

CURRENT = "current"
_PAST = "past:"
_PARKED = "parked:"
_PAST_KEPT = 25
"""Finished parcels that undo can reach back into (the screens promise at least 20)."""

_TONES = {Band.ACCEPT: Tone.ACCEPT, Band.REJECT: Tone.REJECT, Band.HOLD: Tone.ATTENTION, Band.IDLE: Tone.ACCEPT}


@dataclass(frozen=True, slots=True)
class Seat:
    """Which bench this is and who works at it."""

    station: str
    inspector: str


class Desk:
    """What can be done at a bench."""

    def __init__(
        self, store: BenchStore, rules: Rules, seat: Seat, clock: Clock, ids: Callable[[], str], shift_start: datetime
    ) -> None:
        self._store = store
        self._rules = rules
        self._seat = seat
        self._clock = clock
        self._ids = ids
        self._shift_start = shift_start
        self._log = Log()
        self._draft = EMPTY
        self._notice: Notice | None = None
        self._labels: tuple[LabelJob, ...] = ()
        self._recent: tuple[RecentUnit, ...] = ()
        self._figures: ShiftFigures | None = None
        self._copies: dict[str, int] = {}
        self.full_disk = False
        """Set by the owner while the disk has no room: no new parcel is begun, the open one can be finished."""

    def resume(self) -> Outcome:
        """Take up the saved draft after a start, at the same step with the same answers and photos."""
        saved = self._store.draft(CURRENT)
        if saved is not None:
            try:
                self._adopt(load(saved))
            except InvalidInput as error:
                logger.error("draft set aside: %s", error)
                self._store.commit(
                    [], actor=self._seat.inspector, drafts={f"damaged:{self._ids()}": saved, CURRENT: None}
                )
        return self.show()

    def show(self) -> Outcome:
        """The view as it stands, with fresh figures and without a sound."""
        self._refresh_figures()
        return self._outcome(None, keep_notice=True)

    # --- what arrives -------------------------------------------------------------------------------------------

    def scan(self, scan: RawScan) -> Outcome:
        """Take one complete scan: a command, an answer, a parcel or an item, by what the bench waits for."""
        _, payload = split_aim(scan.data)
        text = payload.decode("utf-8", "replace").strip()
        if text.startswith(PREFIX):
            return self._command_scan(text)
        candidates = interpret(scan.data)
        if self._draft.state is State.IDLE:
            return self._parcel_scan(scan, candidates, text)
        if self._draft.state in (State.ITEM, State.MISMATCH):
            return self._item_scan(scan, candidates, text)
        if self._draft.state is State.DONE:
            return self._scan_when_done(scan, candidates, text)
        return self._scan_meanwhile(candidates, text)

    def weight(self, reading: WeightReading) -> Outcome | None:
        """Take an accepted weight; None where the bench does not wait for one (nothing is changed)."""
        unit = self._draft.unit
        if self._draft.state is not State.WEIGHT or unit is None or reading.gross_mg < 2 * reading.interval_mg:
            return None
        return self._do(WeighedEvent(reading=reading, judgement=judge_weight(reading, unit.item)), tone=Tone.TICK)

    def photo(self, photo: Photo) -> Outcome | None:
        """Take a photo that is already durable; None where no unit is open."""
        if not may(self._draft.state, Event.PHOTOGRAPHED):
            return None
        return self._do(PhotographedEvent(photo=photo), tone=Tone.TICK)

    def command(self, command: Command, given_by: str = "key", *, device_detail: str = "") -> Outcome:
        """Carry out one action of the table.

        Args:
            given_by: ``scan``, ``key`` or ``touch``.
            device_detail: for SKIP: what the device's light says, kept as the reason.
        """
        match command:
            case Command.UNDO:
                return self._undo()
            case Command.BACK:
                return self._back()
            case Command.NO_LABEL:
                return self._no_label()
            case Command.WRONG_ITEM:
                return self._record_mismatch()
            case Command.MISSING:
                return self._record_missing()
            case Command.PARK:
                return self._park()
            case Command.SKIP:
                return self._skip(device_detail)
            case Command.SECOND_LOOK:
                return self._second_look()
            case Command.CONFIRM:
                return self._confirm()
            case Command.REPRINT:
                return self._reprint()
            case Command.CLEAN | Command.SEALED:
                return self._shortcut(command, given_by)
            case Command.PHOTO | Command.HELP:
                return replace(self._outcome(None, keep_notice=True), asks=(command,))
            case _:
                return self._choose(int(command.value.rpartition("_")[2]) - 1, given_by)

    # --- scans ----------------------------------------------------------------------------------------------------

    def _command_scan(self, text: str) -> Outcome:
        question = showing.question_of(self._draft, self._protocol_of(self._draft.unit))
        for choice in question.choices if question is not None else ():
            if choice.code == text:
                return self._answer(choice.id, "scan")
        spec = BY_BARCODE.get(text)
        if spec is None:
            return self._tell(Band.REJECT, "scan_not_understood", scanned=text, why="it is not a command of this sheet")
        return self.command(spec.command, "scan")

    def _parcel_scan(self, scan: RawScan, candidates: tuple[Candidate, ...], text: str) -> Outcome:
        if self.full_disk:
            return self._tell(Band.HOLD, "disk_full")
        resumed = self._resume_parked(text)
        if resumed is not None:
            return resumed
        found = find_parcel(candidates, text, self._store.directory)
        openings = [(authorisation, self._lines_of(authorisation)) for authorisation in found.returns]
        still_open = [(a, lines) for a, lines in openings if any(x.line.quantity > x.done_before for x in lines)]
        if len(still_open) == 1:
            authorisation, lines = still_open[0]
            return self._open_parcel(ArrivalKind.RMA, scan, text, authorisation, lines, found.lpn)
        if len(still_open) > 1:
            return self._tell(Band.REJECT, "parcel_ambiguous", scanned=text, count=str(len(still_open)))
        if openings:
            return self._tell(Band.REJECT, "parcel_all_done", rma=openings[0][0].id)
        return self._refuse(candidates, text, "parcel_unknown")

    def _refuse(self, candidates: tuple[Candidate, ...], text: str, code: str) -> Outcome:
        if candidates and all(candidate.check is Check.BAD for candidate in candidates):
            kind = candidates[0].kind.value
            return self._tell(Band.REJECT, "code_bad_check", scanned=text, kind=kind)
        return self._tell(Band.REJECT, code, scanned=text)

    def _item_scan(self, scan: RawScan, candidates: tuple[Candidate, ...], text: str) -> Outcome:
        if candidates and all(candidate.check is Check.BAD for candidate in candidates):
            return self._refuse(candidates, text, "scan_not_understood")
        found = self._find_item(candidates, text)
        if found.outcome is IdentityOutcome.UNKNOWN and self._is_other_parcel(candidates, text):
            return self._tell(
                Band.REJECT, "not_now", action=text, why="finish this parcel or scan PARK before the next one"
            )
        announced = self._draft.parcel is not None and self._draft.parcel.authorisation is not None
        if found.outcome is IdentityOutcome.MATCH or not announced:
            return self._identify(found, scan, text)
        return self._do(
            MismatchedEvent(
                outcome=found.outcome,
                scan=scan,
                text=text,
                item=found.item,
                line=found.line,
                serial_found=found.serial,
                gtin=found.gtin,
            ),
            tone=Tone.REJECT,
        )

    def _scan_when_done(self, scan: RawScan, candidates: tuple[Candidate, ...], text: str) -> Outcome:
        if self._draft.open_lines:
            found = self._find_item(candidates, text)
            if found.outcome in (IdentityOutcome.MATCH, IdentityOutcome.WRONG_SERIAL):
                return self._item_scan(scan, candidates, text)
        return self._parcel_scan(scan, candidates, text)

    def _scan_meanwhile(self, candidates: tuple[Candidate, ...], text: str) -> Outcome:
        unit = self._draft.unit
        if unit is not None and any(text.encode() in earlier.data for earlier in unit.scans):
            return self._outcome(Tone.TICK)  # the same item scanned again: nothing to do, nothing lost
        waits = {
            State.WEIGHT: "set the item on the scale first",
            State.WEIGHT_CHECK: "answer what is in the box first",
            State.PHOTOS: "the photos are not done yet",
            State.QUESTIONS: "answer the question first",
            State.CONFIRM: "scan CONFIRM first",
        }
        return self._tell(Band.REJECT, "not_now", action=text, why=waits[self._draft.state])

    def _find_item(self, candidates: tuple[Candidate, ...], text: str) -> ItemFound:
        parcel = self._draft.parcel
        merchant = parcel.merchant.id if parcel is not None and parcel.merchant is not None else None
        announced = parcel is not None and parcel.authorisation is not None
        return find_item(candidates, text, self._draft.open_lines, merchant, self._store.directory, announced=announced)

    def _is_other_parcel(self, candidates: tuple[Candidate, ...], text: str) -> bool:
        if any(candidate.kind is CandidateKind.GTIN for candidate in candidates):
            return False
        return bool(find_parcel(candidates, text, self._store.directory).returns)

    # --- parcels --------------------------------------------------------------------------------------------------

    def _lines_of(self, authorisation: ReturnAuthorisation) -> tuple[LineState, ...]:
        directory = self._store.directory
        done = directory.inspected_units(authorisation.merchant_id, authorisation.id)
        return tuple(
            LineState(line, directory.item(authorisation.merchant_id, line.sku), done.get(line.line, 0))
            for line in authorisation.lines
        )

    def _open_parcel(
        self,
        arrival: ArrivalKind,
        scan: RawScan,
        text: str,
        authorisation: ReturnAuthorisation | None,
        lines: tuple[LineState, ...],
        lpn: str | None,
    ) -> Outcome:
        now = self._clock.now()
        merchant = self._store.directory.merchant(authorisation.merchant_id) if authorisation is not None else None
        parcel = Parcel(self._ids(), arrival, now, text, authorisation, merchant)
        facts = self._closing_facts(now)
        facts.append(
            _fact(
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
        return self._do(event, tone=Tone.ACCEPT, facts=facts, fresh=True)

    def _closing_facts(self, now: datetime) -> list[Fact]:
        """The finished parcel before this one is closed: units that did not come stay expected elsewhere."""
        parcel = self._draft.parcel
        if parcel is None:
            return []
        missing = tuple(line.line.line for line in self._draft.open_lines)
        closed = record.ParcelClosed(parcel.id, len(self._draft.confirmed), missing, now)
        return [_fact(record.PARCEL_CLOSED, closed)]

    def _no_label(self) -> Outcome:
        if self._draft.state not in (State.IDLE, State.DONE):
            return self._not_now("No label", "finish or park this parcel first")
        if self.full_disk:
            return self._tell(Band.HOLD, "disk_full")
        scan = RawScan(b"RSC-NO-LABEL", "command", self._clock.now())
        return self._open_parcel(ArrivalKind.UNANNOUNCED, scan, "no label", None, (), None)

    def _park(self) -> Outcome:
        parcel = self._draft.parcel
        if parcel is None or self._draft.state in (State.IDLE, State.DONE):
            return self._not_now("Park", "there is no unfinished parcel")
        now = self._clock.now()
        parked = record.ParcelParked(parcel.id, "parked by the inspector", now)
        name = parcel.authorisation.id if parcel.authorisation is not None else parcel.scanned
        self._store.commit(
            [_fact(record.PARCEL_PARKED, parked)],
            actor=self._seat.inspector,
            drafts={f"{_PARKED}{parcel.id}": dump(self._log), CURRENT: None},
        )
        self._adopt(Log())
        return self._tell(Band.IDLE, "parked", rma=name)

    def _resume_parked(self, text: str) -> Outcome | None:
        for slot in self._store.slots(_PARKED):
            saved = self._store.draft(slot)
            log = load(saved) if saved is not None else Log()
            parcel = replay(log).parcel
            if parcel is None:
                continue
            authorisation = parcel.authorisation
            names = {parcel.scanned}
            if authorisation is not None:
                names |= {authorisation.id, *authorisation.tracking, *authorisation.lpns}
            if text in names and parcel.arrival is not ArrivalKind.UNANNOUNCED:
                drafts = {**self._archive(), CURRENT: dump(log), slot: None}
                self._store.commit([], actor=self._seat.inspector, drafts=drafts)
                self._adopt(log)
                return self._outcome(Tone.ACCEPT)
        return None

    # --- the unit -------------------------------------------------------------------------------------------------

    def _identify(self, found: ItemFound, scan: RawScan, text: str) -> Outcome:
        protocol = self._protocol_for(found)
        given = self._draft.given_lpn
        lpn = given or new_plate(self._store.directory.lpn_is_used)
        event = IdentifiedEvent(
            unit_id=self._ids(),
            lpn=lpn,
            new_lpn=given is None,
            identity=found.outcome,
            line=found.line,
            item=found.item,
            protocol_id=protocol.id,
            protocol_version=protocol.version,
            gtin=found.gtin,
            serial_found=found.serial,
            scan=scan,
        )
        return self._do(event, tone=Tone.ACCEPT)

    def _protocol_for(self, found: ItemFound) -> Protocol:
        if found.outcome is IdentityOutcome.MISSING or found.item is None:
            return BARE_PROTOCOL
        return self._rules.protocol_for(found.item) or BARE_PROTOCOL

    def _record_mismatch(self) -> Outcome:
        mismatch = self._draft.mismatch
        if self._draft.state is not State.MISMATCH or mismatch is None:
            return self._not_now("Wrong item", "scan the item first")
        first_open = self._draft.open_lines[0].line.line if self._draft.open_lines else None
        line = mismatch.line if mismatch.line is not None else first_open
        found = ItemFound(mismatch.outcome, line, mismatch.item, mismatch.gtin, mismatch.serial_found)
        return self._identify(found, mismatch.scan, mismatch.text)

    def _record_missing(self) -> Outcome:
        if not self._draft.open_lines or self._draft.state not in (State.ITEM, State.MISMATCH, State.DONE):
            return self._not_now("Not in parcel", "no announced unit is open")
        line = self._draft.open_lines[0]
        scan = RawScan(b"RSC-MISSING", "command", self._clock.now())
        found = ItemFound(IdentityOutcome.MISSING, line.line.line, line.item, None, None)
        return self._identify(found, scan, line.line.sku)

    def _choose(self, index: int, given_by: str) -> Outcome:
        question = showing.question_of(self._draft, self._protocol_of(self._draft.unit))
        if question is None:
            return self._not_now(f"Answer {index + 1}", "no question is open")
        if index >= len(question.choices):
            why = f"this question has {len(question.choices)} answers"
            return self._not_now(f"Answer {index + 1}", why)
        return self._answer(question.choices[index].id, given_by)

    def _answer(self, choice: str, given_by: str) -> Outcome:
        question = showing.question_of(self._draft, self._protocol_of(self._draft.unit))
        if question is None:
            return self._not_now("Answer", "no question is open")
        answer = Answer(question.id, choice, given_by)
        if question.id == WEIGHT_CHECK:
            if choice == showing.WEIGH_AGAIN:
                return self._do(WeighAgainEvent(), tone=Tone.ACCEPT)
            return self._do(WeightExplainedEvent(answer=answer), tone=Tone.ACCEPT)
        return self._do(AnsweredEvent(answers=(answer,)), tone=Tone.ACCEPT)

    def _shortcut(self, command: Command, given_by: str) -> Outcome:
        unit = self._draft.unit
        protocol = self._protocol_of(unit)
        code = next(barcode for barcode, spec in BY_BARCODE.items() if spec.command is command)
        shortcut = protocol.shortcut(code)
        label = shortcut.label if shortcut is not None else command.value
        if unit is None or not may(self._draft.state, Event.ANSWERED):
            return self._not_now(label.capitalize(), "no unit waits for answers")
        if shortcut is None:
            return self._tell(
                Band.REJECT, "shortcut_refused", label=label.capitalize(), why="these goods have no such answer"
            )
        reason = declared_reason(self._draft.line(unit.line))
        if reason in shortcut.unless_reasons:
            why = f"the customer says: {str(reason).replace('_', ' ')}"
            return self._tell(Band.REJECT, "shortcut_refused", label=label, why=why)
        if unit.answered.get(WEIGHT_CHECK, COMPLETE) != COMPLETE:
            return self._tell(Band.REJECT, "shortcut_refused", label=label, why="the weight check found something")
        answers: dict[str, str] = dict(unit.answered)
        given: list[Answer] = []
        while open_now := protocol.open_questions(answers, reason, traits_of(unit)):
            question = open_now[0]
            choice = shortcut.answers.get(question.id)
            if choice is None:
                why = f"it does not answer “{question.text}”"
                return self._tell(Band.REJECT, "shortcut_refused", label=label, why=why)
            answers[question.id] = choice
            given.append(Answer(question.id, choice, f"shortcut:{code}"))
        return self._do(AnsweredEvent(answers=tuple(given)), tone=Tone.ACCEPT)

    def _skip(self, device_detail: str) -> Outcome:
        unit = self._draft.unit
        reason = device_detail or "skipped by the inspector"
        if unit is not None and self._draft.state is State.WEIGHT:
            return self._do(SkippedEvent(skipped=Skipped("weight", reason)), tone=Tone.ATTENTION)
        shot = showing.current_shot(self._draft, self._protocol_of(unit))
        if self._draft.state is State.PHOTOS and shot is not None:
            return self._do(SkippedEvent(skipped=Skipped(f"photo:{shot.id}", reason)), tone=Tone.ATTENTION)
        return self._not_now("Skip", "only weighing and photos can be skipped")

    def _second_look(self) -> Outcome:
        unit = self._draft.unit
        if unit is None or not may(self._draft.state, Event.SECOND_LOOK):
            return self._not_now("Second look", "no unit is open")
        if unit.second_look_asked:
            return self._tell(Band.HOLD, "second_look_noted")
        self._do(SecondLookEvent(), tone=Tone.ATTENTION)
        return self._tell(Band.HOLD, "second_look_noted")

    def _confirm(self) -> Outcome:
        if self._draft.state is not State.CONFIRM:
            return self._not_now("Confirm", "there is nothing to confirm yet")
        return self._do_confirm(self._log, self._draft, by_answer=False)

    def _reprint(self) -> Outcome:
        unit = self._draft.unit
        if unit is None or unit.inspection_id is None:
            return self._not_now("Print again", "no finished unit is on the screen")
        decision = self._decision(self._draft, unit)
        copy = self._copies.get(unit.lpn, 0) + 1
        job = self._label_job(self._draft, unit, decision, copy)
        printed = record.LabelPrinted(job.job_id, job.lpn, copy, self._clock.now())
        self._store.commit([_fact(record.LABEL_PRINTED, printed)], actor=self._seat.inspector, drafts={})
        self._copies[unit.lpn] = copy
        self._labels = (job,)
        return self._tell(Band.IDLE, "printing_again", lpn=unit.lpn)

    # --- going back -----------------------------------------------------------------------------------------------

    def _back(self) -> Outcome:
        if self._draft.state is State.MISMATCH:
            return self._do(MismatchDroppedEvent(), tone=Tone.ACCEPT)
        if self._draft.state in (State.IDLE, State.DONE):
            if self._notice is not None:
                return self._outcome(Tone.ACCEPT)  # Esc answers a message that stays until answered
            return self._not_now("Back", "use UNDO to take back a finished unit")
        return self._undo()

    def _undo(self) -> Outcome:
        if not self._log.records:
            return self._undo_into_past()
        last = self._log.records[-1].event
        log = without_last_step(self._log)
        facts: list[Fact] = []
        now = self._clock.now()
        unit = self._draft.unit
        if isinstance(last, ConfirmedEvent) and unit is not None:
            voided = record.InspectionVoided(last.inspection_id, "undone by the inspector", now)
            facts.append(_fact(record.INSPECTION_VOIDED, voided))
            log = msgspec.structs.replace(log, corrects={**log.corrects, unit.unit_id: last.inspection_id})
        elif not log.records and self._draft.parcel is not None:
            facts.append(_fact(record.PARCEL_CLOSED, record.ParcelClosed(self._draft.parcel.id, 0, (), now)))
        what = event_of(self._last_act()).value
        drafts: dict[str, bytes | None] = {CURRENT: dump(log) if log.records else None}
        if not log.records:
            log = self._reopen_past(drafts)
        self._store.commit(facts, actor=self._seat.inspector, drafts=drafts)
        self._adopt(log)
        self._refresh_figures()
        return self._tell(Band.IDLE, "undone", what=what, tone=Tone.TICK)

    def _last_act(self) -> DraftEvent:
        kept = len(without_last_step(self._log).records)
        return self._log.records[kept].event

    def _undo_into_past(self) -> Outcome:
        drafts: dict[str, bytes | None] = {}
        log = self._reopen_past(drafts)
        if not log.records:
            return self._tell(Band.REJECT, "nothing_to_undo")
        self._store.commit([], actor=self._seat.inspector, drafts=drafts)
        self._adopt(log)
        return self._undo()

    def _reopen_past(self, drafts: dict[str, bytes | None]) -> Log:
        """The newest finished parcel, moved back to the bench in ``drafts``; an empty log if there is none."""
        slots = self._store.slots(_PAST)
        saved = self._store.draft(slots[-1]) if slots else None
        if saved is None:
            return Log()
        drafts[slots[-1]] = None
        drafts[CURRENT] = saved
        return load(saved)

    def _archive(self) -> Mapping[str, bytes | None]:
        """Draft slots that keep the finished parcel for undo, and drop the oldest beyond what is promised."""
        if not self._log.records:
            return {}
        slots = self._store.slots(_PAST)
        surplus = slots[: max(0, len(slots) + 1 - _PAST_KEPT)]
        return {**dict.fromkeys(surplus), f"{_PAST}{self._ids()}": dump(self._log)}

    # --- one step -------------------------------------------------------------------------------------------------

    def _do(self, event: DraftEvent, *, tone: Tone, facts: list[Fact] | None = None, fresh: bool = False) -> Outcome:
        """Apply one event: table, save, show. ``fresh`` begins a new log and keeps the old one for undo."""
        now = self._clock.now()
        draft = apply(self._draft, event, now)
        state = next_state(self._draft.state, event_of(event), self._needs(draft))
        draft = replace(draft, state=state)
        log = append(Log() if fresh else self._log, event, now, state)
        if state is State.DONE:
            return self._do_confirm(log, draft, by_answer=True)
        drafts = {**(self._archive() if fresh else {}), CURRENT: dump(log)}
        self._store.commit(facts or [], actor=self._seat.inspector, drafts=drafts)
        self._log, self._draft, self._notice = log, draft, None
        return self._outcome(tone)

    def _do_confirm(self, log: Log, draft: Draft, *, by_answer: bool) -> Outcome:
        unit = draft.unit
        if unit is None:
            raise IllegalTransition("there is no unit to confirm")
        now = self._clock.now()
        decision = self._decision(draft, unit)
        inspection_id = self._ids()
        inspection = inspection_of(draft, log, unit, self._protocol_of(unit), decision, inspection_id, now)
        facts = [_fact(record.INSPECTION_CONFIRMED, inspection)]
        labels: tuple[LabelJob, ...] = ()
        if unit.new_lpn and unit.identity is not IdentityOutcome.MISSING:
            job = self._label_job(draft, unit, decision, 0)
            facts.append(_fact(record.LABEL_PRINTED, record.LabelPrinted(job.job_id, job.lpn, 0, now)))
            labels = (job,)
        event = ConfirmedEvent(inspection_id=inspection_id, line=unit.line, by_answer=by_answer)
        log = append(log, event, now, State.DONE)
        draft = replace(apply(draft, event, now), state=State.DONE)
        self._store.commit(facts, actor=self._seat.inspector, drafts={CURRENT: dump(log)})
        self._log, self._draft, self._notice, self._labels = log, draft, None, labels
        self._refresh_figures()
        logger.info("inspection %s confirmed: %s", inspection_id, decision.disposition.value)
        outcome = self._outcome(None)
        return replace(outcome, tone=_TONES[outcome.view.notice.band])

    def _needs(self, draft: Draft) -> Needs:
        unit = draft.unit
        if unit is None:
            return Needs(weight=False, weight_in_doubt=False, photo=False, answer=False, confirm=True)
        protocol = self._protocol_of(unit)
        present = unit.identity is not IdentityOutcome.MISSING
        skipped = {skip.what for skip in unit.skipped}
        weight = present and protocol.weigh and unit.weight is None and "weight" not in skipped
        photo = present and showing.current_shot(draft, protocol) is not None
        reason = declared_reason(draft.line(unit.line))
        answer = present and bool(protocol.open_questions(unit.answered, reason, traits_of(unit)))
        missing_something = weight or unit.weight_in_doubt or photo or answer
        confirm = not missing_something and (
            not unit.answers or self._decision(draft, unit).needs_confirm or unit.second_look_asked
        )
        return Needs(weight=weight, weight_in_doubt=unit.weight_in_doubt, photo=photo, answer=answer, confirm=confirm)

    def _decision(self, draft: Draft, unit: UnitDraft) -> Decision:
        case = case_of(draft, unit, self._protocol_of(unit), self._clock.now())
        return decide(case, self._rules)

    def _protocol_of(self, unit: UnitDraft | None) -> Protocol:
        if unit is None or unit.protocol_id == BARE_PROTOCOL.id:
            return BARE_PROTOCOL
        return self._rules.protocol(unit.protocol_id, unit.protocol_version) or BARE_PROTOCOL

    def _label_job(self, draft: Draft, unit: UnitDraft, decision: Decision, copy: int) -> LabelJob:
        return LabelJob(
            job_id=self._ids(),
            lpn=unit.lpn,
            title=title_of(unit, draft.line(unit.line)),
            grade=decision.grade.code if decision.grade is not None else None,
            disposition=decision.disposition.value,
            tote=decision.tote,
            copy=copy,
        )

    # --- what is shown --------------------------------------------------------------------------------------------

    def _adopt(self, log: Log) -> None:
        self._log, self._draft, self._notice = log, replay(log), None

    def _not_now(self, action: str, why: str) -> Outcome:
        return self._tell(Band.REJECT, "not_now", action=action, why=why)

    def _tell(self, band: Band, code: str, *, tone: Tone | None = None, **facts: str) -> Outcome:
        """Show a message over the unchanged step; it stays until the next thing that is understood."""
        self._notice = Notice(band, code, facts)
        return self._outcome(tone or _TONES[band], keep_notice=True)

    def _outcome(self, tone: Tone | None, *, keep_notice: bool = False) -> Outcome:
        if not keep_notice:
            self._notice = None
        unit = self._draft.unit
        decision = None
        if unit is not None and self._draft.state in (State.CONFIRM, State.DONE):
            decision = self._decision(self._draft, unit)
        view = showing.view_of(
            draft=self._draft,
            log=self._log,
            protocol=self._protocol_of(unit),
            decision=decision,
            notice=self._notice,
            rules=self._rules,
            recent=self._recent,
            figures=self._figures,
            can_undo=bool(self._log.records) or bool(self._store.slots(_PAST)),
        )
        labels, self._labels = self._labels, ()
        return Outcome(view, tone, labels)

    def _refresh_figures(self) -> None:
        self._recent = self._store.recent(6)
        self._figures = self._store.figures(self._shift_start, self._clock.now())


def _fact(kind: str, payload: object) -> Fact:
    return Fact(kind, 1, canonical_json(payload))

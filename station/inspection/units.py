"""Units: identified, questioned, skipped, confirmed, labelled."""

from __future__ import annotations

from station.errors import InvalidInput
from station.identify.commands import BY_COMMAND, Command
from station.identify.interpret import interpret
from station.identify.scan import RawScan
from station.identify.text import split_aim
from station.inspection import record, showing
from station.inspection.draft import (
    AnsweredEvent,
    IdentifiedEvent,
    SecondLookEvent,
    SkippedEvent,
    UnitDraft,
    WeighAgainEvent,
    WeightExplainedEvent,
)
from station.inspection.entry import Expected, read_code, read_entry
from station.inspection.facts import Answer, IdentityOutcome, Skipped
from station.inspection.finding import ItemFound
from station.inspection.plates import new_plate
from station.inspection.plausibility import COMPLETE, WEIGHT_CHECK
from station.inspection.protocol import Kind, Protocol, Weighing
from station.inspection.recording import BARE_PROTOCOL, declared_reason, traits_of
from station.inspection.stepper import Stepper, fact_of
from station.inspection.view import Band, Outcome, State, Tone
from station.inspection.waiting_labels import WaitingLabels
from station.inspection.workflow import Event, may


class Units:
    """What can be done with the unit on the bench."""

    def __init__(self, at: Stepper, waiting: WaitingLabels) -> None:
        self._at = at
        self._waiting = waiting
        self._copies: dict[str, int] = {}

    def identify(self, found: ItemFound, scan: RawScan, text: str) -> Outcome:
        """The item is known (or known to be wrong): begin its unit, with its own plate and protocol."""
        protocol = self._protocol_for(found)
        given = self._at.draft.given_lpn
        lpn = given or new_plate(self._at.store.directory.lpn_is_used)
        event = IdentifiedEvent(
            unit_id=self._at.ids(),
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
        return self._at.do(event, tone=Tone.ACCEPT)

    def _protocol_for(self, found: ItemFound) -> Protocol:
        if found.outcome is IdentityOutcome.MISSING or found.item is None:
            return BARE_PROTOCOL
        return self._at.rules.protocol_for(found.item) or BARE_PROTOCOL

    def record_mismatch(self) -> Outcome:
        """WRONG ITEM: what was scanned is recorded in place of what was announced."""
        mismatch = self._at.draft.mismatch
        if self._at.draft.state is not State.MISMATCH or mismatch is None:
            return self._at.not_now("Wrong item", "scan the item first")
        first_open = self._at.draft.open_lines[0].line.line if self._at.draft.open_lines else None
        line = mismatch.line if mismatch.line is not None else first_open
        found = ItemFound(mismatch.outcome, line, mismatch.item, mismatch.gtin, mismatch.serial_found)
        return self.identify(found, mismatch.scan, mismatch.text)

    def record_missing(self) -> Outcome:
        """NOT IN PARCEL: the next announced unit did not come."""
        if not self._at.draft.open_lines or self._at.draft.state not in (State.ITEM, State.MISMATCH, State.DONE):
            return self._at.not_now("Not in parcel", "no announced unit is open")
        line = self._at.draft.open_lines[0]
        scan = RawScan(b"RSC-MISSING", "command", self._at.clock.now())
        found = ItemFound(IdentityOutcome.MISSING, line.line.line, line.item, None, None)
        return self.identify(found, scan, line.line.sku)

    def choose(self, index: int, given_by: str) -> Outcome:
        """One of the numbered answers."""
        question = showing.question_of(self._at.draft, self._at.protocol(self._at.draft.unit))
        if question is None:
            return self._at.not_now(f"Answer {index + 1}", "no question is open")
        if index >= len(question.buttons):
            why = (
                f"this question has {len(question.buttons)} answers" if question.buttons else "type or scan the answer"
            )
            return self._at.not_now(f"Answer {index + 1}", why)
        return self.answer(question.buttons[index].id, given_by)

    def enter(self, typed: str, given_by: str) -> Outcome:
        """A number, a text or a code was typed or scanned as the answer."""
        unit = self._at.draft.unit
        question = showing.question_of(self._at.draft, self._at.protocol(unit))
        if unit is None or question is None or not question.is_entered:
            return self._at.not_now("Answer", "no question waits for something typed")
        if question.kind is Kind.SCAN and typed.strip():
            return self.code(typed.strip().encode(), given_by)
        try:
            choice, value = read_entry(question, typed)
        except InvalidInput as error:
            return self._refuse_entry(error)
        return self.answer(choice.id, given_by, value)

    def code(self, data: bytes, given_by: str) -> Outcome:
        """A code is the answer to a question of kind ``scan``."""
        unit = self._at.draft.unit
        question = showing.question_of(self._at.draft, self._at.protocol(unit))
        if unit is None or question is None:
            return self._at.not_now("Answer", "no question is open")
        text = split_aim(data)[1].decode("utf-8", "replace").strip()
        try:
            choice, value = read_code(question, interpret(data), text, self._expected(unit))
        except InvalidInput as error:
            return self._refuse_entry(error)
        return self.answer(choice.id, given_by, value)

    def _refuse_entry(self, error: InvalidInput) -> Outcome:
        return self._at.tell(Band.REJECT, "entry_refused", why=str(error))

    def _expected(self, unit: UnitDraft) -> Expected:
        line = self._at.draft.line(unit.line)
        return Expected(
            serial=line.line.serial if line is not None else None,
            gtins=unit.item.gtins if unit.item is not None else (),
        )

    def answer(self, choice: str, given_by: str, value: str | None = None) -> Outcome:
        """Answer the question on the screen."""
        question = showing.question_of(self._at.draft, self._at.protocol(self._at.draft.unit))
        if question is None:
            return self._at.not_now("Answer", "no question is open")
        answer = Answer(question.id, choice, given_by, value)
        if question.id == WEIGHT_CHECK:
            if choice == showing.WEIGH_AGAIN:
                return self._at.do(WeighAgainEvent(), tone=Tone.ACCEPT)
            return self._at.do(WeightExplainedEvent(answer=answer), tone=Tone.ACCEPT)
        return self._at.do(AnsweredEvent(answers=(answer,)), tone=Tone.ACCEPT)

    def shortcut(self, command: Command, given_by: str) -> Outcome:
        """CLEAN or SEALED: one act answers every question of a good unit, or says why it may not."""
        unit = self._at.draft.unit
        protocol = self._at.protocol(unit)
        code = BY_COMMAND[command].barcode
        shortcut = protocol.shortcut(code)
        label = shortcut.label if shortcut is not None else command.value
        if unit is None or not may(self._at.draft.state, Event.ANSWERED):
            return self._at.not_now(label.capitalize(), "no unit waits for answers")
        if shortcut is None:
            return self._at.tell(
                Band.REJECT, "shortcut_refused", label=label.capitalize(), why="these goods have no such answer"
            )
        reason = declared_reason(self._at.draft.line(unit.line))
        if reason in shortcut.unless_reasons:
            why = f"the customer says: {str(reason).replace('_', ' ')}"
            return self._at.tell(Band.REJECT, "shortcut_refused", label=label, why=why)
        if unit.answered.get(WEIGHT_CHECK, COMPLETE) != COMPLETE:
            return self._at.tell(Band.REJECT, "shortcut_refused", label=label, why="the weight check found something")
        answers: dict[str, str] = dict(unit.answered)
        given: list[Answer] = []
        while open_now := protocol.open_questions(answers, reason, traits_of(unit)):
            question = open_now[0]
            choice = shortcut.answers.get(question.id)
            if choice is None:
                why = f"it does not answer “{question.text}”"
                return self._at.tell(Band.REJECT, "shortcut_refused", label=label, why=why)
            answers[question.id] = choice
            given.append(Answer(question.id, choice, f"shortcut:{code}"))
        return self._at.do(AnsweredEvent(answers=tuple(given)), tone=Tone.ACCEPT)

    def skip(self, device_detail: str) -> Outcome:
        """Leave out weighing or a photo, with the reason."""
        unit = self._at.draft.unit
        reason = device_detail or "skipped by the inspector"
        protocol = self._at.protocol(unit)
        if unit is not None and self._at.draft.state is State.WEIGHT:
            if protocol.weighing.rule is Weighing.MUST and not device_detail:
                return self._at.not_now("Skip", protocol.weighing.why or "these goods must be weighed")
            return self._at.do(SkippedEvent(skipped=Skipped("weight", reason)), tone=Tone.ATTENTION)
        shot = showing.current_shot(self._at.draft, protocol)
        if self._at.draft.state is State.PHOTOS and shot is not None:
            if shot.must and not device_detail:
                return self._at.not_now("Skip", f"this photo is needed: {shot.guide}")
            return self._at.do(SkippedEvent(skipped=Skipped(f"photo:{shot.id}", reason)), tone=Tone.ATTENTION)
        return self._at.not_now("Skip", "only weighing and photos can be skipped")

    def second_look(self) -> Outcome:
        """A second pair of eyes is wanted."""
        unit = self._at.draft.unit
        if unit is None or not may(self._at.draft.state, Event.SECOND_LOOK):
            return self._at.not_now("Second look", "no unit is open")
        if unit.second_look_asked:
            return self._at.tell(Band.HOLD, "second_look_noted")
        self._at.do(SecondLookEvent(), tone=Tone.ATTENTION)
        return self._at.tell(Band.HOLD, "second_look_noted")

    def confirm(self) -> Outcome:
        """The explicit CONFIRM."""
        if not may(self._at.draft.state, Event.CONFIRMED):
            return self._at.not_now("Confirm", "there is nothing to confirm yet")
        return self._at.record_unit(self._at.log, self._at.draft, by_answer=False)

    def reprint(self) -> Outcome:
        """Print the plate again, marked as a copy."""
        unit = self._at.draft.unit
        if unit is None or unit.inspection_id is None:
            return self._at.not_now("Print again", "no finished unit is on the screen")
        decision = self._at.decision(self._at.draft, unit)
        copy = max(self._copies.get(unit.lpn, 0), self._waiting.copies(unit.lpn)) + 1
        job = self._at.label_job(self._at.draft, unit, decision, copy)
        printed = record.LabelPrinted(job.job_id, job.lpn, copy, self._at.clock.now())
        self._at.save([fact_of(record.LABEL_PRINTED, printed)], self._waiting.kept(job))
        self._copies[unit.lpn] = copy
        self._at.labels = (job,)
        return self._at.tell(Band.IDLE, "printing_again", lpn=unit.lpn)

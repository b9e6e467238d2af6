"""The use cases of a bench: one method per thing that can arrive, each ends with what the screen shows now.

Every method runs on one thread, in the order in which things happened. A method that changes the draft has saved it
durably before it returns, so the screen never shows a step that a pulled plug could take back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from station.clock import Clock
from station.decision.gate_machine import NEEDS, Happening, authorise
from station.decision.model import Derogation, GateAct, GateActKind, Signature
from station.decision.rules import Rules
from station.errors import InvalidInput, OperatorError
from station.identify.commands import BY_BARCODE, PREFIX, Command
from station.identify.interpret import interpret
from station.identify.scan import Candidate, CandidateKind, Check, RawScan
from station.identify.text import split_aim
from station.inspection import showing
from station.inspection.draft import (
    DraftEvent,
    GateActedEvent,
    MismatchedEvent,
    PermittedEvent,
    PhotographedEvent,
    SerialSeenEvent,
    WeighedEvent,
    event_of,
    load,
)
from station.inspection.facts import IdentityOutcome, Look, Photo, WeightReading
from station.inspection.finding import ItemFound, find_item, find_parcel
from station.inspection.going_back import GoingBack
from station.inspection.parcels import Parcels
from station.inspection.plausibility import judge_learned, judge_weight
from station.inspection.ports import BenchStore
from station.inspection.protocol import Kind
from station.inspection.recording import weighed_as
from station.inspection.seen import SeenCode, serial_in_photo
from station.inspection.stepper import CURRENT, PLAIN_SITE, Seat, Site, Stepper
from station.inspection.units import Units
from station.inspection.view import Band, Outcome, State, Tone
from station.inspection.waiting_labels import WaitingLabels
from station.inspection.weight.learned import LearnedMass, learned
from station.inspection.workflow import Event, may
from station.people.may import Act
from station.returns.model import CatalogueItem

__all__ = ["Desk", "Seat", "Site"]

_ACTS = {
    GateActKind.PROOF: Act.INSPECT,
    GateActKind.RECALL_CONFIRMED: NEEDS[Happening.CONFIRMED],
    GateActKind.RECALL_DENIED: NEEDS[Happening.DENIED],
    GateActKind.SETTLED: NEEDS[Happening.SETTLED],
}
"""The right that each act on a gate takes."""

logger = logging.getLogger(__name__)


class Desk:
    """What can be done at a bench."""

    def __init__(
        self, store: BenchStore, rules: Rules, seat: Seat, clock: Clock, ids: Callable[[], str], shift_start: datetime,
        site: Site = PLAIN_SITE,
    ) -> None:  # fmt: skip
        self._at = Stepper(store, rules, seat, clock, ids, shift_start, site)
        self._parcels = Parcels(self._at)
        self._labels = WaitingLabels(self._at)
        self._units = Units(self._at, self._labels)
        self._past = GoingBack(self._at)

    def resume(self) -> Outcome:
        """Take up the saved draft after a start, at the same step with the same answers and photos."""
        saved = self._at.store.draft(CURRENT)
        if saved is not None:
            try:
                self._at.adopt(load(saved))
            except InvalidInput as error:
                logger.error("draft set aside: %s", error)
                self._at.save([], {f"damaged:{self._at.ids()}": saved, CURRENT: None})
        return self.show()

    def show(self) -> Outcome:
        """The view as it stands, with fresh figures and without a sound."""
        self._at.refresh_figures()
        return self._at.outcome(None, keep_notice=True)

    def scan(self, scan: RawScan) -> Outcome:
        """Take one complete scan: a command, an answer, a parcel or an item, by what the bench waits for."""
        _, payload = split_aim(scan.data)
        text = payload.decode("utf-8", "replace").strip()
        if text.startswith(PREFIX):
            return self._command_scan(text)
        candidates = interpret(scan.data)
        if self._at.draft.state is State.IDLE:
            return self._parcels.scan(scan, candidates, text)
        if self._at.draft.state in (State.ITEM, State.MISMATCH):
            return self._item_scan(scan, candidates, text)
        if self._at.draft.state is State.DONE:
            return self._scan_when_done(scan, candidates, text)
        question = showing.question_of(self._at.draft, self._at.protocol(self._at.draft.unit))
        if question is not None and question.kind is Kind.SCAN:
            return self._units.code(scan.data, "scan")
        return self._scan_meanwhile(candidates, text)

    def entered(self, typed: str, given_by: str = "key") -> Outcome:
        """Take what was typed as the answer to a question that asks for a number, a text or a code."""
        return self._units.enter(typed, given_by)

    def refused_scan(self, raw: bytes, reason: str) -> Outcome:
        """The scanner sent something that is no whole code: say so, take nothing from it."""
        shown = raw[:40].decode("utf-8", "replace")
        return self._at.tell(Band.REJECT, "scan_not_understood", scanned=shown, why=reason)

    def weight(self, reading: WeightReading) -> Outcome | None:
        """Take an accepted weight; None where the bench does not wait for one (nothing is changed)."""
        unit = self._at.draft.unit
        if self._at.draft.state is not State.WEIGHT or unit is None or reading.gross_mg < 2 * reading.interval_mg:
            return None
        item = weighed_as(unit.item, self._at.protocol(unit))
        if item is None:
            judgement = judge_weight(reading, None)
        else:
            others = [(line.item, self._mass_of(line.item)) for line in self._at.draft.lines if line.item is not None]
            budget = self._at.site.false_alarms
            judgement = judge_learned(reading, item, self._mass_of(item), others, budget)
        return self._at.do(WeighedEvent(reading=reading, judgement=judgement), tone=Tone.TICK)

    def _mass_of(self, item: CatalogueItem) -> LearnedMass | None:
        """What this bench has learned that an article weighs; None = too few units were in order yet."""
        return learned(self._at.store.mass_history(item.merchant_id, item.sku))

    def gate_act(self, act: GateAct) -> Outcome:
        """A person acts on a gate of this unit: a document, a recall notice compared, a lead who agrees.

        Args:
            act: with the signatures of who stands behind it, as the window has proved them.
        """
        return self._signed(GateActedEvent(act=act), _ACTS[act.kind], act.subject, act.kind.value, act.signed)

    def permit(self, derogation: Derogation) -> Outcome:
        """A recorded permission to pass a gate of this unit; two leads sign it."""
        if not derogation.reference.strip():
            return self._at.not_now("Permission", "give the number of the document")
        event = PermittedEvent(derogation=derogation)
        return self._signed(event, NEEDS[Happening.PERMITTED], derogation.gate, "permission", derogation.signed)

    def _signed(self, event: DraftEvent, right: Act, subject: str, what: str, signed: tuple[Signature, ...]) -> Outcome:
        action = f"{what.replace('_', ' ').capitalize()} for {subject}"
        if self._at.draft.unit is None or not may(self._at.draft.state, event_of(event)):
            return self._at.not_now(action, "no unit is open")
        try:
            authorise(right, signed)
        except OperatorError as refusal:
            return self._at.not_now(action, str(refusal))
        return self._at.do(event, tone=Tone.ACCEPT)

    def photo(self, photo: Photo, look: Look | None = None) -> Outcome | None:
        """Take a photo that is already durable; None where no unit is open.

        Args:
            look: what it looks like; one that shows the same as a photo of another unit asks for a second look.
        """
        unit = self._at.draft.unit
        if unit is None or not may(self._at.draft.state, Event.PHOTOGRAPHED):
            return None
        if look is not None:
            store = self._at.store
            photo = replace(photo, resembles=store.photo_like(look.bits, unit.unit_id, look.same_at_most))
            store.remember_photo(photo.sha256, unit.unit_id, look.bits)
        return self._at.do(PhotographedEvent(photo=photo), tone=Tone.TICK)

    @property
    def wants_serial(self) -> bool:
        """A serial number would tell something about this unit, and none is known yet."""
        unit = self._at.draft.unit
        if unit is None or unit.serial_found is not None or not may(self._at.draft.state, Event.SERIAL_SEEN):
            return False
        line = self._at.draft.line(unit.line)
        shipped = line.line.serial if line is not None else None
        return shipped is not None or (unit.item is not None and unit.item.serialised)

    def codes_in_photo(self, photo: str, codes: Sequence[SeenCode]) -> Outcome | None:
        """Take what was read in a photo of this unit; None where it tells nothing.

        A photo is no scan: a serial number counts if it is the one that was shipped, or if the label names this very
        article beside it. Anything else that lies in the picture does nothing.
        """
        unit = self._at.draft.unit
        if unit is None or not self.wants_serial or all(photo != taken.sha256 for taken in unit.photos):
            return None
        line = self._at.draft.line(unit.line)
        shipped = line.line.serial if line is not None else None
        serial = serial_in_photo(codes, shipped, unit.item.gtins if unit.item is not None else ())
        if serial is None:
            return None
        return self._at.do(SerialSeenEvent(serial=serial, photo=photo), tone=Tone.TICK)

    def label_left(self, lpn: str) -> None:
        """The label of a plate is printed (with scan-back: scanned): it is not printed again after a restart."""
        self._labels.left(lpn)

    def labels_again(self) -> Outcome | None:
        """After a start, where there is a printer: labels that were on their way, as copies; None = none were."""
        return self._labels.again()

    def command(self, command: Command, given_by: str = "key", *, device_detail: str = "") -> Outcome:
        """Carry out one action of the table.

        Args:
            given_by: ``scan``, ``key`` or ``touch``.
            device_detail: for SKIP: what the device's light says, kept as the reason.
        """
        match command:
            case Command.UNDO:
                return self._past.undo()
            case Command.BACK:
                return self._past.back()
            case Command.NO_LABEL:
                return self._parcels.no_label()
            case Command.WRONG_ITEM:
                return self._units.record_mismatch()
            case Command.MISSING:
                return self._units.record_missing()
            case Command.PARK:
                return self._parcels.park()
            case Command.SKIP:
                return self._units.skip(device_detail)
            case Command.SECOND_LOOK:
                return self._units.second_look()
            case Command.CONFIRM if self._waits_for_entry:
                return replace(self._at.outcome(None, keep_notice=True), asks=(command,))
            case Command.CONFIRM:
                return self._units.confirm()
            case Command.REPRINT:
                return self._units.reprint()
            case Command.CLEAN | Command.SEALED:
                return self._units.shortcut(command, given_by)
            case Command.PHOTO | Command.HELP:
                return replace(self._at.outcome(None, keep_notice=True), asks=(command,))
            case _:
                return self._units.choose(int(command.value.rpartition("_")[2]) - 1, given_by)

    @property
    def _waits_for_entry(self) -> bool:
        """Something is being typed: what stands in the field is the window's, so it is asked for it."""
        question = showing.question_of(self._at.draft, self._at.protocol(self._at.draft.unit))
        return question is not None and question.is_entered

    def _command_scan(self, text: str) -> Outcome:
        question = showing.question_of(self._at.draft, self._at.protocol(self._at.draft.unit))
        for choice in question.buttons if question is not None else ():
            if choice.code == text:
                return self._units.answer(choice.id, "scan")
        spec = BY_BARCODE.get(text)
        if spec is None:
            return self._at.tell(
                Band.REJECT, "scan_not_understood", scanned=text, why="it is not a command of this sheet"
            )
        return self.command(spec.command, "scan")

    def _item_scan(self, scan: RawScan, candidates: tuple[Candidate, ...], text: str) -> Outcome:
        if candidates and all(candidate.check is Check.BAD for candidate in candidates):
            return self._parcels.refuse(candidates, text, "scan_not_understood")
        found = self._find_item(candidates, text)
        if found.outcome is IdentityOutcome.UNKNOWN and self._is_other_parcel(candidates, text):
            return self._at.tell(
                Band.REJECT, "not_now", action=text, why="finish this parcel or scan PARK before the next one"
            )
        announced = self._at.draft.parcel is not None and self._at.draft.parcel.authorisation is not None
        if found.outcome is IdentityOutcome.MATCH or not announced:
            return self._units.identify(found, scan, text)
        return self._at.do(
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
        if self._at.draft.open_lines:
            found = self._find_item(candidates, text)
            if found.outcome in (IdentityOutcome.MATCH, IdentityOutcome.WRONG_SERIAL):
                return self._item_scan(scan, candidates, text)
        return self._parcels.scan(scan, candidates, text)

    def _scan_meanwhile(self, candidates: tuple[Candidate, ...], text: str) -> Outcome:
        unit = self._at.draft.unit
        if unit is not None and any(text.encode() in earlier.data for earlier in unit.scans):
            return self._at.outcome(Tone.TICK)  # the same item scanned again: nothing to do, nothing lost
        waits = {
            State.WEIGHT: "set the item on the scale first",
            State.WEIGHT_CHECK: "answer what is in the box first",
            State.PHOTOS: "the photos are not done yet",
            State.QUESTIONS: "answer the question first",
            State.CONFIRM: "scan CONFIRM first",
        }
        return self._at.tell(Band.REJECT, "not_now", action=text, why=waits[self._at.draft.state])

    def _find_item(self, candidates: tuple[Candidate, ...], text: str) -> ItemFound:
        parcel = self._at.draft.parcel
        merchant = parcel.merchant.id if parcel is not None and parcel.merchant is not None else None
        announced = parcel is not None and parcel.authorisation is not None
        return find_item(
            candidates, text, self._at.draft.open_lines, merchant, self._at.store.directory, announced=announced
        )

    def _is_other_parcel(self, candidates: tuple[Candidate, ...], text: str) -> bool:
        if any(candidate.kind is CandidateKind.GTIN for candidate in candidates):
            return False
        return bool(find_parcel(candidates, text, self._at.store.directory).returns)

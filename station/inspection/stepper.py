"""One step of the flow: the table is asked, the draft is saved, the screen is shown. Everything else calls this."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from station.canonical import canonical_json
from station.clock import Clock
from station.decision.decide import decide
from station.decision.model import Decision, Earlier
from station.decision.rules import Rules
from station.errors import Defect
from station.identify.carriers import tracking_key
from station.inspection import record, showing
from station.inspection.draft import (
    EMPTY,
    ConfirmedEvent,
    Draft,
    DraftEvent,
    IdentifiedEvent,
    Log,
    UnitDraft,
    append,
    apply,
    dump,
    event_of,
    load,
    protocol_key,
    replay,
    with_protocol,
)
from station.inspection.facts import IdentityOutcome
from station.inspection.ports import BenchStore, RecentUnit, ShiftFigures, Sought
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
from station.inspection.weight.expected import DEFAULT_BUDGET
from station.inspection.workflow import Needs, next_state
from station.journal.entry import Fact
from station.review.bench import Auditing, Looked, Reviewing, audit, look
from station.review.doubts import close_call
from station.review.signals import Past
from station.review.switching import cell_of

logger = logging.getLogger(__name__)

CURRENT = "current"
"""Draft slot of the parcel on the bench."""
_PAST = "past:"
_PAST_KEPT = 25
"""Finished parcels that undo can reach back into (the screens promise at least 20)."""

TONES = {Band.ACCEPT: Tone.ACCEPT, Band.REJECT: Tone.REJECT, Band.HOLD: Tone.ATTENTION, Band.IDLE: Tone.ACCEPT}


@dataclass(frozen=True, slots=True)
class Seat:
    """Which bench this is and who works at it."""

    station: str
    inspector: str


@dataclass(frozen=True, slots=True)
class Site:
    """What the site has set."""

    market: str = ""
    """Where goods are sold again, e.g. ``DE``; empty = not known."""
    false_alarms: float = DEFAULT_BUDGET
    """Share of complete units that the weight may call into doubt."""
    review: Reviewing | None = None
    """By what units are flagged for a second look beyond the decision's own rules; None = by nothing."""
    audit: Auditing | None = None
    """How units are drawn for the audit; None = there is none."""


PLAIN_SITE = Site()
"""Nothing is set."""


class Stepper:
    """The parcel on the bench and the one way to change it. Used by one thread."""

    def __init__(
        self, store: BenchStore, rules: Rules, seat: Seat, clock: Clock, ids: Callable[[], str], shift_start: datetime,
        site: Site = PLAIN_SITE,
    ) -> None:  # fmt: skip
        self.site = site
        self.store = store
        self.rules = rules
        self.seat = seat
        self.clock = clock
        self.ids = ids
        self.log = Log()
        self.draft = EMPTY
        self.notice: Notice | None = None
        """A message that lies over the step and stays until the next thing that is understood."""
        self.labels: tuple[LabelJob, ...] = ()
        """Go out with the next outcome."""
        self.keep_label: Callable[[LabelJob], Mapping[str, bytes | None]] = lambda job: {}
        """Draft slots that keep a label until it is printed."""
        self._shift_start = shift_start
        self._earlier: tuple[str, tuple[Earlier, ...]] | None = None
        """Unit and what is known of its other inspections: read once, when it is first decided."""
        self._past: tuple[Sought, Past] | None = None
        """What is known of earlier units, and for whom: read once, and again when a serial number is found."""
        self._recent: tuple[RecentUnit, ...] = ()
        self._figures: ShiftFigures | None = None

    def do(self, event: DraftEvent, *, tone: Tone, facts: list[Fact] | None = None, fresh: bool = False) -> Outcome:
        """Apply one event: table, save, show. ``fresh`` begins a new log and keeps the old one for undo."""
        now = self.clock.now()
        draft = apply(self.draft, event, now)
        state = next_state(self.draft.state, event_of(event), self._needs(draft))
        draft = replace(draft, state=state)
        log = append(Log() if fresh else self.log, event, now, state)
        if isinstance(event, IdentifiedEvent) and draft.unit is not None:
            protocol = self.protocol(draft.unit)
            log = log if protocol is BARE_PROTOCOL else with_protocol(log, protocol)
        if state is State.DONE:
            return self.record_unit(log, draft, by_answer=True)
        drafts = {**(self.archive() if fresh else {}), CURRENT: dump(log)}
        self.save(facts or [], drafts)
        self.log, self.draft, self.notice = log, draft, None
        return self.outcome(tone)

    def record_unit(self, log: Log, draft: Draft, *, by_answer: bool) -> Outcome:
        """Confirm the unit: decision, journal entries and draft in one durable transaction, then the label."""
        unit = draft.unit
        if unit is None:
            raise Defect("there is no unit to confirm")
        now = self.clock.now()
        decision, looked = self._decided(draft, unit)
        inspection_id = self.ids()
        inspection = inspection_of(
            draft, log, unit, self.protocol(unit), decision, inspection_id, now, self._earlier_of(draft, unit),
            self.site.market,
        )  # fmt: skip
        if looked is not None:
            inspection = replace(inspection, signalled=looked.signalled)
        if self.site.audit is not None and unit.identity is not IdentityOutcome.MISSING:
            grade = decision.grade.code if decision.grade is not None else None
            cell = cell_of(self.seat.inspector, inspection.category, grade)
            inspection = replace(inspection, audit=audit(self.site.audit, unit.unit_id, cell))
        facts = [fact_of(record.INSPECTION_CONFIRMED, inspection)]
        labels: tuple[LabelJob, ...] = ()
        if unit.new_lpn and unit.identity is not IdentityOutcome.MISSING:
            job = self.label_job(draft, unit, decision, 0)
            facts.append(fact_of(record.LABEL_PRINTED, record.LabelPrinted(job.job_id, job.lpn, 0, now)))
            labels = (job,)
        event = ConfirmedEvent(inspection_id=inspection_id, line=unit.line, by_answer=by_answer)
        log = append(log, event, now, State.DONE)
        draft = replace(apply(draft, event, now), state=State.DONE)
        kept = {slot: body for job in labels for slot, body in self.keep_label(job).items()}
        self.save(facts, {CURRENT: dump(log), **kept})
        self.log, self.draft, self.notice, self.labels = log, draft, None, labels
        self.refresh_figures()
        logger.info("inspection %s confirmed: %s", inspection_id, decision.disposition.value)
        outcome = self.outcome(None)
        return replace(outcome, tone=TONES[outcome.view.notice.band])

    def _needs(self, draft: Draft) -> Needs:
        unit = draft.unit
        if unit is None:
            return Needs(weight=False, weight_in_doubt=False, photo=False, answer=False, confirm=True)
        protocol = self.protocol(unit)
        present = unit.identity is not IdentityOutcome.MISSING
        skipped = {skip.what for skip in unit.skipped}
        weight = present and protocol.weigh and unit.weight is None and "weight" not in skipped
        photo = present and showing.current_shot(draft, protocol) is not None
        reason = declared_reason(draft.line(unit.line))
        answer = present and bool(protocol.open_questions(unit.answered, reason, traits_of(unit)))
        missing_something = weight or unit.weight_in_doubt or photo or answer
        confirm = not missing_something and (
            not unit.answers or self.decision(draft, unit).needs_confirm or unit.second_look_asked
        )
        return Needs(weight=weight, weight_in_doubt=unit.weight_in_doubt, photo=photo, answer=answer, confirm=confirm)

    def decision(self, draft: Draft, unit: UnitDraft) -> Decision:
        """What the rules say about the unit as it stands."""
        return self._decided(draft, unit)[0]

    def _decided(self, draft: Draft, unit: UnitDraft) -> tuple[Decision, Looked | None]:
        """The decision, and what the signals said of the unit; None = they are not asked here."""
        earlier = self._earlier_of(draft, unit)
        case = case_of(draft, unit, self.protocol(unit), self.clock.now(), earlier, self.site.market)
        review = self.site.review
        if review is None:
            return decide(case, self.rules), None
        past = self._past_of(draft, unit)
        found = look(case, review, self.rules.reasons, unit.photos, unit.serial_photo, past)
        case = replace(case, flags=(*case.flags, *found.flags))
        decision = decide(case, self.rules)
        near = close_call(case, decision, review.doubts)
        if near is not None:
            # decided again with the flag, so that a record of it gives the same bytes when it is decided anew
            decision = decide(replace(case, flags=(*case.flags, near)), self.rules)
        return decision, found

    def _past_of(self, draft: Draft, unit: UnitDraft) -> Past:
        parcel, line = draft.parcel, draft.line(unit.line)
        if parcel is None:
            return Past()
        order = parcel.authorisation
        known = order.tracking if order is not None else ()
        sought = Sought(
            unit_id=unit.unit_id,
            lpn=unit.lpn,
            parcel_id=parcel.id,
            merchant_id=parcel.merchant.id if parcel.merchant is not None else None,
            rma=order.id if order is not None else None,
            line=unit.line if line is not None and line.line.quantity > 1 else None,
            sku=unit.item.sku if unit.item is not None else None,
            serial=unit.serial_found,
            by_tracking=bool(known) and tracking_key(parcel.scanned) in {tracking_key(number) for number in known},
        )
        if self._past is None or self._past[0] != sought:
            self._past = (sought, self.store.past(sought))
        past = self._past[1]
        if past.arrived is None or unit.identity is IdentityOutcome.MISSING:
            return past
        return replace(past, arrived=past.arrived + 1)  # and the one on the bench

    def _earlier_of(self, draft: Draft, unit: UnitDraft) -> tuple[Earlier, ...]:
        if self._earlier is None or self._earlier[0] != unit.unit_id:
            authorisation = draft.parcel.authorisation if draft.parcel is not None else None
            merchant_id = authorisation.merchant_id if authorisation is not None else None
            rma = authorisation.id if authorisation is not None else None
            found = self.store.earlier_inspections(unit.unit_id, unit.lpn, merchant_id, rma, unit.line)
            self._earlier = (unit.unit_id, found)
        return self._earlier[1]

    def protocol(self, unit: UnitDraft | None) -> Protocol:
        """The protocol that the unit was begun with, in that version, even where this station no longer has it."""
        if unit is None or unit.protocol_id == BARE_PROTOCOL.id:
            return BARE_PROTOCOL
        kept = self.log.protocols.get(protocol_key(unit.protocol_id, unit.protocol_version))
        return kept or self.rules.protocol(unit.protocol_id, unit.protocol_version) or BARE_PROTOCOL

    def label_job(self, draft: Draft, unit: UnitDraft, decision: Decision, copy: int) -> LabelJob:
        """One label; ``copy`` 0 = the original."""
        return LabelJob(
            job_id=self.ids(),
            lpn=unit.lpn,
            title=title_of(unit, draft.line(unit.line)),
            grade=decision.grade.code if decision.grade is not None else None,
            disposition=decision.disposition.value,
            tote=decision.tote,
            copy=copy,
        )

    def adopt(self, log: Log) -> None:
        """Put another log on the bench; it is saved already."""
        self.log, self.draft, self.notice, self._earlier, self._past = log, replay(log), None, None, None

    def archive(self) -> Mapping[str, bytes | None]:
        """Draft slots that keep the finished parcel for undo, and drop the oldest beyond what is promised."""
        if not self.log.records:
            return {}
        slots = self.store.slots(_PAST)
        surplus = slots[: max(0, len(slots) + 1 - _PAST_KEPT)]
        return {**dict.fromkeys(surplus), f"{_PAST}{self.ids()}": dump(self.log)}

    def reopen_past(self, drafts: dict[str, bytes | None]) -> Log:
        """The newest finished parcel, moved back to the bench in ``drafts``; an empty log if there is none."""
        slots = self.store.slots(_PAST)
        saved = self.store.draft(slots[-1]) if slots else None
        if saved is None:
            return Log()
        drafts[slots[-1]] = None
        drafts[CURRENT] = saved
        return load(saved)

    def not_now(self, action: str, why: str) -> Outcome:
        """Possible, but not at this step; nothing is changed."""
        return self.tell(Band.REJECT, "not_now", action=action, why=why)

    def tell(self, band: Band, code: str, *, tone: Tone | None = None, **facts: str) -> Outcome:
        """Show a message over the unchanged step; it stays until the next thing that is understood."""
        self.notice = Notice(band, code, facts)
        return self.outcome(tone or TONES[band], keep_notice=True)

    def outcome(self, tone: Tone | None, *, keep_notice: bool = False) -> Outcome:
        """The view as it stands, with the labels that wait to go out."""
        if not keep_notice:
            self.notice = None
        unit = self.draft.unit
        decision = None
        if unit is not None and self.draft.state in (State.CONFIRM, State.DONE):
            decision = self.decision(self.draft, unit)
        view = showing.view_of(
            draft=self.draft,
            log=self.log,
            protocol=self.protocol(unit),
            decision=decision,
            notice=self.notice,
            rules=self.rules,
            recent=self._recent,
            figures=self._figures,
            can_undo=bool(self.log.records) or bool(self.store.slots(_PAST)),
        )
        labels, self.labels = self.labels, ()
        return Outcome(view, tone, labels)

    def refresh_figures(self) -> None:
        """Read "just done" and the pace anew: after a confirmation, an undo, or a minute."""
        self._recent = self.store.recent(6)
        self._figures = self.store.figures(self._shift_start, self.clock.now())

    def save(self, facts: list[Fact], drafts: Mapping[str, bytes | None]) -> None:
        """Write in one durable transaction, in the inspector's name."""
        self.store.commit(facts, actor=self.seat.inspector, drafts=drafts)


def fact_of(kind: str, payload: object) -> Fact:
    """A fact of schema 1."""
    return Fact(kind, 1, canonical_json(payload))

"""A day, or a whole journal, decided again: proof that nothing changed, or what a change would have done.

Each unit is decided by the rules that it names (``as_of``), with only the change put in their place, and compared with
what was recorded: what a screen said then, not what we compute today. Nothing is invented: where the new version asks
what nobody answered, the unit *cannot be judged*, and the question is named. Weights are not judged anew, and a shot
that the new version asks for besides does not exist; neither is pretended.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from station.decision.again import Again, Recorded, recorded_protocol, run_again
from station.decision.as_of import Change, RulesGone, Versions, changed, rules_as_of
from station.decision.model import Decision, Disposition, GateState, Reason
from station.decision.rules import Rules
from station.errors import InvalidInput
from station.inspection.protocol import Protocol
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection, InspectionVoided
from station.journal.entry import Entry
from station.quantities import Money

MOST_LISTED = 1_000
"""Units that a report lists by name; beyond that they are only counted."""


class Verdict(StrEnum):
    """What came of one unit."""

    SAME = "same"
    CHANGED = "changed"
    CANNOT_JUDGE = "cannot_judge"
    """The new version asks what nobody answered."""
    NOT_REPLAYED = "not_replayed"
    """Something that it was decided from is neither in the record nor here."""


class Result(msgspec.Struct, frozen=True):
    """The part of a decision that a merchant counts."""

    grade: str
    """Empty = it has none."""
    disposition: Disposition
    refund: Money | None
    recovery: Money | None
    """Net value of the way that was chosen; None = not known (a hold earns nothing yet)."""
    second_look: bool
    gates: tuple[str, ...]
    """Raised gates, sorted."""


class UnitReplay(msgspec.Struct, frozen=True):
    """One unit, before and after."""

    verdict: Verdict
    inspection_id: str
    lpn: str
    merchant_id: str
    sku: str
    before: Result | None
    after: Result | None = None
    changes: tuple[str, ...] = ()
    """``grade``, ``disposition``, ``refund``, ``recovery``, ``second_look``, ``gates``; of a proof: ``bytes``."""
    reasons: tuple[Reason, ...] = ()
    """What the new decision says that the old one did not."""
    gone: tuple[Reason, ...] = ()
    """What the old decision said that the new one does not."""
    why: str = ""
    """Why it could not be judged or replayed."""
    questions: tuple[str, ...] = ()
    """Ids of the questions that nobody answered."""
    dropped: tuple[str, ...] = ()
    """Answers to questions that the new version does not ask."""
    moved: tuple[tuple[str, str, str], ...] = ()
    """(question, choice then, choice now) where the same entry means something else."""
    other_rules: tuple[str, ...] = ()
    """Rule files of then that are not here: today's were used instead, so not every difference is the change's."""


@dataclass
class Total:
    """Money of the units that both versions judged, in one currency, minor units."""

    refund_before: int = 0
    refund_after: int = 0
    recovery_before: int = 0
    recovery_after: int = 0


@dataclass
class Report:
    """All units together."""

    change: tuple[str, ...] = ()
    """Empty = a proof: decided again by the rules that each unit names."""
    counts: Counter[Verdict] = field(default_factory=Counter)
    grades: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(before, after) → units, of those that both judged."""
    dispositions: Counter[tuple[str, str]] = field(default_factory=Counter)
    money: dict[str, Total] = field(default_factory=dict)
    questions: Counter[str] = field(default_factory=Counter)
    """Question that nobody answered → units."""
    reasons: Counter[str] = field(default_factory=Counter)
    """New reason's sentence → changed units."""
    why: Counter[str] = field(default_factory=Counter)
    other_rules: Counter[str] = field(default_factory=Counter)
    listed: list[UnitReplay] = field(default_factory=list)
    """Units that are not the same, the first thousand."""

    @property
    def units(self) -> int:
        return sum(self.counts.values())

    @property
    def proven(self) -> bool:
        """Every unit was decided again, to the same bytes."""
        return self.counts[Verdict.SAME] == self.units

    def add(self, unit: UnitReplay) -> None:
        """Count one unit."""
        self.counts[unit.verdict] += 1
        if unit.verdict is not Verdict.SAME and len(self.listed) < MOST_LISTED:
            self.listed.append(unit)
        if unit.questions:
            self.questions.update(unit.questions)
        if unit.other_rules:
            self.other_rules.update(unit.other_rules)
        if unit.why:
            self.why[unit.why] += 1
        if unit.before is None or unit.after is None or unit.verdict in (Verdict.CANNOT_JUDGE, Verdict.NOT_REPLAYED):
            return
        self.grades[unit.before.grade, unit.after.grade] += 1
        self.dispositions[unit.before.disposition.value, unit.after.disposition.value] += 1
        if unit.verdict is Verdict.CHANGED:
            self.reasons.update({reason.text for reason in unit.reasons})
        _add(self.money, unit.before.refund, "refund_before")
        _add(self.money, unit.after.refund, "refund_after")
        _add(self.money, unit.before.recovery, "recovery_before")
        _add(self.money, unit.after.recovery, "recovery_after")


def _add(money: dict[str, Total], amount: Money | None, what: str) -> None:
    if amount is not None:
        total = money.setdefault(amount.currency, Total())
        setattr(total, what, getattr(total, what) + amount.minor)


class _Stored(msgspec.Struct, frozen=True):
    """The decision's own bytes."""

    decision: msgspec.Raw


class _Named(msgspec.Struct, frozen=True):
    inspection_id: str = ""
    corrects: str | None = None


class Replay:
    """Decides recorded units again.

    Args:
        rules: every rule file there is, the changed ones too.
        change: what is to be different; empty = nothing: a proof.
        today: the rules without the change, for units whose own are not here any more.
    """

    def __init__(self, rules: Rules, change: Change, today: Rules) -> None:
        self._rules, self._change, self._today = rules, change, today
        self._known: dict[Versions, tuple[Rules, tuple[str, ...]]] = {}
        self._inspection = msgspec.json.Decoder(Inspection)
        self._stored = msgspec.json.Decoder(_Stored)
        self._encoder = msgspec.json.Encoder(order="sorted")
        self._new_protocols = {(one.id, one.version) for one in change.protocols}

    def unit(self, payload: bytes) -> UnitReplay:
        """Decide one recorded inspection again.

        Args:
            payload: of the journal's entry; its bytes are what counts.

        Raises:
            InvalidInput: it is no inspection.
        """
        try:
            inspection = self._inspection.decode(payload)
        except msgspec.MsgspecError as error:
            raise InvalidInput(f"an inspection in the journal cannot be read: {error}") from error
        unit = UnitReplay(
            Verdict.SAME, inspection.inspection_id, inspection.lpn, inspection.merchant_id or "", inspection.sku or "",
            result_of(inspection.decision),
        )  # fmt: skip
        basis = inspection.basis
        if basis is None:
            return replace(unit, verdict=Verdict.NOT_REPLAYED, why="recorded without price and order: nothing to go by")
        recorded = Recorded(inspection, basis.at, basis.merchant, basis.item, basis.authorisation)
        try:
            if self._change.is_empty:
                return self._proof(unit, recorded, payload)
            return self._changed(unit, recorded)
        except InvalidInput as error:
            return replace(unit, verdict=Verdict.NOT_REPLAYED, why=str(error))

    def _proof(self, unit: UnitReplay, recorded: Recorded, payload: bytes) -> UnitReplay:
        rules = self._as_of(recorded.inspection.decision.versions)
        decision = run_again(recorded, rules).decision
        if self._encoder.encode(decision) == bytes(self._stored.decode(payload).decision):
            return replace(unit, after=unit.before)
        after = result_of(decision)
        return _compared(unit, after, recorded.inspection.decision, decision, ("bytes",))

    def _as_of(self, versions: Versions) -> Rules:
        """The rules of then, whole.

        Raises:
            RulesGone: they are not here.
        """
        known = self._known.get(versions)
        if known is None:
            known = self._known[versions] = (rules_as_of(self._rules, versions), ())
        return known[0]

    def _with_change(self, versions: Versions) -> tuple[Rules, tuple[str, ...]]:
        """The rules of then with the change, and what of then is not here."""
        known = self._known.get(versions)
        if known is None:
            missing: tuple[str, ...] = ()
            try:
                then = rules_as_of(self._rules, versions)
            except RulesGone as error:
                then, missing = self._today, error.missing
            known = self._known[versions] = (changed(then, self._change), missing)
        return known

    def _changed(self, unit: UnitReplay, recorded: Recorded) -> UnitReplay:
        before = recorded.inspection.decision
        rules, missing = self._with_change(before.versions)
        protocol = self._protocol(recorded)
        again = run_again(self._for_all(recorded), rules, protocol)
        unit = replace(unit, dropped=again.dropped, moved=again.moved, other_rules=missing)
        if again.unanswered and protocol is not None:
            return _cannot(unit, again)
        return _compared(unit, result_of(again.decision), before, again.decision, ())

    def _protocol(self, recorded: Recorded) -> Protocol | None:
        """The new protocol where the unit would get it; None = its own."""
        if not self._new_protocols or recorded.item is None:
            return None
        chosen = self._rules.select(recorded.item).protocol
        own = recorded_protocol(recorded.inspection)
        if chosen is not None and (chosen.id, chosen.version) in self._new_protocols:
            return chosen
        gave_way = own is not None and any(name == own[0] for name, _ in self._new_protocols)
        if gave_way and chosen is None:
            raise InvalidInput(
                f"the new {own[0] if own else ''} is not for {recorded.item.category!r}, nor is any other"
            )
        return chosen if gave_way else None

    def _for_all(self, recorded: Recorded) -> Recorded:
        """A policy or scheme of a new name is put in force for everybody."""
        merchant, change = recorded.merchant, self._change
        if merchant is None or not (change.policy_for_all or change.scheme_for_all):
            return recorded
        policy, scheme = change.policy_for_all or merchant.policy, change.scheme_for_all or merchant.grading_scheme
        return dataclasses.replace(
            recorded, merchant=dataclasses.replace(merchant, policy=policy, grading_scheme=scheme)
        )


def _cannot(unit: UnitReplay, again: Again) -> UnitReplay:
    assert again.protocol is not None
    asked = [again.protocol.question(name) for name in again.unanswered]
    texts = ", ".join(repr(question.text) for question in asked if question is not None)
    why = f"nobody was asked {texts}"
    if again.refused:
        why = f"{', '.join(again.refused)} would be refused now, and {why}"
    return replace(unit, verdict=Verdict.CANNOT_JUDGE, why=why, questions=again.unanswered)


def result_of(decision: Decision) -> Result:
    """What a merchant counts of a decision."""
    chosen = next((way for way in decision.alternatives if way.disposition is decision.disposition), None)
    return Result(
        grade=decision.grade.code if decision.grade is not None else "",
        disposition=decision.disposition,
        refund=decision.refund.amount,
        recovery=chosen.value if chosen is not None else None,
        second_look=bool(decision.second_look),
        gates=tuple(sorted(gate.id for gate in decision.gates if gate.state is GateState.RAISED)),
    )


_PARTS = ("grade", "disposition", "refund", "recovery", "second_look", "gates")


def _compared(unit: UnitReplay, after: Result, old: Decision, new: Decision, always: tuple[str, ...]) -> UnitReplay:
    changes = (*always, *(part for part in _PARTS if getattr(unit.before, part) != getattr(after, part)))
    if not changes:
        return replace(unit, after=after)
    said, says = _said(old), _said(new)
    return replace(
        unit,
        verdict=Verdict.CHANGED,
        after=after,
        changes=changes,
        reasons=tuple(reason for reason in says if reason not in said),
        gone=tuple(reason for reason in said if reason not in says),
    )


def _said(decision: Decision) -> tuple[Reason, ...]:
    """Every reason of a decision, each once: of the way, of the refund, of the second look."""
    return tuple(dict.fromkeys((*decision.reasons, *decision.refund.trail, *decision.second_look)))


def standing(entries: Iterable[Entry]) -> frozenset[str]:
    """Ids of the inspections that stand: neither taken back nor corrected.

    Args:
        entries: the journal, or what there is of it.
    """
    named = msgspec.json.Decoder(_Named)
    found: set[str] = set()
    gone: set[str] = set()
    for entry in entries:
        if entry.payload is None:
            continue
        if entry.kind == INSPECTION_CONFIRMED:
            one = named.decode(entry.payload)
            found.add(one.inspection_id)
            gone |= {one.corrects} if one.corrects is not None else set()
        elif entry.kind == INSPECTION_VOIDED:
            gone.add(msgspec.json.decode(entry.payload, type=InspectionVoided).inspection_id)
    return frozenset(found - gone)


def payloads(entries: Iterable[Entry], stand: frozenset[str], day: date | None = None) -> Iterator[bytes]:
    """The inspections to decide again.

    Args:
        stand: ids of those that stand.
        day: only those recorded on this day, UTC; None = all.
    """
    named = msgspec.json.Decoder(_Named)
    wanted = day.isoformat() if day is not None else ""
    for entry in entries:
        if entry.kind != INSPECTION_CONFIRMED or entry.payload is None or not entry.recorded_at.startswith(wanted):
            continue
        if named.decode(entry.payload).inspection_id in stand:
            yield entry.payload


def run(replay: Replay, units: Iterable[bytes], change: Change) -> Report:
    """Decide all units again and add up."""
    report = Report(change.names)
    for payload in units:
        report.add(replay.unit(payload))
    return report

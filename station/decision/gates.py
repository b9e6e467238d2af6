"""Gates: rules of safety, law and honesty, as data with a floor that no file can lower.

A trait (or a category) *asks* for a gate; an answer can raise it; only a proof clears it. What nobody proved counts as
raised. Gates are looked at before money, and money never sees a route that one of them forbids.

Each gate's stand is the fold of what is known over the table of ``gate_machine``; here the facts become events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from station.decision.findings import Findings
from station.decision.gate_machine import PASSES, Event, Happening, Machine, Stand, Standing, authorise, fold, stricter
from station.decision.gate_rules import (
    ANSWERS,
    BLOCKS_REFUND,
    DEROGABLE,
    FLOOR,
    IDENTITY,
    UNMAPPED,
    WEIGHT,
    GateBook,
    GateRule,
    all_but,
    check_gates,
)
from station.decision.goods_dates import days_left
from station.decision.model import Case, Disposition, Gate, GateActKind, GateState, Reason, Signature
from station.decision.recall import NO_RECALLS, Fit, Match, RecallBook, match_recalls
from station.errors import OperatorError
from station.inspection.facts import IdentityOutcome, WeightVerdict
from station.inspection.plausibility import COMPLETE, EMPTY_BOX, PART_MISSING, SOMETHING_ELSE, weight_sentence
from station.people.may import Act
from station.returns.model import Trait

__all__ = [
    "ANSWERS",
    "BLOCKS_REFUND",
    "DEROGABLE",
    "FLOOR",
    "IDENTITY",
    "UNMAPPED",
    "WEIGHT",
    "GateBook",
    "GateRule",
    "check_gates",
    "evaluate",
    "forbidding_reason",
    "hold",
    "is_unproven",
    "same_serial",
    "unreadable",
]

_D = Disposition
_UNPROVEN, _POSSIBLE, _ALWAYS = "_unproven", "_possible", "_always"
_RECALL, _EXPIRED = "recall", "expired"
_UNREADABLE = "earlier_unreadable"
_SHORTCUT = "shortcut:"


def evaluate(case: Case, findings: Findings, book: GateBook, recalls: RecallBook = NO_RECALLS) -> tuple[Gate, ...]:
    """Look at every gate that this unit asks for, the ones that hold everything first.

    Returns:
        Raised and cleared gates; a gate that nothing asks for is not listed.
    """
    if case.identity is IdentityOutcome.MISSING:
        missing = _identity(case, findings)
        return (missing,) if missing is not None else ()  # there is no unit to look at
    found = [gate for gate in (computed(case, findings) for computed in _COMPUTED) if gate is not None]
    noticed = _noticed(case, match_recalls(recalls, case.item, case.serial_found, case.lot, case.made))
    traits = findings.traits
    if noticed.stand is Stand.RAISED:
        traits = (*traits, Trait.RECALLED)
    category = case.item.category if case.item is not None else None
    told = bool(case.earlier or case.gate_acts or case.dates)
    for rule in book.gates:
        asked = told or rule.id in findings.raised or rule.id == _RECALL or rule.asked_by(findings.traits, category)
        if not asked:
            continue  # nothing can have happened to it: most gates of most units
        standing = fold(rule.machine, events_of(rule, case, findings, traits))
        if rule.id == _RECALL:
            standing = stricter(standing, noticed)
        gate = _gate(rule, standing, case)
        if gate is not None:
            found.append(gate)
    return tuple(sorted(found, key=_urgency))


def _urgency(gate: Gate) -> int:
    """What was found unsafe, then what holds the unit, then what closes some ways, then what is in order."""
    if gate.state is GateState.CLEAR:
        return 3
    if gate.requires is None:
        return 2
    return 0 if gate.id == "lithium" and not is_unproven(gate) else 1


def events_of(rule: GateRule, case: Case, findings: Findings, traits: tuple[str, ...]) -> Iterator[Event]:
    """What happened to one gate: what was taken back, what asks, permissions, proofs, and last what was found.

    Findings come last, so that no permission or proof covers what was found after it.
    """
    yield from _taken_back(rule, case)
    category = case.item.category if case.item is not None else None
    dates = list(_dates(rule, case))
    if rule.asked_by(findings.traits, category) or dates:
        yield Event(Happening.ASKED, _asked_reason(rule))
        yield from _permissions(rule, case)
        yield from _proofs(rule, case, findings)
        if any(trait in traits for trait in rule.raised_with):
            yield Event(Happening.FOUND, Reason(f"gate_{rule.id}{_ALWAYS}", rule.raised_with_text or rule.raised_text))
    yield from dates
    for earlier in case.earlier:
        for gate in earlier.gates if earlier.stands else ():
            if gate.id == rule.id and gate.state is GateState.RAISED and not is_unproven(gate):
                text = f"Another inspection of this unit says: {gate.reason.text}"
                yield Event(Happening.FOUND, Reason(gate.reason.code, text))
    if rule.id in findings.raised:
        yield Event(Happening.FOUND, findings.raised[rule.id])


def _asked_reason(rule: GateRule) -> Reason:
    if rule.proof == "none":
        return Reason(f"gate_{rule.id}", rule.raised_text)
    return Reason(f"gate_{rule.id}{_UNPROVEN}", rule.unproven_text)


def _taken_back(rule: GateRule, case: Case) -> Iterator[Event]:
    """What an inspection found that this one corrects: it holds on until a lead agrees, where it held the unit."""
    if rule.requires is None:
        return
    for earlier in case.earlier:
        for gate in () if earlier.stands else earlier.gates:
            if gate.id == rule.id and gate.state is GateState.RAISED and not is_unproven(gate):
                text = f"Found before and taken back: {gate.reason.text}; a lead has to agree"
                yield Event(Happening.CARRIED, Reason(f"gate_{rule.id}_carried", text))
    for act in case.gate_acts:
        if act.kind is GateActKind.SETTLED and act.subject == rule.id:
            yield Event(Happening.SETTLED, Reason(f"gate_{rule.id}_settled", "A lead agreed"), act.signed)


def _permissions(rule: GateRule, case: Case) -> Iterator[Event]:
    for derogation in case.derogations if rule.derogable else ():
        if derogation.gate != rule.id or not derogation.reference.strip():
            continue
        if rule.derogation_kinds and derogation.kind not in rule.derogation_kinds:
            continue  # a permission of no kind that the law knows permits nothing
        named = (
            f"{derogation.kind.replace('_', ' ')}, {derogation.reference}" if derogation.kind else derogation.reference
        )
        text = f"Permission recorded: {named}"
        yield Event(Happening.PERMITTED, Reason(f"gate_{rule.id}_derogation", text), derogation.signed)


def _proofs(rule: GateRule, case: Case, findings: Findings) -> Iterator[Event]:
    if rule.proof == "none":
        return
    if rule.proof == "answer" and rule.id in findings.cleared and _was_looked_at(rule, case):
        yield Event(Happening.PROVEN, Reason(f"gate_{rule.id}_clear", rule.clear_text))
    for act in case.gate_acts:
        if (
            act.kind is GateActKind.PROOF
            and act.subject == rule.id
            and act.reference.strip()
            and _may_prove(act.signed)
        ):
            text = f"{rule.clear_text}: {act.reference}, by {act.signed[0].person}"
            yield Event(Happening.PROVEN, Reason(f"gate_{rule.id}_document", text), act.signed)


def _was_looked_at(rule: GateRule, case: Case) -> bool:
    """A date that cannot be read takes an answer of its own: CLEAN and SEALED answer without showing the question."""
    if rule.id != _EXPIRED or all(one.good_until is not None for one in case.dates):
        return True
    for answer in case.answers:
        question = case.protocol.question(answer.question) if case.protocol is not None else None
        choice = question.choice(answer.choice) if question is not None else None
        if choice is not None and rule.id in choice.clears and not answer.given_by.startswith(_SHORTCUT):
            return True
    return False


def _may_prove(signed: tuple[Signature, ...]) -> bool:
    try:
        authorise(Act.INSPECT, signed)
    except OperatorError:
        return False
    return True


def _dates(rule: GateRule, case: Case) -> Iterator[Event]:
    """The earliest date on the pack; one that cannot be read asks for the gate and proves nothing."""
    if rule.id != _EXPIRED or not case.dates:
        return
    known = [one for one in case.dates if one.good_until is not None]
    if len(known) < len(case.dates):
        text = "A date on the pack cannot be read: not sold or given away until somebody has looked"
        yield Event(Happening.ASKED, Reason(f"gate_{rule.id}{_UNPROVEN}", text))
        known = [one for one in known if one.good_until is not None and days_left(one.good_until, case.at.date()) < 0]
    needed = rule.rest_life(case.market)
    for one in sorted(known, key=lambda one: str(one.good_until))[:1]:
        if one.good_until is None:
            continue
        left = days_left(one.good_until, case.at.date())
        if left < 0:
            yield Event(Happening.FOUND, Reason("date_past", f"Good until {one.good_until}: past its date"))
        elif left < needed:
            text = f"Good until {one.good_until}: {left} days left, {needed} are needed"
            yield Event(Happening.FOUND, Reason("date_too_near", text))
        else:
            yield Event(Happening.ASKED, _asked_reason(rule))
            yield Event(Happening.PROVEN, Reason(f"gate_{rule.id}_clear", f"Good until {one.good_until}"))


def _noticed(case: Case, matches: tuple[Match, ...]) -> Standing:
    """Where the recall gate stands by the notices: the strictest of all that fit."""
    worst = Standing(Stand.NOT_ASKED)
    for match in matches:
        if match.fit is Fit.POSSIBLE:
            worst = stricter(fold(Machine.RECALL, _recall_events(case, match)), worst)
    return worst


def _recall_events(case: Case, match: Match) -> Iterator[Event]:
    notice = match.notice
    yield Event(Happening.MATCHED, Reason(f"gate_{_RECALL}{_POSSIBLE}", f"{match.why}: a person has to compare"))
    for act in case.gate_acts:
        if act.subject != notice.id:
            continue
        if act.kind is GateActKind.RECALL_CONFIRMED:
            yield Event(
                Happening.CONFIRMED, Reason("recall_confirmed", f"Recall {notice.id}: {notice.text}"), act.signed
            )
        elif act.kind is GateActKind.RECALL_DENIED:
            text = f"Recall {notice.id} does not mean this unit: compared by a person"
            yield Event(Happening.DENIED, Reason("recall_denied", text), act.signed)


def _gate(rule: GateRule, standing: Standing, case: Case) -> Gate | None:
    if standing.stand is Stand.NOT_ASKED or standing.reason is None:
        return None
    reason = standing.reason
    if standing.stand in PASSES:
        return Gate(rule.id, GateState.CLEAR, reason, rule.ways_forbidden, rule.requires)
    gate = Gate(rule.id, GateState.RAISED, reason, rule.ways_forbidden, rule.requires)
    elsewhere = case.identity in (IdentityOutcome.WRONG_ITEM, IdentityOutcome.UNKNOWN)
    if elsewhere and is_unproven(gate):
        return None  # the traits are those of another article; identity holds it already
    if standing.refused:
        reason = Reason(reason.code, f"{reason.text}; not passed: {standing.refused[-1]}")
        gate = Gate(rule.id, GateState.RAISED, reason, rule.ways_forbidden, rule.requires)
    return gate


def is_unproven(gate: Gate) -> bool:
    """Raised only because nobody proved the opposite."""
    return gate.state is GateState.RAISED and gate.reason.code == f"gate_{gate.id}{_UNPROVEN}"


def forbidding_reason(gate: Gate, book: GateBook) -> Reason:
    """Why a way is forbidden: the gate's rule, or what it found where it is computed or unproven."""
    rule = book.rule(gate.id)
    own = (f"gate_{gate.id}{_ALWAYS}", f"gate_{gate.id}{_POSSIBLE}", f"gate_{gate.id}_carried")
    if rule is None or is_unproven(gate) or gate.reason.code in own:
        return gate.reason
    return Reason(f"gate_{rule.id}", rule.raised_text)


def hold(gate_id: str, code: str, text: str, requires: Disposition = _D.QUARANTINE) -> Gate:
    """A computed gate that leaves exactly one way."""
    return Gate(gate_id, GateState.RAISED, Reason(code, text), all_but(requires), requires)


def same_serial(case: Case) -> bool | None:
    """Whether the serial read is the one shipped; None = one of the two is not known."""
    shipped = case.line.serial if case.line is not None else None
    if shipped is None or case.serial_found is None:
        return None
    return shipped.strip().casefold() == case.serial_found.strip().casefold()


def _identity(case: Case, findings: Findings) -> Gate | None:
    match case.identity:
        case IdentityOutcome.MATCH if same_serial(case) is False:
            return hold(
                IDENTITY, "identity_wrong_serial", "Serial number differs from the order: held for a second look"
            )
        case IdentityOutcome.MATCH:
            return None
        case IdentityOutcome.MISSING:
            return hold(IDENTITY, "identity_missing", "Announced, but not in the parcel", _D.MISSING)
        case IdentityOutcome.WRONG_ITEM:
            return hold(
                IDENTITY, "identity_wrong_item", "Another article than the one announced: held for a second look"
            )
        case IdentityOutcome.WRONG_SERIAL:
            return hold(
                IDENTITY, "identity_wrong_serial", "Serial number differs from the order: held for a second look"
            )
        case IdentityOutcome.UNEXPECTED:
            return hold(
                IDENTITY, "identity_unexpected", "No return announces this article: held until its owner is found"
            )
        case IdentityOutcome.UNKNOWN:
            return hold(IDENTITY, "identity_unknown", "Nobody knows this code: held until it is identified")


def _unmapped(case: Case, findings: Findings) -> Gate | None:
    if findings.rules_missing is not None:
        return hold(UNMAPPED, findings.rules_missing.code, findings.rules_missing.text)
    return None


def _weight(case: Case, findings: Findings) -> Gate | None:
    answer = findings.weight_answer
    if answer == EMPTY_BOX:
        return hold(WEIGHT, "box_empty", "Nothing inside the packaging: held for a second look")
    if answer == SOMETHING_ELSE:
        return hold(WEIGHT, "something_else_inside", "Something else is inside: held for a second look")
    judgement = case.weight
    if judgement is None or answer in (COMPLETE, PART_MISSING):
        return None
    if judgement.verdict is WeightVerdict.EMPTY:
        return hold(WEIGHT, "weight_empty", "Weighs like empty packaging: held for a second look")
    if judgement.verdict is WeightVerdict.TOO_HEAVY:
        return hold(WEIGHT, "weight_too_heavy", weight_sentence(judgement))
    if judgement.verdict is WeightVerdict.TOO_LIGHT and not findings.part_missing:
        return hold(WEIGHT, "weight_too_light", weight_sentence(judgement))
    return None


def _answers(case: Case, findings: Findings) -> Gate | None:
    if not findings.problems or (case.identity is not IdentityOutcome.MATCH and not findings.answers):
        return None  # nobody was asked anything: identity holds it already
    first = findings.problems[0]
    return hold(ANSWERS, first.code, first.text)


def unreadable(inspection_id: str) -> Gate:
    """Stands for the gates of an earlier inspection that nobody can read any more."""
    text = f"What inspection {inspection_id} found cannot be read any more: held for a second look"
    return hold(UNMAPPED, _UNREADABLE, text)


def _earlier(case: Case, findings: Findings) -> Gate | None:
    for earlier in case.earlier:
        for gate in earlier.gates:
            if gate.reason.code == _UNREADABLE:
                return gate
    return None


_COMPUTED: tuple[Callable[[Case, Findings], Gate | None], ...] = (_identity, _unmapped, _weight, _answers, _earlier)

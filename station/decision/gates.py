"""Gates: rules of safety, law and honesty, as data with a floor that no file can lower.

A trait (or a category) *asks* for a gate; an answer can raise it; only a proof clears it. What nobody proved counts as
raised. Gates are looked at before money, and money never sees a route that one of them forbids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from station.decision.findings import Findings
from station.decision.model import Case, Disposition, Gate, GateState, Reason
from station.decision.scheme import Version
from station.errors import InvalidInput
from station.inspection.facts import IdentityOutcome, WeightVerdict
from station.inspection.plausibility import COMPLETE, EMPTY_BOX, PART_MISSING, SOMETHING_ELSE, weight_sentence
from station.returns.model import Trait
from station.returns.policy import Line, Part, covers

_D = Disposition
_ALL = tuple(Disposition)

FLOOR: dict[str, tuple[Trait | None, frozenset[Disposition], Disposition | None]] = {
    "lithium": (
        Trait.LITHIUM,
        frozenset(_ALL) - {_D.QUARANTINE},
        _D.QUARANTINE,
    ),
    "recall": (
        Trait.RECALLED,
        frozenset(_ALL) - {_D.QUARANTINE},
        _D.QUARANTINE,
    ),
    "data_bearing": (
        Trait.DATA_BEARING,
        frozenset({_D.RESTOCK, _D.REPACKAGE, _D.LIQUIDATE, _D.DONATE}),
        None,
    ),
    "hygiene": (Trait.HYGIENE, frozenset({_D.RESTOCK, _D.REPACKAGE}), None),
    "expired": (None, frozenset({_D.RESTOCK, _D.REPACKAGE, _D.REFURBISH, _D.LIQUIDATE, _D.DONATE}), None),
    "destruction_ban": (Trait.DESTRUCTION_BAN, frozenset({_D.DESTROY}), None),
}
"""Gate → (trait that asks for it, the least it forbids, what it requires). A file may forbid more, never less."""

DEROGABLE = frozenset({"destruction_ban"})
"""Gates that a recorded permission may pass."""

IDENTITY, UNMAPPED, WEIGHT, ANSWERS = "identity", "unmapped", "weight", "answers"
"""Gates that are computed, not asked for by a trait; no file can redefine them."""

_UNPROVEN = "_unproven"

BLOCKS_REFUND = frozenset({IDENTITY, UNMAPPED, WEIGHT, ANSWERS})


class GateRule(Part, frozen=True, kw_only=True):
    """One gate of the file."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    trait: Trait | None = None
    categories: tuple[str, ...] = ()
    """Category prefixes that ask for it even where the catalogue forgot the trait."""
    proof: Literal["answer", "none"] = "answer"
    """``answer``: an answer can clear it; ``none``: nothing at the bench can."""
    raised_with: tuple[Trait, ...] = ()
    """Traits that raise it whatever was answered."""
    forbids: tuple[Disposition, ...]
    requires: Disposition | None = None
    raised_text: Line
    """The rule in one sentence: why the ways it forbids are forbidden."""
    raised_with_text: str = ""
    """Why ``raised_with`` raises it."""
    unproven_text: Line
    clear_text: Line
    handling: str = ""
    derogable: bool = False
    quiet: bool = False
    """Raised on most units of its kind: shown, but asks nobody for an extra CONFIRM."""
    work_for: tuple[Disposition, ...] = ()
    """Ways that can remove what raised it, so they are never pointless."""
    our_error: bool = False
    """The customer owes nothing where this gate is raised."""

    def asked_by(self, traits: tuple[str, ...], category: str | None) -> bool:
        if self.trait is not None and self.trait in traits:
            return True
        return bool(self.categories) and category is not None and any(covers(p, category) for p in self.categories)


class GateBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="gates"):
    version: Version
    gates: tuple[GateRule, ...]
    sha256: str = ""

    def rule(self, gate_id: str) -> GateRule | None:
        for rule in self.gates:
            if rule.id == gate_id:
                return rule
        return None


def check_gates(book: GateBook, where: str) -> None:
    """Refuse a file that would lower the floor.

    Raises:
        InvalidInput: names the gate and what it must at least forbid.
    """
    ids = [rule.id for rule in book.gates]
    if len(set(ids)) != len(ids):
        raise InvalidInput(f"{where}: a gate is there twice: {', '.join(ids)}")
    for gate_id in (IDENTITY, UNMAPPED, WEIGHT, ANSWERS):
        if gate_id in ids:
            raise InvalidInput(f"{where}: gate {gate_id!r} is computed and cannot be redefined; choose another id")
    for gate_id, (trait, least, requires) in FLOOR.items():
        rule = book.rule(gate_id)
        if rule is None:
            raise InvalidInput(f"{where}: gate {gate_id!r} is missing; it may be stricter, never absent")
        lacking = least - set(_forbidden(rule))
        if lacking:
            raise InvalidInput(f"{where}: gate {gate_id!r} must also forbid {', '.join(sorted(lacking))}")
        if trait is not None and rule.trait is not trait:
            raise InvalidInput(f"{where}: gate {gate_id!r} must be asked for by trait {trait.value!r}")
        if requires is not None and rule.requires is not requires:
            raise InvalidInput(f"{where}: gate {gate_id!r} must require {requires.value!r}")
        if gate_id == "recall" and rule.proof != "none":
            raise InvalidInput(f"{where}: gate 'recall' must have proof = 'none': no answer at the bench ends a recall")
    for rule in book.gates:
        if rule.requires not in (None, _D.QUARANTINE):
            raise InvalidInput(
                f"{where}: gate {rule.id!r} requires {rule.requires!r}; only 'quarantine' can be required"
            )
        if _D.QUARANTINE in rule.forbids:
            raise InvalidInput(f"{where}: gate {rule.id!r} forbids 'quarantine': a hold must always be possible")
        if rule.derogable and rule.id in FLOOR and rule.id not in DEROGABLE:
            raise InvalidInput(f"{where}: gate {rule.id!r} cannot be derogable")


def evaluate(case: Case, findings: Findings, book: GateBook) -> tuple[Gate, ...]:
    """Look at every gate that this unit asks for, the ones that hold everything first.

    Returns:
        Raised and cleared gates; a gate that nothing asks for is not listed.
    """
    if case.identity is IdentityOutcome.MISSING:
        missing = _identity(case, findings)
        return (missing,) if missing is not None else ()  # there is no unit to look at
    found = [gate for gate in (computed(case, findings) for computed in _COMPUTED) if gate is not None]
    found.extend(gate for gate in (_by_rule(rule, case, findings) for rule in book.gates) if gate is not None)
    return tuple(sorted(found, key=_urgency))


def _urgency(gate: Gate) -> int:
    """What was found unsafe, then what holds the unit, then what closes some ways, then what is in order."""
    if gate.state is GateState.CLEAR:
        return 3
    if gate.requires is None:
        return 2
    return 0 if gate.id == "lithium" and not is_unproven(gate) else 1


def _by_rule(rule: GateRule, case: Case, findings: Findings) -> Gate | None:
    category = case.item.category if case.item is not None else None
    answered = findings.raised.get(rule.id)
    asked = rule.asked_by(findings.traits, category)
    if answered is None and not asked:
        return None
    if answered is not None:
        return _raised(rule, answered)
    if any(trait in findings.traits for trait in rule.raised_with):
        return _raised(rule, Reason(f"gate_{rule.id}_always", rule.raised_with_text or rule.raised_text))
    if rule.derogable:
        for derogation in case.derogations:
            if derogation.gate == rule.id and derogation.reference.strip():
                text = f"Permission recorded: {derogation.reference}"
                return Gate(
                    rule.id,
                    GateState.CLEAR,
                    Reason(f"gate_{rule.id}_derogation", text),
                    _forbidden(rule),
                    rule.requires,
                )
    if rule.proof == "none":
        return _raised(rule, Reason(f"gate_{rule.id}", rule.raised_text))
    proof = findings.cleared.get(rule.id)
    if proof is not None:
        clear = Reason(f"gate_{rule.id}_clear", rule.clear_text)
        return Gate(rule.id, GateState.CLEAR, clear, _forbidden(rule), rule.requires)
    if case.identity in (IdentityOutcome.WRONG_ITEM, IdentityOutcome.UNKNOWN):
        return None  # the traits are those of another article; identity holds it already
    return _raised(rule, Reason(f"gate_{rule.id}{_UNPROVEN}", rule.unproven_text))


def is_unproven(gate: Gate) -> bool:
    """Raised only because nobody proved the opposite."""
    return gate.state is GateState.RAISED and gate.reason.code == f"gate_{gate.id}{_UNPROVEN}"


def forbidding_reason(gate: Gate, book: GateBook) -> Reason:
    """Why a way is forbidden: the gate's rule, or what it found where it is computed or unproven."""
    rule = book.rule(gate.id)
    if rule is None or is_unproven(gate) or gate.reason.code == f"gate_{gate.id}_always":
        return gate.reason
    return Reason(f"gate_{rule.id}", rule.raised_text)


def _raised(rule: GateRule, reason: Reason) -> Gate:
    return Gate(rule.id, GateState.RAISED, reason, _forbidden(rule), rule.requires)


def _forbidden(rule: GateRule) -> tuple[Disposition, ...]:
    if rule.requires is None:
        return rule.forbids
    return tuple(disposition for disposition in _ALL if disposition is not rule.requires)


def hold(gate_id: str, code: str, text: str, requires: Disposition = _D.QUARANTINE) -> Gate:
    """A computed gate that leaves exactly one way."""
    forbids = tuple(disposition for disposition in _ALL if disposition is not requires)
    return Gate(gate_id, GateState.RAISED, Reason(code, text), forbids, requires)


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


_COMPUTED: tuple[Callable[[Case, Findings], Gate | None], ...] = (_identity, _unmapped, _weight, _answers)

"""Why a second person should look. The machine asks for a look; it never says why the customer did something."""

from __future__ import annotations

from station.decision.books import ReasonBook
from station.decision.findings import Findings
from station.decision.gates import same_serial
from station.decision.model import Case, Gate, GateState, Reason
from station.inspection.facts import IdentityOutcome, WeightVerdict
from station.inspection.plausibility import weight_sentence
from station.quantities import Money
from station.returns.policy import Policy

_IDENTITY = {
    IdentityOutcome.WRONG_ITEM: "Another article than the one announced",
    IdentityOutcome.WRONG_SERIAL: "Serial number differs from the order",
    IdentityOutcome.UNEXPECTED: "No return announces this article",
    IdentityOutcome.UNKNOWN: "Nobody knows this code",
    IdentityOutcome.MISSING: "Announced, but not in the parcel",
}

_SIGNAL = "look_signals_"
"""How the codes of flagged signals begin (``station.review.score``)."""


def second_looks(
    case: Case, policy: Policy | None, findings: Findings, gates: tuple[Gate, ...], reasons: ReasonBook
) -> tuple[Reason, ...]:
    """Collect the reasons, what was asked for by a person first; each sentence once."""
    looks: list[Reason] = list(case.flags)
    if case.identity in _IDENTITY:
        looks.append(Reason(f"look_{case.identity}", _IDENTITY[case.identity]))
    elif same_serial(case) is False:
        looks.append(Reason("look_wrong_serial", _IDENTITY[IdentityOutcome.WRONG_SERIAL]))
    looks.extend(_weight(case, findings))
    for skipped in case.skipped:
        looks.append(Reason("look_skipped", f"{_evidence(skipped.what)} was skipped: {skipped.reason}"))
    looks.extend(findings.looks)
    if case.identity is not IdentityOutcome.MISSING:
        looks.extend(Reason(f"look_{gate.id}", gate.reason.text) for gate in gates if _holds(gate))
    looks.extend(_disagreement(findings, reasons))
    looks.extend(_value(case, policy))
    # a signal that was flagged says it already, with figures and with how often it was right
    signals = {flag.code.removeprefix(_SIGNAL) for flag in case.flags if flag.code.startswith(_SIGNAL)}
    told = tuple(flag.text for flag in case.flags)
    return each_once(
        [
            look
            for look in looks
            if look.code.removeprefix("look_") not in signals
            and not any(text.startswith(f"{look.text} (") for text in told)
        ]
    )


def each_once(reasons: list[Reason]) -> tuple[Reason, ...]:
    """The reasons in their order, each sentence at its first place only."""
    first: dict[str, Reason] = {}
    for reason in reasons:
        first.setdefault(reason.text, reason)
    return tuple(first.values())


def _holds(gate: Gate) -> bool:
    return gate.state is GateState.RAISED and gate.requires is not None and gate.id != "identity"


def _weight(case: Case, findings: Findings) -> list[Reason]:
    if case.identity is IdentityOutcome.MISSING:
        return []
    judgement = case.weight
    if judgement is None:
        skipped = any(skipped.what == "weight" for skipped in case.skipped)
        if case.protocol is not None and case.protocol.weigh and not skipped and findings.answers:
            return [Reason("look_no_weight", "No weight was taken")]
        return []
    if judgement.verdict in (WeightVerdict.TOO_LIGHT, WeightVerdict.TOO_HEAVY, WeightVerdict.EMPTY):
        return [Reason(f"look_weight_{judgement.verdict}", weight_sentence(judgement))]
    return []


def _evidence(what: str) -> str:
    kind, _, shot = what.partition(":")
    if kind == "photo" and shot:
        return f"Photo {shot.replace('_', ' ')!r}"
    return "The weight" if kind == "weight" else what


def disagrees(findings: Findings, reasons: ReasonBook) -> bool:
    """Whether declared and found reasons differ beyond taste and fit; unlisted reasons never disagree."""
    declared, found = reasons.reason(findings.declared), reasons.reason(findings.found_reason)
    if declared is None or found is None or declared.group == found.group:
        return False
    return not (declared.soft and found.soft)


def _disagreement(findings: Findings, reasons: ReasonBook) -> list[Reason]:
    if findings.declared is None or findings.found_reason is None or not disagrees(findings, reasons):
        return []
    declared, found = reasons.label(findings.declared), reasons.label(findings.found_reason)
    return [Reason("look_reason", f"Customer says {declared}; found here: {found}")]


def _value(case: Case, policy: Policy | None) -> list[Reason]:
    paid = case.line.paid if case.line is not None else None
    worth = paid if paid is not None else case.item.price if case.item is not None else None
    if policy is None or worth is None:
        return []
    limit = policy.second_look.value_from.get(worth.currency)
    if limit is None or worth.minor < limit:
        return []
    return [Reason("look_value", f"Worth {worth}: from {Money(limit, worth.currency)} a second person looks")]

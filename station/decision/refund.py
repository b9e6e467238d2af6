"""What the customer gets back, rule by rule, in integer money.

Order: what a person must decide → whose error → final sale → window → fee → diminished value → way back → release.
Shares are taken of what was paid, each rounded half up to a minor unit, and the sum of all deductions never exceeds
what was paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from station.decision.books import ReasonBook
from station.decision.economics import percent
from station.decision.findings import Findings
from station.decision.gates import BLOCKS_REFUND, IDENTITY, UNMAPPED, GateBook
from station.decision.model import Case, Gate, GateState, Reason, Refund
from station.inspection.facts import IdentityOutcome
from station.quantities import Money
from station.returns.eligibility import Eligibility, Verdict, check_window
from station.returns.policy import Payer, Policy, Release

FULL, PARTIAL, NONE, MANUAL = "full", "partial", "none", "manual"


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """The refund and what it means for the goods."""

    refund: Refund
    refused: bool = False
    """Refused by the terms: the goods still belong to the customer."""
    waits: bool = False
    """A person decides whether the terms are met; until then the goods stay where they are."""


@dataclass(frozen=True, slots=True)
class _Reasons:
    effective: str | None
    label: str
    our_error: bool
    trail: tuple[Reason, ...]


def decide_refund(
    case: Case, policy: Policy | None, findings: Findings, gates: tuple[Gate, ...], levels: Mapping[str, int],
    reasons: ReasonBook, gate_book: GateBook,
) -> RefundAnswer:  # fmt: skip
    """Apply the policy.

    Args:
        case: the unit.
        policy: the merchant's policy; None = unknown.
        findings: what the answers say.
        gates: gates as evaluated.
        levels: axis → level; axes that nobody judged are absent.
        reasons: the book of return reasons.
        gate_book: for gates that make the return our error.

    Returns:
        The refund. ``trail[0]`` is the whole in one sentence, the rules follow in the order applied.
    """
    if case.identity is IdentityOutcome.MISSING:
        zero = Money(0, case.line.paid.currency) if case.line is not None and case.line.paid is not None else None
        text = "Not in the parcel: nothing to refund yet"
        return RefundAnswer(Refund(zero, NONE if zero is not None else MANUAL, (Reason("refund_none", text),)))
    if policy is None:
        return _manual("No policy is known for this merchant", "refund_no_policy")
    blocked = _blocked(case, policy, findings, gates)
    if blocked is not None:
        return _manual(blocked.text, blocked.code)
    paid = case.line.paid if case.line is not None else None
    if paid is None or paid.minor < 0:
        return _manual("What was paid is unknown", "refund_paid_unknown")
    why = _reasons(policy, findings, gates, reasons, gate_book)
    category = case.item.category if case.item is not None else None
    sku = case.item.sku if case.item is not None else None
    if policy.is_final_sale(sku, category):
        if not (why.our_error and policy.final_sale.except_our_error):
            final = Reason("final_sale", "Final sale: sold without a right to return")
            return _refused(paid, "final sale", (*why.trail, final))
        why_final = Reason("final_sale_our_error", "Final sale, but the error is ours")
        why = _Reasons(why.effective, why.label, why.our_error, (*why.trail, why_final))
    window = check_window(policy, category, case.authorisation, case.at)
    trail = (*why.trail, window.reason)
    if window.verdict is Verdict.LATE:
        if why.our_error or policy.window.late == "manual":
            return _manual(f"{window.reason.text}; a person decides", "refund_late", trail, waits=True)
        return _refused(paid, "the return window is over", trail)
    if window.verdict is Verdict.UNKNOWN:
        if not policy.refund.generous_on_doubt:
            return _manual(window.reason.text, "refund_window_unknown", trail)
        trail = (*trail, Reason("generous_on_doubt", "In doubt for the customer: taken as within the window"))
    return _pay(case, policy, paid, why, window, trail, levels)


def _blocked(case: Case, policy: Policy, findings: Findings, gates: tuple[Gate, ...]) -> Reason | None:
    """The first computed gate that leaves the refund to a person."""
    for gate in gates:
        if gate.state is not GateState.RAISED or gate.id not in BLOCKS_REFUND:
            continue
        wrong_sent = case.identity is IdentityOutcome.WRONG_ITEM and findings.declared == "wrong_item"
        if gate.id == IDENTITY and wrong_sent:
            continue  # the customer said so, and so it is: our error
        if gate.id == UNMAPPED and policy.refund.generous_on_doubt and case.identity is IdentityOutcome.MATCH:
            continue
        return Reason(f"refund_{gate.reason.code}", gate.reason.text)
    return None


def _reasons(
    policy: Policy, findings: Findings, gates: tuple[Gate, ...], reasons: ReasonBook, gate_book: GateBook
) -> _Reasons:
    """Which reason counts: what was found, or what was declared where the policy is generous."""
    declared, found = reasons.reason(findings.declared), reasons.reason(findings.found_reason)
    trail: list[Reason] = []
    if findings.declared is not None and declared is None:
        text = f"Reason {findings.declared!r} is not in the list: treated as other"
        trail.append(Reason("reason_unlisted", text))
    chosen = found or declared
    if found is not None and declared is not None and declared.our_error and not found.our_error:
        if policy.refund.generous_on_doubt:
            chosen = declared
            trail.append(Reason("generous_on_doubt", f"In doubt for the customer: taken as {declared.label}"))
        else:
            trail.append(Reason("reason_found", f"Customer says {declared.label}; found: {found.label}"))
    recalled = next(
        (
            gate
            for gate in gates
            if gate.state is GateState.RAISED and (rule := gate_book.rule(gate.id)) is not None and rule.our_error
        ),
        None,
    )
    our_error = recalled is not None or (chosen is not None and chosen.our_error)
    label = "recalled" if recalled is not None else chosen.label if chosen is not None else "no reason given"
    if our_error:
        trail.append(Reason("our_error", f"Our error ({label}): no fee, and we pay the way back"))
    return _Reasons(chosen.code if chosen is not None else None, label, our_error, tuple(trail))


def _pay(
    case: Case, policy: Policy, paid: Money, why: _Reasons, window: Eligibility, trail: tuple[Reason, ...],
    levels: Mapping[str, int],
) -> RefundAnswer:  # fmt: skip
    steps = list(trail)
    taken = Money(0, paid.currency)
    if not why.our_error:
        for amount, reason in (
            _fee(case, policy, paid, why),
            *_diminished(policy, paid, levels),
            _way_back(policy, paid, why),
        ):
            if amount is not None:
                taken += amount
            if reason is not None:
                steps.append(reason)
    if taken.minor > paid.minor:
        taken = paid
        steps.append(Reason("deductions_capped", f"Deductions end at what was paid: {paid}"))
    amount = paid - taken
    decision = FULL if taken.minor == 0 else PARTIAL if amount.minor > 0 else NONE
    steps.extend(_release(policy, paid, amount, why))
    when = f"within {window.window_days} days" if window.verdict is Verdict.WITHIN else "window not known"
    if decision == FULL:
        summary = Reason("refund_full", f"Refund in full: {why.label}, {when}")
    elif decision == PARTIAL:
        summary = Reason("refund_partial", f"Refund {amount} of {paid}: {why.label}, {when}")
    else:
        summary = Reason("refund_none", f"No refund: deductions reach what was paid, {paid}")
    return RefundAnswer(Refund(amount, decision, (summary, *steps)))


def _fee(case: Case, policy: Policy, paid: Money, why: _Reasons) -> tuple[Money | None, Reason | None]:
    share = policy.restocking_bp(case.item.category if case.item is not None else None)
    if not share or why.effective in policy.fees.unless_reasons:
        return None, None
    fee = paid.percent(share)
    return fee, Reason("restocking_fee", f"Restocking fee {percent(share)}: {fee}")


def _diminished(
    policy: Policy, paid: Money, levels: Mapping[str, int]
) -> tuple[tuple[Money | None, Reason | None], ...]:
    """One deduction per axis, the hardest that applies, together at most the policy's share."""
    applied: list[tuple[Money | None, Reason | None]] = []
    left = policy.max_deduction_bp
    for axis in dict.fromkeys(rule.axis for rule in policy.deductions):
        level = levels.get(axis)
        if level is None:
            continue  # nobody judged it, so nothing is taken off for it
        fitting = [rule for rule in policy.deductions if rule.axis == axis and level <= rule.at_most]
        if not fitting:
            continue
        rule = min(fitting, key=lambda rule: (rule.at_most, -rule.basis_points))
        share = min(rule.basis_points, left)
        left -= share
        if share:
            amount = paid.percent(share)
            text = f"{rule.reason}: {percent(share)} less, {amount}"
            applied.append((amount, Reason(f"diminished_{axis}", text)))
    return tuple(applied)


def _way_back(policy: Policy, paid: Money, why: _Reasons) -> tuple[Money | None, Reason | None]:
    payer = policy.shipping.by_reason.get(why.effective or "", policy.shipping.paid_by)
    if payer is Payer.MERCHANT:
        return None, Reason("way_back_ours", "We pay the way back")
    cost = policy.shipping.label_cost.get(paid.currency)
    if not cost:
        return None, Reason("way_back_customer", "The customer pays the way back")
    label = Money(cost, paid.currency)
    text = f"Return label at the customer's cost: {label}"
    if policy.shipping.free_on_exchange:
        text += " (free with an exchange)"
    return label, Reason("way_back_deducted", text)


def _release(policy: Policy, paid: Money, amount: Money, why: _Reasons) -> list[Reason]:
    notes: list[Reason] = []
    below = policy.refund.keep_it_below.get(paid.currency)
    if below is not None and paid.minor <= below:
        notes.append(Reason("keep_it", f"Up to {Money(below, paid.currency)} the goods need not come back"))
    if policy.refund.exchange_first and not why.our_error:
        notes.append(Reason("exchange_first", "Offer an exchange before the refund"))
    match policy.refund.release:
        case Release.FIRST_SCAN if amount.minor < paid.minor and policy.refund.claw_back:
            notes.append(Reason("release_claw_back", f"Paid at the first scan: claw back {paid - amount}"))
        case Release.FIRST_SCAN:
            notes.append(Reason("release_first_scan", "Paid at the carrier's first scan"))
        case Release.RECEIPT:
            notes.append(Reason("release_receipt", "Paid on receipt"))
        case Release.INSPECTION:
            notes.append(Reason("release_inspection", "Paid after this inspection"))
    if policy.refund.call_task:
        notes.append(Reason("call_task", "Open a task: call the customer"))
    return notes


def _refused(paid: Money, because: str, trail: tuple[Reason, ...]) -> RefundAnswer:
    summary = Reason("refund_none", f"No refund: {because}")
    return RefundAnswer(Refund(Money(0, paid.currency), NONE, (summary, *trail)), refused=True)


def _manual(text: str, code: str, trail: tuple[Reason, ...] = (), *, waits: bool = False) -> RefundAnswer:
    summary = Reason("refund_manual", "A person decides the refund")
    return RefundAnswer(Refund(None, MANUAL, (summary, *trail, Reason(code, text))), waits=waits)

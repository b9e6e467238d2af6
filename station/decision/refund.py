"""What the customer gets back, rule by rule, in integer money.

Order: what a person must decide → whose error → final sale → window → fee → diminished value → way back → release.
How much it is, is added up in ``refund_amount``.
"""

from __future__ import annotations

from dataclasses import dataclass

from station.decision.books import ReasonBook
from station.decision.findings import Findings
from station.decision.gates import BLOCKS_REFUND, IDENTITY, UNMAPPED, GateBook
from station.decision.model import AxisLevel, Case, Gate, GateState, Reason, Refund
from station.decision.refund_amount import Base, Cause, add_up, settled, statement_of, tax_of, wish_of
from station.inspection.facts import IdentityOutcome
from station.quantities import Money
from station.returns.eligibility import Eligibility, Verdict, check_window
from station.returns.model import Wish
from station.returns.order import unit_paid
from station.returns.policy import Policy, Release

FULL, PARTIAL, NONE, MANUAL = "full", "partial", "none", "manual"


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """The refund and what it means for the goods."""

    refund: Refund
    refused: bool = False
    """Refused by the terms: the goods still belong to the customer."""
    waits: bool = False
    """A person decides whether the terms are met; until then the goods stay where they are."""


def decide_refund(
    case: Case, policy: Policy | None, findings: Findings, gates: tuple[Gate, ...], axes: tuple[AxisLevel, ...],
    reasons: ReasonBook, gate_book: GateBook,
) -> RefundAnswer:  # fmt: skip
    """Apply the policy.

    Args:
        case: the unit.
        policy: the merchant's policy; None = unknown.
        findings: what the answers say.
        gates: gates as evaluated.
        axes: the condition; empty = not every side of it was looked at.
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
    base = _base(case, policy)
    if isinstance(base, Reason):
        return _manual(base.text, base.code)
    why = _reasons(policy, findings, gates, reasons, gate_book)
    category = case.item.category if case.item is not None else None
    sku = case.item.sku if case.item is not None else None
    if policy.is_final_sale(sku, category):
        if not (why.our_error and policy.final_sale.except_our_error):
            final = Reason("final_sale", "Final sale: sold without a right to return")
            return _refused(policy, base, "final sale", (*why.trail, final))
        why_final = Reason("final_sale_our_error", "Final sale, but the error is ours")
        why = Cause(why.effective, why.label, why.our_error, (*why.trail, why_final))
    window = check_window(policy, category, case.authorisation, case.at)
    trail = (*why.trail, window.reason)
    if window.verdict is Verdict.LATE:
        if why.our_error or policy.window.late == "manual":
            return _manual(f"{window.reason.text}; a person decides", "refund_late", trail, waits=True)
        if policy.window.late == "refuse":
            return _refused(policy, base, "the return window is over", trail)
        trail = (*trail, Reason("late_credit", "Late: store credit instead of the money"))
    if window.verdict is Verdict.UNKNOWN:
        if not policy.refund.generous_on_doubt:
            return _manual(window.reason.text, "refund_window_unknown", trail)
        trail = (*trail, Reason("generous_on_doubt", "In doubt for the customer: taken as within the window"))
    return _pay(case, policy, base, why, window, trail, axes)


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
) -> Cause:
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
    return Cause(chosen.code if chosen is not None else None, label, our_error, tuple(trail))


def _pay(
    case: Case, policy: Policy, base: Base, why: Cause, window: Eligibility, trail: tuple[Reason, ...],
    axes: tuple[AxisLevel, ...],
) -> RefundAnswer:  # fmt: skip
    paid = base.paid
    bill = add_up(case, policy, base, why, axes)
    amount = bill.money(bill.total)
    goods = sum(minor for what, minor in bill.parts if what not in ("shipping", "duties"))
    decision = FULL if goods >= paid.minor else PARTIAL if amount.minor > 0 else NONE
    late = window.verdict is Verdict.LATE
    method = Wish.CREDIT.value if late or wish_of(case) is Wish.CREDIT else "original"
    if wish_of(case) is Wish.EXCHANGE and not late:
        method = Wish.EXCHANGE.value
    bonus = amount.percent(policy.refund.credit_bonus_bp) if method == Wish.CREDIT and not late else None
    notes, claw_back = _release(case, policy, base, amount, why)
    if method == Wish.CREDIT:
        extra = f", and {bonus} on top" if bonus is not None and bonus.minor else ""
        notes.insert(0, Reason("store_credit", f"Paid as store credit{extra}"))
    elif method == Wish.EXCHANGE:
        notes.insert(0, Reason("exchange", "Goes into the exchange that the customer asked for"))
    when = f"within {window.window_days} days" if window.verdict is Verdict.WITHIN else "window not known"
    if late:
        when = f"after the {window.window_days}-day window"
    if decision == FULL:
        summary = Reason("refund_full", f"Refund in full: {why.label}, {when}")
    elif decision == PARTIAL:
        summary = Reason("refund_partial", f"Refund {amount} of {paid}: {why.label}, {when}")
    else:
        summary = Reason("refund_none", f"No refund: deductions reach what was paid, {paid}")
    refund = Refund(
        amount, decision, (summary, *trail, *bill.trail, *notes),
        parts=tuple(bill.parts),
        method=method,
        tax=tax_of(bill, base),
        bonus=bonus if bonus is not None and bonus.minor else None,
        claw_back=claw_back,
        settles=settled(amount, base, case.merchant.currency) if case.merchant is not None else None,
        statement=statement_of(bill, policy, paid),
    )  # fmt: skip
    return RefundAnswer(refund)


def _release(case: Case, policy: Policy, base: Base, amount: Money, why: Cause) -> tuple[list[Reason], Money | None]:
    """When the money leaves, and what of it has to come back."""
    notes: list[Reason] = []
    paid, rules = base.paid, policy.refund
    below = rules.keep_it_below.get(paid.currency)
    category = case.item.category if case.item is not None else None
    if below is not None and paid.minor <= below and not policy.must_come_back(category):
        notes.append(Reason("keep_it", f"Up to {Money(below, paid.currency)} the goods need not come back"))
    if rules.exchange_first and not why.our_error and wish_of(case) is Wish.REFUND:
        notes.append(Reason("exchange_first", "Offer an exchange before the refund"))
    released, claw_back = _released(policy, base), None
    over = released - amount.minor if released is not None else 0
    match rules.release:
        case Release.FIRST_SCAN if released is None:
            notes.append(Reason("release_inspection", "Too dear for the first scan: paid after this inspection"))
        case Release.FIRST_SCAN if over > 0 and rules.claw_back:
            claw_back = Money(over, paid.currency)
            least = rules.claw_back_from.get(paid.currency, 0)
            if over < least:
                text = f"Paid at the first scan: {claw_back} too much, left to the customer"
                notes.append(Reason("release_claw_back_small", text))
                claw_back = None
            else:
                notes.append(Reason("release_claw_back", f"Paid at the first scan: claw back {claw_back}"))
        case Release.FIRST_SCAN:
            notes.append(Reason("release_first_scan", "Paid at the carrier's first scan"))
        case Release.RECEIPT:
            notes.append(Reason("release_receipt", "Paid on receipt"))
        case Release.INSPECTION:
            notes.append(Reason("release_inspection", "Paid after this inspection"))
    if rules.call_task:
        notes.append(Reason("call_task", "Open a task: call the customer"))
    return notes, claw_back


def _released(policy: Policy, base: Base) -> int | None:
    """What left at the first scan, minor units: what is known, or what the policy says; None = nothing."""
    if base.order is not None and base.order.released is not None:
        return base.order.released.minor
    limit = policy.refund.instant_up_to.get(base.paid.currency)
    if policy.refund.release is not Release.FIRST_SCAN or (limit is not None and base.paid.minor > limit):
        return None
    return base.paid.minor


def _refused(policy: Policy, base: Base, because: str, trail: tuple[Reason, ...]) -> RefundAnswer:
    summary = Reason("refund_none", f"No refund: {because}")
    released = _released(policy, base) or 0
    claw_back = Money(released, base.paid.currency) if released and policy.refund.claw_back else None
    if claw_back is not None:
        trail = (*trail, Reason("release_claw_back", f"Paid at the first scan: claw back {claw_back}"))
    zero = Money(0, base.paid.currency)
    return RefundAnswer(Refund(zero, NONE, (summary, *trail), claw_back=claw_back), refused=True)


def _base(case: Case, policy: Policy) -> Base | Reason:
    """What was paid for the unit, or why nobody can say."""
    order = case.authorisation.order if case.authorisation is not None else None
    if order is not None and case.line is not None:
        unit = unit_paid(order, case.line.sku, hold_promotion=policy.refund.promotions == "hold")
        if unit is None:
            return Reason("refund_order_unclear", "The order does not say what was paid for another unit of it")
        return Base(Money(unit.paid, order.lines[0].unit.currency), unit, order)
    paid = case.line.paid if case.line is not None else None
    if paid is None or paid.minor < 0:
        return Reason("refund_paid_unknown", "What was paid is unknown")
    return Base(paid, None, None)


def _manual(text: str, code: str, trail: tuple[Reason, ...] = (), *, waits: bool = False) -> RefundAnswer:
    summary = Reason("refund_manual", "A person decides the refund")
    return RefundAnswer(Refund(None, MANUAL, (summary, *trail, Reason(code, text))), waits=waits)

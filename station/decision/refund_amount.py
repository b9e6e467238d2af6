"""How much a refund is, part by part, once it is known that there is one. Integer minor units.

paid        what was paid for this unit: by its line, or by its share of the order (``station.returns.order``)
fee, diminished_AXIS, way_back   taken off; each share of what was paid is rounded half up to a minor unit
cap         what of these goes beyond what was paid
shipping, duties                 given back on top, by the policy
order_cap   what would go beyond all that was paid for the order and not given back before

The amount is exactly the sum of its parts, never below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from station.decision.economics import percent
from station.decision.model import AxisLevel, Case, Reason
from station.decision.worth import half_up
from station.quantities import Money
from station.returns.model import Wish
from station.returns.order import Order, UnitPaid, paid_in_all
from station.returns.policy import Payer, Policy


@dataclass(frozen=True, slots=True)
class Cause:
    """Which reason counts and what it means for the money."""

    effective: str | None
    label: str
    our_error: bool
    trail: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """What a refund starts from."""

    paid: Money
    unit: UnitPaid | None
    """None = no order is known, only what was paid for one unit."""
    order: Order | None


@dataclass(slots=True)
class Bill:
    """A refund as it is added up."""

    currency: str
    parts: list[tuple[str, int]] = field(default_factory=list)
    trail: list[Reason] = field(default_factory=list)
    diminished: list[str] = field(default_factory=list)
    """Sentences of the written reason."""

    def add(self, what: str, minor: int, reason: Reason | None = None) -> None:
        if minor:
            self.parts.append((what, minor))
        if reason is not None:
            self.trail.append(reason)

    @property
    def total(self) -> int:
        return sum(minor for _, minor in self.parts)

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


def add_up(case: Case, policy: Policy, base: Base, cause: Cause, axes: tuple[AxisLevel, ...]) -> Bill:
    """Apply fee, diminished value, way back, shipping and duties."""
    bill = Bill(base.paid.currency)
    _paid(bill, base)
    paid = base.paid.minor
    if not cause.our_error:
        _fee(bill, case, policy, base.paid, cause)
        _diminished(bill, policy, base.paid, axes)
        _way_back(bill, case, policy, base.paid, cause)
    if bill.total < 0:
        bill.add("cap", -bill.total, Reason("deductions_capped", f"Deductions end at what was paid: {base.paid}"))
    if base.unit is not None and base.order is not None:
        _shipping(bill, policy, cause, base.unit, base.order)
        _duties(bill, policy, cause, base.unit)
        given = base.order.refunded.minor if base.order.refunded is not None else 0
        left = max(0, paid_in_all(base.order) - given)
        if bill.total > left:
            text = f"No more than what is left of the order: {bill.money(left)}"
            bill.add("order_cap", left - bill.total, Reason("order_capped", text))
    if base.unit is None and bill.total > paid:
        bill.add("order_cap", paid - bill.total)
    return bill


def _paid(bill: Bill, base: Base) -> None:
    bill.add("paid", base.paid.minor)
    unit = base.unit
    if unit is None:
        return
    if unit.discount:
        text = f"Paid for it: {bill.money(unit.price)}, less {bill.money(unit.discount)} as its share of discounts"
        bill.trail.append(Reason("order_discount", text))
    if unit.promotion_lost:
        text = f"The promotion does not hold for what is kept: {bill.money(unit.promotion_lost)} less"
        bill.trail.append(Reason("promotion_lost", text))


def _fee(bill: Bill, case: Case, policy: Policy, paid: Money, cause: Cause) -> None:
    share = policy.restocking_bp(case.item.category if case.item is not None else None)
    if not share or cause.effective in policy.fees.unless_reasons:
        return
    if policy.fees.free_on_exchange and wish_of(case) is Wish.EXCHANGE:
        bill.trail.append(Reason("restocking_fee_exchange", "No restocking fee with an exchange"))
        return
    fee = paid.percent(share)
    most = policy.fees.most.get(paid.currency)
    if most is not None and fee.minor > most:
        fee = Money(most, paid.currency)
        bill.add("fee", -fee.minor, Reason("restocking_fee", f"Restocking fee {percent(share)}, at most: {fee}"))
        return
    bill.add("fee", -fee.minor, Reason("restocking_fee", f"Restocking fee {percent(share)}: {fee}"))


def _diminished(bill: Bill, policy: Policy, paid: Money, axes: tuple[AxisLevel, ...]) -> None:
    """One deduction per axis, the hardest that applies, together at most the policy's share."""
    levels: Mapping[str, AxisLevel] = {axis.axis: axis for axis in axes}
    left = policy.max_deduction_bp
    for axis in dict.fromkeys(rule.axis for rule in policy.deductions):
        level = levels.get(axis)
        if level is None:
            continue  # nobody judged it, so nothing is taken off for it
        fitting = [rule for rule in policy.deductions if rule.axis == axis and level.level <= rule.at_most]
        if not fitting:
            continue
        rule = min(fitting, key=lambda rule: (rule.at_most, -rule.basis_points))
        share = min(rule.basis_points, left)
        left -= share
        if share:
            amount = paid.percent(share)
            text = f"{rule.reason}: {percent(share)} less, {amount}"
            bill.add(f"diminished_{axis}", -amount.minor, Reason(f"diminished_{axis}", text))
            seen = f"{axis} {level.level} of {level.best} ({level.meaning})"
            bill.diminished.append(f"{rule.reason}: {percent(share)}, {amount}; the inspection found {seen}.")


def statement_of(bill: Bill, policy: Policy, paid: Money) -> str:
    """The written reason of what is kept back for diminished value; empty = nothing is.

    It says what was seen and which rule applies, and asks for a check: what may be kept back is a matter of law.
    Source of the duty to give reasons: Directive 2011/83/EU, article 14(2) (check before claiming compliance).
    """
    if not bill.diminished:
        return ""
    kept = -sum(minor for what, minor in bill.parts if what.startswith("diminished_"))
    head = f"Diminished value: {bill.money(min(kept, paid.minor))} of {paid} kept back."
    tail = f"Policy {policy.name}, version {policy.version}. {policy.deduction_notice}."
    return " ".join((head, *bill.diminished, tail))


def _way_back(bill: Bill, case: Case, policy: Policy, paid: Money, cause: Cause) -> None:
    payer = policy.shipping.by_reason.get(cause.effective or "", policy.shipping.paid_by)
    if payer is Payer.MERCHANT:
        bill.trail.append(Reason("way_back_ours", "We pay the way back"))
        return
    if policy.shipping.free_on_exchange and wish_of(case) is Wish.EXCHANGE:
        bill.trail.append(Reason("way_back_exchange", "We pay the way back: an exchange"))
        return
    cost = policy.shipping.label_cost.get(paid.currency)
    if not cost:
        bill.trail.append(Reason("way_back_customer", "The customer pays the way back"))
        return
    text = f"Return label at the customer's cost: {bill.money(cost)}"
    if policy.shipping.free_on_exchange:
        text += " (free with an exchange)"
    bill.add("way_back", -cost, Reason("way_back_deducted", text))


def _shipping(bill: Bill, policy: Policy, cause: Cause, unit: UnitPaid, order: Order) -> None:
    """The way to the customer: this unit's share, or the rest with the last unit; never more than was paid for it."""
    rule = policy.shipping.outbound
    paid = order.shipping.minor if order.shipping is not None else 0
    left = max(0, paid - (order.shipping_refunded.minor if order.shipping_refunded is not None else 0))
    if rule == "never" or not left:
        return
    if rule == "complete" and unit.last:
        text = f"The whole order came back: {bill.money(left)} for the way to the customer"
        bill.add("shipping", left, Reason("outbound_complete", text))
    elif cause.our_error and min(unit.shipping, left):
        share = min(unit.shipping, left)
        bill.add(
            "shipping", share, Reason("outbound_share", f"Its share of the way to the customer: {bill.money(share)}")
        )


def _duties(bill: Bill, policy: Policy, cause: Cause, unit: UnitPaid) -> None:
    rule = policy.refund.duties
    if unit.duties and (rule == "always" or (rule == "our_error" and cause.our_error)):
        bill.add("duties", unit.duties, Reason("duties_back", f"Import duties paid: {bill.money(unit.duties)}"))


def wish_of(case: Case) -> Wish:
    """What the customer asks for."""
    return case.line.wish if case.line is not None else Wish.REFUND


def tax_of(bill: Bill, base: Base) -> Money | None:
    """Tax contained in the refund, at the rate that the unit was sold at; duties carry none. None = rate unknown."""
    if base.unit is None:
        return None
    taxed = bill.total - sum(minor for what, minor in bill.parts if what == "duties")
    return bill.money(half_up(max(0, taxed) * base.unit.tax_bp, 10_000 + base.unit.tax_bp))


def settled(amount: Money, base: Base, currency: str) -> Money | None:
    """The amount in the merchant's currency at the rate of the sale, rounded half up; None = same, or unknown."""
    rate = base.order.rate if base.order is not None else None
    if rate is None or currency == amount.currency or min(rate) <= 0:
        return None
    return Money(half_up(amount.minor * rate[0], rate[1]), currency)

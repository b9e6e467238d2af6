"""What was bought and paid: the order behind a return, and how its discounts fall on its units. Integer money.

A discount of the whole order falls on the units by their prices, in whole minor units whose sum is the discount
(largest remainder). Where a promotion no longer holds, a unit gives back what all units together give back with it,
less what they gave before: so several partial refunds add up to what was paid, whatever was rounded on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from station.quantities import Money

MOST_UNITS = 10_000
"""More in one order is no customer's; it goes to a person."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One article of the order."""

    sku: str
    quantity: int
    unit: Money
    """What one unit cost, tax included, before discounts of the whole order."""
    returned: int = 0
    """Units that were refunded before this return."""
    tax_bp: int = 0
    """Tax contained, in basis points of the net price: 1900 = 19 %."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A discount with a condition: so much off from a total on."""

    off: Money
    at_least: Money
    """The goods that are kept must cost so much (before discounts)."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was paid. All money is in one currency, the customer's."""

    lines: tuple[OrderLine, ...]
    discount: Money | None = None
    """Off the whole order, without a condition."""
    promotion: Promotion | None = None
    shipping: Money | None = None
    """Paid for the way to the customer."""
    duties: Money | None = None
    """Import duties and taxes that the customer paid at checkout, for the whole order."""
    refunded: Money | None = None
    """All that was given back before, whatever for."""
    credited: Money | None = None
    """What was paid for the goods that came back before, before fees and deductions; None = computed anew."""
    shipping_refunded: Money | None = None
    """The part of it that was shipping."""
    released: Money | None = None
    """Already paid out for this very unit (instant refund); None = nothing."""
    rate: tuple[int, int] | None = None
    """(a, b): so many minor units of the merchant's currency were booked for so many of the customer's."""


@dataclass(frozen=True, slots=True)
class Customs:
    """What is known of the border that the goods crossed to the customer."""

    exported_from: str
    """ISO 3166-1 alpha-2."""
    imported_to: str
    entry: str = ""
    """Number of the import declaration; empty = unknown."""
    commodity: str = ""
    """Commodity code; empty = unknown."""
    duty: Money | None = None
    """Duty paid for one unit; None = unknown."""


@dataclass(frozen=True, slots=True)
class UnitPaid:
    """What was paid for one unit, told from the order."""

    price: int
    """Before discounts of the order, minor units."""
    discount: int
    """Its share of them."""
    promotion_lost: int
    """Kept back because a promotion no longer holds for what stays with the customer."""
    shipping: int
    """Its share of the way to the customer."""
    duties: int
    tax_bp: int
    last: bool
    """Nothing of the order stays with the customer after this unit."""

    @property
    def paid(self) -> int:
        return self.price - self.discount - self.promotion_lost


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Share an amount so that the parts are whole and add up: largest remainder, equal remainders by their order.

    Args:
        total: any integer.
        weights: none below zero; all zero = equal shares.

    Returns:
        One part per weight, each at most one away from its exact share. Empty for no weights.

    Source: the method of Hamilton, M. L. Balinski and H. P. Young, *Fair Representation* (2001), §3.

    >>> split(100, [1, 1, 1]), split(-5, [3, 1]), split(7, [0, 0])
    ([34, 33, 33], [-4, -1], [4, 3])
    """
    if not weights:
        return []
    whole = sum(weights)
    shares = list(weights) if whole else [1] * len(weights)
    whole = whole or len(weights)
    parts = [total * weight // whole for weight in shares]
    rest = total - sum(parts)
    order = sorted(range(len(shares)), key=lambda place: (-(total * shares[place] % whole), place))
    for place in order[:rest]:
        parts[place] += 1
    return parts


def unit_paid(order: Order, sku: str, *, hold_promotion: bool) -> UnitPaid | None:
    """What was paid for the next unit of an article that comes back.

    Args:
        order: with the units that came back before.
        sku: the article.
        hold_promotion: True = a promotion is kept though its condition no longer holds.

    Returns:
        Its money; None = the order has no further unit of it, or its numbers cannot be.
    """
    number = next(
        (n for n, line in enumerate(order.lines) if line.sku == sku and 0 <= line.returned < line.quantity), None
    )
    if number is None or not _sound(order):
        return None
    line = order.lines[number]
    units = [(n, line.unit.minor) for n, line in enumerate(order.lines) for _ in range(line.quantity)]
    prices = [price for _, price in units]
    total = sum(prices)
    off = min(order.discount.minor if order.discount is not None else 0, total)
    promotion = order.promotion
    promised = 0
    if promotion is not None and total >= promotion.at_least.minor:
        promised = min(promotion.off.minor, total - off)
    place = next(p for p, (n, _) in enumerate(units) if n == number) + line.returned
    discount = split(off + promised if hold_promotion else off, prices)[place]
    lost = 0
    if promised and promotion is not None and not hold_promotion:
        net = [price - less for price, less in zip(prices, split(off, prices), strict=True)]
        back = [p for p, (n, _) in enumerate(units) if p - _first(units, n) < order.lines[n].returned]
        before = _goods(back, prices, net, promised, promotion.at_least.minor)
        given = order.credited.minor if order.credited is not None else max(0, before)
        after = _goods([*back, place], prices, net, promised, promotion.at_least.minor)
        lost = net[place] - max(0, after - given)
    kept = sum(one.quantity - one.returned for one in order.lines)
    return UnitPaid(
        price=line.unit.minor,
        discount=discount,
        promotion_lost=lost,
        shipping=split(order.shipping.minor, prices)[place] if order.shipping is not None else 0,
        duties=split(order.duties.minor, prices)[place] if order.duties is not None else 0,
        tax_bp=line.tax_bp,
        last=kept == 1,
    )


def _first(units: Sequence[tuple[int, int]], number: int) -> int:
    return next(place for place, (n, _) in enumerate(units) if n == number)


def _goods(back: Sequence[int], prices: Sequence[int], net: Sequence[int], promised: int, at_least: int) -> int:
    """What all these units together give back: what was paid for the order, less what the kept ones cost by
    themselves."""
    gone = set(back)
    kept_net = sum(amount for place, amount in enumerate(net) if place not in gone)
    kept_gross = sum(price for place, price in enumerate(prices) if place not in gone)
    still = min(promised, kept_net) if kept_gross >= at_least and kept_gross else 0
    return sum(net[place] for place in gone) - promised + still


def paid_for_goods(order: Order) -> int:
    """What was paid for all goods of the order, minor units."""
    total = sum(line.unit.minor * line.quantity for line in order.lines)
    off = min(order.discount.minor if order.discount is not None else 0, total)
    promotion = order.promotion
    if promotion is not None and total >= promotion.at_least.minor:
        off += min(promotion.off.minor, total - off)
    return total - off


def paid_in_all(order: Order) -> int:
    """What was paid for the order, with shipping and duties, minor units."""
    extra = (amount.minor for amount in (order.shipping, order.duties) if amount is not None)
    return paid_for_goods(order) + sum(extra)


def _sound(order: Order) -> bool:
    """One currency, nothing below zero, nothing returned that was not bought, and few enough units to count."""
    amounts = [line.unit for line in order.lines]
    amounts += [
        amount
        for amount in (
            order.discount, order.shipping, order.duties, order.refunded, order.shipping_refunded, order.released,
            order.credited, *((order.promotion.off, order.promotion.at_least) if order.promotion is not None else ()),
        )
        if amount is not None
    ]  # fmt: skip
    if len({amount.currency for amount in amounts}) != 1 or any(amount.minor < 0 for amount in amounts):
        return False
    if any(not 0 <= line.returned <= line.quantity or line.tax_bp < 0 for line in order.lines):
        return False
    return sum(line.quantity for line in order.lines) <= MOST_UNITS

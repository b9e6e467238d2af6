"""What was paid for one unit of an order: parts that add up, whatever comes back in whichever order."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from station.quantities import Money
from station.returns.order import MOST_UNITS, Order, OrderLine, Promotion, paid_for_goods, paid_in_all, split, unit_paid


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), max_size=12))
def test_parts_add_up_and_are_at_most_one_from_their_exact_share(total, weights):
    parts = split(total, weights)
    assert len(parts) == len(weights)
    if not weights:
        return
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part * whole - total * weight) < whole
            assert weight or not part


def an_order(seed: int) -> Order:
    dice = random.Random(seed)
    lines = tuple(
        OrderLine(f"s{number}", dice.randint(1, 4), eur(dice.choice((0, 1, 333, dice.randint(1, 20_000)))))
        for number in range(dice.randint(1, 4))
    )
    total = sum(line.unit.minor * line.quantity for line in lines)
    promotion = Promotion(eur(dice.randint(0, total + 10)), eur(dice.randint(0, total + 100)))
    return Order(
        lines=lines,
        discount=dice.choice((None, eur(dice.randint(0, total + 5)))),
        promotion=dice.choice((None, promotion, promotion)),
        shipping=dice.choice((None, eur(dice.randint(0, 999)))),
        duties=dice.choice((None, eur(dice.randint(0, 3_000)))),
    )


def come_back(order: Order, sku: str, paid: int) -> Order:
    lines = tuple(replace(line, returned=line.returned + (line.sku == sku)) for line in order.lines)
    given_before = order.credited.minor if order.credited is not None else 0
    return replace(order, lines=lines, credited=eur(given_before + paid))


@settings(max_examples=300)
@given(st.integers(0, 2**40), st.booleans(), st.randoms(use_true_random=False))
def test_all_units_in_any_order_give_back_exactly_what_was_paid(seed, hold, shuffle):
    order = an_order(seed)
    units = [line.sku for line in order.lines for _ in range(line.quantity)]
    shuffle.shuffle(units)
    goods = shipping = duties = 0
    for number, sku in enumerate(units):
        unit = unit_paid(order, sku, hold_promotion=hold)
        assert unit is not None
        assert 0 <= unit.paid <= unit.price
        assert unit.last is (number == len(units) - 1)
        if unit.promotion_lost:
            event("a promotion was lost")
        goods, shipping, duties = goods + unit.paid, shipping + unit.shipping, duties + unit.duties
        order = come_back(order, sku, unit.paid)
        assert unit_paid(order, sku, hold_promotion=hold) is None or sku in units[number + 1 :]
    assert goods == paid_for_goods(order)
    assert goods + shipping + duties == paid_in_all(order)


def test_a_promotion_that_no_longer_holds_is_taken_back_and_may_be_held():
    order = Order(
        (OrderLine("a", 1, eur(6_000)), OrderLine("b", 2, eur(3_000))), promotion=Promotion(eur(2_000), eur(10_000))
    )
    lost = unit_paid(order, "a", hold_promotion=False)
    assert (lost.paid, lost.promotion_lost) == (4_000, 2_000), "what is kept costs 60.00 and no longer earns the 20.00"
    held = unit_paid(order, "a", hold_promotion=True)
    assert (held.paid, held.discount) == (5_000, 1_000)
    small = replace(order, promotion=Promotion(eur(2_000), eur(5_000)))
    assert unit_paid(small, "b", hold_promotion=False).promotion_lost == 0, "90.00 are kept: it still holds"


@pytest.mark.parametrize(
    "order",
    [
        Order((OrderLine("a", 1, eur(100), returned=1),)),
        Order((OrderLine("b", 1, eur(100)),)),
        Order((OrderLine("a", 1, eur(-1)),)),
        Order((OrderLine("a", 1, eur(100)), OrderLine("b", 1, Money(100, "USD")))),
        Order((OrderLine("a", 1, eur(100)),), shipping=Money(1, "USD")),
        Order((OrderLine("a", 1, eur(100)), OrderLine("b", 1, eur(1), returned=2))),
        Order((OrderLine("a", MOST_UNITS + 1, eur(100)),)),
        Order(()),
    ],
    ids=[
        "all back",
        "not in it",
        "below zero",
        "two currencies",
        "shipping",
        "more back than bought",
        "too many",
        "empty",
    ],
)
def test_an_order_that_says_nothing_about_the_unit(order):
    assert unit_paid(order, "a", hold_promotion=True) is None

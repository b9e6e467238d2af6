"""Scarce places: the best sum there is, prices with which every unit finds its own way, and words for both."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.decision.allocate import allocate
from station.decision.model import Alternative, Disposition, Reason
from station.errors import InvalidInput
from station.quantities import Money

D = Disposition
WAYS = [D.REFURBISH, D.LIQUIDATE, D.RETURN_TO_VENDOR, D.RECYCLE]
SAID = Reason("r", "r")


def a_unit(dice, ways=WAYS):
    open_ways = [way for way in ways if dice.random() < 0.85]
    return tuple(Alternative(way, Money(dice.randint(-6, 12), "EUR"), True, SAID) for way in open_ways)


def a_batch(seed, units=6):
    dice = random.Random(seed)
    batch = [a_unit(dice) for _ in range(dice.randint(0, units))]
    return batch, {way: dice.randint(0, 3) for way in WAYS if dice.random() < 0.7}


def brute_force(batch, room):
    """(units placed, sum of values) of the best of all assignments: placing a unit beats holding it."""
    best = (0, 0)
    for ways in itertools.product(*[[*unit, None] for unit in batch]):
        taken = [way.disposition for way in ways if way is not None]
        if any(taken.count(way) > places for way, places in room.items()):
            continue
        best = max(best, (len(taken), sum(way.value.minor for way in ways if way is not None)))
    return best


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**40))
def test_the_sum_equals_the_best_of_all_assignments(seed):
    batch, room = a_batch(seed)
    result = allocate(batch, room, "EUR")
    placed = [unit.disposition for unit in result.units]
    for way, places in room.items():
        assert placed.count(way) <= places
    for unit, way in zip(batch, placed, strict=True):
        assert way is None or way in [one.disposition for one in unit]
    assert (sum(way is not None for way in placed), result.total) == brute_force(batch, room)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**40))
def test_with_the_prices_taken_off_every_unit_has_its_best_way(seed):
    batch, room = a_batch(seed, units=40)
    result = allocate(batch, {way: 5 * places for way, places in room.items()}, "EUR")
    prices = {way: amount.minor for way, amount in result.places}
    assert all(price > 0 for price in prices.values())
    for unit, placed in zip(batch, result.units, strict=True):
        if placed.disposition is None:
            continue
        worth = {way.disposition: way.value.minor - prices.get(way.disposition, 0) for way in unit}
        assert worth[placed.disposition] == max(worth.values())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**40), st.sampled_from(WAYS))
def test_a_place_is_worth_what_the_batch_loses_without_it(seed, way):
    batch, room = a_batch(seed, units=8)
    if not room.get(way):
        return
    with_it = allocate(batch, room, "EUR")
    without = allocate(batch, {**room, way: room[way] - 1}, "EUR")
    held = [sum(unit.disposition is None for unit in result.units) for result in (with_it, without)]
    if held[0] == held[1]:
        price = dict(with_it.places).get(way, Money(0, "EUR")).minor
        assert with_it.total - without.total == price


def test_the_words_name_the_price_that_decided():
    good = (
        Alternative(D.REFURBISH, Money(3_000, "EUR"), True, SAID),
        Alternative(D.LIQUIDATE, Money(1_000, "EUR"), True, SAID),
    )
    poor = (
        Alternative(D.REFURBISH, Money(1_400, "EUR"), True, SAID),
        Alternative(D.LIQUIDATE, Money(600, "EUR"), True, SAID),
    )
    result = allocate([poor, good], {D.REFURBISH: 1}, "EUR")
    assert [unit.disposition for unit in result.units] == [D.LIQUIDATE, D.REFURBISH]
    assert result.places == ((D.REFURBISH, Money(2_000, "EUR")),)
    assert [unit.reason.text for unit in result.units] == [
        "Refurbish is worth 8.00 EUR more, but its 1 places are full: "
        "another unit gains 20.00 EUR or more by a place there",
        "Refurbish is worth most: 30.00 EUR, and a place there is worth 20.00 EUR",
    ]


def test_units_without_values_go_first_by_rule_and_nobody_is_sent_where_there_is_no_room():
    unknown = (Alternative(D.REFURBISH, None, True, SAID), Alternative(D.RECYCLE, None, True, SAID))
    result = allocate([unknown, unknown], {D.REFURBISH: 1}, "EUR")
    assert [unit.disposition for unit in result.units] == [D.REFURBISH, D.RECYCLE]
    full = allocate([(Alternative(D.REFURBISH, Money(9, "EUR"), True, SAID),)], {D.REFURBISH: 0}, "EUR")
    assert full.units[0].disposition is None
    assert full.units[0].reason.text == "No way with room is open for this unit: held"
    assert allocate([], {}, "EUR").units == ()


def test_other_currencies_and_room_below_zero_are_refused():
    with pytest.raises(InvalidInput, match="the batch is in EUR"):
        allocate([(Alternative(D.RECYCLE, Money(1, "USD"), True, SAID),)], {}, "EUR")
    with pytest.raises(InvalidInput, match="room below zero"):
        allocate([], {D.RECYCLE: -1}, "EUR")


def test_a_thousand_units_with_their_proof():
    """Prices that nobody would rather pay elsewhere, asked for full ways alone, prove the sum the largest there is."""
    dice = random.Random(7)
    ways = list(D)[:9]
    batch = [
        tuple(Alternative(way, Money(dice.randint(-500, 12_000), "EUR"), True, SAID) for way in ways)
        for _ in range(1_000)
    ]
    room = dict.fromkeys(ways[:7], 90)
    result = allocate(batch, room, "EUR")
    prices = {way: amount.minor for way, amount in result.places}
    placed = [unit.disposition for unit in result.units]
    best = 0
    for unit, way in zip(batch, placed, strict=True):
        net = {one.disposition: one.value.minor - prices.get(one.disposition, 0) for one in unit}
        assert net[way] == max(net.values())
        best += net[way]
    assert all(placed.count(way) == room[way] for way in prices)
    assert result.total == best + sum(price * room[way] for way, price in prices.items())

"""The smallest change that flips a way: applied, it flips; one less, it does not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import event, given, settings

from station.decision.flips import flips_of, with_flip
from station.decision.model import Derogation, Disposition, Lever
from station.quantities import Money
from tests.station.decision.made_up import book_cases, listed, shares, unit_cases


@settings(max_examples=400)
@given(book_cases, shares, unit_cases)
def test_a_flip_flips_and_one_less_does_not(book, recovery, unit):
    ways = listed(unit, book, recovery)
    flips = flips_of(unit, ways, book)
    allowed = [way for way in ways if way.allowed]
    money_decides = len(allowed) > 1 and all(way.value is not None for way in allowed)
    assert bool(flips) is money_decides
    for flip in flips:
        event(flip.lever)
        chosen = allowed[0].disposition
        assert flip.to is not chosen
        assert listed(with_flip(unit, chosen, flip), book, recovery)[0].disposition is flip.to
        step = 1 if flip.change > 0 else -1
        if flip.change == 0:
            continue
        short = with_flip(unit, chosen, replace(flip, change=flip.change - step))
        assert listed(short, book, recovery)[0].disposition is chosen


@settings(max_examples=200)
@given(book_cases, shares, unit_cases)
def test_where_no_work_flip_is_given_no_number_of_minutes_flips(book, recovery, unit):
    ways = listed(unit, book, recovery)
    flips = flips_of(unit, ways, book)
    if not flips or any(flip.lever is Lever.WORK for flip in flips):
        return
    chosen = ways[0].disposition
    works = any(route.rework for route in book.routes if route.disposition is chosen)
    for minutes in range(0, 4_000 if works else unit.rework_minutes, 97 if works else 1):
        assert listed(replace(unit, rework_minutes=minutes), book, recovery)[0].disposition is chosen


def test_the_words(decided):
    decision = decided({"power": "bad_sound", "seal": "broken", "look": "light_wear"}, reason="unwanted")
    best, second = decision.alternatives[:2]
    gap = best.value.minor - second.value.minor
    assert [flip.lever for flip in decision.flips] == [Lever.COST, Lever.WORK]
    cost, work = decision.flips
    assert (cost.to, cost.change) == (second.disposition, gap + 1)
    assert cost.reason.text == f"With {Money(gap + 1, 'EUR')} more cost on refurbish, return to vendor would be chosen"
    assert work.reason.text == f"With {-(-(gap + 1) // 40)} min more work return to vendor would be chosen"


def test_where_money_did_not_decide_there_is_nothing_to_flip(decided):
    swollen = decided({"power": "swollen"}, traits=("lithium",))
    assert (swollen.disposition, swollen.flips) == (Disposition.QUARANTINE, ())
    assert decided(price=None).flips == ()
    assert decided(delivered_days_ago=45).flips == (), "the goods are the customer's: one way only"
    soaked = decided(
        {"look": "damaged", "damage": "soaked"}, category="apparel", traits=(),
        derogations=(Derogation("destruction_ban", "D-17"),), price=None,
    )  # fmt: skip
    assert soaked.flips == ()

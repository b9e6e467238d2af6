"""Values of the ways: against a second, slower computation, and against what must never follow from a change."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.books import Route, RouteBook
from station.decision.decide import decide
from station.decision.economics import Unit, percent, value_routes
from station.decision.model import AxisLevel, Disposition, Gate, GateState, Reason
from station.decision.rules import load_rules
from station.decision.scheme import GradeRule, GradingScheme
from station.quantities import Money

D = Disposition
RULES = load_rules()
WAYS = [D.RESTOCK, D.REPACKAGE, D.REFURBISH, D.LIQUIDATE, D.DONATE, D.RECYCLE]
LEVELS = (AxisLevel("function", 4, 6, ""), AxisLevel("cosmetics", 6, 9, ""), AxisLevel("packaging", 3, 5, ""))
POLICY = msgspec.structs.replace(RULES.policy("marketplace"), routes=tuple(WAYS))

cents = st.integers(0, 20_000)
shares = st.dictionaries(st.sampled_from(WAYS), st.integers(0, 10_000))


@st.composite
def books(draw):
    routes = [
        Route(
            disposition=way,
            title=way.value,
            needs=draw(st.dictionaries(st.sampled_from(["function", "cosmetics"]), st.integers(1, 6), max_size=1)),
            needs_text="too low",
            cost={"EUR": draw(cents)},
            rework=draw(st.booleans()),
        )
        for way in draw(st.permutations(WAYS))
    ]
    return RouteBook(version=1, rework_per_minute={"EUR": draw(st.integers(0, 200))}, routes=tuple(routes))


def scheme_with(recovery):
    grades = (GradeRule(code="G", meaning="some", recovery_bp=recovery),)
    return GradingScheme(name="s", version=1, title="s", grades=grades)


def unit_of(price, minutes, gates=()):
    scheme = scheme_with({})
    return Unit(scheme.grade(LEVELS), gates, Money(price, "EUR"), minutes, None, False)


def brute_force(price, minutes, recovery, book, forbidden):
    """The best way by exact fractions, over every way."""
    levels = {level.axis: level.level for level in LEVELS}
    best = None
    for number, route in enumerate(book.routes):
        if route.disposition in forbidden or any(levels[axis] < least for axis, least in route.needs.items()):
            continue
        gross = Fraction(price * recovery.get(route.disposition, 0), 10_000)
        value = (gross + Fraction(1, 2)).__floor__() - route.cost["EUR"]
        if route.rework:
            value -= minutes * book.rework_per_minute["EUR"]
        if best is None or (-value, number) < (-best[0], best[1]):
            best = (value, number, route.disposition)
    return best


@given(books(), shares, st.integers(0, 100_000), st.integers(0, 60), st.sets(st.sampled_from(WAYS)))
def test_the_best_way_equals_brute_force(book, recovery, price, minutes, forbidden):
    gate = Gate("g", GateState.RAISED, Reason("g", "g"), tuple(sorted(forbidden)))
    unit = unit_of(price, minutes, (gate,))
    listed = value_routes(unit, POLICY, scheme_with(recovery), book, RULES.gates)
    assert len(listed) == len(book.routes)
    expected = brute_force(price, minutes, recovery, book, forbidden)
    if expected is None:
        assert not any(way.allowed for way in listed)
    else:
        assert listed[0].allowed
        assert (listed[0].disposition, listed[0].value) == (expected[2], Money(expected[0], "EUR"))
    assert all(not way.allowed for way in listed if way.disposition in forbidden)


@given(books(), shares, st.integers(0, 100_000), st.sampled_from(WAYS), st.integers(1, 5_000))
def test_a_dearer_way_never_gains(book, recovery, price, way, extra):
    unit, scheme = unit_of(price, 10), scheme_with(recovery)
    dearer = msgspec.structs.replace(
        book,
        routes=tuple(
            msgspec.structs.replace(route, cost={"EUR": route.cost["EUR"] + extra})
            if route.disposition is way
            else route
            for route in book.routes
        ),
    )
    before = [alternative.disposition for alternative in value_routes(unit, POLICY, scheme, book, RULES.gates)]
    after = [alternative.disposition for alternative in value_routes(unit, POLICY, scheme, dearer, RULES.gates)]
    assert after.index(way) >= before.index(way)


@given(books(), shares, st.integers(0, 100_000))
def test_the_order_of_the_book_decides_equal_values_only(book, recovery, price):
    listed = value_routes(unit_of(price, 0), POLICY, scheme_with(recovery), book, RULES.gates)
    order = [route.disposition for route in book.routes]
    allowed = [way for way in listed if way.allowed]
    for first, second in pairwise(allowed):
        assert first.value.minor >= second.value.minor
        if first.value == second.value:
            assert order.index(first.disposition) < order.index(second.disposition)


def test_no_float_anywhere_in_a_decision(case, rules):
    def floats(value):
        if isinstance(value, float):
            return True
        if isinstance(value, dict):
            return any(floats(entry) for entry in value.values())
        return isinstance(value, list | tuple) and any(floats(entry) for entry in value)

    for price in (1, 3, 33, 99_999_999):
        decision = decide(case(price=Money(price, "EUR"), paid=Money(price, "EUR")), rules)
        assert not floats(msgspec.to_builtins(decision))


def test_the_words_add_up_to_the_value(decided):
    decision = decided({"power": "bad_sound", "seal": "broken", "look": "light_wear"}, reason="defective")
    best = decision.alternatives[0]
    assert best.disposition is D.REFURBISH
    assert best.reason.text == (
        "62 % of 129.00 EUR, less 1.07 EUR until it is sold, less 3.00 EUR handling, less 12.40 EUR for 31 min of work"
    )
    assert best.value == Money(7_998 - 107 - 300 - 1_240, "EUR")
    assert sum(minor for _, minor in best.parts) == best.value.minor


def test_every_way_is_listed_with_the_rule_that_forbids_it(decided):
    decision = decided({"power": "no_charge", "seal": "broken", "look": "light_wear"}, reason="defective")
    assert {way.disposition for way in decision.alternatives} == set(D) - {D.QUARANTINE, D.MISSING}
    assert all(way.reason.text for way in decision.alternatives)
    forbidden = {way.disposition: way.reason.text for way in decision.alternatives if not way.allowed}
    assert forbidden[D.LIQUIDATE] == "Battery does not charge: not shipped until repaired"


def test_a_way_that_the_merchant_does_not_offer_is_forbidden(case, rules):
    policy = msgspec.structs.replace(rules.policy("small_brand"), name="lean", routes=(D.LIQUIDATE,), sha256="")
    lean = replace(rules, _current_policies={"lean": policy})
    decision = decide(case(policy="lean"), lean)
    assert decision.disposition is D.LIQUIDATE
    restock = next(way for way in decision.alternatives if way.disposition is D.RESTOCK)
    assert restock.reason.text == "Not offered by this merchant's policy (Small brand)"


@pytest.mark.parametrize(("basis_points", "text"), [(0, "0 %"), (10_000, "100 %"), (1_250, "12.5 %"), (1, "0.01 %")])
def test_percent(basis_points, text):
    assert percent(basis_points) == text

"""Values of the ways: against a deliberately naive second computation in fractions, and what may never follow."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from math import floor

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.decision.books import Band, Quota, Route, RouteBook
from station.decision.decay import Decay, check_decay
from station.decision.economics import Unit
from station.decision.model import Disposition, Floor, Gate, GateState, Reason
from station.errors import InvalidInput
from station.quantities import Money
from tests.station.decision.made_up import (
    LEVELS,
    TODAY,
    WAYS,
    book_cases,
    decays,
    fields,
    listed,
    scheme_with,
    shares,
    unit_cases,
    with_route,
)

D = Disposition


def nearest(value: Fraction) -> int:
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


def naive_left(book, days) -> Fraction:
    """By the definition: the half-life's ppm is the one whose power is nearest, found by trying."""
    left = Fraction(1)
    for decay in book.decays:
        if decay.half_life_days is None:
            left = Fraction(decay.table[-1][1], 10_000)
            for (day, share), (later, after) in zip(((0, 10_000), *decay.table), decay.table, strict=False):
                if day <= days < later:
                    line = Fraction(share) + Fraction(after - share) * (days - day) / (later - day)
                    left = Fraction(floor(line * 100), 1_000_000)
        else:
            low, high = 0, 1_000_000
            while low < high:  # the largest ppm whose power is not above 2^-days
                middle = (low + high + 1) // 2
                # (middle - 1/2) / 10^6 <= 2^(-days/h)  <=>  (2 middle - 1)^h * 2^days <= (2 * 10^6)^h
                if (2 * middle - 1) ** decay.half_life_days * 2**days <= 2_000_000**decay.half_life_days:
                    low = middle
                else:
                    high = middle - 1
            left = Fraction(low, 1_000_000)
    for season in book.seasons:
        day = (TODAY + timedelta(days=days)).strftime("%m-%d")
        begin, end = season.sold_from, season.sold_to
        if (begin <= day <= end) if begin <= end else (day >= begin or day <= end):
            left = Fraction(nearest(left * season.basis_points * 100), 1_000_000)
    return left


def naive_value(route, unit, recovery, book):
    """One way's value, or None."""
    share = recovery.get(route.disposition, 0)
    brings = nearest(Fraction(unit.price.minor * share, 10_000) * naive_left(book, route.days_to_sell)) if share else 0
    value = brings - route.cost["EUR"] - route.fee["EUR"] - nearest(Fraction(brings * route.fee_bp, 10_000))
    if route.rework:
        value -= unit.rework_minutes * book.rework_per_minute["EUR"]
    if route.freight:
        kilos = unit.mass_mg is not None
        fitting = [
            band
            for band in route.freight
            if (band.up_to_g is None or (kilos and unit.mass_mg <= band.up_to_g * 1000))
            and (band.up_to_cm3 is None or (unit.volume_cm3 is not None and unit.volume_cm3 <= band.up_to_cm3))
        ]
        if not fitting:
            return None
        value -= fitting[0].cost["EUR"]
    if route.quota is not None:
        value -= nearest(Fraction(route.quota.batch_freight["EUR"], route.quota.minimum_batch))
    price = book.carbon_per_tonne.get("EUR", 0)
    if price:
        if route.carbon_g_per_kg and unit.mass_mg is None:
            return None
        milligrams = route.carbon_g * 1000 + floor(Fraction(route.carbon_g_per_kg * (unit.mass_mg or 0), 1000))
        value -= nearest(Fraction(milligrams * price, 10**9))
    for way, amount in (*unit.floor.places, *unit.floor.extra):
        if way == route.disposition:
            value -= amount.minor
    return value


def naive_choice(unit, recovery, book):
    """Every possible way with its value, best first."""
    levels = {level.axis: level.level for level in LEVELS}
    possible = []
    for number, route in enumerate(book.routes):
        if route.disposition in unit.gates[0].forbids:
            continue
        if any(levels[axis] < least for axis, least in route.needs.items()):
            continue
        taken = dict(unit.floor.taken).get(route.disposition)
        if taken is not None and route.capacity_per_day is not None and taken >= route.capacity_per_day:
            continue
        if taken is not None and route.quota is not None and taken >= route.quota.units:
            continue
        possible.append((number, route.disposition, naive_value(route, unit, recovery, book)))
    if all(value is not None for _, _, value in possible):
        possible.sort(key=lambda entry: (-entry[2], entry[0]))
    return [(way, value) for _, way, value in possible]


@settings(max_examples=500)
@given(book_cases, shares, unit_cases)
def test_every_value_and_the_order_equal_the_naive_computation(book, recovery, unit):
    ways = listed(unit, book, recovery)
    expected = naive_choice(unit, recovery, book)
    assert [(way.disposition, way.value.minor if way.value else None) for way in ways if way.allowed] == expected
    for way in ways:
        assert sum(amount for _, amount in way.parts) == (way.value.minor if way.value else 0)
        assert all(isinstance(amount, int) and amount for _, amount in way.parts)
        assert way.reason.text


def place(ways, disposition):
    return [way.disposition for way in ways].index(disposition)


@given(
    book_cases,
    shares,
    unit_cases,
    st.sampled_from(WAYS),
    st.integers(1, 5_000),
    st.sampled_from(["cost", "fee", "fee_bp", "days", "extra"]),
)
def test_what_costs_more_never_gains(book, recovery, unit, way, extra, what):
    before = listed(unit, book, recovery)
    dearer, same = book, unit
    if what in ("cost", "fee"):
        dearer = with_route(book, way, **{what: lambda cost: {"EUR": cost["EUR"] + extra}})
    elif what == "fee_bp":
        dearer = with_route(book, way, fee_bp=lambda share: min(10_000, share + extra))
    elif what == "days":
        dearer = with_route(msgspec.structs.replace(book, seasons=()), way, days_to_sell=lambda days: days + extra % 90)
        before = listed(unit, msgspec.structs.replace(book, seasons=()), recovery)
    else:
        amount = (*unit.floor.extra, (way, Money(extra, "EUR")))
        same = Unit(**{**fields(unit), "floor": Floor(unit.floor.taken, unit.floor.places, amount)})
    assert place(listed(same, dearer, recovery), way) >= place(before, way)


@given(book_cases, shares, unit_cases, st.sampled_from(WAYS), st.integers(0, 10_000))
def test_a_larger_share_of_the_price_never_loses(book, recovery, unit, way, share):
    more = {**recovery, way: max(share, recovery.get(way, 0))}
    assert place(listed(unit, book, more), way) <= place(listed(unit, book, recovery), way)


@given(book_cases, shares, unit_cases, st.sampled_from(WAYS))
def test_a_way_that_is_not_possible_changes_nothing_among_the_others(book, recovery, unit, way):
    """Also where it has no value: what cannot be chosen must not decide that nothing can be compared."""
    fewer = msgspec.structs.replace(book, routes=tuple(r for r in book.routes if r.disposition is not way))
    gate = Gate("g", GateState.RAISED, Reason("g", "g"), (*unit.gates[0].forbids, way))
    closed = Unit(**{**fields(unit), "gates": (gate,)})
    with_it = [one for one in listed(closed, book, recovery) if one.allowed]
    without = [one for one in listed(closed, fewer, recovery) if one.allowed]
    assert with_it == without


@given(book_cases, shares, unit_cases, st.integers(2, 50))
def test_all_money_scaled_is_the_same_choice(book, recovery, unit, factor):
    """Money in whole hundredths of a percent of everything, so that scaling is exact and rounding plays no part."""
    whole = {way: share - share % 100 for way, share in recovery.items()}
    plain = msgspec.structs.replace(book, decays=(), seasons=(), carbon_per_tonne={})
    plain = msgspec.structs.replace(
        plain, routes=tuple(msgspec.structs.replace(r, fee_bp=0, quota=None) for r in plain.routes)
    )
    unit = Unit(**{**fields(unit), "price": Money(unit.price.minor - unit.price.minor % 100, "EUR")})

    def times(table):
        return {currency: amount * factor for currency, amount in table.items()}

    scaled = msgspec.structs.replace(
        plain,
        rework_per_minute=times(plain.rework_per_minute),
        routes=tuple(
            msgspec.structs.replace(
                r, cost=times(r.cost), fee=times(r.fee),
                freight=tuple(msgspec.structs.replace(band, cost=times(band.cost)) for band in r.freight),
            )
            for r in plain.routes
        ),
    )  # fmt: skip
    floor_scaled = Floor(
        unit.floor.taken,
        tuple((way, Money(amount.minor * factor, "EUR")) for way, amount in unit.floor.places),
        tuple((way, Money(amount.minor * factor, "EUR")) for way, amount in unit.floor.extra),
    )
    larger = Unit(**{**fields(unit), "price": Money(unit.price.minor * factor, "EUR"), "floor": floor_scaled})
    one = [(way.disposition, way.allowed) for way in listed(unit, plain, whole)]
    other = [(way.disposition, way.allowed) for way in listed(larger, scaled, whole)]
    assert one == other


@given(book_cases, shares, unit_cases, st.integers(0, 10**9))
def test_no_money_opens_what_a_gate_or_a_rule_closes(book, recovery, unit, gift):
    """However much a forbidden way would bring, it stays behind the allowed ones and is never first."""
    open_now = {way.disposition for way in listed(unit, book, recovery) if way.allowed}
    gifts = tuple((way, Money(-gift, "EUR")) for way in WAYS)
    rich = Unit(**{**fields(unit), "floor": Floor(unit.floor.taken, (), gifts)})
    ways = listed(rich, book, dict.fromkeys(WAYS, 10_000))
    assert {way.disposition for way in ways if way.allowed} == open_now
    assert [way.allowed for way in ways] == sorted((way.allowed for way in ways), reverse=True)


def test_words_name_every_part_and_the_full_house():
    route = Route(
        disposition=D.LIQUIDATE, title="L", cost={"EUR": 100}, days_to_sell=360, fee_bp=1_000, fee={"EUR": 20},
        carbon_g_per_kg=1_000, capacity_per_day=2,
        freight=(Band(up_to_g=500, cost={"EUR": 300}), Band(cost={"EUR": 900})),
    )  # fmt: skip
    book = RouteBook(version=1, carbon_per_tonne={"EUR": 10_000}, decays=(Decay(half_life_days=360),), routes=(route,))
    floor_now = Floor(taken=((D.LIQUIDATE, 1),), places=((D.LIQUIDATE, Money(50, "EUR")),))
    unit = Unit(
        scheme_with({}).grade(LEVELS),
        (),
        Money(10_000, "EUR"),
        0,
        None,
        False,
        mass_mg=400_000,
        today=TODAY,
        floor=floor_now,
    )
    (way,) = listed(unit, book, {D.LIQUIDATE: 8_000})
    assert way.reason.text == (
        "80 % of 100.00 EUR, less 40.00 EUR until it is sold, less 4.20 EUR fees, less 1.00 EUR handling, "
        "less 3.00 EUR freight, less 0.04 EUR for its carbon, less 0.50 EUR for a scarce place"
    )
    assert way.value == Money(8_000 - 4_000 - 420 - 100 - 300 - 4 - 50, "EUR")
    full = Unit(**{**fields(unit), "floor": Floor(taken=((D.LIQUIDATE, 2),))})
    (way,) = listed(full, book, {})
    assert (way.allowed, way.reason.text) == (False, "All 2 places of today are taken")
    unknown = Unit(**{**fields(unit), "mass_mg": None})
    (way,) = listed(unknown, with_route(book, D.LIQUIDATE, carbon_g_per_kg=lambda _: 0), {})
    assert way.reason.text.startswith("Brings nothing, less 0.20 EUR fees")
    assert "less 9.00 EUR freight (mass unknown)" in way.reason.text


def test_a_quota_ends():
    route = Route(disposition=D.RETURN_TO_VENDOR, title="V", cost={"EUR": 0}, quota=Quota(units=5, period_days=30))
    book = RouteBook(version=1, routes=(route,))
    unit = Unit(scheme_with({}).grade(LEVELS), (), Money(1, "EUR"), 0, None, False)
    for taken, allowed in ((4, True), (5, False)):
        now = Unit(**{**fields(unit), "floor": Floor(taken=((D.RETURN_TO_VENDOR, taken),))})
        assert listed(now, book, {})[0].allowed is allowed
    assert listed(unit, book, {})[0].allowed, "nothing known of the day: no limit"


@pytest.mark.parametrize(
    ("decay", "message"),
    [
        (Decay(), "give either"),
        (Decay(half_life_days=3, table=((1, 9_000),)), "give either"),
        (Decay(table=((10, 9_000), (5, 8_000))), "days must rise"),
        (Decay(table=((10, 8_000), (20, 9_000))), "shares fall"),
    ],
)
def test_a_decay_that_cannot_be_is_refused(decay, message):
    with pytest.raises(InvalidInput, match=message):
        check_decay(decay, "routes.toml")


@given(decays, st.integers(0, 500), st.integers(0, 500))
def test_value_never_rises_by_waiting(decay, days, more):
    assert decay.left_ppm(days + more) <= decay.left_ppm(days) <= 1_000_000

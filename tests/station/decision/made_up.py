"""Route books, units and shares made up from a seed: any parts, any gaps, ties and zeros among them."""

from __future__ import annotations

import random
from datetime import date

import msgspec
from hypothesis import strategies as st

from station.decision.books import Band, Quota, Route, RouteBook
from station.decision.decay import Decay, Season
from station.decision.economics import Unit, value_routes
from station.decision.model import AxisLevel, Disposition, Floor, Gate, GateState, Reason
from station.decision.rules import load_rules
from station.decision.scheme import GradeRule, GradingScheme
from station.quantities import Money

D = Disposition
RULES = load_rules()
WAYS = [D.RESTOCK, D.REPACKAGE, D.REFURBISH, D.LIQUIDATE, D.DONATE, D.RECYCLE, D.RETURN_TO_VENDOR]
LEVELS = (AxisLevel("function", 4, 6, ""), AxisLevel("cosmetics", 6, 9, ""), AxisLevel("packaging", 3, 5, ""))
POLICY = msgspec.structs.replace(RULES.policy("marketplace"), routes=tuple(WAYS))
TODAY = date(2026, 11, 22)


def euros(dice):
    return {"EUR": dice.choice((0, 1, dice.randrange(500), dice.randrange(20_000)))}


def maybe(dice, value):
    return value if dice.random() < 0.5 else None


def a_route(dice, way):
    bands = tuple(
        Band(
            up_to_g=maybe(dice, dice.randint(1, 5_000)), up_to_cm3=maybe(dice, dice.randint(1, 9_000)), cost=euros(dice)
        )
        for _ in range(dice.choice((0, 0, 1, 3)))
    )
    quota = Quota(
        units=dice.randint(0, 9), period_days=30, minimum_batch=dice.randint(1, 30), batch_freight=euros(dice)
    )
    return Route(
        disposition=way,
        title=way.value,
        needs={} if dice.random() < 0.6 else {dice.choice(("function", "cosmetics")): dice.randint(1, 6)},
        needs_text="too low",
        cost=euros(dice),
        rework=dice.random() < 0.5,
        days_to_sell=dice.randint(0, 120),
        fee_bp=dice.choice((0, dice.randint(0, 3_000))),
        fee=euros(dice),
        freight=bands,
        carbon_g=dice.randint(0, 50_000),
        carbon_g_per_kg=dice.choice((0, dice.randint(0, 5_000))),
        capacity_per_day=maybe(dice, dice.randint(0, 9)),
        quota=maybe(dice, quota),
    )


def a_decay(dice):
    if dice.random() < 0.5:
        return Decay(half_life_days=dice.randint(1, 150))
    days = sorted(dice.sample(range(1, 200), 3))
    left = sorted((dice.randint(0, 10_000) for _ in days), reverse=True)
    return Decay(table=tuple(zip(days, left, strict=True)))


def a_book(seed):
    dice = random.Random(seed)
    season = Season(
        sold_from=dice.choice(("11-01", "12-27")), sold_to=dice.choice(("12-24", "01-31")),
        basis_points=dice.randint(0, 15_000),
    )  # fmt: skip
    return RouteBook(
        version=1,
        rework_per_minute={"EUR": dice.randint(0, 200)},
        carbon_per_tonne=dice.choice(({}, euros(dice))),
        decays=dice.choice(((), (a_decay(dice),))),
        seasons=dice.choice(((), (season,))),
        routes=tuple(a_route(dice, way) for way in dice.sample(WAYS, len(WAYS))),
    )


def some_amounts(dice):
    return tuple((dice.choice(WAYS), Money(dice.randrange(20_000), "EUR")) for _ in range(dice.choice((0, 0, 1, 3))))


def a_unit(seed):
    dice = random.Random(seed)
    taken = tuple((way, dice.randint(0, 12)) for way in dice.sample(WAYS, dice.choice((0, 1, 3))))
    gate = Gate("g", GateState.RAISED, Reason("g", "g"), tuple(sorted(dice.sample(WAYS, dice.choice((0, 1, 3))))))
    return Unit(
        scheme_with({}).grade(LEVELS),
        (gate,),
        Money(dice.choice((0, 1, dice.randrange(300), dice.randrange(200_000))), "EUR"),
        dice.randint(0, 60),
        None,
        False,
        category="toys",
        mass_mg=maybe(dice, dice.randint(0, 8_000_000)),
        volume_cm3=maybe(dice, dice.randint(1, 9_999)),
        today=TODAY,
        floor=Floor(taken=taken, places=some_amounts(dice), extra=some_amounts(dice)),
    )


def some_shares(seed):
    dice = random.Random(seed)
    return {way: dice.randint(0, 10_000) for way in WAYS if dice.random() < 0.8}


seeds = st.integers(0, 2**40)
book_cases, unit_cases, shares = seeds.map(a_book), seeds.map(a_unit), seeds.map(some_shares)
decays = seeds.map(lambda seed: a_decay(random.Random(seed)))


def scheme_with(recovery):
    return GradingScheme(
        name="s", version=1, title="s", grades=(GradeRule(code="G", meaning="some", recovery_bp=recovery),)
    )


def listed(unit, book, recovery):
    return value_routes(unit, POLICY, scheme_with(recovery), book, RULES.gates)


def fields(unit):
    return {name: getattr(unit, name) for name in unit.__dataclass_fields__}


def with_route(book, way, **changes):
    return msgspec.structs.replace(
        book,
        routes=tuple(
            msgspec.structs.replace(route, **{name: change(getattr(route, name)) for name, change in changes.items()})
            if route.disposition is way
            else route
            for route in book.routes
        ),
    )

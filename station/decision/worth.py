"""What one way is worth for one unit, part by part, in integer minor units of the price's currency.

brings   price as new × the grade's share there (learned from outcomes where there are any)
decay    what of it is lost until the unit is sold: the category's decay over the way's days, and the season then
fee      share and fixed fee of whoever sells it
handling, work (minutes × rate), freight (by mass and volume, or the share of a batch), carbon (grams × price)
place    price of a place where the way is scarce; extra: costs of this very unit

*brings* and *brings less decay* are each rounded half up to a minor unit from the exact product, as are the fee's
share, the batch's share and the carbon's price; everything else is whole. The value is exactly the sum of its parts.
What a way needs to know and nobody said (a price, a cost in this currency, a freight that fits) leaves it without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from station.decision.books import Band, Route, RouteBook
from station.decision.decay import WHOLE_PPM, Decay, Season, decay_for, sale_day, season_on, seasons_for
from station.decision.model import Disposition, Floor, Gate, Grade
from station.decision.recovery import Estimate, Key, Recovery
from station.decision.scheme import GradeRule
from station.quantities import Money

_TONNE_G: Final = 1_000_000
_NO_FLOOR: Final = Floor()


@dataclass(frozen=True, slots=True)
class Unit:
    """What the economics look at."""

    grade: Grade | None
    gates: tuple[Gate, ...]
    price: Money | None
    rework_minutes: int
    found_reason: str | None
    refused: bool
    """The refund is refused, so the goods still belong to the customer."""
    merchant_id: str = ""
    sku: str = ""
    category: str | None = None
    mass_mg: int | None = None
    """With packaging; None = unknown."""
    volume_cm3: int | None = None
    """None = unknown: the book's for its category."""
    today: date | None = None
    """The day of the decision; None = no season counts."""
    floor: Floor = _NO_FLOOR


class Worth(NamedTuple):
    """A value, its parts, and what there is to say about them."""

    value: Money
    parts: tuple[tuple[str, int], ...]
    share_bp: int
    estimate: Estimate | None
    left_ppm: int


class Terms(NamedTuple):
    """What all ways of one unit have in common, looked up once."""

    price: int
    currency: str
    rule: GradeRule
    grade: Grade
    per_minute: int | None
    """Price of a minute of work; None = unknown in this currency."""
    per_tonne: int
    """Price of a tonne of carbon; 0 = it has none."""
    volume_cm3: int | None
    decay: Decay | None
    seasons: tuple[Season, ...]
    """Those of its category."""
    today: date | None
    recovery: Recovery


def terms_of(unit: Unit, rule: GradeRule | None, book: RouteBook, recovery: Recovery) -> Terms | str:
    """What the unit brings into all its ways, or why none of them has a value."""
    if unit.price is None:
        return "Price unknown: the rule order decides"
    if rule is None or unit.grade is None:
        return "Not graded: the rule order decides"
    currency = unit.price.currency
    return Terms(
        price=unit.price.minor,
        currency=currency,
        rule=rule,
        grade=unit.grade,
        per_minute=book.rework_per_minute.get(currency),
        per_tonne=book.carbon_per_tonne.get(currency, 0),
        volume_cm3=unit.volume_cm3 if unit.volume_cm3 is not None else book.volume(unit.category),
        decay=decay_for(book.decays, unit.category),
        seasons=seasons_for(book.seasons, unit.category) if unit.today is not None else (),
        today=unit.today,
        recovery=recovery,
    )


def worth_of(route: Route, unit: Unit, terms: Terms) -> Worth | str:
    """Net value of a way with its parts, or why there is none."""
    currency = terms.currency
    handling = route.cost.get(currency)
    minutes = unit.rework_minutes if route.rework and unit.rework_minutes > 0 else 0
    if handling is None or (minutes and terms.per_minute is None):
        return f"Costs in {currency} unknown: the rule order decides"
    freight = _freight(route, unit, terms)
    carbon = _carbon(route, unit, terms.per_tonne) if terms.per_tonne else 0
    if isinstance(freight, str) or isinstance(carbon, str):
        return freight if isinstance(freight, str) else str(carbon)
    share, estimate = _share(route, unit, terms)
    left, gross, brings = WHOLE_PPM, 0, 0
    if share:
        left = _left_ppm(route, terms)
        gross = half_up(terms.price * share, 10_000)
        brings = gross if left == WHOLE_PPM else half_up(terms.price * share * left, 10_000 * WHOLE_PPM)
    fee = half_up(brings * route.fee_bp, 10_000) if brings and route.fee_bp else 0
    listed = (
        ("brings", gross),
        ("decay", brings - gross),
        ("fee", -fee - route.fee.get(currency, 0)),
        ("handling", -handling),
        ("work", -(terms.per_minute or 0) * minutes),
        ("freight", -freight),
        ("carbon", -carbon),
        ("place", -_of_floor(unit.floor.places, route, currency)),
        ("extra", -_of_floor(unit.floor.extra, route, currency)),
    )
    parts = tuple([part for part in listed if part[1]])
    return Worth(Money(sum([minor for _, minor in parts]), currency), parts, share, estimate, left)


def half_up(above: int, below: int) -> int:
    """A fraction rounded to the nearest integer, halves away from zero; ``below`` > 0.

    >>> half_up(5, 10), half_up(4, 10), half_up(-5, 10)
    (1, 0, -1)
    """
    return (2 * above + below) // (2 * below) if above >= 0 else -((-2 * above + below) // (2 * below))


def _share(route: Route, unit: Unit, terms: Terms) -> tuple[int, Estimate | None]:
    book_bp = terms.rule.recovery_bp.get(route.disposition, 0)
    if not terms.recovery.knows_anything:
        return book_bp, None
    estimate = terms.recovery.estimate(key_of(unit, terms.grade, route.disposition), book_bp)
    return (book_bp, None) if estimate is None else (estimate.mean_bp, estimate)


def key_of(unit: Unit, grade: Grade, way: Disposition) -> Key:
    """Under what the outcomes of such a unit are counted."""
    return Key(unit.category or "", unit.merchant_id, unit.sku, grade.scheme, grade.code, way)


def _left_ppm(route: Route, terms: Terms) -> int:
    """Share of the value that is left when the unit is sold on this way, ppm rounded half up; above 1 000 000 in a
    season that brings more."""
    left = terms.decay.left_ppm(route.days_to_sell) if terms.decay is not None else WHOLE_PPM
    if terms.seasons and terms.today is not None:
        season = season_on(terms.seasons, sale_day(terms.today, route.days_to_sell))
        if season is not None:
            left = half_up(left * season.basis_points, 10_000)
    return left


def _freight(route: Route, unit: Unit, terms: Terms) -> int | str:
    """Minor units, or why they are unknown."""
    total = 0
    if route.freight:
        band = _band(route.freight, unit.mass_mg, terms.volume_cm3)
        if isinstance(band, str):
            return band
        cost = band.cost.get(terms.currency)
        if cost is None:
            return f"Freight in {terms.currency} unknown: the rule order decides"
        total = cost
    if route.quota is not None and route.quota.batch_freight:
        batch = route.quota.batch_freight.get(terms.currency)
        if batch is None:
            return f"Freight in {terms.currency} unknown: the rule order decides"
        total += half_up(batch, route.quota.minimum_batch)
    return total


def _band(bands: tuple[Band, ...], mass_mg: int | None, volume: int | None) -> Band | str:
    """The first step of a freight table that the unit surely fits, or why there is none.

    An unknown mass or volume fits no step that asks for it: a last step without limits takes it, at the highest price.
    """
    for band in bands:
        light = band.up_to_g is None or (mass_mg is not None and mass_mg <= 1000 * band.up_to_g)
        if light and (band.up_to_cm3 is None or (volume is not None and volume <= band.up_to_cm3)):
            return band
    if mass_mg is None:
        return "Mass unknown, so the freight too: the rule order decides"
    return "Not in the freight table: the rule order decides"


def _carbon(route: Route, unit: Unit, per_tonne: int) -> int | str:
    if route.carbon_g_per_kg and unit.mass_mg is None:
        return "Mass unknown, so its carbon too: the rule order decides"
    milligrams = route.carbon_g * 1000 + route.carbon_g_per_kg * (unit.mass_mg or 0) // 1000
    return half_up(milligrams * per_tonne, _TONNE_G * 1000)


def _of_floor(amounts: tuple[tuple[str, Money], ...], route: Route, currency: str) -> int:
    if not amounts:
        return 0
    return sum(amount.minor for way, amount in amounts if way == route.disposition and amount.currency == currency)


def words(worth: Worth | str, unit: Unit) -> str:
    """How a value came about."""
    if isinstance(worth, str):
        return worth
    currency = worth.value.currency
    text = f"{percent(worth.share_bp)} of {unit.price}" if worth.share_bp else "Brings nothing"
    if worth.estimate is not None:
        known = worth.estimate
        text += (
            f" (learned: {known.n} of this article, {known.n_category} of its category; "
            f"{percent(known.low_bp)} to {percent(known.high_bp)})"
        )
    for what, minor in worth.parts:
        if what == "brings":
            continue
        name = _NAMES[what]
        if what == "work":
            name = f"for {unit.rework_minutes} min of work"
        elif what == "freight" and unit.mass_mg is None:
            name = "freight (mass unknown)"
        text += f", {'less' if minor < 0 else 'plus'} {Money(abs(minor), currency)} {name}"
    return text


_NAMES: Final = {
    "decay": "until it is sold", "fee": "fees", "handling": "handling", "work": "for its work",
    "freight": "freight", "carbon": "for its carbon", "place": "for a scarce place", "extra": "of its own",
}  # fmt: skip


def percent(basis_points: int) -> str:
    """Basis points as a person reads them.

    >>> percent(1500), percent(250), percent(5)
    ('15 %', '2.5 %', '0.05 %')
    """
    whole, part = divmod(basis_points, 100)
    decimals = f"{part:02d}".rstrip("0")
    return f"{whole}.{decimals} %" if decimals else f"{whole} %"

"""How an article's value falls while it waits for its buyer: by days, and by the season that it is sold in.

Parts per million, so that a day's loss of a dear article is not rounded away. The half-life's power is taken with 40
decimal digits and rounded half up to one part per million: every machine gives the same integer.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from station.errors import InvalidInput
from station.returns.policy import BasisPoints, Days, MonthDay, Part, covers

WHOLE_PPM: Final = 1_000_000
_CONTEXT: Final = Context(prec=40, rounding=ROUND_HALF_UP)


class Decay(Part, frozen=True, kw_only=True):
    """What is left of the value of a category after some days: a half-life or a table, not both."""

    category: str = ""
    """Category prefix; the longest that covers an article wins; empty = all."""
    half_life_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    table: tuple[tuple[Days, BasisPoints], ...] = ()
    """(days, share left), days rising and shares falling; straight lines between, rounded down, level after
    the last."""

    def left_ppm(self, days: int) -> int:
        """Share of the value that is left.

        Args:
            days: until it is sold, 0 or more.

        Returns:
            Parts per million, 0 to 1 000 000; never more with more days.
        """
        return _halved_ppm(days, self.half_life_days) if self.half_life_days is not None else _read(self.table, days)


class Season(Part, frozen=True, kw_only=True):
    """Days of the year on which a category brings another share of its value."""

    category: str = ""
    sold_from: MonthDay
    sold_to: MonthDay
    """Last day; earlier than ``sold_from`` = across New Year."""
    basis_points: Annotated[int, msgspec.Meta(ge=0, le=50_000)]

    def holds(self, sold: date) -> bool:
        day = f"{sold.month:02d}-{sold.day:02d}"
        if self.sold_from > self.sold_to:
            return day >= self.sold_from or day <= self.sold_to
        return self.sold_from <= day <= self.sold_to


def check_decay(decay: Decay, where: str) -> None:
    """Refuse a decay that is none or that rises.

    Raises:
        InvalidInput: names the category and what is wrong.
    """
    name = f"{where}: decay of {decay.category or 'all categories'!r}"
    if (decay.half_life_days is None) == (not decay.table):
        raise InvalidInput(f"{name}: give either 'half_life_days' or 'table'")
    for (day, share), (later, left) in pairwise(((0, 10_000), *decay.table)):
        if left > share or later < day or (later == day and day != 0):
            raise InvalidInput(f"{name}: [{later}, {left}] after [{day}, {share}]: days must rise and shares fall")


def decay_for(decays: tuple[Decay, ...], category: str | None) -> Decay | None:
    """The decay with the longest prefix; None = the value stays."""
    fitting = [decay for decay in decays if covers(decay.category, category or "")]
    return max(fitting, key=lambda decay: len(decay.category), default=None)


def seasons_for(seasons: tuple[Season, ...], category: str | None) -> tuple[Season, ...]:
    """The seasons of a category, the longest prefix first."""
    fitting = [season for season in seasons if covers(season.category, category or "")]
    return tuple(sorted(fitting, key=lambda season: -len(season.category)))


def season_on(seasons: tuple[Season, ...], sold: date) -> Season | None:
    """The first season that holds on a day; None = none."""
    return next((season for season in seasons if season.holds(sold)), None)


def sale_day(today: date, days: int) -> date:
    """The day so many days later, or the last one there is."""
    try:
        return today + timedelta(days=days)
    except OverflowError:
        return date.max


@lru_cache(maxsize=4096)
def _halved_ppm(days: int, half_life_days: int) -> int:
    power = _CONTEXT.power(Decimal(2), _CONTEXT.divide(Decimal(-days), Decimal(half_life_days)))
    return int(_CONTEXT.multiply(power, WHOLE_PPM).to_integral_value(ROUND_HALF_UP))


def _read(table: tuple[tuple[int, int], ...], days: int) -> int:
    for (day, share), (later, left) in pairwise(((0, 10_000), *table)):
        if day <= days < later:
            return 100 * left + 100 * (share - left) * (later - days) // (later - day)
    return 100 * table[-1][1]

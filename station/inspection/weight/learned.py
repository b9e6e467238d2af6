"""The mass of an article with its packaging, learned from units that were in order.

A history is counts in bins of about 0.2 % width, by week. Adding two histories adds counts, so benches and the centre
can be merged in any order with the same result. Median and MAD stay put while fewer than half the units are odd; weeks
that are too old are forgotten, and after a change of packaging only what came since counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from station.errors import InvalidInput

KEPT_WEEKS = 26
ENOUGH = 8
"""Units below which nothing is claimed to be known."""
_BITS = 10
_MAD_TO_SPREAD = (14_826, 10_000)
"""Of a normal distribution."""
_APART = 4
"""Spreads between two medians that make them two packagings."""


class MassHistory(msgspec.Struct, frozen=True):
    """What was weighed and found in order. Feed it only with plausible units and those a person found complete."""

    weeks: dict[int, dict[int, int]] = {}
    """Week (days since 0001-01-01, by seven) → middle of the bin in milligrams → units."""


@dataclass(frozen=True, slots=True)
class LearnedMass:
    """What a history says."""

    mass_mg: int
    """Median."""
    spread_mg: int
    """Standard deviation of one unit, from the MAD; at least half a bin."""
    count: int


def bin_of(mass_mg: int) -> int:
    """The middle of the bin that a mass falls into.

    >>> bin_of(288_000), bin_of(288_250), bin_of(288_300), bin_of(700)
    (288000, 288000, 288512, 700)
    """
    shift = max(0, mass_mg.bit_length() - _BITS)
    return (mass_mg >> shift << shift) + ((1 << shift) >> 1)


def observe(history: MassHistory, mass_mg: int, day: date) -> MassHistory:
    """Add one unit.

    Raises:
        InvalidInput: not a mass.
    """
    if mass_mg <= 0:
        raise InvalidInput(f"{mass_mg!r} mg is no mass to learn from: expected more than 0")
    return merge(history, MassHistory({day.toordinal() // 7: {bin_of(mass_mg): 1}}))


def merge(one: MassHistory, other: MassHistory) -> MassHistory:
    """Add two histories of different units; exact, and the same in any order. Weeks that are too old are dropped."""
    latest = max((*one.weeks, *other.weeks), default=0)
    weeks: dict[int, dict[int, int]] = {}
    for week in sorted({*one.weeks, *other.weeks}):
        if week <= latest - KEPT_WEEKS:
            continue
        bins = dict(one.weeks.get(week, {}))
        for mass, count in other.weeks.get(week, {}).items():
            bins[mass] = bins.get(mass, 0) + count
        weeks[week] = dict(sorted(bins.items()))
    return MassHistory(weeks)


def learned(history: MassHistory) -> LearnedMass | None:
    """What the history says about the present packaging; None = too few units."""
    weeks = sorted(history.weeks)
    start, clearest = 0, 0
    for at in range(1, len(weeks)):
        older, newer = _summary(history, weeks[:at]), _summary(history, weeks[at:])
        if older is None or newer is None:
            continue
        apart = abs(newer.mass_mg - older.mass_mg)
        if apart > _APART * max(older.spread_mg, newer.spread_mg) and apart > clearest:
            start, clearest = at, apart
    return _summary(history, weeks[start:])


def _summary(history: MassHistory, weeks: list[int]) -> LearnedMass | None:
    bins: dict[int, int] = {}
    for week in weeks:
        for mass, units in history.weeks[week].items():
            bins[mass] = bins.get(mass, 0) + units
    count = sum(bins.values())
    if count < ENOUGH:
        return None
    middle = _median(bins)
    off: dict[int, int] = {}
    for mass, units in bins.items():
        off[abs(mass - middle)] = off.get(abs(mass - middle), 0) + units
    least = max(1, (1 << max(0, middle.bit_length() - _BITS)) // 2)
    return LearnedMass(middle, max(least, _median(off) * _MAD_TO_SPREAD[0] // _MAD_TO_SPREAD[1]), count)


def _median(bins: dict[int, int]) -> int:
    """The lower median."""
    left = (sum(bins.values()) + 1) // 2
    for value in sorted(bins):
        left -= bins[value]
        if left <= 0:
            return value
    raise InvalidInput("the median of nothing")

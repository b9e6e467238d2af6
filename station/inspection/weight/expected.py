"""What an article should weigh on this very scale, and how far off a complete unit may be at a budget of false alarms.

Variances add: units differ, the estimate of their mass is uncertain, the scale rounds to *d*, and it may be off by its
maximum permissible error in service.

Source: OIML R 76-1 (2006), 3.5.1 table 6 and 3.5.2 (in service: twice), class III, with e = d; rounding: d²/12.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from statistics import NormalDist

from station.inspection.weight.learned import LearnedMass
from station.returns.model import CatalogueItem

DEFAULT_BUDGET = 0.01
"""Share of complete units that may be called into doubt."""
_LEAST_TOLERANCE_MG, _SHARE_BP = 5_000, 200
_TOLERANCE_IN_SPREADS = (258, 100)
"""A catalogue's tolerance is read as the range that 99 % keep."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a complete unit should show."""

    mass_mg: int
    spread_mg: int
    """Standard deviation of one unit's mass, its estimate's uncertainty included; without the scale."""
    count: int
    """Units it was learned from; 0 = from the catalogue alone."""


def expected_of(item: CatalogueItem, learned: LearnedMass | None) -> Expected | None:
    """The learned mass where there is one, else the catalogue's; None = nobody knows."""
    if learned is not None:
        # How well the spread itself is known: a MAD of n units is uncertain by about 1.17 / √(2n) of itself.
        spread = learned.spread_mg + learned.spread_mg * 117 // (100 * isqrt(2 * learned.count))
        variance = spread**2 + learned.spread_mg**2 * 157 // (100 * learned.count)
        return Expected(learned.mass_mg, isqrt(variance) + 1, learned.count)
    if item.mass_mg is None or item.mass_mg <= 0:
        return None
    tolerance = item.mass_tolerance_mg
    if tolerance is None or tolerance < 0:
        tolerance = max(_LEAST_TOLERANCE_MG, item.mass_mg * _SHARE_BP // 10_000)
    return Expected(item.mass_mg, tolerance * _TOLERANCE_IN_SPREADS[1] // _TOLERANCE_IN_SPREADS[0] + 1, 0)


def permissible_error_mg(load_mg: int, interval_mg: int) -> int:
    """Largest error of a class III scale in service.

    >>> [permissible_error_mg(grams * 1000, 1000) // 1000 for grams in (400, 500, 501, 2000, 2001)]
    [1, 1, 2, 2, 3]
    """
    load = abs(load_mg)
    halves = 1 if load <= 500 * interval_mg else 2 if load <= 2_000 * interval_mg else 3
    return halves * interval_mg


def variance_of(expected: Expected, interval_mg: int) -> int:
    """Variance of one indication of a complete unit, mg²."""
    error = permissible_error_mg(expected.mass_mg, interval_mg)
    return expected.spread_mg**2 + interval_mg**2 // 12 + error**2 // 3


def doubt_from_mg(expected: Expected, interval_mg: int, budget: float = DEFAULT_BUDGET) -> int:
    """Difference from which a unit is in doubt, so that about ``budget`` of the complete ones are; never below *d*."""
    return max(interval_mg, int(_quantile(budget) * isqrt(variance_of(expected, interval_mg))) + 1)


@lru_cache(maxsize=64)
def _quantile(budget: float) -> float:
    return NormalDist().inv_cdf(1 - budget / 2)

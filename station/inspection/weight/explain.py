"""Which explanation fits an indication: complete, some parts missing, empty, another article, or none of these.

Each explanation predicts a mass with a variance; how well it fits, times how common it is, gives its probability. Only
an explanation that is clearly ahead of all others is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import exp, log, pi

from station.inspection.weight.expected import DEFAULT_BUDGET, Expected, doubt_from_mg, variance_of
from station.returns.model import CatalogueItem

PACKAGING = "packaging"
"""Name of the accessory entry that holds the mass of the empty packaging."""
CLEARLY, AHEAD = 0.8, 4.0
"""An explanation is named from this probability on, and this many times the next one's."""
_MOST_PARTS, _MOST_TOGETHER = 8, 3
_COMMON = {1: 1.0, 2: 0.1, 3: 0.02}
_COMMON_EMPTY, _COMMON_SWAPPED, _COMMON_OTHER = 0.3, 0.3, 0.2
_EMPTY_BP = 1_500
"""Below this share of the expected mass nothing but packaging is inside."""


class Contents(StrEnum):
    """What the weight says."""

    PLAUSIBLE = "plausible"
    MISSING_PART = "missing_part"
    EMPTY = "empty"
    SWAPPED = "swapped"
    """Another article of the same order fits clearly better."""
    UNEXPLAINED = "unexplained"
    """Off, and nothing known is clearly ahead."""
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One way to explain the indication."""

    contents: Contents
    what: tuple[str, ...]
    """Parts that would be missing, or the SKU that would be inside."""
    probability: float


@dataclass(frozen=True, slots=True)
class Explained:
    """The verdict with all that speaks for and against it."""

    contents: Contents
    what: tuple[str, ...]
    difference_mg: int | None
    doubt_from_mg: int | None
    """Smallest difference that would have been doubted."""
    explanations: tuple[Explanation, ...]
    """Most probable first; empty where there was nothing to explain."""
    silent_about: tuple[str, ...]
    """Parts that could be missing without this weight showing it."""


@dataclass(frozen=True, slots=True)
class OtherArticle:
    """Another article of the same order."""

    sku: str
    expected: Expected


def explain(
    gross_mg: int,
    interval_mg: int,
    item: CatalogueItem,
    expected: Expected | None,
    others: Sequence[OtherArticle] = (),
    budget: float = DEFAULT_BUDGET,
) -> Explained:
    """Judge one settled indication.

    Args:
        gross_mg: as the scale showed it.
        interval_mg: the scale's interval *d*.
        item: for its accessories.
        expected: what a complete unit should weigh; None = nobody knows.
        others: articles of the same order, this one left out.
        budget: share of complete units that may be doubted.
    """
    if expected is None or interval_mg <= 0 or gross_mg < 0:
        return Explained(Contents.CANNOT_TELL, (), None, None, (), _parts_named(item))
    difference = gross_mg - expected.mass_mg
    doubt = doubt_from_mg(expected, interval_mg, budget)
    silent = tuple(name for name, mass in _parts(item) if mass <= doubt)
    if abs(difference) <= doubt:
        coarse = interval_mg > 2 * expected.spread_mg + 1 and interval_mg > expected.mass_mg // 10
        contents = Contents.CANNOT_TELL if coarse else Contents.PLAUSIBLE
        return Explained(contents, (), difference, doubt, (), silent)
    found = _explanations(gross_mg, interval_mg, item, expected, others, doubt)
    best, second = found[0], found[1].probability if len(found) > 1 else 0.0
    clear = best.probability >= CLEARLY and best.probability >= AHEAD * second
    if clear and best.contents is not Contents.UNEXPLAINED:
        return Explained(best.contents, best.what, difference, doubt, found, silent)
    missing = sum(one.probability for one in found if one.contents is Contents.MISSING_PART)
    contents = Contents.MISSING_PART if missing >= CLEARLY else Contents.UNEXPLAINED
    return Explained(contents, (), difference, doubt, found, silent)


def _parts(item: CatalogueItem) -> tuple[tuple[str, int], ...]:
    return tuple((name, mass) for name, mass in item.accessories if name != PACKAGING and mass > 0)[:_MOST_PARTS]


def _parts_named(item: CatalogueItem) -> tuple[str, ...]:
    return tuple(name for name, _ in _parts(item))


def _explanations(
    gross_mg: int, interval_mg: int, item: CatalogueItem, expected: Expected, others: Sequence[OtherArticle], doubt: int
) -> tuple[Explanation, ...]:
    variance = variance_of(expected, interval_mg)
    weighed: list[tuple[float, Contents, tuple[str, ...]]] = []
    parts = _parts(item)
    for size in range(1, min(_MOST_TOGETHER, len(parts)) + 1):
        for subset in combinations(parts, size):
            lacking = sum(mass for _, mass in subset)
            if lacking <= doubt or lacking >= expected.mass_mg:
                continue  # the scale could not have shown it
            own = variance + sum((mass * 3 // 100) ** 2 for _, mass in subset)
            names = tuple(name for name, _ in subset)
            likely = _COMMON[size] * _density(gross_mg - expected.mass_mg + lacking, own)
            weighed.append((likely, Contents.MISSING_PART, names))
    for mass in [mass for name, mass in item.accessories if name == PACKAGING and mass > 0]:
        weighed.append((_COMMON_EMPTY * _density(gross_mg - mass, variance), Contents.EMPTY, ()))
    if gross_mg * 10_000 < expected.mass_mg * _EMPTY_BP:
        weighed.append((_COMMON_EMPTY * 10_000 / (expected.mass_mg * _EMPTY_BP), Contents.EMPTY, ()))
    for other in others:
        off = gross_mg - other.expected.mass_mg
        if abs(other.expected.mass_mg - expected.mass_mg) > doubt:
            likely = _COMMON_SWAPPED * _density(off, variance_of(other.expected, interval_mg))
            weighed.append((likely, Contents.SWAPPED, (other.sku,)))
    weighed.append((_COMMON_OTHER / (2 * expected.mass_mg), Contents.UNEXPLAINED, ()))
    joined: dict[tuple[Contents, tuple[str, ...]], float] = {}
    for likely, contents, what in weighed:
        joined[contents, what] = joined.get((contents, what), 0.0) + likely
    total = sum(joined.values())
    found = [Explanation(contents, what, likely / total) for (contents, what), likely in joined.items()]
    return tuple(sorted(found, key=lambda one: (-one.probability, one.contents, one.what)))


def _density(off_mg: int, variance: int) -> float:
    return exp(-0.5 * (off_mg * off_mg / variance + log(2 * pi * variance)))

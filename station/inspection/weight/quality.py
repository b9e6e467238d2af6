"""How good the weight check is: false alarms and finds on parcels with known truth, by threshold and at a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isqrt

from station.inspection.weight.expected import DEFAULT_BUDGET, Expected, expected_of, variance_of
from station.inspection.weight.explain import Contents, OtherArticle, explain
from station.inspection.weight.simulate import Made, Parcel, Simulator

RATIOS = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0)
"""Mass of the missing part over the spread of one indication."""
_LEARNED_FROM = 200


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold of the curve."""

    threshold: float
    """In spreads of one indication."""
    false_alarms: float
    """Share of complete parcels beyond it."""
    found: float
    """Share of parcels with a part missing beyond it."""


@dataclass(frozen=True, slots=True)
class AtRatio:
    """What is found of parts of one mass."""

    ratio: float
    part_mg: int
    area: float
    """Under the curve: 0.5 = the weight knows nothing, 1 = everything."""
    false_alarms: float
    found: float
    named: float
    """Share where the right part was named; never counted where two fit."""
    named_wrong: float
    swapped_found: float
    """Of another article that weighs as much less as the part."""
    curve: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """The weight check, measured on simulated parcels."""

    budget: float
    parcels: int
    """Of each truth at each ratio."""
    interval_mg: int
    spread_mg: int
    """Of one indication: article, packaging and scale."""
    threshold: float
    """In spreads, where the budget is kept on the complete parcels of all ratios."""
    ratios: tuple[AtRatio, ...]


def measure(
    made: Made = Made(), *, budget: float = DEFAULT_BUDGET, parcels: int = 2_000, seed: int = 1  # noqa: B008
) -> Quality:  # fmt: skip
    """Simulate and judge.

    Args:
        made: the article; its parts are replaced by one whose mass is a ratio times the spread.
        budget: share of complete parcels that may be doubted.
        parcels: of each truth at each ratio.
        seed: the same seed gives the same figures.
    """
    spread = _spread(made, seed)
    listed: list[AtRatio] = []
    scores: list[float] = []
    for number, ratio in enumerate(RATIOS):
        part = max(1, round(ratio * spread))
        one = replace(made, parts=(("part", part),))
        simulator = Simulator(one, seed * 1_000 + number, other_mg=one.mass_mg - part)
        expected = _expected(one, simulator)
        complete = simulator.parcels(Contents.PLAUSIBLE, parcels)
        missing = simulator.parcels(Contents.MISSING_PART, parcels)
        swapped = simulator.parcels(Contents.SWAPPED, parcels)
        own = _scores(complete, expected, one.interval_mg)
        scores += own
        listed.append(_at_ratio(ratio, part, one, expected, (complete, missing, swapped), own, budget))
    ordered = sorted(scores)
    threshold = ordered[min(len(ordered) - 1, int((1 - budget) * len(ordered)))]
    return Quality(budget, parcels, made.interval_mg, spread, threshold, tuple(listed))


def _spread(made: Made, seed: int) -> int:
    expected = _expected(made, Simulator(made, seed))
    return _root(variance_of(expected, made.interval_mg))


def _expected(made: Made, simulator: Simulator) -> Expected:
    expected = expected_of(made.item(), simulator.learn(_LEARNED_FROM))
    if expected is None:
        raise AssertionError("the simulated article has a mass")
    return expected


def _root(variance: int) -> int:
    return max(1, isqrt(variance))


def _scores(parcels: Sequence[Parcel], expected: Expected, interval_mg: int) -> list[float]:
    spread = _root(variance_of(expected, interval_mg))
    return [abs(parcel.gross_mg - expected.mass_mg) / spread for parcel in parcels]


def _at_ratio(
    ratio: float, part_mg: int, made: Made, expected: Expected,
    parcels: tuple[list[Parcel], list[Parcel], list[Parcel]], own: list[float], budget: float,
) -> AtRatio:  # fmt: skip
    complete, missing, swapped = parcels
    other = OtherArticle("OTHER", replace(expected, mass_mg=expected.mass_mg - part_mg))
    item, bare = made.item(), replace(made.item(), accessories=())
    verdicts = [explain(p.gross_mg, made.interval_mg, item, expected, (), budget) for p in complete]
    of_missing = [explain(p.gross_mg, made.interval_mg, item, expected, (), budget) for p in missing]
    of_swapped = [explain(p.gross_mg, made.interval_mg, bare, expected, (other,), budget) for p in swapped]
    lacking = _scores(missing, expected, made.interval_mg)
    named = sum(one.contents is Contents.MISSING_PART and one.what == ("part",) for one in of_missing)
    wrong = sum(one.contents in (Contents.EMPTY, Contents.SWAPPED) for one in of_missing)
    quiet = (Contents.PLAUSIBLE, Contents.CANNOT_TELL)
    return AtRatio(
        ratio=ratio,
        part_mg=part_mg,
        area=area_under(own, lacking),
        false_alarms=sum(one.contents not in quiet for one in verdicts) / len(verdicts),
        found=sum(one.contents not in quiet for one in of_missing) / len(of_missing),
        named=named / len(of_missing),
        named_wrong=wrong / len(of_missing),
        swapped_found=sum(one.contents is Contents.SWAPPED for one in of_swapped) / len(of_swapped),
        curve=tuple(_curve(own, lacking)),
    )


def _curve(complete: list[float], missing: list[float]) -> list[Point]:
    points: list[Point] = []
    for tenth in range(0, 61, 5):
        threshold = tenth / 10
        false = sum(score > threshold for score in complete) / len(complete)
        found = sum(score > threshold for score in missing) / len(missing)
        points.append(Point(threshold, false, found))
    return points


def area_under(complete: list[float], missing: list[float]) -> float:
    """How often a parcel with a part missing is further off than a complete one; equal counts half.

    Source: Mann and Whitney (1947): the area under the curve is U / (n·m).
    """
    ranked = sorted([(score, 0) for score in complete] + [(score, 1) for score in missing])
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        total += sum(which for _, which in ranked[at:end]) * (at + end + 1) / 2
        at = end
    n, m = len(complete), len(missing)
    return (total - m * (m + 1) / 2) / (n * m)

"""When a person begins to see things otherwise than agreed: one cumulative sum per inspector and category.

Each rating that has a reference adds to the sum if it differs and takes from it if it does not; the sum never falls
below zero, and an alarm is given where it reaches a limit. The limit is the smallest with which a person who has not
changed waits long enough for a false alarm, computed exactly and not simulated.

Source: M. R. Reynolds, Z. G. Stoumbos (1999), A CUSUM chart for monitoring a proportion when inspecting continuously,
    Journal of Quality Technology 31, §3 (the Bernoulli CUSUM; steps as multiples of 1/m make its states exact). Run
    lengths by the Markov chain of D. Brook, D. A. Evans (1972), Biometrika 59.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import log
from typing import Final

from station.analysis.basis import counted
from station.analysis.beta import Beta
from station.review.agreement.ratings import Rating, Ratings

FALSE_ALARM_EVERY: Final = 1_000
"""Ratings between two false alarms on one chart, on average: with five blind looks a week some four years."""
LEAST_BASE: Final = 20
"""Ratings of others in a category from which on what is usual there is known well enough to watch anybody."""
_LEAST_RATE: Final = 0.01
_MOST_RATE: Final = 0.4
_SHIFT: Final = 3.0
"""The chart is quickest to find odds of differing that have grown by this factor."""
_SURE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Chart:
    """A rule: differing adds ``up``, agreeing takes one, an alarm at ``limit``."""

    usual: float
    """Share that differs while nothing has changed."""
    changed: float
    """Share that differs after the change that it finds soonest."""
    up: int
    limit: int
    false_alarm_every: float
    """Mean ratings to a false alarm: at least what was asked for."""
    found_after: float
    """Mean ratings until such a change is found, if it is there from the start."""

    def run(self, differs: Iterable[bool]) -> tuple[int | None, int]:
        """Follow the ratings.

        Returns:
            Place of the rating that gave the alarm (None = none did), and where the last rise to it began.
        """
        total, began = 0, 0
        for place, differed in enumerate(differs):
            total = max(0, total + (self.up if differed else -1))
            if total == 0:
                began = place + 1
            if total >= self.limit:
                return place, began
        return None, began


@lru_cache(256)
def design(usual: float, every: int = FALSE_ALARM_EVERY) -> Chart:
    """The chart for a usual rate of differing.

    Args:
        usual: 0.01 to 0.4; others are moved there.
        every: mean ratings to a false alarm that are asked for.
    """
    usual = min(max(usual, _LEAST_RATE), _MOST_RATE)
    odds = usual / (1 - usual) * _SHIFT
    changed = odds / (1 + odds)
    # The log-likelihood ratio of one rating, as a whole multiple of what an agreeing one takes away.
    up = max(1, round(log(changed / usual) / log((1 - usual) / (1 - changed))))
    # Run lengths grow with the limit: the smallest that is long enough, by doubling and halving.
    high = up + 1
    while run_length(usual, up, high) < every:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if run_length(usual, up, middle) < every else (low, middle)
    return Chart(usual, changed, up, high, run_length(usual, up, high), run_length(changed, up, high))


def run_length(rate: float, up: int, limit: int) -> float:
    """Mean ratings to an alarm, from zero, where this share differs.

    The sum takes the values 0 … limit − 1. With E(s) the mean run from s: E(s) = 1 + p E(s + up) + q E(max(0, s − 1)),
    E = 0 at the limit and beyond. Written as E(s) = a(s) + b(s) E(0) and followed down from the limit it needs no
    matrix.

    >>> round(run_length(0.5, 1, 1), 6)  # the first that differs gives the alarm
    2.0
    """
    import numpy as np

    agree = 1 - rate
    states = np.zeros((limit, limit))
    for state in range(limit):
        states[state, max(0, state - 1)] += agree
        if state + up < limit:
            states[state, state + up] += rate
    return float(np.linalg.solve(np.eye(limit) - states, np.ones(limit))[0])


@dataclass(frozen=True, slots=True)
class Drift:
    """What the chart of one person in one category says."""

    inspector: str
    category: str
    ratings: int
    differed: int
    chart: Chart | None
    """None = too little is known of what is usual."""
    alarm_at: datetime | None
    """When the sum reached the limit; None = it did not."""
    since: datetime | None
    """When the rise began."""
    lean: str
    """``better`` or ``worse``: grades lean to this side of the others' where they differ; empty = to neither."""
    text: str


def watch(
    ratings: Ratings, ladders: Mapping[str, Sequence[str]], *, every: int = FALSE_ALARM_EVERY
) -> tuple[Drift, ...]:
    """Every person in every category, in alphabetical order.

    What is usual comes from the others in the category, taken on the high side as far as it is not known exactly, so
    that false alarms do not come sooner than stated.
    """
    told: dict[tuple[str, str], list[tuple[Rating, Rating]]] = defaultdict(list)
    for inspector in ratings.inspectors:
        for own, reference in ratings.of(inspector):
            if own.scheme == reference.scheme and own.grade and reference.grade:
                told[inspector, own.category.partition(".")[0]].append((own, reference))
    found = []
    for (inspector, category), pairs in sorted(told.items()):
        # What is usual is how often others differ among themselves: this person's own habits are no part of it.
        others = [
            _differs(pair)
            for (other, where), theirs in told.items()
            if where == category and other != inspector
            for pair in theirs
            if pair[1].inspector != inspector
        ]
        chart = None
        if len(others) >= LEAST_BASE:
            known = Beta(0.5, 0.5).after(sum(others), len(others))
            chart = design(round(known.quantile(_SURE), 2), every)
        found.append(_follow(inspector, category, pairs, sum(map(_differs, pairs)), chart, ladders))
    return tuple(found)


def _differs(pair: tuple[Rating, Rating]) -> bool:
    return pair[0].grade != pair[1].grade


def _follow(
    inspector: str,
    category: str,
    pairs: Sequence[tuple[Rating, Rating]],
    mine: int,
    chart: Chart | None,
    ladders: Mapping[str, Sequence[str]],
) -> Drift:
    what = f"{category or 'goods without a category'}: {mine} of {counted(len(pairs), 'blind look')} differ"
    if chart is None:
        text = f"{what}; not watched yet, because too few of others are known to say what is usual"
        return Drift(inspector, category, len(pairs), mine, None, None, None, "", text)
    place, began = chart.run(map(_differs, pairs))
    if place is None:
        text = f"{what}; as usual (about {chart.usual * 100:.0f} %)"
        return Drift(inspector, category, len(pairs), mine, chart, None, None, "", text)
    rise = pairs[began : place + 1]
    lean = _lean(rise, ladders)
    side = {"better": ", mostly with the better grade", "worse": ", mostly with the worse grade", "": ""}[lean]
    alarm_at, since = (max(own.at, reference.at) for own, reference in (pairs[place], pairs[began]))
    text = (
        f"{what}; since {since:%Y-%m-%d} {sum(map(_differs, rise))} of {len(rise)}{side}, where "
        f"{chart.usual * 100:.0f} % are usual. Worth looking at some of them together. By chance alone this is said "
        f"once in {chart.false_alarm_every:.0f} looks"
    )
    return Drift(inspector, category, len(pairs), mine, chart, alarm_at, since, lean, text)


def _lean(pairs: Sequence[tuple[Rating, Rating]], ladders: Mapping[str, Sequence[str]]) -> str:
    """To which side grades differ: at least three quarters of those that do."""
    better = worse = 0
    for own, reference in pairs:
        ladder = ladders.get(own.scheme, ())
        if own.grade == reference.grade or own.grade not in ladder or reference.grade not in ladder:
            continue
        if ladder.index(own.grade) < ladder.index(reference.grade):
            better += 1
        else:
            worse += 1
    if not better + worse:
        return ""
    return "better" if 4 * better >= 3 * (better + worse) else "worse" if 4 * worse >= 3 * (better + worse) else ""

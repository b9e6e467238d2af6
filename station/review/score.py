"""Signals → one score, and whether it is among the few that a day's looks are spent on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, floor, log

from station.decision.model import Reason
from station.errors import InvalidInput
from station.review.signals import MILLI, Fired, Signal, SignalBook

LOOK_SIGNALS = "look_signals"
"""Code of the reasons that the flags give for a second look."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each signal adds and where everybody starts."""

    base_milli: int
    """Log-odds × 1000 of a unit without any signal."""
    of: Mapping[Signal, int]
    """Signal → log-odds × 1000, never below zero: no signal speaks for anybody."""
    hits: Mapping[Signal, tuple[int, int]]
    """Signal → (right, looks) counted at this site; none = nothing counted yet."""
    version: str
    """Of the book, and of the outcomes that moved it."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one signal contributed."""

    signal: Signal
    evidence: str
    weight_milli: int
    counts: bool
    """False = a heavier signal of the same group says it already."""
    right: int
    looks: int
    """How often looks because of it were right: ``right`` of ``looks``."""
    source: str


@dataclass(frozen=True, slots=True)
class Score:
    """The whole answer about one unit."""

    score_milli: int
    """Log-odds × 1000 that a second look finds something."""
    likely_bp: int
    """The same as a share in 1/10 000."""
    parts: tuple[Part, ...]
    """Heaviest first."""
    version: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which score a unit is flagged."""

    from_milli: int
    budget_bp: int
    counted: int
    """Units whose scores it was taken from; 0 = it is the likelihood that the book starts with."""
    flagged: int
    """Of those, how many would have been flagged."""


def starting_weights(book: SignalBook) -> Weights:
    """The book's own weights, before any outcome."""
    return Weights(log_odds_milli(book.base_bp), {rule.id: rule.weight_milli for rule in book.signals}, {}, book.name)


def log_odds_milli(share_bp: int) -> int:
    """A share in 1/10 000 as log-odds × 1000.

    >>> log_odds_milli(5000), log_odds_milli(100)
    (0, -4595)
    """
    return round(MILLI * log(share_bp / (10_000 - share_bp)))


def share_bp(milli: int) -> int:
    """Log-odds × 1000 as a share in 1/10 000, rounded down.

    >>> share_bp(0), share_bp(-4595), share_bp(90_000)
    (5000, 100, 10000)
    """
    return floor(10_000 / (1 + exp(-max(-50_000, min(50_000, milli)) / MILLI)) + 1e-9)


def counted(signals: Iterable[Signal], book: SignalBook) -> tuple[Signal, ...]:
    """The signals that count: of each group the heaviest by the book, so that nothing is told twice."""
    best: dict[str, Signal] = {}
    for signal in sorted(set(signals)):
        rule = book.rule(signal)
        before = best.get(rule.group)
        if before is None or rule.weight_milli > book.rule(before).weight_milli:
            best[rule.group] = signal
    return tuple(sorted(best.values()))


def score(found: Sequence[Fired], book: SignalBook, weights: Weights) -> Score:
    """Add up what the signals weigh.

    The sum of log-odds is Bayes' rule for signals that do not depend on each other but for what they are about; groups
    hold those that do.

    Source: I. J. Good, Probability and the Weighing of Evidence (1950), ch. 6.
    """
    counting = counted((one.signal for one in found), book)
    parts = []
    for one in found:
        right, looks = weights.hits.get(one.signal, (0, 0))
        parts.append(
            Part(
                signal=one.signal,
                evidence=one.evidence,
                weight_milli=weights.of.get(one.signal, 0),
                counts=one.signal in counting,
                right=right,
                looks=looks,
                source=book.rule(one.signal).source,
            )
        )
    parts.sort(key=lambda part: (not part.counts, -part.weight_milli, part.signal))
    total = weights.base_milli + sum(part.weight_milli for part in parts if part.counts)
    return Score(total, share_bp(total), tuple(parts), weights.version)


def threshold(scores: Iterable[int], book: SignalBook, budget_bp: int | None = None) -> Threshold:
    """The lowest score with which the budget would have been kept on earlier units.

    Scores come in steps; where a whole step does not fit into the budget, none of it is flagged.

    Args:
        scores: of all units of some weeks, flagged or not, in log-odds × 1000.
        book: for the budget and the least likelihood.
        budget_bp: instead of the book's, in 1/10 000.

    Raises:
        InvalidInput: a budget below 0 or above 10 000.
    """
    budget = book.budget_bp if budget_bp is None else budget_bp
    if not 0 <= budget <= 10_000:
        raise InvalidInput(f"a budget of {budget!r} is no share in 1/10 000: expected 0 to 10000")
    least = log_odds_milli(max(1, min(9_999, book.least_bp)))
    ranked = sorted(scores, reverse=True)
    may = len(ranked) * budget // 10_000
    if not ranked:
        return Threshold(max(least, log_odds_milli(book.start_bp)), budget, 0, 0)
    cut = least
    if may < len(ranked):
        cut = max(least, ranked[may] + 1)  # the first that no longer fits, and with it all that are its equals
    return Threshold(cut, budget, len(ranked), sum(one >= cut for one in ranked))


def flags(unit: Score, limit: Threshold) -> tuple[Reason, ...]:
    """The reasons for a second look, heaviest first; none where the score stays below the threshold.

    They go into ``Case.flags``; each says what was seen and, once there are outcomes, how often that was right.
    """
    if unit.score_milli < limit.from_milli:
        return ()
    return tuple(Reason(f"{LOOK_SIGNALS}_{part.signal}", _sentence(part)) for part in unit.parts if part.counts)


def _sentence(part: Part) -> str:
    if not part.looks:
        return part.evidence
    return f"{part.evidence} (such a look found something {part.right} of {part.looks} times)"

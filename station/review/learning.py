"""What second looks have taught: how often each signal was right, and what it weighs from now on.

Only looks count, and looks are not a fair sample: flagged units are looked at, the others hardly. Whether a unit was
looked at depends on nothing but its signals (and on the audit's draw, which depends on nothing), so a regression on the
signals among the units that were looked at is not bent by that, where a plain share would be.
Source: D. B. Rubin (1976), Inference and missing data, Biometrika 63, §§6–7 (missing at random).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from station.analysis.beta import Beta
from station.review.score import Weights, counted, log_odds_milli, share_bp
from station.review.signals import MILLI, Signal, SignalBook

_STEPS: Final = 60
_BASE_DOUBT: Final = 0.5
"""Standard deviation of the base's log-odds beforehand."""


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person found at a second look."""

    unit: str
    signals: tuple[Signal, ...]
    """All that had fired, also those that did not count."""
    confirmed: bool
    """The look found something that changed what happens with the unit."""


@dataclass(frozen=True, slots=True)
class HitRate:
    """How often looks at units with a signal found something."""

    signal: Signal
    right: int
    looks: int
    likely_bp: int
    """Expected rate in 1/10 000, with what the book assumes as a start."""
    low_bp: int
    high_bp: int
    """The rate lies between these with 95 %."""
    weight_before_milli: int
    weight_milli: int
    text: str


@dataclass(frozen=True, slots=True)
class Learned:
    """Weights with what they rest on."""

    weights: Weights
    hits: tuple[HitRate, ...]
    outcomes: int
    confirmed: int


def learn(outcomes: Iterable[Outcome], book: SignalBook) -> Learned:
    """Move the book's weights by what looks found.

    Logistic regression with a normal distribution around the book's weights beforehand: without outcomes they stay,
    with many the outcomes decide. One unit counts once, by its last outcome. Weights below zero become zero.

    Source: D. J. C. MacKay (1992), The evidence framework applied to classification networks, Neural Computation 4,
        §2 (most probable weights, Gaussian prior); Newton's method on the log posterior.
    """
    last = {outcome.unit: outcome for outcome in outcomes}
    looked = list(last.values())
    kinds: Counter[tuple[tuple[Signal, ...], bool]] = Counter(
        (counted(outcome.signals, book), outcome.confirmed) for outcome in looked
    )
    base, of = _fit(kinds, book) if looked else (log_odds_milli(book.base_bp), _book_weights(book))
    hits = {}
    for signal in Signal:
        having = [outcome.confirmed for outcome in looked if signal in outcome.signals]
        if having:
            hits[signal] = (sum(having), len(having))
    version = book.name if not looked else f"{book.name} +{len(looked)} {_digest(looked)}"
    weights = Weights(base, of, hits, version)
    rates = tuple(_rate(signal, weights, book) for signal in Signal)
    return Learned(weights, rates, len(looked), sum(outcome.confirmed for outcome in looked))


def _book_weights(book: SignalBook) -> dict[Signal, int]:
    return {rule.id: rule.weight_milli for rule in book.signals}


def _fit(kinds: Counter[tuple[tuple[Signal, ...], bool]], book: SignalBook) -> tuple[int, dict[Signal, int]]:
    import numpy as np

    order = list(Signal)
    place = {signal: number + 1 for number, signal in enumerate(order)}
    patterns = sorted({pattern for pattern, _ in kinds})
    has = np.zeros((len(patterns), len(order) + 1))
    has[:, 0] = 1.0
    for row, pattern in enumerate(patterns):
        for signal in pattern:
            has[row, place[signal]] = 1.0
    right = np.array([kinds[pattern, True] for pattern in patterns], dtype=float)
    looks = right + np.array([kinds[pattern, False] for pattern in patterns], dtype=float)
    start = np.array([log_odds_milli(book.base_bp), *(book.rule(one).weight_milli for one in order)]) / MILLI
    doubt = np.array([_BASE_DOUBT, *(book.rule(one).doubt_milli / MILLI for one in order)])
    precision = 1 / doubt**2

    def height(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        z = has @ weights
        return float(right @ z - looks @ np.logaddexp(0.0, z) - 0.5 * precision @ (weights - start) ** 2)

    weights = start.copy()
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-(has @ weights)))
        slope = has.T @ (right - looks * likely) - precision * (weights - start)
        bend = (has.T * (looks * likely * (1 - likely))) @ has + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        size, now = 1.0, height(weights)
        while size > 1e-6 and height(weights + size * step) < now:
            size /= 2
        weights = weights + size * step
        if float(np.abs(step).max()) < 1e-7:
            break
    whole = [round(float(one) * MILLI) for one in weights]
    return whole[0], {signal: max(0, whole[place[signal]]) for signal in order}


def _rate(signal: Signal, weights: Weights, book: SignalBook) -> HitRate:
    """Beta-binomial: the book's expectation counts as one look, then the counted looks."""
    before = book.rule(signal).weight_milli
    expected = share_bp(log_odds_milli(book.base_bp) + before) / 10_000
    right, looks = weights.hits.get(signal, (0, 0))
    known = Beta(max(1e-3, expected), max(1e-3, 1 - expected)).after(right, looks)
    text = (
        f"{book.rule(signal).title}: right {right} of {looks} times" if looks else
        f"{book.rule(signal).title}: no outcomes yet, the weight is the book's"
    )  # fmt: skip
    return HitRate(
        signal, right, looks, round(10_000 * known.mean),
        round(10_000 * known.quantile(0.025)), round(10_000 * known.quantile(0.975)),
        before, weights.of[signal], text,
    )  # fmt: skip


def _digest(outcomes: list[Outcome]) -> str:
    lines = sorted(f"{one.unit}|{','.join(sorted(one.signals))}|{one.confirmed}" for one in outcomes)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

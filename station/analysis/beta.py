"""The beta distribution: what is known of a rate after some trials, and how rates differ between groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from math import exp, lgamma, log, log1p, sqrt
from typing import Final

_LARGEST: Final = 1e7
"""Weight of what is known beforehand, at most: then groups do not differ beyond chance."""
_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Beta:
    """A rate that is not exactly known: as after ``a`` successes and ``b`` failures."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def weight(self) -> float:
        """Trials that this knowledge is worth."""
        return self.a + self.b

    def after(self, successes: int, trials: int) -> Beta:
        """What is known after more trials."""
        return Beta(self.a + successes, self.b + trials - successes)

    def below(self, rate: float) -> float:
        """Probability that the rate is lower: the regularised incomplete beta function.

        >>> round(Beta(2, 3).below(0.4), 4)
        0.5248
        """
        if rate <= 0.0:
            return 0.0
        if rate >= 1.0:
            return 1.0
        a, b = self.a, self.b
        if rate > (a + 1) / (a + b + 2):
            return 1.0 - Beta(b, a).below(1.0 - rate)
        front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(rate) + b * log1p(-rate))
        return min(1.0, front * _continued(a, b, rate) / a)

    def quantile(self, probability: float) -> float:
        """The rate below which it lies with this probability, right to 1e-9.

        >>> round(Beta(1, 1).quantile(0.975), 6)
        0.975
        """
        return _quantile(self.a, self.b, probability)


def _continued(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function, by Lentz' method.

    Source: NIST Digital Library of Mathematical Functions, §8.17(v), 8.17.22; W. J. Lentz (1976), Appl. Opt. 15.
    """
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    found = d
    for m in range(1, 10_000):
        for part in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + part * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + part / c
            c = c if abs(c) > _TINY else _TINY
            found *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return found


@lru_cache(65_536)
def _quantile(a: float, b: float, probability: float) -> float:
    """Newton's steps, kept between bounds that close in on the answer."""
    if probability <= 0.0:
        return 0.0
    if probability >= 1.0:
        return 1.0
    shape = Beta(a, b)
    low, high = 0.0, 1.0
    mean = a / (a + b)
    spread = sqrt(mean * (1 - mean) / (a + b + 1))
    at = min(max(mean + 2 * spread * (2 * probability - 1), 1e-9), 1 - 1e-9)
    scale = lgamma(a + b) - lgamma(a) - lgamma(b)
    for _ in range(100):
        off = shape.below(at) - probability
        low, high = (at, high) if off < 0 else (low, at)
        density = exp(scale + (a - 1) * log(at) + (b - 1) * log1p(-at))
        step = at - off / density if density > _TINY else -1.0
        before, at = at, step if low < step < high else (low + high) / 2
        if abs(at - before) <= 1e-9 * at or high - low < 1e-12:
            break
    return at


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of a group's rate before its own count."""

    shape: Beta
    differ: float
    """Trials that a group must have before its own count outweighs the others'; large = they hardly differ."""


def fit_beta(groups: Iterable[tuple[int, int]]) -> Prior:
    """How rates differ between groups, from the groups themselves (empirical Bayes).

    Each group's count is beta-binomial. The mean is the likeliest, the spread the expected one, and both are widened by
    what is not known of the mean itself, so that intervals keep their promise where there are few groups.

    Args:
        groups: (successes, trials) of each. Of fewer than three nothing is learnt (Jeffreys' prior).

    Source: J. G. Skellam (1948), A probability distribution derived from the binomial distribution by regarding the
        probability of success as variable between the sets of trials, J. R. Stat. Soc. B 10. The widening is the first
        term of C. N. Morris (1983), Parametric empirical Bayes inference, J. Am. Stat. Assoc. 78.
    """
    counts = [(successes, trials) for successes, trials in groups if trials > 0]
    total, hits = sum(trials for _, trials in counts), sum(successes for successes, _ in counts)
    if len(counts) < 3:
        return Prior(Beta(0.5, 0.5), 1.0)
    if hits in (0, total):
        return Prior(Beta(hits + 0.5, total - hits + 0.5), _LARGEST)
    successes = _Rising([successes for successes, _ in counts])
    failures = _Rising([trials - successes for successes, trials in counts])
    trials = _Rising([trials for _, trials in counts])

    def likelihood(mean: float, weight: float) -> float:
        return successes.at(mean * weight) + failures.at((1 - mean) * weight) - trials.at(weight)

    mean, weight = hits / total, 1.0
    for _ in range(3):
        weight = _expected_weight(partial(likelihood, mean))
        near = _odds(mean)
        mean = _share(_highest(partial(_of_odds, likelihood, weight), near - 2, near + 2))
    # What all groups together say of the mean, a group of n telling no more than its own rate's spread allows.
    told = sum(many * (weight + 1) / (weight + many) for _, many in counts)
    known = max(0.05, 1 / (1 / (weight + 1) + 1 / told) - 1)
    return Prior(Beta(mean * known, (1 - mean) * known), weight)


def _expected_weight(likelihood: Callable[[float], float]) -> float:
    """The weight that belongs to the expected variance between groups, every spread being as likely beforehand.

    The likeliest weight would be endless whenever a few groups happen to look alike, and every interval too short.

    Source: A. Gelman (2006), Prior distributions for variance parameters in hierarchical models, Bayesian Analysis 1,
        §5.1 (uniform on the standard deviation).
    """
    powers = [log(0.1) + (log(_LARGEST) - log(0.1)) * step / 120 for step in range(121)]
    # Uniform on the spread, which goes as weight to −1/2: that is the density of a step on the logarithm's grid.
    heights = [likelihood(exp(power)) - power / 2 for power in powers]
    top = max(heights)
    shares = [exp(height - top) for height in heights]
    variance = sum(share / (exp(power) + 1) for share, power in zip(shares, powers, strict=True)) / sum(shares)
    return 1 / variance - 1


def _of_odds(likelihood: Callable[[float, float], float], weight: float, odds: float) -> float:
    return likelihood(_share(odds), weight)


class _Rising:
    """Sum over groups of log(x (x+1) … (x+n−1)): how often each factor occurs is counted once for all groups."""

    def __init__(self, lengths: list[int]) -> None:
        import numpy as np

        ordered = np.sort(np.asarray(lengths, dtype=np.int64))
        edges = [0]
        # Beyond some hundred factors they are taken in pieces so narrow that the logarithm is straight over them.
        while edges[-1] < ordered[-1]:
            edges.append(min(edges[-1] + max(1, edges[-1] // 256), int(ordered[-1])))
        ends = np.asarray(edges, dtype=np.float64)
        # Groups longer than j, summed over a piece = sum of min(length, edge) at its end less at its start.
        before = np.concatenate(([0], np.cumsum(ordered)))
        place = np.searchsorted(ordered, ends, side="right")
        reached = before[place] + (len(ordered) - place) * ends
        self._many = np.diff(reached)
        self._at = (ends[:-1] + ends[1:] - 1) / 2

    def at(self, x: float) -> float:
        import numpy as np

        return float(self._many @ np.log(x + self._at))


def _highest(value: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one hill is highest: golden section, after a coarse look at where the hill is."""
    steps = [low + (high - low) * step / 16 for step in range(17)]
    top = max(range(17), key=lambda step: value(steps[step]))
    low, high = steps[max(0, top - 1)], steps[min(16, top + 1)]
    ratio = (sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = value(left), value(right)
    while high - low > 1e-7:
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = value(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = value(left)
    return (low + high) / 2


def _odds(share: float) -> float:
    return log(share / (1 - share))


def _share(odds: float) -> float:
    return 1 / (1 + exp(-odds))

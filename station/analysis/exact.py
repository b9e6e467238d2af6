"""Tests that need no large numbers, and the correction for having made many of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log

_NEGLIGIBLE = 1e-17


def log_choose(whole: int, part: int) -> float:
    """Natural logarithm of the binomial coefficient."""
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)


def hypergeometric_tail(cases: int, drawn: int, marked: int, total: int) -> float:
    """Probability that at least ``cases`` of ``drawn`` are marked, where ``marked`` of ``total`` are.

    This is Fisher's exact test of a two-by-two table, one-sided: do cases gather in this group?

    Source: R. A. Fisher, Statistical Methods for Research Workers, §21.02; the sum runs over the tail from the nearer
    side of the mode.

    >>> round(hypergeometric_tail(3, 4, 4, 8), 6)  # the lady tasting tea: 17 of 70
    0.242857
    """
    least, most = max(0, drawn + marked - total), min(drawn, marked)
    if cases <= least:
        return 1.0
    if cases > most:
        return 0.0
    if cases * total <= drawn * marked:  # below the mean: the other tail is shorter
        return max(0.0, 1.0 - _tail(total - marked, drawn - cases + 1, drawn, total))
    return _tail(marked, cases, drawn, total)


def _tail(marked: int, cases: int, drawn: int, total: int) -> float:
    """The upper tail, summed upwards from ``cases``, where the terms fall."""
    term = exp(log_choose(marked, cases) + log_choose(total - marked, drawn - cases) - log_choose(total, drawn))
    found, at = term, cases
    while at < min(drawn, marked) and term > found * _NEGLIGIBLE:
        term *= (marked - at) * (drawn - at) / ((at + 1) * (total - marked - drawn + at + 1))
        at += 1
        found += term
    return min(1.0, found)


def binomial_tail(cases: int, trials: int, probability: float) -> float:
    """Probability of at least ``cases`` successes.

    >>> round(binomial_tail(9, 10, 0.5), 6)
    0.010742
    """
    if cases <= 0:
        return 1.0
    if cases > trials or probability <= 0.0:
        return 0.0
    if probability >= 1.0:
        return 1.0
    if cases <= trials * probability:
        return max(0.0, 1.0 - binomial_tail(trials - cases + 1, trials, 1.0 - probability))
    odds = probability / (1.0 - probability)
    term = exp(log_choose(trials, cases) + cases * log(probability) + (trials - cases) * log(1.0 - probability))
    found, at = term, cases
    while at < trials and term > found * _NEGLIGIBLE:
        term *= odds * (trials - at) / (at + 1)
        at += 1
        found += term
    return min(1.0, found)


def benjamini_hochberg(probabilities: Sequence[float], made: int | None = None) -> list[float]:
    """The q of each test: the share of false findings to expect among those with a q as small.

    Args:
        probabilities: p of every test that was made, also of those that nobody would report.
        made: tests made, where those with a p of 1 are not listed; None = all are.

    Source: Y. Benjamini, Y. Hochberg (1995), Controlling the False Discovery Rate, J. R. Stat. Soc. B 57, §3. It holds
    for independent tests and for those that lean the same way; the tests of one report nearly are.

    >>> [round(q, 4) for q in benjamini_hochberg([0.01, 0.04, 0.03, 0.5])]
    [0.04, 0.0533, 0.0533, 0.5]
    """
    listed = len(probabilities)
    many = max(made or 0, listed)
    q = [1.0] * listed
    least = 1.0
    falling = sorted(range(listed), key=lambda one: probabilities[one], reverse=True)
    for rank, place in zip(range(listed, 0, -1), falling, strict=True):
        least = min(least, probabilities[place] * many / rank)
        q[place] = least
    return q

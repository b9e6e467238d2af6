"""The tests themselves against enumeration in exact fractions, and the correction against its definition."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.analysis.exact import benjamini_hochberg, binomial_tail, hypergeometric_tail

probabilities = st.lists(st.floats(0, 1), max_size=40)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 61), st.integers(0, 60))
def test_the_hypergeometric_tail_is_the_enumerated_one(total: int, marked: int, cases: int, drawn: int) -> None:
    marked, drawn = min(marked, total), min(drawn, total)
    ways = sum(
        comb(marked, one) * comb(total - marked, drawn - one)
        for one in range(cases, min(marked, drawn) + 1)
        if drawn - one <= total - marked
    )
    exact = float(Fraction(ways, comb(total, drawn)))
    assert hypergeometric_tail(cases, drawn, marked, total) == pytest.approx(exact, rel=1e-9, abs=1e-12)


@given(st.integers(1, 80), st.integers(0, 81), st.integers(0, 20))
def test_the_binomial_tail_is_the_enumerated_one(trials: int, cases: int, twentieths: int) -> None:
    chance = Fraction(twentieths, 20)
    exact = sum(comb(trials, one) * chance**one * (1 - chance) ** (trials - one) for one in range(cases, trials + 1))
    assert binomial_tail(cases, trials, float(chance)) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


def test_large_numbers_keep_their_small_probabilities() -> None:
    # 60 of 1000 against 1 %: about 30 standard errors; the logarithm by Stirling's formula to 4 digits
    p = hypergeometric_tail(60, 1000, 1000, 100_000)
    assert 0 < p < 1e-25
    assert hypergeometric_tail(10, 1000, 1000, 100_000) == pytest.approx(0.5421, abs=2e-3)  # as Poisson(10), nearly


@given(probabilities)
def test_q_follows_its_definition(p: list[float]) -> None:
    """q of a test = the least, over thresholds that keep it, of threshold × tests ÷ tests at or below it."""
    for one, q in zip(p, benjamini_hochberg(p), strict=True):
        expected = min((bar * len(p) / sum(other <= bar for other in p) for bar in p if bar >= one), default=1.0)
        assert q == pytest.approx(min(1.0, expected))


@given(probabilities, st.integers(0, 50))
def test_tests_that_are_not_listed_count_as_ones(p: list[float], more: int) -> None:
    assert benjamini_hochberg(p, len(p) + more) == pytest.approx(benjamini_hochberg([*p, *[1.0] * more])[: len(p)])

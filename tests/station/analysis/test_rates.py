"""Return rates against known ones: drawn together they are nearer the truth, and their intervals keep their word."""

from __future__ import annotations

import random
from datetime import timedelta
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.analysis.beta import Beta, fit_beta
from station.analysis.linking import SoldLine
from station.analysis.rates import return_rates, ripe
from tests.station.analysis.material import START, a_sale, a_unit

TRUE = [Beta(4, 36), Beta(20, 180), Beta(1, 9), Beta(3000, 27000)]


@pytest.mark.parametrize("a", [1, 2, 7, 30])
@pytest.mark.parametrize("b", [1, 3, 12, 80])
def test_the_beta_distribution_is_the_binomials(a: int, b: int) -> None:
    """I_x(a, b) = the chance of at least a successes in a + b − 1 trials (DLMF 8.17.5)."""
    many = a + b - 1
    for x in (0.001, 0.1, 0.5, 0.83, 0.999):
        exact = sum(comb(many, one) * x**one * (1 - x) ** (many - one) for one in range(a, many + 1))
        assert Beta(a, b).below(x) == pytest.approx(exact, abs=1e-12)


@given(st.floats(0.05, 1e5), st.floats(0.05, 1e5), st.floats(0.01, 0.99))
def test_a_quantile_is_where_the_distribution_says(a: float, b: float, probability: float) -> None:
    at = Beta(a, b).quantile(probability)
    assert 0 <= at <= 1
    below, above = Beta(a, b).below(at - 2e-9), Beta(a, b).below(at + 2e-9)
    assert below - 1e-6 <= probability <= above + 1e-6


def groups(dice: random.Random, true: Beta, many: int) -> tuple[list[float], list[tuple[int, int]]]:
    rates, counts = [], []
    for _ in range(many):
        rate, trials = dice.betavariate(true.a, true.b), int(10 ** dice.uniform(0.5, 2.5))
        rates.append(rate)
        counts.append((sum(dice.random() < rate for _ in range(trials)), trials))
    return rates, counts


@pytest.mark.parametrize("many", [5, 20, 200])
@pytest.mark.parametrize("true", TRUE, ids=lambda one: f"{one.a}-{one.b}")
def test_estimates_are_nearer_the_truth_and_intervals_hold(true: Beta, many: int) -> None:
    """Promised 95 %; some 300 groups in fixed worlds: standard error about 2 %, as groups of a world lean together."""
    dice = random.Random(many)
    inside = seen = 0
    ours = raw = 0.0
    for _ in range(max(2, 240 // many)):
        rates, counts = groups(dice, true, many)
        prior = fit_beta(counts).shape
        for rate, (successes, trials) in zip(rates, counts, strict=True):
            known = prior.after(successes, trials)
            inside += known.quantile(0.025) <= rate <= known.quantile(0.975)
            seen += 1
            ours += (known.mean - rate) ** 2
            raw += (successes / trials - rate) ** 2
    assert inside / seen >= 0.88
    assert ours < raw * 0.8


def test_the_prior_is_the_one_that_made_the_groups() -> None:
    prior = fit_beta(groups(random.Random(2), Beta(4, 36), 2000)[1])
    assert prior.shape.mean == pytest.approx(0.1, abs=0.01)
    assert prior.differ == pytest.approx(40, rel=0.25)


@pytest.mark.parametrize("counts", [[], [(1, 5)], [(0, 0)], [(0, 5), (0, 9), (0, 1)], [(3, 3), (4, 4), (1, 1)]])
def test_little_or_nothing_known_gives_a_wide_answer(counts: list[tuple[int, int]]) -> None:
    shape = fit_beta(counts).shape
    assert shape.a > 0
    assert shape.b > 0
    assert shape.quantile(0.975) - shape.quantile(0.025) > 0.1


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12))
def test_any_counts_are_fitted(counts: list[tuple[int, int]]) -> None:
    shape = fit_beta([(min(pair), max(pair)) for pair in counts]).shape
    assert 0 < shape.mean < 1


def sold_world() -> list[SoldLine]:
    dice = random.Random(8)
    rate = {f"S{sku}": 0.6 if sku == 3 else 0.1 for sku in range(12)}
    lines = []
    for number in range(3000):
        sku = f"S{number % 12}" if number % 500 else "NEW"
        back = dice.random() < rate.get(sku, 1.0)
        lines.append(SoldLine(a_sale(number, sku, supplier="Ton"), (a_unit(number, sku=sku),) if back else ()))
    return lines


def test_rates_of_what_was_sold() -> None:
    lines = sold_world()
    result = return_rates(lines)
    assert (result.sold, result.returned) == (3000, sum(len(line.units) for line in lines))
    table = {one.dimension: one for one in result.tables}
    assert set(table) == {"merchant", "sku", "supplier"}
    first, *rest = table["sku"].rates
    assert first.value == "S3"
    assert first.low_bp <= 6000 <= first.high_bp
    new = next(one for one in rest if one.value == "NEW")
    assert (new.sold, new.raw_bp) == (6, 10_000)
    assert new.rate_bp < 9_000, "six of six are not enough to promise that all come back"
    assert all(one.low_bp <= one.rate_bp <= one.high_bp for one in table["sku"].rates)
    assert "S3" in table["sku"].text
    assert return_rates(reversed(lines)) == result


def test_young_sales_are_left_out() -> None:
    lines = [SoldLine(a_sale(day, sold_at=START + timedelta(days=day)), ()) for day in range(60)]
    last = SoldLine(a_sale(99, sold_at=START), (a_unit(1, confirmed_at=START + timedelta(days=50)),))
    old, why = ripe([*lines, last], days=30)
    assert {line.sale.sold_at for line in old} == {START + timedelta(days=day) for day in range(21)}
    assert [many for _, many in why] == [39]


def test_without_sales_it_says_what_to_import() -> None:
    old, _ = ripe([])
    result = return_rates(old)
    assert result.rate_bp is None
    assert "station import sales" in result.text[0]

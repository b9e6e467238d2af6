"""Kappa against published examples, two other implementations, a naive one in fractions, and simulated raters.

``by_others.json`` holds random tables with what scikit-learn's ``cohen_kappa_score`` and statsmodels' ``cohens_kappa``
(errors) and ``fleiss_kappa`` say of them, made once: the two are too heavy to install for a table of numbers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import Defect
from station.review.agreement.kappa import Agreement, Weights, boundary, cohen, crosstab, interval
from station.review.agreement.several import fleiss

OTHERS = msgspec.json.decode((Path(__file__).parent / "by_others.json").read_bytes())

FLEISS_1971 = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
"""Ten subjects, fourteen raters, five categories: the worked example that textbooks and Wikipedia repeat (0.210)."""


def test_the_published_example_of_several_raters() -> None:
    found = fleiss(FLEISS_1971, least=2)
    assert found.kappa == pytest.approx(0.210, abs=0.0005)
    assert found.observed == pytest.approx(0.378, abs=0.0005)
    assert found.by_chance == pytest.approx(0.213, abs=0.0005)


def test_the_published_example_of_two_raters() -> None:
    # 50 grant applications, read by two people: 20 both yes, 15 both no (kappa 0.40).
    found = cohen([[20, 5], [10, 15]])
    assert (found.observed, found.by_chance) == (0.7, 0.5)
    assert found.kappa == pytest.approx(0.4)


def test_the_published_example_of_the_error() -> None:
    """J. L. Fleiss, J. Cohen, B. S. Everitt (1969): three diagnoses, 200 patients; kappa .429, var 0.00289 (plain)."""
    table = [[106, 10, 4], [22, 28, 10], [2, 12, 6]]
    found = cohen(table)
    assert found.kappa == pytest.approx(0.429, abs=0.001)
    assert found.low is not None
    assert found.high is not None
    assert (found.high - found.low) / 2 / 1.959964 == pytest.approx(0.00289**0.5, abs=0.0006)


@pytest.mark.parametrize("number", range(len(OTHERS["pairs"])))
@pytest.mark.parametrize("weights", list(Weights))
def test_two_raters_equal_other_implementations(number: int, weights: Weights) -> None:
    case = OTHERS["pairs"][number]
    found = cohen(case["table"], weights)
    assert found.kappa == pytest.approx(case[weights.value], abs=1e-9)
    assert found.low is not None
    assert found.high is not None
    differed = any(count for i, row in enumerate(case["table"]) for j, count in enumerate(row) if i != j)
    if differed and found.high < 1.0 and found.low > -1.0:
        error = (found.high - found.low) / 2 / 1.959963984540054
        assert error == pytest.approx(case[f"error_{weights.value}"], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("number", range(len(OTHERS["several"])))
def test_several_raters_equal_another_implementation(number: int) -> None:
    case = OTHERS["several"][number]
    assert fleiss(case["counts"]).kappa == pytest.approx(case["kappa"], abs=1e-9)


TABLES = st.integers(2, 4).flatmap(
    lambda steps: st.lists(st.lists(st.integers(0, 12), min_size=steps, max_size=steps), min_size=steps, max_size=steps)
)


def naive(table: Sequence[Sequence[int]], weights: Weights) -> Fraction | None:
    """From the definition, by disagreements instead of agreements: 1 − seen / expected."""
    steps, total = len(table), sum(map(sum, table))
    power = {Weights.LINEAR: 1, Weights.QUADRATIC: 2}.get(weights)
    seen = expected = Fraction(0)
    for i in range(steps):
        for j in range(steps):
            cost = Fraction(int(i != j)) if power is None else Fraction(abs(i - j), steps - 1) ** power
            seen += cost * Fraction(table[i][j], total)
            expected += cost * Fraction(sum(table[i]) * sum(row[j] for row in table), total * total)
    return None if expected == 0 else 1 - seen / expected


@given(TABLES, st.sampled_from(list(Weights)))
def test_two_raters_equal_the_definition(table: list[list[int]], weights: Weights) -> None:
    if not sum(map(sum, table)):
        assert cohen(table, weights).kappa is None
        return
    found, truth = cohen(table, weights, least=1), naive(table, weights)
    if truth is None:
        assert found.kappa is None
        assert "not defined" in found.why
        return
    assert found.kappa == pytest.approx(float(truth), abs=1e-9)
    assert found.low is not None
    assert found.high is not None
    assert -1.0 <= found.low <= found.kappa + 1e-12
    assert found.kappa <= found.high + 1e-12 <= 1.0 + 1e-9
    turned = [list(row) for row in zip(*table, strict=True)]
    assert cohen(turned, weights, least=1).kappa == pytest.approx(found.kappa, abs=1e-9), "whoever is called first"


@given(TABLES.filter(lambda table: sum(map(sum, table)) > 1))
def test_of_two_answers_all_weights_are_one(table: list[list[int]]) -> None:
    two = [row[:2] for row in table[:2]]
    values = {round(found, 9) for w in Weights if (found := cohen(two, w, least=1).kappa) is not None}
    assert len(values) <= 1


def test_what_is_not_defined_is_said_in_words_and_never_a_number() -> None:
    for found, words in (
        (cohen([[0, 0], [0, 0]]), "No unit was rated by two people"),
        (cohen([[50, 0], [0, 0]], names=("fine", "torn")), "Everybody said 'fine' of all 50 units"),
        (cohen([[9, 1], [1, 1]]), "Only 12 units rated by two people, 30 are asked for"),
        (fleiss([[2, 0]] * 40, names=("fine", "torn")), "Everybody said 'fine'"),
        (fleiss([[1, 0]] * 40), "No unit was rated by two people"),
        (fleiss([[1, 1]] * 12), "Only 12 units"),
        (cohen([[40]]), "Everybody said the same"),
    ):
        assert found.kappa is found.low is found.high is None
        assert words in found.why
        assert found.text == found.why


def test_full_agreement_of_few_units_is_not_sold_as_certain() -> None:
    found = cohen([[15, 0], [0, 15]])
    assert found.kappa == 1.0 == found.high
    # 30 of 30: the share may be as low as 0.025^(1/30) = 0.884, so kappa as low as 0.77
    assert found.low == pytest.approx((0.025 ** (1 / 30) - 0.5) / 0.5)


def test_a_lopsided_world_is_explained() -> None:
    found = cohen([[90, 5], [5, 0]], names=("fine", "torn"))
    assert found.kappa is not None
    assert found.kappa < 0
    assert any("95 % of all answers are 'fine'" in note and "it is 0.80" in note for note in found.notes)
    tilted = cohen([[30, 20], [0, 50]], names=("fine", "torn"))
    assert any("not equally often: 50 % and 30 %" in note for note in tilted.notes)
    constant = cohen([[30, 20], [0, 0]], names=("fine", "torn"))
    assert constant.kappa == pytest.approx(0.0)
    assert "always gave the same answer" in constant.notes[0]
    assert cohen([[40, 5], [5, 50]]).notes == ()


def test_a_table_that_is_none_is_refused() -> None:
    with pytest.raises(Defect, match="square"):
        cohen([[1, 2], [3]])
    with pytest.raises(Defect, match="same answers"):
        fleiss([[1, 2], [3]])


def test_a_ladder_is_cut_in_two() -> None:
    good = boundary(("A", "B", "C"), 0)
    assert [good(grade) for grade in "ABC"] == [True, False, False]
    assert crosstab([("A", "B"), ("A", "A")], ("A", "B")) == [[1, 1], [0, 0]]


# --- simulated raters with a known confusion ------------------------------------------------------------------------


def true_kappa(goods: Sequence[float], one: Sequence[Sequence[float]], other: Sequence[Sequence[float]],
               weights: Weights) -> float:  # fmt: skip
    """Kappa of two raters in the long run, from what is so and how each sees it."""
    steps = len(goods)
    cells = [
        [sum(goods[t] * one[t][i] * other[t][j] for t in range(steps)) for j in range(steps)] for i in range(steps)
    ]
    rows, columns = [sum(row) for row in cells], [sum(row[j] for row in cells) for j in range(steps)]
    worth = weights.table(steps)
    seen = sum(worth[i][j] * cells[i][j] for i in range(steps) for j in range(steps))
    chance = sum(worth[i][j] * rows[i] * columns[j] for i in range(steps) for j in range(steps))
    return (seen - chance) / (1 - chance)


GOODS = (0.5, 0.3, 0.2)
SHARP = ((0.9, 0.08, 0.02), (0.1, 0.85, 0.05), (0.02, 0.13, 0.85))
MILD = ((0.95, 0.04, 0.01), (0.3, 0.65, 0.05), (0.05, 0.25, 0.7))


def rate(draw: random.Random, units: int, *eyes: Sequence[Sequence[float]]) -> list[tuple[int, ...]]:
    out = []
    for _ in range(units):
        truth = draw.choices(range(3), GOODS)[0]
        out.append(tuple(draw.choices(range(3), eye[truth])[0] for eye in eyes))
    return out


def holds(found: Agreement, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def test_intervals_hold_what_they_promise_over_seeds() -> None:
    """300 pairs of simulated raters: the stated 95 % hold the truth in 92 to 98 % of the worlds, plain and weighted."""
    worlds = 300
    hits = dict.fromkeys(Weights, 0)
    several = 0
    same = true_kappa(GOODS, SHARP, SHARP, Weights.NONE)
    for seed in range(worlds):
        draw = random.Random(seed)
        pairs = rate(draw, 120, SHARP, MILD)
        table = crosstab([(a, b) for a, b in pairs], (0, 1, 2))
        for weights in Weights:
            hits[weights] += holds(cohen(table, weights), true_kappa(GOODS, SHARP, MILD, weights))
        counts = [[row.count(k) for k in range(3)] for row in rate(draw, 60, SHARP, SHARP, SHARP)]
        several += holds(fleiss(counts), same)
    for many in (*hits.values(), several):
        assert 0.92 <= many / worlds <= 0.98, (hits, several)


def test_an_interval_that_is_too_narrow_would_be_noticed() -> None:
    hits = 0
    for seed in range(200):
        pairs = rate(random.Random(seed), 120, SHARP, MILD)
        found = cohen(crosstab([(a, b) for a, b in pairs], (0, 1, 2)), confidence=0.6)
        hits += holds(found, true_kappa(GOODS, SHARP, MILD, Weights.NONE))
    assert hits / 200 < 0.85


def test_bounds_stay_on_the_scale() -> None:
    assert interval(0.98, 0.1, 0.5, 50, 1, 0.95)[1] == 1.0
    assert interval(-0.98, 0.1, 0.5, 50, 1, 0.95)[0] == -1.0

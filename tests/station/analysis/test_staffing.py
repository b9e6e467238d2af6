"""The queueing formula against a simulation of the floor, and the plan made from it."""

from __future__ import annotations

import heapq
import random
from datetime import date
from math import factorial, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.analysis.staffing import Promise, Work, benches_needed, erlang_c, measure_work, need_with, plan
from station.analysis.volume import HourForecast
from station.errors import InvalidInput, OperatorError

PARCELS = 40_000
FLOORS = [
    (40, 480, 0.5, 1800),
    (40, 480, 1.5, 600),
    (12, 300, 0.2, 900),
    (100, 240, 1.0, 300),
    (3, 600, 0.5, 1800),
    (25, 420, 0.0, 600),
]
"""Parcels an hour, seconds of one, its variation, promised seconds."""


def simulated(benches: int, per_hour: float, work: Work, within_s: float, seed: int = 1) -> tuple[float, float]:
    """Share begun in time and mean wait, first come first served, uneven work being lognormal."""
    dice = random.Random(seed)
    width = sqrt(log(1 + work.variation))
    middle = log(work.mean_s) - width * width / 2
    free = [0.0] * benches
    now = waited = 0.0
    in_time = 0
    for _ in range(PARCELS):
        now += dice.expovariate(per_hour / 3600)
        begin = max(now, heapq.heappop(free))
        heapq.heappush(free, begin + (dice.lognormvariate(middle, width) if width else work.mean_s))
        waited += begin - now
        in_time += begin - now <= within_s
    return in_time / PARCELS, waited / PARCELS


@pytest.mark.parametrize(("per_hour", "mean_s", "variation", "within_s"), FLOORS)
def test_the_answer_keeps_the_promise_on_a_simulated_floor(
    per_hour: float, mean_s: float, variation: float, within_s: int
) -> None:
    """95 % are promised; the approximation and 40 000 parcels may be off by 1.5 points together."""
    work, promise = Work(100, mean_s, variation), Promise(9_500, within_s)
    need = benches_needed(per_hour, work, promise)
    share, wait = simulated(need.benches, per_hour, work, within_s)
    assert share >= 0.935
    assert share == pytest.approx(need.within_bp / 10_000, abs=0.025)
    assert wait == pytest.approx(need.mean_wait_s, rel=0.35, abs=5)


@pytest.mark.parametrize(("per_hour", "mean_s", "variation", "within_s"), FLOORS)
def test_one_bench_fewer_would_break_it(per_hour: float, mean_s: float, variation: float, within_s: int) -> None:
    """The negative control: the answer is the fewest."""
    work, promise = Work(100, mean_s, variation), Promise(9_500, within_s)
    fewer = benches_needed(per_hour, work, promise).benches - 1
    assert simulated(fewer, per_hour, work, within_s)[0] < 0.955
    assert need_with(fewer, per_hour, work, promise).within_bp < 9_500


@given(st.integers(1, 30), st.floats(0.01, 0.99))
def test_erlangs_formula_is_the_sum_over_states(benches: int, busy: float) -> None:
    load = benches * busy
    top = load**benches / factorial(benches) / (1 - busy)
    exact = top / (sum(load**one / factorial(one) for one in range(benches)) + top)
    assert erlang_c(benches, load) == pytest.approx(exact, rel=1e-9)


@given(st.floats(0.1, 200), st.floats(20, 2000), st.floats(0, 3), st.integers(0, 7200))
def test_more_work_never_needs_fewer(per_hour: float, mean_s: float, variation: float, within_s: int) -> None:
    promise = Promise(9_000, within_s)
    need = benches_needed(per_hour, Work(1, mean_s, variation), promise)
    assert need.within_bp >= 9_000
    assert need.benches > per_hour * mean_s / 3600
    assert benches_needed(per_hour * 1.3, Work(1, mean_s, variation), promise).benches >= need.benches
    assert benches_needed(per_hour, Work(1, mean_s * 1.3, variation), promise).benches >= need.benches
    assert benches_needed(per_hour, Work(1, mean_s, variation), Promise(9_900, within_s)).benches >= need.benches


def hour(at: int, expected: float, high: int = 0, day: int = 10) -> HourForecast:
    return HourForecast(date(2026, 11, day), at, expected, 0, high or round(expected))


def test_the_plan_speaks_plainly() -> None:
    hours = [hour(8, 0.2), hour(9, 39, 60), hour(10, 40, 62), hour(11, 39.5, 61), hour(12, 20), hour(14, 20)]
    said = plan(hours, Work(500, 480, 0.5), Promise(), productive_bp=8_000)
    assert [(one.begin, one.end, one.need.benches, one.people) for one in said.blocks] == [
        (9, 12, 6, 8), (12, 13, 4, 5), (14, 15, 4, 5),
    ]  # fmt: skip
    assert said.blocks[0].text.startswith("Tuesday 2026-11-10 09–12 needs 6 benches (8 people) for 95 % within 30 min")
    assert "on a heavy day 9" in said.blocks[0].text
    assert said.most_benches == 6
    assert said.person_hours == 8 * 3 + 5 + 5
    assert said.text[0] == "A parcel takes 8.0 min on average (500 parcels measured)."


def test_an_empty_floor_needs_nobody() -> None:
    said = plan([hour(9, 0.0)], Work(1, 60, 0), Promise())
    assert (said.blocks, said.person_hours) == ((), 0)
    assert "Nobody" in said.text[-1]


def test_work_is_measured() -> None:
    work = measure_work([60, 120, 180, 0])
    assert (work.parcels, work.mean_s, work.variation) == (3, 120, 0.25)
    with pytest.raises(OperatorError, match="no parcel's time"):
        measure_work([])


@pytest.mark.parametrize("promise", [Promise(10_000, 60), Promise(0, 60), Promise(9_500, -1)])
def test_a_promise_that_nobody_can_make_is_refused(promise: Promise) -> None:
    with pytest.raises(InvalidInput):
        benches_needed(10, Work(1, 60, 1), promise)


def test_beyond_any_floor() -> None:
    with pytest.raises(InvalidInput, match="more than 2000"):
        benches_needed(1e6, Work(1, 600, 1), Promise())

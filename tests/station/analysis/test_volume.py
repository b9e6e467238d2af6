"""Forecasts of worlds with a known rhythm."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from math import exp
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.analysis.volume import History, forecast, history_of, spread_quantile
from station.errors import InvalidInput, OperatorError

WEEK = (1.4, 1.2, 1.1, 1.0, 1.0, 0.5, 0.0)
DAY = [0] * 6 + [2, 5, 8, 9, 9, 7, 6, 8, 8, 6, 4, 2] + [0] * 6
FIRST = date(2026, 9, 7)


def poisson(dice: random.Random, mean: float) -> int:
    count, left = 0, dice.expovariate(1.0)
    while left < mean:
        count += 1
        left += dice.expovariate(1.0)
    return count


def floor(
    seed: int, days: int = 56, *, ahead: int = 7, wild: float = 1.0
) -> tuple[History, dict[tuple[date, int], int]]:
    """A floor whose level drifts, and whose days and hours are better or worse than usual; then what really came."""
    dice = random.Random(seed)
    counts: dict[tuple[date, int], int] = {}
    level = 300.0
    for number in range(days + ahead):
        day = FIRST + timedelta(days=number)
        level *= exp(dice.gauss(0, 0.02))
        whole = level * WEEK[day.weekday()] * dice.gammavariate(40 / wild, wild / 40)
        for hour, share in enumerate(DAY):
            mean = whole * share / sum(DAY)
            if mean:
                counts[day, hour] = poisson(dice, mean * dice.gammavariate(30 / wild, wild / 30))
    edge = FIRST + timedelta(days=days)
    past = History(
        tuple(FIRST + timedelta(days=number) for number in range(days)),
        {place: many for place, many in counts.items() if place[0] < edge},
    )
    return past, {place: many for place, many in counts.items() if place[0] >= edge}


def covered(seeds: range, *, wild: float = 1.0, squeeze: float = 1.0) -> tuple[float, float]:
    """Share of the hours and of the days within their range (``squeeze`` < 1 makes the ranges too narrow)."""
    hours = days = hours_in = days_in = 0
    for seed in seeds:
        past, came = floor(seed, wild=wild)
        said = forecast(past)
        for one in said.hours:
            if one.expected >= 0.5:
                low, high = (
                    one.expected - (one.expected - one.low) * squeeze,
                    one.expected + (one.high - one.expected) * squeeze,
                )
                hours += 1
                hours_in += low <= came.get((one.day, one.hour), 0) <= high
        for each in said.days:
            if each.expected > 1:
                days += 1
                days_in += each.low <= sum(came.get((each.day, hour), 0) for hour in range(24)) <= each.high
    return hours_in / hours, days_in / days


@pytest.mark.parametrize("wild", [0.2, 1.0, 4.0])
def test_ranges_hold_what_they_promise(wild: float) -> None:
    """Promised 90 %, over 16 fixed floors; the days of a floor lean together, so their share varies by some 4 %."""
    hours, days = covered(range(16), wild=wild)
    assert 0.85 <= hours <= 0.97
    assert days >= 0.78


def test_ranges_half_as_wide_would_not() -> None:
    """The negative control: coverage tells a range that is too narrow."""
    assert covered(range(8), squeeze=0.5)[0] < 0.75


def test_the_rhythm_is_found() -> None:
    past, _ = floor(1)
    said = forecast(past)
    by_day = {one.weekday: one.expected for one in said.days}
    assert by_day["Sunday"] == 0
    assert by_day["Monday"] > 1.15 * by_day["Thursday"] > 1.15 * by_day["Saturday"]
    assert all(one.low <= one.expected <= one.high for one in said.hours if one.expected > 1)
    assert sum(one.expected for one in said.hours) == pytest.approx(sum(by_day.values()), rel=0.01)
    assert said.days[0].day == FIRST + timedelta(days=56)
    assert said.busiest > 1.3
    assert said.text[0].startswith("Busiest: Monday")


def test_a_peak_multiplies() -> None:
    past, _ = floor(2)
    plain, peak = forecast(past), forecast(past, peak_bp=30_000)
    assert sum(one.expected for one in peak.days) == pytest.approx(
        3 * sum(one.expected for one in plain.days), rel=1e-3
    )
    assert sum(one.high for one in peak.days) > 2 * sum(one.high for one in plain.days)


def test_the_floors_own_hours_count_across_a_change_of_clocks() -> None:
    """Warsaw goes from +2 to +1 on 25 October 2026: 9 o'clock stays 9 o'clock."""
    zone = ZoneInfo("Europe/Warsaw")
    moments = [datetime(2026, 10, 12, 9, 30, tzinfo=zone) + timedelta(days=day) for day in range(22)]
    past = history_of((moment.astimezone(UTC) for moment in moments), zone)
    assert {hour for _, hour in past.counts} == {9}
    assert past.days[-1] == date(2026, 11, 1), "the last day may not be over"
    assert len(past.days) == 21


@pytest.mark.parametrize("days", [0, 1, 13])
def test_too_little_history_is_said(days: int) -> None:
    past, _ = floor(1, days=max(1, days))
    with pytest.raises(OperatorError, match="at least 14"):
        forecast(History(past.days[:days], past.counts))


@pytest.mark.parametrize("days", [0, 93, -1])
def test_days_ahead_have_bounds(days: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 92"):
        forecast(floor(1)[0], days=days)


@given(st.dictionaries(st.tuples(st.integers(0, 20), st.integers(0, 23)), st.integers(0, 40), min_size=1, max_size=30))
def test_any_history_is_answered(counts: dict[tuple[int, int], int]) -> None:
    past = History(
        tuple(FIRST + timedelta(days=day) for day in range(21)),
        {(FIRST + timedelta(days=day), hour): many for (day, hour), many in counts.items()},
    )
    if not any(past.counts.values()):
        with pytest.raises(OperatorError):
            forecast(past)
        return
    said = forecast(past, days=3)
    assert len(said.hours) == 72
    assert all(0 <= one.low <= one.high and one.expected >= 0 for one in said.hours)


@given(st.floats(0.01, 60), st.floats(0, 3), st.floats(0.01, 0.99))
def test_a_higher_probability_never_gives_a_lower_count(mean: float, spread: float, probability: float) -> None:
    assert spread_quantile(mean, spread, probability) <= spread_quantile(mean, spread, min(0.999, probability + 0.005))

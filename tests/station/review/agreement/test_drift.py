"""Drift: run lengths as stated, checked by simulation; a change is found soon; nobody is called who has not changed."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import repeat

import pytest

from station.review.agreement.drift import FALSE_ALARM_EVERY, design, run_length, watch
from tests.station.review.agreement.sim import LADDERS, SHARP, Eye, a_floor

CHANGED: Eye = ((1, 0, 0, 0), (0.85, 0.15, 0, 0), (0.15, 0.6, 0.25, 0), SHARP[3])
"""Has become much milder: odds of differing three times the usual ones, which is what the charts are made for."""


def test_run_lengths_equal_what_can_be_worked_out_by_hand() -> None:
    assert run_length(0.2, 1, 1) == pytest.approx(5.0)  # the first that differs
    # two in a row, as one agreeing takes back what one differing gave: (1 + p) / p²
    assert run_length(0.2, 1, 2) == pytest.approx((1 + 0.2) / 0.2**2)


@pytest.mark.parametrize("usual", [0.02, 0.1, 0.25])
def test_the_stated_run_lengths_are_those_of_simulated_people(usual: float) -> None:
    """To a false alarm and to a found change: within four standard errors of 250 simulated people."""
    chart = design(usual, 150)
    assert chart.false_alarm_every >= 150
    for rate, stated in ((chart.usual, chart.false_alarm_every), (chart.changed, chart.found_after)):
        draw = random.Random(f"{usual} {rate}")
        lengths = []
        for _ in range(250):
            place, _ = chart.run(draw.random() < rate for _ in repeat(None))
            assert place is not None
            lengths.append(place + 1)
        mean = sum(lengths) / len(lengths)
        error = (sum((length - mean) ** 2 for length in lengths) / len(lengths) / (len(lengths) - 1)) ** 0.5
        assert abs(mean - stated) < 4 * error, (rate, stated, mean)


@pytest.mark.parametrize("usual", [0.01, 0.05, 0.1, 0.2, 0.4])
def test_every_chart_keeps_its_promise_with_the_smallest_limit(usual: float) -> None:
    chart = design(usual)
    assert chart.false_alarm_every >= FALSE_ALARM_EVERY
    assert run_length(usual, chart.up, chart.limit - 1) < FALSE_ALARM_EVERY
    assert chart.found_after < chart.false_alarm_every / 7


def test_nobody_is_called_on_a_floor_that_sees_the_same_and_who_changed_is() -> None:
    """30 floors of four people with 150 looks each: hardly a call; where one has changed, that one is called."""
    calls = found = others = 0
    for seed in range(30):
        eyes = dict.fromkeys(("ana", "bo", "cy", "dee"), SHARP)
        calls += sum(one.alarm_at is not None for one in watch(a_floor(seed, 300, eyes), LADDERS))
        drifts = watch(a_floor(seed, 300, {**eyes, "dee": CHANGED}), LADDERS)
        mild = next(one for one in drifts if one.inspector == "dee")
        found += mild.alarm_at is not None
        others += sum(one.alarm_at is not None for one in drifts if one is not mild)
    assert calls <= 18, "120 people of 150 looks each, and one call in 1000 looks is stated"
    assert found >= 27
    assert others < found


def test_a_call_says_since_when_and_to_which_side_in_kind_words() -> None:
    eyes = {**dict.fromkeys(("ana", "bo", "cy"), SHARP), "dee": CHANGED}
    for seed in range(20):
        mild = next(one for one in watch(a_floor(seed, 300, eyes, golden=150), LADDERS) if one.inspector == "dee")
        if mild.alarm_at is not None:
            break
    assert mild.since is not None
    assert mild.alarm_at is not None
    assert mild.since <= mild.alarm_at
    assert mild.lean == "better"
    assert "Worth looking at some of them together" in mild.text
    assert "once in 1" in mild.text
    for hard in ("wrong", "error", "worst", "bad", "fail"):
        assert hard not in mild.text


def test_too_few_others_are_no_measure_and_grades_of_other_schemes_none_either() -> None:
    few = watch(a_floor(1, 12, {"ana": SHARP, "bo": SHARP}), LADDERS)
    assert all(one.chart is None and one.alarm_at is None and "not watched yet" in one.text for one in few)
    floor = a_floor(2, 60, {"ana": SHARP, "bo": SHARP})
    mixed = [
        replace(item, ratings=(item.ratings[0], replace(item.ratings[1], scheme="marketplace"))) for item in floor.items
    ]
    assert watch(replace(floor, items=tuple(mixed)), LADDERS) == ()

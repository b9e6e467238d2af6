"""Draws that nobody foresees and everybody with the key repeats, and curves that are what happens."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import InvalidInput
from station.review.curve import chance, chance_of_lot, outgoing_limit, point, units_until_clear
from station.review.draw import DrawKey, draw, same_draw
from station.review.plan import Severity, read_plan
from station.review.switching import Standing, Turn, looked, turned

PLAN = read_plan()
KEY, OTHER = DrawKey(bytes(range(32))), DrawKey(bytes(range(1, 33)))


def test_draws_are_even_and_those_of_two_keys_have_nothing_in_common() -> None:
    units = [f"01a-{number:06d}" for number in range(40_000)]
    numbers = [KEY.number(PLAN, unit) for unit in units]
    ranked = sorted(number / 2**64 for number in numbers)
    gap = max(abs(one - (place + 0.5) / len(ranked)) for place, one in enumerate(ranked))
    assert gap * len(ranked) ** 0.5 < 2.23  # Kolmogorov's limit for a chance of 1 in 10 000
    share = 200_000 / 1e6
    mine = [draw(KEY, PLAN, unit, Severity.TIGHTENED).drawn for unit in units]
    theirs = [draw(OTHER, PLAN, unit, Severity.TIGHTENED).drawn for unit in units]
    assert abs(sum(mine) - share * len(units)) < 5 * (len(units) * share * (1 - share)) ** 0.5
    both = Counter(zip(mine, theirs, strict=True))
    assert unrelated(both)
    # a unit's neighbours say nothing about it either
    follows = Counter(itertools.pairwise(mine))
    assert unrelated(follows)
    assert not unrelated(Counter(zip(mine, mine, strict=True)))


def unrelated(pairs: Counter[tuple[bool, bool]]) -> bool:
    """Pearson's chi-squared on a fourfold table, against its limit for a chance of 1 in 10 000."""
    total = sum(pairs.values())
    rows = {one: pairs[one, True] + pairs[one, False] for one in (True, False)}
    columns = {one: pairs[True, one] + pairs[False, one] for one in (True, False)}
    expected = {(row, column): rows[row] * columns[column] / total for row in rows for column in columns}
    return sum((pairs[cell] - many) ** 2 / many for cell, many in expected.items()) < 15.14


@given(st.text(max_size=40))
def test_a_draw_is_repeated_and_a_larger_share_keeps_it(unit: str) -> None:
    kept = draw(KEY, PLAN, unit, Severity.REDUCED)
    assert same_draw(KEY, PLAN, unit, kept)
    assert draw(KEY, PLAN, unit, Severity.REDUCED) == kept
    wider = [draw(KEY, PLAN, unit, one).drawn for one in (Severity.REDUCED, Severity.NORMAL, Severity.TIGHTENED)]
    assert wider == sorted(wider)
    assert draw(KEY, PLAN, unit, Severity.EVERY).drawn


def test_an_auditor_finds_a_draw_that_was_changed() -> None:
    units = [str(number) for number in range(200)]
    honest = {unit: draw(KEY, PLAN, unit, Severity.NORMAL) for unit in units}
    assert all(same_draw(KEY, PLAN, unit, kept) for unit, kept in honest.items())
    swapped = [honest[units[(number + 1) % 200]] for number in range(200)]
    assert not all(same_draw(KEY, PLAN, unit, kept) for unit, kept in zip(units, swapped, strict=True))
    with pytest.raises(InvalidInput, match="drawn with the key"):
        same_draw(OTHER, PLAN, "1", honest["1"])


def test_a_key_does_not_show_itself() -> None:
    secret = hashlib.sha256(b"site").digest()
    shown = repr(DrawKey(secret))
    assert secret.hex() not in shown
    assert secret.hex()[:8] not in shown
    assert repr(secret) not in shown
    with pytest.raises(InvalidInput, match="expected 32"):
        DrawKey(b"short")


@given(st.integers(1, 60), st.integers(0, 20), st.floats(0, 1))
def test_chances_of_samples_are_the_binomial_and_hypergeometric(sample: int, accept: int, wrong: float) -> None:
    accept = min(accept, sample - 1)
    exact = Fraction(wrong)
    counts = [Fraction(1)]  # chance of each count, one unit after the other
    lot, bad = sample * 3, round(wrong * sample * 3)
    drawn = {0: Fraction(1)}
    for unit in range(sample):
        counts = [
            (counts[many] * (1 - exact) if many < len(counts) else 0) + (counts[many - 1] * exact if many else 0)
            for many in range(len(counts) + 1)
        ]
        later: dict[int, Fraction] = {}
        for many, likely in drawn.items():
            worse = Fraction(bad - many, lot - unit)
            later[many] = later.get(many, Fraction(0)) + likely * (1 - worse)
            later[many + 1] = later.get(many + 1, Fraction(0)) + likely * worse
        drawn = later
    assert chance(sample, accept, wrong) == pytest.approx(float(sum(counts[: accept + 1])), abs=1e-9)
    expected = float(sum(likely for many, likely in drawn.items() if many <= accept))
    assert chance_of_lot(lot, bad, sample, accept) == pytest.approx(expected, abs=1e-9)


@dataclass
class Worked:
    """A cell at work."""

    units: Counter[Severity]
    lots: Counter[Severity]
    passed: Counter[Severity]
    looks: int = 0
    out: int = 0


def worked(wrong: float, looks: int, dice: random.Random) -> Worked:
    """So many looks with all that passes between them unseen."""
    standing, done = Standing(), Worked(Counter(), Counter(), Counter())
    for _ in range(looks):
        severity = standing.severity
        share = PLAN.level(severity).share_ppm / 1_000_000
        passing = 0 if share == 1 else int(log(1 - dice.random()) / log(1 - share))
        done.units[severity] += passing + 1
        done.out += sum(dice.random() < wrong for _ in range(passing))
        done.looks += 1
        bad = dice.random() < wrong
        now = looked(PLAN, standing, bad)
        if now.lots > standing.lots:
            done.lots[severity] += 1
            done.passed[severity] += standing.disagreed + bad <= PLAN.level(severity).accept
        standing = now
        if standing.severity is Severity.EVERY and standing.clear >= PLAN.clearance:
            standing = turned(PLAN, standing, Turn.RESUMED)
    return done


@pytest.mark.parametrize("wrong", [0.04, 0.07, 0.09])
def test_the_long_run_is_what_happens(wrong: float) -> None:
    """A cell stays long under one severity, so its shares settle slowly: the bounds are wide for that, not for luck."""
    done = worked(wrong, 120_000, random.Random(round(wrong * 1000)))
    units, expected = sum(done.units.values()), point(PLAN, wrong)
    assert done.looks / units == pytest.approx(expected.looked, rel=0.15)
    assert done.out / units == pytest.approx(expected.outgoing, rel=0.08)
    for severity, share in expected.severities:
        assert done.units[severity] / units == pytest.approx(share, abs=0.08)
    for severity, likely in expected.passes:
        if severity is not Severity.EVERY and done.lots[severity] >= 100:
            spread = (likely * (1 - likely) / done.lots[severity]) ** 0.5
            assert abs(done.passed[severity] / done.lots[severity] - likely) < 4.5 * spread + 1e-9


def test_drawn_unit_by_unit_it_is_the_same_machine() -> None:
    """With the real draw, from unit to unit: the share that is looked at is the standing's."""
    standing, under, looks = Standing(), Counter[Severity](), Counter[Severity]()
    dice = random.Random(5)
    for number in range(40_000):
        severity = standing.severity
        under[severity] += 1
        if draw(KEY, PLAN, f"unit-{number}", severity).drawn:
            looks[severity] += 1
            standing = looked(PLAN, standing, dice.random() < 0.09)
            if standing.severity is Severity.EVERY and standing.clear >= PLAN.clearance:
                standing = turned(PLAN, standing, Turn.RESUMED)
    assert {Severity.NORMAL, Severity.TIGHTENED, Severity.EVERY} <= set(under)
    for severity, many in under.items():
        share = PLAN.level(severity).share_ppm / 1_000_000
        assert abs(looks[severity] - share * many) <= 4.5 * (many * share * (1 - share)) ** 0.5 + 1


def test_nothing_worse_than_the_limit_leaves() -> None:
    worst = outgoing_limit(PLAN)
    assert 0.05 < worst.outgoing < 0.065
    assert 0.05 < worst.wrong < 0.08
    for step in range(0, 101, 5):
        at = point(PLAN, step / 100)
        assert at.outgoing <= worst.outgoing + 1e-9
        assert at.outgoing <= at.wrong
        assert sum(share for _, share in at.severities) == pytest.approx(1)
    assert point(PLAN, 0.0).looked == pytest.approx(0.015)
    assert point(PLAN, 1.0).outgoing == 0.0


def test_waiting_for_a_run_of_right_units() -> None:
    dice, times = random.Random(3), []
    for _ in range(4000):
        run = steps = 0
        while run < 10:
            steps, run = steps + 1, 0 if dice.random() < 0.1 else run + 1
        times.append(steps)
    assert sum(times) / len(times) == pytest.approx(units_until_clear(10, 0.1), rel=0.05)

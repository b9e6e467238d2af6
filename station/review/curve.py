"""What a plan guarantees: the chance that a lot passes, and over a long time which wrong share leaves.

All exact, for work whose disagreements fall independently at one rate. With lots closed by their sample the count in it
is binomial. The switching rules are a Markov chain over a cell's standings; its long run gives how often each severity
holds, which share of units is looked at and which wrong share goes out: units found wrong are put right, the rest goes
as it is. A second look is taken as right.

Sources: A. Hald, Statistical Theory of Sampling Inspection by Attributes (1981), ch. 2 (operating characteristic);
K. S. Stephens & K. E. Larson (1967), An evaluation of the MIL-STD-105D system of sampling plans, Industrial Quality
Control 23 (switching as a Markov chain); H. F. Dodge (1943), A sampling inspection plan for continuous production,
Ann. Math. Statist. 14 (average outgoing quality).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb, inf

from station.errors import InvalidInput
from station.review.plan import WHOLE_PPM, Plan, Severity
from station.review.switching import Standing, Turn, turned


@dataclass(frozen=True, slots=True)
class Point:
    """What happens in the long run where this share of the work is wrong."""

    wrong: float
    passes: tuple[tuple[Severity, float], ...]
    """Chance that a lot is accepted under each severity."""
    severities: tuple[tuple[Severity, float], ...]
    """Share of units under each."""
    looked: float
    """Share of units that is looked at."""
    outgoing: float
    """Share of units that leaves wrong."""


def chance(sample: int, accept: int, wrong: float) -> float:
    """Chance that a sample holds at most so many: the binomial distribution.

    >>> round(chance(20, 2, 0.04), 4)
    0.9561
    """
    return sum(comb(sample, bad) * wrong**bad * (1 - wrong) ** (sample - bad) for bad in range(accept + 1))


def chance_of_lot(lot: int, bad: int, sample: int, accept: int) -> float:
    """Chance that a lot of known size is accepted: the hypergeometric distribution.

    Args:
        lot: units of the lot.
        bad: how many of them are wrong.
        sample: drawn without putting back.
        accept: so many wrong ones still pass.

    >>> round(chance_of_lot(50, 5, 8, 1), 4)
    0.8241
    """
    if not 0 <= bad <= lot or not 0 <= sample <= lot:
        raise InvalidInput(f"{bad} bad of a lot of {lot} with a sample of {sample}: expected neither above the lot")
    ways = sum(comb(bad, found) * comb(lot - bad, sample - found) for found in range(min(accept, bad, sample) + 1))
    return ways / comb(lot, sample)


def units_until_clear(clearance: int, wrong: float) -> float:
    """Units looked at until so many in succession were right, on average; endless where nothing is right.

    Source: H. F. Dodge (1943), equation for *u*; the expected waiting time for a run of successes.

    >>> units_until_clear(2, 0.5)
    6.0
    """
    if wrong <= 0.0:
        return float(clearance)
    right = (1 - wrong) ** clearance
    return inf if right < 1e-300 else (1 - right) / (wrong * right)


def point(plan: Plan, wrong: float) -> Point:
    """The long run at one rate; a lead ends the look at every unit as soon as the plan allows it.

    Args:
        plan: in force.
        wrong: share of units with a disagreement, 0 to 1.

    Raises:
        InvalidInput: a share outside 0 to 1.
    """
    import numpy as np

    if not 0.0 <= wrong <= 1.0:
        raise InvalidInput(f"{wrong!r} is no share: expected 0 to 1")
    stopped = units_until_clear(plan.clearance, wrong)
    if stopped > 1e12:  # sampling never resumes
        only = tuple((one, float(one is Severity.EVERY)) for one in Severity)
        return Point(wrong, _passes(plan, wrong), only, 1.0, 0.0)
    states, moves = _chain(plan, wrong)
    size = len(states)
    chain = np.zeros((size, size))
    for start, end, likely in moves:
        chain[start, end] += likely
    # π P = π with the sum 1; the chain has one closed class, since every standing can come back to normal
    system = np.vstack([chain.T - np.eye(size), np.ones(size)])
    held = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    units: dict[Severity, float] = dict.fromkeys(Severity, 0.0)
    looks = 0.0
    for state, often in zip(states, held, strict=True):
        level = plan.level(state.severity)
        every = state.severity is Severity.EVERY
        # a lot lasts sample / share units on average (negative binomial)
        units[state.severity] += float(often) * (stopped if every else level.sample * WHOLE_PPM / level.share_ppm)
        looks += float(often) * (stopped if every else level.sample)
    total = sum(units.values())
    share = looks / total
    return Point(
        wrong,
        _passes(plan, wrong),
        tuple((one, max(0.0, units[one]) / total) for one in Severity),
        share,
        wrong * (1 - share),
    )


def _passes(plan: Plan, wrong: float) -> tuple[tuple[Severity, float], ...]:
    return tuple((one, chance(plan.level(one).sample, plan.level(one).accept, wrong)) for one in Severity)


def outgoing_limit(plan: Plan) -> Point:
    """The worst that leaves in the long run, whatever the work: the average outgoing quality limit."""
    coarse = [point(plan, step / 100) for step in range(1, 100)]
    worst = max(coarse, key=lambda one: one.outgoing)
    fine = [point(plan, worst.wrong + step / 1000) for step in range(-9, 10)]
    return max(fine, key=lambda one: one.outgoing)


def _chain(plan: Plan, wrong: float) -> tuple[list[Standing], list[tuple[int, int, float]]]:
    """All standings at a lot's end that can be reached, and where each lot leads."""
    first = Standing()
    found: dict[Standing, int] = {first: 0}
    waiting = [first]
    moves = []
    while waiting:
        state = waiting.pop()
        for likely, then in _after(plan, state, wrong):
            bare = replace(then, lots=0)
            if bare not in found:
                found[bare] = len(found)
                waiting.append(bare)
            moves.append((found[state], found[bare], likely))
    return list(found), moves


def _after(plan: Plan, state: Standing, wrong: float) -> list[tuple[float, Standing]]:
    if state.severity is Severity.EVERY:
        return [(1.0, turned(plan, replace(state, clear=plan.clearance), Turn.RESUMED))]
    level = plan.level(state.severity)
    passes = chance(level.sample, level.accept, wrong)
    clearly = min(passes, chance(level.sample, min(plan.tighter_accept, level.accept), wrong))
    return [
        (likely, turned(plan, state, turn))
        for turn, likely in (
            (Turn.CLEARLY_ACCEPTED, clearly),
            (Turn.ACCEPTED, passes - clearly),
            (Turn.NOT_ACCEPTED, 1 - passes),
        )
    ]

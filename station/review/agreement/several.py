"""Agreement of any number of raters, who need not be the same for every unit: Fleiss' kappa, plain and weighted."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from station.errors import Defect
from station.review.agreement.kappa import (
    LEAST,
    Agreement,
    Weights,
    all_the_same,
    interval,
    nothing_to_compare,
    too_few,
)

_CHANCE_ONLY = 1e-12
_LOPSIDED = 0.9


def fleiss(
    counts: Sequence[Sequence[int]],
    weights: Weights = Weights.NONE,
    *,
    names: Sequence[str] = (),
    confidence: float = 0.95,
    least: int = LEAST,
) -> Agreement:
    """Agreement about units that were each rated by at least two people.

    Args:
        counts: one row a unit: how many people gave each answer, for weights in the order of the ladder. Units that
            fewer than two rated are passed over.
        names: of the answers, for sentences.
        least: with fewer units no kappa is given.

    Source: J. L. Fleiss (1971), Measuring nominal scale agreement among many raters, Psychological Bulletin 76.
        Weights, unequal numbers of raters and the standard error that holds at any kappa: K. L. Gwet (2008), Computing
        inter-rater reliability and its variance in the presence of high agreement, British Journal of Mathematical and
        Statistical Psychology 61, §4 (the linearised variance). Fleiss' own error of 1971 holds at kappa 0 only.
    """
    if any(len(row) != len(counts[0]) or min(row, default=0) < 0 for row in counts):
        raise Defect("every unit must have the same answers to count, and no negative counts")
    rated = [row for row in counts if sum(row) >= 2]
    units = len(rated)
    if not units:
        return nothing_to_compare()
    steps = len(rated[0])
    answers = range(steps)
    worth = weights.table(steps) if steps > 1 else [[1.0]]
    share: list[list[float]] = [[count / sum(row) for count in row] for row in rated]
    habit = [sum(row[place] for row in share) / units for place in answers]
    own = []
    for row in rated:
        people = sum(row)
        near = [sum(worth[i][j] * row[j] for j in answers) for i in answers]
        own.append(sum(row[i] * (near[i] - 1) for i in answers) / (people * (people - 1)))
    observed = sum(own) / units
    toward = [sum(worth[i][j] * habit[j] for j in answers) for i in answers]
    chance = sum(habit[i] * toward[i] for i in answers)
    if 1.0 - chance < _CHANCE_ONLY:
        return all_the_same(units, next((names[i] for i in answers if habit[i] > 0 and i < len(names)), ""))
    if units < least:
        return too_few(units, least, observed, chance)
    kappa = (observed - chance) / (1 - chance)
    spread = 0.0
    for mine, seen in zip(share, own, strict=True):
        expected = sum(mine[i] * toward[i] for i in answers)
        one = (seen - chance) / (1 - chance) - 2 * (1 - kappa) * (expected - chance) / (1 - chance)
        spread += (one - kappa) ** 2
    error = sqrt(spread / (units * max(1, units - 1)))
    differed = sum(max(row) < sum(row) for row in rated)
    low, high = interval(kappa, error, chance, units, differed, confidence)
    return Agreement(units, observed, chance, kappa, low, high, "", _warnings(habit, names))


def _warnings(habit: Sequence[float], names: Sequence[str]) -> tuple[str, ...]:
    most = max(range(len(habit)), key=lambda place: habit[place])
    if habit[most] <= _LOPSIDED:
        return ()
    name = repr(names[most]) if most < len(names) else "one answer"
    return (f"{habit[most] * 100:.0f} % of all answers are {name}: kappa is low then even if people agree",)

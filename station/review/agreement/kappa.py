"""Agreement of two raters beyond chance: Cohen's kappa, plain and weighted, with its interval and its warnings."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import NormalDist
from typing import Final, TypeVar

from station.analysis.basis import counted
from station.errors import Defect

LEAST: Final = 30
"""Units rated twice below which no kappa is given. With fewer, the interval is a third of the scale or wider."""

_V = TypeVar("_V", bound=Hashable)
_CHANCE_ONLY: Final = 1e-12
_LOPSIDED: Final = 0.8
_BIASED: Final = 0.1


class Weights(StrEnum):
    """How far apart two answers on a ladder are."""

    NONE = "none"
    """Same or not the same."""
    LINEAR = "linear"
    QUADRATIC = "quadratic"

    def agreement(self, one: int, other: int, steps: int) -> float:
        """1 = the same, 0 = the two ends of the ladder.

        Source: J. Cohen (1968), Weighted kappa, Psychological Bulletin 70; linear: D. V. Cicchetti, T. Allison (1971);
        quadratic: J. L. Fleiss, J. Cohen (1973), Educational and Psychological Measurement 33.
        """
        if one == other:
            return 1.0
        if self is Weights.NONE:
            return 0.0
        apart = abs(one - other) / (steps - 1)
        return 1.0 - (apart if self is Weights.LINEAR else apart * apart)

    def table(self, steps: int) -> list[list[float]]:
        """The agreement of every pair of answers."""
        return [[self.agreement(one, other, steps) for other in range(steps)] for one in range(steps)]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far people agree about one thing."""

    units: int
    """Units that were rated at least twice."""
    observed: float | None
    """Share of agreement seen, weighted; None = no units."""
    by_chance: float | None
    """Share that raters with these habits would agree on without looking."""
    kappa: float | None
    """None = not defined, or too few units; ``why`` says which."""
    low: float | None
    high: float | None
    """The interval; None where there is no kappa."""
    why: str = ""
    """Why there is no kappa, a sentence; empty = there is one."""
    notes: tuple[str, ...] = ()
    """What to keep in mind when reading it."""

    @property
    def text(self) -> str:
        """One sentence for people."""
        if self.kappa is None or self.low is None or self.high is None:
            return self.why
        return (
            f"{counted(self.units, 'unit')}: kappa {self.kappa:.2f} ({self.low:.2f} to {self.high:.2f}), "
            f"{strength(self.kappa)}; the same in {(self.observed or 0.0) * 100:.0f} %"
        )


def strength(kappa: float) -> str:
    """A word for a kappa. Source: J. R. Landis, G. G. Koch (1977), Biometrics 33, p. 165; the bounds are a habit.

    >>> strength(0.43), strength(-0.1)
    ('moderate', 'worse than chance')
    """
    if kappa < 0:
        return "worse than chance"
    for bound, word in ((0.2, "slight"), (0.4, "fair"), (0.6, "moderate"), (0.8, "substantial")):
        if kappa <= bound:
            return word
    return "almost perfect"


def crosstab(pairs: Iterable[tuple[_V, _V]], answers: Sequence[_V]) -> list[list[int]]:
    """Pairs of answers → how often each came with each: rows the first rater, columns the second."""
    place = {answer: number for number, answer in enumerate(answers)}
    table = [[0] * len(answers) for _ in answers]
    for one, other in pairs:
        table[place[one]][place[other]] += 1
    return table


def cohen(
    table: Sequence[Sequence[int]],
    weights: Weights = Weights.NONE,
    *,
    names: Sequence[str] = (),
    confidence: float = 0.95,
    least: int = LEAST,
) -> Agreement:
    """Agreement of two raters who each rated every unit once.

    Args:
        table: counts, rows the first rater's answers, columns the second's, in the same order; for weights in the order
            of the ladder.
        names: of the answers, for sentences.
        least: with fewer units no kappa is given.

    Source: J. Cohen (1960), Educational and Psychological Measurement 20; (1968), Psychological Bulletin 70. Standard
        error: J. L. Fleiss, J. Cohen, B. S. Everitt (1969), Large sample standard errors of kappa and weighted kappa,
        Psychological Bulletin 72, formulas 8 and 13. Where nobody differed it would be zero: the lower bound is then
        that of the observed share (C. J. Clopper, E. S. Pearson, 1934).
    """
    steps = len(table)
    if any(len(row) != steps or min(row, default=0) < 0 for row in table):
        raise Defect(f"a table of agreement must be square and without negative counts, got {table!r}")
    units = sum(map(sum, table))
    if not units:
        return nothing_to_compare()
    share = [[count / units for count in row] for row in table]
    rows = [sum(row) for row in share]
    columns = [sum(row[place] for row in share) for place in range(steps)]
    worth = weights.table(steps) if steps > 1 else [[1.0]]
    cells = [(i, j) for i in range(steps) for j in range(steps)]
    observed = sum(worth[i][j] * share[i][j] for i, j in cells)
    chance = sum(worth[i][j] * rows[i] * columns[j] for i, j in cells)
    if 1.0 - chance < _CHANCE_ONLY:
        said = next((names[i] for i, count in enumerate(rows) if count > 0 and i < len(names)), "")
        return all_the_same(units, said)
    if units < least:
        return too_few(units, least, observed, chance)
    kappa = (observed - chance) / (1 - chance)
    toward_row = [sum(columns[j] * worth[i][j] for j in range(steps)) for i in range(steps)]
    toward_column = [sum(rows[i] * worth[i][j] for i in range(steps)) for j in range(steps)]
    spread = sum(share[i][j] * (worth[i][j] - (toward_row[i] + toward_column[j]) * (1 - kappa)) ** 2 for i, j in cells)
    variance = max(0.0, spread - (kappa - chance * (1 - kappa)) ** 2) / (units * (1 - chance) ** 2)
    differed = units - sum(table[place][place] for place in range(steps))
    low, high = interval(kappa, sqrt(variance), chance, units, differed, confidence)
    return Agreement(units, observed, chance, kappa, low, high, "", _warnings(table, names))


def interval(
    kappa: float, error: float, chance: float, units: int, differed: int, confidence: float
) -> tuple[float, float]:
    """Bounds of a kappa; with full agreement from the exact bound of the share that agrees."""
    if not differed:
        least_share: float = ((1 - confidence) / 2) ** (1 / units)
        return max(-1.0, (least_share - chance) / (1 - chance)), 1.0
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return max(-1.0, kappa - reach), min(1.0, kappa + reach)


def nothing_to_compare() -> Agreement:
    return Agreement(0, None, None, None, None, None, "No unit was rated by two people, so nothing can be compared")


def too_few(units: int, least: int, observed: float, chance: float) -> Agreement:
    why = f"Only {counted(units, 'unit')} rated by two people, {least} are asked for before a number is given"
    return Agreement(units, observed, chance, None, None, None, why)


def all_the_same(units: int, said: str) -> Agreement:
    what = repr(said) if said else "the same"
    why = (
        f"Everybody said {what} of all {counted(units, 'unit')}: that is full agreement, but kappa is not defined, "
        "because nothing could have been told apart"
    )
    return Agreement(units, 1.0, 1.0, None, None, None, why)


def _warnings(table: Sequence[Sequence[int]], names: Sequence[str]) -> tuple[str, ...]:
    """Prevalence and bias, which move kappa without anybody seeing worse.

    Source: T. Byrt, J. Bishop, J. B. Carlin (1993), Bias, prevalence and kappa, Journal of Clinical Epidemiology 46;
        A. R. Feinstein, D. V. Cicchetti (1990), ibid. 43 (the two paradoxes).
    """
    steps, units = len(table), sum(map(sum, table))
    rows = [sum(row) for row in table]
    columns = [sum(row[place] for row in table) for place in range(steps)]
    notes = []
    constant = [who for who, sums in (("first", rows), ("second", columns)) if sum(count > 0 for count in sums) == 1]
    if constant:
        notes.append(f"The {constant[0]} rater always gave the same answer, so kappa is 0 whatever the other saw")
    most = max(range(steps), key=lambda place: rows[place] + columns[place])
    common = (rows[most] + columns[most]) / (2 * units)
    if (2 * common - 1 if steps == 2 else common) > _LOPSIDED:
        name = repr(names[most]) if most < len(names) else "one answer"
        text = (
            f"{common * 100:.0f} % of all answers are {name}: with so lopsided goods kappa is low even if people agree"
        )
        if steps == 2:
            same = (table[0][0] + table[1][1]) / units
            text += f" (adjusted for prevalence and bias it is {2 * same - 1:.2f})"
        notes.append(text)
    tilt = max(abs(row - column) for row, column in zip(rows, columns, strict=True)) / units
    if tilt > _BIASED:
        place = max(range(steps), key=lambda one: abs(rows[one] - columns[one]))
        name = repr(names[place]) if place < len(names) else "one answer"
        notes.append(
            f"The two use {name} not equally often: "
            f"{rows[place] * 100 // units} % and {columns[place] * 100 // units} %"
        )
    return tuple(notes)


def boundary(grades: Sequence[str], at: int) -> Callable[[str], bool]:
    """The question "this grade or better?": the ladder cut in two behind place ``at`` (best first)."""
    good = frozenset(grades[: at + 1])
    return lambda grade: grade in good

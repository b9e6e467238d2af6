"""When a cell is looked at more closely or less: one table over the lots' results.

Source: ISO 2859-1:1999, 9.1 (normal at the start), 9.3.1 (normal to tightened), 9.3.2 (tightened to normal), 9.3.3
(normal to reduced, switching score 9.3.3.2), 9.3.4 (reduced to normal), 9.4 (discontinuation). What the standard leaves
to the authority responsible is here: reduced needs no further approval; the end of ``every`` is a lead's act, once so
many units in succession were right (H. F. Dodge's CSP-1, Ann. Math. Statist. 14 (1943), as in MIL-STD-1235C).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from station.errors import OperatorError
from station.review.plan import Plan, Severity


@dataclass(frozen=True, slots=True)
class Cell:
    """Whose work on what: one stream of units."""

    inspector: str
    category: str
    grade: str

    def __str__(self) -> str:
        return " · ".join((self.inspector, self.category or "no category", self.grade or "no grade"))


def cell_of(inspector: str, category: str | None, grade: str | None) -> Cell:
    """The cell of a unit. Categories count by their first word: finer ones would take months to end a lot.

    >>> str(cell_of("ines", "apparel.shirts", "A"))
    'ines · apparel · A'
    """
    return Cell(inspector, (category or "").partition(".")[0], grade or "")


class Turn(StrEnum):
    """What can happen to a cell."""

    CLEARLY_ACCEPTED = "clearly_accepted"
    """The lot passes, and would have passed one AQL step tighter."""
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    RESUMED = "resumed"
    """A lead ends the look at every unit: the cause was found and put right."""
    UNSTEADY = "unsteady"
    """Work was interrupted or changed: a new protocol, weeks of absence."""


class Move(StrEnum):
    """What a turn does."""

    STAY = "stay"
    SCORE = "score"
    """Count towards reduced; switch when the score is reached."""
    ZERO = "zero"
    """Back to score 0."""
    COUNT = "count"
    """Count an accepted lot towards normal; switch when they are enough."""
    REJECT = "reject"
    """Score 0; tighten if it is the second among the last few."""
    REJECT_TIGHT = "reject_tight"
    """Count towards every unit; switch when they are enough."""
    TO_NORMAL = "to_normal"
    TO_TIGHTENED = "to_tightened"
    REFUSE = "refuse"
    """Cannot happen here."""


TABLE: Final[dict[tuple[Severity, Turn], Move]] = {
    (Severity.NORMAL, Turn.CLEARLY_ACCEPTED): Move.SCORE,
    (Severity.NORMAL, Turn.ACCEPTED): Move.ZERO,
    (Severity.NORMAL, Turn.NOT_ACCEPTED): Move.REJECT,
    (Severity.NORMAL, Turn.RESUMED): Move.REFUSE,
    (Severity.NORMAL, Turn.UNSTEADY): Move.ZERO,
    (Severity.TIGHTENED, Turn.CLEARLY_ACCEPTED): Move.COUNT,
    (Severity.TIGHTENED, Turn.ACCEPTED): Move.COUNT,
    (Severity.TIGHTENED, Turn.NOT_ACCEPTED): Move.REJECT_TIGHT,
    (Severity.TIGHTENED, Turn.RESUMED): Move.REFUSE,
    (Severity.TIGHTENED, Turn.UNSTEADY): Move.STAY,
    (Severity.REDUCED, Turn.CLEARLY_ACCEPTED): Move.STAY,
    (Severity.REDUCED, Turn.ACCEPTED): Move.STAY,
    (Severity.REDUCED, Turn.NOT_ACCEPTED): Move.TO_NORMAL,
    (Severity.REDUCED, Turn.RESUMED): Move.REFUSE,
    (Severity.REDUCED, Turn.UNSTEADY): Move.TO_NORMAL,
    (Severity.EVERY, Turn.CLEARLY_ACCEPTED): Move.STAY,
    (Severity.EVERY, Turn.ACCEPTED): Move.STAY,
    (Severity.EVERY, Turn.NOT_ACCEPTED): Move.STAY,
    (Severity.EVERY, Turn.RESUMED): Move.TO_TIGHTENED,
    (Severity.EVERY, Turn.UNSTEADY): Move.STAY,
}
"""The whole machine; every pair has a row."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a cell stands."""

    severity: Severity = Severity.NORMAL
    score: int = 0
    """Switching score; counts under normal inspection alone."""
    since_reject: int | None = None
    """Lots since the last one not accepted under normal inspection; None = none that still matters."""
    accepted: int = 0
    """Consecutive accepted lots under tightened inspection."""
    rejected: int = 0
    """Lots not accepted in this period of tightened inspection."""
    looked: int = 0
    """Audited units of the lot under way."""
    disagreed: int = 0
    """Disagreements among them."""
    clear: int = 0
    """Units right in succession while every unit is looked at."""
    lots: int = 0
    """Lots ended so far."""


def turned(plan: Plan, standing: Standing, turn: Turn) -> Standing:
    """A cell after one turn.

    Raises:
        OperatorError: it is resumed although sampling was never stopped, or too soon.
    """
    move = TABLE[standing.severity, turn]
    if move is Move.REFUSE:
        raise OperatorError(f"not every unit of this cell is looked at ({standing.severity.value}): nothing to resume")
    lot = turn in (Turn.CLEARLY_ACCEPTED, Turn.ACCEPTED, Turn.NOT_ACCEPTED)
    now = replace(standing, looked=0, disagreed=0, lots=standing.lots + 1) if lot else standing
    fresh = Standing(lots=now.lots)
    since = now.since_reject
    passed = None if since is None or since + 2 >= plan.rejects_within else since + 1
    match move:
        case Move.SCORE:
            gained = now.score + plan.score_step
            if gained >= plan.reduced_from:
                return replace(fresh, severity=Severity.REDUCED)
            return replace(now, score=gained, since_reject=passed)
        case Move.ZERO:
            return replace(now, score=0, since_reject=passed if lot else since)
        case Move.REJECT:
            if since is not None:
                return replace(fresh, severity=Severity.TIGHTENED)
            return replace(now, score=0, since_reject=0)
        case Move.COUNT:
            return fresh if now.accepted + 1 >= plan.accepts_to_normal else replace(now, accepted=now.accepted + 1)
        case Move.REJECT_TIGHT:
            if now.rejected + 1 >= plan.rejects_to_every:
                return replace(fresh, severity=Severity.EVERY)
            return replace(now, accepted=0, rejected=now.rejected + 1)
        case Move.TO_NORMAL:
            return fresh
        case Move.TO_TIGHTENED if now.clear < plan.clearance:
            raise OperatorError(
                f"{now.clear} units in succession were right, {plan.clearance} are needed before sampling resumes"
            )
        case Move.TO_TIGHTENED:
            return replace(fresh, severity=Severity.TIGHTENED)
        case _:
            return now


def turn_of(plan: Plan, severity: Severity, disagreed: int) -> Turn:
    """What a finished lot's disagreements mean."""
    if disagreed > plan.level(severity).accept:
        return Turn.NOT_ACCEPTED
    return Turn.CLEARLY_ACCEPTED if disagreed <= plan.tighter_accept else Turn.ACCEPTED


def looked(plan: Plan, standing: Standing, disagrees: bool) -> Standing:
    """A cell after the second look at one drawn unit; the last of a sample ends the lot."""
    now = replace(standing, looked=standing.looked + 1, disagreed=standing.disagreed + disagrees)
    if now.severity is Severity.EVERY:
        now = replace(now, clear=0 if disagrees else now.clear + 1)
    if now.looked < plan.level(now.severity).sample:
        return now
    return turned(plan, now, turn_of(plan, now.severity, now.disagreed))


@dataclass(frozen=True, slots=True)
class Looked:
    """The second look at one unit that the draw had picked, or a lead's turn."""

    cell: Cell
    disagrees: bool = False
    turn: Turn | None = None
    """RESUMED or UNSTEADY: not a look but an act; None = a look."""


def standings(plan: Plan, history: Iterable[Looked]) -> dict[Cell, Standing]:
    """All cells from what happened, in its order. A look that was not drawn must not be here: it is no fair sample.

    Raises:
        OperatorError: a lead's turn that was not possible.
    """
    cells: dict[Cell, Standing] = {}
    for one in history:
        before = cells.get(one.cell, Standing())
        cells[one.cell] = (
            looked(plan, before, one.disagrees) if one.turn is None else turned(plan, before, one.turn)
        )  # fmt: skip
    return cells


def standing_text(plan: Plan, standing: Standing) -> str:
    """Where a cell stands, in one sentence."""
    level = plan.level(standing.severity)
    under_way = f"{standing.disagreed} disagreements in {standing.looked} of {level.sample}, {level.accept} still pass"
    if standing.severity is Severity.EVERY:
        return (
            f"Every unit is looked at; {standing.clear} in succession were right, {plan.clearance} are needed to resume"
        )
    return f"{standing.severity.value.capitalize()}: {level.share_ppm / 10_000:g} % of units; {under_way}"

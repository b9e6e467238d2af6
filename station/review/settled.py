"""A second look that was taken, as the record keeps it → outcomes for the signals, history for the audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from station.errors import OperatorError
from station.inspection.record import Inspection
from station.review.learning import Outcome
from station.review.signals import Signal
from station.review.switching import Looked, cell_of

SETTLED: Final = "review.settled"
"""Kind of the fact."""
_KNOWN: Final = frozenset(Signal)


@dataclass(frozen=True, slots=True)
class Settled:
    """What the second person found. This shape is for ever: change it by a new schema."""

    inspection_id: str
    unit_id: str
    found: bool
    """Something that changes what happens with the unit."""
    signals: tuple[str, ...]
    """All that had fired at the first look."""
    drawn: bool
    """The audit's draw had picked it: a fair sample of its cell."""
    inspector: str
    """Who looked first."""
    category: str | None
    grade: str | None
    by: str
    """Who looked again."""
    at: datetime


def settle(unit: Inspection, inspector: str, found: bool, by: str, at: datetime) -> Settled:
    """Settle the second look at one unit.

    Args:
        unit: as it was recorded.
        inspector: who had confirmed it.
        found: whether the look changes what happens with it.
        by: who looked again.
        at: when; aware.

    Raises:
        OperatorError: it is the same person, or nothing asked for a look.
    """
    if by.strip().casefold() == inspector.strip().casefold():
        raise OperatorError(f"{unit.lpn} was inspected by {inspector}: a second look is another person's")
    drawn = unit.audit is not None and unit.audit.drawn
    if not drawn and not unit.decision.second_look:
        raise OperatorError(f"{unit.lpn} asks for no second look: nothing to settle")
    grade = unit.decision.grade.code if unit.decision.grade is not None else None
    signals = unit.signalled.signals if unit.signalled is not None else ()
    return Settled(
        unit.inspection_id, unit.unit_id, found, signals, drawn, inspector, unit.category, grade, by.strip(), at
    )


def outcomes_of(looks: Iterable[Settled]) -> tuple[Outcome, ...]:
    """For ``learn``. Signals that this version does not know are left out."""
    return tuple(
        Outcome(one.unit_id, tuple(Signal(name) for name in one.signals if name in _KNOWN), one.found)
        for one in _last_word(looks)
    )


def history_of(looks: Iterable[Settled]) -> tuple[Looked, ...]:
    """For ``standings``: the looks that the draw had picked, in the order in which they were first settled."""
    return tuple(
        Looked(cell_of(one.inspector, one.category, one.grade), one.found) for one in _last_word(looks) if one.drawn
    )


def _last_word(looks: Iterable[Settled]) -> tuple[Settled, ...]:
    """Each inspection once, at its first place, as it was last settled."""
    last: dict[str, Settled] = {}
    for one in looks:
        last[one.inspection_id] = one
    return tuple(last.values())

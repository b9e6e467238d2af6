"""The state of one unit from what is known of it. Pure, and the same in whatever order that came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from station.quantities import Money


class State(StrEnum):
    """Where a unit stands."""

    INSPECTED = "inspected"
    CONTESTED = "contested"
    """A lead looks: see ``because``."""
    DECIDED = "decided"
    """By a lead, on all that is known."""
    VOIDED = "voided"
    """No inspection of it stands."""


TWICE: Final = "inspected_twice"
"""More than one inspection of it stands."""
BEYOND: Final = "beyond_quantity"
"""More units came for its line than were announced."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to the goods and the money."""

    disposition: str
    refund_decision: str
    refund: Money | None
    """None = a person decides."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One inspection of the unit."""

    inspection_id: str
    number: int
    """1, 2, 3 … in the order in which the server took them."""
    corrects: str | None
    is_voided: bool
    is_corrected: bool
    """By an inspection that is not voided."""
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Ruling:
    """A lead's decision that was in time."""

    entry_id: str
    number: int
    settles: frozenset[str]
    """The inspections that stood then, and ``BEYOND`` where that was the question."""
    inspection_id: str | None
    disposition: str
    refund_decision: str | None
    refund: Money | None


@dataclass(frozen=True, slots=True)
class Unit:
    """The answer."""

    state: State
    because: str | None
    owner: str | None
    """The inspection that counts."""
    outcome: Outcome | None
    decided_by: str | None
    """Entry of the decision in force."""


def judge_unit(claims: Sequence[Claim], rulings: Sequence[Ruling], *, is_beyond: bool) -> Unit:
    """Say where a unit stands.

    Args:
        claims: all inspections of it, in any order.
        rulings: all decisions on it that were in time; the last one counts.
        is_beyond: more units came for its line than were announced, and it is one of those.
    """
    standing = standing_of(claims)
    if not standing:
        return Unit(State.VOIDED, None, None, None, None)
    threads = _threads(claims)
    owner = min(standing, key=lambda claim: (threads[claim.inspection_id], claim.number, claim.inspection_id))
    ruling = max(rulings, key=lambda one: one.number, default=None)
    open_questions = questions(standing, is_beyond=is_beyond)
    if ruling is None:
        if len(standing) > 1:
            return Unit(State.CONTESTED, TWICE, owner.inspection_id, owner.outcome, None)
        state, because = (State.CONTESTED, BEYOND) if is_beyond else (State.INSPECTED, None)
        return Unit(state, because, owner.inspection_id, owner.outcome, None)
    chosen = next((claim for claim in standing if claim.inspection_id == ruling.inspection_id), owner)
    outcome = Outcome(
        ruling.disposition,
        ruling.refund_decision or chosen.outcome.refund_decision,
        ruling.refund if ruling.refund_decision is not None else chosen.outcome.refund,
    )
    new = open_questions - ruling.settles
    if new:
        because = BEYOND if new == {BEYOND} else TWICE
        return Unit(State.CONTESTED, because, chosen.inspection_id, outcome, ruling.entry_id)
    return Unit(State.DECIDED, None, chosen.inspection_id, outcome, ruling.entry_id)


def standing_of(claims: Sequence[Claim]) -> list[Claim]:
    """Inspections that are neither voided nor corrected by one that is not voided."""
    return [claim for claim in claims if not claim.is_voided and not claim.is_corrected]


def questions(standing: Sequence[Claim], *, is_beyond: bool) -> Set[str]:
    """What a decision made now would settle."""
    return {claim.inspection_id for claim in standing} | ({BEYOND} if is_beyond else set())


def _threads(claims: Sequence[Claim]) -> Mapping[str, int]:
    """Inspection → the earliest number in its chain of corrections: a correction does not lose its place."""
    known = {claim.inspection_id: claim for claim in claims}
    found: dict[str, int] = {}
    for claim in claims:
        number, seen, at = claim.number, {claim.inspection_id}, claim.corrects
        while at is not None and at in known and at not in seen:
            seen.add(at)
            number, at = min(number, known[at].number), known[at].corrects
        found[claim.inspection_id] = number
    return found

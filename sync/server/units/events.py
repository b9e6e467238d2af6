"""What a change of a unit means to others: refunds, stock, what the customer sees. Pure, in exact integer money.

Every event says how things were and how they are, so that whoever adds up the changes has the present state: the sum of
all ``change_minor`` of a unit is what its customer gets back, and a piece is where its last move put it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from sync.server.units.state import State, Unit

MISSING: Final = "missing"
INSPECTION: Final = "inspection"
"""Where a piece is while it is on a bench."""
MANUAL: Final = "manual"


class CustomerStatus(StrEnum):
    """What a customer is told."""

    RECEIVED = "received"
    IN_REVIEW = "in_review"
    """A person looks at it."""
    REFUND_DECIDED = "refund_decided"
    NO_REFUND = "no_refund"


@dataclass(frozen=True, slots=True)
class RefundDecided:
    """The refund of a unit is another one now."""

    decision: str | None
    """``full``, ``partial``, ``none``, ``manual``; None = no longer decided."""
    amount_minor: int
    """What the customer gets in all; 0 while a person decides."""
    change_minor: int
    """What that is more than before; negative = less."""
    currency: str


@dataclass(frozen=True, slots=True)
class InventoryMoved:
    """One piece is in another place now."""

    from_place: str
    to_place: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The customer's return looks different now."""

    before: CustomerStatus | None
    after: CustomerStatus


UnitEvent: TypeAlias = "RefundDecided | InventoryMoved | StatusChanged"


def unit_events(before: Unit | None, after: Unit) -> tuple[UnitEvent, ...]:
    """Say what a change of a unit means.

    Args:
        before: None = nobody knew of the unit.
    """
    return (*_refunds(before, after), *_moves(before, after), *_status(before, after))


def customer_status(unit: Unit) -> CustomerStatus:
    """What the customer of a unit is told."""
    if unit.state is State.VOIDED or unit.outcome is None:
        return CustomerStatus.RECEIVED
    if unit.state is State.CONTESTED or unit.outcome.refund is None:
        return CustomerStatus.IN_REVIEW
    return CustomerStatus.REFUND_DECIDED if unit.outcome.refund.minor > 0 else CustomerStatus.NO_REFUND


def _refunds(before: Unit | None, after: Unit) -> Iterator[RefundDecided]:
    old = _money(before)
    new = _money(after)
    decision = after.outcome.refund_decision if after.outcome is not None else None
    decided = before.outcome.refund_decision if before is not None and before.outcome is not None else None
    if old is not None and (new is None or old[1] != new[1]):
        # another currency, or none: what was promised is taken back in its own
        yield RefundDecided(None if new is not None else decision, 0, -old[0], old[1])
        old, decided = None, None
    if new is not None and (old != new or decided != decision):
        yield RefundDecided(decision, new[0], new[0] - (old[0] if old is not None else 0), new[1])


def _money(unit: Unit | None) -> tuple[int, str] | None:
    if unit is None or unit.outcome is None or unit.outcome.refund is None:
        return None
    return unit.outcome.refund.minor, unit.outcome.refund.currency


def _moves(before: Unit | None, after: Unit) -> Iterator[InventoryMoved]:
    was, now = _place(before), _place(after)
    if was != now:
        yield InventoryMoved(was, now)


def _place(unit: Unit | None) -> str:
    if unit is None or unit.outcome is None or unit.outcome.disposition == MISSING:
        return INSPECTION  # nothing was put anywhere
    return unit.outcome.disposition


def _status(before: Unit | None, after: Unit) -> Iterator[StatusChanged]:
    was = customer_status(before) if before is not None else None
    now = customer_status(after)
    if was is not now:
        yield StatusChanged(was, now)

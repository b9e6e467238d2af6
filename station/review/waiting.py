"""A record that asks for a second look → what the queue needs to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from station.analysis.unit import units_seen
from station.decision.decay import Decay, decay_for
from station.errors import InvalidInput
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.journal.entry import Entry
from station.quantities import Money
from station.review.claims import ClaimBook, checklists, claim_file
from station.review.order import Claim, Waiting, lost_a_day

_INSPECTION = msgspec.json.Decoder(Inspection)


def asking(entries: Sequence[Entry]) -> tuple[Inspection, ...]:
    """The inspections that stand and ask for a second look, in the order confirmed.

    Raises:
        InvalidInput: a record is written in a way that this version cannot read.
    """
    wanted = {unit.inspection_id for unit in units_seen(entries).units if unit.second_look}
    found: dict[str, Inspection] = {}
    for entry in entries:
        if entry.kind != INSPECTION_CONFIRMED or entry.payload is None:
            continue
        if b'"second_look":[]' in entry.payload:
            continue
        try:
            unit = _INSPECTION.decode(entry.payload)
        except msgspec.MsgspecError as error:
            raise InvalidInput(f"entry {entry.id!r} cannot be read by this version: {error}") from error
        if unit.inspection_id in wanted:
            found[unit.inspection_id] = unit
    return tuple(sorted(found.values(), key=lambda unit: (unit.confirmed_at, unit.inspection_id)))


def waiting_of(
    unit: Inspection,
    at: datetime,
    decays: tuple[Decay, ...],
    *,
    promise: timedelta | None = None,
    marketplace: str | None = None,
    claims: ClaimBook | None = None,
    minutes: int = 6,
) -> Waiting:
    """What waiting costs for one unit.

    Args:
        unit: as recorded.
        at: now; aware.
        decays: of the route book (``Rules.routes.decays``).
        promise: how long after it was begun the customer is to hear; None = nothing was promised.
        marketplace: whose claims count; None = none.
        claims: the book of claims, with a marketplace.
        minutes: that a look takes.
    """
    value = _worth(unit)
    days = max(0, (at - unit.confirmed_at) // timedelta(days=1))
    claim = _claim(unit, at, value, marketplace, claims)
    return Waiting(
        item=unit.inspection_id,
        since=unit.confirmed_at,
        value=value,
        lost_ppm_day=lost_a_day(decay_for(decays, unit.category), days),
        promise=unit.started_at + promise if promise is not None else None,
        claim=claim,
        minutes=minutes,
    )


def _worth(unit: Inspection) -> Money | None:
    """What its best way brings that no gate forbids; None = nothing is known."""
    ways = [way for way in unit.decision.alternatives if way.allowed and way.value is not None]
    best = max(ways, key=lambda way: way.value.minor if way.value is not None else 0, default=None)
    return best.value if best is not None and best.value is not None and best.value.minor > 0 else None


def _claim(
    unit: Inspection, at: datetime, value: Money | None, marketplace: str | None, book: ClaimBook | None
) -> Claim | None:
    """The claim that ends first, for what was refunded; None = none is open, or its clock is not known."""
    if marketplace is None or book is None:
        return None
    open_ = [
        one for one in checklists(book, marketplace, claim_file(unit), at) if one.open_now and one.ends is not None
    ]
    amount = unit.decision.refund.amount or value
    if not open_ or amount is None:
        return None
    first = min(open_, key=lambda one: (one.ends or at, one.programme.id))
    return Claim(first.programme.id, first.ends or at, amount)

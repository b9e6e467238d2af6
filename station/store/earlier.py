"""Other inspections of the unit that is on the bench: what they found must not be forgotten by taking them back.

A unit whose inspection was taken back may be begun anew, with another plate and even in another opening of its parcel.
So everything that was taken back on the same line of the same return counts, not only what a correction names. Where a
line announces several units this may hold a sister of the unit that was meant: a lead agrees, and it goes on.
"""

from __future__ import annotations

import logging
from typing import Final

import msgspec
import sqlalchemy as sa

from station.decision.gates import unreadable
from station.decision.model import Earlier, Gate
from station.store.entries import JOURNAL
from station.store.rows import InspectionRow, table

logger = logging.getLogger(__name__)

_inspections = table(InspectionRow)
_columns = (_inspections.c.generation, _inspections.c.seq, _inspections.c.inspection_id, _inspections.c.stands)
_FOUND: Final = sa.union(
    sa.select(*_columns).where(
        sa.text("inspections.stands = 0"),  # as text, so that SQLite recognises the partial index
        _inspections.c.merchant_id == sa.bindparam("merchant"),
        _inspections.c.rma == sa.bindparam("rma"),
        _inspections.c.line == sa.bindparam("line"),
    ),
    sa.select(*_columns).where(
        _inspections.c.lpn == sa.bindparam("plate"),
        sa.or_(_inspections.c.stands.is_(False), _inspections.c.unit_id != sa.bindparam("unit")),
    ),
)
_PAYLOAD: Final = sa.select(JOURNAL.c.payload).where(
    JOURNAL.c.generation == sa.bindparam("generation"), JOURNAL.c.seq == sa.bindparam("seq")
)


class _Decided(msgspec.Struct, frozen=True):
    gates: tuple[Gate, ...]


class _Inspected(msgspec.Struct, frozen=True):
    """The part of an inspection that counts here."""

    decision: _Decided


_INSPECTED: Final = msgspec.json.Decoder(_Inspected)


def earlier_inspections(
    connection: sa.Connection, unit_id: str, lpn: str, merchant_id: str | None, rma: str | None, line: int | None
) -> tuple[Earlier, ...]:
    """What was taken back of this unit or its line, and what stands of its plate, oldest first.

    An inspection that cannot be read any more holds the unit: nobody knows what it found.
    """
    values = {"unit": unit_id, "plate": lpn, "merchant": merchant_id, "rma": rma, "line": line}
    found = connection.execute(_FOUND, values).all()
    earlier: list[Earlier] = []
    for generation, seq, inspection_id, stands in sorted(found):
        payload = connection.execute(_PAYLOAD, {"generation": generation, "seq": seq}).scalar_one_or_none()
        earlier.append(Earlier(inspection_id, _gates(payload, inspection_id), bool(stands)))
    return tuple(earlier)


def _gates(payload: bytes | None, inspection_id: str) -> tuple[Gate, ...]:
    try:
        return _INSPECTED.decode(payload or b"").decision.gates
    except msgspec.DecodeError as error:
        logger.info("the gates of inspection %s cannot be read: %s", inspection_id, error)
        return (unreadable(inspection_id),)

"""Forget a unit on this bench: the content of its inspections and its photos go, the journal's hashes stay.

Only what the server has: an entry emptied before it was sent would be lost there. The transaction empties the payloads
and drops the rows made from them; then the photo files go. A kill between leaves files that nothing names, which the
daily sweep removes.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from station.errors import OperatorError
from station.store.entries import JOURNAL
from station.store.rows import AcknowledgementRow, InspectionRow, PhotoLookRow, PhotoRow, table

_inspections, _photos, _acks = table(InspectionRow), table(PhotoRow), table(AcknowledgementRow)
_looks = table(PhotoLookRow)


class NothingToForget(OperatorError):
    """Nothing of the unit is here (any more)."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went."""

    entries: int
    photos: tuple[str, ...]
    """Their names; the files are still to be removed."""


def forget_unit(connection: sa.Connection, unit_id: str) -> Forgotten:
    """Empty what was recorded of a unit, inside the caller's transaction.

    Raises:
        NothingToForget: nothing of it is here.
        OperatorError: the server does not have all of it yet.
    """
    places = connection.execute(
        sa.select(_inspections.c.generation, _inspections.c.seq, _inspections.c.lpn).where(
            _inspections.c.unit_id == unit_id
        )
    ).all()
    if not places:
        raise NothingToForget(f"no inspection of unit {unit_id!r} is on this bench")
    photos: list[str] = []
    for generation, seq, _ in places:
        here = (_photos.c.generation == generation, _photos.c.seq == seq)
        answered = connection.execute(
            sa.select(1).where(_acks.c.generation == generation, _acks.c.seq == seq)
        ).one_or_none()
        waiting = connection.execute(
            sa.select(1).where(*here, _photos.c.sent_at.is_(None), _photos.c.lost_reason.is_(None)).limit(1)
        ).one_or_none()
        if answered is None or waiting is not None:
            raise OperatorError(f"unit {unit_id!r} is not wholly at the server yet; let the bench sync first")
        photos += connection.scalars(sa.select(_photos.c.sha256).where(*here))
    emptied = 0
    for generation, seq, _ in places:
        at = (JOURNAL.c.generation == generation, JOURNAL.c.seq == seq)
        emptied += connection.execute(
            sa.update(JOURNAL).where(*at, JOURNAL.c.payload.is_not(None)).values(payload=None)
        ).rowcount
    connection.execute(sa.delete(_inspections).where(_inspections.c.unit_id == unit_id))
    connection.execute(sa.delete(_photos).where(_photos.c.sha256.in_(photos)))
    connection.execute(sa.delete(_looks).where(_looks.c.unit_id == unit_id))
    return Forgotten(emptied, tuple(photos))

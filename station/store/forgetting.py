"""Forget a unit on this bench: the content of its inspections and its photos go, the journal's hashes stay.

Only what the server has: an entry emptied before it was sent would be lost there. The transaction empties the payloads
and drops the rows made from them; then the photo files go. A kill between leaves files that nothing names, which the
daily sweep removes. What was recorded of a unit that went round again (``blind.*``) has no rows; the centre names the
id that the unit had then, and the entries that speak of it or of its parcel go.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from station.errors import OperatorError
from station.review.agreement.planted import PREFIX
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
        return _forget_blind(connection, unit_id)
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


class _Named(msgspec.Struct, frozen=True):
    """What an entry of a blind look speaks of."""

    unit_id: str = ""
    inspection_id: str = ""
    lpn: str = ""
    parcel_id: str = ""


_READ = msgspec.json.Decoder(_Named)


def _forget_blind(connection: sa.Connection, unit_id: str) -> Forgotten:
    """Empty what was recorded of a unit that went round again.

    Raises:
        NothingToForget: nothing of it is here.
        OperatorError: the server does not have all of it yet.
    """
    found = []
    for row in connection.execute(
        sa.select(JOURNAL.c.generation, JOURNAL.c.seq, JOURNAL.c.payload).where(
            sa.func.substr(JOURNAL.c.kind, 1, len(PREFIX)) == PREFIX, JOURNAL.c.payload.is_not(None)
        )
    ):
        try:
            found.append((row, _READ.decode(row.payload)))
        except (msgspec.MsgspecError, UnicodeError):
            continue
    units = [said for _, said in found if said.unit_id == unit_id]
    if not units:
        raise NothingToForget(f"no inspection of unit {unit_id!r} is on this bench")
    names = {name for said in units for name in (said.inspection_id, said.lpn, said.parcel_id)} - {""}
    going = [row for row, said in found if not names.isdisjoint({said.inspection_id, said.lpn, said.parcel_id})]
    places = [sa.and_(JOURNAL.c.generation == row.generation, JOURNAL.c.seq == row.seq) for row in going]
    there = sa.select(sa.func.count()).select_from(
        JOURNAL.join(_acks, sa.and_(_acks.c.generation == JOURNAL.c.generation, _acks.c.seq == JOURNAL.c.seq))
    )
    if connection.execute(there.where(sa.or_(*places))).scalar_one() < len(places):
        raise OperatorError(f"unit {unit_id!r} is not wholly at the server yet; let the bench sync first")
    emptied = connection.execute(sa.update(JOURNAL).where(sa.or_(*places)).values(payload=None)).rowcount
    photos = connection.scalars(
        sa.select(_photos.c.sha256).where(
            sa.or_(*(sa.and_(_photos.c.generation == row.generation, _photos.c.seq == row.seq) for row in going))
        )
    ).all()
    connection.execute(sa.delete(_photos).where(_photos.c.sha256.in_(photos)))
    return Forgotten(emptied, tuple(photos))

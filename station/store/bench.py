"""Drafts, the list of what was just done, and the bench's own pace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as upsert

from station.decision.model import Disposition
from station.inspection.ports import RecentUnit, ShiftFigures
from station.store.rows import DraftRow, InspectionRow, ParcelRow, PhotoRow, table

_drafts, _inspections, _parcels = table(DraftRow), table(InspectionRow), table(ParcelRow)
_photos = table(PhotoRow)

_HOUR = timedelta(hours=1)

# Conditions of partial indexes are text, so that SQLite recognises them.
_stands = sa.text("inspections.stands = 1")
_write = upsert(_drafts)
_KEEP_DRAFT = _write.on_conflict_do_update(index_elements=["slot"], set_={"body": _write.excluded.body})
_DROP_DRAFT = sa.delete(_drafts).where(_drafts.c.slot == sa.bindparam("name"))
_DRAFT = sa.select(_drafts.c.body).where(_drafts.c.slot == sa.bindparam("name"))
_SLOTS = (
    sa.select(_drafts.c.slot)
    .where(sa.func.substr(_drafts.c.slot, 1, sa.func.length(sa.bindparam("prefix"))) == sa.bindparam("prefix"))
    .order_by(_drafts.c.position)
)
_RECENT = (
    sa.select(
        _inspections.c.inspection_id,
        _inspections.c.title,
        _inspections.c.grade,
        _inspections.c.disposition,
        _inspections.c.tote,
        _inspections.c.second_look,
    )
    .where(_stands)
    .order_by(_inspections.c.generation.desc(), _inspections.c.seq.desc())
    .limit(sa.bindparam("count"))
)
_PACE = sa.select(_inspections.c.confirmed_at, _inspections.c.unit_seconds).where(
    _stands, _inspections.c.confirmed_at >= sa.bindparam("since"), _inspections.c.confirmed_at <= sa.bindparam("now")
)
_PARKED = sa.select(sa.func.count()).select_from(_parcels).where(sa.text("state = 'parked'"))
_PHOTO_KNOWN = sa.select(sa.exists(sa.select(1).where(_photos.c.sha256 == sa.bindparam("sha"))))
_PHOTO_IN_DRAFT = sa.select(
    sa.exists(sa.select(1).where(sa.func.instr(_drafts.c.body, sa.cast(sa.bindparam("sha"), sa.LargeBinary)) > 0))
)


def write_drafts(connection: sa.Connection, drafts: Mapping[str, bytes | None]) -> None:
    """Keep or drop slots; a slot keeps its place in the order for as long as it is filled."""
    for slot, body in drafts.items():
        if body is None:
            connection.execute(_DROP_DRAFT, {"name": slot})
        else:
            connection.execute(_KEEP_DRAFT, {"slot": slot, "body": body})


def draft(connection: sa.Connection, slot: str) -> bytes | None:
    """The bytes kept in a slot; None = empty."""
    return connection.execute(_DRAFT, {"name": slot}).scalar_one_or_none()


def slots(connection: sa.Connection, prefix: str) -> tuple[str, ...]:
    """Filled slots that begin with ``prefix``, oldest first."""
    return tuple(connection.execute(_SLOTS, {"prefix": prefix}).scalars())


def recent(connection: sa.Connection, limit: int) -> tuple[RecentUnit, ...]:
    """The last inspections that stand, newest first."""
    return tuple(
        RecentUnit(
            inspection_id=row.inspection_id,
            title=row.title,
            grade=row.grade,
            disposition=Disposition(row.disposition),
            tote=row.tote,
            second_look=row.second_look,
        )
        for row in connection.execute(_RECENT, {"count": limit})
    )


def figures(connection: sa.Connection, since: datetime, now: datetime) -> ShiftFigures:
    """Units that stand, confirmed from ``since`` to ``now``; "this hour" is the 60 minutes before ``now``."""
    rows = connection.execute(_PACE, {"since": since, "now": now}).all()
    return ShiftFigures(
        units=len(rows),
        this_hour=sum(row.confirmed_at > now - _HOUR for row in rows),
        median_seconds=round(median(row.unit_seconds for row in rows)) if rows else None,
        parked=connection.execute(_PARKED).scalar_one(),
    )


def photo_is_needed(connection: sa.Connection, sha256: str) -> bool:
    """Whether an entry or a draft names this photo."""
    if connection.execute(_PHOTO_KNOWN, {"sha": sha256}).scalar_one():
        return True
    return bool(connection.execute(_PHOTO_IN_DRAFT, {"sha": sha256.encode()}).scalar_one())

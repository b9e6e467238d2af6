"""What each bench last said of its backlog: it comes with its greeting, every quarter of a minute when it is idle.

A bench that cannot reach the centre says nothing; then the time since it was last seen tells. What is said again is not
written again for a minute, so that a thousand idle benches cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, delete, select

from sync.protocol.operations import Moment
from sync.server.errors import ApiError
from sync.server.storage import Database
from sync.server.storage.rows_operations import bench_backlogs

_AGAIN: Final = timedelta(seconds=60)
_MOST: Final = 2**53


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits at a bench."""

    entries: int
    photos: int
    since: datetime | None
    """When the oldest unsent record was made, by the bench's clock."""


def read_backlog(query: Mapping[str, str]) -> Backlog | None:
    """Read the parameters ``unsent``, ``unsent_photos`` and ``unsent_since`` of a greeting; None = it does not say.

    Raises:
        ApiError: 400.
    """
    if "unsent" not in query:
        return None
    try:
        entries, photos = (_count(query.get(name, "0")) for name in ("unsent", "unsent_photos"))
        told = msgspec.convert(query.get("unsent_since") or None, Moment | None)
        return Backlog(entries, photos, told.astimezone(UTC) if told is not None else None)
    except (ValueError, OverflowError, msgspec.ValidationError) as error:
        raise ApiError(
            400, "unsent", f"the backlog cannot be read: {error}", "counts, and a time with a zone"
        ) from error


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 16) or int(text) > _MOST:
        raise ValueError(f"{text[:40]!r} is no count")
    return int(text)


class Backlogs:
    """Backlogs of all sites."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: dict[tuple[str, str], tuple[Backlog, datetime]] = {}

    def is_news(self, site_id: str, station: str, backlog: Backlog, at: datetime) -> bool:
        """Whether it is worth writing down."""
        known = self._told.get((site_id, station))
        return known is None or known[0] != backlog or abs(at - known[1]) >= _AGAIN

    def note(self, site_id: str, station: str, backlog: Backlog, at: datetime) -> None:
        """Keep what a bench says."""
        row = {
            "site_id": site_id, "station": station, "entries": backlog.entries, "photos": backlog.photos,
            "since": backlog.since, "told_at": at,
        }  # fmt: skip
        here = (bench_backlogs.c.site_id == site_id, bench_backlogs.c.station == station)
        with self._database.writing() as connection:
            connection.execute(delete(bench_backlogs).where(*here))
            connection.execute(self._database.insert_new(bench_backlogs), row)
        self._told[site_id, station] = (backlog, at)


def backlogs(connection: Connection, site_id: str | None = None) -> list[Row[str, str, int, int, datetime, datetime]]:
    """What every bench last said: site, station, entries, photos, since, told at."""
    query = select(bench_backlogs).order_by(bench_backlogs.c.site_id, bench_backlogs.c.station)
    if site_id is not None:
        query = query.where(bench_backlogs.c.site_id == site_id)
    return list(connection.execute(query).all())

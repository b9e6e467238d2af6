"""Which build of a site's figures is read and written, and the lock under which that changes.

Whoever counts entries writes into the live build and, while a rebuild is under way, into the one that is being made as
well. It must not miss that one was begun: so it holds a shared lock from before it asks until it commits, and who
changes the row waits for all of them. On PostgreSQL that is an advisory lock, which writes nothing; SQLite has one
writer anyway.

Entries of one site are counted by one at a time (:func:`lock_following`), whichever process it lives in: what is parked
depends on the order of a bench's entries, and two that add to the same cells would only wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zlib import crc32

from sqlalchemy import Connection, select

from sync.server.storage.rows_figures import figure_builds

FORMULA: Final = 1
"""Goes up whenever ``unit.py`` or ``counting.py`` count differently: older figures want a rebuild."""

_SPACE: Final = 0x5E71
_FOLLOWING: Final = 0x5E72


@dataclass(frozen=True, slots=True)
class Builds:
    """The row of a site."""

    live: int = 1
    building: int | None = None
    cursor: str | None = None
    formula: int = FORMULA

    @property
    def written(self) -> tuple[int, ...]:
        """What a push writes into."""
        return (self.live,) if self.building is None else (self.live, self.building)


def lock_shared(connection: Connection, site_id: str) -> None:
    """Let nobody change the builds until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock_shared(%s, %s)", (_SPACE, _number(site_id)))


def lock_alone(connection: Connection, site_id: str) -> None:
    """Wait for the pushes that are under way, and let the next ones wait until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (_SPACE, _number(site_id)))


def lock_following(connection: Connection, site_id: str) -> None:
    """Be the one that counts entries of a site until this transaction ends. Before :func:`lock_shared`."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (_FOLLOWING, _number(site_id)))


def try_following(connection: Connection, site_id: str) -> bool:
    """As :func:`lock_following`, but False = somebody else is at it."""
    if connection.dialect.name != "postgresql":
        return True
    query = "SELECT pg_try_advisory_xact_lock(%s, %s)"
    return bool(connection.exec_driver_sql(query, (_FOLLOWING, _number(site_id))).scalar())


def read_builds(connection: Connection, site_id: str) -> Builds:
    """The builds of a site; one that has no row has never been rebuilt."""
    table = figure_builds.c
    row = connection.execute(
        select(table.live, table.building, table.cursor, table.formula).where(table.site_id == site_id)
    ).first()
    return Builds(*row) if row is not None else Builds()


def write_builds(connection: Connection, site_id: str, builds: Builds) -> None:
    """Replace the row; the caller holds the lock alone, or changes nothing but the cursor."""
    connection.execute(figure_builds.delete().where(figure_builds.c.site_id == site_id))
    connection.execute(
        figure_builds.insert(),
        {
            "site_id": site_id, "live": builds.live, "building": builds.building, "cursor": builds.cursor,
            "formula": builds.formula,
        },
    )  # fmt: skip


def _number(site_id: str) -> int:
    return crc32(site_id.encode()) - 2**31

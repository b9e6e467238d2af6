"""Make a site's figures anew from its journal, beside the old ones, while pushes go on.

1. ``building`` is set in the row of the site, alone under the lock: whatever is counted from now on goes into both
   builds.
2. The journal is read bench by bench in the order of its entries, some hundred entries a transaction, and joined into
   the build. The follower waits meanwhile (``lock_following``). Entries that it has joined already change nothing, and
   those that are joined here before it comes to them change nothing then (``keeping.py``).
3. ``live`` becomes the new build, in one small transaction; then the old rows are deleted, a part at a time.

Killed anywhere: readers see the old figures until 3, the follower keeps writing into both, and the next rebuild goes on
where this one was (unless the formula has changed since: then it begins again). What ``queue_settled`` says stays.

An erased payload can no longer be counted from the journal, so what was counted of it is carried over from the live
build; its hash in the journal is untouched. Contested units do not follow from one bench's journal: they are taken from
``units`` in step 3.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from sqlalchemy import Table, and_, delete, exists, or_, select, tuple_, update

from station.errors import OperatorError
from sync.server.figures.answering import refill
from sync.server.figures.builds import FORMULA, Builds, lock_alone, lock_following, read_builds, write_builds
from sync.server.figures.counting import State
from sync.server.figures.keeping import Counted, count_entries, join_states, state_of
from sync.server.figures.unit import Unit
from sync.server.figures.waiting import clear_settled
from sync.server.judge import judge_payload
from sync.server.storage import Database
from sync.server.storage.rows import endings, entries, heads
from sync.server.storage.rows_figures import (
    figure_benches,
    figure_builds,
    figure_labels,
    figure_merchants,
    figure_units,
    queue_items,
)

logger = logging.getLogger(__name__)

BUILT: Final = (figure_units, figure_benches, figure_merchants, figure_labels, queue_items)
"""Tables that a rebuild makes."""

_BATCH: Final = 500
_DELETED: Final = 5_000


class _Cursor(msgspec.Struct, frozen=True):
    """How far a rebuild is, and what counted so far."""

    station: str
    generation: int
    seq: int
    formula: int = FORMULA


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to."""

    entries: int
    """Read by this run."""
    build: int


def rebuild(database: Database, site_id: str, progress: Callable[[int], None] | None = None) -> Rebuilt:
    """Make the figures and the queue of a site anew from its journal.

    Args:
        progress: called with the number of entries read so far.

    Raises:
        OperatorError: another rebuild of this site took over meanwhile.
    """
    builds = _begin(database, site_id)
    building = builds.building
    assert building is not None
    assert builds.cursor is not None
    cursor = msgspec.json.decode(builds.cursor, type=_Cursor)
    count = 0
    for station in _stations(database, site_id):
        if station < cursor.station:
            continue
        place = (cursor.generation, cursor.seq) if station == cursor.station else (0, 0)
        while True:
            read, place = _replay(database, site_id, station, building, place)
            count += read
            if progress is not None:
                progress(count)
            if read < _BATCH:
                break
    _carry_erased(database, site_id, builds.live, building)
    _finish(database, site_id, building)
    return Rebuilt(count, building)


def _begin(database: Database, site_id: str) -> Builds:
    with database.writing() as connection:
        lock_alone(connection, site_id)
        builds = read_builds(connection, site_id)
        left = connection.scalars(
            select(figure_units.c.build).where(figure_units.c.site_id == site_id).distinct()
        ).all()
        cursor = msgspec.json.decode(builds.cursor, type=_Cursor) if builds.cursor else None
        if builds.building is None or cursor is None or cursor.formula != FORMULA:
            newest = max([builds.live, builds.building or 0, *left])
            begin = msgspec.json.encode(_Cursor("", 0, 0)).decode()
            builds = replace(builds, building=newest + 1, cursor=begin)
            write_builds(connection, site_id, builds)
    for build in {*left} - {builds.live, builds.building}:
        _delete(database, site_id, build)
    return builds


def _stations(database: Database, site_id: str) -> list[str]:
    with database.reading() as connection:
        found = connection.scalars(select(heads.c.station).where(heads.c.site_id == site_id).distinct())
        return sorted(found)


def _replay(
    database: Database, site_id: str, station: str, building: int, place: tuple[int, int]
) -> tuple[int, tuple[int, int]]:
    """Join the next entries of one bench, and note how far it is."""
    with database.writing() as connection:
        lock_following(connection, site_id)
        found = connection.execute(
            select(
                entries.c.generation, entries.c.seq, entries.c.id, entries.c.kind, entries.c.schema, entries.c.actor,
                entries.c.payload, entries.c.received_at, entries.c.code,
            )
            .where(
                entries.c.site_id == site_id, entries.c.station == station,
                tuple_(entries.c.generation, entries.c.seq) > tuple_(*place),
            )
            .order_by(entries.c.generation, entries.c.seq)
            .limit(_BATCH)
        ).all()  # fmt: skip
        if found:
            place = (found[-1].generation, found[-1].seq)
        counted: list[Counted] = []
        for row in found:
            if row.code is not None or row.payload is None:
                continue
            code, _, fact = judge_payload(row.kind, row.schema, row.payload)
            if code is None:
                counted.append(Counted(station, row.generation, row.seq, row.id, row.actor, fact, row.received_at))
        count_entries(database, connection, site_id, (building,), counted)
        noted = msgspec.json.encode(_Cursor(station, *place)).decode()
        done = connection.execute(
            update(figure_builds)
            .where(figure_builds.c.site_id == site_id, figure_builds.c.building == building)
            .values(cursor=noted)
        )
        if done.rowcount != 1:
            raise OperatorError("another rebuild of this site has taken over; let that one finish")
    return len(found), place


def _carry_erased(database: Database, site_id: str, live: int, building: int) -> None:
    """Join what is known of entries whose payload has been erased: inspections, and the ends of others."""
    c, after = figure_units.c, ""
    columns = [c[name] for name in ("entry_id", "ended", "corrections", *Unit.__struct_fields__)]
    erased = (entries.c.site_id == site_id, entries.c.payload.is_(None), entries.c.code.is_(None))
    inspected = exists().where(*erased, entries.c.id == c.entry_id)
    ended = exists().where(
        endings.c.site_id == site_id, endings.c.inspection_id == c.inspection_id, entries.c.id == endings.c.by_entry,
        *erased,
    )  # fmt: skip
    while True:
        with database.writing() as connection:
            lock_following(connection, site_id)
            found = connection.execute(
                select(c.inspection_id, inspected, *columns)
                .where(c.site_id == site_id, c.build == live, c.inspection_id > after, or_(inspected, ended))
                .order_by(c.inspection_id)
                .limit(_BATCH)
            ).all()
            states = {}
            for name, whole, *row in found:
                state = state_of(row)
                states[name] = state if whole else State(ended=state.ended, corrections=state.corrections)
            if states:
                join_states(database, connection, site_id, building, states)
        if len(found) < _BATCH:
            return
        after = found[-1][0]


def _finish(database: Database, site_id: str, building: int) -> None:
    with database.writing() as connection:
        lock_alone(connection, site_id)
        builds = read_builds(connection, site_id)
        if builds.building != building:
            raise OperatorError("another rebuild of this site has taken over; let that one finish")
        refill(database, connection, site_id, builds.live, building)
        clear_settled(connection, site_id, building)
        write_builds(connection, site_id, Builds(building))
    _delete(database, site_id, builds.live)
    logger.info("figures rebuilt", extra={"site": site_id, "build": building})


def _delete(database: Database, site_id: str, build: int) -> None:
    """Delete a build that nobody reads or writes, a part at a time: no long lock, and killed it is gone on with."""
    for table in BUILT:
        while _delete_some(database, table, site_id, build):
            pass


def _delete_some(database: Database, table: Table, site_id: str, build: int) -> bool:
    rest = list(table.primary_key.columns)[2:]
    with database.writing() as connection:
        old = and_(table.c.site_id == site_id, table.c.build == build)
        last = connection.execute(
            select(*rest).where(old).order_by(*rest).offset(_DELETED - 1).limit(1)
        ).first()  # fmt: skip
        where = old if last is None else and_(old, tuple_(*rest) <= tuple_(*last))
        connection.execute(delete(table).where(where))
    return last is not None

"""Keep figures and queue behind the pushes: a follower of the journal with a durable cursor for each chain.

No answer to a bench needs a figure, and counting costs as much as storing. So a push only moves the head of its chain,
and the follower counts what lies between cursor and head, many entries at once, so that a cell is written once for a
thousand of them. It moves the cursor in the same transaction: killed anywhere, nothing is missing and nothing counted
twice. A head has no gaps and moves in the transaction that stores the entries, so nothing can come in behind a cursor,
with one exception: an entry that was stored damaged and has arrived whole after all is counted in its own transaction
(:func:`count_late`).

While pushes come one upon the other the follower waits, but never longer than ``PATIENCE_S``; then it takes turns with
them: as much time for the pushes as was taken from them. How far it is behind is a metric (``station_figures_behind``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, func, select, update
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from station.inspection import record
from station.returns import decided
from sync.server.applying import Applying
from sync.server.figures.answering import settle_decided, settle_ended
from sync.server.figures.builds import lock_following, lock_shared, read_builds, try_following
from sync.server.figures.keeping import Counted, count_entries
from sync.server.judge import Judged, judge_payload
from sync.server.storage import Database
from sync.server.storage.rows import entries, heads
from sync.server.storage.rows_figures import figure_cursors

logger = logging.getLogger(__name__)

PATIENCE_S: Final = 2.0
"""For so long at most a committed push is left alone while others come."""
_QUIET_S: Final = 0.25
"""Without a push: then nobody waits for what the follower takes."""
ROUND: Final = 1_000
"""Entries of one transaction."""
_CHAINS: Final = 500
"""Chains of one transaction."""
_LOOK_EVERY_S: Final = 5.0
"""How often an idle follower looks by itself: another worker may have died before it counted."""
_AGAIN_S: Final = 0.2
"""When another worker is counting just now."""
_ASIDE_S: Final = 60.0

COUNTED_KINDS: Final = (
    record.INSPECTION_CONFIRMED, record.INSPECTION_VOIDED, record.PARCEL_OPENED, record.PARCEL_CLOSED,
    record.PARCEL_PARKED, decided.UNIT_DECIDED,
)  # fmt: skip

_ENTRIES = entries.c
_BEHIND: Final = (
    select(heads.c.site_id, heads.c.station, heads.c.generation, heads.c.seq, figure_cursors.c.seq.label("counted"))
    .select_from(
        heads.outerjoin(
            figure_cursors,
            and_(
                figure_cursors.c.site_id == heads.c.site_id, figure_cursors.c.station == heads.c.station,
                figure_cursors.c.generation == heads.c.generation,
            ),
        )
    )
    .where(heads.c.seq > func.coalesce(figure_cursors.c.seq, 0))
    .order_by(heads.c.last_seen)
)  # fmt: skip
"""Chains that go on behind their cursor. A bench that keeps sending stands behind those that wait."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """What is to be counted of one chain."""

    station: str
    generation: int
    after: int | None
    """The cursor; None = there is none yet."""
    head: int

    @property
    def place(self) -> tuple[str, int]:
        return self.station, self.generation


def behind(connection: Connection) -> tuple[int, datetime | None]:
    """How many entries are not counted yet, and when the oldest of them was received."""
    count, oldest = 0, None
    for chain in connection.execute(_BEHIND).all():
        counted = chain.counted or 0
        count += chain.seq - counted
        received: datetime | None = connection.scalar(
            select(_ENTRIES.received_at).where(
                _ENTRIES.site_id == chain.site_id, _ENTRIES.station == chain.station,
                _ENTRIES.generation == chain.generation, _ENTRIES.seq == counted + 1,
            )
        )  # fmt: skip
        if received is not None and (oldest is None or received < oldest):
            oldest = received
    return count, oldest


def count_late(work: Applying, filled: Sequence[Judged]) -> None:
    """Count entries that may lie before their cursor (an ``Applier``); the follower may do it again."""
    lock_following(work.connection, work.site_id)
    lock_shared(work.connection, work.site_id)
    counted = [
        Counted(work.station, entry.generation, entry.seq, entry.id, entry.actor, entry.fact, work.at)
        for entry in filled
    ]
    _count(work.database, work.connection, work.site_id, counted)


def _count(database: Database, connection: Connection, site_id: str, counted: Sequence[Counted]) -> None:
    settle_ended(database, connection, site_id, counted)
    count_entries(database, connection, site_id, read_builds(connection, site_id).written, counted)
    settle_decided(database, connection, site_id, counted)


def catch_up(database: Database, site_id: str | None = None) -> int:
    """Count everything that has been committed; how many entries that were.

    Args:
        site_id: only of this site.
    """
    count = 0
    while True:
        sites = [site for site in _sites_behind(database) if site_id in (None, site)]
        if not sites:
            return count
        for site in sites:
            count += count_some(database, site, wait=True)


def count_some(
    database: Database, site_id: str, limit: int = ROUND, *, wait: bool = False,
    leave: Collection[tuple[str, int]] = (), alone: tuple[str, int] | None = None,
) -> int:  # fmt: skip
    """Count the next entries of a site in one transaction.

    Args:
        wait: until nobody else counts at this site.
        leave: chains (station, generation) that are passed over.
        alone: the only chain that is looked at.

    Returns:
        By how much the cursors moved; 0 = nothing is behind, or somebody else is at it.
    """
    with database.writing() as connection:
        if wait:
            lock_following(connection, site_id)
        elif not try_following(connection, site_id):
            return 0
        lock_shared(connection, site_id)
        found = connection.execute(_BEHIND.where(heads.c.site_id == site_id).limit(_CHAINS))
        chains = [_Chain(row.station, row.generation, row.counted, row.seq) for row in found]
        moved: list[tuple[_Chain, int]] = []
        counted: list[Counted] = []
        for chain in chains:
            if limit <= 0:
                break
            if chain.place in leave or alone not in (None, chain.place):
                continue
            after = chain.after or 0
            until = min(chain.head, after + limit)
            limit -= until - after
            counted += _entries_of(connection, site_id, chain, until)
            moved.append((chain, until))
        if counted:
            _count(database, connection, site_id, counted)
        _move(database, connection, site_id, moved)
    return sum(until - (chain.after or 0) for chain, until in moved)


def _sites_behind(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(set(connection.scalars(_BEHIND)))


def _chains_behind(database: Database, site_id: str) -> list[tuple[str, int]]:
    with database.reading() as connection:
        return [(row.station, row.generation) for row in connection.execute(_BEHIND.where(heads.c.site_id == site_id))]


def _entries_of(connection: Connection, site_id: str, chain: _Chain, until: int) -> list[Counted]:
    found = connection.execute(
        select(
            _ENTRIES.seq, _ENTRIES.id, _ENTRIES.kind, _ENTRIES.schema, _ENTRIES.actor, _ENTRIES.payload,
            _ENTRIES.received_at,
        )
        .where(
            _ENTRIES.site_id == site_id, _ENTRIES.station == chain.station, _ENTRIES.generation == chain.generation,
            _ENTRIES.seq > (chain.after or 0), _ENTRIES.seq <= until, _ENTRIES.kind.in_(COUNTED_KINDS),
            _ENTRIES.code.is_(None), _ENTRIES.payload.is_not(None),
        )
        .order_by(_ENTRIES.seq)
    )  # fmt: skip
    counted: list[Counted] = []
    for seq, entry_id, kind, schema, actor, payload, received_at in found:
        code, _, fact = judge_payload(kind, schema, payload)
        if code is None:
            counted.append(Counted(chain.station, chain.generation, seq, entry_id, actor, fact, received_at))
    return counted


def _move(database: Database, connection: Connection, site_id: str, moved: Sequence[tuple[_Chain, int]]) -> None:
    table = figure_cursors.c
    fresh = [
        {"site_id": site_id, "station": chain.station, "generation": chain.generation, "seq": until}
        for chain, until in moved
        if chain.after is None
    ]
    if fresh:
        database.insert_all(connection, figure_cursors, fresh)
    for chain, until in moved:
        if chain.after is not None:
            here = (table.site_id == site_id, table.station == chain.station, table.generation == chain.generation)
            connection.execute(update(figure_cursors).where(*here).values(seq=until))


class Follower:
    """Counts on a thread of its own until it is closed."""

    def __init__(self, database: Database, *, waiting: Callable[[], int] = lambda: 0) -> None:
        """
        Args:
            waiting: how many pushes wait for the writer just now.
        """
        self._database = database
        self._waiting = waiting
        self._pushed_at = -_QUIET_S
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._aside: dict[tuple[str, str, int], float] = {}
        """Chains that could not be counted, and when to try again."""
        self._thread = threading.Thread(target=self._work, name="figures", daemon=True)

    def start(self) -> None:
        """Begin; what an earlier process left uncounted is counted at once."""
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        """Say that a push was committed. From any thread, at any time, cheap."""
        self._pushed_at = time.monotonic()
        self._woken.set()

    def close(self) -> None:
        """Finish the round under way and end; call it before the database is closed."""
        self._ended.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=10.0)

    def _work(self) -> None:
        wait_s = _LOOK_EVERY_S
        while not self._ended.is_set():
            self._woken.wait(wait_s)
            self._woken.clear()
            self._let_pushes_pass()
            try:
                wait_s = _LOOK_EVERY_S if self._count_all() else _AGAIN_S
            except (OperationalError, InterfaceError, TimeoutError) as error:
                logger.warning("figures are not counted now and tried again: %s", getattr(error, "orig", error))
                wait_s = 1.0

    def _let_pushes_pass(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while self._is_busy() and time.monotonic() < until and not self._ended.is_set():
            self._ended.wait(0.05)

    def _is_busy(self) -> bool:
        return self._waiting() > 0 or time.monotonic() - self._pushed_at < _QUIET_S

    def _count_all(self) -> bool:
        """False = something is left that cannot be counted just now."""
        while sites := _sites_behind(self._database):
            moved = 0
            for site in sites:
                started = time.monotonic()
                moved += self._count(site)
                if self._ended.is_set():
                    return True
                if self._is_busy():
                    self._ended.wait(time.monotonic() - started)
            if not moved:
                return False
        return True

    def _count(self, site_id: str) -> int:
        now = time.monotonic()
        self._aside = {place: until for place, until in self._aside.items() if until > now}
        try:
            return count_some(
                self._database, site_id, leave={place[1:] for place in self._aside if place[0] == site_id}
            )
        except (OperationalError, InterfaceError, TimeoutError):
            raise
        except Exception as error:
            logger.info("some entries cannot be counted: %r", error)
        return self._one_by_one(site_id)

    def _one_by_one(self, site_id: str) -> int:
        """Something in a chain cannot be counted: find out in which, leave it for now, and go on with the others."""
        moved = 0
        for chain in _chains_behind(self._database, site_id):
            if (site_id, *chain) in self._aside:
                continue
            try:
                moved += count_some(self._database, site_id, alone=chain)
            except (OperationalError, InterfaceError, TimeoutError):
                raise
            except Exception:
                logger.exception("entries of %s/%s are not counted: a defect", *chain)
                self._aside[site_id, *chain] = time.monotonic() + _ASIDE_S
        return moved

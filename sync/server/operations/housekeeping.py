"""What a server does for itself now and then: finish erasures, forget old tombstones, make next month's partitions,
read again what it was too old for.

Nothing here deletes what nobody asked to delete: letting go by age is ``station server tidy``, which IT runs by its own
timetable. Every worker may do it; each step may be done twice or not at all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from station.clock import Clock
from station.errors import StationError
from sync.server.feed import Feed
from sync.server.journal import Journal
from sync.server.operations.erasing import Eraser
from sync.server.photos import PhotoStore
from sync.server.rereading import read_again
from sync.server.storage import Database
from sync.server.storage.rows_operations import erasures

logger = logging.getLogger(__name__)

_FIRST_S: Final = 30.0
"""Not at once: a server that starts has benches waiting."""
_EVERY_S: Final = 3600.0


def keep_house(database: Database, store: PhotoStore, clock: Clock, journal: Journal | None = None) -> None:
    """Do everything once; a step that fails does not keep the others from being done.

    Args:
        journal: whose quarantine is read again; None = it is left alone.
    """
    now = clock.now()

    def finish_erasures() -> None:
        with database.reading() as connection:
            sites = set(connection.scalars(select(erasures.c.site_id).where(erasures.c.done_at.is_(None)).distinct()))
        for site in sorted(sites):
            Eraser(database, store).finish(site, now)

    def read_quarantine() -> None:
        if journal is not None:
            read_again(database, journal, now)

    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("reading the quarantine again", read_quarantine),
        ("finishing erasures", finish_erasures),
        ("forgetting tombstones", lambda: Feed(database).clear_tombstones(now)),
        ("making room for the next months", lambda: database.make_partitions(now)),
    )
    for what, step in steps:
        try:
            step()
        except (StationError, SQLAlchemyError) as error:
            logger.warning("%s did not work and is tried again later: %s", what, error)


class Housekeeping:
    """Keeps house on a thread until it is closed."""

    def __init__(
        self,
        database: Database,
        store: PhotoStore,
        clock: Clock,
        journal: Journal | None = None,
        *,
        first_s: float = _FIRST_S,
        every_s: float = _EVERY_S,
    ) -> None:
        self._ended = threading.Event()

        def work() -> None:
            wait_s = first_s
            while not self._ended.wait(wait_s):
                keep_house(database, store, clock, journal)
                wait_s = every_s

        self._thread = threading.Thread(target=work, name="housekeeping", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the step under way and end; call it before the database is closed. Again: nothing."""
        self._ended.set()
        self._thread.join(timeout=10.0)

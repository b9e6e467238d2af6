"""The store as the bench and the sync client see it: one object over the writer, the readers and the photos."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from station.clock import Clock
from station.errors import Defect, StoreFault
from station.ids import uuid7
from station.store import bench, schema
from station.store.ballast import Ballast
from station.store.bench_side import BenchSide
from station.store.directory import StoreDirectory
from station.store.durable import HomeLock, make_folder, sync_folder
from station.store.engine import Synchronous, faults, make_engine
from station.store.entries import head
from station.store.opening import Inspector, Opening, reverify
from station.store.photos import PhotoStore
from station.store.sync_side import SyncSide
from station.store.writer import Writer

logger = logging.getLogger(__name__)

DATABASE = "station.db"
PHOTOS = "photos"
BACKUPS = "backups"


@dataclass(frozen=True, slots=True)
class DiskState:
    """Whether there is room to take on more work."""

    accepts_parcels: bool
    """False = finish the parcel on the bench, open no new one."""
    free_bytes: int
    """Free on the disk, the reserve not counted."""
    text: str | None
    """What to do, for a person; None = nothing."""


class Store(BenchSide, SyncSide):
    """One station's store: opened and closed here, used from its two sides. Safe from any thread."""

    def __init__(
        self, home: Path, *, station: str, clock: Clock, ids: Callable[[], str], ballast_bytes: int,
        synchronous: Synchronous,
    ) -> None:  # fmt: skip
        """Use ``Store.open``."""
        super().__init__(station=station, clock=clock, ids=ids, photos=PhotoStore(home / PHOTOS))
        self._database = home / DATABASE
        self._synchronous: Synchronous = synchronous
        self._ballast = Ballast(home, ballast_bytes)
        self._lock = HomeLock(home)
        self.home = home

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        station: str,
        clock: Clock,
        ids: Callable[[], str] = uuid7,
        ballast_bytes: int = 64 << 20,
        synchronous: Synchronous = "FULL",
    ) -> Store:
        """Open a station's home, creating or migrating what is needed.

        Args:
            home: folder for database, photos and backups; made if absent.
            station: this bench's name; it is part of every entry's hash.
            clock: for the record; tests hold it still.
            ids: makes entry ids.
            ballast_bytes: room kept in reserve for a full disk; 0 = none.
            synchronous: FULL, always. NORMAL is for the test that shows what it loses.

        Raises:
            StoreFault: another program has it open, the disk failed, the file is damaged, not ours or from a newer
                program; the text says what to do.
        """
        if not station:
            raise Defect("a station needs a name")
        store = cls(home, station=station, clock=clock, ids=ids, ballast_bytes=ballast_bytes, synchronous=synchronous)
        try:
            make_folder(home)
            store._lock.acquire()
            try:
                store._open()
            except BaseException:
                store._lock.release()
                raise
        except OSError as error:
            raise StoreFault(
                f"the station's folder {str(home)!r} cannot be used: {error.strerror or error}. "
                "Check the disk and the folder's owner, or choose another --home."
            ) from error
        return store

    def _open(self) -> None:
        self._inspector = Inspector(self.home, self._database, self._clock)
        engine = self._writing_engine()
        try:
            self._inspector.look_at_wal(engine)
            migrated_from = schema.ensure(engine, self.home / BACKUPS, self._clock)
        finally:
            engine.dispose()
        if self._inspector.is_new:
            # SQLite flushes the file, but not the name of a new database.
            sync_folder(self.home)
        self._writer = Writer(
            self._writing_engine,
            self._ballast,
            on_reopened=self._on_reopened,
            on_closing=self._on_closing,
        )
        self._readers = make_engine(self._database, "reader")
        self.directory = StoreDirectory(self._readers)
        """What this station knows offline (``station.inspection.ports.Directory``)."""
        try:
            self._writer.start()
            self._inspector.forget_marker()
        except BaseException:
            self._writer.close()
            self._readers.dispose()
            raise
        self.opening = Opening(self._inspector.clean, migrated_from, self._inspector.doubt)
        """How the files were found."""

    def close(self) -> None:
        """Finish what is queued and leave a marker that everything is complete. Again: nothing."""
        if self._writer.is_closed:
            return
        complete = self._writer.close()
        self._readers.dispose()
        if complete:
            try:
                self._inspector.write_marker(self._head)
            except OSError as error:
                logger.warning("the store is closed, but its marker could not be written: %s", error)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def disk_state(self) -> DiskState:
        """Whether the bench may open new parcels."""
        free = self._ballast.free_bytes
        if self._writer.broken is not None:
            return DiskState(False, free, self._writer.broken)
        if self._writer.full:
            return DiskState(
                False,
                free,
                f"The disk is nearly full ({free >> 20} MB left). Finish this parcel, then call IT: "
                f"new parcels wait until {2 * self._ballast.size >> 20} MB are free.",
            )
        return DiskState(True, free, None)

    @property
    def quiet_s(self) -> float:
        """Seconds since the bench last recorded something."""
        return self._clock.monotonic() - self._recorded_at

    def sweep_orphans(
        self, *, older_than: timedelta = timedelta(hours=24), should_stop: Callable[[], bool] = lambda: False
    ) -> tuple[str, ...]:
        """Remove photo files that neither an entry nor a draft names; the names of the files removed."""

        def is_needed(sha256: str) -> bool:
            with self._reading("looking up a photo") as connection:
                return bench.photo_is_needed(connection, sha256)

        return self.photos.sweep(is_needed, older_than=older_than, should_stop=should_stop)

    def _writing_engine(self) -> sa.Engine:
        return make_engine(self._database, "writer", synchronous=self._synchronous)

    def _on_closing(self, connection: sa.Connection) -> None:
        with connection.begin():
            self._head = head(connection, self._head.generation)

    def _on_reopened(self, connection: sa.Connection) -> None:
        if self._head.generation:
            # The readers may hold pages from before the error.
            self._readers.dispose()
            reverify(connection, self._head.generation)
            generation = self._head.generation
        else:
            generation = self._inspector.settle(connection, self._station)
        with faults("reading the journal"), connection.begin():
            self._head = head(connection, generation)

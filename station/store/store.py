"""The store as the bench and the sync client see it: one object over the writer, the readers and the photos."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import msgspec
import sqlalchemy as sa

from station.canonical import canonical_json
from station.clock import Clock
from station.errors import Defect, InvalidInput, StoreFault
from station.ids import uuid7
from station.inspection.ports import RecentUnit, ShiftFigures
from station.journal.entry import GENESIS, Entry, Fact
from station.journal.seal import CountersignedHead
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from station.store import bench, deliveries, feed, imports, lineage, looks, schema
from station.store.ballast import Ballast
from station.store.directory import StoreDirectory
from station.store.durable import HomeLock, make_folder, sync_folder
from station.store.engine import Synchronous, faults, make_engine
from station.store.entries import ENTRY_COLUMNS, JOURNAL, Head, append, head
from station.store.feed import FeedChange, FeedEnd, FeedMark, FeedRecord, Taken
from station.store.forgetting import Forgotten, forget_unit
from station.store.imports import Counts
from station.store.looks import Looks, PastLook
from station.store.opening import Inspector, Opening, reverify
from station.store.outbox import Acknowledgement, Unsent
from station.store.photos import PhotoStore
from station.store.projection import project
from station.store.writer import Writer

if TYPE_CHECKING:
    from station.people import Lockouts

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

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


class Store:
    """Implements ``station.inspection.ports.BenchStore`` and ``station.store.outbox.Outbox``. Safe from any thread."""

    def __init__(
        self, home: Path, *, station: str, clock: Clock, ids: Callable[[], str], ballast_bytes: int,
        synchronous: Synchronous,
    ) -> None:  # fmt: skip
        """Use ``Store.open``."""
        self._station = station
        self._clock = clock
        self._ids = ids
        self._database = home / DATABASE
        self._synchronous: Synchronous = synchronous
        self._ballast = Ballast(home, ballast_bytes)
        self._lock = HomeLock(home)
        self._head = Head(0, 0, GENESIS)
        """Where the chain stands; the writer thread's own, generation 0 = not opened yet."""
        self._recorded_at = clock.monotonic()
        self._looks: Looks | None = None
        """The desk's own; read when it is first asked for."""
        self.home = home
        self.photos = PhotoStore(home / PHOTOS)
        """Photographs by hash; ``photos.keep`` is called from the camera's worker."""

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
    def station(self) -> str:
        """This bench's name, as it stands in every entry."""
        return self._station

    @property
    def generation(self) -> int:
        """The chain that is being continued."""
        return self._head.generation

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

    # The bench

    def commit(self, facts: Sequence[Fact], *, actor: str, drafts: Mapping[str, bytes | None]) -> tuple[Entry, ...]:
        """Write facts and drafts in one durable transaction (``BenchStore.commit``).

        Raises:
            StoreFault: disk full or broken; nothing of this call was written.
            Defect: a payload that is not canonical JSON or not what its kind promises; nothing was written.
        """
        facts, drafts = tuple(facts), dict(drafts)
        for fact in facts:
            _check_canonical(fact)
        made: list[tuple[Entry, ...]] = []

        def work(connection: sa.Connection) -> tuple[Entry, ...]:
            entries = append(
                connection,
                facts,
                behind=self._head,
                station=self._station,
                actor=actor,
                clock=self._clock,
                ids=self._ids,
            )
            try:
                for entry in entries:
                    project(connection, entry)
            except InvalidInput as error:
                raise Defect(str(error)) from error
            bench.write_drafts(connection, drafts)
            made.append(entries)
            return entries

        def landed(connection: sa.Connection) -> tuple[Entry, ...] | None:
            return made[-1] if made and _is_there(connection, made[-1], drafts) else None

        return self._writer.call(work, doing="saving", landed=landed, committed=self._advance)

    def draft(self, slot: str) -> bytes | None:
        """The bytes kept in a slot; None = empty."""
        with self._reading("reading a draft") as connection:
            return bench.draft(connection, slot)

    def slots(self, prefix: str) -> tuple[str, ...]:
        """Filled slots that begin with ``prefix``, oldest first."""
        with self._reading("reading drafts") as connection:
            return bench.slots(connection, prefix)

    def photo_like(self, bits: int, unit_id: str, at_most: int) -> str | None:
        """An earlier photo of another unit that looks the same (``BenchStore.photo_like``)."""
        return self._the_looks().alike(bits, unit_id, at_most)

    def remember_photo(self, sha256: str, unit_id: str, bits: int) -> None:
        """Keep what a photo looks like, for later comparisons."""
        look = PastLook(sha256, unit_id, bits)
        self._the_looks().remember(look)
        self._write(lambda connection: looks.write(connection, look), "remembering a photo")

    def _the_looks(self) -> Looks:
        if self._looks is None:
            with self._reading("reading what photos looked like") as connection:
                self._looks = Looks(connection)
        return self._looks

    def recent(self, limit: int) -> tuple[RecentUnit, ...]:
        """The last inspections that stand, newest first."""
        with self._reading("reading recent units") as connection:
            return bench.recent(connection, limit)

    def figures(self, since: datetime, now: datetime) -> ShiftFigures:
        """The bench's own pace from ``since`` to ``now``."""
        with self._reading("reading the bench's figures") as connection:
            return bench.figures(connection, since, now)

    # The directory

    def put_merchants(self, merchants: Iterable[Merchant]) -> Counts:
        """Add or replace merchants by id; importing twice changes nothing."""
        return imports.put_merchants(self._writer, merchants)

    def put_items(self, items: Iterable[CatalogueItem]) -> Counts:
        """Add or replace articles by merchant and SKU, streaming, one transaction per batch."""
        return imports.put_items(self._writer, items)

    def put_returns(self, returns: Iterable[ReturnAuthorisation]) -> Counts:
        """Add or replace returns by merchant and RMA code, streaming, one transaction per batch."""
        return imports.put_returns(self._writer, returns)

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

    # The chain (station.store.outbox.ChainStore)

    def hash_at(self, generation: int, seq: int) -> str | None:
        """The hash of one entry; None = it is not in this journal."""
        with self._reading("reading the chain") as connection:
            return lineage.hash_at(connection, generation, seq)

    def start_generation(self, *, reason: str, above: int) -> int:
        """Begin a new chain with an entry that says why; what is recorded from now on belongs to it.

        Raises:
            StoreFault: nothing was begun.
        """

        def work(connection: sa.Connection) -> tuple[Entry, ...]:
            return lineage.start_generation(
                connection, self._head, station=self._station, reason=reason, above=above, clock=self._clock,
                ids=self._ids,
            )  # fmt: skip

        entries = self._writer.call(work, doing="beginning a new generation", committed=self._advance)
        return entries[0].generation

    def countersigned(self) -> tuple[CountersignedHead, ...]:
        """The newest heads that the server signed for."""
        with self._reading("reading what the server signed") as connection:
            return lineage.countersigned(connection)

    def keep_countersigned(self, heads: Sequence[CountersignedHead]) -> None:
        """Keep what the server signed, durably."""
        heads = tuple(heads)
        self._write(lambda connection: lineage.keep_countersigned(connection, heads), "keeping what the server signed")

    def forget(self, unit_id: str) -> Forgotten:
        """Erase the content and the photos of a unit that the server has; hashes stay, the chain still verifies.

        Raises:
            OperatorError: nothing of it is here, or not all of it is at the server.
        """
        gone = self._writer.call(lambda connection: forget_unit(connection, unit_id), doing="forgetting a unit")
        for sha256 in gone.photos:
            self.photos.remove(sha256)
        return gone

    # The outbox (station.store.outbox.Outbox)

    def pending_entries(self, limit: int, max_bytes: int, after: tuple[int, int] | None = None) -> tuple[Entry, ...]:
        """The oldest unacknowledged entries behind ``after``, in order; at least one if any is pending."""
        with self._reading("reading the outbox") as connection:
            return deliveries.pending_entries(connection, limit, max_bytes, after)

    def acknowledge(self, answers: Sequence[Acknowledgement]) -> None:
        """Keep the server's answers, durably, in one transaction. Naming an entry twice changes nothing."""
        answers = tuple(answers)
        self._write(lambda connection: deliveries.acknowledge(connection, answers, self._clock.now()), "acknowledging")

    def at_server(self) -> Mapping[int, int]:
        """Generation → the last seq that the server said it holds."""
        with self._reading("reading the outbox") as connection:
            return deliveries.at_server(connection)

    def reopen(self, held: Mapping[int, int]) -> int:
        """Make pending again what a restored server no longer holds; how many entries that are."""
        return self._writer.call(lambda connection: deliveries.reopen(connection, held), doing="re-offering")

    def unsent(self) -> Unsent:
        """What the sync bar shows."""
        with self._reading("counting the outbox") as connection:
            return deliveries.unsent(connection)

    def photos_to_send(self, limit: int) -> tuple[str, ...]:
        """Hashes of photos named by acknowledged entries and not yet at the server, oldest first."""
        with self._reading("reading the outbox") as connection:
            return deliveries.photos_to_send(connection, limit)

    def photo_bytes(self, sha256: str) -> bytes:
        """The JPEG, checked against its name.

        Raises:
            StoreFault: gone or changed on disk; the text names the file.
        """
        return self.photos.read(sha256)

    def photo_sent(self, sha256: str) -> None:
        """Note that the server has a photo."""
        self._write(lambda connection: deliveries.photo_sent(connection, sha256, self._clock.now()), "noting a photo")

    def photo_lost(self, sha256: str, reason: str) -> None:
        """Note that a photo cannot be sent, so that it is reported and never retried for ever."""
        self._write(lambda connection: deliveries.photo_lost(connection, sha256, reason), "noting a photo")

    def sync_value(self, key: str) -> str | None:
        """A small value the sync client keeps; None = never set."""
        with self._reading("reading a setting") as connection:
            return deliveries.sync_value(connection, key)

    def set_sync_value(self, key: str, value: str) -> None:
        """Keep a small value of the sync client's, durably."""
        self._write(lambda connection: deliveries.set_sync_value(connection, key, value), "keeping a setting")

    # The feed (station.store.feed.FeedStore)

    def feed_mark(self, topic: str) -> FeedMark:
        """Where to go on with a topic."""
        with self._reading("reading the feed's mark") as connection:
            return feed.mark(connection, topic)

    def take_feed(
        self, topic: str, after: str | None, changes: Sequence[FeedChange], cursor: str, end: FeedEnd | None
    ) -> Taken:
        """Apply one page of the feed and its cursor, durably, in one transaction; a repeat has no effect."""
        return self._writer.call(
            lambda connection: feed.take(connection, topic, after, changes, cursor, end, self._clock.now()),
            doing="keeping what the centre told",
        )

    def refetch_feed(self, topic: str) -> None:
        """Begin to fetch a topic anew; what is in force stays until all of it is here."""
        self._write(lambda connection: feed.refetch(connection, topic), "beginning a topic anew")

    def feed_items(self, topic: str) -> tuple[FeedRecord, ...]:
        """What the centre told of a topic that has no tables of its own (policies, people, decisions …), by key."""
        with self._reading("reading what the centre told") as connection:
            return feed.records(connection, topic)

    def feed_item(self, topic: str, key: str) -> FeedRecord | None:
        """One such item; None = there is none."""
        with self._reading("reading what the centre told") as connection:
            return feed.record(connection, topic, key)

    # The people

    @property
    def lockouts(self) -> Lockouts:
        """Wrong PINs of the people here; each is on disk before the PIN is looked at."""
        from station.store.lockouts import StoreLockouts  # brings Argon2 along, which no start may wait for

        return StoreLockouts(self._writer, self._readers)

    def _write(self, work: Callable[[sa.Connection], None], doing: str) -> None:
        self._writer.call(work, doing=doing)

    def _reading(self, doing: str) -> AbstractContextManager[sa.Connection]:
        return _reading(self._readers, doing)

    def _writing_engine(self) -> sa.Engine:
        return make_engine(self._database, "writer", synchronous=self._synchronous)

    def _on_closing(self, connection: sa.Connection) -> None:
        with connection.begin():
            self._head = head(connection, self._head.generation)

    def _advance(self, entries: tuple[Entry, ...]) -> None:
        self._recorded_at = self._clock.monotonic()
        if entries:
            self._head = Head(entries[-1].generation, entries[-1].seq, entries[-1].hash)

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


@contextmanager
def _reading(engine: sa.Engine, doing: str) -> Iterator[sa.Connection]:
    with faults(doing), engine.connect() as connection, connection.begin():
        yield connection


def _check_canonical(fact: Fact) -> None:
    """The payload is kept, hashed and sent for ever: what is not canonical must not get in."""
    try:
        value = msgspec.json.decode(fact.payload)
    except msgspec.MsgspecError as error:
        raise Defect(f"payload of {fact.kind!r} is not JSON ({error}): {fact.payload[:80]!r}") from error
    try:
        is_canonical = canonical_json(value) == fact.payload
    except InvalidInput as error:
        raise Defect(f"payload of {fact.kind!r} cannot be kept: {error}") from error
    if not is_canonical:
        raise Defect(f"payload of {fact.kind!r} is not canonical JSON: {fact.payload[:80]!r}; use canonical_json")


def _is_there(connection: sa.Connection, entries: Sequence[Entry], drafts: Mapping[str, bytes | None]) -> bool:
    for entry in entries:
        row = connection.execute(sa.select(*ENTRY_COLUMNS).where(JOURNAL.c.id == entry.id)).one_or_none()
        if row is None or Entry(*row) != entry:
            return False
    return all(bench.draft(connection, slot) == body for slot, body in drafts.items())

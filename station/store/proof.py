"""Proving a store, and making its rows anew.

``verify`` changes nothing and may look at a store that another process has open. It recomputes every hash, reads every
photo, replays the journal into a scratch database and compares the rows. ``rebuild`` replays into the store itself, in
one transaction.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite

from station.clock import Clock
from station.errors import InvalidInput, StationError, StoreFault
from station.journal.chain import Flaw, Problem, check_link
from station.journal.entry import GENESIS, Entry
from station.journal.seal import is_countersigned
from station.store import lineage, schema
from station.store.durable import HomeLock
from station.store.engine import Trouble, checkpoint, faults, make_engine, translate, trouble
from station.store.entries import GENERATIONS, Head, all_entries
from station.store.photos import PhotoStore
from station.store.projection import project
from station.store.rows import PHOTO_LOCAL, PROJECTION, Row
from station.store.store import BACKUPS, DATABASE, PHOTOS
from station.store.wal import read_commits

Progress = Callable[[str, int], None]
"""Told what is being counted and how many of it are done."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was proven, and what is wrong."""

    ok: bool
    entries: int
    photos: int
    heads: tuple[Head, ...]
    """The last entry of each generation."""
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    """What could not be looked at, and why."""


@dataclass(frozen=True, slots=True)
class TableDifference:
    """How one table's rows differed from what the journal says."""

    table: str
    rows: int
    """Rows that the journal gives."""
    missing: int
    """Rows that should have been there and were not, or not like this."""
    extra: int
    """Rows that were there and should not have been, or not like this."""
    examples: tuple[str, ...]
    """Keys of some of them."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild found and made."""

    entries: int
    skipped: int
    """Entries of kinds this program does not know, and erased ones; they stay in the journal."""
    tables: tuple[TableDifference, ...]

    @property
    def changed(self) -> bool:
        """Whether the rows were not what the journal says."""
        return any(table.missing or table.extra for table in self.tables)


def _no_progress(_what: str, _done: int) -> None:
    pass


def verify(home: Path, *, progress: Progress = _no_progress) -> VerifyReport:
    """Check everything that is kept for ever; nothing is changed.

    Raises:
        StoreFault: there is no store, or it is none of ours.
    """
    database = _database(home)
    problems: list[Problem] = []
    notes: list[str] = []
    with contextlib.ExitStack() as stack:
        lock = HomeLock(home)
        try:
            lock.acquire()
            stack.callback(lock.release)
            wal = database.with_name(database.name + "-wal")
            commits = read_commits(wal)
            at_rest = not wal.exists() or wal.stat().st_size == 0
        except StoreFault:
            commits, at_rest = None, False
            notes.append("another process has the store open: its write-ahead log was read as it stands, not proven")
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="station-verify-"))) / "replay.db"
        replay = make_engine(scratch, "writer", synchronous="OFF")
        stack.callback(replay.dispose)
        with faults("making a scratch database"), replay.begin() as connection:
            Row.metadata.create_all(connection, tables=PROJECTION)
        engine = make_engine(database, "reader", read_only=True, at_rest=at_rest)
        stack.callback(engine.dispose)
        proof = _Proof(replay, PhotoStore(home / PHOTOS), problems, progress)
        try:
            with engine.connect() as connection:
                connection.connection.cursor().execute("SELECT count(*) FROM sqlite_schema").close()
                if commits is not None and (lost := commits.lost(checkpoint(connection, "NOOP").frames)):
                    problems.append(
                        Problem(Flaw.WAL, f"{lost} committed transactions in {database.name}-wal cannot be read back")
                    )
                _attach(connection, scratch, "replay")
                with connection.begin():
                    proof.run(connection)
        except (sa.exc.DBAPIError, sqlite.Error) as error:
            if trouble(error) is not Trouble.BROKEN:
                raise translate(error, "reading the database") from error
            problems.append(Problem(Flaw.FILE, f"{str(database)!r} cannot be read to its end: {_plainly(error)}"))
    return VerifyReport(not problems, proof.entries, proof.photos, tuple(proof.heads), tuple(problems), tuple(notes))


class _Proof:
    """One pass over one store."""

    def __init__(self, replay: sa.Engine, photos: PhotoStore, problems: list[Problem], progress: Progress) -> None:
        self._replay = replay
        self._photo_store = photos
        self._problems = problems
        self._progress = progress
        self.entries = 0
        self.photos = 0
        self.heads: list[Head] = []

    def run(self, connection: sa.Connection) -> None:
        """Check everything behind a reading connection that has the scratch database attached as ``replay``."""
        if (revision := schema.revision_of(connection)) != schema.HEAD:
            raise StoreFault(
                f"the database has schema {revision!r}, this program reads {schema.HEAD!r}: start the station once"
            )
        self._connection = connection
        self._check_pages()
        with self._replay.begin() as replay:
            self._check_entries(replay)
            self._check_photos(replay)
        self._check_acknowledgements()
        self._check_countersigned()
        self._compare_rows()

    def _check_pages(self) -> None:
        try:
            answers = self._connection.exec_driver_sql("PRAGMA main.integrity_check(20)").scalars().all()
        except sa.exc.DBAPIError as error:  # it may raise on a damaged page instead of reporting it
            answers = [str(error.orig)]
        self._problems += [Problem(Flaw.FILE, f"database file: {text}") for text in answers if text != "ok"]

    def _check_entries(self, replay: sa.Connection) -> None:
        entries = all_entries(self._connection, self._unreadable)
        for generation, chain in groupby(entries, key=lambda entry: entry.generation):
            last = Head(generation, 0, GENESIS)
            for entry in self._replayed(chain, replay):
                self._problems += check_link(entry, expected_seq=last.seq + 1, prev_hash=last.hash)
                last = Head(generation, entry.seq, entry.hash)
            self.heads.append(last)

    def _replayed(self, entries: Iterator[Entry], replay: sa.Connection) -> Iterator[Entry]:
        for entry in entries:
            self.entries += 1
            self._progress("entries", self.entries)
            yield entry
            try:
                with replay.begin_nested():
                    project(replay, entry)
            except (StationError, sa.exc.SQLAlchemyError) as error:
                text = f"entry {entry.generation}/{entry.seq}: its payload gives no rows: {error}"
                self._problems.append(Problem(Flaw.PAYLOAD, text, entry.generation, entry.seq))

    def _unreadable(self, position: int, error: Exception) -> None:
        self._problems.append(Problem(Flaw.UNREADABLE, f"the entry at position {position} cannot be read: {error}"))

    def _check_photos(self, replay: sa.Connection) -> None:
        rows = replay.exec_driver_sql("SELECT sha256, generation, seq FROM photos ORDER BY generation, seq, position")
        for sha256, generation, seq in rows:
            self.photos += 1
            self._progress("photos", self.photos)
            try:
                self._photo_store.read(sha256)
            except (StoreFault, InvalidInput) as error:
                self._problems.append(
                    Problem(Flaw.PHOTO, f"entry {generation}/{seq}: {error}", generation, seq, sha256)
                )

    def _check_acknowledgements(self) -> None:
        heads = {head.generation: head.seq for head in self.heads}
        marks = self._connection.execute(sa.select(GENERATIONS.c.generation, GENERATIONS.c.acked_through)).all()
        for generation, mark in marks:
            if mark > (seq := heads.get(generation, 0)):
                text = f"the server has entry {generation}/{mark}, but the journal ends at {seq}"
                self._problems.append(Problem(Flaw.ACKNOWLEDGED, text, generation, mark))

    def _check_countersigned(self) -> None:
        """What the server signed for must be here: a chain that was cut or made anew fits together, but not to this."""
        for signed in lineage.countersigned(self._connection):
            place = f"entry {signed.generation}/{signed.seq}"
            if not is_countersigned(signed):
                text = f"{place}: what is kept as the server's signature of {signed.at} is none: it was changed"
            elif (here := lineage.hash_at(self._connection, signed.generation, signed.seq)) is None:
                text = f"the server signed at {signed.at} that it has {place}, but it is not here: the end is missing"
            elif here != signed.hash:
                text = f"{place}: the server signed for another one at {signed.at}: this journal was made anew"
            else:
                continue
            self._problems.append(Problem(Flaw.COUNTERSIGNED, text, signed.generation, signed.seq))

    def _compare_rows(self) -> None:
        for table in PROJECTION:
            try:
                found = compare(self._connection, table, before="main", after="replay")
            except sa.exc.DBAPIError as error:
                self._problems.append(Problem(Flaw.ROWS, f"table {table.name} cannot be read: {error.orig}"))
                continue
            if found.missing or found.extra:
                text = (
                    f"table {table.name}: {found.missing} rows are missing or different and {found.extra} are not "
                    f"what the journal says ({', '.join(found.examples)}); run 'station journal rebuild'"
                )
                self._problems.append(Problem(Flaw.ROWS, text))


def compare(connection: sa.Connection, table: sa.Table, *, before: str, after: str) -> TableDifference:
    """Compare a projection table in two attached databases by value; the bench's own columns do not count."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns if column.name not in PHOTO_LOCAL)
    keys = [column.name for column in table.primary_key]
    old, new = (f'SELECT {columns} FROM {source}."{table.name}"' for source in (before, after))
    examples: dict[str, None] = {}
    counts = []
    for first, second in ((new, old), (old, new)):
        rows = connection.exec_driver_sql(f"{first} EXCEPT {second}").mappings()
        count = 0
        for row in rows:
            count += 1
            if len(examples) < 5:
                examples["/".join(str(row[key]) for key in keys)] = None
        counts.append(count)
    total = connection.exec_driver_sql(f'SELECT count(*) FROM {after}."{table.name}"').scalar_one()
    return TableDifference(table.name, total, counts[0], counts[1], tuple(examples))


def rebuild(home: Path, *, clock: Clock, progress: Progress = _no_progress) -> RebuildReport:
    """Make all projection rows anew from the journal, in one transaction.

    Raises:
        StoreFault: there is no store, another program has it open, the journal itself is damaged, or the disk failed;
            nothing was changed.
    """
    database = _database(home)
    with HomeLock(home), tempfile.TemporaryDirectory(prefix="station-rebuild-") as scratch:
        engine = make_engine(database, "writer")
        try:
            schema.ensure(engine, home / BACKUPS, clock)
            with faults("rebuilding the rows"), engine.connect() as connection:
                _attach(connection, Path(scratch) / "old.db", "old")
                with connection.begin():
                    return _rebuild(connection, progress)
        finally:
            engine.dispose()


def _rebuild(connection: sa.Connection, progress: Progress) -> RebuildReport:
    for table in PROJECTION:
        connection.exec_driver_sql(f'CREATE TABLE old."{table.name}" AS SELECT * FROM main."{table.name}"')
        connection.exec_driver_sql(f'DELETE FROM main."{table.name}"')
    count = skipped = 0
    for entry in _sound_entries(connection):
        count += 1
        progress("entries", count)
        skipped += not project(connection, entry)
    connection.exec_driver_sql("CREATE INDEX old.by_hash ON photos (sha256)")
    for name in PHOTO_LOCAL:
        connection.exec_driver_sql(
            f"UPDATE main.photos SET {name} = (SELECT {name} FROM old.photos AS o WHERE o.sha256 = main.photos.sha256)"
        )
    return RebuildReport(
        count, skipped, tuple(compare(connection, table, before="old", after="main") for table in PROJECTION)
    )


def _sound_entries(connection: sa.Connection) -> Iterator[Entry]:
    """All entries, as long as each one verifies: rows made from a damaged journal would look right."""
    generation, seq, prev_hash = 0, 0, GENESIS
    for entry in all_entries(connection, _refuse):
        if entry.generation != generation:
            generation, seq, prev_hash = entry.generation, 0, GENESIS
        for problem in check_link(entry, expected_seq=seq + 1, prev_hash=prev_hash):
            raise StoreFault(f"the journal is damaged: {problem.text}. Nothing was changed; restore a backup first")
        seq, prev_hash = entry.seq, entry.hash
        yield entry


def _refuse(position: int, error: Exception) -> None:
    raise StoreFault(
        f"the journal is damaged: the entry at position {position} cannot be read ({error}). Nothing was changed; "
        "restore a backup first"
    )


def _attach(connection: sa.Connection, path: Path, name: str) -> None:
    """Attach a scratch file; this must stand outside a transaction, so it goes past SQLAlchemy's begin."""
    connection.connection.cursor().execute(f"ATTACH DATABASE ? AS {name}", (str(path),)).close()


def _database(home: Path) -> Path:
    database = home / DATABASE
    if not database.is_file():
        raise StoreFault(f"there is no station in {str(home)!r} (no {DATABASE}); check --home")
    return database


def _plainly(error: Exception) -> str:
    """What SQLite said, without SQLAlchemy's wrapping."""
    original = error.orig if isinstance(error, sa.exc.StatementError) else error
    return str(original)

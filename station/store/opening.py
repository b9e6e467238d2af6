"""What is looked at when a store is opened, and what a doubt leads to.

After a clean close the marker ``closed.json`` holds the head; it is read and removed, and nothing else is checked.
Without it the last program was killed or the plug was pulled: the WAL's commits are counted, the end of the chain is
recomputed and SQLite checks its pages. Where entries are missing that may have reached the server, the old chain cannot
be continued honestly: a new generation begins, and the bench goes on working.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite

from station.clock import Clock
from station.errors import StoreFault
from station.journal.chain import check_link
from station.journal.entry import GENESIS
from station.store.durable import make_folder, sync_file, sync_folder, write_durably
from station.store.engine import checkpoint, faults
from station.store.entries import GENERATIONS, Head, begin_generation, head, last_generation, tail
from station.store.wal import WalCommits, read_commits

logger = logging.getLogger(__name__)

_TAIL = 200
"""Entries whose links are recomputed after an unclean end."""
_QUICK_CHECK_BYTES = 256 << 20
"""Largest file that SQLite checks before the bench may work (about 0.3 s); beyond it only the tail is looked at."""


class _Closed(msgspec.Struct, frozen=True):
    generation: int
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Opening:
    """How a store was found."""

    clean: bool
    """The last program closed it, or it is new."""
    migrated_from: str | None
    doubt: str | None
    """Why a new generation had to begin; None = the chain goes on."""


class Inspector:
    """Looks at the files before SQLite touches them, and at the head afterwards."""

    def __init__(self, home: Path, database: Path, clock: Clock) -> None:
        self._home = home
        self._database = database
        self._wal = database.with_name(database.name + "-wal")
        self._marker = home / "closed.json"
        self._clock = clock
        self.is_new = not database.exists()
        self._closed = self._read_marker()
        self.clean = self.is_new or self._closed is not None
        try:
            self._commits = WalCommits(()) if self.clean else read_commits(self._wal)
        except OSError as error:
            raise StoreFault(f"{str(self._wal)!r} cannot be read: {error.strerror or error}; call IT") from error
        self.doubt: str | None = None
        if self._closed is not None and self.is_new:
            self.doubt = "the database file was gone at start"

    def look_at_wal(self, engine: sa.Engine) -> None:
        """Compare the commits in the WAL with what SQLite recovers; keep a copy of a damaged WAL for IT."""
        if not self._commits.frames:
            return
        with faults("reading the write-ahead log"), engine.connect() as connection:
            # The first statement makes SQLite recover; NOOP then only counts.
            connection.connection.cursor().execute("SELECT count(*) FROM sqlite_schema").close()
            lost = self._commits.lost(checkpoint(connection, "NOOP").frames)
            if lost:
                self.doubt = f"{lost} committed transactions in the write-ahead log could not be read back"
                self._keep_copy()

    def settle(self, connection: sa.Connection, station: str) -> int:
        """Check the end of the chain and say which generation goes on; begin a new one where it must.

        Raises:
            StoreFault: the file is damaged where the journal ends.
        """
        with faults("reading the journal"), connection.begin():
            last = last_generation(connection)
            if last is not None:
                found = head(connection, last[0])
                self._compare_with_marker(found)
                self._compare_with_acknowledgements(connection, found)
                if not self.clean:
                    verify_tail(connection, last[0])
                    self._quick_check(connection)
            if self.doubt is not None:
                logger.warning(
                    "the journal of %s cannot be continued: %s; a new generation begins", station, self.doubt
                )
                reason = self.doubt
            elif last is None:
                reason = "new store"
            elif last[1] != station:
                reason = f"the station was named {last[1]!r} before"
            else:
                return last[0]
            return begin_generation(
                connection, station=station, reason=reason, now=self._now, above=self._lost_generation(last is None)
            )

    def _lost_generation(self, nothing_is_left: bool) -> int:
        """The highest generation that may have been used although the file does not know it."""
        if self._closed is not None:
            return self._closed.generation
        # The row of a generation is in the database file before its first entry (Writer), so at most the first is lost.
        return 1 if nothing_is_left and self.doubt is not None else 0

    def forget_marker(self) -> None:
        """From now on the store counts as open."""
        if self._closed is not None or self._marker.exists():
            self._marker.unlink(missing_ok=True)
            sync_folder(self._home)

    def write_marker(self, last: Head) -> None:
        """The store is closed and complete."""
        write_durably(self._marker, msgspec.json.encode(_Closed(last.generation, last.seq, last.hash)))

    @property
    def _now(self) -> datetime:
        return self._clock.now()

    def _read_marker(self) -> _Closed | None:
        try:
            return msgspec.json.decode(self._marker.read_bytes(), type=_Closed)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def _compare_with_marker(self, found: Head) -> None:
        closed = self._closed
        if closed is not None and (found.generation, found.seq, found.hash) != (
            closed.generation,
            closed.seq,
            closed.hash,
        ):
            self.doubt = (
                f"it was closed at entry {closed.generation}/{closed.seq} and now ends at "
                f"{found.generation}/{found.seq}: the file was replaced by another"
            )

    def _compare_with_acknowledgements(self, connection: sa.Connection, found: Head) -> None:
        acked = connection.execute(
            sa.select(GENERATIONS.c.acked_through).where(GENERATIONS.c.generation == found.generation)
        ).scalar_one()
        if acked > found.seq:
            self.doubt = f"the server has entry {found.generation}/{acked}, but the journal ends at {found.seq}"

    def _quick_check(self, connection: sa.Connection) -> None:
        if self._database.stat().st_size > _QUICK_CHECK_BYTES:
            logger.info("%s is too large for a full check at start; run 'station journal verify'", self._database)
            return
        answers = connection.exec_driver_sql("PRAGMA quick_check(5)").scalars().all()
        if answers != ["ok"]:
            raise StoreFault(
                f"{str(self._database)!r} is damaged: {'; '.join(answers)}. Nothing was changed. "
                "Run 'station journal verify', then restore the newest good backup."
            )

    def _keep_copy(self) -> None:
        folder = self._home / "damaged"
        target = folder / f"{self._wal.name}-{self._now:%Y%m%dT%H%M%S}"
        try:
            make_folder(folder)
            shutil.copyfile(self._wal, target)
            sync_file(target)
            sync_folder(folder)
        except OSError as error:
            logger.warning("the damaged write-ahead log could not be kept: %s", error)
        else:
            logger.warning("the damaged write-ahead log is kept at %s", target)


def verify_tail(connection: sa.Connection, generation: int) -> None:
    """Recompute the last links of a chain.

    Raises:
        StoreFault: one of them does not fit.
    """
    entries = tail(connection, generation, _TAIL)
    if not entries:
        return
    expected_seq = entries[0].seq
    prev_hash = GENESIS if expected_seq == 1 else entries[0].prev_hash
    for entry in entries:
        for problem in check_link(entry, expected_seq=expected_seq, prev_hash=prev_hash):
            raise StoreFault(
                f"the journal is damaged: {problem.text}. Nothing was changed. "
                "Run 'station journal verify', then restore the newest good backup."
            )
        expected_seq, prev_hash = entry.seq + 1, entry.hash


def reverify(connection: sa.Connection, generation: int) -> None:
    """After an I/O error: the reopened file must still hold a sound chain.

    Raises:
        StoreFault: it does not, or it cannot be read.
    """
    try:
        with faults("reading the journal again"), connection.begin():
            verify_tail(connection, generation)
    except sqlite.Error as error:
        raise StoreFault(f"the database cannot be read again: {error}") from error

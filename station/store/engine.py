"""SQLite through SQLAlchemy: which build, which settings, and what its errors mean to us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, Protocol, cast
from urllib.parse import quote

import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy.pool import ConnectionPoolEntry

from station.errors import Defect, StationError, StoreFault

APPLICATION_ID = 0x52535431
"""``RST1`` in the file's header: this is a station's database and no other program's."""

_OLDEST_SAFE = (3, 51, 3)
"""SQLite 3.7.0 … 3.51.2 can corrupt a WAL database when a reset races a commit (SYNC.md §2.1)."""

_COMMON = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA temp_store=MEMORY",
    # REPLACE must not delete journal rows behind the back of their trigger.
    "PRAGMA recursive_triggers=ON",
    # Every checkpoint is the writer's, at a moment it chooses.
    "PRAGMA wal_autocheckpoint=0",
)
_WRITER = ("PRAGMA journal_mode=WAL", "PRAGMA journal_size_limit=67108864", "PRAGMA cache_size=-32768")
_READER = ("PRAGMA query_only=ON", "PRAGMA cache_size=-8192")


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...
    def close(self) -> None: ...


class _RawConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


Role = Literal["writer", "reader"]
Synchronous = Literal["FULL", "NORMAL", "OFF"]


def make_engine(
    path: Path, role: Role, *, synchronous: Synchronous = "FULL", read_only: bool = False, at_rest: bool = False
) -> sa.Engine:
    """An engine for one database file.

    Args:
        path: the database file.
        role: the writer creates the file and begins every transaction IMMEDIATE; a reader is query-only.
        synchronous: FULL. NORMAL loses acknowledged rows at a power cut and exists for the test that proves it; OFF is
            for scratch files.
        read_only: open the file itself read-only, for looking at a store that another process has open.
        at_rest: nobody has it open and it has no WAL: read it without making the files that come with one.

    Raises:
        StoreFault: the SQLite build has the WAL-reset bug.
    """
    if sqlite.sqlite_version_info < _OLDEST_SAFE:
        raise StoreFault(
            f"SQLite {sqlite.sqlite_version} can corrupt the journal; 3.51.3 or newer is needed. "
            "Is pysqlite3-binary installed? It overwrites pysqlite3: remove it and reinstall pysqlite3."
        )
    if read_only:
        engine = sa.create_engine(
            f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true{'&immutable=1' if at_rest else ''}", module=sqlite
        )
    else:
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), module=sqlite, max_overflow=20)
    settings = _COMMON + (_READER if role == "reader" else (*_WRITER, f"PRAGMA synchronous={synchronous}"))
    begin = "BEGIN" if role == "reader" else "BEGIN IMMEDIATE"

    @sa.event.listens_for(engine, "connect")
    def on_connect(raw: _RawConnection, _record: ConnectionPoolEntry) -> None:
        raw.isolation_level = None  # we begin transactions ourselves, below
        cursor = raw.cursor()
        for statement in settings:
            cursor.execute(statement)
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        # Straight to the driver: SQLAlchemy's way costs ten times the statement itself, at every look-up and commit.
        connection.connection.cursor().execute(begin).close()

    return engine


@dataclass(frozen=True, slots=True)
class WalState:
    """How far the WAL has been folded into the database."""

    frames: int
    """Frames that SQLite finds valid in the WAL; the file may be longer, for its space is used again."""
    folded: int
    """Frames of them that are in the database file as well."""


def checkpoint(connection: sa.Connection, mode: Literal["NOOP", "PASSIVE", "TRUNCATE"]) -> WalState:
    """Fold the WAL into the database; NOOP only looks.

    A checkpoint must stand outside every transaction, so it goes past SQLAlchemy, which would begin one.

    Raises:
        sqlite.Error: the disk failed.
    """
    cursor = connection.connection.cursor()
    try:
        cursor.execute(f"PRAGMA wal_checkpoint({mode})")
        row = cursor.fetchone()
    finally:
        cursor.close()
    _, frames, folded = row or (0, 0, 0)
    return WalState(max(0, int(frames)), max(0, int(folded)))


class Trouble(Enum):
    """What a failed statement says about the disk."""

    FULL = "full"
    BROKEN = "broken"
    OTHER = "other"


_FULL = 13
_BROKEN = {10, 11, 14, 23, 26}
"""IOERR, CORRUPT, CANTOPEN, AUTH, NOTADB."""


def trouble(error: BaseException) -> Trouble:
    """Sort an error that came out of SQLAlchemy."""
    original = error.orig if isinstance(error, sa.exc.StatementError) else error
    code = cast("int | None", getattr(original, "sqlite_errorcode", None))
    if code is None:
        # "file is encrypted or is not a database" comes with a code; an error without one is ours.
        return Trouble.BROKEN if isinstance(original, OSError) else Trouble.OTHER
    primary = code & 0xFF
    return Trouble.FULL if primary == _FULL else Trouble.BROKEN if primary in _BROKEN else Trouble.OTHER


@contextmanager
def faults(doing: str) -> Iterator[None]:
    """Turn a database error into ours.

    Args:
        doing: what was being done, for the message, e.g. ``reading the directory``.

    Raises:
        StoreFault: the disk or the file.
        Defect: anything else the database refuses.
    """
    try:
        yield
    except StationError:
        raise
    except (sa.exc.SQLAlchemyError, sqlite.Error) as error:
        raise translate(error, doing) from error


def translate(error: Exception, doing: str) -> StationError:
    """Our error for one of SQLAlchemy's or SQLite's."""
    original = error.orig if isinstance(error, sa.exc.StatementError) else error
    if isinstance(original, StationError):
        return original
    match trouble(error):
        case Trouble.FULL:
            return StoreFault(f"{doing} failed: the disk is full. Free some space, then try again; nothing was lost.")
        case Trouble.BROKEN:
            return StoreFault(
                f"{doing} failed: {original!r}. Try again; if it stays, call IT and run 'station journal verify'."
            )
        case Trouble.OTHER:
            return Defect(f"{doing} failed: {original!r}")

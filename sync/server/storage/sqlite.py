"""The embedded database: one file in WAL with FULL, written by one connection at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import IO, Any, Protocol

import msgspec
import pysqlite3
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Insert,
    Table,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL

from station.errors import EnvironmentFault, StoreFault
from sync.server.storage.database import HEAD, Database, NewInsert, Rows


class _RawConnection(Protocol):
    isolation_level: str | None

    def execute(self, sql: str) -> object: ...


class _Bulk:
    """An insert of all columns of a table, ready for the driver."""

    def __init__(self, statement: Insert, table: Table, dialect: Dialect) -> None:
        self.sql = str(statement.compile(dialect=dialect, column_keys=[column.name for column in table.columns]))
        # of the dialect's own type: the general one writes a time in another form, and texts are compared
        self._columns = [
            (column.name, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in table.columns
        ]

    def parameters(self, rows: Rows) -> list[tuple[object, ...]]:
        """Tuples in the order of the statement, each value as the driver takes it."""
        columns = [
            [row[name] for row in rows] if process is None else [process(row[name]) for row in rows]
            for name, process in self._columns
        ]
        return list(zip(*columns, strict=True))


class SqliteDatabase(Database):
    """One file, one server process."""

    writers = 1
    shared = False
    unique_places = True

    def __init__(self, url: URL, *, beside_server: bool = False) -> None:
        """Open, lock, migrate. Usable when this returns.

        Args:
            beside_server: a server has it open and holds the lock; only for a few short transactions.

        Raises:
            EnvironmentFault: another server uses this database.
            StoreFault: the file cannot be opened, is damaged, or is newer than this program.
        """
        assert url.database is not None
        self.path = Path(url.database)
        self.name = repr(str(self.path))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = None if beside_server else _take_lock(self.path.with_name(self.path.name + ".lock"))
        self._writing = Lock()
        self._bulk: dict[str, _Bulk] = {}
        self._engine = _engine(url)
        self._prepare()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._writing, super().writing() as connection:
            yield connection

    def insert_if_all_new(self, connection: Connection, table: Table, rows: Rows) -> bool:
        attempt = connection.begin_nested()
        if self._insert_some(connection, table, rows) == len(rows):
            attempt.commit()
            return True
        attempt.rollback()
        return False

    def _insert_some(self, connection: Connection, table: Table, rows: Rows) -> int:
        # The statement is compiled once per table and the driver is given plain tuples: with 100 rows this takes a
        # third of the time of the same statement through SQLAlchemy's parameter processing.
        bulk = self._bulk.get(table.name)
        if bulk is None:
            bulk = self._bulk[table.name] = _Bulk(self.insert_new(table), table, self._engine.dialect)
        return connection.exec_driver_sql(bulk.sql, bulk.parameters(rows)).rowcount

    def insert_all(self, connection: Connection, table: Table, rows: Rows) -> int:
        return self._insert_some(connection, table, rows)

    def insert_new(self, table: Table) -> NewInsert:
        return sqlite.insert(table).on_conflict_do_nothing()

    def among(self, column: Column[str], values: Collection[str]) -> ColumnElement[bool]:
        given = func.json_each(msgspec.json.encode(list(values)).decode()).table_valued("value")
        return column.in_(select(given.c.value))

    def close(self) -> None:
        super().close()
        if self._lock_file is not None:
            self._lock_file.close()

    def _reading_options(self) -> dict[str, Any]:
        return {"reading": True}

    def make_partitions(self, now: datetime) -> None:
        """SQLite has none."""

    def _lock_schema(self, connection: Connection) -> None:
        """The lock file says that nobody else is here; without it the schema must be right already."""
        if self._lock_file is None and self._revision(connection) != HEAD:
            raise StoreFault(f"{self.name} is open in a server of another version; stop that first")

    def _has_table(self, connection: Connection, name: str) -> bool:
        return connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).first() is not None


def _engine(url: URL) -> Engine:
    engine = create_engine(url, module=pysqlite3, pool_size=8, connect_args={"timeout": 10, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connected(raw: _RawConnection, _record: object) -> None:
        raw.isolation_level = None  # the driver must not begin or commit by itself
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # NORMAL loses acknowledged commits in a power cut (SYNC.md §2.2)
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "trusted_schema=OFF",
            "cell_size_check=ON",
            "journal_size_limit=67108864",
            "cache_size=-32000",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _take_lock(path: Path) -> IO[str]:
    """Hold an operating-system lock for as long as the file is open; a killed process leaves none behind."""
    handle = path.open("a+")
    try:
        _lock(handle)
    except OSError as error:
        handle.close()
        database = str(path.with_suffix(""))
        raise EnvironmentFault(
            f"another server already uses the database {database!r}; stop it first, or give another --database"
        ) from error
    return handle


try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    def _lock(handle: IO[str]) -> None:
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:

    def _lock(handle: IO[str]) -> None:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

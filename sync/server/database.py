"""The central database: engine, transactions, migrations. SQLite embedded; PostgreSQL comes through the same doors."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, Final, Protocol, cast

import pysqlite3
from sqlalchemy import Connection, Dialect, Engine, Insert, Table, create_engine, event, make_url, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from station.errors import EnvironmentFault, InvalidInput, StoreFault
from sync.server.rows import server_facts

logger = logging.getLogger(__name__)

HEAD: Final = "0001"
"""The newest revision under ``migrations/versions``; a test compares."""

_SITE: Final = "main"


class _RawConnection(Protocol):
    isolation_level: str | None

    def execute(self, sql: str) -> object: ...


def database_url(text: str) -> URL:
    """Read ``--database``.

    Raises:
        InvalidInput: not a URL, or a database that this version cannot use.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise InvalidInput(
            f"--database {text!r} is not a URL: expected e.g. sqlite:////var/lib/station/server.sqlite3"
        ) from error
    if url.drivername.startswith("postgresql"):
        raise InvalidInput(
            "--database: PostgreSQL comes with the next release of the server; use sqlite:///… until then"
        )
    if url.drivername != "sqlite":
        raise InvalidInput(f"--database: {url.drivername!r} is not supported; expected sqlite:///PATH")
    if not url.database or url.database == ":memory:":
        raise InvalidInput(f"--database {text!r} names no file: expected sqlite:///PATH")
    return url


class _Bulk:
    """An insert of all columns of a table, ready for the driver."""

    def __init__(self, statement: Insert, table: Table, dialect: Dialect) -> None:
        self.sql = str(statement.compile(dialect=dialect, column_keys=[column.name for column in table.columns]))
        self._columns = [(column.name, column.type.bind_processor(dialect)) for column in table.columns]

    def parameters(self, rows: Sequence[Mapping[str, object]]) -> list[tuple[object, ...]]:
        """Tuples in the order of the statement, each value as the driver takes it."""
        columns = [
            [row[name] for row in rows] if process is None else [process(row[name]) for row in rows]
            for name, process in self._columns
        ]
        return list(zip(*columns, strict=True))


class Database:
    """One SQLite file in WAL with FULL, written by one connection at a time."""

    def __init__(self, url: URL) -> None:
        """Open, lock, migrate. Usable when this returns.

        Raises:
            EnvironmentFault: another server uses this database.
            StoreFault: the file cannot be opened, is damaged, or is newer than this program.
        """
        assert url.database is not None
        self.path = Path(url.database)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = _take_lock(self.path.with_name(self.path.name + ".lock"))
        self._writing = Lock()
        self._bulk: dict[str, _Bulk] = {}
        self._engine = _engine(url)
        try:
            self._migrate()
            self.epoch = self._epoch()
        except StoreFault:
            self.close()
            raise
        except DBAPIError as error:
            self.close()
            raise StoreFault(f"the server's database {str(self.path)!r} cannot be used: {error.orig}") from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that commits when the block ends and rolls back when it raises; durable on return."""
        with self._writing, self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; writes are refused."""
        with self._engine.connect().execution_options(reading=True) as connection, connection.begin():
            yield connection

    def insert_all(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> int:
        """``insert … on conflict do nothing`` of many rows, and how many of them were new.

        The statement is compiled once per table and the driver is given plain tuples: with 100 rows this takes a third
        of the time of the same statement through SQLAlchemy's parameter processing.
        """
        bulk = self._bulk.get(table.name)
        if bulk is None:
            bulk = self._bulk[table.name] = _Bulk(self.insert_new(table), table, self._engine.dialect)
        return connection.exec_driver_sql(bulk.sql, bulk.parameters(rows)).rowcount

    def insert_new(self, table: Table) -> Insert:
        """``insert … on conflict do nothing``, the statement that exactly-once rests on.

        Both databases spell it alike; SQLAlchemy has it per dialect.
        """
        return sqlite.insert(table).on_conflict_do_nothing()

    def close(self) -> None:
        self._engine.dispose()
        self._lock_file.close()

    def _migrate(self) -> None:
        with self.writing() as connection:
            if _revision(connection) != HEAD:
                # Imported only when there is something to do: Alembic costs a third of the start.
                from sync.server.migrations.runner import upgrade

                upgrade(connection)
                logger.info("database migrated", extra={"revision": HEAD})

    def _epoch(self) -> str:
        query = select(server_facts.c.value).where(server_facts.c.site_id == _SITE, server_facts.c.name == "epoch")
        with self.writing() as connection:
            found = connection.scalar(query)
            if found is None:
                found = secrets.token_hex(16)
                connection.execute(server_facts.insert(), {"site_id": _SITE, "name": "epoch", "value": found})
        return cast(str, found)


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


def _revision(connection: Connection) -> str | None:
    known = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").first()
    if known is None:
        return None
    return cast("str | None", connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


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

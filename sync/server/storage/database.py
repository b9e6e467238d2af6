"""What both databases can do, and the choice between them."""

from __future__ import annotations

import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from station.errors import EnvironmentFault, InvalidInput, StoreFault
from sync.server.storage.rows import server_facts

logger = logging.getLogger(__name__)

HEAD: Final = "0013"
"""The newest revision under ``migrations/versions``; a test compares."""

_SITE: Final = "main"

Rows: TypeAlias = Sequence[Mapping[str, object]]
NewInsert: TypeAlias = "sqlite.Insert | postgresql.Insert"
"""An insert that knows ``on conflict``; both databases spell it alike, SQLAlchemy has it per dialect."""


def database_url(text: str) -> URL:
    """Read ``--database``.

    Raises:
        InvalidInput: not a URL, or a database that this program cannot use.

    >>> database_url("postgresql://station@db/returns").drivername
    'postgresql+psycopg'
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise InvalidInput(
            f"--database {text!r} is not a URL: expected e.g. sqlite:////var/lib/station/server.sqlite3 "
            "or postgresql://USER@HOST/NAME"
        ) from error
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        if not url.database:
            raise InvalidInput(f"--database {url.render_as_string()!r} names no database: expected …/NAME")
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite":
        raise InvalidInput(
            f"--database: {url.drivername!r} is not supported; expected sqlite:///PATH or postgresql://USER@HOST/NAME"
        )
    if not url.database or url.database == ":memory:":
        raise InvalidInput(f"--database {text!r} names no file: expected sqlite:///PATH")
    return url


def open_beside(url: URL) -> Database:
    """As :func:`open_database`, for a short command of IT's: also while a server has it open.

    Raises:
        EnvironmentFault: PostgreSQL cannot be reached.
        StoreFault: as there, or a server of another version has it open.
    """
    try:
        return open_database(url)
    except EnvironmentFault:
        if url.drivername != "sqlite":
            raise
        from sync.server.storage.sqlite import SqliteDatabase

        return SqliteDatabase(url, beside_server=True)


def open_database(url: URL) -> Database:
    """Open, migrate if needed, and make it usable.

    Raises:
        EnvironmentFault: another server uses this SQLite file, or PostgreSQL cannot be reached.
        StoreFault: the database is damaged, or newer than this program.
    """
    if url.drivername == "sqlite":
        from sync.server.storage.sqlite import SqliteDatabase

        return SqliteDatabase(url)
    from sync.server.storage.postgres import PostgresDatabase

    return PostgresDatabase(url)


class Database(ABC):
    """One central database. Thread-safe."""

    name: str
    """For people and logs; no password."""
    writers: int
    """How many may write at once in this process."""
    shared: bool
    """Several server processes may use it at the same time."""
    unique_places: bool
    """A constraint keeps (station, generation, seq) unique."""
    epoch: str
    """Another one after every restore from a backup."""
    _engine: Engine

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that commits when the block ends and rolls back when it raises; durable on return."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; writes are refused."""
        with self._engine.connect().execution_options(**self._reading_options()) as connection, connection.begin():
            yield connection

    def insert_all(self, connection: Connection, table: Table, rows: Rows) -> int:
        """``insert … on conflict do nothing`` of many rows of all columns, and how many of them were new."""
        return (
            len(rows) if self.insert_if_all_new(connection, table, rows) else self._insert_some(connection, table, rows)
        )

    @abstractmethod
    def insert_if_all_new(self, connection: Connection, table: Table, rows: Rows) -> bool:
        """Insert many rows of all columns, or none of them: False = at least one is there already."""

    @abstractmethod
    def insert_new(self, table: Table) -> NewInsert:
        """``insert … on conflict do nothing``, the statement that exactly-once rests on."""

    @abstractmethod
    def among(self, column: Column[str], values: Collection[str]) -> ColumnElement[bool]:
        """``column IN (values)`` with all values as one parameter: a statement that is always the same text."""

    @abstractmethod
    def make_partitions(self, now: datetime) -> None:
        """Make the partitions of this month and the next ones, where the database has any."""

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections of this process are in use, and how many are open."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout(), pool.checkedout() + pool.checkedin()

    def close(self) -> None:
        self._engine.dispose()

    @abstractmethod
    def _insert_some(self, connection: Connection, table: Table, rows: Rows) -> int:
        """As ``insert_all``, when some are known to be there."""

    @abstractmethod
    def _reading_options(self) -> dict[str, Any]:
        """Execution options of a connection that only reads."""

    @abstractmethod
    def _has_table(self, connection: Connection, name: str) -> bool: ...

    def _prepare(self) -> None:
        """Bring the schema up to date and read the epoch, under the database's own lock.

        Raises:
            StoreFault: the database cannot be used.
        """
        try:
            with self.writing() as connection:
                self._lock_schema(connection)
                self._migrate(connection)
                self.epoch = self._epoch(connection)
        except StoreFault:
            self.close()
            raise
        except DBAPIError as error:
            self.close()
            raise StoreFault(f"the server's database {self.name} cannot be used: {error.orig}") from error

    @abstractmethod
    def _lock_schema(self, connection: Connection) -> None:
        """Let one process migrate at a time."""

    def _migrate(self, connection: Connection) -> None:
        if self._revision(connection) != HEAD:
            # Imported only when there is something to do: Alembic costs a third of the start.
            from sync.server.storage.migrations.runner import upgrade

            upgrade(connection)
            logger.info("database migrated", extra={"revision": HEAD})

    def _revision(self, connection: Connection) -> str | None:
        if not self._has_table(connection, "alembic_version"):
            return None
        found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return found

    def _epoch(self, connection: Connection) -> str:
        query = select(server_facts.c.value).where(server_facts.c.site_id == _SITE, server_facts.c.name == "epoch")
        found: str | None = connection.scalar(query)
        if found is None:
            found = secrets.token_hex(16)
            connection.execute(server_facts.insert(), {"site_id": _SITE, "name": "epoch", "value": found})
        return found

"""The production database: PostgreSQL 14 or newer through psycopg 3; any number of workers.

Source: PostgreSQL documentation, "COPY", "Table Partitioning", "Advisory Locks"; psycopg 3 documentation, "Using COPY".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    any_,
    create_engine,
    event,
    literal,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from station.errors import EnvironmentFault
from sync.server.storage.database import Database, NewInsert, Rows
from sync.server.storage.rows import UtcDateTime

_SCHEMA_LOCK: Final = 0x5E70_57A7
"""Key of the advisory lock under which one process migrates."""
LOCK_WAIT_S = 5.0
"""One lock that somebody holds must not take all our writers one by one: the bench asks again, well within its own
patience of 15 s."""
_IDLE_IN_TRANSACTION_S: Final = 60
_DEAD_LINE: Final = {
    "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000,
}  # fmt: skip
"""A database host that vanished without a word (a failover) is noticed in seconds instead of two hours.

Source: PostgreSQL documentation, "Parameter Key Words" of libpq.
"""
_MONTHS_AHEAD: Final = 2
MONTHLY: Final = {"entries": "id"}
"""Partitioned tables and the UUIDv7 column that says the month."""


_TYPES: Final = {
    BigInteger: "int8",
    Integer: "int4",
    LargeBinary: "bytea",
    UtcDateTime: "timestamptz",
    Boolean: "bool",
    Text: "text",
    String: "varchar",
}
"""Our column types in PostgreSQL's binary COPY, which takes no other than exactly the column's."""


@dataclass(frozen=True, slots=True)
class _Bulk:
    """A binary COPY of all columns of a table."""

    statement: sql.Composed
    values: itemgetter[Any]
    """Of a row, in the order of the columns."""
    types: tuple[str, ...]


def _bulk(table: Table) -> _Bulk:
    names = tuple(column.name for column in table.columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    return _Bulk(statement, itemgetter(*names), tuple(_TYPES[type(column.type)] for column in table.columns))


class PostgresDatabase(Database):
    """One database, shared by all workers."""

    shared = True
    unique_places = False

    def __init__(self, url: URL, *, writers: int = 4) -> None:
        """Connect and migrate. Usable when this returns.

        Args:
            writers: transactions that this process runs at the same time.

        Raises:
            EnvironmentFault: it cannot be reached, or does not let us in.
            StoreFault: the schema is newer than this program.
        """
        self.name = url.render_as_string(hide_password=True)
        self.writers = writers
        self._bulks: dict[str, _Bulk] = {}
        self._engine = create_engine(
            url,
            pool_size=writers + 4,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5, "application_name": "returns-station", **_DEAD_LINE},
        )
        event.listen(self._engine, "connect", _limit_waits)
        try:
            self._engine.connect().close()
        except OperationalError as error:
            self.close()
            raise EnvironmentFault(
                f"PostgreSQL at {self.name} cannot be used: {_first_line(error.orig)}. "
                "Is it running, and are user, password and database right?"
            ) from error
        self._prepare()
        self.make_partitions(datetime.now(UTC))

    def make_partitions(self, now: datetime) -> None:
        """Make this month's partitions and the next ones, if they are not there yet. Cheap; safe beside other workers.

        Rows of a month that had no partition in time lie in the default one; PostgreSQL then refuses the partition, and
        they stay where they are.
        """
        with self.writing() as connection:
            self._lock_schema(connection)
            for table in MONTHLY:
                for first, after in _months(now, _MONTHS_AHEAD):
                    name = f"{table}_{first:%Y_%m}"
                    if self._has_table(connection, name):
                        continue
                    attempt = connection.begin_nested()
                    try:
                        connection.exec_driver_sql(
                            f"CREATE TABLE {name} PARTITION OF {table} "
                            f"FOR VALUES FROM ('{_id_from(first)}') TO ('{_id_from(after)}')"
                        )
                    except Exception as error:
                        attempt.rollback()
                        if not isinstance(getattr(error, "orig", None), psycopg.errors.CheckViolation):
                            raise
                    else:
                        attempt.commit()

    def insert_if_all_new(self, connection: Connection, table: Table, rows: Rows) -> bool:
        if not rows:
            return True
        bulk = self._bulks.get(table.name)
        if bulk is None:
            bulk = self._bulks[table.name] = _bulk(table)
        cursor = self._raw(connection).cursor()
        with _as_of_the_driver(f"COPY {table.name}"):
            cursor.execute("SAVEPOINT bulk")
            try:
                with cursor.copy(bulk.statement) as copy:
                    copy.set_types(bulk.types)
                    for values in map(bulk.values, rows):
                        copy.write_row(values)
            except psycopg.errors.UniqueViolation:
                cursor.execute("ROLLBACK TO SAVEPOINT bulk")
                return False
            cursor.execute("RELEASE SAVEPOINT bulk")
        return True

    def _insert_some(self, connection: Connection, table: Table, rows: Rows) -> int:
        names = [column.name for column in table.columns]
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
            sql.Identifier(table.name),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(sql.Placeholder() * len(names)),
        )
        cursor = self._raw(connection).cursor()
        # in the order of the key: two workers that insert the same rows must not wait for each other (SYNC.md R4)
        key = [column.name for column in table.primary_key.columns]
        ordered = sorted(rows, key=lambda row: tuple(str(row[name]) for name in key))
        with _as_of_the_driver(f"INSERT {table.name}"):
            cursor.executemany(statement, [[row[name] for name in names] for row in ordered])
        return cursor.rowcount

    def insert_new(self, table: Table) -> NewInsert:
        return postgresql.insert(table).on_conflict_do_nothing()

    def among(self, column: Column[str], values: Collection[str]) -> ColumnElement[bool]:
        return column == any_(literal(list(values), ARRAY(column.type)))

    @staticmethod
    def _raw(connection: Connection) -> psycopg.Connection[Any]:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        return raw

    def _reading_options(self) -> dict[str, Any]:
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    def _has_table(self, connection: Connection, name: str) -> bool:
        return connection.exec_driver_sql("SELECT to_regclass(%s)", (name,)).scalar() is not None

    def _lock_schema(self, connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # another process may migrate for as long as it takes
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")


@contextmanager
def _as_of_the_driver(statement: str) -> Iterator[None]:
    """Statements that go past SQLAlchemy raise what all others raise: 503 or 500 is decided by the kind of error."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error) from error


def _limit_waits(raw: psycopg.Connection[Any], _record: object) -> None:
    raw.execute(f"SET lock_timeout = {int(LOCK_WAIT_S * 1000)}")
    raw.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_IN_TRANSACTION_S}s'")
    raw.commit()


def _first_line(error: BaseException | None) -> str:
    return re.sub(r"\s+", " ", str(error)).strip()


def _months(now: datetime, ahead: int) -> list[tuple[datetime, datetime]]:
    """This month and the next ones, each as its first moment and the first one after it.

    >>> [f"{first:%Y-%m}" for first, _ in _months(datetime(2026, 11, 23, tzinfo=UTC), 2)]
    ['2026-11', '2026-12', '2027-01']
    """
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = []
    for _ in range(ahead + 1):
        after = (first + timedelta(days=32)).replace(day=1)
        found.append((first, after))
        first = after
    return found


def _id_from(moment: datetime) -> str:
    """The smallest text of a UUIDv7 of this moment. Source: RFC 9562 §5.7.

    >>> _id_from(datetime(2026, 11, 1, tzinfo=UTC))
    '01a19467-e800-'
    """
    stamp = f"{int(moment.timestamp() * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-"

"""Write changes into the cells: one statement per table, rows in the order of their keys.

Raw SQL, built once per table: with a hundred columns SQLAlchemy's parameters would cost more than the database. On
PostgreSQL all rows of a push go in one statement as arrays, one array per column; on SQLite row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import psycopg
from sqlalchemy import BigInteger, Connection, Integer, Table

from sync.server.figures.counting import ONLY_MONTHS, Cells, Key, Sums, month_of
from sync.server.storage.rows_figures import DAYS, MONTHS, figure_benches, figure_labels, figure_merchants

_TYPES: Final[dict[type, str]] = {BigInteger: "int8", Integer: "int4"}


def write(connection: Connection, site_id: str, build: int, cells: Cells) -> None:
    """Add the changes to the cells of one build."""
    for table, changes, at in (
        (figure_benches, cells.benches, 0), (figure_merchants, cells.merchants, 0), (figure_labels, cells.labels, 1),
    ):  # fmt: skip
        _add(connection, table, site_id, build, _by_grain(changes, at), shrunk=cells.shrunk)


def _by_grain(changes: Mapping[Key, Sums], at: int) -> dict[Key, Sums]:
    """The changes of days, and of their months.

    Args:
        at: where in the key the day stands.
    """
    found: dict[Key, Sums] = {}
    for key, sums in changes.items():
        day = key[at]
        assert isinstance(day, int)
        if key[0] != ONLY_MONTHS:
            found[(*key[:at], DAYS, day, *key[at + 1 :])] = sums
        month = (*key[:at], MONTHS, month_of(day), *key[at + 1 :])
        known = found.get(month)
        found[month] = sums if known is None else [a + b for a, b in zip(known, sums, strict=True)]
    return found


def _add(
    connection: Connection, table: Table, site_id: str, build: int, changes: Mapping[Key, Sums], *, shrunk: bool
) -> None:
    rows = [(site_id, build, *key, *sums) for key, sums in changes.items() if any(sums)]
    if not rows:
        return
    rows.sort()  # two workers that change the same cells must not wait for each other
    if connection.dialect.name == "postgresql":
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        # with its own placeholders: psycopg would search a statement as long as this for them each time
        psycopg.RawCursor(raw).execute(_upsert_arrays(table), [list(column) for column in zip(*rows, strict=True)])
    else:
        connection.exec_driver_sql(_upsert_row(table), rows)
    if shrunk:
        # A cell that counts nothing is no cell: rebuilt figures have none there either.
        width = len(table.primary_key.columns)
        connection.exec_driver_sql(_delete_empty(table, connection.dialect.name), [row[:width] for row in rows])


@lru_cache
def _names(table: Table) -> tuple[list[str], list[str], list[str]]:
    key = [column.name for column in table.primary_key.columns]
    columns = [column.name for column in table.columns]
    return columns, key, columns[len(key) :]


def _conflict(table: Table) -> str:
    _, key, measures = _names(table)
    sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in measures)
    return f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}"


@lru_cache
def _upsert_row(table: Table) -> str:
    columns, _, _ = _names(table)
    places = ", ".join("?" * len(columns))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places}) {_conflict(table)}"


@lru_cache
def _upsert_arrays(table: Table) -> bytes:
    columns, _, _ = _names(table)
    arrays = ", ".join(f"${number}::{_type(column.type)}[]" for number, column in enumerate(table.columns, 1))
    text = f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) {_conflict(table)}"
    return text.encode()


@lru_cache
def _delete_empty(table: Table, dialect: str) -> str:
    _, key, measures = _names(table)
    mark = "%s" if dialect == "postgresql" else "?"
    empty = [name for name in ("units", "voided", "corrected") if name in measures]
    where = [f"{name} = {mark}" for name in key] + [f"{name} = 0" for name in empty]
    return f"DELETE FROM {table.name} WHERE {' AND '.join(where)}"


def _type(kind: Any) -> str:
    return _TYPES.get(type(kind), "text")

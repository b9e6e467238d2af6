"""Copy a whole central database into an empty one; killable anywhere, begun again where it stopped.

The commit that ends a copy writes the epoch and clears the progress rows: before it no server starts on the target
(:func:`refuse_unfinished`), after it the copy is complete. A batch and the note of how far it came are one transaction.
Whether source and target agree is told by the number of rows and by a sum of row hashes that does not depend on order.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Table, bindparam, delete, func, select, tuple_, update

from station.errors import OperatorError, StoreFault
from sync.server.storage import Database
from sync.server.storage.all_rows import metadata
from sync.server.storage.rows import server_facts
from sync.server.storage.rows_operations import transfers

logger = logging.getLogger(__name__)

Progress = Callable[[str, int], None]
"""Told the table and how many of its rows are done."""

SITE: Final = "main"
_BATCH: Final = 500
_SUM: Final = 1 << 128
_LAST: Final = frozenset({transfers.name, server_facts.name})


@dataclass(frozen=True, slots=True)
class Tally:
    """What a table comes to, in whatever order its rows are read."""

    rows: int = 0
    digest: str = "0" * 32
    """Sum modulo 2¹²⁸ of the rows' hashes, hex."""

    def plus(self, rows: Sequence[Row[Any]]) -> Tally:
        """With these rows added."""
        total = int(self.digest, 16)
        for row in rows:
            total += int.from_bytes(hashlib.blake2b(msgspec.json.encode(tuple(row)), digest_size=16).digest())
        return Tally(self.rows + len(rows), f"{total % _SUM:032x}")


def tables() -> list[Table]:
    """Every table with data, in an order in which they can be filled."""
    return [table for table in metadata.sorted_tables if table.name not in _LAST]


def copy_all(
    source: Database, target: Database, *, identity: str, epoch: str, progress: Progress = lambda *_: None
) -> dict[str, Tally]:
    """Copy every table and make the target a server's database.

    Args:
        source: read in one consistent view.
        identity: names this source, so that a copy is only continued from the same one.
        epoch: of the target afterwards; with a new one benches offer again what it lacks.

    Returns:
        What each table came to.

    Raises:
        OperatorError: the target has data of its own, or half a copy of something else.
        StoreFault: the two do not agree in the end; the target stays unusable.
    """
    _check_target(target, identity)
    done: dict[str, Tally] = {}
    with source.reading() as reading:
        for table in tables():
            done[table.name] = _copy_table(reading, target, table, identity, progress)
        facts = [dict(row._mapping) for row in reading.execute(select(server_facts))]
    for table in tables():
        with target.reading() as connection:
            found = tally(connection, table)
        if found != done[table.name]:
            raise StoreFault(
                f"the copy of {table.name} does not agree with its source: {found.rows} rows with digest "
                f"{found.digest}, expected {done[table.name].rows} with {done[table.name].digest}; was the source "
                "written to meanwhile? Empty the target and begin again"
            )
    others = [row for row in facts if row["name"] != "epoch"]
    with target.writing() as connection:
        connection.execute(delete(server_facts))
        rows = [*others, {"site_id": SITE, "name": "epoch", "value": epoch}]
        connection.execute(server_facts.insert(), rows)
        connection.execute(delete(transfers))
    return done


def new_epoch() -> str:
    """Another one than any before."""
    return secrets.token_hex(16)


def change_epoch(database: Database) -> str:
    """Give a server a new epoch: benches then offer again what it lacks."""
    epoch = new_epoch()
    here = (server_facts.c.site_id == SITE, server_facts.c.name == "epoch")
    with database.writing() as connection:
        connection.execute(update(server_facts).where(*here).values(value=epoch))
    return epoch


def tally(connection: Connection, table: Table) -> Tally:
    """What a table comes to."""
    found = Tally()
    for rows in _batches(connection, table, None):
        found = found.plus(rows)
    return found


def refuse_unfinished(database: Database) -> None:
    """Keep a server from starting on half a copy.

    Raises:
        OperatorError: a copy into this database is not finished.
    """
    with database.reading() as connection:
        if connection.scalar(select(func.count()).select_from(transfers)):
            raise OperatorError(
                f"a copy into the database {database.name} is not finished: run the same 'station server migrate' or "
                "'restore' again, it goes on where it stopped"
            )


def _check_target(target: Database, identity: str) -> None:
    with target.writing() as connection:
        begun = set(connection.scalars(select(transfers.c.source)))
        if begun == {identity}:
            logger.info("a copy goes on where it stopped")
            return
        if begun:
            raise OperatorError(
                f"the database {target.name} holds half a copy of another source; give an empty database"
            )
        for table in tables():
            if connection.execute(select(1).select_from(table).limit(1)).first() is not None:
                raise OperatorError(
                    f"the database {target.name} is not empty: {table.name} has rows. Nothing was changed; "
                    "give an empty database"
                )
        # a first note, so that no server starts from here on
        connection.execute(
            transfers.insert(),
            {"site_id": SITE, "table_name": "", "source": identity, "last_key": None, "rows": 0, "digest": ""},
        )


def _copy_table(reading: Connection, target: Database, table: Table, identity: str, progress: Progress) -> Tally:
    here = (transfers.c.site_id == SITE, transfers.c.table_name == table.name)
    with target.reading() as connection:
        found = connection.execute(select(transfers.c.last_key, transfers.c.rows, transfers.c.digest).where(*here))
        row = found.one_or_none()
    known = Tally(row.rows, row.digest) if row is not None else Tally()
    after = json.loads(row.last_key) if row is not None and row.last_key is not None else None
    key = [column.name for column in table.primary_key.columns]
    for rows in _batches(reading, table, after):
        known = known.plus(rows)
        copies = [dict(each._mapping) for each in rows]
        last = json.dumps([copies[-1][name] for name in key])
        with target.writing() as connection:
            if target.insert_all(connection, table, copies) != len(copies):
                raise StoreFault(f"{table.name} in {target.name} was written to by somebody else; begin again")
            connection.execute(delete(transfers).where(*here))
            connection.execute(
                transfers.insert(),
                {
                    "site_id": SITE, "table_name": table.name, "source": identity, "last_key": last,
                    "rows": known.rows, "digest": known.digest,
                },
            )  # fmt: skip
        progress(table.name, known.rows)
    return known


def _batches(connection: Connection, table: Table, after: Sequence[object] | None) -> Iterator[Sequence[Row[Any]]]:
    """The rows behind a key, in the order of the primary key."""
    key = list(table.primary_key.columns)
    while True:
        query = select(table).order_by(*key).limit(_BATCH)
        if after is not None:
            values = [bindparam(None, value, type_=column.type) for column, value in zip(key, after, strict=True)]
            query = query.where(tuple_(*key) > tuple_(*values))
        rows = connection.execute(query).all()
        if rows:
            yield rows
        if len(rows) < _BATCH:
            return
        after = [rows[-1]._mapping[column.name] for column in key]

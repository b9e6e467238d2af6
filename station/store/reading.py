"""Reading a journal without owning it: for reports, exports and checks beside a running bench."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from station.decision.recovery import Cell
from station.errors import StoreFault
from station.journal.entry import Entry
from station.journal.seal import CountersignedHead
from station.returns.sale import Sale
from station.store import lineage
from station.store.engine import faults, make_engine
from station.store.entries import all_entries
from station.store.outcomes import outcome_cells
from station.store.sales import all_sales, orders_of_returns
from station.store.store import DATABASE


def read_entries(home: Path, kinds: Collection[str] | None = None) -> tuple[Entry, ...]:
    """The entries of a station's journal in the order written.

    Args:
        home: the station's folder; another process may have it open.
        kinds: only these kinds; None = all.

    Raises:
        StoreFault: no such journal, or the database cannot give out an entry (``station journal verify`` says which).
    """
    with _reading(home, "reading the journal") as connection:
        found = all_entries(connection, _unreadable)
        return tuple(entry for entry in found if kinds is None or entry.kind in kinds)


def iterate_entries(home: Path, kinds: Collection[str]) -> Iterator[Entry]:
    """The entries of some kinds one after the other, for reports over more of them than fit into memory at once.

    Raises:
        StoreFault: as ``read_entries``.
    """
    with _reading(home, "reading the journal") as connection:
        yield from (entry for entry in all_entries(connection, _unreadable) if entry.kind in kinds)


def stored_sales(home: Path, merchant_id: str | None = None) -> tuple[tuple[Sale, ...], dict[tuple[str, str], str]]:
    """Imported sales, and which order each return belongs to: (merchant, RMA code in upper case) → order number.

    Raises:
        StoreFault: no such station, or the database cannot be read.
    """
    with _reading(home, "reading sales") as connection:
        return tuple(all_sales(connection, merchant_id)), orders_of_returns(connection)


def learned_cells(home: Path) -> tuple[Cell, ...]:
    """What a station has learned of what goods bring.

    Raises:
        StoreFault: no such station, or the database cannot be read.
    """
    with _reading(home, "reading outcomes") as connection:
        return outcome_cells(connection)


@contextmanager
def _reading(home: Path, doing: str) -> Iterator[sa.Connection]:
    database = home / DATABASE
    if not database.exists():
        raise StoreFault(f"{str(home)!r} holds no station's journal: expected {DATABASE} in it")
    engine = make_engine(database, "reader", read_only=True)
    try:
        with faults(doing), engine.connect() as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


def _unreadable(position: int, error: Exception) -> None:
    raise StoreFault(f"entry at position {position} cannot be read: {error}; run 'station journal verify'")


def read_countersigned(home: Path) -> tuple[CountersignedHead, ...]:
    """What the server has signed for, the newest of each generation.

    Raises:
        StoreFault: no such journal, or the database cannot be read.
    """
    with _reading(home, "reading the server's signatures") as connection:
        return lineage.countersigned(connection)

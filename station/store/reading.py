"""Reading a journal without owning it: for reports, exports and checks beside a running bench."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from station.errors import StoreFault
from station.journal.entry import Entry
from station.journal.seal import CountersignedHead
from station.store import lineage
from station.store.engine import faults, make_engine
from station.store.entries import all_entries
from station.store.store import DATABASE


def read_entries(home: Path, kinds: Collection[str] | None = None) -> tuple[Entry, ...]:
    """The entries of a station's journal in the order written.

    Args:
        home: the station's folder; another process may have it open.
        kinds: only these kinds; None = all.

    Raises:
        StoreFault: no such journal, or the database cannot give out an entry (``station journal verify`` says which).
    """
    database = home / DATABASE
    if not database.exists():
        raise StoreFault(f"{str(home)!r} holds no station's journal: expected {DATABASE} in it")

    def unreadable(position: int, error: Exception) -> None:
        raise StoreFault(f"entry at position {position} cannot be read: {error}; run 'station journal verify'")

    engine = make_engine(database, "reader", read_only=True)
    try:
        with faults("reading the journal"), engine.connect() as connection, connection.begin():
            found = all_entries(connection, unreadable)
            return tuple(entry for entry in found if kinds is None or entry.kind in kinds)
    finally:
        engine.dispose()


def read_countersigned(home: Path) -> tuple[CountersignedHead, ...]:
    """What the server has signed for, the newest of each generation.

    Raises:
        StoreFault: no such journal, or the database cannot be read.
    """
    database = home / DATABASE
    if not database.exists():
        raise StoreFault(f"{str(home)!r} holds no station's journal: expected {DATABASE} in it")
    engine = make_engine(database, "reader", read_only=True)
    try:
        with faults("reading the server's signatures"), engine.connect() as connection, connection.begin():
            return lineage.countersigned(connection)
    finally:
        engine.dispose()

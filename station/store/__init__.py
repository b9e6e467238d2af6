"""What this station keeps: one SQLite file, one folder of photos, and the only SQL of ``station``.

Decisions
- *One writer.* One thread with one connection does every write and every checkpoint; callers hand it closures and wait
  until the disk has them. Readers have their own query-only connections. So nobody ever meets ``SQLITE_BUSY``, and
  SQLite's WAL-reset race has no second writer to race with. Price: a long import takes turns with the bench, in
  batches of a few dozen milliseconds.
- *Rows are a shadow.* Whatever is shown comes from rows that ``projection.project`` makes from journal entries, in the
  entry's own transaction; ``journal rebuild`` replays the same function. Price: every fact is written twice.
- *Directory rows keep the record as one JSON column* beside their look-up keys, not a column per field. A look-up is
  one index probe and one decode, and "has this changed?" is a comparison of bytes. Price: reports about the catalogue
  read JSON.
- *The store is opened behind the painted window*: importing this package costs nothing; SQLAlchemy comes with
  ``Store``, Alembic only when a migration is due.

What must not live here: rules of the trade, devices, network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from station.store.imports import Counts
    from station.store.store import DiskState, Store

__all__ = ["Counts", "DiskState", "Store"]


def __getattr__(name: str) -> object:
    """Import SQLAlchemy only when someone asks for the store itself."""
    if name in {"Store", "DiskState"}:
        from station.store import store

        return getattr(store, name)
    if name == "Counts":
        from station.store.imports import Counts

        return Counts
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

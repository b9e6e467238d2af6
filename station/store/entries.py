"""Journal entries in and out of their table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from station.clock import Clock
from station.journal.entry import GENESIS, Entry, Fact, link
from station.store.rows import GenerationRow, JournalRow, table

JOURNAL = table(JournalRow)
GENERATIONS = table(GenerationRow)
_FIELDS = tuple(Entry.__dataclass_fields__)
ENTRY_COLUMNS = tuple(JOURNAL.c[name] for name in _FIELDS)
"""The columns of an entry in the order of its fields: ``Entry(*row)`` is the entry."""

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands."""

    generation: int
    seq: int
    """0 = nothing yet."""
    hash: str


def time_text(moment: datetime) -> str:
    """A moment as it stands in the journal.

    >>> time_text(datetime(2026, 11, 22, 10, 17, 3, 250000, tzinfo=UTC))
    '2026-11-22T10:17:03.250000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_HEAD = (
    sa.select(JOURNAL.c.seq, JOURNAL.c.hash)
    .where(JOURNAL.c.generation == sa.bindparam("generation"))
    .order_by(JOURNAL.c.seq.desc())
    .limit(1)
)
_LAST_GENERATION = (
    sa.select(GENERATIONS.c.generation, GENERATIONS.c.station).order_by(GENERATIONS.c.generation.desc()).limit(1)
)
_INSERT = sa.insert(JOURNAL)


def head(connection: sa.Connection, generation: int) -> Head:
    """The last entry of a generation."""
    row = connection.execute(_HEAD, {"generation": generation}).one_or_none()
    return Head(generation, row.seq, row.hash) if row is not None else Head(generation, 0, GENESIS)


def last_generation(connection: sa.Connection) -> tuple[int, str] | None:
    """The current generation and the station it belongs to; None in a new store."""
    row = connection.execute(_LAST_GENERATION).one_or_none()
    return (row.generation, row.station) if row is not None else None


def begin_generation(connection: sa.Connection, *, station: str, reason: str, now: datetime, above: int = 0) -> int:
    """Start a new chain and return its number: higher than the last one here, and higher than ``above``."""
    last = last_generation(connection)
    generation = max(last[0] if last is not None else 0, above) + 1
    connection.execute(
        sa.insert(GENERATIONS),
        {"generation": generation, "station": station, "started_at": now, "reason": reason, "acked_through": 0},
    )
    return generation


def append(
    connection: sa.Connection,
    facts: Sequence[Fact],
    *,
    behind: Head,
    station: str,
    actor: str,
    clock: Clock,
    ids: Callable[[], str],
) -> tuple[Entry, ...]:
    """Link facts behind a head and write them; the caller's transaction makes them durable.

    The database refuses (IntegrityError) what does not continue its chain, so a wrong head cannot fork it.
    """
    recorded_at = time_text(clock.now())
    entries: list[Entry] = []
    last = behind
    for fact in facts:
        entry = link(
            fact,
            station=station,
            generation=last.generation,
            seq=last.seq + 1,
            id=ids(),
            recorded_at=recorded_at,
            actor=actor,
            prev_hash=last.hash,
        )
        entries.append(entry)
        last = Head(entry.generation, entry.seq, entry.hash)
    if entries:
        connection.execute(_INSERT, [{name: getattr(entry, name) for name in _FIELDS} for entry in entries])
    return tuple(entries)


def tail(connection: sa.Connection, generation: int, count: int) -> tuple[Entry, ...]:
    """The last entries of a generation in their order."""
    rows = connection.execute(
        sa.select(*ENTRY_COLUMNS).where(JOURNAL.c.generation == generation).order_by(JOURNAL.c.seq.desc()).limit(count)
    ).all()
    return tuple(Entry(*row) for row in reversed(rows))


_TYPES: dict[str, type | tuple[type, ...]] = {
    "generation": int,
    "seq": int,
    "schema": int,
    "payload": (bytes, type(None)),
}


def _entry(values: Sequence[object]) -> Entry:
    """A row as an entry, whatever a damaged page or a foreign tool made of its types.

    Raises:
        ValueError: a value is not of its column's type.
    """
    for name, value in zip(_FIELDS, values, strict=True):
        if not isinstance(value, _TYPES.get(name, str)):
            raise ValueError(f"{name} is {value!r}")
    return Entry(*values)  # type: ignore[arg-type]  # checked above


_AFTER = (
    sa.select(JOURNAL.c.position, *ENTRY_COLUMNS)
    .where(JOURNAL.c.position > sa.bindparam("after"), JOURNAL.c.position <= sa.bindparam("through"))
    .order_by(JOURNAL.c.position)
)


def all_entries(connection: sa.Connection, unreadable: Callable[[int, Exception], None]) -> Iterator[Entry]:
    """Every entry in the order written, reading around damaged pages.

    Args:
        connection: inside a transaction.
        unreadable: told the position of each entry that the database cannot give out.
    """
    last = connection.execute(sa.select(sa.func.max(JOURNAL.c.position))).scalar_one_or_none() or 0
    for start in range(0, last, _CHUNK):
        try:
            entries = [
                _entry(row[1:]) for row in connection.execute(_AFTER, {"after": start, "through": start + _CHUNK})
            ]
        except (sa.exc.DBAPIError, ValueError):
            entries = list(_one_by_one(connection, start, min(start + _CHUNK, last), unreadable))
        yield from entries


def _one_by_one(
    connection: sa.Connection, start: int, end: int, unreadable: Callable[[int, Exception], None]
) -> Iterator[Entry]:
    for position in range(start, end):
        try:
            row = connection.execute(_AFTER, {"after": position, "through": position + 1}).one_or_none()
            if row is not None:
                yield _entry(row[1:])
        except (sa.exc.DBAPIError, ValueError) as error:
            unreadable(position + 1, error)

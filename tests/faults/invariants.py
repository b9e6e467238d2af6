"""What must hold after every fault, as one function: I1–I8 of SYNC.md §6.2, looked at from outside.

====  ======================================================================================  =========================
I1    what was recorded is at the bench, unsent, or at the centre, byte for byte               :func:`broken`
I2    at the centre once, with one effect                                                      :func:`broken`
I3    one bad record stops no other                                                            each test of poison
I4    bytes hash to their names; chains verify                                                 :func:`broken`
I5    after the heal everything drains                                                         :func:`drains`
I6    nothing counts as sent before the centre has it, at any moment; the count is the outbox  :class:`HonestBar`
I7    nothing is applied that was not allowed                                                  access, people
I8    requests, memory and logs are bounded                                                    tests that count
====  ======================================================================================  =========================
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pysqlite3
from sqlalchemy import Connection, create_engine, select
from sqlalchemy.engine import URL

from station.inspection.record import INSPECTION_CONFIRMED
from station.journal.entry import GENESIS, Entry, entry_hash, payload_hash
from station.store.outbox import Outbox
from sync.client.states import SyncState
from sync.server.storage.rows import disputes, entries, inspections
from tests.sync.material import FileOutbox, until

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Held:
    """One entry as the centre holds it."""

    station: str
    generation: int
    seq: int
    id: str
    kind: str
    schema: int
    recorded_at: str
    actor: str
    payload: bytes | None
    payload_sha256: str
    prev_hash: str
    hash: str
    code: str | None


class Centre:
    """The central database, read beside the server that uses it; an engine of its own."""

    def __init__(self, url: URL) -> None:
        # the same library as the server's: two copies of SQLite in one process undo each other's locks
        library = {"module": pysqlite3} if url.drivername == "sqlite" else {}
        self._engine = create_engine(url, **library)

    def held(self) -> list[Held]:
        """Every entry, applied or quarantined."""
        columns = [entries.c[name] for name in Held.__slots__]
        return self._read(lambda db: [Held(*row) for row in db.execute(select(*columns))])

    def ids(self) -> set[str]:
        """Ids of all entries that are kept, disputed ones too."""
        return self._read(lambda db: set(db.scalars(select(entries.c.id))) | set(db.scalars(select(disputes.c.id))))

    def disputed(self) -> list[tuple[str, bytes]]:
        """(id, entry as received) of forks and collisions."""
        return self._read(
            lambda db: [(row.id, row.entry) for row in db.execute(select(disputes.c.id, disputes.c.entry))]
        )

    def effects(self) -> Counter[tuple[str, int, int]]:
        """How many inspections stem from each (station, generation, seq)."""
        i = inspections.c
        return self._read(
            lambda db: Counter(tuple(row) for row in db.execute(select(i.station, i.generation, i.seq)))  # type: ignore[misc]
        )

    def execute(self, sql: str) -> None:
        """For the controls: damage it."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql(sql)

    def close(self) -> None:
        self._engine.dispose()

    def _read(self, what: Callable[[Connection], _T]) -> _T:
        with self._engine.connect() as connection:
            return what(connection)


def broken(centre: Centre, recorded: Sequence[Entry], outbox: Outbox | None, photos: Path | None = None) -> list[str]:
    """Say what of I1, I2, I4 and I6 does not hold; empty = all does.

    Args:
        recorded: every entry whose saving was confirmed, of one bench.
        outbox: that bench's; None = it is gone, so everything must be at the centre.
        photos: the centre's photo folder.
    """
    held = [entry for entry in centre.held() if not recorded or entry.station == recorded[0].station]
    pending = {entry.id for entry in outbox.pending_entries(1_000_000, 1 << 40)} if outbox is not None else set()
    wrong = [*_lost(centre, recorded, held, pending), *_effects(centre, recorded, held), *_chains(held)]
    if outbox is not None and outbox.unsent().entries != len(pending):
        wrong.append(f"I6: {outbox.unsent().entries} are shown as unsent, {len(pending)} are")
    if photos is not None and isinstance(outbox, FileOutbox):
        for sha256, state in outbox.photo_states().items():
            if state == "sent" and not (photos / sha256[:2] / f"{sha256}.jpg").is_file():
                wrong.append(f"I1: photo {sha256[:8]} counts as sent, and the centre does not have it")
    for path in photos.rglob("*.jpg") if photos is not None else ():
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            wrong.append(f"I4: photo {path.stem[:8]} is not what its name says")
    return wrong


def _lost(centre: Centre, recorded: Sequence[Entry], held: Sequence[Held], pending: set[str]) -> list[str]:
    wrong = []
    by_id: dict[str, list[Held]] = {}
    for one in held:
        by_id.setdefault(one.id, []).append(one)
    disputed = centre.disputed()
    malformed = [one for one in held if one.code == "malformed"]
    for entry in recorded:
        here = by_id.pop(entry.id, [])
        if len(here) > 1:
            wrong.append(f"I2: entry {entry.generation}/{entry.seq} is there {len(here)} times")
        elif here and not _same(here[0], entry):
            wrong.append(f"I4: entry {entry.generation}/{entry.seq} differs from what was recorded")
        elif not here and entry.id not in pending:
            kept_aside = any(id_ == entry.id for id_, _ in disputed) or any(
                (one.generation, one.seq) == (entry.generation, entry.seq) for one in malformed
            )
            if not kept_aside:
                wrong.append(f"I1: entry {entry.generation}/{entry.seq} is neither unsent nor at the centre")
    wrong += [f"I2: {id_} was never recorded" for id_, rows in by_id.items() if rows[0].code != "malformed"]
    return wrong


def _same(held: Held, entry: Entry) -> bool:
    is_withheld = held.code == "payload_withheld" and held.payload is None
    return (held.payload == entry.payload or is_withheld) and (
        (held.generation, held.seq, held.hash, held.prev_hash, held.actor, held.kind, held.recorded_at)
        == (entry.generation, entry.seq, entry.hash, entry.prev_hash, entry.actor, entry.kind, entry.recorded_at)
    )


def _effects(centre: Centre, recorded: Sequence[Entry], held: Sequence[Held]) -> list[str]:
    effects = centre.effects()
    station = recorded[0].station if recorded else ""
    due = {
        (one.station, one.generation, one.seq)
        for one in held
        if one.kind == INSPECTION_CONFIRMED and one.code is None and one.payload is not None
    }
    wrong = [f"I2: the inspection of {place} is there {effects[place]} times" for place in due if effects[place] != 1]
    return wrong + [
        f"I2: an inspection of {place} that is no sound entry"
        for place in effects
        if place not in due and place[0] == station
    ]


def _chains(held: Sequence[Held]) -> list[str]:
    wrong = []
    last: dict[int, Held] = {}
    for one in sorted(held, key=lambda one: (one.generation, one.seq)):
        before = last.get(one.generation)
        place = f"{one.generation}/{one.seq}"
        if one.seq != (before.seq + 1 if before else 1):
            wrong.append(f"I4: something is missing before {place}")
        last[one.generation] = one
        if one.code in ("hash_mismatch", "malformed"):
            continue  # it came like that, and is kept like that
        if one.payload is not None and payload_hash(one.payload) != one.payload_sha256:
            wrong.append(f"I4: the payload of {place} was changed")
        fields = {name: getattr(one, name) for name in Held.__slots__ if name not in ("payload", "hash", "code")}
        if entry_hash(**fields) != one.hash:
            wrong.append(f"I4: the header of {place} was changed")
        if (before is None or before.code not in ("hash_mismatch", "malformed")) and one.prev_hash != (
            before.hash if before else GENESIS
        ):
            wrong.append(f"I4: {place} does not continue the chain")
    return wrong


def drains(outbox: Outbox, within_s: float, *, photos: bool = False) -> None:
    """I5: after the heal nothing stays unsent."""

    def empty() -> bool:
        unsent = outbox.unsent()
        return unsent.entries == 0 and (not photos or unsent.photos == 0)

    until(empty, within_s, "the queue drains after the heal")


class HonestBar:
    """I6 at every moment: takes the states of a loop, on its thread, and looks behind them."""

    def __init__(self, centre: Centre, recorded: Sequence[Entry], outbox: Outbox) -> None:
        """
        Args:
            recorded: all that will have been recorded at the end.
        """
        self.states: list[SyncState] = []
        self.lies: list[str] = []
        self._centre = centre
        self._recorded = {(entry.generation, entry.seq): entry.id for entry in recorded}
        self._outbox = outbox

    def __call__(self, state: SyncState) -> None:
        self.states.append(state)
        statuses = self._outbox.statuses()  # type: ignore[attr-defined]
        acknowledged = {id_ for (_, seq), id_ in self._recorded.items() if statuses.get(seq, (None,))[0]}
        early = acknowledged - self._centre.ids()
        if early:
            self.lies.append(f"I6: {len(early)} entries count as sent, but the centre does not have them")

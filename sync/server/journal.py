"""Take pushed entries into the journal: chain, bytes and projections in one transaction, an answer for each.

The rule for one entry, given the end of its chain (``head``):

=================================  ===========================================================================
continues the head                 inserted; the head moves on, also over a quarantined one: nothing blocks the line
at or before the head              inserted too: the unique constraint refuses it, and it is compared with what is
                                   there → duplicate, forked or id_collision (where places are not unique by a
                                   constraint, in PostgreSQL's partitions, it is compared at once: the head is locked)
next, but on another chain         conflict ``chain_broken``, kept in ``disputes``
further, behind a disputed one     conflict as well: the whole branch is kept
further                            retry with ``expected_seq``; not kept
=================================  ===========================================================================
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec
from sqlalchemy import Connection, and_, or_, select, update

from station.errors import Defect
from station.ids import uuid7
from station.journal.entry import GENESIS, Entry, Fact, link
from sync.protocol import Code, Countersigned, EntryResult, Head, Status, WireEntry
from sync.server.applying import Applier, Applying
from sync.server.judge import Judged, judge
from sync.server.storage import Database
from sync.server.storage.rows import disputes, entries, heads, quarantine

PATIENCE_S: Final = 1.0
"""How long a push that came too early waits for the one before it."""
_LOOK_EVERY_S: Final = 0.01


@dataclass(slots=True)
class _Chain:
    """The end of one generation while a push is worked on."""

    seq: int
    hash: str | None
    """None = the entry there came damaged."""
    duplicates: int


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to, committed."""

    results: tuple[EntryResult, ...]
    heads: tuple[Head, ...]
    """Of the generations that the push spoke of."""
    countersigned: tuple[Countersigned, ...] = ()


class Witness(Protocol):
    """Stands at both ends of a push's transaction (``sync.server.access.sealing``)."""

    def admit(self, connection: Connection) -> None:
        """Refuse the push by raising, before anything of it is stored."""
        ...

    def close(self, connection: Connection, held: Sequence[Head], at: datetime) -> Sequence[Countersigned]:
        """Keep who signed it, and sign what is held now."""
        ...


class Journal:
    """The journals of all stations of a site."""

    def __init__(self, database: Database, appliers: Sequence[Applier], late: Sequence[Applier] = ()) -> None:
        """
        Args:
            appliers: what is derived from entries, in this order, in the transaction that stores them.
            late: told, behind those, only of entries that became sound after they were stored: for what otherwise
                follows the journal in its order.
        """
        self._database = database
        self._appliers = tuple(appliers)
        self._late = tuple(late)

    def push(
        self, site_id: str, station: str, judged: Sequence[Judged], at: datetime, witness: Witness | None = None,
        *, follows: bool = False,
    ) -> Pushed:  # fmt: skip
        """Take entries; on return everything that was answered is durable.

        Args:
            judged: in any order; each place at most once counts.
            at: now, UTC.
            follows: the push before it is under way too, and may be overtaken: wait a moment for it.
        """
        ordered = sorted(judged, key=lambda entry: (entry.generation, entry.seq))
        # With one writer nothing is overtaken, and waiting would stand in the way of the one that is waited for.
        until = time.monotonic() + (PATIENCE_S if follows and self._database.writers > 1 else 0.0)
        while (pushed := self._push(site_id, station, ordered, at, witness, until)) is None:
            time.sleep(_LOOK_EVERY_S)
        return pushed

    def _push(
        self, site_id: str, station: str, ordered: Sequence[Judged], at: datetime, witness: Witness | None, until: float
    ) -> Pushed | None:
        """One transaction. None = nothing was done: these came too early, and the one before may still come."""
        with self._database.writing() as connection:
            if witness is not None:
                witness.admit(connection)
            # As a rule the push before it holds these locks by now, and this one stands behind it.
            chains = self._lock_chains(connection, site_id, station, {entry.generation for entry in ordered}, at)
            if ordered and ordered[0].seq > chains[ordered[0].generation].seq + 1 and time.monotonic() < until:
                return None
            work = _Push(Applying(self._database, connection, site_id, station, at), self._appliers, self._late, chains)
            results = work.run(ordered)
            for generation, chain in chains.items():
                connection.execute(
                    update(heads)
                    .where(heads.c.site_id == site_id, heads.c.station == station, heads.c.generation == generation)
                    .values(seq=chain.seq, hash=chain.hash, duplicates=chain.duplicates, last_seen=at)
                )
            held = tuple(Head(generation, chain.seq, chain.hash) for generation, chain in chains.items() if chain.seq)
            signed = tuple(witness.close(connection, held, at)) if witness is not None else ()
        return Pushed(tuple(results), held, signed)

    def record(self, site_id: str, station: str, fact: Fact, actor: str, at: datetime) -> Entry:
        """Write a fact of the server's own into a journal that only it writes; durable on return.

        Raises:
            Defect: the fact cannot be applied.
        """
        with self._database.writing() as connection:
            chains = self._lock_chains(connection, site_id, station, {1}, at)
            chain = chains[1]
            entry = link(
                fact, station=station, generation=1, seq=chain.seq + 1, id=uuid7(), recorded_at=_time_text(at),
                actor=actor, prev_hash=chain.hash or GENESIS,
            )  # fmt: skip
            judged = judge(station, msgspec.json.encode(_wire(entry)))
            work = _Push(Applying(self._database, connection, site_id, station, at), self._appliers, self._late, chains)
            (result,) = work.run([judged])
            if result.status is not Status.ACCEPTED:
                raise Defect(f"the server's own entry {fact.kind!r} is {result.status}: {result.code} {result.detail}")
            connection.execute(
                update(heads)
                .where(heads.c.site_id == site_id, heads.c.station == station, heads.c.generation == 1)
                .values(seq=chain.seq, hash=chain.hash, last_seen=at)
            )
        return entry

    def take_again(
        self, site_id: str, station: str, generation: int,
        found: Callable[[Connection], Iterable[tuple[Judged, datetime]]], at: datetime,
    ) -> int:  # fmt: skip
        """Take quarantined entries of one chain for what they are judged to be now; durable on return.

        Args:
            found: asked under the chain's lock: those entries, and when each was received.

        Returns:
            How many are quarantined no longer.
        """
        with self._database.writing() as connection:
            chains = self._lock_chains(connection, site_id, station, {generation}, at)
            push = _Push(Applying(self._database, connection, site_id, station, at), self._appliers, self._late, chains)
            results = [push.fill(entry, received_at) for entry, received_at in found(connection)]
            return sum(result.status is not Status.QUARANTINED for result in results)

    def heads(self, site_id: str, station: str) -> tuple[Head, ...]:
        """How far each generation of a station's journal is held."""
        with self._database.reading() as connection:
            return _heads(connection, site_id, station)

    def _lock_chains(
        self, connection: Connection, site_id: str, station: str, generations: set[int], at: datetime
    ) -> dict[int, _Chain]:
        found = self._read_chains(connection, site_id, station, generations)
        fresh = sorted(generations - found.keys())
        if fresh:
            rows = [
                {
                    "site_id": site_id, "station": station, "generation": generation, "seq": 0, "hash": GENESIS,
                    "duplicates": 0, "last_seen": at,
                }
                for generation in fresh
            ]  # fmt: skip
            self._database.insert_all(connection, heads, rows)
            found = self._read_chains(connection, site_id, station, generations)
        return found

    def _read_chains(
        self, connection: Connection, site_id: str, station: str, generations: set[int]
    ) -> dict[int, _Chain]:
        found = connection.execute(
            select(heads.c.generation, heads.c.seq, heads.c.hash, heads.c.duplicates)
            .where(heads.c.site_id == site_id, heads.c.station == station, heads.c.generation.in_(generations))
            .order_by(heads.c.generation)
            .with_for_update()
        )
        return {generation: _Chain(seq, digest, duplicates) for generation, seq, digest, duplicates in found}


def _heads(connection: Connection, site_id: str, station: str) -> tuple[Head, ...]:
    found = connection.execute(
        select(heads.c.generation, heads.c.seq, heads.c.hash)
        .where(heads.c.site_id == site_id, heads.c.station == station, heads.c.seq > 0)
        .order_by(heads.c.generation)
    )
    return tuple(Head(generation, seq, digest) for generation, seq, digest in found)


def _time_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _wire(entry: Entry) -> WireEntry:
    return WireEntry(
        entry.generation, entry.seq, entry.id, entry.kind, entry.schema, entry.recorded_at, entry.actor,
        entry.payload_sha256, entry.prev_hash, entry.hash, entry.payload.decode() if entry.payload else None,
    )  # fmt: skip


class _Push:
    """One push inside its transaction."""

    def __init__(
        self, work: Applying, appliers: Sequence[Applier], late: Sequence[Applier], chains: dict[int, _Chain]
    ) -> None:
        self._work = work
        self._appliers = appliers
        self._late = late
        self._database = work.database
        self._connection = work.connection
        self._site_id = work.site_id
        self._station = work.station
        self._at = work.at
        self._chains = chains
        self._disputed: dict[tuple[int, int], set[str]] = {}

    def run(self, ordered: Sequence[Judged]) -> list[EntryResult]:
        results: list[EntryResult] = []
        offered: list[Judged] = []
        known: list[Judged] = []
        for entry in ordered:
            chain = self._chains[entry.generation]
            if entry.seq > chain.seq + 1:
                if self._is_disputed(entry.generation, entry.seq - 1, entry.prev_hash):
                    results.append(self._dispute(entry, Status.CONFLICT, Code.CHAIN_BROKEN))
                else:
                    results.append(_retry(entry, chain.seq + 1))
            elif entry.seq == chain.seq + 1 and not _continues(chain, entry):
                results.append(self._dispute(entry, Status.CONFLICT, Code.CHAIN_BROKEN))
            elif entry.seq <= chain.seq and not self._database.unique_places:
                known.append(entry)
            else:
                if entry.seq == chain.seq + 1:
                    chain.seq, chain.hash = entry.seq, entry.hash if entry.link_is_sound else None
                offered.append(entry)
        new = self._insert(offered)
        results.extend(self._settle_new(new))
        placed = {id(entry) for entry in new}
        results.extend(self._compare([*(entry for entry in offered if id(entry) not in placed), *known]))
        return results

    def _insert(self, offered: list[Judged]) -> list[Judged]:
        """Store bytes as received; what the constraint refuses was here already."""
        if not offered:
            return []
        rows = [
            {
                "site_id": self._site_id, "station": self._station, "generation": entry.generation, "seq": entry.seq,
                "id": entry.id, "kind": entry.kind, "schema": entry.schema, "recorded_at": entry.recorded_at,
                "actor": entry.actor, "payload": entry.payload, "payload_sha256": entry.payload_sha256,
                "prev_hash": entry.prev_hash, "hash": entry.hash, "received_at": self._at, "code": entry.code,
            }
            for entry in offered
        ]  # fmt: skip
        # As a rule all are new. If not, nothing was inserted; ask for each.
        if self._database.insert_if_all_new(self._connection, entries, rows):
            return offered
        statement = self._database.insert_new(entries).returning(entries.c.generation, entries.c.seq)
        stored = {(generation, seq) for generation, seq in self._connection.execute(statement, rows)}
        new: list[Judged] = []
        for entry in offered:
            if (entry.generation, entry.seq) in stored:
                stored.discard(
                    (entry.generation, entry.seq)
                )  # the same place twice in one push: the second is a repeat
                new.append(entry)
        return new

    def _settle_new(self, new: Sequence[Judged]) -> Iterable[EntryResult]:
        sound = [entry for entry in new if entry.code is None]
        self._apply(sound, self._work, self._appliers)
        bad = [entry for entry in new if entry.code is not None]
        if bad:
            self._connection.execute(
                self._database.insert_new(quarantine),
                [
                    {
                        "site_id": self._site_id, "station": self._station, "generation": entry.generation,
                        "seq": entry.seq, "code": entry.code, "detail": entry.detail, "since": self._at,
                    }
                    for entry in bad
                ],
            )  # fmt: skip
        yield from (self._accepted(entry) for entry in sound)
        yield from (_result(entry, Status.QUARANTINED, entry.code, entry.detail) for entry in bad)

    @staticmethod
    def _apply(sound: Sequence[Judged], work: Applying, appliers: Sequence[Applier]) -> None:
        for apply in appliers:
            apply(work, sound)

    def _accepted(self, entry: Judged) -> EntryResult:
        verdict = self._work.verdicts.get(entry.id)
        return _result(entry, Status.ACCEPTED) if verdict is None else _result(entry, *verdict)

    def _compare(self, refused: Sequence[Judged]) -> list[EntryResult]:
        """Say for each entry that the constraint refused what it is to the one that is there."""
        if not refused:
            return []
        found = self._connection.execute(
            select(
                entries.c.station, entries.c.generation, entries.c.seq, entries.c.id, entries.c.hash,
                entries.c.payload_sha256, entries.c.code, entries.c.received_at,
            ).where(
                entries.c.site_id == self._site_id,
                or_(
                    entries.c.id.in_([entry.id for entry in refused]),
                    and_(
                        entries.c.station == self._station,
                        entries.c.generation.in_({entry.generation for entry in refused}),
                        entries.c.seq.in_([entry.seq for entry in refused]),
                    ),
                ),
            )
        ).all()  # fmt: skip
        by_place = {(row.generation, row.seq): row for row in found if row.station == self._station}
        results: list[EntryResult] = []
        for entry in refused:
            there = by_place.get((entry.generation, entry.seq))
            if there is None:  # the place is free, so it is the id that another entry has
                results.append(self._dispute(entry, Status.ID_COLLISION, Code.SAME_ID))
            elif there.hash == entry.hash and there.payload_sha256 == entry.payload_sha256:
                self._chains[entry.generation].duplicates += 1
                better = entry.code is None or there.code == Code.WITHHELD != entry.code
                if there.code is not None and better:
                    results.append(self.fill(entry, there.received_at))
                elif there.code is not None:
                    results.append(_result(entry, Status.QUARANTINED, there.code))
                else:
                    results.append(_result(entry, Status.DUPLICATE))
            elif there.id == entry.id:
                results.append(self._dispute(entry, Status.ID_COLLISION, Code.SAME_ID))
            else:
                results.append(self._dispute(entry, Status.CONFLICT, Code.FORKED))
        return results

    def fill(self, entry: Judged, received_at: datetime) -> EntryResult:
        """An entry that came without its payload, or damaged, has arrived whole after all.

        It is applied as of when its place was first received, so that applying the journal again gives the same.
        """
        here = and_(
            entries.c.site_id == self._site_id, entries.c.station == self._station,
            entries.c.generation == entry.generation, entries.c.seq == entry.seq,
        )  # fmt: skip
        self._connection.execute(update(entries).where(here).values(payload=entry.payload, code=entry.code))
        case = and_(
            quarantine.c.site_id == self._site_id, quarantine.c.station == self._station,
            quarantine.c.generation == entry.generation, quarantine.c.seq == entry.seq,
        )  # fmt: skip
        if entry.code is None:
            self._connection.execute(quarantine.delete().where(case))
            self._apply([entry], replace(self._work, at=received_at), (*self._appliers, *self._late))
            return self._accepted(entry)
        self._connection.execute(update(quarantine).where(case).values(code=entry.code, detail=entry.detail))
        return _result(entry, Status.QUARANTINED, entry.code, entry.detail)

    def _is_disputed(self, generation: int, seq: int, digest: str) -> bool:
        known = self._disputed.get((generation, seq))
        if known is None:
            known = set(
                self._connection.scalars(
                    select(disputes.c.hash).where(
                        disputes.c.site_id == self._site_id, disputes.c.station == self._station,
                        disputes.c.generation == generation, disputes.c.seq == seq,
                    )
                )
            )  # fmt: skip
            self._disputed[generation, seq] = known
        return digest in known

    def _dispute(self, entry: Judged, status: Status, code: Code) -> EntryResult:
        self._connection.execute(
            self._database.insert_new(disputes),
            {
                "site_id": self._site_id, "station": self._station, "generation": entry.generation, "seq": entry.seq,
                "hash": entry.hash or entry.payload_sha256, "id": entry.id, "code": code, "entry": entry.raw,
                "received_at": self._at,
            },
        )  # fmt: skip
        self._disputed.setdefault((entry.generation, entry.seq), set()).add(entry.hash)
        return _result(entry, status, code)


def _continues(chain: _Chain, entry: Judged) -> bool:
    # After a damaged link, or with one of its own, there is nothing to compare with: the seq decides.
    return chain.hash is None or not entry.link_is_sound or entry.prev_hash == chain.hash


def _retry(entry: Judged, expected: int) -> EntryResult:
    detail = f"the server holds this generation up to {expected - 1}"
    return EntryResult(entry.generation, entry.seq, entry.given_id, Status.RETRY, Code.GAP, detail, expected)


def _result(entry: Judged, status: Status, code: str | None = None, detail: str | None = None) -> EntryResult:
    return EntryResult(entry.generation, entry.seq, entry.given_id, status, code, detail or None)

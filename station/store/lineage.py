"""The chain as the server knows it: where a new one begins, and what the server signed for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from station.canonical import canonical_json
from station.clock import Clock
from station.inspection.record import JOURNAL_GENERATION, GenerationBegun
from station.journal.entry import GENESIS, Entry, Fact
from station.journal.seal import CountersignedHead
from station.store.deliveries import set_sync_value, sync_value
from station.store.entries import JOURNAL, Head, append, begin_generation

COUNTERSIGNED = "countersigned_heads"
"""Key of the sync value; JSON, newest of each generation."""
ACTOR = "station"
"""Nobody did it: the bench found it out."""

_HASH_AT = sa.select(JOURNAL.c.hash).where(
    JOURNAL.c.generation == sa.bindparam("generation"), JOURNAL.c.seq == sa.bindparam("seq")
)
_HEADS = msgspec.json.Decoder(tuple[CountersignedHead, ...])


def hash_at(connection: sa.Connection, generation: int, seq: int) -> str | None:
    """The hash of one entry; None = it is not here."""
    return connection.execute(_HASH_AT, {"generation": generation, "seq": seq}).scalar_one_or_none()


def start_generation(
    connection: sa.Connection, before: Head, *, station: str, reason: str, above: int, clock: Clock,
    ids: Callable[[], str],
) -> tuple[Entry, ...]:  # fmt: skip
    """Begin a new chain whose first entry says what became of the one before.

    Returns:
        That entry.
    """
    now = clock.now()
    generation = begin_generation(connection, station=station, reason=reason, now=now, above=above)
    begun = GenerationBegun(before.generation, before.seq, before.hash, reason, now)
    fact = Fact(JOURNAL_GENERATION, 1, canonical_json(begun))
    behind = Head(generation, 0, GENESIS)
    return append(connection, [fact], behind=behind, station=station, actor=ACTOR, clock=clock, ids=ids)


def countersigned(connection: sa.Connection) -> tuple[CountersignedHead, ...]:
    """What the server signed for, the newest of each generation.

    A value that cannot be read counts as none: whoever can damage it could as well remove it. The server's own copy is
    what such a journal is held against.
    """
    text = sync_value(connection, COUNTERSIGNED)
    try:
        return _HEADS.decode(text) if text is not None else ()
    except msgspec.MsgspecError:
        return ()


def keep_countersigned(connection: sa.Connection, heads: Sequence[CountersignedHead]) -> None:
    """Keep these; an older one never takes the place of a newer."""
    kept = {head.generation: head for head in countersigned(connection)}
    for head in heads:
        before = kept.get(head.generation)
        if before is None or before.server != head.server or before.epoch != head.epoch or head.seq >= before.seq:
            kept[head.generation] = head
    text = msgspec.json.encode([kept[generation] for generation in sorted(kept)]).decode()
    set_sync_value(connection, COUNTERSIGNED, text)

"""Checking a chain: every link recomputed, every doubt named by its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from station.journal.entry import GENESIS, Entry, entry_hash, payload_hash


class Flaw(StrEnum):
    """What can be wrong with a journal and what hangs on it."""

    GAP = "gap"
    """A seq is missing or out of order."""
    LINK = "link"
    """``prev_hash`` is not the hash of the entry before."""
    HEADER = "header"
    """A header field does not fit the entry's hash."""
    PAYLOAD = "payload"
    """The payload's bytes do not fit their hash."""
    UNREADABLE = "unreadable"
    """The database cannot give the entry out."""
    PHOTO = "photo"
    """A photo is gone or does not hash to its name."""
    ROWS = "rows"
    """Projection rows differ from what the entries say."""
    FILE = "file"
    """The database file itself is damaged."""
    WAL = "wal"
    """Committed transactions in the write-ahead log cannot be read back."""
    ACKNOWLEDGED = "acknowledged"
    """The server has acknowledged an entry that is not here: the end of the journal is missing."""
    COUNTERSIGNED = "countersigned"
    """The server signed for a journal that is longer than this one, or another one at the same place."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where."""

    flaw: Flaw
    text: str
    """A sentence for a person."""
    generation: int | None = None
    seq: int | None = None
    photo: str | None = None
    """SHA-256 of the photo concerned."""


def check_chain(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Recompute one generation's chain from its first entry.

    Args:
        entries: all entries of one generation in the order they are kept.

    Yields:
        One problem per fault. After a fault the check goes on from what the entry itself claims, so that one bad entry
        gives one report and not one for every entry behind it.
    """
    expected_seq, prev_hash = 1, GENESIS
    for entry in entries:
        yield from check_link(entry, expected_seq=expected_seq, prev_hash=prev_hash)
        expected_seq, prev_hash = entry.seq + 1, entry.hash


def check_link(entry: Entry, *, expected_seq: int, prev_hash: str) -> Iterator[Problem]:
    """Check one entry against its own hashes and its place."""

    def problem(flaw: Flaw, text: str) -> Problem:
        return Problem(flaw, f"entry {entry.generation}/{entry.seq}: {text}", entry.generation, entry.seq)

    if entry.seq != expected_seq:
        yield problem(Flaw.GAP, f"expected seq {expected_seq}; entries between are missing or out of order")
    elif entry.prev_hash != prev_hash:
        yield problem(Flaw.LINK, f"prev_hash {entry.prev_hash!r} is not the hash of the entry before, {prev_hash!r}")
    if entry.payload is not None and payload_hash(entry.payload) != entry.payload_sha256:
        yield problem(Flaw.PAYLOAD, f"the payload's {len(entry.payload)} bytes do not hash to {entry.payload_sha256!r}")
    if recomputed_hash(entry) != entry.hash:
        yield problem(Flaw.HEADER, "its header fields do not hash to its own hash: one of them was changed")


def recomputed_hash(entry: Entry) -> str:
    """The hash that the entry's header fields give."""
    return entry_hash(
        station=entry.station,
        generation=entry.generation,
        seq=entry.seq,
        id=entry.id,
        kind=entry.kind,
        schema=entry.schema,
        recorded_at=entry.recorded_at,
        actor=entry.actor,
        payload_sha256=entry.payload_sha256,
        prev_hash=entry.prev_hash,
    )

"""One entry of the journal and the chain that binds it to the one before.

The chain runs over the *hash* of the payload, not the payload: personal data can be erased later and leaves its hash,
and the chain still verifies. A photo is bound because the payload that is hashed names it by its own SHA-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from station.canonical import canonical_json

GENESIS = "0" * 64
"""``prev_hash`` of the first entry of a generation."""

_DOMAIN = b"returns-station journal v1\x00"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, before it has a place in the journal."""

    kind: str
    """E.g. ``inspection.confirmed``."""
    schema: int
    payload: bytes
    """Canonical JSON (station.canonical); these bytes are kept for ever."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact with its place. Order is ``seq``, never a clock; ``id`` is for dedupe."""

    station: str
    generation: int
    seq: int
    """1, 2, 3 … without gaps within a generation."""
    id: str
    """UUIDv7."""
    kind: str
    schema: int
    recorded_at: str
    """UTC, ISO 8601 with microseconds and ``Z``, e.g. ``2026-11-22T10:17:03.250000Z``."""
    actor: str
    payload: bytes | None
    """Exact canonical JSON; None = erased, its hash stays."""
    payload_sha256: str
    prev_hash: str
    hash: str


def payload_hash(payload: bytes) -> str:
    """Hex SHA-256 of the exact payload bytes."""
    return hashlib.sha256(payload).hexdigest()


def entry_hash(
    *, station: str, generation: int, seq: int, id: str, kind: str, schema: int, recorded_at: str, actor: str,
    payload_sha256: str, prev_hash: str,
) -> str:  # fmt: skip
    """The link: hex SHA-256 over domain, all header fields as canonical JSON, payload hash and previous hash."""
    header = canonical_json(
        {
            "actor": actor,
            "generation": generation,
            "id": id,
            "kind": kind,
            "payload_sha256": payload_sha256,
            "prev_hash": prev_hash,
            "recorded_at": recorded_at,
            "schema": schema,
            "seq": seq,
            "station": station,
        }
    )
    return hashlib.sha256(_DOMAIN + header).hexdigest()


def link(fact: Fact, *, station: str, generation: int, seq: int, id: str, recorded_at: str, actor: str,
         prev_hash: str) -> Entry:  # fmt: skip
    """Give a fact its place behind ``prev_hash``."""
    digest = payload_hash(fact.payload)
    return Entry(
        station=station,
        generation=generation,
        seq=seq,
        id=id,
        kind=fact.kind,
        schema=fact.schema,
        recorded_at=recorded_at,
        actor=actor,
        payload=fact.payload,
        payload_sha256=digest,
        prev_hash=prev_hash,
        hash=entry_hash(
            station=station,
            generation=generation,
            seq=seq,
            id=id,
            kind=fact.kind,
            schema=fact.schema,
            recorded_at=recorded_at,
            actor=actor,
            payload_sha256=digest,
            prev_hash=prev_hash,
        ),
    )

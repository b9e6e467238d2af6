"""One entry of the journal and the chain that binds it to the one before.

The chain runs over the *hash* of the payload, not the payload: personal data can be erased later and leaves its hash,
and the chain still verifies. A photo is bound because the payload that is hashed names it by its own SHA-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from station.canonical import canonical_json

GENESIS = "0" * 64
"""``prev_hash`` of the first entry of a generation."""

_DOMAIN = b"returns-station journal v1\x00"
_ENCODER = msgspec.json.Encoder()
_NUL = b"\\u0000"
_INT64_MAX = 2**63 - 1


class _Header(msgspec.Struct, frozen=True):
    """What the link covers. The fields stand in the order of canonical JSON, so that encoding is enough."""

    actor: str
    generation: int
    id: str
    kind: str
    payload_sha256: str
    prev_hash: str
    recorded_at: str
    schema: int
    seq: int
    station: str


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
    """The link: hex SHA-256 over domain, all header fields as canonical JSON, payload hash and previous hash.

    Raises:
        InvalidInput: a field holds what canonical JSON refuses (NUL, lone surrogate, more than 64 bits).
    """
    header = _Header(actor, generation, id, kind, payload_sha256, prev_hash, recorded_at, schema, seq, station)
    try:
        text = _ENCODER.encode(header)
    except UnicodeEncodeError:
        text = b""
    largest = max(abs(generation), abs(schema), abs(seq))
    if not text or _NUL in text or largest > _INT64_MAX:
        text = canonical_json(header)  # says what is wrong; a backslash before the u is fine
    return hashlib.sha256(_DOMAIN + text).hexdigest()


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

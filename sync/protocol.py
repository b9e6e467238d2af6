"""The messages between bench and centre, read by both ends. Nothing else is shared by client and server.

=======================================  =====================================================================
``GET  /v1/health``                      is it alive, can it store; needs no token
``GET  /v1/hello?station=ID``            epoch, limits, time, how far the server holds this station's journal
``POST /v1/journal``                     :class:`PushRequest`, gzip → :class:`PushAnswer`, one result per entry
``POST /v1/photos/missing``              :class:`MissingRequest` → :class:`MissingAnswer`
``PUT  /v1/photos/{sha256}``             the JPEG's bytes → :class:`PhotoAnswer`
``GET  /v1/feed/{topic}?after=CURSOR``   :class:`FeedPage`: what changed since the cursor, oldest first
``GET  /v1/status``                      :class:`StatusAnswer`: counts
=======================================  =====================================================================

Every request but ``health`` carries ``Station-Protocol: 1`` and, where the server asks for one, a bearer token. Every
failure is an :class:`ErrorAnswer` with advice. A payload travels as the *exact* canonical text that was hashed, as one
JSON string: any JSON library in any language keeps it, whatever it does to the order of keys.

Answers may grow: a reader ignores fields it does not know. An entry may not: its fields are what the hash covers.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Final

import msgspec

VERSION: Final = 1
"""Value of the ``Station-Protocol`` header. A server answers 426 to one it does not speak."""

VERSION_HEADER: Final = "Station-Protocol"
TOKEN_VARIABLE: Final = "STATION_SERVER_TOKEN"
"""Environment variable with the shared token, at both ends (enrolment and signatures replace it)."""

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Position = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class Status(StrEnum):
    """What became of one entry. All but ``retry`` are acknowledgements: the server holds the bytes durably."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """Same place, same hash: it was here already."""
    QUARANTINED = "quarantined"
    """Kept, but not applied; ``code`` says why. A person or a newer server looks at it."""
    CONFLICT = "conflict"
    """Kept beside another entry at the same place of the chain (``forked``, ``chain_broken``)."""
    ID_COLLISION = "id_collision"
    """Kept beside another entry with the same id."""
    RETRY = "retry"
    """Not kept. The server lacks what comes before it: send from ``expected_seq`` on."""


class Code(StrEnum):
    """Why an entry is quarantined or in conflict."""

    HASH_MISMATCH = "hash_mismatch"
    BAD_PAYLOAD = "bad_payload"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_SCHEMA = "unknown_schema"
    MALFORMED = "malformed"
    WITHHELD = "payload_withheld"
    FORKED = "forked"
    CHAIN_BROKEN = "chain_broken"
    SAME_ID = "same_id"
    GAP = "gap"


class Limits(msgspec.Struct, frozen=True):
    """What the server takes in one request; the client stays below."""

    batch_entries: Positive = 100
    batch_bytes: Positive = 512 * 1024
    """Sum of payloads in one push that the client aims at."""
    body_bytes: Positive = 4 * 1024 * 1024
    """Hard limit of one unpacked journal request."""
    photo_bytes: Positive = 8 * 1024 * 1024
    missing_hashes: Positive = 200


class WireEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One journal entry as it travels (``station`` is in the request)."""

    generation: Position
    seq: Position
    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    kind: Name
    schema: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    recorded_at: Annotated[str, msgspec.Meta(max_length=40)]
    actor: Annotated[str, msgspec.Meta(max_length=200)]
    payload_sha256: Sha256
    prev_hash: Sha256
    hash: Sha256
    payload: str | None = None
    """Exact canonical JSON text; absent = erased (its hash stays) or withheld."""
    withheld: str | None = None
    """Why the bench sends only the header: the record itself was refused again and again. The chain goes on."""


class Place(msgspec.Struct, frozen=True):
    """The least that must be readable of an entry so that it can be quarantined in its place."""

    generation: Position
    seq: Position
    id: str = ""
    """Echoed in the answer as it came."""


class PushRequest(msgspec.Struct, frozen=True):
    """Entries of one station, oldest first. Each is read by itself, so that a bad one cannot hide the others."""

    station: Name
    entries: list[msgspec.Raw]
    """:class:`WireEntry` each."""


class EntryResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer for one entry, named by its place and id."""

    generation: int
    seq: int
    id: str
    status: Status
    code: str | None = None
    detail: str | None = None
    expected_seq: int | None = None
    """With ``retry``: the first entry of this generation that the server lacks."""


class Head(msgspec.Struct, frozen=True):
    """How far the server holds one generation of a station's journal."""

    generation: int
    seq: int
    hash: str | None
    """None = the last entry came damaged, so its link cannot be vouched for."""


class PushAnswer(msgspec.Struct, frozen=True):
    """Sent only after the commit."""

    protocol: int
    epoch: str
    results: list[EntryResult]
    heads: list[Head]
    """How far the server holds the generations of this push (hello tells all)."""
    server_time: str


class HelloAnswer(msgspec.Struct, frozen=True):
    """Who the server is."""

    protocol: int
    epoch: str
    """Another one after every restore from a backup."""
    server_time: str
    limits: Limits
    heads: list[Head]


class HealthAnswer(msgspec.Struct, frozen=True):
    live: bool
    ready: bool


class MissingRequest(msgspec.Struct, frozen=True):
    hashes: list[Sha256]


class MissingAnswer(msgspec.Struct, frozen=True):
    missing: list[str]
    held: list[str]
    """Named, so that nothing is taken as held because an answer was cut short."""


class PhotoAnswer(msgspec.Struct, frozen=True):
    sha256: str
    size: int
    status: str
    """``stored`` or ``duplicate``."""


class StatusAnswer(msgspec.Struct, frozen=True):
    """What the centre holds."""

    epoch: str
    entries: int
    inspections: int
    """Inspections that stand: neither voided nor corrected by a later one."""
    inspections_received: int
    photos: int
    photos_missing: int
    """Named by an inspection and not yet here."""
    duplicates: int
    """Repeated entries that were recognised and had no second effect."""
    quarantined: int
    disputed: int
    """Forks and id collisions, kept for a lead."""
    stations: int


class Topic(StrEnum):
    """What flows from the centre to the benches, each with its own revisions."""

    RETURNS = "returns"
    CATALOGUE = "catalogue"
    MERCHANTS = "merchants"
    POLICIES = "policies"
    PROTOCOLS = "protocols"
    PRICES = "prices"
    PEOPLE = "people"
    DECISIONS = "decisions"
    """Leads' decisions on units."""
    SETTINGS = "settings"


class FeedItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing as it is now."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    rev: Position
    body: str | None = None
    """Exact canonical JSON text; absent = it is gone (a tombstone)."""


class FeedPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Items in the order of their revisions. The last page says what the whole must come to."""

    topic: Topic
    items: list[FeedItem]
    cursor: str
    """For the next question; opaque."""
    more: bool
    """There is another page already."""
    count: int | None = None
    """At the end: how many items there are, tombstones not counted."""
    checksum: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")] | None = None
    """At the end: XOR over all items of the first 64 bits of :func:`item_digest`."""


def item_digest(key: str, body: str) -> str:
    """Hex SHA-256 of one live item: ``key``, a NUL, ``body``."""
    return hashlib.sha256(f"{key}\0{body}".encode()).hexdigest()


def fold_digests(checksum: str, *digests: str) -> str:
    """Add items to a checksum, or take them out again: both are the same.

    >>> fold_digests("00000000000000ff", "000000000000000f" + "0" * 48)
    '00000000000000f0'
    """
    value = int(checksum, 16)
    for digest in digests:
        value ^= int(digest[:16], 16)
    return f"{value:016x}"


NOTHING_FOLDED: Final = "0" * 16
"""The checksum of no items."""


class ErrorBody(msgspec.Struct, frozen=True):
    code: str
    message: str
    advice: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    error: ErrorBody

"""Entries on their way, and what became of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from sync.protocol.access import Countersigned
from sync.protocol.common import Name, Position, Sha256

FOLLOWS_HEADER: Final = "Station-Follows"
"""``1``: the push before this one is still under way, so the server waits a moment for it before it answers *retry*."""


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
    STALE = "stale_version"
    """A decision on a unit that changed meanwhile: kept, without effect; a person looks at both."""
    NOT_ALLOWED = "not_allowed"
    """A decision that a gate forbids, or on a unit that nobody knows: kept, without effect."""


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
    id: msgspec.Raw = msgspec.Raw(b'""')
    """Echoed in the answer if it is a text at all."""


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
    countersigned: list[Countersigned] = []
    """The heads, signed; not of a generation whose last entry came damaged."""
    feed: dict[str, int] = msgspec.field(default_factory=dict)
    """Topic of the feed → its newest revision, so that a bench knows when there is something to ask for."""

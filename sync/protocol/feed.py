"""What the centre tells the benches."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from sync.protocol.common import Position


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
    ERASURES = "erasures"
    """Units that a bench shall forget: :class:`Erasure`."""


class Erasure(msgspec.Struct, frozen=True):
    """Body of an item of ``ERASURES``: what is kept of this unit goes, hashes stay. Its key is the unit's id."""

    unit_id: str
    erasure_id: str
    asked_at: str


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

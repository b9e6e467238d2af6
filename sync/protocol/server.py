"""Who the server is and what it holds."""

from __future__ import annotations

import msgspec

from sync.protocol.access import ServerKey
from sync.protocol.common import Limits
from sync.protocol.journal import Head


class HelloAnswer(msgspec.Struct, frozen=True):
    """Who the server is."""

    protocol: int
    epoch: str
    """Another one after every restore from a backup."""
    server_time: str
    limits: Limits
    heads: list[Head]
    server: str = ""
    """The server's id; stays through restores."""
    server_key: ServerKey | None = None
    """With which it countersigns."""
    feed: dict[str, int] = msgspec.field(default_factory=dict)
    """Topic of the feed → its newest revision (as in ``PushAnswer``)."""


class HealthAnswer(msgspec.Struct, frozen=True):
    live: bool
    ready: bool


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

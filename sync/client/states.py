"""What the sync bar shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from station.store.outbox import Unsent


class Link(StrEnum):
    """Offline is a state, not an error."""

    ONLINE = "online"
    OFFLINE = "offline"
    PAUSED = "paused"
    """The server does not let this bench in; recording goes on."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """One moment of the sync, complete for the bar."""

    state: Link
    unsent: Unsent
    detail: str
    """Why it is not online, or what is being refused, in plain words; empty = all is well."""
    last_synced_at: datetime | None
    """UTC, when the server last took everything there was."""
    stuck: int = 0
    """Entries whose payload the server refuses again and again; kept here, and tried again later."""
    forked: bool = False
    """The server holds other entries at the same places: this disk was restored or cloned; IT must look."""
    revoked: bool = False
    """IT shut this bench out; it keeps what it records, and sends it when it is let in again."""

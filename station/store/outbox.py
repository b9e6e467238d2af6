"""What the sync client needs of the journal: the unsent part of it, and a place for the server's answers.

The journal itself is the outbox: an entry is pending until a row in the acknowledgements names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from station.errors import StoreFault
from station.journal.entry import Entry
from station.journal.seal import CountersignedHead


class PhotoUnreadable(StoreFault):
    """A photo's file is there, but cannot be read just now (a virus scanner or a backup holds it): try again."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The server's parsed answer for one entry."""

    generation: int
    seq: int
    status: str
    """``accepted``, ``duplicate``, ``quarantined``, ``conflict`` or ``id_collision``; ``retry`` never comes here."""
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """What the sync bar shows."""

    entries: int
    photos: int
    since: datetime | None
    """When the oldest unsent entry was recorded."""
    quarantined: int


class ChainStore(Protocol):
    """The journal as a chain that the server knows too. Implemented by ``station.store.Store``."""

    @property
    def generation(self) -> int:
        """The chain that is being continued."""
        ...

    def hash_at(self, generation: int, seq: int) -> str | None:
        """The hash of one entry; None = it is not in this journal."""
        ...

    def start_generation(self, *, reason: str, above: int) -> int:
        """Begin a new chain with an entry that says why, durably.

        Args:
            above: the highest generation that anybody may have used.
        """
        ...

    def countersigned(self) -> tuple[CountersignedHead, ...]:
        """The newest heads that the server signed for, ascending; only those that were kept."""
        ...

    def keep_countersigned(self, heads: Sequence[CountersignedHead]) -> None:
        """Keep them, durably, each in the place of an older one of its generation."""
        ...


class Outbox(Protocol):
    """Implemented by ``station.store.Store``; used by ``sync.client``. Safe to call from the sync thread."""

    @property
    def station(self) -> str: ...

    def pending_entries(self, limit: int, max_bytes: int, after: tuple[int, int] | None = None) -> tuple[Entry, ...]:
        """The oldest unacknowledged entries, in (generation, seq) order; at least one if any is pending.

        Args:
            after: only those behind this (generation, seq), which is under way.
        """
        ...

    def acknowledge(self, answers: Sequence[Acknowledgement]) -> None:
        """Keep the server's answers, durably, in one transaction. Naming an entry twice changes nothing."""
        ...

    def at_server(self) -> Mapping[int, int]:
        """Generation → the last seq of which the server said that it holds it; absent = none."""
        ...

    def unsent(self) -> Unsent: ...

    def photos_to_send(self, limit: int) -> tuple[str, ...]:
        """Hashes of photos named by acknowledged entries and not yet at the server, oldest first."""
        ...

    def photo_bytes(self, sha256: str) -> bytes:
        """The JPEG, checked against its name.

        Raises:
            PhotoUnreadable: it is there, but cannot be read just now.
            StoreFault: gone or changed on disk; the text names the file.
        """
        ...

    def photo_sent(self, sha256: str) -> None: ...

    def photo_lost(self, sha256: str, reason: str) -> None:
        """Note that a photo cannot be sent (gone or damaged on disk): reported, and never retried for ever."""
        ...

    def reopen(self, held: Mapping[int, int]) -> int:
        """Make pending again what a restored server no longer holds, and every photo unconfirmed.

        Args:
            held: generation → last seq that the server holds; a generation that is absent is not there at all.

        Returns:
            How many entries are pending again.
        """
        ...

    def sync_value(self, key: str) -> str | None:
        """A small value the sync client keeps, e.g. ``server_epoch``."""
        ...

    def set_sync_value(self, key: str, value: str) -> None: ...

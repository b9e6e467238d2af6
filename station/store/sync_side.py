"""The store as the sync client sees it: the chain, the outbox, what the centre told, and who may sign in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from station.journal.entry import Entry
from station.journal.seal import CountersignedHead
from station.store import deliveries, feed, lineage
from station.store.access import Access
from station.store.feed import FeedChange, FeedEnd, FeedMark, FeedRecord, Taken
from station.store.forgetting import Forgotten, forget_unit
from station.store.outbox import Acknowledgement, Unsent

if TYPE_CHECKING:
    from station.people import Lockouts


class SyncSide(Access):
    """Implements ``Outbox`` and ``ChainStore`` of ``station.store.outbox``, and ``station.store.feed.FeedStore``."""

    # The chain (station.store.outbox.ChainStore)

    def hash_at(self, generation: int, seq: int) -> str | None:
        """The hash of one entry; None = it is not in this journal."""
        with self._reading("reading the chain") as connection:
            return lineage.hash_at(connection, generation, seq)

    def start_generation(self, *, reason: str, above: int) -> int:
        """Begin a new chain with an entry that says why; what is recorded from now on belongs to it.

        Raises:
            StoreFault: nothing was begun.
        """

        def work(connection: sa.Connection) -> tuple[Entry, ...]:
            return lineage.start_generation(
                connection, self._head, station=self._station, reason=reason, above=above, clock=self._clock,
                ids=self._ids,
            )  # fmt: skip

        entries = self._writer.call(work, doing="beginning a new generation", committed=self._advance)
        return entries[0].generation

    def countersigned(self) -> tuple[CountersignedHead, ...]:
        """The newest heads that the server signed for."""
        with self._reading("reading what the server signed") as connection:
            return lineage.countersigned(connection)

    def keep_countersigned(self, heads: Sequence[CountersignedHead]) -> None:
        """Keep what the server signed, durably."""
        heads = tuple(heads)
        self._write(lambda connection: lineage.keep_countersigned(connection, heads), "keeping what the server signed")

    def forget(self, unit_id: str) -> Forgotten:
        """Erase the content and the photos of a unit that the server has; hashes stay, the chain still verifies.

        Raises:
            OperatorError: nothing of it is here, or not all of it is at the server.
        """
        gone = self._writer.call(lambda connection: forget_unit(connection, unit_id), doing="forgetting a unit")
        for sha256 in gone.photos:
            self.photos.remove(sha256)
        return gone

    # The outbox (station.store.outbox.Outbox)

    def pending_entries(self, limit: int, max_bytes: int, after: tuple[int, int] | None = None) -> tuple[Entry, ...]:
        """The oldest unacknowledged entries behind ``after``, in order; at least one if any is pending."""
        with self._reading("reading the outbox") as connection:
            return deliveries.pending_entries(connection, limit, max_bytes, after)

    def acknowledge(self, answers: Sequence[Acknowledgement]) -> None:
        """Keep the server's answers, durably, in one transaction. Naming an entry twice changes nothing."""
        answers = tuple(answers)
        self._write(lambda connection: deliveries.acknowledge(connection, answers, self._clock.now()), "acknowledging")

    def at_server(self) -> Mapping[int, int]:
        """Generation → the last seq that the server said it holds."""
        with self._reading("reading the outbox") as connection:
            return deliveries.at_server(connection)

    def reopen(self, held: Mapping[int, int]) -> int:
        """Make pending again what a restored server no longer holds; how many entries that are."""
        return self._writer.call(lambda connection: deliveries.reopen(connection, held), doing="re-offering")

    def unsent(self) -> Unsent:
        """What the sync bar shows."""
        with self._reading("counting the outbox") as connection:
            return deliveries.unsent(connection)

    def photos_to_send(self, limit: int) -> tuple[str, ...]:
        """Hashes of photos named by acknowledged entries and not yet at the server, oldest first."""
        with self._reading("reading the outbox") as connection:
            return deliveries.photos_to_send(connection, limit)

    def photo_bytes(self, sha256: str) -> bytes:
        """The JPEG, checked against its name.

        Raises:
            StoreFault: gone or changed on disk; the text names the file.
        """
        return self.photos.read(sha256)

    def photo_sent(self, sha256: str) -> None:
        """Note that the server has a photo."""
        self._write(lambda connection: deliveries.photo_sent(connection, sha256, self._clock.now()), "noting a photo")

    def photo_lost(self, sha256: str, reason: str) -> None:
        """Note that a photo cannot be sent, so that it is reported and never retried for ever."""
        self._write(lambda connection: deliveries.photo_lost(connection, sha256, reason), "noting a photo")

    def sync_value(self, key: str) -> str | None:
        """A small value the sync client keeps; None = never set."""
        with self._reading("reading a setting") as connection:
            return deliveries.sync_value(connection, key)

    def set_sync_value(self, key: str, value: str) -> None:
        """Keep a small value of the sync client's, durably."""
        self._write(lambda connection: deliveries.set_sync_value(connection, key, value), "keeping a setting")

    # The feed (station.store.feed.FeedStore)

    def feed_mark(self, topic: str) -> FeedMark:
        """Where to go on with a topic."""
        with self._reading("reading the feed's mark") as connection:
            return feed.mark(connection, topic)

    def take_feed(
        self, topic: str, after: str | None, changes: Sequence[FeedChange], cursor: str, end: FeedEnd | None
    ) -> Taken:
        """Apply one page of the feed and its cursor, durably, in one transaction; a repeat has no effect."""
        return self._writer.call(
            lambda connection: feed.take(connection, topic, after, changes, cursor, end, self._clock.now()),
            doing="keeping what the centre told",
        )

    def refetch_feed(self, topic: str) -> None:
        """Begin to fetch a topic anew; what is in force stays until all of it is here."""
        self._write(lambda connection: feed.refetch(connection, topic), "beginning a topic anew")

    def feed_items(self, topic: str) -> tuple[FeedRecord, ...]:
        """What the centre told of a topic that has no tables of its own (policies, people, decisions …), by key."""
        with self._reading("reading what the centre told") as connection:
            return feed.records(connection, topic)

    def feed_item(self, topic: str, key: str) -> FeedRecord | None:
        """One such item; None = there is none."""
        with self._reading("reading what the centre told") as connection:
            return feed.record(connection, topic, key)

    # The people

    @property
    def lockouts(self) -> Lockouts:
        """Wrong PINs of the people here; each is on disk before the PIN is looked at."""
        from station.store.lockouts import StoreLockouts  # brings Argon2 along, which no start may wait for

        return StoreLockouts(self._writer, self._readers)

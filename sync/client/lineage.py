"""Is this still the journal that the server knows? A restored, copied or cut disk is noticed, and a new chain begun.

=====================================================  ==============================================================
what the server says                                   what it means
=====================================================  ==============================================================
it holds this chain further than it goes here          the disk was restored, or the end of the journal is lost
it holds another entry at a place that is here too     the disk was copied and both copies went on, or was rewritten
it has another entry for one that was just sent        the same, found by a push (``forked``, ``chain_broken``)
it holds a newer generation of this station            another copy began one: two machines use one identity
=====================================================  ==============================================================

In the first three a new generation begins above every one the server knows, with an entry in the journal that says why;
work goes on. What both copies recorded is kept: what the server cannot place it keeps beside, for a lead.

What the server signs is kept here only if the signature is good and the key is the one this bench trusts: the one it
was given when it joined (or which that one vouched for); without enrolment the first one it saw.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from station.journal.seal import CountersignedHead, is_countersigned
from station.store.outbox import ChainStore
from sync.client.identity import Identity
from sync.protocol import Countersigned, Head, ServerKey

logger = logging.getLogger(__name__)

SERVER_KEY: Final = "server_key"
"""Key of the sync value: the first key that was seen, without enrolment."""


class _Store(ChainStore, Protocol):
    @property
    def station(self) -> str: ...

    def sync_value(self, key: str) -> str | None: ...

    def set_sync_value(self, key: str, value: str) -> None: ...


class Lineage:
    """Watches one bench's chain for its sync loop, on that loop's thread."""

    def __init__(self, store: _Store, identity: Identity | None = None) -> None:
        self._store = store
        self._identity = identity
        self._above = 0
        """The highest generation that the server told of."""
        self._signed: dict[int, CountersignedHead] = {}
        """Not written down yet."""
        self.twin = False
        """Another machine goes on under this bench's name."""

    def meet(self, heads: Sequence[Head], key: ServerKey | None) -> bool:
        """Compare with what the server holds (hello).

        Returns:
            Whether a new generation began.
        """
        if key is not None and self._identity is None and self._store.sync_value(SERVER_KEY) is None:
            self._store.set_sync_value(SERVER_KEY, key.public_key)
        self._above = max([self._above, *(head.generation for head in heads)])
        current = self._store.generation
        for head in heads:
            if head.generation == current:
                here = self._store.hash_at(head.generation, head.seq)
                if here is None:
                    return self._begin(
                        f"the server holds entry {head.generation}/{head.seq}, which is not on this disk"
                    )
                if head.hash is not None and head.hash != here:
                    return self._begin(f"the server holds another entry at {head.generation}/{head.seq}")
        if self._above > current and self._store.hash_at(self._above, 1) is None and not self.twin:
            self.twin = True
            logger.error(
                "another machine records as %r (generation %s); IT must look", self._store.station, self._above
            )
        return False

    def conflict(self, generation: int, seq: int) -> bool:
        """The server has another entry for one that was sent. Whether a new generation began."""
        if generation != self._store.generation:
            return False  # of a chain that was left already
        return self._begin(f"the server holds another entry at {generation}/{seq}")

    def take(self, signed: Sequence[Countersigned]) -> None:
        """Look at what the server signed; :meth:`write` keeps it."""
        trusted = self._trusted()
        for each in signed:
            head = msgspec.convert(each, CountersignedHead, from_attributes=True)
            is_mine = (
                head.station == self._store.station and self._store.hash_at(head.generation, head.seq) == head.hash
            )
            if is_mine and head.key == trusted and is_countersigned(head):
                self._signed[head.generation] = head
            elif is_mine:
                logger.warning("a countersignature does not count here: another key, or not its signature")

    def write(self) -> None:
        """Keep what was signed, when there is nothing more urgent.

        Raises:
            StoreFault: it is tried again.
        """
        if self._signed:
            self._store.keep_countersigned(tuple(self._signed.values()))
            self._signed = {}

    def _trusted(self) -> str | None:
        if self._identity is not None:
            return self._identity.enrolment.server_key
        return self._store.sync_value(SERVER_KEY)

    def _begin(self, reason: str) -> bool:
        before = self._store.generation
        self._above = max(self._above, self._store.start_generation(reason=reason, above=self._above))
        logger.error("the journal's generation %s cannot go on: %s; generation %s begins", before, reason, self._above)
        return True

"""Forget on this bench what the centre says shall be forgotten: the content of a unit's records and its photos.

The list is the feed's topic ``erasures``; each time it is complete here it is gone through. What is not wholly at the
centre yet stays until it is (it would be lost otherwise) and is tried at the next look. What was forgotten is
remembered for as long as the program runs only: after a restart, or after an old backup was put back, everything is
gone through once more, so that nothing comes back to stay.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from station.errors import OperatorError
from station.store.feed import FeedRecord
from station.store.forgetting import Forgotten, NothingToForget
from sync.protocol import Erasure, Topic

logger = logging.getLogger(__name__)

_BODY: Final = msgspec.json.Decoder(Erasure)


class Forgets(Protocol):
    """The bench's store, as far as this needs it. Implemented by ``station.store.Store``."""

    def feed_items(self, topic: str) -> Sequence[FeedRecord]:
        """All live items of a topic."""
        ...

    def forget(self, unit_id: str) -> Forgotten:
        """Erase the content and the photos of a unit.

        Raises:
            NothingToForget: nothing of it is here.
            OperatorError: not all of it is at the server.
        """
        ...


class Forgetting:
    """Obeys the list. On the thread of the sync loop."""

    def __init__(self, store: Forgets) -> None:
        self._store = store
        self._done: set[tuple[str, str]] = set()
        """(erasure, unit): one erasure may name a unit under two ids."""

    def obey(self) -> int:
        """Forget what is on the list and can be; how many units that were.

        Raises:
            StoreFault: the bench's own store fails.
        """
        count = 0
        for item in self._store.feed_items(Topic.ERASURES.value):
            try:
                told = _BODY.decode(item.body)
            except msgspec.DecodeError as error:
                logger.warning("what shall be forgotten cannot be read: %s", error)
                continue
            this = (told.erasure_id, told.unit_id)
            if this in self._done:
                continue
            try:
                gone = self._store.forget(told.unit_id)
            except NothingToForget:
                self._done.add(this)
                continue
            except OperatorError as error:
                logger.info("a unit is not forgotten yet: %s", error)
                continue
            self._done.add(this)
            count += 1
            logger.info(
                "a unit was forgotten: %s records, %s photos", gone.entries, len(gone.photos),
                extra={"erasure": told.erasure_id},
            )  # fmt: skip
        return count

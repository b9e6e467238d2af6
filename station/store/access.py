"""What every side of the store works with: the writer, the readers, and where the chain stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa

from station.clock import Clock
from station.journal.entry import GENESIS, Entry
from station.store.engine import faults
from station.store.entries import Head
from station.store.photos import PhotoStore
from station.store.writer import Writer


class Access:
    """The ground under ``Store``'s sides; ``Store`` itself opens and closes it."""

    _writer: Writer
    _readers: sa.Engine

    def __init__(self, *, station: str, clock: Clock, ids: Callable[[], str], photos: PhotoStore) -> None:
        self._station = station
        self._clock = clock
        self._ids = ids
        self._head = Head(0, 0, GENESIS)
        """Where the chain stands; the writer thread's own, generation 0 = not opened yet."""
        self._recorded_at = clock.monotonic()
        self.photos = photos
        """Photographs by hash; ``photos.keep`` is called from the camera's worker."""

    @property
    def station(self) -> str:
        """This bench's name, as it stands in every entry."""
        return self._station

    @property
    def generation(self) -> int:
        """The chain that is being continued."""
        return self._head.generation

    def _write(self, work: Callable[[sa.Connection], None], doing: str) -> None:
        self._writer.call(work, doing=doing)

    def _reading(self, doing: str) -> AbstractContextManager[sa.Connection]:
        return _reading(self._readers, doing)

    def _advance(self, entries: tuple[Entry, ...]) -> None:
        self._recorded_at = self._clock.monotonic()
        if entries:
            self._head = Head(entries[-1].generation, entries[-1].seq, entries[-1].hash)


@contextmanager
def _reading(engine: sa.Engine, doing: str) -> Iterator[sa.Connection]:
    with faults(doing), engine.connect() as connection, connection.begin():
        yield connection

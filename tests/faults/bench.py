"""A bench's loop on a thread of its own, as the app runs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from station.clock import SystemClock
from station.store.outbox import Outbox
from sync.client.api import HttpApi
from sync.client.decide import Timing
from sync.client.loop import SyncLoop
from sync.client.states import SyncState
from tests.sync.material import SWIFT, dice


class HastyClock(SystemClock):
    """Twenty seconds in one: a wait that the server asked for is kept, and the test does not grow old."""

    def monotonic(self) -> float:
        return super().monotonic() * 20


class Bench:
    """Sends from ``with`` to its end."""

    def __init__(
        self, outbox: Outbox, url: str, seed: int, emit: Callable[[SyncState], None] | None = None,
        timing: Timing = SWIFT,
    ) -> None:  # fmt: skip
        self.states: list[SyncState] = []
        self._api = HttpApi(url, token=None, clock=SystemClock(), deadline_s=5)
        self.loop = SyncLoop(outbox, self._api, HastyClock(), dice(seed), timing)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self.loop.run, args=(self._stop.is_set, emit or self.states.append), name="bench"
        )

    def wake(self) -> None:
        self.loop.wake()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._api.close()

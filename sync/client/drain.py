"""Empty an outbox and say how fast: for the benchmark and for "send everything now"."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from station.clock import Clock
from station.errors import SyncFault
from station.store.outbox import Outbox
from sync.client.api import SyncApi
from sync.client.decide import Timing
from sync.client.loop import SyncLoop
from sync.client.states import SyncState


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain came to."""

    entries: int
    """Entries that were acknowledged."""
    seconds: float


def drain(
    outbox: Outbox,
    api: SyncApi,
    clock: Clock,
    rng: random.Random,
    *,
    within_s: float,
    timing: Timing | None = None,
    with_photos: bool = False,
    on_state: Callable[[SyncState], None] = lambda state: None,
) -> Drained:
    """Run the loop on this thread until nothing is unsent.

    Args:
        within_s: give up after so many seconds.
        with_photos: wait for the photos too.

    Raises:
        SyncFault: something is still unsent; the text says what and why.
    """
    loop = SyncLoop(outbox, api, clock, rng, timing)
    before = outbox.unsent().entries
    started = clock.monotonic()
    states: list[SyncState] = []

    def left() -> int:
        unsent = outbox.unsent()
        return unsent.entries + (unsent.photos if with_photos else 0)

    def done() -> bool:
        late = clock.monotonic() - started > within_s
        # Counting what is left costs more than a batch; only the loop's own states (four a second) are looked at.
        return late or bool(states and not states[-1].unsent.entries and not left())

    def note(state: SyncState) -> None:
        states[:] = [state]
        on_state(state)

    loop.run(done, note)
    seconds = clock.monotonic() - started
    if left():
        why = states[-1].detail if states else ""
        raise SyncFault(f"after {seconds:.1f} s there are still {left()} things unsent: {why or 'no time left'}")
    return Drained(before, seconds)

"""Plays a capture on a line at its real pace, so that a program at the other end lives it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from devices.capture import Chunk
from devices.simulators.line import ServedLine


def play(
    chunks: Sequence[Chunk],
    line: ServedLine,
    *,
    speed: float = 1.0,
    should_stop: Callable[[], bool] = lambda: False,
    monotonic: Callable[[], float] = time.monotonic,
) -> int:
    """Send each chunk when its time has come; what the other end says is read and dropped.

    Args:
        speed: 2.0 plays twice as fast; must be above 0.

    Returns:
        The number of bytes that the line took.
    """
    start = monotonic()
    sent = 0
    for chunk in chunks:
        while not should_stop():
            wait_s = start + chunk.seconds / speed - monotonic()
            if wait_s <= 0:
                break
            line.read(min(wait_s, 0.05))
        if should_stop():
            break
        sent += len(chunk.data) if line.write(chunk.data) else 0
    return sent

"""The same label read twice in a moment counts once, whichever scanner of the bench read it."""

from __future__ import annotations

import threading

from station.identify.text import split_aim

_KEPT = 256
"""Codes remembered at most; a bench reads a few in a second."""


class DuplicateGuard:
    """Remembers the codes of the last moment. One object for all scanners of a bench; for any thread.

    Context: a hand scanner and a presentation scanner both see the label that is carried past them, and each alone has
    read it once. Decision: what counts is the code without its AIM identifier, because one scanner may send it and the
    other not, and the window begins at the reading that was counted: a label that lies under a scanner counts again
    when the window is over. Price: two different symbols with the same text count once within the window.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[bytes, tuple[float, str]] = {}

    def counted_by(self, data: bytes, device: str, now: float, window_s: float) -> str | None:
        """Count a code, unless it has just been counted.

        Args:
            data: the scan, with or without AIM identifier.
            now: monotonic seconds, from the same clock for all scanners.
            window_s: 0 = count it in any case.

        Returns:
            None = it counts, from now on; else the device that has read it within the window.
        """
        key = split_aim(data)[1]
        with self._lock:
            before = self._counted.pop(key, None)
            if before is not None and abs(now - before[0]) < window_s:
                self._counted[key] = before
                return before[1]
            self._counted[key] = (now, device)
            while len(self._counted) > _KEPT:
                del self._counted[next(iter(self._counted))]
            return None


def why_refused(device: str, by: str, window_s: float) -> str:
    """The reason that the screen shows."""
    if by == device:
        return f"the same code again within {window_s:g} s: counted once"
    return f"{by} has read the same code less than {window_s:g} s ago: counted once"

"""A line that comes and goes: the loose plug that others hide by reconnecting (DEVICES §7.10).

How many frames arrive damaged on a line that stays is counted by the instrument (``error_rate.py``).
"""

from __future__ import annotations

from collections import deque

_WINDOW_S = 600.0
_LOSSES = 3


class CableWatch:
    """Counts losses of one device's line."""

    def __init__(self) -> None:
        self._losses: deque[float] = deque(maxlen=_LOSSES)

    def broke_off(self, now: float) -> None:
        """The open line was lost."""
        self._losses.append(now)

    def advice(self, now: float) -> str:
        """What to say while the device works; empty = nothing.

        >>> cable = CableWatch()
        >>> for second in (10.0, 200.0, 400.0):
        ...     cable.broke_off(second)
        >>> cable.advice(500.0)
        'it was lost 3 times in ten minutes: its plug is loose, or its cable is broken'
        >>> cable.advice(611.0)
        ''
        """
        if len(self._losses) < _LOSSES or now - self._losses[0] > _WINDOW_S:
            return ""
        return f"it was lost {_LOSSES} times in ten minutes: its plug is loose, or its cable is broken"

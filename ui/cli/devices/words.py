"""What the commands of ``station devices`` share: port settings, escapes in arguments, when to stop."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.transport import LineSettings

BITS = ["8N1", "7E1", "7O1", "8E1", "8O1", "7N2"]


def settings(default: LineSettings, baud: int | None, bits: str | None) -> LineSettings:
    settings = replace(default, baud=baud) if baud else default
    if bits:
        settings = replace(settings, data_bits=int(bits[0]), parity=bits[1], stop_bits=int(bits[2]))
    return settings


def stopper(seconds: float | None) -> Callable[[], bool]:
    """True after the time, after Ctrl-C or after a polite end by the system."""
    end = None if seconds is None else time.monotonic() + seconds
    stopped: list[int] = []
    for name in ("SIGINT", "SIGTERM"):
        # a signal ends the loop in the middle of nothing: files are whole, links are gone
        with contextlib.suppress(ValueError):
            signal.signal(getattr(signal, name), lambda number, frame: stopped.append(number))
    return lambda: bool(stopped) or (end is not None and time.monotonic() >= end)

"""What simulated label printers share: the paper they print on, the tray it falls into, and their moods."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from PIL import Image

from devices.simulators.steps import say


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A printed label: rows of bytes, 1 = black."""

    width: int
    height: int
    rows: tuple[bytes, ...]

    def save(self, path: Path) -> None:
        white = b"".join(bytes(~value & 0xFF for value in row) for row in self.rows)
        Image.frombytes("1", (len(self.rows[0]) * 8, self.height), white).crop((0, 0, self.width, self.height)).save(
            path
        )


class Moods:
    """How the printer is; changed by steps, read by the machine. Every use holds ``changed``."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.paper_out = self.paper_low = self.head_open = self.ribbon_out = self.cutter_jammed = False
        self.paused = self.mute = False
        self.break_off: str = ""
        """``reset`` or ``off``: what happens in the middle of the next job."""


class Tray:
    """Printed labels, as PNG files in the order in which they were printed."""

    def __init__(self, folder: Path | None, out: TextIO) -> None:
        self._folder = folder
        self._out = out
        self._count = 0

    def put(self, bitmap: Bitmap) -> None:
        self._count += 1
        name = f"label-{self._count:04d}.png"
        if self._folder is not None:
            bitmap.save(self._folder / name)
        say(self._out, printed=name, width=bitmap.width, height=bitmap.height)

    def spoil(self, why: str) -> None:
        """Something came out that nobody can read."""
        say(self._out, error=why)

"""What went over a line, as text that people can read and ``replay`` can play.

The format: comment lines begin with ``#``; every other line is ``seconds direction hex-bytes``::

    # station capture 1 · /dev/ttyUSB0 · 9600 8N1 · 2026-03-02T08:15:00+00:00
    0.000000 < 53 20 53 20 20 20 20 20
    0.104210 > 53 49 0D 0A

Seconds count from an arbitrary start, ``<`` came from the device, ``>`` went to it. The transport logs its bytes at
DEBUG in the same form, so a log file plays too: whatever stands before the seconds is ignored. Plain hex dumps are read
as well (``53 20 53 …`` with or without an offset before and the text behind); they have no times, so they are played
line by line at ten lines a second, as such scales send.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from devices.transport import LineSettings, format_bytes
from station.clock import Clock
from station.errors import InvalidInput

_TIMED = re.compile(r"(?:^|\s)(?P<seconds>\d+\.\d{6}) (?P<way>[<>]) (?P<hex>[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2})*)\s*$")
_DUMP = re.compile(r"^\s*(?P<hex>[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2})*)(?:\s{2,}.*|\s*)$")
_OFFSET_DUMP = re.compile(r"^[0-9A-Fa-f]{6,8}:?\s+(?P<hex>[0-9A-Fa-f]{2}(?: {1,2}[0-9A-Fa-f]{2})*)(?:\s{2,}.*|\s*)$")
_XXD = re.compile(r"^[0-9A-Fa-f]{8}: (?P<hex>[0-9A-Fa-f]{2,4}(?: [0-9A-Fa-f]{2,4})*)(?:\s{2}.*|\s*)$")
_DUMP_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
_DUMP_PERIOD_S = 0.1
_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that arrived together from a device."""

    seconds: float
    """Since the first chunk of the capture."""
    data: bytes


class CaptureWriter:
    """Writes a capture as it happens; each line is flushed, so that a crash loses nothing."""

    def __init__(self, out: TextIO, port: str, settings: LineSettings, clock: Clock) -> None:
        self._out = out
        self._clock = clock
        self._start = clock.monotonic()
        out.write(f"# station capture 1 · {port} · {settings} · {clock.now().isoformat()}\n")
        out.flush()

    def received(self, data: bytes) -> None:
        self._write("<", data)

    def sent(self, data: bytes) -> None:
        self._write(">", data)

    def note(self, text: str) -> None:
        """A comment line, e.g. that the device was unplugged."""
        self._out.write(f"# {self._clock.monotonic() - self._start:.6f} {' '.join(text.split())}\n")
        self._out.flush()

    def _write(self, direction: str, data: bytes) -> None:
        self._out.write(format_bytes(self._clock.monotonic() - self._start, direction, data) + "\n")
        self._out.flush()


def read_capture(path: Path) -> tuple[Chunk, ...]:
    """What a device sent, from a capture, a log or a plain hex dump.

    Raises:
        InvalidInput: the file cannot be read, or no line of it holds bytes.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InvalidInput(f"{str(path)!r} is larger than 64 MB: cut the part that matters out of it")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InvalidInput(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    timed = [found for line in text.splitlines() if not line.startswith("#") and (found := _TIMED.search(line))]
    if timed:
        start = float(timed[0]["seconds"])
        return tuple(
            Chunk(max(0.0, float(found["seconds"]) - start), bytes.fromhex(found["hex"]))
            for found in timed
            if found["way"] == "<"
        )
    dumped = b"".join(
        bytes.fromhex(found["hex"])
        for line in text.splitlines()
        if (found := _XXD.match(line) or _OFFSET_DUMP.match(line) or _DUMP.match(line))
    )
    if not dumped:
        raise InvalidInput(f"{str(path)!r} holds no bytes: expected lines like '0.000000 < 53 20' or a hex dump")
    return tuple(Chunk(i * _DUMP_PERIOD_S, line) for i, line in enumerate(_DUMP_LINE.findall(dumped)))

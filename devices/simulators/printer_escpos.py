"""The inside of a simulated ESC/POS printer with an 80 mm roll, 203 dpi, a cutter and a near-end sensor.

Written from Epson's command reference, apart from the driver. Off line it goes on receiving and answers real-time
commands; it carries out nothing. What came before it went off line is printed when it is on line again. A real-time
command is answered wherever its bytes stand, also inside a bitmap, and is part of that bitmap all the same.
Source: Epson, ESC/POS Command Reference: ``DLE EOT``, ``DLE ENQ``, ``DLE DC4``, ``ESC @``, ``GS v 0``, ``GS V``,
``GS r``, ``GS (``, ``ESC J``, ``ESC d``.
"""

from __future__ import annotations

from collections.abc import Callable

from devices.simulators.printer_paper import Bitmap, Moods, Tray

_WIDTH = 576
_ROW = _WIDTH // 8
_MOST_ROWS = 4000
_LENGTHS = {
    b"\x1b@": 2,
    b"\x1bJ": 3,
    b"\x1bd": 3,
    b"\x1ba": 3,
    b"\x1b=": 3,
    b"\x1dr": 3,
    b"\x10\x04": 3,
    b"\x10\x05": 3,
}
"""Commands of a fixed length."""
_REAL_TIME_FUNCTIONS = {1: 5, 2: 5, 3: 8, 7: 4, 8: 10}
"""``DLE DC4 fn``: bytes in all."""


class EscPosMachine:
    """Receive buffer, print position, paper."""

    def __init__(self, moods: Moods, tray: Tray) -> None:
        self._moods = moods
        self._tray = tray
        self._buffer = bytearray()
        self._last = b""
        """The end of what came before, for a real-time command that arrives in two pieces."""
        self._rows: list[bytes] = []
        self._answer: Callable[[bytes], None] = lambda data: None
        self._rubbish = b""

    @property
    def mid_job(self) -> int:
        return len(self._buffer) + len(self._rows) * _ROW

    def feed(self, data: bytes, answer: Callable[[bytes], None]) -> None:
        self._answer = answer
        seen = self._last + data
        for at in range(len(seen) - 2):
            if seen[at : at + 2] == b"\x10\x04" and at + 3 > len(self._last):
                self._real_time(seen[at + 2])
        self._last = seen[-2:]
        self._buffer += data
        self.work()

    def power_cycle(self) -> None:
        self._buffer.clear()
        self._rows.clear()
        self._last = self._rubbish = b""

    def work(self) -> None:
        """Carry out what is complete, as long as it is on line."""
        while self._buffer and not self._off_line:
            length = self._carry_out(bytes(self._buffer[:8]))
            if not length:
                return
            del self._buffer[:length]

    @property
    def _off_line(self) -> bool:
        moods = self._moods
        return moods.paper_out or moods.head_open or moods.cutter_jammed or moods.paused

    def _real_time(self, number: int) -> None:
        moods = self._moods
        if moods.mute:
            return
        fixed = 0b00010010
        if number == 1:
            self._answer(bytes([fixed | 0b1000 * self._off_line]))
        elif number == 2:
            error = 0b1000000 * moods.cutter_jammed
            self._answer(bytes([fixed | 0b100 * moods.head_open | 0b100000 * moods.paper_out | error]))
        elif number == 3:
            self._answer(bytes([fixed | 0b1000 * moods.cutter_jammed]))
        elif number == 4:
            low = 0b1100 * (moods.paper_low or moods.paper_out)
            self._answer(bytes([fixed | low | 0b1100000 * moods.paper_out]))

    def _carry_out(self, head: bytes) -> int:
        """One command at the front of the buffer: how many bytes it took, 0 = not all of it is there."""
        if head[:1] in b"\x00\n\r":
            return 1
        if head[:1] not in (b"\x1b", b"\x1d", b"\x10"):
            self._spoil(head[:1])
            return 1
        if len(head) < 3:
            return 0
        two = head[:2]
        if two == b"\x1dv":
            return self._raster(head)
        if two == b"\x1dV":
            return self._cut(head)
        if two == b"\x1d(":
            return self._whole(5 + int.from_bytes(head[3:5], "little")) if len(head) >= 5 else 0
        if two == b"\x10\x14":
            return self._whole(_REAL_TIME_FUNCTIONS.get(head[2], 3))
        length = self._whole(_LENGTHS.get(two, 0))
        if two not in _LENGTHS:
            self._spoil(two)
            return 2
        if length and two == b"\x1dr" and head[2] in (1, 49) and not self._moods.mute:
            self._answer(bytes([0b11 * self._moods.paper_low]))
        return length

    def _whole(self, length: int) -> int:
        return length if len(self._buffer) >= length else 0

    def _raster(self, head: bytes) -> int:
        if len(head) < 8:
            return 0
        width, height = int.from_bytes(head[4:6], "little"), int.from_bytes(head[6:8], "little")
        length = self._whole(8 + width * height)
        if not length:
            return 0
        data = bytes(self._buffer[8:length])
        for row in range(height if width else 0):
            # what lies beyond the paper's width is not printed
            self._rows.append(data[row * width : (row + 1) * width][:_ROW].ljust(_ROW, b"\x00"))
        del self._rows[_MOST_ROWS:]
        return length

    def _cut(self, head: bytes) -> int:
        length = self._whole(4 if head[2] in (65, 66, 97, 98, 103, 104) else 3)
        if length and self._rubbish:
            self._tray.spoil(f"printed as rubbish: {self._rubbish!r}")
        if length and self._rows:
            self._tray.put(Bitmap(_WIDTH, len(self._rows), tuple(self._rows)))
        if length:
            self._rows, self._rubbish = [], b""
        return length

    def _spoil(self, what: bytes) -> None:
        self._rubbish = (self._rubbish + what)[-40:]

"""The inside of a simulated ZPL printer: takes bytes, keeps formats, prints them when it can, answers ``~HS``.

Written from Zebra's manual, apart from the encoder in ``devices/printer``, so that a mistake in one is not made good by
the same mistake in the other.
Source: ZPL II Programming Guide, ``^GF``, ``^PW``, ``^LL``, ``^FO``, ``~HS``, ``~JX``, "Alternative Data Compression
Scheme", "ZB64 Encoding and Compression".
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator

from devices.simulators.printer_paper import Bitmap, Moods, Tray
from station.errors import InvalidInput

_MOST_DOTS = 4000
_MOST_BYTES = 4_000_000
_COMMANDS = (b"~HS", b"~JX", b"^XA")


def decode_graphic(data: str, bytes_per_row: int, total: int) -> tuple[bytes, ...]:
    """The rows of a ``^GFA`` field.

    Args:
        data: hexadecimal digits with repeat letters, or ``:B64:``/``:Z64:`` with its checksum.
        bytes_per_row: 1 and more.
        total: bytes of the whole graphic.

    Raises:
        InvalidInput: anything that a printer would print as rubbish.
    """
    if bytes_per_row < 1 or total % bytes_per_row:
        raise InvalidInput(f"^GF of {total} bytes is no whole number of rows of {bytes_per_row}")
    if data.startswith((":B64:", ":Z64:")):
        plain = _base64(data)
    else:
        plain = bytes.fromhex("".join(_expand(data, bytes_per_row * 2)))
    if len(plain) != total:
        raise InvalidInput(f"^GF promises {total} bytes and holds {len(plain)}")
    return tuple(plain[at : at + bytes_per_row] for at in range(0, total, bytes_per_row))


def _expand(data: str, digits_per_row: int) -> Iterator[str]:
    """Rows of hexadecimal digits."""
    row, previous, repeat = "", "0" * digits_per_row, 0
    for letter in data:
        if letter.isspace():
            continue
        if "G" <= letter <= "Y":
            repeat += ord(letter) - ord("G") + 1
        elif "g" <= letter <= "z":
            repeat += (ord(letter) - ord("g") + 1) * 20
        elif letter in ",!" and not repeat:
            row += ("0" if letter == "," else "F") * (digits_per_row - len(row))
        elif letter == ":" and not row and not repeat:
            row = previous
        elif letter in "0123456789ABCDEFabcdef":
            row, repeat = row + letter * max(1, repeat), 0
        else:
            raise InvalidInput(f"{letter!r} has no meaning at this place of a ^GFA field")
        while len(row) >= digits_per_row:
            previous, row = row[:digits_per_row], row[digits_per_row:]
            yield previous
    if row or repeat:
        raise InvalidInput("the last row of a ^GFA field is not complete")


def _base64(data: str) -> bytes:
    try:
        kind, body, checksum = data[1:].split(":")
        packed = base64.b64decode(body, validate=True)
        plain = zlib.decompress(packed) if kind == "Z64" else packed
        wanted = int(checksum, 16)
    except (ValueError, zlib.error, binascii.Error) as error:
        raise InvalidInput(f"^GF with {data[:5]} cannot be decoded: {error}") from error
    if binascii.crc_hqx(body.encode("ascii"), 0) != wanted:
        raise InvalidInput("^GF has a wrong checksum")
    return plain


def render_format(zpl: str) -> Bitmap:
    """Print one format, ``^XA`` to ``^XZ``.

    Raises:
        InvalidInput: no size, or a graphic that does not decode.
    """
    width = height = 0
    origin = (0, 0)
    fields: list[tuple[int, int, tuple[bytes, ...]]] = []
    for command in zpl.split("^")[1:]:
        name, rest = command[:2], command[2:]
        if name == "PW":
            width = _number(rest)
        elif name == "LL":
            height = _number(rest)
        elif name == "FO":
            left, _, top = rest.partition(",")
            origin = (_number(left), _number(top))
        elif name == "GF":
            kind, _bytes, total, per_row, data = rest.split(",", 4) if rest.count(",") >= 4 else ("", "", "", "", "")
            if kind != "A":
                raise InvalidInput(f"only ^GFA is understood, not {rest[:12]!r}")
            fields.append((*origin, decode_graphic(data, _number(per_row), _number(total))))
    if not (0 < width <= _MOST_DOTS and 0 < height <= _MOST_DOTS):
        raise InvalidInput(f"a label of {width} × {height} dots cannot be printed")
    canvas = [bytearray((width + 7) // 8) for _ in range(height)]
    for x, y, rows in fields:
        _burn(canvas, x, y, rows)
    return Bitmap(width, height, tuple(bytes(row) for row in canvas))


def _number(text: str) -> int:
    digits = text.strip()
    if not digits.isdecimal() or len(digits) > 8:
        raise InvalidInput(f"{text!r} is not a number")
    return int(digits)


def _burn(canvas: list[bytearray], x: int, y: int, rows: tuple[bytes, ...]) -> None:
    for offset, row in enumerate(rows):
        if y + offset >= len(canvas):
            return
        target = canvas[y + offset]
        bits = int.from_bytes(row) << (8 - x % 8)
        shifted = bits.to_bytes(len(row) + 1)
        for place, value in enumerate(shifted, x // 8):
            if place < len(target):
                target[place] |= value


class ZplMachine:
    """One receive buffer, whatever line the bytes come over: a format that breaks off stays in it."""

    def __init__(self, moods: Moods, tray: Tray) -> None:
        self._moods = moods
        self._tray = tray
        self._buffer = b""
        self._waiting: list[str] = []

    @property
    def mid_job(self) -> int:
        return len(self._buffer) if self._buffer.startswith(b"^XA") else 0

    def feed(self, data: bytes, answer: Callable[[bytes], None]) -> None:
        """Carry out every complete command. ``~`` commands do not wait for the format they stand in."""
        self._buffer = (self._buffer + data)[-_MOST_BYTES:]
        while True:
            found = [(at, command) for command in _COMMANDS if (at := self._buffer.find(command)) >= 0]
            if not found:
                self._buffer = self._buffer[-2:]
                return
            tilde = min(((at, command) for at, command in found if command[:1] == b"~"), default=None)
            start = self._buffer.find(b"^XA")
            end = self._buffer.find(b"^XZ", start) if start >= 0 else -1
            if tilde is not None and (end < 0 or tilde[0] < end):
                at, command = tilde
                self._buffer = self._buffer[:at] + self._buffer[at + len(command) :]
                self._obey(command, answer)
            elif end >= 0:
                self._take(self._buffer[start:end].decode("latin-1"))
                self._buffer = self._buffer[end + 3 :]
            else:
                self._buffer = self._buffer[start:]
                return

    def _obey(self, command: bytes, answer: Callable[[bytes], None]) -> None:
        if command == b"~JX":
            self._buffer = b""
        elif not self._moods.mute:
            answer(self._status())

    def _take(self, zpl: str) -> None:
        self._waiting.append(zpl)
        self.work()

    def work(self) -> None:
        """Print what waits, as far as it can."""
        while self._waiting and not self._stopped:
            try:
                self._tray.put(render_format(self._waiting.pop(0)))
            except InvalidInput as error:
                self._tray.spoil(str(error))

    def power_cycle(self) -> None:
        """Everything in memory is gone."""
        self._buffer = b""
        self._waiting.clear()

    @property
    def _stopped(self) -> bool:
        moods = self._moods
        return moods.paper_out or moods.head_open or moods.ribbon_out or moods.paused

    def _status(self) -> bytes:
        """The three strings of ``~HS``."""
        moods = self._moods
        waiting, partial = len(self._waiting), bool(self.mid_job)
        one = f"030,{moods.paper_out:d},{moods.paused:d},0408,{min(waiting, 999):03d},0,0,{partial:d},000,0,0,0"
        two = f"000,0,{moods.head_open:d},{moods.ribbon_out:d},{moods.ribbon_out:d},2,4,0,{waiting:08d},1,000"
        return b"".join(b"\x02" + line.encode("ascii") + b"\x03\r\n" for line in (one, two, "1234,0"))

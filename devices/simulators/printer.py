"""A ZPL label printer as a process of its own: takes formats on TCP, prints them as PNG files, and has its moods.

The decoder here was written from Zebra's manual, apart from the encoder in ``devices/printer``, so that a mistake in
one is not made good by the same mistake in the other.
Source: ZPL II Programming Guide, ``^GF``, ``^PW``, ``^LL``, ``^FO``, ``~HS``, "Alternative Data Compression Scheme",
"ZB64 Encoding and Compression".
"""

from __future__ import annotations

import base64
import binascii
import socket
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from PIL import Image

from devices.simulators.steps import StepQueue, say, seconds
from station.errors import EnvironmentFault, InvalidInput

PRINTER_STEPS = {
    "paper_out": frozenset[str](),
    "paper_in": frozenset[str](),
    "head_open": frozenset[str](),
    "head_close": frozenset[str](),
    "pause": frozenset[str](),
    "resume": frozenset[str](),
    "mute": frozenset[str](),
    "unmute": frozenset[str](),
    "reset_mid_job": frozenset[str](),
    "unplug": frozenset[str](),
    "plug": frozenset[str](),
    "wait": frozenset({"seconds"}),
    "quit": frozenset[str](),
}
_MOST_DOTS = 4000
_MOST_BYTES = 4_000_000
_RESET_AFTER = 600
"""Bytes of a format after which ``reset_mid_job`` cuts the line."""


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


class Moods:
    """How the printer is; changed by steps, read by every connection."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.paper_out = self.head_open = self.paused = self.mute = self.reset_next = False

    @property
    def stopped(self) -> bool:
        return self.paper_out or self.head_open or self.paused

    def status(self, waiting: int) -> bytes:
        """The three strings of ``~HS``."""
        one = f"030,{self.paper_out:d},{self.paused:d},0408,{min(waiting, 999):03d},0,0,0,000,0,0,0"
        two = f"000,0,{self.head_open:d},0,0,2,4,0,{waiting:08d},1,000"
        return b"".join(b"\x02" + line.encode("ascii") + b"\x03\r\n" for line in (one, two, "1234,0"))


class Press:
    """Prints formats in the order they came, as soon as the printer can."""

    def __init__(self, folder: Path | None, moods: Moods, out: TextIO) -> None:
        self._folder = folder
        self._moods = moods
        self._out = out
        self._waiting: list[str] = []
        self._count = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def take(self, zpl: str) -> None:
        with self._moods.changed:
            self._waiting.append(zpl)
            self.work()

    def work(self) -> None:
        """Print what waits; the caller holds the moods' lock."""
        while self._waiting and not self._moods.stopped:
            zpl = self._waiting.pop(0)
            try:
                bitmap = render_format(zpl)
            except InvalidInput as error:
                say(self._out, error=str(error))
                continue
            self._count += 1
            name = f"label-{self._count:04d}.png"
            if self._folder is not None:
                bitmap.save(self._folder / name)
            say(self._out, printed=name, width=bitmap.width, height=bitmap.height)


class PrinterServer:
    """Listens; one thread for each connection."""

    def __init__(self, address: tuple[str, int], press: Press, moods: Moods) -> None:
        self._address = address
        self._press = press
        self._moods = moods
        self._socket: socket.socket | None = None
        self._lines: set[socket.socket] = set()
        self.plug()

    @property
    def port(self) -> str:
        return f"{self._address[0]}:{self._address[1]}"

    def plug(self) -> None:
        """Listen, on the same port as before.

        Raises:
            EnvironmentFault: the port is taken.
        """
        try:
            listening = socket.create_server(self._address)
        except OSError as error:
            raise EnvironmentFault(f"cannot listen on {self.port}: {error}") from error
        self._address = (self._address[0], int(listening.getsockname()[1]))
        self._socket = listening
        threading.Thread(target=self._accept, args=(listening,), name="printer", daemon=True).start()

    def unplug(self) -> None:
        listening, self._socket = self._socket, None
        if listening is not None:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for line in tuple(self._lines):
            _reset(line)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), name="job", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        self._lines.add(line)
        buffer = b""
        try:
            while len(buffer) < _MOST_BYTES:
                piece = line.recv(65536)
                if not piece:
                    return
                buffer = self._work(line, buffer + piece)
        except OSError:
            return
        finally:
            self._lines.discard(line)
            line.close()

    def _work(self, line: socket.socket, buffer: bytes) -> bytes:
        """Carry out every complete command; returns what is left."""
        while True:
            ask, start = buffer.find(b"~HS"), buffer.find(b"^XA")
            if ask >= 0 and (start < 0 or ask < start):
                buffer = buffer[ask + 3 :]
                self._answer(line)
                continue
            if start < 0:
                return buffer[-3:]
            if self._moods.reset_next and len(buffer) - start > _RESET_AFTER:
                self._moods.reset_next = False
                _reset(line)
                raise ConnectionResetError
            end = buffer.find(b"^XZ", start)
            if end < 0:
                return buffer[start:]
            self._press.take(buffer[start:end].decode("latin-1"))
            buffer = buffer[end + 3 :]

    def _answer(self, line: socket.socket) -> None:
        with self._moods.changed:
            if not self._moods.mute:
                line.sendall(self._moods.status(self._press.waiting))


def _reset(line: socket.socket) -> None:
    """Break the connection off as a pulled plug does."""
    try:
        line.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        )
        line.shutdown(socket.SHUT_RD)
        line.close()
    except OSError:
        return


def serve(out: TextIO, steps: StepQueue, address: tuple[str, int], folder: Path | None) -> None:
    """Run the printer until ``quit``; says ``{"port": "HOST:PORT"}`` first and ``{"printed": FILE}`` for each label.

    Raises:
        EnvironmentFault: the port is taken, or the folder cannot be made.
    """
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(f"cannot make the folder {str(folder)!r} for labels: {error}") from error
    moods = Moods()
    press = Press(folder, moods, out)
    server = PrinterServer(address, press, moods)
    say(out, port=server.port)
    while True:
        step = steps.next(0.5)
        if step is None:
            continue
        if step["do"] == "quit":
            server.unplug()
            say(out, done="quit")
            return
        try:
            _do(str(step["do"]), seconds(step), server, press, moods)
            say(out, done=step["do"])
        except InvalidInput as error:
            say(out, error=str(error))


def _do(what: str, length_s: float, server: PrinterServer, press: Press, moods: Moods) -> None:
    if what == "unplug":
        server.unplug()
    elif what == "plug":
        server.plug()
    with moods.changed:
        match what:
            case "paper_out" | "paper_in":
                moods.paper_out = what == "paper_out"
            case "head_open" | "head_close":
                moods.head_open = what == "head_open"
            case "pause" | "resume":
                moods.paused = what == "pause"
            case "mute" | "unmute":
                moods.mute = what == "mute"
            case "reset_mid_job":
                moods.reset_next = True
            case "wait":
                moods.changed.wait_for(lambda: False, length_s)
        press.work()

"""What a scale's parser makes of bytes, and the pieces that line-terminated protocols share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol

from devices.ports import Status, WeightKind
from station.errors import InvalidInput
from station.inspection.facts import StableSource

_MG_PER_UNIT = {
    "mg": Decimal(1),
    "g": Decimal(1_000),
    "kg": Decimal(1_000_000),
    "t": Decimal(1_000_000_000),
    "lb": Decimal("453592.37"),
    "oz": Decimal("28349.523125"),
}
"""Exact: avoirdupois pound and ounce by the international agreement of 1959."""

UNIT = r"(?:kg|KG|mg|MG|lb:oz|lb|LB|oz|OZ|g|G|t|T)"
"""Units of mass as scales spell them; troy, carats and pieces are refused, not converted."""
NUMBER = r"(?:(?:0|[1-9][0-9]*)(?:[.,][0-9]+)?)"
"""Digits of an indication. Every manual of this house blanks leading zeros, so ``012.3`` is a damaged frame."""
POUNDS_OUNCES = r"(?:(?:0|[1-9][0-9]*):(?:0?[0-9]|1[0-5])(?:[.,][0-9]+)?)"

_NOISE = b"\x00\x7f\xff"
_MAX_LINE = 256
_JUNK = 64
"""Bytes between frames are reported in pieces of at most this many."""


@dataclass(frozen=True, slots=True)
class Mass:
    """A mass as a scale's digits say it."""

    milligrams: int
    unit: str
    """Lower case, ``kg``, ``lb:oz`` …"""
    interval_mg: int
    """Step of the last digit, at least 1."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One frame that is an indication."""

    raw: bytes
    status: Status
    mass: Mass | None
    stable: bool
    stable_source: StableSource
    kind: WeightKind = WeightKind.UNKNOWN
    advice: str = ""
    """For people, when this indication cannot become a weight: why, and what to do. Told once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One frame that is understood and says nothing about the load, e.g. the answer to a tare command."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that are no frame of this protocol."""

    raw: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The scale waits for the next step of a handshake; says nothing about the load."""

    raw: bytes
    send: bytes
    """What is sent next, at once."""


Frame = Reading | Reply | Garbage | Prompt


class ScaleParser(Protocol):
    """Bytes in, frames out; keeps a bounded rest, knows no time and no port. Each opening of a port gets a new one."""

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes in pieces of any size."""
        ...

    def idle(self) -> list[Frame]:
        """The line has been quiet for longer than a frame's inner gaps: finish what can be finished."""
        ...

    def drop(self) -> list[Frame]:
        """The line broke off: forget the unfinished frame, and name it if there was one."""
        ...


def parse_mass(digits: str, unit: str, *, negative: bool = False) -> Mass:
    """Read an indication's digits exactly; a comma is a decimal comma.

    Raises:
        InvalidInput: not digits, or not a unit of mass.

    >>> parse_mass("12,345", "kg")
    Mass(milligrams=12345000, unit='kg', interval_mg=1000)
    >>> parse_mass("1:00", "lb:oz")
    Mass(milligrams=453592, unit='lb:oz', interval_mg=28350)
    """
    unit = unit.lower()
    if unit == "lb:oz":
        if not re.fullmatch(POUNDS_OUNCES, digits):
            raise InvalidInput(f"{digits!r} is not pounds:ounces, expected e.g. 12:07.50")
        pounds, _, ounces = digits.replace(",", ".").partition(":")
        exact = Decimal(pounds) * _MG_PER_UNIT["lb"] + Decimal(ounces) * _MG_PER_UNIT["oz"]
        step = _step(ounces) * _MG_PER_UNIT["oz"]
    elif unit in _MG_PER_UNIT and re.fullmatch(NUMBER, digits):
        value = digits.replace(",", ".")
        exact = Decimal(value) * _MG_PER_UNIT[unit]
        step = _step(value) * _MG_PER_UNIT[unit]
    else:
        raise InvalidInput(f"{digits!r} {unit!r} is not a mass, expected digits and one of {', '.join(_MG_PER_UNIT)}")
    return _rounded(-exact if negative else exact, unit, step)


def scaled_mass(count: int, exponent: int, unit: str) -> Mass:
    """The mass of ``count`` steps of ten to the ``exponent`` of a unit, for protocols that send whole numbers.

    Raises:
        InvalidInput: not a unit of mass.

    >>> scaled_mass(42, -1, "oz")
    Mass(milligrams=119068, unit='oz', interval_mg=2835)
    >>> scaled_mass(50, 1, "g")
    Mass(milligrams=500000, unit='g', interval_mg=10000)
    """
    if unit not in _MG_PER_UNIT:
        raise InvalidInput(f"{unit!r} is not a unit of mass, expected one of {', '.join(_MG_PER_UNIT)}")
    step = _MG_PER_UNIT[unit].scaleb(exponent)
    return _rounded(count * step, unit, step)


def _rounded(exact: Decimal, unit: str, step: Decimal) -> Mass:
    interval = max(1, int(step.quantize(Decimal(1), ROUND_HALF_EVEN)))
    return Mass(int(exact.quantize(Decimal(1), ROUND_HALF_EVEN)), unit, interval)


def _step(digits: str) -> Decimal:
    return Decimal(1).scaleb(-len(digits.partition(".")[2]))


class LineSplitter:
    """Cuts bytes at CR, LF or CR LF into (body, frame with terminator); bounded.

    A CR waits for its LF, so that ``raw`` is the whole frame; ``idle`` ends the wait. A line longer than 256 bytes is
    given up to its terminator: no scale sends one.
    """

    def __init__(self, *, more_ends: bytes = b"") -> None:
        """
        Args:
            more_ends: bytes that end a line at once, too, e.g. ETX.
        """
        self._more_ends = more_ends
        self._rest = bytearray()
        self._overflowed = False

    def feed(self, data: bytes) -> list[bytes]:
        """Whole frames with their terminators; one that overflowed comes as its first 256 bytes without one."""
        frames: list[bytes] = []
        for byte in data:
            if self._rest[-1:] == b"\r":
                if byte == 0x0A:
                    self._rest.append(byte)
                    self._cut(frames)
                    continue
                self._cut(frames)
            if len(self._rest) >= _MAX_LINE and byte not in b"\r\n" and byte not in self._more_ends:
                if not self._overflowed:
                    self._overflowed = True
                    frames.append(bytes(self._rest))
                continue
            self._rest.append(byte)
            if byte == 0x0A or byte in self._more_ends:
                self._cut(frames)
        return frames

    def idle(self) -> list[bytes]:
        frames: list[bytes] = []
        if self._rest[-1:] == b"\r":
            self._cut(frames)
        return frames

    def drop(self) -> bytes:
        """Forget the unfinished line and return it."""
        rest = b"" if self._overflowed else bytes(self._rest)
        self._rest.clear()
        self._overflowed = False
        return rest

    def _cut(self, frames: list[bytes]) -> None:
        if not self._overflowed and self._rest.strip(b"\r\n"):
            frames.append(bytes(self._rest))
        self._overflowed = False
        self._rest.clear()


def strip_noise(frame: bytes) -> bytes:
    """A frame without the runs of 0x00, 0x7F and 0xFF that lines and power-ups put before it.

    >>> strip_noise(bytes.fromhex("00007f7f") + b" 1.0 kg")
    b' 1.0 kg'
    """
    return frame.lstrip(_NOISE)


def broken_off(rest: bytes) -> list[Frame]:
    """The frame list for bytes that never got their terminator."""
    rest = strip_noise(rest)
    return [Garbage(rest, "broken off in the middle of a frame")] if rest else []


class FrameSplitter:
    """Cuts bytes into frames that begin with one control character and end with another; bounded.

    A begin inside a frame starts a new one: the answer before it was broken off. Line noise and line ends between
    frames are skipped; other bytes there are garbage, reported when the next frame begins or the line is quiet.
    """

    def __init__(self, begin: int, end: int, longest: int) -> None:
        self._begin = begin
        self._end = end
        self._longest = longest
        self._frame = bytearray()
        self._junk = bytearray()

    def feed(self, data: bytes) -> list[bytes | Garbage]:
        """Whole frames with both ends, and what lay between them."""
        found: list[bytes | Garbage] = []
        for byte in data:
            if byte == self._begin:
                found += self._give_up("broken off: another frame begins inside it")
                found += self._end_junk()
                self._frame.append(byte)
            elif not self._frame:
                self._junk.append(byte)
                if len(self._junk) >= _JUNK:
                    found += self._end_junk()
            elif byte == self._end:
                found.append(bytes(self._frame) + bytes([byte]))
                self._frame.clear()
            elif len(self._frame) >= self._longest:
                self._frame.append(byte)
                found += self._give_up(f"longer than any frame ({self._longest} bytes)")
            else:
                self._frame.append(byte)
        return found

    def idle(self) -> list[Frame]:
        """Name the bytes between two frames."""
        return list(self._end_junk())

    def _end_junk(self) -> list[Garbage]:
        junk = strip_noise(bytes(self._junk)).strip(b"\r\n")
        self._junk.clear()
        return [Garbage(junk, "bytes outside a frame")] if junk else []

    def drop(self) -> list[Frame]:
        """Forget the unfinished frame and name it, and what lay before it."""
        junk = self.idle()
        rest = bytes(self._frame)
        self._frame.clear()
        return junk + (broken_off(rest) if len(rest) > 1 else [])

    def _give_up(self, reason: str) -> list[Garbage]:
        rest = bytes(self._frame)
        self._frame.clear()
        return [Garbage(rest, reason)] if len(rest) > 1 else []

"""USB scales without a serial line: HID usage page 0x8D, "scales", report 3.

A report is six bytes: ``03 status unit exponent low high``; the mass is the 16-bit number times ten to the (signed)
exponent. The number is a magnitude: "under zero" is a status, not a sign. The first report after the port is opened is
the previous weighing on several models, so it is never used. Reports of other kinds, and two-byte ones, say nothing
about the load. The parser finds reports in a stream of any pieces, so that a capture plays through a plain line too;
the port itself hands over one report per read (``devices/hid_transport.py``).

Sources: USB HID Point of Sale Usage Tables 1.02, chapter 4 (usage page 0x8D); GitHub erjiang/usbscale ``scales.h``,
allenp/hw_scale ``scale/reports.py`` (whose exponent +1 becomes -1). DEVICES §1.10. Not yet checked on hardware.
"""

from __future__ import annotations

from devices.ports import Status
from devices.scale.frames import Frame, Garbage, Reading, Reply, scaled_mass
from station.inspection.facts import StableSource

KNOWN_USB_SCALES: dict[tuple[int, int], str] = {
    (0x0922, 0x8003): "Dymo M10",
    (0x0922, 0x8004): "Dymo M25",
    (0x0922, 0x8009): "Dymo S100 / S180",
    (0x1446, 0x6A73): "Stamps.com 510",
    (0x1446, 0x6A78): "Stamps.com (X.J. Group)",
    (0x1446, 0x6A79): "USPS DS25 (X.J. Group)",
    (0x2474, 0x0550): "Stamps.com 5 lb",
    (0x2474, 0x3550): "Stamps.com 35 lb",
    (0x0B67, 0x555E): "Fairbanks SCB-R9000",
    (0x0EB8, 0xF000): "Mettler Toledo PS60",
    (0x0EB8, 0xF001): "Mettler Toledo",
    (0x7B7C, 0x0100): "Elane UParcel / USPS PS311",
    (0x6096, 0x0158): "Dymo 10 lb (Sanford)",
    (0x0D8F, 0x0200): "Pitney Bowes 397-B",
}
"""(vendor, product) → name for people; a device on usage page 0x8D that is not here is a scale all the same."""

SCALE_USAGE_PAGE = 0x8D

_REPORT = 0x03
_LENGTH = 6
_UNITS = {1: "mg", 2: "g", 3: "kg", 8: "t", 11: "oz", 12: "lb"}
_UNITS_REFUSED = frozenset({4, 5, 6, 7, 9, 10})
"""Carat, tael, grain, pennyweight, short ton, troy ounce: refused, not converted."""
_EXPONENTS = range(-6, 3)
_NEVER_MG = 5_000_000_000
"""No USB scale weighs five tonnes: such a number is two reports read as one."""
_FAULT, _ZERO, _MOTION, _STABLE, _UNDER_ZERO, _OVER, _CALIBRATE, _REZERO = range(1, 9)
_WITHOUT_MASS = {
    _FAULT: Status.FAULT,
    _OVER: Status.OVERLOAD,
    _CALIBRATE: Status.FAULT,
    _REZERO: Status.NOT_ZEROED,
}
_MAX_GARBAGE = 64


def parse_report(report: bytes) -> Reading | None:
    """Read one report 3, or return None if these bytes cannot be one.

    >>> parse_report(bytes.fromhex("03040BFF2A00")).mass
    Mass(milligrams=119068, unit='oz', interval_mg=2835)
    >>> parse_report(bytes.fromhex("03050BFF0300")).mass.milligrams
    -8505
    >>> str(parse_report(bytes.fromhex("03060CFE0000")).status)
    'overload'
    """
    if len(report) != _LENGTH or not _may_begin(report):
        return None
    status, unit, count = report[1], report[2], int.from_bytes(report[4:6], "little")
    if status in _WITHOUT_MASS:
        return _without_mass(report, _WITHOUT_MASS[status])
    if unit in _UNITS_REFUSED:
        return _without_mass(report, Status.FAULT)
    if status == _ZERO and count:
        return None
    mass = scaled_mass(-count if status == _UNDER_ZERO else count, _exponent(report), _UNITS[unit])
    if abs(mass.milligrams) >= _NEVER_MG:
        return None
    # Under zero says nothing about rest, so it counts as not settled.
    stable = status in (_STABLE, _ZERO)
    return Reading(report, Status.MOTION if status == _MOTION else Status.OK, mass, stable, StableSource.SCALE)


def _without_mass(report: bytes, status: Status) -> Reading:
    return Reading(report, status, None, False, StableSource.SCALE)


def _exponent(report: bytes | bytearray) -> int:
    return int.from_bytes(report[3:4], "little", signed=True)


def _may_begin(start: bytes | bytearray) -> bool:
    """Whether these bytes may be the beginning of a report 3."""
    if start[0] != _REPORT or (len(start) > 1 and not _FAULT <= start[1] <= _REZERO):
        return False
    # With a fault or an overload, makers leave the other fields empty.
    has_mass = len(start) > 1 and start[1] not in _WITHOUT_MASS
    if len(start) > 2 and start[2] not in _UNITS and start[2] not in _UNITS_REFUSED and (has_mass or start[2]):
        return False
    return len(start) < 4 or _exponent(start) in _EXPONENTS


class HidParser:
    """Incremental; see ``ScaleParser``."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._garbage = bytearray()
        self._is_first = True

    def feed(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        for byte in data:
            self._rest.append(byte)
            while self._rest and self._step(frames):
                pass
        return frames

    def idle(self) -> list[Frame]:
        return []  # a report comes at once, and a rest may still be the beginning of one

    def drop(self) -> list[Frame]:
        rest = bytes(self._garbage + self._rest).strip(b"\x00")
        self._rest.clear()
        self._garbage.clear()
        return [Garbage(rest, "broken off in the middle of a report")] if rest else []

    def _step(self, frames: list[Frame]) -> bool:
        """Take what the rest begins with; False = more bytes are needed."""
        rest = self._rest
        if _may_begin(rest):
            if len(rest) < _LENGTH:
                return False
            reading = parse_report(bytes(rest))
            if reading:
                self._end_garbage(frames)
                rest.clear()
                frames.append(Reply(reading.raw) if self._is_first else reading)
                self._is_first = False
                return False
        elif rest[0] == 0x02 and not self._garbage:  # a control report: zero, or zero enforced
            if len(rest) < 2:
                return False
            if rest[1] <= 0x02:
                frames.append(Reply(bytes(rest[:2])))
                del rest[:2]
                return True
        elif rest[0] == 0x00 and not self._garbage:  # some systems put a report number 0 before it
            del rest[0]
            return True
        self._garbage.append(rest.pop(0))
        if len(self._garbage) >= _MAX_GARBAGE:
            self._end_garbage(frames)
        return True

    def _end_garbage(self, frames: list[Frame]) -> None:
        if self._garbage:
            frames.append(Garbage(bytes(self._garbage), "not a weight report of a USB scale"))
            self._garbage.clear()

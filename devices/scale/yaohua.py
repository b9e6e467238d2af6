"""Yaohua XK3190 floor indicators (A9, A12, A22, A23, A26, DS3 …) and their many clones.

Four forms, told apart by their first byte:

- tF=0 pushes ``STX ± 6 digits, point, check 2, ETX``; the point is the number of decimals;
- command mode answers ``STX address command ± 6 digits, point, check 2, ETX`` (B gross, C tare, D net);
- tF=2 pushes ``=00.1000-``: seven characters *reversed*, then the sign (0 or ``-``), no check and no end, so this form
  counts only after three in a row with the point in the same place;
- A12E sends a line ``WG004.139kg3D`` (gross, ``WN`` net, ``WT`` tare) with a check, ``OL`` or ``LO`` in its place; A12
  sends ``ww000.000kg`` without one, which is learnt likewise.

The check is the exclusive or of what stands before it, as two characters; two forms of them are in use: hexadecimal
digits (A9, A23: above 9 add 37 hex), and always half-byte + 30 hex (A22), so ``:`` to ``?`` above 9. Both are accepted.

No form says whether the weight has settled, so the acceptance rule infers it and records that. The first three send no
unit: it is the one the driver is set to, kilograms by default. The indicator sends what its display shows, so except
for the forms that say so nobody can tell gross from net.

Sources: XK3190-A23p manual p. 23 and 26, A22 p. 13, A26 p. 12, DS3 p. 8, A12E (its own example, check recomputed);
GitHub: captures of an A9 (``+00326001C``). DEVICES §1.9. Not yet checked on hardware.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from devices.ports import Status, WeightKind
from devices.scale.frames import NUMBER, Frame, Garbage, Mass, Reading, Reply, broken_off, parse_mass, scaled_mass
from devices.scale.layouts import LayoutJudge
from station.inspection.facts import StableSource

READ_GROSS = b"\x02AB03\x03"
"""Command mode, address A: read the gross weight. For a site's ``poll``; the push forms need none."""

_STX, _ETX, _EQUALS = 0x02, 0x03, 0x3D
_LONGEST = 16
_REVERSED = 9
_LONGEST_LINE = 32
_PUSHED = re.compile(rb"(?P<head>[A-Z][A-Z])?(?P<sign>[+-])(?P<digits>[0-9]{6})(?P<point>[0-5])")
_ACKNOWLEDGED = re.compile(rb"[A-Z][0-9A-Z]")
_LINE = re.compile(r"(?P<head>W[GNT]|w[wnt])(?P<field>-?[0-9]*\.?[0-9]+)(?P<unit>kg|lb)(?P<check>[0-9A-F:;<=>?]{2})?")
_OUT_OF_RANGE = re.compile(r" {9}(?P<what>OL|LO)(?P<check>[0-9A-F:;<=>?]{2})")
_COMMAND_KIND = {"B": WeightKind.GROSS, "C": WeightKind.TARE, "D": WeightKind.NET}
_LETTER_KIND = {"G": WeightKind.GROSS, "W": WeightKind.GROSS, "N": WeightKind.NET, "T": WeightKind.TARE}


def checks(data: bytes) -> frozenset[bytes]:
    """Both forms of the check of these bytes.

    >>> sorted(checks(b"+0123453"))
    [b'19']
    >>> sorted(checks(b"WG004.139kg"))
    [b'3=', b'3D']
    """
    value = reduce(xor, data, 0)
    return frozenset({b"%02X" % value, bytes([0x30 + (value >> 4), 0x30 + (value & 15)])})


def parse_framed(frame: bytes, unit: str) -> Reading | Reply | None:
    """tF=0 or an answer of command mode, with STX and ETX; None = neither, or its check does not agree.

    >>> parse_framed(b"\\x02+012345319\\x03", "kg").mass.milligrams
    12345000
    """
    data, check = frame[1:-3], frame[-3:-1]
    if check not in checks(data):
        return None
    if _ACKNOWLEDGED.fullmatch(data):
        return Reply(frame)
    found = _PUSHED.fullmatch(data)
    if not found:
        return None
    head = (found["head"] or b"").decode()
    if head and head[1] not in _COMMAND_KIND:
        return Reply(frame)
    kind = _COMMAND_KIND[head[1]] if head else WeightKind.UNKNOWN
    count = int(found["digits"]) * (-1 if found["sign"] == b"-" else 1)
    return _reading(frame, scaled_mass(count, -int(found["point"]), unit), kind)


def parse_reversed(frame: bytes, unit: str) -> tuple[tuple[str, int], Reading] | None:
    """tF=2: ``=``, seven characters from last to first, sign.

    >>> parse_reversed(b"=00.1000-", "kg")[1].mass.milligrams
    -1000000
    """
    turned = frame[:0:-1].decode("latin-1")
    sign, field = turned[:1], turned[1:]
    if len(frame) != _REVERSED or sign not in ("0", "-") or not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", field):
        return None
    mass = parse_mass(re.sub(r"^0+(?=[0-9])", "", field), unit, negative=sign == "-")
    return ("reversed", field.find(".")), _reading(frame, mass, WeightKind.UNKNOWN)


def parse_line(frame: bytes) -> tuple[tuple[str, int] | None, Reading] | None:
    """A12E's line with its check (layout None: proven), or A12's without one.

    >>> parse_line(b"WG004.139kg3D\\r\\n")[1].mass.milligrams
    4139000
    >>> str(parse_line(b"         OL23\\r\\n")[1].status)
    'overload'
    """
    line = frame.rstrip(b"\r\n").decode("latin-1")
    body, check = line[:-2].encode("latin-1"), line[-2:].encode("latin-1")
    if found := _OUT_OF_RANGE.fullmatch(line):
        status = Status.OVERLOAD if found["what"] == "OL" else Status.UNDERLOAD
        no_mass = Reading(frame, status, None, False, StableSource.INFERRED)
        return (None, no_mass) if check in checks(body) else None
    found = _LINE.fullmatch(line)
    if not found or len(found["field"]) != 7 or (found["head"][0] == "W") != (found["check"] is not None):
        return None
    if found["check"] and check not in checks(body):
        return None
    digits = re.sub(r"^0+(?=[0-9])", "", found["field"].removeprefix("-"))
    if not re.fullmatch(NUMBER, digits):
        return None
    mass = parse_mass(digits, found["unit"], negative=found["field"].startswith("-"))
    kind = _LETTER_KIND[found["head"][1].upper()]
    layout = None if found["check"] else ("line", found["field"].find("."))
    return layout, _reading(frame, mass, kind)


def _reading(frame: bytes, mass: Mass, kind: WeightKind) -> Reading:
    return Reading(frame, Status.OK, mass, False, StableSource.INFERRED, kind)


class YaohuaParser:
    """Incremental; see ``ScaleParser``."""

    def __init__(self, unit: str = "kg") -> None:
        """
        Args:
            unit: what the indicator is set to, for the forms that send none.

        Raises:
            InvalidInput: not a unit of mass.
        """
        scaled_mass(1, 0, unit)
        self._unit = unit
        self._rest = bytearray()
        self._judge = LayoutJudge()

    def feed(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        for byte in data:
            self._add(byte, frames)
        return frames

    def idle(self) -> list[Frame]:
        frames: list[Frame] = []
        if self._rest[-1:] == b"\r":
            self._take(frames)
        return frames

    def drop(self) -> list[Frame]:
        rest = bytes(self._rest)
        self._rest.clear()
        return broken_off(rest)

    def _add(self, byte: int, frames: list[Frame]) -> None:
        rest = self._rest
        framed = rest[:1] == b"\x02"
        # A new frame begins: the one before it was broken off. "=" may be a check's half, so not inside a frame.
        line_end = rest[-1:] == b"\r" and byte != 0x0A
        if rest and (byte == _STX or (byte == _EQUALS and not framed and not self._expects_check()) or line_end):
            self._take(frames)
        rest.append(byte)
        if framed:
            complete = byte == _ETX or len(rest) >= _LONGEST
        elif rest[0] == _EQUALS:
            complete = len(rest) >= _REVERSED
        else:
            complete = byte == 0x0A or len(rest) >= _LONGEST_LINE
        if complete:
            self._take(frames)

    def _expects_check(self) -> bool:
        return 11 <= len(self._rest) <= 12 and self._rest[0] in b"W "

    def _take(self, frames: list[Frame]) -> None:
        frame = bytes(self._rest)
        self._rest.clear()
        if not frame.strip(b"\r\n\x00\x7f\xff"):
            return
        frames.append(self._parse(frame))

    def _parse(self, frame: bytes) -> Frame:
        if frame[0] == _STX:
            framed = parse_framed(frame, self._unit) if len(frame) >= 6 and frame[-1] == _ETX else None
            return framed or self._refused(frame, "a frame whose length or check does not agree")
        layout: tuple[str, int] | None
        if frame[0] == _EQUALS:
            if not (found := parse_reversed(frame, self._unit)):
                return self._refused(frame, "not nine characters of a reversed number")
            layout, reading = found
        else:
            frame = frame.lstrip(b"\x00\x7f\xff")
            if not (line := parse_line(frame)):
                return self._refused(frame, "no known XK3190 frame")
            layout, reading = line
        return self._judge.judge(layout, reading, documented=False) if layout else reading

    def _refused(self, frame: bytes, reason: str) -> Garbage:
        self._judge.interrupt()
        return Garbage(frame, reason)


def parser_for_unit(unit: str) -> YaohuaParser:
    """The parser for an indicator that is set to this unit.

    Raises:
        InvalidInput: not a unit of mass.
    """
    return YaohuaParser(unit.lower())

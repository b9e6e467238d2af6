r"""Mettler Toledo 8217 and its kin (8213, CAS PD-II type 5): counter and parcel scales that answer ``W``.

``STX`` digits ``CR``, with ``N`` before the CR for a net weight; or ``STX ? status CR`` when there is no weight. The
unit is not transmitted. Without a setting it follows from the documented layouts: ``WW.WWW`` is kilograms, ``WW.WW``
and ``0WW.WW`` are pounds. A scale set to something else needs ``unit`` in the station's settings.

Some scales send a weight once and then only a status without bits until it changes. A single frame of a protocol
without a check is no weight (28 % of one-bit errors make another valid one), so such a scale is told of, never guessed.

Sources: protocol page of zipstore.ru (8217), PSC Magellan / DIVA manual pp. 39, 44, 45 (status bits), Salter Brecknell
3700LP p. 11 (8213: three digits before the point, grams without one) (DEVICES §1.3); grams without a point also from a
Baxtran (pywebdriver#125). Not yet checked on hardware.
"""

from __future__ import annotations

import re

from devices.ports import Status, WeightKind
from devices.scale.frames import Frame, FrameSplitter, Garbage, Reading, Reply, parse_mass
from devices.scale.layouts import LayoutJudge
from station.errors import InvalidInput
from station.inspection.facts import StableSource

POLL = b"W"

_LAYOUTS = {
    "": {r"[ 0-9][0-9]\.[0-9]{3}": "kg", r"[ 0-9]?[ 0-9][0-9]\.[0-9]{2}": "lb"},
    "kg": {r"[ 0-9][0-9]\.[0-9]{3}|[ 0-9]{2}[0-9]\.[0-9]{2}": "kg"},
    "lb": {r"[ 0-9]?[ 0-9][0-9]\.[0-9]{2}|[ 0-9][0-9]\.[0-9]{3}": "lb"},
    "oz": {r"[ 0-9]?[ 0-9][0-9]\.[0-9]{2}": "oz"},
    "g": {r"[ 0-9]{4,5}[0-9]": "g"},
}
"""Unit that the scale is set to → what its digits may look like → unit. Blanks may stand for leading zeros."""
_BODY = re.compile(rb"(?P<digits>[ 0-9.]{5,7})(?P<net>N?)")
_STATUS = re.compile(rb"\?(?P<status>[\x40-\x7f])")

UNCHANGED = (
    "the scale says that nothing changed instead of its weight: set it to send the weight at each request (W), "
    "or lift the goods and put them down again"
)


def parse_answer(frame: bytes, unit: str = "") -> Reading | Reply | Garbage:
    r"""Read one answer from its STX to its CR.

    Args:
        unit: what the scale is set to; empty = as the documented layouts say.

    >>> parse_answer(b"\x0212.345\r").mass
    Mass(milligrams=12345000, unit='kg', interval_mg=1000)
    >>> str(parse_answer(b"\x02?A\r").status)
    'motion'
    """
    body = frame[1:-1]
    if found := _STATUS.fullmatch(body):
        return _status(frame, found["status"][0])
    if body in (b"", b"E"):
        return Reply(frame)  # confidence test, echo test
    if not (found := _BODY.fullmatch(body)):
        return Garbage(frame, "not an 8217 answer")
    digits = found["digits"].decode()
    for layout, its_unit in _LAYOUTS[unit].items():
        if re.fullmatch(layout, digits) and " " not in digits.lstrip(" "):
            kind = WeightKind.NET if found["net"] else WeightKind.GROSS
            plain = re.sub(r"^[ 0]+(?=[0-9])", "", digits)
            return Reading(frame, Status.OK, parse_mass(plain, its_unit), True, StableSource.SCALE, kind)
    return Garbage(frame, "the digits do not look like the scale's unit: set unit = kg, lb, oz or g for it")


def _status(frame: bytes, bits: int) -> Reading:
    """Bits: 0 motion, 1 over capacity, 2 under zero, 3 outside zero capture, 4 centre of zero, 5 net, 6 always 1."""
    advice = ""
    if bits & 0x02:
        status = Status.OVERLOAD
    elif bits & 0x04:
        status = Status.UNDERLOAD
    elif bits & 0x01:
        status = Status.MOTION
    elif bits & 0x08:
        status = Status.NOT_ZEROED
    else:
        status = Status.OK
        advice = "" if bits & 0x10 else UNCHANGED
    kind = WeightKind.NET if bits & 0x20 else WeightKind.UNKNOWN
    return Reading(frame, status, None, False, StableSource.SCALE, kind, advice)


class Toledo8217Parser:
    """Incremental; remembers the layout. See ``ScaleParser``."""

    def __init__(self, unit: str = "") -> None:
        self._unit = unit
        self._splitter = FrameSplitter(begin=0x02, end=0x0D, longest=12)
        self._layouts = LayoutJudge()

    def feed(self, data: bytes) -> list[Frame]:
        return [self._read(piece) for piece in self._splitter.feed(data)]

    def idle(self) -> list[Frame]:
        return self._splitter.idle()

    def drop(self) -> list[Frame]:
        return self._splitter.drop()

    def _read(self, piece: bytes | Garbage) -> Frame:
        if isinstance(piece, Garbage):
            return piece
        answer = parse_answer(piece, self._unit)
        if isinstance(answer, Reading) and answer.mass:
            digits = piece[1:-1].rstrip(b"N")
            return self._layouts.judge((len(digits), digits.find(b".")), answer, documented=True)
        return answer


def parser_for_unit(unit: str) -> Toledo8217Parser:
    """The parser for a scale that is set to this unit.

    Raises:
        InvalidInput: not kg, lb, oz or g.
    """
    if unit not in _LAYOUTS or not unit:
        raise InvalidInput(f"an 8217 scale weighs in kg, lb, oz or g, not in {unit!r}: set unit to one of these")
    return Toledo8217Parser(unit)

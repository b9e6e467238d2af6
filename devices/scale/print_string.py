"""Scales that send what they would print: Ohaus, Sartorius SBI, Rice Lake, Vibra, Radwag, Cardinal, and the like.

The documented layouts (three here, six in ``print_layouts.py``) are known by their exact columns. Any other line that
is plainly "number unit", as Adam, T-Scale and many more send it, is a *learnt* layout: it counts only after three lines
in a row with the number and the unit in the same columns. The same holds for a change of layout (``layouts.py``). A
learnt layout that says nothing about rest is never called stable; the acceptance rule then infers, and says so. A
ticket of several lines (tare, gross, net, pieces) never has three equal ones in a row and is refused, and so is a
number without a unit.

Sources: Ohaus Defender 3000 manual EN-35 and a real capture (the capture has no space behind the polarity, the manual
has one); Sartorius GC803S p. 57, LE2202S p. 51, Master series p. 5-5 (SBI 16 and 22); Rice Lake 482 p. 33 (STR-5,
"Consolidated Controls"). DEVICES §1.8. Not yet checked on hardware.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from devices.ports import Status, WeightKind
from devices.scale.frames import (
    NUMBER,
    POUNDS_OUNCES,
    UNIT,
    Frame,
    LineSplitter,
    Reading,
    broken_off,
    strip_noise,
)
from devices.scale.layouts import LayoutJudge, refused
from devices.scale.print_layouts import (
    KINDS,
    no_mass,
    parse_and_bare,
    parse_cardinal,
    parse_mettler_print,
    parse_radwag,
    parse_vibra,
    parse_weigh_tronix,
    reading,
)

_ANY_NUMBER = f"(?:{NUMBER}|{POUNDS_OUNCES})"
_OHAUS = re.compile(
    rf"(?P<sign>[ -])(?P<wide> ?)(?=.{{7}} )(?P<field> *{_ANY_NUMBER}) (?=.{{5}}[ ?])(?P<unit>\S+) *(?P<stab>[ ?])"
    r"(?P<legend>[GNT]  |NET|   |[GNT ])"
)
_SBI = re.compile(
    r"(?P<id>[A-Za-z0-9#/ ]{6})?(?P<sign>[+ -])(?P<field> *(?:0|[1-9][0-9]*)?(?:[.,][0-9]*)?)"
    r"(?:(?P<bracket>\[[0-9]\]) ?| )(?P<unit>[A-Za-z%/]{0,3}) *"
)
_STR5 = re.compile(rf"\x02(?P<sign>[ -])(?P<field> *{NUMBER})(?P<unit>[LKTGO])(?P<legend>[GN])(?P<stab>[ IMOZ])")
_LEARNT = re.compile(rf" *(?P<sign>-?) *(?P<field>{_ANY_NUMBER}) {{0,2}}(?P<unit>{UNIT}) ?(?P<stab>\?)?")
"""No plus sign, no legend, no padding behind: a line that has those is a damaged exact layout, not a plain one."""
_STR5_UNIT = {"L": "lb", "K": "kg", "T": "t", "G": "g", "O": "oz"}
_STATUS_WORD = {
    "H": Status.OVERLOAD,
    "HIGH": Status.OVERLOAD,
    "OL": Status.OVERLOAD,
    "OVER": Status.OVERLOAD,
    "OVERLOAD": Status.OVERLOAD,
    "L": Status.UNDERLOAD,
    "LOW": Status.UNDERLOAD,
    "UL": Status.UNDERLOAD,
    "UNDER": Status.UNDERLOAD,
    "UNDERLOAD": Status.UNDERLOAD,
    "C": Status.FAULT,
    "CAL": Status.FAULT,
    "OFF": Status.FAULT,
    "ES": Status.FAULT,
}
_SBI_SPECIAL = re.compile(r"(?:[A-Za-z0-9# ]{6})? {4,7}(?P<word>High|Low|OFF|Cal|H|L|C|--) *")
_FILLED = re.compile(r"(?P<fill>\^{3,}|_{3,}|-{3,})(?: *(?:kg|g|lb|oz))? *[GNT?]? *")
_FILL = {"^": Status.OVERLOAD, "_": Status.UNDERLOAD, "-": Status.ZERO_ERROR}
_ERROR = re.compile(r"\[? *(?:Stat +)?(?:ERR(?:OR)?|Err(?:or)?)[ .:]*(?P<code>[0-9.A-Za-z]{0,6})\]? *")
_ERROR_CODE = {
    "8.1": Status.ZERO_ERROR,
    "8.2": Status.ZERO_ERROR,
    "8.3": Status.OVERLOAD,
    "8.4": Status.UNDERLOAD,
}
"""Ohaus; the numbers of other makers mean other things and are faults."""
_STAT = re.compile(r"Stat +(?P<word>[A-Za-z]{1,4}) *")

Layout = tuple[str, int, int]
"""Name, column behind the number, column of the unit."""


def parse_ohaus(line: str, frame: bytes) -> Reading | None:
    """Polarity, weight 7, space, unit 5, ``?`` if unstable, legend; 16 columns, 18 with ``NET``.

    The manual's table has a space behind the polarity and a legend of three: 19 columns. A short legend padded to 18 is
    refused on purpose: that is the manual's frame with a byte lost.

    >>> reading = parse_ohaus("-  1.640 kg    N", b"")
    >>> reading.mass.milligrams, reading.stable, str(reading.kind)
    (-1640000, True, 'net')
    """
    if len(line) not in (16, 18, 19):
        return None
    found = _OHAUS.fullmatch(line)
    if not found or len(found["field"]) != 7 or (len(line) == 19) != bool(found["wide"]):
        return None
    if len(line) == 18 and found["legend"] != "NET":
        return None
    unit_at = found.start("unit")
    if found.start("stab") != unit_at + 5:
        return None
    kind = KINDS[found["legend"].strip()]
    stable = found["stab"] == " "
    return reading(frame, found["field"], found["unit"], negative=found["sign"] == "-", stable=stable, kind=kind)


def parse_sbi(line: str, frame: bytes) -> Reading | None:
    """[identifier 6], sign, number up to column 10, space or bracket, unit 3; a blank unit means "not stable".

    ``N`` in the identifier is printed without a tare too, so it does not make the value a net one here.

    >>> parse_sbi("N     +   123.56 g  ", b"").mass.milligrams
    123560
    """
    if len(line) not in (14, 20):
        return None
    found = _SBI.fullmatch(line)
    if not found or (len(line) == 20) != (found["id"] is not None):
        return None
    bracket = found["bracket"] or " "
    digits = found["field"].strip() + bracket.strip("[] ")
    if len(found["field"]) + len(bracket) != 10 or not re.fullmatch(NUMBER, digits):
        return None
    unit = found["unit"]
    label = (found["id"] or "").strip()
    kind = (
        WeightKind.TARE if label.startswith("T") else WeightKind.GROSS if label.startswith("G") else WeightKind.UNKNOWN
    )
    if not unit:
        return no_mass(frame, Status.MOTION, kind)
    return reading(frame, digits, unit, negative=found["sign"] == "-", stable=True, kind=kind)


def parse_str5(line: str, frame: bytes) -> Reading | None:
    """STX, polarity, weight 7, unit 1, G or N, status 1 (space valid, I invalid, M motion, O over or under range).

    >>> parse_str5("\\x02  12.345KG ", b"").mass.milligrams
    12345000
    """
    found = _STR5.fullmatch(line)
    if not found or len(found["field"]) != 7:
        return None
    kind = KINDS[found["legend"]]
    if found["stab"] in "IO":
        status = Status.FAULT if found["stab"] == "I" else Status.UNDERLOAD if found["sign"] == "-" else Status.OVERLOAD
        return no_mass(frame, status, kind)
    unit, stable = _STR5_UNIT[found["unit"]], found["stab"] != "M"
    return reading(frame, found["field"], unit, negative=found["sign"] == "-", stable=stable, kind=kind)


def _parse_learnt(line: str, frame: bytes) -> tuple[Layout, Reading] | None:
    found = _LEARNT.fullmatch(line)
    if not found or (":" in found["field"]) != (found["unit"] == "lb:oz"):
        return None
    stable = False if found["stab"] else None
    taken = reading(frame, found["field"], found["unit"], negative=found["sign"] == "-", stable=stable)
    return ("learnt", found.end("field"), found.start("unit")), taken


_EXACT: tuple[tuple[str, Callable[[str, bytes], Reading | None]], ...] = (
    ("ohaus", parse_ohaus),
    ("sbi", parse_sbi),
    ("str5", parse_str5),
    ("vibra", parse_vibra),
    ("radwag", parse_radwag),
    ("mettler", parse_mettler_print),
    ("weigh_tronix", parse_weigh_tronix),
    ("cardinal", parse_cardinal),
    ("and_bare", parse_and_bare),
)


def _status_line(line: str, frame: bytes) -> Reading | None:
    status: Status | None = None
    special = _SBI_SPECIAL.fullmatch(line) if len(line) in (14, 20) else None
    if found := special or _STAT.fullmatch(line):
        status = _STATUS_WORD.get(found["word"].upper(), Status.FAULT)
    elif found := _FILLED.fullmatch(line.strip()):
        status = _FILL[found["fill"][0]]
    elif found := _ERROR.fullmatch(line):
        status = _ERROR_CODE.get(found["code"], Status.FAULT)
    elif len(line.strip()) > 1:
        status = _STATUS_WORD.get(line.strip().upper())
    return no_mass(frame, status) if status else None


class PrintStringParser:
    """Incremental; remembers which layout this scale uses. See ``ScaleParser``."""

    def __init__(self) -> None:
        self._lines = LineSplitter(more_ends=b"\x03")
        self._judge = LayoutJudge()

    def feed(self, data: bytes) -> list[Frame]:
        return [self._parse(line) for line in self._lines.feed(data)]

    def idle(self) -> list[Frame]:
        return [self._parse(line) for line in self._lines.idle()]

    def drop(self) -> list[Frame]:
        return broken_off(self._lines.drop())

    def _parse(self, received: bytes) -> Frame:
        frame = strip_noise(received)
        frame = frame[max(frame.rfind(b"\x02"), 0) :]
        if not frame.isascii():
            self._judge.interrupt()
            return refused(received, "print layout")
        line = frame.rstrip(b"\r\n").decode("ascii")
        for name, parse in _EXACT:
            if taken := parse(line, frame):
                return self._judge.judge((name, len(line)), taken, documented=True)
        if status := _status_line(line, frame):
            return status
        if frame == received and (learnt := _parse_learnt(line, frame)):
            return self._judge.judge(*learnt, documented=False)
        self._judge.interrupt()
        return refused(received, "print layout")

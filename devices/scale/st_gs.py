"""The comma family: ``ST,GS,  12.345kg`` of A&D, CAS, Dini Argeo, T-Scale, Kern, ERTE and most Chinese bench scales.

One grammar: a status (``ST`` settled, ``US`` moving, ``OL``, ``UL``, ``QT`` pieces), perhaps a mode (``GS`` gross,
``NT`` net, ``TR`` tare, or a comparator's ``OK``), a number, a unit. Padding may be anything; the weight may not: the
layouts of the table below have exact columns and are believed at once, every other one has to prove itself in three
lines (``layouts.py``), because in this family one lost byte makes a valid wrong weight (7–17 % of all losses).
The number of an overload is nines or a stale weight, and is never read.

Two relatives without commas are read here too: Kern's ``M-       0.000 kg`` (an unsettled one has no unit), and CAS's
22 bytes whose eighth is a bitmap of the display's lamps, above 127, whose "stable" must agree with the status.

Sources: A&D EK-L p. 30, GC p. 51 (9 characters with sign and point, zero is ``+``), FX-i command table; CAS NT-200
p. 48, CI-600D p. 74; Dini Argeo 3590 technical manual p. 65 (standard and AF string: gross, then tare) and p. 68
(ERR01–04); Kern FKB p. 37, KFB-TM p. 49, GAB-N p. 37; GitHub bgerp/PiCons (``ST,GS,+  27.26kg``); real captures of
T-Scale NHB and QHW, of one maker, that differ in one comma. DEVICES §1.7. Not yet checked on hardware.
"""

from __future__ import annotations

import re

from devices.ports import Status, WeightKind
from devices.scale.frames import (
    NUMBER,
    Frame,
    Garbage,
    LineSplitter,
    Reading,
    Reply,
    broken_off,
    parse_mass,
    strip_noise,
)
from devices.scale.layouts import LayoutJudge, refused
from station.inspection.facts import StableSource

_FIELD = r"(?P<field>[+-]? *[+-]?[0-9]+(?:[.,][0-9]+)?)"
_UNIT = r"(?P<unit>kg|KG|Kg|mg|MG|lb|LB|oz|OZ|g|G|t|T|[A-Za-z%]{1,4})"
_LINE = re.compile(
    rf"(?P<header>ST|US|QT|WT),(?:(?P<mode>GS|GW|NT|TR|TW|OK|HI|LO|G|N|T)(?P<comma>,?)|)"
    rf"(?P<lamps>[0-9A-Za-z ][^,],)?{_FIELD}(?P<gap> ?,? ?){_UNIT}(?P<pad> *)"
)
_EXTENDED = re.compile(
    r"(?P<header>ST|US),(?P<scale>[0-9]),(?P<field>[ +-][ 0-9.,+-]{7}(?:[ 0-9.,+-]{2})?)(?P<unit>kg|Kg|KG| g| t|lb|LB),"
    r"(?P<preset>PT|  )?(?P<tare>[ +-][ 0-9.,+-]{7}(?:[ 0-9.,+-]{2})?)(?P=unit)"
)
_OUT_OF_RANGE = re.compile(r"(?P<header>OL|UL)(?:,[\x20-\x7e\x80-\xff]{0,40})?")
_KERN = re.compile(rf"[ M](?P<sign>[ -])(?P<field>(?=.{{10,12}}(?: |$)) *{NUMBER}) (?P<unit>[A-Za-z% ]{{3}})?")
_KERN_ERROR = re.compile(r"[ M]? {2,}E ?r ?r ?o ?r ?")
_ERROR = re.compile(r"ERR[0-9]{2}|EC,E[0-9]{2}")
_REPLY = re.compile(r"\x06|OK|(?:SN|ID|TN|VER|PT),?.{0,40}")

_KIND = {
    "GS": WeightKind.GROSS,
    "GW": WeightKind.GROSS,
    "G": WeightKind.GROSS,
    "NT": WeightKind.NET,
    "N": WeightKind.NET,
    "TR": WeightKind.TARE,
    "TW": WeightKind.TARE,
    "T": WeightKind.TARE,
}
_MASS_UNITS = frozenset({"kg", "g", "mg", "t", "lb", "oz"})
_LAMP_STABLE = 0x40
_LAMP_HOLD = 0x10

Layout = tuple[str, int, int, int]
"""Form (status, mode, its comma, lamps; ``|,`` = a comma before the unit), where the number begins and ends, length."""
_DOCUMENTED: frozenset[Layout] = frozenset(
    {
        ("H", 3, 12, 15),  # A&D: ST,+0012.345 kg
        ("HM,", 6, 15, 18),  # A&D comparator: ST,OK,+0012.345 kg
        ("HM,", 6, 14, 16),  # "AND 18", T-Scale QHW: ST,GS,  12.345kg
        ("HM,|,", 6, 14, 17),  # Dini Argeo: ST,GS,  12.345,kg
        ("HM", 5, 13, 16),  # T-Scale NHB: ST,GS    20.7g
        ("HM,L", 9, 17, 20),  # CAS: ST,GS,1 lamps,  12.345 kg
    }
)


def parse_line(line: str, frame: bytes) -> tuple[Layout, Reading] | None:
    """Read one line without its terminator; bytes are characters one to one (Latin 1).

    >>> parse_line("ST,+0012.345 kg", b"")[1].mass.milligrams
    12345000
    >>> parse_line("US,GS    20.7g  ", b"")[1].status
    <Status.MOTION: 'motion'>
    >>> parse_line("ST,GS,1\\xc5,  12.345 kg", b"")[1].kind
    <WeightKind.GROSS: 'gross'>
    >>> parse_line("US,GS,1\\xc5,  12.345 kg", b"") is None  # the lamps say it is at rest
    True
    """
    found = _LINE.fullmatch(line)
    if not found or (digits := _digits(found["field"], (8, 9) if found["mode"] else (9,))) is None:
        return None
    header, lamps, unit = found["header"], found["lamps"], found["unit"]
    held = False
    if lamps:
        bits = ord(lamps[1])
        if bits < 0x80 or not found["comma"] or bool(bits & _LAMP_STABLE) != (header == "ST"):
            return None
        held = bool(bits & _LAMP_HOLD)
    form = "H" + ("M" if found["mode"] else "") + (found["comma"] or "") + ("L" if lamps else "")
    form += "|," if "," in found["gap"] else ""
    layout = (form, found.start("field"), found.end("field"), len(line))
    kind = _KIND.get(found["mode"] or "", WeightKind.UNKNOWN)
    if unit.lower() not in _MASS_UNITS or header in ("QT", "WT") or held:
        return layout, _no_mass(frame, Status.FAULT, kind)  # pieces, per cent, carats; a held number is an old one
    mass = parse_mass(digits, unit, negative="-" in found["field"])
    return layout, Reading(
        frame, Status.OK if header == "ST" else Status.MOTION, mass, header == "ST", StableSource.SCALE, kind
    )


def parse_extended(line: str, frame: bytes) -> tuple[Layout, Reading] | None:
    """Dini Argeo's AF string: status, number of the scale, gross 10 (or 8) with its unit, tare likewise.

    >>> parse_extended("ST,1,  12.345kg,   0.000kg", b"")[1].mass.milligrams
    12345000
    >>> parse_extended("ST,1,    12.345kg,PT     0.500kg", b"")[1].kind
    <WeightKind.GROSS: 'gross'>
    """
    found = _EXTENDED.fullmatch(line)
    if not found:
        return None
    digits, tare, unit = _digits(found["field"], ()), _digits(found["tare"], ()), found["unit"].strip()
    if digits is None or tare is None or len(found["field"]) != len(found["tare"]):
        return None
    layout = ("extended", found.start("field"), found.end("field"), len(line))
    mass = parse_mass(digits, unit, negative="-" in found["field"])
    stable = found["header"] == "ST"
    status = Status.OK if stable else Status.MOTION
    return layout, Reading(frame, status, mass, stable, StableSource.SCALE, WeightKind.GROSS)


def parse_kern(line: str, frame: bytes) -> tuple[Layout, Reading] | None:
    """Kern's own: ``M`` or a blank, sign, number 10 or 12, blank, unit 3; without its unit it is not settled.

    >>> parse_kern("M-       0.250 kg ", b"")[1].mass.milligrams
    -250000
    >>> parse_kern("         1.000 ", b"")[1].status
    <Status.MOTION: 'motion'>
    """
    found = _KERN.fullmatch(line)
    if not found or len(found["field"]) not in (10, 12):
        return None
    # The length without the unit tells a settled line from an unsettled one; both are one layout.
    layout = ("kern", 2, 2 + len(found["field"]), 6 + len(found["field"]))
    unit = (found["unit"] or "").strip()
    if not unit:
        return layout, _no_mass(frame, Status.MOTION, WeightKind.UNKNOWN)
    if unit.lower() not in _MASS_UNITS:
        return layout, _no_mass(frame, Status.FAULT, WeightKind.UNKNOWN)
    mass = parse_mass(found["field"].strip(), unit, negative=found["sign"] == "-")
    return layout, Reading(frame, Status.OK, mass, True, StableSource.SCALE)


def _digits(field: str, zero_filled: tuple[int, ...]) -> str | None:
    """The number without its sign and padding: blanks, or zeros behind a sign in fields of these widths; else None."""
    bare = field.strip(" ")
    sign = bare[:1] if bare[:1] in "+-" else ""
    number = bare[len(sign) :]
    if sign and field[0] == sign and number[:1].isdigit() and len(field) in zero_filled:
        number = re.sub(r"^0+(?=[0-9])", "", number)
    number = number.lstrip(" ")
    return number if re.fullmatch(NUMBER, number) else None


def _no_mass(frame: bytes, status: Status, kind: WeightKind) -> Reading:
    return Reading(frame, status, None, False, StableSource.SCALE, kind)


def _without_weight(line: str, frame: bytes) -> Frame | None:
    if found := _OUT_OF_RANGE.fullmatch(line):
        under = found["header"] == "UL" or "-" in re.sub(r"-{2,}", "", line)
        return _no_mass(frame, Status.UNDERLOAD if under else Status.OVERLOAD, WeightKind.UNKNOWN)
    if _ERROR.fullmatch(line) or _KERN_ERROR.fullmatch(line):
        return _no_mass(frame, Status.FAULT, WeightKind.UNKNOWN)
    return Reply(frame) if _REPLY.fullmatch(line) else None


class StGsParser:
    """Incremental; remembers which layout this scale uses. See ``ScaleParser``."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
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
        line = frame.rstrip(b"\r\n").decode("latin-1").removeprefix("\x02").removesuffix("\x03")
        for parse in (parse_line, parse_extended, parse_kern):
            if found := parse(line, frame):
                layout, reading = found
                documented = layout in _DOCUMENTED or layout[0] in ("extended", "kern")
                return self._judge.judge(layout, reading, documented=documented)
        if without := _without_weight(line, frame):
            return without
        self._judge.interrupt()
        if re.match(r"(?:ST|US|OL),..,.[\x00-\x7f],", line):
            return Garbage(received, "the lamp byte has lost its eighth bit: set 8 data bits and no parity")
        return refused(received, "line of the ST,GS family")

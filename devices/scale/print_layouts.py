"""Documented print layouts beyond Ohaus, Sartorius and Rice Lake: one pure function per maker's table.

Each takes a line without its terminator and returns a reading, or None where the
columns are not exactly the table's. ``print_string.py`` says how lines become frames and when a layout is believed.

Sources: Shinko Vibra HG manual p. 28 (14 or 15 characters; the same in Kern EG and EW), with a real capture and photos
of its display: ``+007.12/2`` is shown as 7.122, so the slash only marks the last, not verified digit; Radwag PUE
C/31H p. 59; Mettler Toledo MS-TS, a real capture beside a photo of its display, "Net 0.3747 g"; Rice Lake Revolution
680 p. 63 and Fairbanks FB6002 p. 78 (Cardinal 738 and Weigh-Tronix streams). DEVICES §1.8. Not yet checked on hardware.
"""

from __future__ import annotations

import re

from devices.ports import Status, WeightKind
from devices.scale.frames import NUMBER, UNIT, Reading, parse_mass
from station.inspection.facts import StableSource

KINDS = {
    "G": WeightKind.GROSS,
    "B": WeightKind.GROSS,
    "N": WeightKind.NET,
    "NET": WeightKind.NET,
    "T": WeightKind.TARE,
    "PT": WeightKind.TARE,
    "": WeightKind.UNKNOWN,
}
"""A legend's first letters; B is the German word for gross."""

_VIBRA = re.compile(r"(?P<sign>[+-])(?P<field>[0-9.,/]{7,8})(?P<unit> G|KG|LB|OZ|[A-Z% ]{2})[ LGH](?P<stab>[SUE ])")
_RADWAG = re.compile(r"S(?:  |I |U |UI)(?P<stab>[ ?^v]) (?P<sign>[ -])(?P<field>.{9}) (?P<unit>.{3})")
_METTLER = re.compile(r"(?P<legend> {0,5}(?:N|G|B|T|PT|NET) {0,5})(?P<field>(?<=.{6}).{13}) (?P<unit>\S.{3})")
_WEIGH_TRONIX = re.compile(r" (?P<legend>[GNTmo])(?P<sign>[ -])(?P<field>.{6}) (?P<unit>kg|lb|oz| g|g )")
_CARDINAL = re.compile(
    r"(?P<sign>[+-])(?P<field>[0-9.]{7})(?P<stab>[ mMoO]) (?P<unit>kg|lb|oz| g|g | t|t |tn) (?P<legend>[gnGN])  \x03"
)
_AND_BARE = re.compile(r"(?P<sign>[+-])(?P<field>[0-9.,]{8})(?P<unit> kg|  g| mg| lb| oz)")


def reading(
    frame: bytes, digits: str, unit: str, *, negative: bool, stable: bool | None, kind: WeightKind = WeightKind.UNKNOWN
) -> Reading:
    """A reading from its columns; units that are no mass (pieces, per cent, carats) are a fault.

    Args:
        stable: what the line says about rest; None = nothing, so it is for the acceptance rule to infer.
    """
    digits, unit = digits.strip(), unit.strip()
    if not re.fullmatch(UNIT, unit) or (":" in digits) != (unit == "lb:oz"):
        return no_mass(frame, Status.FAULT, kind)
    mass = parse_mass(digits, unit, negative=negative)
    status = Status.MOTION if stable is False else Status.OK
    source = StableSource.INFERRED if stable is None else StableSource.SCALE
    return Reading(frame, status, mass, bool(stable), source, kind)


def no_mass(frame: bytes, status: Status, kind: WeightKind = WeightKind.UNKNOWN) -> Reading:
    return Reading(frame, status, None, False, StableSource.SCALE, kind)


def parse_vibra(line: str, frame: bytes) -> Reading | None:
    """Sign, six or seven digits with a point (zeros in front), unit 2, comparator 1, S settled / U moving / E error.

    >>> parse_vibra("+007.12/3 G S", b"").mass
    Mass(milligrams=7123, unit='g', interval_mg=1)
    """
    found = _VIBRA.fullmatch(line)
    if not found:
        return None
    whole, slash, last = found["field"].partition("/")
    count = sum(char.isdigit() for char in found["field"])
    # Seven characters hold six digits; eight hold seven, or six and the slash.
    if (slash and len(last) != 1) or count != len(found["field"]) - 1 - len(slash) or count < 6:
        return None
    if found["stab"] == "E":
        return no_mass(frame, Status.FAULT)
    digits = _blanked((whole + last).removesuffix("."))
    if digits is None:
        return None
    stable = {"S": True, "U": False}.get(found["stab"])
    unit = found["unit"]
    return reading(frame, digits, unit, negative=found["sign"] == "-", stable=stable)


def parse_radwag(line: str, frame: bytes) -> Reading | None:
    """Command 3, ``?`` moving / ``^`` over / ``v`` under, blank, sign, mass 9, blank, unit 3.

    >>> reading = parse_radwag("SUI? -   58.237 kg ", b"")
    >>> reading.mass.milligrams, str(reading.status)
    (-58237000, 'motion')
    """
    found = _RADWAG.fullmatch(line)
    if not found:
        return None
    if found["stab"] in "^v":
        return no_mass(frame, Status.OVERLOAD if found["stab"] == "^" else Status.UNDERLOAD)
    if not re.fullmatch(f" *{NUMBER}", found["field"]) or found["unit"].startswith(" "):
        return None
    return reading(frame, found["field"], found["unit"], negative=found["sign"] == "-", stable=found["stab"] == " ")


def parse_mettler_print(line: str, frame: bytes) -> Reading | None:
    """A printer's 24 columns: legend 6, value 13 with its sign, blank, unit 4. Nothing about rest.

    >>> parse_mettler_print("     N       0.3747 g   ", b"").mass.milligrams
    375
    """
    if len(line) != 24:
        return None
    found = _METTLER.fullmatch(line)
    if not found or not (value := re.fullmatch(rf" *(?P<sign>-?) *(?P<number>{NUMBER})", found["field"])):
        return None
    kind = KINDS[found["legend"].strip()]
    return reading(frame, value["number"], found["unit"], negative=bool(value["sign"]), stable=None, kind=kind)


def parse_weigh_tronix(line: str, frame: bytes) -> Reading | None:
    """Blank, G / N / T (m moving, o over), sign, weight 6, blank, unit 2. The letters say nothing about rest.

    >>> parse_weigh_tronix(" G  12.34 lb", b"").mass.milligrams
    5597330
    """
    found = _WEIGH_TRONIX.fullmatch(line)
    if not found or not re.fullmatch(f" *{NUMBER}", found["field"]):
        return None
    if found["legend"] == "o":
        return no_mass(frame, Status.UNDERLOAD if found["sign"] == "-" else Status.OVERLOAD)
    stable = False if found["legend"] == "m" else None
    kind = KINDS.get(found["legend"], WeightKind.UNKNOWN)
    return reading(frame, found["field"], found["unit"], negative=found["sign"] == "-", stable=stable, kind=kind)


def parse_cardinal(line: str, frame: bytes) -> Reading | None:
    """CR (in front), sign, six digits with a point, m moving / o out of range, unit 2, g / n, ETX behind.

    >>> parse_cardinal("+0012.34  lb g  \\x03", b"").mass.milligrams
    5597330
    """
    found = _CARDINAL.fullmatch(line)
    if not found or found["field"].count(".") != 1:
        return None
    kind = KINDS[found["legend"].upper()]
    if found["stab"] in "oO":
        return no_mass(frame, Status.UNDERLOAD if found["sign"] == "-" else Status.OVERLOAD, kind)
    digits = _blanked(found["field"].removesuffix("."))
    if digits is None:
        return None
    stable = found["stab"] == " "
    return reading(frame, digits, found["unit"], negative=found["sign"] == "-", stable=stable, kind=kind)


def parse_and_bare(line: str, frame: bytes) -> Reading | None:
    """A&D without its status: sign, eight characters with zeros in front, unit 3. Nothing about rest.

    >>> parse_and_bare("+0012.345 kg", b"").mass.milligrams
    12345000
    """
    found = _AND_BARE.fullmatch(line)
    digits = _blanked(found["field"]) if found else None
    if not found or digits is None:
        return None
    return reading(frame, digits, found["unit"], negative=found["sign"] == "-", stable=None)


def _blanked(field: str) -> str | None:
    """The number of a field that is filled with zeros."""
    digits = re.sub(r"^0+(?=[0-9])", "", field)
    return digits if re.fullmatch(NUMBER, digits) else None

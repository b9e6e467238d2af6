r"""NCI SCP-01 and ECR: Avery Weigh-Tronix, Brecknell, Adam, Datalogic Magellan, Ohaus Aviator, Fairbanks.

``LF`` weight unit ``CR LF`` status ``CR ETX``, or the status alone when there is no weight. ECR puts an ``S`` before
the status, writes units in capitals and pads with zeros; SCP-01 does neither, may send a sign, and has a pound-ounce
form. A status has two to four characters, so an answer is read to its ETX and never by length. A field of ``^``, ``_``
or ``-`` stands for over, under and zero error. Widths differ from model to model; a scale keeps the one it began with.

Only ``W CR`` is ever sent: it changes nothing (``U`` would change the operator's display).

Sources: DIVA manual pp. 34–37, Avery Weigh-Tronix 7821 p. 25, NCI 7800 p. 32, Adam MDW p. 15, Brecknell SBI140
pp. 24–25 and 3700LP p. 11 (grams as blank, four digits, ``g``, blank), Fairbanks FB2255 p. 74 (DEVICES §1.4); statuses
seen by ``garlick/brewcop``; the Brecknell PS-USB leaves out the LF before the status and the CR behind it
(``chris-rudmin/serial-nci-scale``). Not yet checked on hardware.
"""

from __future__ import annotations

import re

from devices.ports import Status, WeightKind
from devices.scale.frames import Frame, Garbage, Mass, Reading, broken_off, parse_mass, strip_noise
from devices.scale.layouts import LayoutJudge
from station.inspection.facts import StableSource

POLL = b"W\r"

_ETX = 0x03
_LONGEST = 64

_HH = r"(?P<s>S?)(?P<status>[\x30-\x3f\x70-\x7f]{2,4})"
_DECIMAL = r"(?P<field>[ 0-9.,-]{5,8})(?P<unit>kg|KG|lb|LB|oz|OZ|g |G | g| G)"
"""Six to eight columns, five for whole grams; the unit has two, or ``kg`` with a letter lost would be grams."""
_LB_OZ = r"(?P<pounds>[ 0-9]{2})(?:lb|LB) (?P<ounces>[ 0-9]{2}[.,][0-9])(?:oz|OZ)"
_FILL = r"(?P<fill>\^{3,8}|_{3,8}|-{3,8}) ?(?:kg|KG|lb|LB|oz|OZ|g|G)? ?"
_TEXT = r"[\x20-\x7e]{5,10}"

_WITH_WEIGHT = re.compile(rf"\n(?:{_DECIMAL}|{_LB_OZ})\r(?:\n{_HH}\r|(?P<short>[\x30-\x3f\x70-\x7f]{{2}}))\x03")
_STATUS_ONLY = re.compile(rf"\n{_HH}\r\x03")
_FILLED = re.compile(rf"\n{_FILL}\r(?:\n{_HH}\r|[\x30-\x3f\x70-\x7f]{{2}})\x03")
_MESSAGE = re.compile(rf"\n{_TEXT}\r\n{_HH}\r\x03")
_NUMBER = re.compile(r" *(?P<sign>-?) *(?P<digits>[0-9]+(?:[.,][0-9]+)?)")
_FILL_STATUS = {"^": Status.OVERLOAD, "_": Status.UNDERLOAD, "-": Status.ZERO_ERROR}

UNKNOWN_QUESTION = "the scale does not know the question W: is it set to NCI or ECR?"


def parse_answer(frame: bytes) -> Reading | Garbage:
    r"""Read one answer from its LF to its ETX.

    >>> parse_answer(b"\n12.345KG\r\nS00\r\x03").mass
    Mass(milligrams=12345000, unit='kg', interval_mg=1000)
    >>> parse_answer(b"\n12lb 07.5oz\r\n00\r\x03").mass.milligrams
    5655730
    >>> str(parse_answer(b"\nS02\r\x03").status)
    'overload'
    """
    try:
        text = frame.decode("ascii")
    except UnicodeDecodeError:
        return Garbage(frame, "bytes above 127: check baud rate and parity")
    if text == "\n?\r\x03":
        return Reading(frame, Status.FAULT, None, False, StableSource.SCALE, advice=UNKNOWN_QUESTION)
    if found := _STATUS_ONLY.fullmatch(text):
        return _reading(frame, found["status"], None)
    if found := _FILLED.fullmatch(text):
        return Reading(frame, _FILL_STATUS[found["fill"][0]], None, False, StableSource.SCALE)
    if not (found := _WITH_WEIGHT.fullmatch(text)):
        if _MESSAGE.fullmatch(text):
            return Reading(
                frame, Status.FAULT, None, False, StableSource.SCALE
            )  # the display shows words, not a weight
        return Garbage(frame, "not an NCI or ECR answer")
    mass = (
        _pounds_ounces(found["pounds"], found["ounces"]) if found["pounds"] else _decimal(found["field"], found["unit"])
    )
    if mass is None:
        return Garbage(frame, "the weight field is not a right-aligned number")
    return _reading(frame, found["status"] or found["short"], mass)


def _decimal(field: str, unit: str) -> Mass | None:
    found = _NUMBER.fullmatch(field)
    if not found or (len(field) == 5 and unit.strip().lower() != "g"):
        return None
    return parse_mass(_unpadded(found["digits"]), unit.strip(), negative=bool(found["sign"]))


def _pounds_ounces(pounds: str, ounces: str) -> Mass | None:
    if not re.fullmatch(r" *[0-9]+", pounds) or not re.fullmatch(r" *(?:0?[0-9]|1[0-5])[.,][0-9]", ounces):
        return None
    return parse_mass(f"{_unpadded(pounds.strip())}:{_unpadded(ounces.strip())}", "lb:oz")


def _unpadded(digits: str) -> str:
    return re.sub(r"^0+(?=[0-9])", "", digits)


def _reading(frame: bytes, characters: str, mass: Mass | None) -> Reading:
    """Characters are 0x30 with bits: first 0 motion, 1 at zero, 2 and 3 memory errors; second 0 under, 1 over, 2 ROM
    error, 3 bad calibration, 6 another follows; third 0–1 range, 2 net, 3 initial zero error."""
    bits = [ord(character) for character in characters] + [0x30, 0x30]
    kind = WeightKind.NET if bits[2] & 0x04 else WeightKind.UNKNOWN
    if bits[0] & 0x0C or bits[1] & 0x0C:
        return Reading(frame, Status.FAULT, None, False, StableSource.SCALE, kind)
    if bits[1] & 0x03:
        status = Status.OVERLOAD if bits[1] & 0x02 else Status.UNDERLOAD
        return Reading(frame, status, None, False, StableSource.SCALE, kind)
    if bits[2] & 0x08:
        return Reading(frame, Status.ZERO_ERROR, None, False, StableSource.SCALE, kind)
    moving = bool(bits[0] & 0x01)
    stable = mass is not None and not moving
    return Reading(frame, Status.MOTION if moving else Status.OK, mass, stable, StableSource.SCALE, kind)


class NciParser:
    """Incremental; remembers the layout. See ``ScaleParser``."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._layouts = LayoutJudge()

    def feed(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        for byte in data:
            self._rest.append(byte)
            if byte == _ETX:
                frames += self._read(strip_noise(bytes(self._rest)))
                self._rest.clear()
            elif len(self._rest) >= _LONGEST:
                frames += broken_off(bytes(self._rest))
                self._rest.clear()
        return frames

    def idle(self) -> list[Frame]:
        return []

    def drop(self) -> list[Frame]:
        rest = bytes(self._rest)
        self._rest.clear()
        return broken_off(rest)

    def _read(self, answer: bytes) -> list[Frame]:
        reading = parse_answer(answer)
        if isinstance(reading, Garbage) and (start := _last_answer(answer)) > 0:
            # The answer before this one was cut off. Only one with a weight is whole for sure: a status alone may be
            # the end of a broken weight.
            before = Garbage(answer[:start], "broken off: another answer begins inside it")
            return [before, *self._read(answer[start:])]
        if isinstance(reading, Reading) and reading.mass:
            return [self._layouts.judge(_layout(answer), reading, documented=True)]
        return [reading]


def _last_answer(answer: bytes) -> int:
    for start in range(answer.find(b"\n", 1), len(answer)) if b"\n" in answer[1:] else ():
        if answer[start] == 0x0A and _WITH_WEIGHT.fullmatch(answer[start:].decode("latin-1")):
            return start
    return 0


def _layout(answer: bytes) -> tuple[int, bool, int]:
    """Length of the weight, which status form, where the unit begins."""
    weight = answer[1 : answer.index(b"\r")]
    return len(weight), b"S" in answer[len(weight) :], len(weight.rstrip(b"kglbozKGLBOZ "))

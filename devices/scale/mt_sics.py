"""MT-SICS, levels 0 and 1: Mettler Toledo balances and terminals, Ohaus after ``PSI``, and look-alikes.

The weight field is 10 characters, right-aligned; that width is enforced, because without it one lost byte makes a valid
wrong weight. Only ``SI`` is ever sent: it answers at once, and it neither zeroes, tares nor prints.

Source: MT-SICS reference manual, commands S, SI, SIR, Z, T, I4, @ (DEVICES §1.2). Not yet checked on hardware.
"""

from __future__ import annotations

import re

from devices.ports import Status
from devices.scale.frames import (
    NUMBER,
    POUNDS_OUNCES,
    UNIT,
    Frame,
    Garbage,
    LineSplitter,
    Reading,
    Reply,
    broken_off,
    parse_mass,
    strip_noise,
)
from station.inspection.facts import StableSource

POLL = b"SI\r\n"

_WEIGHT = re.compile(rf"S ([SD]) (?=.{{10}} )( *)(-?)({NUMBER}|{POUNDS_OUNCES}) ({UNIT}|[A-Za-z%:]{{1,5}}) {{0,4}}")
_ERROR_TEXT = re.compile(r"S S Error +[0-9]{1,2}[bt]")
_OTHER_REPLY = re.compile(r"(?:Z|ZI|T|TI|TA|TAC|@|C|I[0-9]{1,2}|D|DW|SR|SIR|K|M[0-9]{2}|PW|UPD)(?: .*)?")
_ONLY_STATUS = {
    "S I": Status.MOTION,  # busy, or no rest within the scale's own limit
    "SI I": Status.MOTION,
    "S +": Status.OVERLOAD,
    "S -": Status.UNDERLOAD,
    "S L": Status.FAULT,
    "ES": Status.FAULT,
    "ET": Status.FAULT,
    "EL": Status.FAULT,
}


def parse_reply(frame: bytes) -> Frame:
    """Read one line of the scale, with its terminator.

    >>> parse_reply(b"S S     12.345 kg\\r\\n").mass
    Mass(milligrams=12345000, unit='kg', interval_mg=1000)
    >>> parse_reply(b"S +\\r\\n").status
    <Status.OVERLOAD: 'overload'>
    >>> parse_reply(b"S S    12.345 kg\\r\\n").reason
    'not an MT-SICS reply'
    """
    frame = strip_noise(frame)
    try:
        line = frame.rstrip(b"\r\n").decode("ascii")
    except UnicodeDecodeError:
        return Garbage(frame, "bytes above 127: check baud rate and parity")
    if line in _ONLY_STATUS:
        return _without_mass(frame, _ONLY_STATUS[line])
    if _ERROR_TEXT.fullmatch(line):
        return _without_mass(frame, Status.FAULT)
    found = _WEIGHT.fullmatch(line)
    if not found:
        return Reply(frame) if _OTHER_REPLY.fullmatch(line) else Garbage(frame, "not an MT-SICS reply")
    flag, padding, sign, digits, unit = found.groups()
    if len(padding) + len(sign) + len(digits) != 10:
        return Garbage(frame, "the weight field is not 10 characters wide")
    if not re.fullmatch(UNIT, unit) or (":" in digits) != (unit.lower() == "lb:oz"):
        return _without_mass(frame, Status.FAULT)
    stable = flag == "S"
    status = Status.OK if stable else Status.MOTION
    mass = parse_mass(digits, unit, negative=bool(sign))
    return Reading(frame, status, mass, stable, StableSource.SCALE)


def _without_mass(frame: bytes, status: Status) -> Reading:
    return Reading(frame, status, None, stable=False, stable_source=StableSource.SCALE)


class MtSicsParser:
    """Incremental; see ``ScaleParser``."""

    def __init__(self) -> None:
        self._lines = LineSplitter()

    def feed(self, data: bytes) -> list[Frame]:
        return [parse_reply(line) for line in self._lines.feed(data)]

    def idle(self) -> list[Frame]:
        return [parse_reply(line) for line in self._lines.idle()]

    def drop(self) -> list[Frame]:
        return broken_off(self._lines.drop())

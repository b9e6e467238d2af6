r"""SMA SCP-0499, levels 1 and 2: Sartorius / Minebea PR5xxx, Fairbanks, Cardinal 190, B-TEK T419S, Rice Lake.

``LF s r n m f`` weight 10 or 11, unit 3, ``CR``. The status ``s`` decides: over and under capacity still carry a
number, and it must not become a weight. Dashes are no weight; ``?`` means the scale does not know the question. Only
``W`` is ever sent: it answers at once and changes nothing.

Sources: SMA SCP-0499 sections 5.1 and 5.2, Sartorius PR5220 p. 130, PR5211 pp. 50–53, Cardinal 190 p. 124 (11
characters, status ``e``), B-TEK T419S p. 61, Fairbanks PR5410 p. 120 (DEVICES §1.5). Not yet checked on hardware.
"""

from __future__ import annotations

import re

from devices.ports import Status, WeightKind
from devices.scale.frames import (
    NUMBER,
    UNIT,
    Frame,
    FrameSplitter,
    Garbage,
    Reading,
    Reply,
    parse_mass,
)
from devices.scale.layouts import LayoutJudge
from station.inspection.facts import StableSource

POLL = b"\nW\r"

_ANSWER = re.compile(
    r"(?P<s>[ZOUEITe ])(?P<r>[0-9 ])(?P<n>[GNTgn])(?P<m>[M ])(?P<f>[\x20-\x7e])"
    r"(?P<weight>.{10,11})(?P<unit>[A-Za-z/: ]{3})"
)
_WEIGHT = re.compile(rf" *(?P<sign>-?) *(?P<digits>{NUMBER})")
_FIELD = re.compile(r"[A-Z][A-Za-z_]{2}:[\x20-\x7e]*|[ RECS]{4}")
"""An answer to A, B, I, N (a field) or D (four diagnostic flags)."""

_WITHOUT_WEIGHT = {
    "O": Status.OVERLOAD,
    "U": Status.UNDERLOAD,
    "E": Status.ZERO_ERROR,
    "I": Status.ZERO_ERROR,
    "T": Status.FAULT,
    "e": Status.FAULT,
}
_KIND = {"G": WeightKind.GROSS, "N": WeightKind.NET, "T": WeightKind.TARE}

UNKNOWN_QUESTION = "the scale does not know the question W: is it set to SMA?"


def parse_answer(frame: bytes) -> Reading | Reply | Garbage:
    r"""Read one answer from its LF to its CR.

    >>> parse_answer(b"\n 1G       5.025lb \r").mass
    Mass(milligrams=2279302, unit='lb', interval_mg=454)
    >>> reading = parse_answer(b"\nO1G      35.000kg \r")
    >>> str(reading.status), reading.mass
    ('overload', None)
    """
    try:
        body = frame[1:-1].decode("ascii")
    except UnicodeDecodeError:
        return Garbage(frame, "bytes above 127: check baud rate and parity")
    if body in ("?", "!"):
        advice = UNKNOWN_QUESTION if body == "?" else ""
        return Reading(frame, Status.FAULT, None, False, StableSource.SCALE, advice=advice)
    found = _ANSWER.fullmatch(body)
    if not found:
        return Reply(frame) if _FIELD.fullmatch(body) else Garbage(frame, "not an SMA answer")
    moving = found["m"] == "M"
    kind = _KIND[found["n"].upper()]
    if status := _WITHOUT_WEIGHT.get(found["s"]):
        return Reading(frame, status, None, False, StableSource.SCALE, kind)
    if not found["weight"].strip(" -") and "--" in found["weight"]:
        # Dashes and a status that says nothing: P gave up waiting for rest.
        return Reading(frame, Status.MOTION, None, False, StableSource.SCALE, kind)
    weight, unit = _WEIGHT.fullmatch(found["weight"]), found["unit"].strip()
    if not weight:
        return Garbage(frame, "the weight field is not a right-aligned number")
    if not re.fullmatch(UNIT, unit) or ":" in unit or found["unit"][0] == " ":
        return Reading(frame, Status.FAULT, None, False, StableSource.SCALE, kind)  # pieces, l/o, carats
    mass = parse_mass(weight["digits"], unit, negative=bool(weight["sign"]))
    return Reading(frame, Status.MOTION if moving else Status.OK, mass, not moving, StableSource.SCALE, kind)


class SmaParser:
    """Incremental; remembers the width of the weight field. See ``ScaleParser``."""

    def __init__(self) -> None:
        self._splitter = FrameSplitter(begin=0x0A, end=0x0D, longest=64)
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
        answer = parse_answer(piece)
        if isinstance(answer, Reading) and answer.mass:
            return self._layouts.judge(len(piece), answer, documented=True)
        return answer

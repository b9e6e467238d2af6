r"""Toledo Continuous: Mettler Toledo IND and Wildcat, Ohaus Defender 5000, Kern FTC, Cardinal, Fairbanks, many clones.

A frame is ``STX SWA SWB SWC`` weight 6, tare 6, ``CR``; the short form leaves the tare out. Sign, decimal point and
unit stand in the status words. A check character may follow the CR: the seven low bits of all bytes with it sum to 0.
It may itself be 0x02 or 0x0D, so frames are cut by STX and length, never by CR.

Context: whether a scale sends the check character is a setting that the bench does not know. Decision: the stream shows
it. Two frames in a row that verify prove it, and from then on, until the port is opened again, a frame without a good
one is garbage. Three frames in a row that are followed at once by the next STX, or by silence, prove that there is
none; two check characters in a row still prove the contrary.
Price: a scale whose check character is switched off while the station runs is silent until its port is opened again. A
wrong guess cannot make a weight: the check characters would be garbage between unchecked frames, which ends every run
of equal indications, and the other way round nothing would verify.

Makers disagree about the "constant" bits, so they are not looked at. The manuals do not say whether the decimal point
of an expanded (×10) display counts the extra digit: such an indication is refused, it could be ten times wrong.

Sources: Mettler Toledo Wildcat technical manual pp. 40–41, Ohaus Defender 5000 p. 70, Kern FTC p. 42, ICS425 p. 50,
Cardinal 225 p. 126 (the four forms), Fairbanks FB3000 p. 55, Triner TS-700 p. 15 (DEVICES §1.6); a Toledo Jaguar sends
a blank tare (ScaleResource manual p. 119). Not yet checked on hardware.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from devices.ports import Status, WeightKind
from devices.scale.frames import Frame, Garbage, Mass, Reading, broken_off, scaled_mass, strip_noise
from station.inspection.facts import StableSource

_STX, _CR, _LF = 0x02, 0x0D, 0x0A
_SHORT, _LONG = 11, 17
_PROOFS = 2
"""Verified check characters in a row; chance verifies one byte in 128."""
_PLAIN = 3
_JUNK = 64

_WEIGHT = re.compile(rb" *[0-9]+")
_TARE = re.compile(rb" *[0-9]* *")
_UNIT = {1: "g", 2: "t", 3: "oz"}
"""Status word C, bits 0–2; 0 = kg or lb by word B. 4 and 5 are troy units, 6 a ton of unknown size, 7 no mass."""
_STEP = {0: 1, 1: 1, 2: 2, 3: 5}
"""Status word A, bits 3–4: the scale's step in last digits."""

OTHER_UNIT = "the scale shows a unit that goods are not weighed in: set it to kg, g, lb or oz"
EXPANDED = "the scale shows an expanded weight (x10): switch its display back to normal to weigh goods"


def check_of(frame: bytes) -> int:
    """The check character that belongs behind a frame.

    >>> hex(check_of(bytes.fromhex("022D302020203132333420202020 20300D")))
    '0x1a'
    """
    return -sum(byte & 0x7F for byte in frame) & 0x7F


def parse_frame(frame: bytes) -> Reading | Garbage:
    """Read one frame from its STX to its CR; 11 or 17 bytes. What follows the CR is not looked at.

    >>> parse_frame(bytes.fromhex("022D302020203132333420202020 20300D")).mass
    Mass(milligrams=1234000, unit='kg', interval_mg=1000)
    >>> str(parse_frame(bytes.fromhex("022D34202020202020302020202020300D")).status)
    'overload'
    """
    word_a, word_b, word_c = frame[1:4]
    kind = WeightKind.NET if word_b & 0x01 else WeightKind.GROSS
    if word_b & 0x04:
        return _no_mass(frame, Status.UNDERLOAD if word_b & 0x02 else Status.OVERLOAD, kind)
    if not _WEIGHT.fullmatch(frame[4:10]) or not _TARE.fullmatch(frame[10:-1]):
        return Garbage(frame, "weight or tare are not digits")
    if word_b & 0x40:
        return _no_mass(frame, Status.NOT_ZEROED, kind)
    if word_c & 0x10:
        return _no_mass(frame, Status.FAULT, kind, EXPANDED)
    unit = _UNIT.get(word_c & 0x07) if word_c & 0x07 else "kg" if word_b & 0x10 else "lb"
    if unit is None:
        return _no_mass(
            frame, Status.FAULT, kind, "the scale shows a unit that is no mass for goods: set kg, g, lb or oz"
        )
    digits = int(frame[4:10])
    shown = scaled_mass(-digits if word_b & 0x02 else digits, 2 - (word_a & 0x07), unit)
    mass = Mass(shown.milligrams, unit, shown.interval_mg * _STEP[word_a >> 3 & 0x03])
    moving = bool(word_b & 0x08)
    return Reading(frame, Status.MOTION if moving else Status.OK, mass, not moving, StableSource.SCALE, kind)


def _no_mass(frame: bytes, status: Status, kind: WeightKind, advice: str = "") -> Reading:
    return Reading(frame, status, None, False, StableSource.SCALE, kind, advice)


class _Check(Enum):
    UNKNOWN = auto()
    ABSENT = auto()
    PRESENT = auto()


class ToledoContinuousParser:
    """Incremental; learns whether this scale sends a check character. See ``ScaleParser``."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._junk = bytearray()
        self._reason = ""
        self._check = _Check.UNKNOWN
        self._proofs = self._plain = 0
        self._expected: int | None = None
        """The check character that the frame just given out would have, while it is open whether one follows."""

    def feed(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        self._rest += data
        while self._step(frames):
            pass
        return frames

    def idle(self) -> list[Frame]:
        frames: list[Frame] = []
        length = _length(self._rest) if self._rest else 0
        if length == len(self._rest) > 0 and self._check is not _Check.PRESENT:
            self._give(length, length, frames)  # its check character may still come, late
        self._name_junk(frames)
        return frames

    def drop(self) -> list[Frame]:
        frames: list[Frame] = []
        self._name_junk(frames)
        rest = bytes(self._rest)
        self._rest.clear()
        self._expected = None
        return frames + broken_off(rest)

    def _step(self, frames: list[Frame]) -> bool:
        """Take one decision at the head of the rest; False = more bytes are needed for it."""
        if not self._rest:
            return False
        if self._expected is not None and (self._rest[0] != _STX or self._expected != _STX):
            return self._after_a_frame()
        length = _length(self._rest)
        if length == 0:
            return False
        if length < 0:
            return self._no_frame(frames)
        if self._check is _Check.ABSENT:
            self._give(length, length, frames)
            return True
        if len(self._rest) == length:
            return False
        following, expected = self._rest[length], check_of(bytes(self._rest[:length]))
        if following == expected and (following != _STX or self._check is _Check.PRESENT):
            self._give(length, length + 1, frames)
            self._expected = None
            self._count_proof()
        elif self._check is _Check.PRESENT:
            self._skip(1, "the check character is wrong: the frame is damaged")
        elif following in (_STX, _LF):
            self._give(length, length, frames)
        else:
            self._skip(1, "followed by neither its check character nor the next frame")
        return True

    def _after_a_frame(self) -> bool:
        """Look at the byte behind a frame that was given out without waiting for it."""
        following, expected = self._rest[0], self._expected
        self._expected = None
        if following == expected:
            self._count_proof()
            del self._rest[0]
        elif following == _LF:
            self._count_plain()
            del self._rest[0]
        elif following == _STX:
            self._count_plain()
        return True

    def _no_frame(self, frames: list[Frame]) -> bool:
        if self._expected == _STX and len(self._rest) > 1 and self._rest[1] == _STX:
            # Not the next frame's STX but this one's check character, which happens to be the same byte.
            self._expected = None
            self._count_proof()
            del self._rest[0]
            return True
        self._skip(1, "not a Toledo continuous frame")
        if len(self._junk) >= _JUNK:
            self._name_junk(frames)
        return True

    def _give(self, length: int, used: int, frames: list[Frame]) -> None:
        self._name_junk(frames)
        frame = bytes(self._rest[:length])
        self._expected = check_of(frame)
        frames.append(parse_frame(frame))
        del self._rest[:used]

    def _skip(self, count: int, reason: str) -> None:
        self._expected = None
        self._reason = self._reason or reason
        self._junk += self._rest[:count]
        del self._rest[:count]

    def _name_junk(self, frames: list[Frame]) -> None:
        junk = strip_noise(bytes(self._junk))
        if junk:
            frames.append(Garbage(junk, self._reason))
        self._junk.clear()
        self._reason = ""

    def _count_proof(self) -> None:
        self._plain = 0
        self._proofs += 1
        if self._proofs >= _PROOFS:
            self._check = _Check.PRESENT

    def _count_plain(self) -> None:
        self._proofs = 0
        self._plain += 1
        if self._plain >= _PLAIN and self._check is _Check.UNKNOWN:
            self._check = _Check.ABSENT


def _length(data: bytearray) -> int:
    """Length of the frame that these bytes begin with; 0 = too few bytes to tell, -1 = no frame begins here."""
    # Word A is never STX (its step bits are never 00): of two STX in a row the first one is a check character.
    if data[0] != _STX or data[1:2] == b"\x02" or any(byte > 0x7F for byte in data[:_LONG]):
        return -1
    if not _printable(data[4 : _SHORT - 1]):
        return -1
    if len(data) < _SHORT:
        return 0
    if data[_SHORT - 1] == _CR:
        return _SHORT
    if not _printable(data[_SHORT - 1 : _LONG - 1]):
        return -1
    if len(data) < _LONG:
        return 0
    return _LONG if data[_LONG - 1] == _CR else -1


def _printable(field: bytearray) -> bool:
    return all(0x20 <= byte < 0x7F for byte in field)

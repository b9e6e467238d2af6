"""CAS's handshake: AP, ER and SW-II, Ohaus Aviator set to "CAS", and look-alikes; 9600 8N1.

The host asks (ENQ), the scale is ready (ACK) or not (NAK), the host wants the weight (DC1), and the scale sends fifteen
bytes: ``SOH STX S 01.234kg BCC ETX EOT`` with ``S`` settled or ``U`` moving, the sign blank, ``-`` or ``F`` (overflow),
and BCC = exclusive or of the ten bytes between STX and BCC. The BCC may be any byte, ETX and SOH too, so frames are cut
by their length. Some look-alikes leave EOT out. A NAK is answered by another ENQ, three times; the fourth is a status.

CAS's PD-II in its "type 5" (ECR-2) speaks another language: set the driver ``toledo_8217`` for it.

Sources: CAS AP-1 protocol, SW-II manual p. 15, Ohaus Aviator manual p. 36. DEVICES §1.9. Not yet checked on hardware.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from devices.ports import Status
from devices.scale.frames import NUMBER, Frame, Garbage, Prompt, Reading, broken_off, parse_mass
from station.inspection.facts import StableSource

ENQ, ACK, NAK, DC1 = b"\x05", b"\x06", b"\x15", b"\x11"
POLL = ENQ

_SOH, _STX, _ETX, _EOT = 0x01, 0x02, 0x03, 0x04
_WITHOUT_EOT = 14
_RETRIES = 3
_MAX_GARBAGE = 64
_NOISE = b"\x00\x7f\xff"
_DATA = re.compile(r"(?P<stab>[SU])(?P<sign>[ F-])(?P<field>[ 0-9.]{6})(?P<unit>kg|KG| g|g |lb|LB|oz|OZ)")


def parse_weight(frame: bytes) -> Reading | None:
    """Read the weight frame, with or without its EOT; None = not one.

    >>> parse_weight(b"\\x01\\x02S 01.234kge\\x03\\x04").mass.milligrams
    1234000
    >>> parse_weight(b"\\x01\\x02U-00.250kgm\\x03\\x04").status
    <Status.MOTION: 'motion'>
    """
    data, check, ends = frame[2:12], frame[12:13], frame[13:]
    if frame[:2] != bytes([_SOH, _STX]) or ends not in (b"\x03", b"\x03\x04") or check != bytes([reduce(xor, data, 0)]):
        return None
    found = _DATA.fullmatch(data.decode("latin-1"))
    if not found:
        return None
    if found["sign"] == "F":
        return Reading(frame, Status.OVERLOAD, None, False, StableSource.SCALE)
    digits = re.sub(r"^0+(?=[0-9])", "", found["field"].strip())
    if not re.fullmatch(NUMBER, digits):
        return None
    mass = parse_mass(digits, found["unit"].strip(), negative=found["sign"] == "-")
    stable = found["stab"] == "S"
    return Reading(frame, Status.OK if stable else Status.MOTION, mass, stable, StableSource.SCALE)


class CasParser:
    """Incremental; leads the handshake by ``Prompt`` frames. See ``ScaleParser``."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._garbage = bytearray()
        self._naks = 0
        self._sends_eot = True

    def feed(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        for byte in data:
            self._rest.append(byte)
            while self._rest and self._step(frames):
                pass
        return frames

    def idle(self) -> list[Frame]:
        frames: list[Frame] = []
        if len(self._rest) == _WITHOUT_EOT:
            self._take_weight(_WITHOUT_EOT, frames)
        self._end_garbage(frames)
        return frames

    def drop(self) -> list[Frame]:
        rest = bytes(self._garbage + self._rest)
        self._rest.clear()
        self._garbage.clear()
        self._naks = 0
        return broken_off(rest)

    def _step(self, frames: list[Frame]) -> bool:
        """Take what the rest begins with; False = more bytes are needed."""
        rest = self._rest
        if rest[0] == _SOH:
            return self._frame_step(frames)
        byte = rest.pop(0)
        if bytes([byte]) == ACK:
            self._end_garbage(frames)
            self._naks = 0
            frames.append(Prompt(ACK, DC1))
        elif bytes([byte]) == NAK:
            self._end_garbage(frames)
            frames.append(self._not_ready())
        elif byte == _EOT and not self._sends_eot:
            self._sends_eot = True
        elif self._garbage or byte not in _NOISE:
            self._garbage.append(byte)
            if len(self._garbage) >= _MAX_GARBAGE:
                self._end_garbage(frames)
        return True

    def _frame_step(self, frames: list[Frame]) -> bool:
        rest = self._rest
        if len(rest) > 1 and rest[1] != _STX:
            self._garbage.append(rest.pop(0))
            return True
        if len(rest) < _WITHOUT_EOT or (len(rest) == _WITHOUT_EOT and rest[13] == _ETX and self._sends_eot):
            return False
        self._end_garbage(frames)
        whole = _WITHOUT_EOT + (len(rest) > _WITHOUT_EOT and rest[_WITHOUT_EOT] == _EOT)
        self._take_weight(whole, frames)
        return True

    def _take_weight(self, length: int, frames: list[Frame]) -> None:
        frame = bytes(self._rest[:length])
        reading = parse_weight(frame)
        if reading:
            del self._rest[:length]
            frames.append(reading)
            # A scale that left it out once is not waited for again.
            self._sends_eot = length > _WITHOUT_EOT
            return
        # Bytes were lost: what looks like the next frame may begin inside this one.
        again = frame.find(bytes([_SOH, _STX]), 1)
        bad = frame if again < 0 else frame[:again]
        del self._rest[: len(bad)]
        frames.append(Garbage(bad, "a weight frame whose check does not agree"))

    def _not_ready(self) -> Frame:
        self._naks += 1
        if self._naks <= _RETRIES:
            return Prompt(NAK, ENQ)
        self._naks = 0
        return Reading(NAK, Status.FAULT, None, False, StableSource.SCALE)

    def _end_garbage(self, frames: list[Frame]) -> None:
        if self._garbage:
            frames.append(Garbage(bytes(self._garbage), "not part of CAS's handshake"))
            self._garbage.clear()

"""Why bytes arrive and no frame among them can be read: another parity, another speed, another driver.

What a receiver makes of a wrong speed: if the scale sends more slowly, each of its bits is seen several times, so bytes
are runs of equal bits (0x00, 0x80, 0xF8, 0xFE …); if it sends faster, bits are skipped and bytes look random, many of
them above 127. A parity bit that is taken for data shows as bit 7 of otherwise good text (DEVICES §8.1, S19).
"""

from __future__ import annotations

from itertools import groupby

from devices.scale.frames import Garbage, ScaleParser
from devices.transport import LineSettings

_SPEEDS = (1200, 2400, 4800, 9600, 19200, 38400)
_UNDERSTOOD = 2
"""Frames that make sense by chance are rarer than this."""
_CONTROLS = b"\x02\x03\x04\x05\x06\x0a\x0d\x15"


def diagnose(recent: bytes, name: str, line: LineSettings, parser: ScaleParser) -> str:
    """One sentence for people; the same one for as long as the same thing is wrong, so that it is told once.

    Args:
        recent: the last bytes as they came, without one good frame among them.
        line: how the port is set.
        parser: a fresh one of the driver.
    """
    seven_bits = parser.feed(bytes(byte & 0x7F for byte in recent))
    understood = sum(not isinstance(frame, Garbage) for frame in seven_bits)
    if understood >= _UNDERSTOOD and any(byte > 0x7F for byte in recent):
        return f"bytes arrive with a parity bit: set 7 data bits and {_parity_of(recent)} for this port"
    text = sum(0x20 <= byte < 0x7F or byte in _CONTROLS for byte in recent)
    if text < 0.8 * len(recent):
        others = _other_speeds(recent, line.baud)
        unlikely = "" if line.parity == "N" else f", or 8N1 instead of {line}"
        return f"bytes arrive, but no text: this is the wrong baud rate ({line}) or parity. Try {others}{unlikely}"
    return f"bytes arrive, but not one {name} frame: check the driver, the baud rate ({line}) and the parity"


def _parity_of(recent: bytes) -> str:
    even = sum(byte.bit_count() % 2 == 0 for byte in recent)
    if even >= 0.9 * len(recent):
        return "even parity (7E1)"
    if even <= 0.1 * len(recent):
        return "odd parity (7O1)"
    return "no parity (7N2)"


def _other_speeds(recent: bytes, baud: int) -> str:
    slower = [str(speed) for speed in reversed(_SPEEDS) if speed < baud]
    faster = [str(speed) for speed in _SPEEDS if speed > baud]
    smeared = sum(_shortest_run(byte) >= 2 for byte in recent) >= 0.7 * len(recent)
    return ", ".join((slower if smeared else faster + slower) or faster) + " baud"


def _shortest_run(byte: int) -> int:
    """Length of the shortest run of equal bits between the start bit (0) and the stop bit (1)."""
    bits = "0" + f"{byte:08b}"[::-1] + "1"
    runs = [len(list(run)) for _, run in groupby(bits)]
    return min(runs[:-1])  # the last one goes on for as long as the line is quiet

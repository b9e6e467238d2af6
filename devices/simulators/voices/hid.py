"""A USB scale's reports, as bytes on a line.

Source: USB HID Point of Sale Usage Tables 1.02, usage page 0x8D (DEVICES §1.10).
"""

from __future__ import annotations

from devices.simulators.platform import Platform

_PERIOD_S = 0.1
_GRAMS = 2
_ZERO, _MOTION, _STABLE, _UNDER_ZERO, _OVER = 2, 3, 4, 5, 6
_ZERO_SCALE = b"\x02\x02"
"""Control report: make this the zero."""


class HidVoice:
    """Report 3 ten times a second, in grams without decimals; the number is a magnitude."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._next = 0.0

    def hear(self, data: bytes, now: float) -> None:
        if _ZERO_SCALE in data:
            self._platform.zero(now)

    def speak(self, now: float) -> bytes:
        if now < self._next:
            return b""
        self._next = max(self._next + _PERIOD_S, now + _PERIOD_S / 2)
        return self._report(now)

    def _report(self, now: float) -> bytes:
        grams = round((self._platform.gross_mg(now) - self._platform.tare_mg) / 1000)
        if self._platform.overloaded:
            status, grams = _OVER, 0
        elif grams < 0:
            status = _UNDER_ZERO
        elif self._platform.moving(now):
            status = _MOTION
        else:
            status = _STABLE if grams else _ZERO
        return bytes([3, status, _GRAMS, 0]) + abs(grams).to_bytes(2, "little")

"""Toledo Continuous, as the status byte tables define it.

Source: Mettler Toledo Wildcat technical manual, tables 6-8 to 6-11 (DEVICES §1.6).
"""

from __future__ import annotations

from devices.simulators.platform import Platform

_PERIOD_S = 0.125
_FROM_POINT = {0: 2, 1: 3, 2: 4, 3: 5, 4: 6, 5: 7}
"""Decimals → bits 0–2 of status word A."""
_DECIMALS = 3


class ToledoContinuousVoice:
    """Sends about seven times a second, kilograms, three decimals; T tares, Z zeroes, C clears the tare."""

    def __init__(self, platform: Platform, *, checked: bool = True, short: bool = False) -> None:
        self._platform = platform
        self._checked = checked
        self._short = short
        self._next = 0.0

    def hear(self, data: bytes, now: float) -> None:
        for command in data:
            if command == ord("T"):
                self._platform.tare_mg = self._platform.gross_mg(now)
            elif command == ord("Z"):
                self._platform.zero(now)
            elif command == ord("C"):
                self._platform.tare_mg = 0

    def speak(self, now: float) -> bytes:
        if now < self._next:
            return b""
        self._next = max(self._next + _PERIOD_S, now + _PERIOD_S / 2)
        return self._message(now)

    def _message(self, now: float) -> bytes:
        pan = self._platform
        shown = pan.gross_mg(now) - pan.tare_mg
        out_of_range = pan.overloaded or pan.underloaded
        word_a = 0b0010_0000 | 0b01 << 3 | _FROM_POINT[_DECIMALS]
        word_b = 0b0010_0000 | 0b0001_0000  # always 1; kilograms
        word_b |= bool(pan.tare_mg) << 0 | (shown < 0) << 1 | out_of_range << 2 | pan.moving(now) << 3
        message = bytes([0x02, word_a, word_b, 0b0010_0000])
        message += f"{0 if out_of_range else abs(shown) // 1000:6d}".encode()
        message += b"" if self._short else f"{pan.tare_mg // 1000:6d}".encode()
        message += b"\r"
        return message + bytes([(128 - sum(message) % 128) % 128]) if self._checked else message

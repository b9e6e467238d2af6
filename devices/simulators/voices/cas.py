"""CAS's handshake. Sources: CAS AP-1 protocol, SW-II manual p. 15 (DEVICES §1.9)."""

from __future__ import annotations

from devices.simulators.platform import Platform

_ENQ, _ACK, _DC1, _NAK = 0x05, 0x06, 0x11, 0x15


class CasVoice:
    """ENQ is answered by ACK (or NAK while not ready), DC1 by the weight."""

    def __init__(self, platform: Platform, *, naks: int = 0, with_eot: bool = True) -> None:
        """
        Args:
            naks: how many ENQs in turn find it not ready.
            with_eot: some look-alikes leave the last byte out.
        """
        self._platform = platform
        self._naks = naks
        self._with_eot = with_eot
        self._answers = b""

    def hear(self, data: bytes, now: float) -> None:
        for byte in data:
            if byte == _ENQ and self._naks:
                self._naks -= 1
                self._answers += bytes([_NAK])
            elif byte == _ENQ:
                self._answers += bytes([_ACK])
            elif byte == _DC1:
                self._answers += self._weight(now)

    def speak(self, now: float) -> bytes:
        answers, self._answers = self._answers, b""
        return answers

    def _weight(self, now: float) -> bytes:
        shown = self._platform.gross_mg(now) - self._platform.tare_mg
        settled = "U" if self._platform.moving(now) else "S"
        if self._platform.overloaded:
            text = f"{settled}F00.000kg"
        else:
            text = f"{settled}{'-' if shown < 0 else ' '}{abs(shown) / 1e6:06.3f}kg"
        check = 0
        for char in text.encode():
            check ^= char
        return b"\x01\x02" + text.encode() + bytes([check]) + (b"\x03\x04" if self._with_eot else b"\x03")

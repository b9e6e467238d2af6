"""NCI in its ECR form. Source: DIVA manual pp. 34–37, Fairbanks FB2255 p. 74 (DEVICES §1.4)."""

from __future__ import annotations

from devices.simulators.platform import STEP_MG, Platform


class NciVoice:
    """Kilograms, six characters. Commands end with CR: W, S, Z; anything else is not known."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._line = b""
        self._out = b""

    def hear(self, data: bytes, now: float) -> None:
        self._line += data
        while b"\r" in self._line:
            command, self._line = self._line.split(b"\r", 1)
            self._out += self._answer(command, now)
        self._line = self._line[-16:]

    def speak(self, now: float) -> bytes:
        out, self._out = self._out, b""
        return out

    def _answer(self, command: bytes, now: float) -> bytes:
        pan = self._platform
        status = b"\nS" + self._status(now) + b"\r\x03"
        if command == b"W":
            grams = pan.gross_mg(now) // 1000
            if grams < 0 or pan.overloaded or pan.moving(now):
                return status
            return b"\n%02d.%03dKG\r" % (grams // 1000, grams % 1000) + status
        if command == b"Z":
            pan.zero(now)
            return b"\nS" + self._status(now) + b"\r\x03"
        return status if command == b"S" else b"\n?\r\x03"

    def _status(self, now: float) -> bytes:
        pan = self._platform
        shown = pan.gross_mg(now)
        first = pan.moving(now) << 0 | (abs(shown) < STEP_MG) << 1
        second = (shown < 0) << 0 | pan.overloaded << 1
        return bytes([0x30 | first, 0x30 | second])

"""Mettler 8217. Source: protocol page of zipstore.ru, status byte of the DIVA manual p. 45 (DEVICES §1.3)."""

from __future__ import annotations

from devices.simulators.platform import STEP_MG, Platform

_STX, _CR = b"\x02", b"\r"


class Toledo8217Voice:
    """Kilograms, ``WW.WWW``. Answers single capitals; E begins an echo, F ends it."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._echoing = False
        self._out = b""

    def hear(self, data: bytes, now: float) -> None:
        for byte in data:
            self._answer(bytes([byte]), now)

    def speak(self, now: float) -> bytes:
        out, self._out = self._out, b""
        return out

    def _answer(self, command: bytes, now: float) -> None:
        if self._echoing:
            self._echoing = command != b"F"
            self._out += command if self._echoing else b""
            return
        match command:
            case b"W":
                self._out += self._weight(now)
            case b"Z":
                self._platform.zero(now)
                self._out += self._status(now)
            case b"T":
                self._platform.tare_mg = self._platform.gross_mg(now)
                self._out += self._status(now)
            case b"C":
                self._platform.tare_mg = 0
                self._out += self._status(now)
            case b"A":
                self._out += _STX + _CR
            case b"B":
                self._out += self._status(now)
            case b"E":
                self._echoing = True
                self._out += _STX + b"E" + _CR

    def _weight(self, now: float) -> bytes:
        pan = self._platform
        net = pan.gross_mg(now) - pan.tare_mg
        if pan.moving(now) or pan.overloaded or net < 0:
            return self._status(now)
        grams = net // 1000
        return _STX + f"{grams // 1000:02d}.{grams % 1000:03d}".encode() + (b"N" if pan.tare_mg else b"") + _CR

    def _status(self, now: float) -> bytes:
        pan = self._platform
        net = pan.gross_mg(now) - pan.tare_mg
        bits = [pan.moving(now), pan.overloaded, net < 0, False, abs(net) < STEP_MG, bool(pan.tare_mg), True]
        return _STX + b"?" + bytes([sum(bit << place for place, bit in enumerate(bits))]) + _CR

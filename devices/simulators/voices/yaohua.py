"""Yaohua XK3190: tF=0 with command mode (the one that ``VOICES`` has), tF=2 reversed, and the A12E's lines.

Sources: XK3190-A23p manual p. 23 and 26, A22 p. 13, A12E (DEVICES §1.9). No frame says "moving", and only the A12E has
one for a load out of range: the others send none then.
"""

from __future__ import annotations

from devices.simulators.platform import Platform

_PERIOD_S = 0.1
_DECIMALS = 3


def _check(body: bytes, *, letters: bool = True) -> bytes:
    value = 0
    for byte in body:
        value ^= byte
    halves = (value >> 4, value & 0x0F)
    return bytes(half + (0x37 if letters and half > 9 else 0x30) for half in halves)


class _Pusher:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._next = 0.0
        self._answers = b""

    def hear(self, data: bytes, now: float) -> None:
        """Most forms are not to be asked."""

    def speak(self, now: float) -> bytes:
        sent, self._answers = self._answers, b""
        if now >= self._next:
            self._next = max(self._next + _PERIOD_S, now + _PERIOD_S / 2)
            sent += self._frame(now)
        return sent

    def _frame(self, now: float) -> bytes:
        raise NotImplementedError

    @property
    def _out_of_range(self) -> bool:
        return self._platform.overloaded or self._platform.underloaded


class YaohuaVoice(_Pusher):
    """tF=0; answers the commands A (are you there), B (gross), C (tare) and D (net) of address A."""

    def __init__(self, platform: Platform, *, letters: bool = True, push: bool = True) -> None:
        """
        Args:
            letters: the check's upper form, A–F above 9; else ``:`` to ``?``, as the A22 has it.
            push: sends by itself; else only when asked.
        """
        super().__init__(platform)
        self._letters = letters
        self._push = push
        self._heard = b""

    def hear(self, data: bytes, now: float) -> None:
        self._heard = (self._heard + data)[-64:]
        while b"\x03" in self._heard:
            asked, self._heard = self._heard.split(b"\x03", 1)
            asked = asked[asked.rfind(b"\x02") + 1 :]
            if len(asked) != 4 or asked[:1] != b"A" or asked[2:] != _check(asked[:2], letters=self._letters):
                continue
            gross, tare = self._platform.gross_mg(now), self._platform.tare_mg
            masses = {b"B": gross, b"C": tare, b"D": gross - tare}
            command = asked[1:2]
            if command == b"A":
                self._answers += self._framed(asked[:2])
            elif command in masses:
                self._answers += self._framed(asked[:2] + self._number(masses[command]))

    def _frame(self, now: float) -> bytes:
        if not self._push or self._out_of_range:
            return b""
        return self._framed(self._number(self._platform.gross_mg(now) - self._platform.tare_mg))

    def _framed(self, body: bytes) -> bytes:
        return b"\x02" + body + _check(body, letters=self._letters) + b"\x03"

    @staticmethod
    def _number(mass_mg: int) -> bytes:
        return f"{mass_mg // 10 ** (6 - _DECIMALS):+07d}{_DECIMALS}".encode()


class ReversedVoice(_Pusher):
    """tF=2: the digits from last to first, then the sign."""

    def _frame(self, now: float) -> bytes:
        if self._out_of_range:
            return b""
        shown = self._platform.gross_mg(now) - self._platform.tare_mg
        return f"={f'{abs(shown) / 1e6:07.3f}'[::-1]}{'-' if shown < 0 else '0'}".encode()


class A12eVoice(_Pusher):
    """A line with its check; OL and LO."""

    def _frame(self, now: float) -> bytes:
        if self._out_of_range:
            body = b" " * 9 + (b"OL" if self._platform.overloaded else b"LO")
        else:
            tare = self._platform.tare_mg
            shown = self._platform.gross_mg(now) - tare
            body = f"W{'N' if tare else 'G'}{shown / 1e6:07.3f}kg".encode()
        return body + _check(body) + b"\r\n"

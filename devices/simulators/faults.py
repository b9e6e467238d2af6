"""What happens to bytes between a device and the program: a bad cable, a wrong setting, a slow device.

Works on any device's bytes and knows no protocol. Steps of a script (times in seconds; a fault begins at once, lasts
while the script goes on, and ends by itself)::

    {"do":"noise","hex":"00007f7f"}                these bytes, once
    {"do":"noise","rate":0.02,"seconds":3}         that share of the bytes is hit: a flipped bit
    {"do":"drop","bytes":3}                        the next bytes are lost
    {"do":"drop","every":40,"seconds":3}           each 40th byte is lost
    {"do":"splice","times":2}                      the end of one message and the beginning of the next are lost
    {"do":"wrong_baud","ratio":0.25,"seconds":3}   the device sends at a quarter of the speed that the program reads
    {"do":"parity","kind":"even","seconds":3}      the parity bit arrives as bit 7 (7E1 read as 8N1); even or odd
    {"do":"late","by":1.2,"seconds":5}             what the device says arrives later

Source: DEVICES §8.1, S2–S5, S16, S19. A wrong speed is made by sampling the waveform of the bits as a UART does.
"""

from __future__ import annotations

import json
import math
import random
from collections import deque
from collections.abc import Callable, Iterator

from devices.simulators.script import Command, hex_bytes, number
from station.errors import InvalidInput

STEPS = ("noise", "drop", "splice", "wrong_baud", "parity", "late")

_FOREVER = 1e9
_IDLE_BITS = 40


class LineFaults:
    """A line that may be bad. Bytes go in as the device says them and come out as the program hears them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._mangle: list[tuple[float, Callable[[bytes], bytes]]] = []
        self._lost = 0
        self._splices = 0
        self._held = b""
        self._late_s, self._late_until = 0.0, -math.inf
        self._waiting: deque[tuple[float, bytes]] = deque()

    def do(self, command: Command, now: float) -> bytes:
        """Begin a fault.

        Returns:
            Bytes that go out at once.

        Raises:
            InvalidInput: a value is missing or makes no sense.
        """
        until = now + number(command, "seconds") if "seconds" in command else now + _FOREVER
        match command["do"]:
            case "noise" if "rate" not in command:
                return hex_bytes(command)
            case "noise":
                rate = number(command, "rate")
                self._mangle.append((until, lambda data: self._flip(data, rate)))
            case "drop" if "every" not in command:
                self._lost += round(number(command, "bytes"))
            case "drop":
                self._mangle.append((until, _Sieve(max(1, round(number(command, "every"))))))
            case "splice":
                self._splices += round(number(command, "times")) if "times" in command else 1
            case "wrong_baud":
                ratio = number(command, "ratio")
                if not 1 / 64 <= ratio <= 64 or ratio == 1:
                    raise InvalidInput(f"{json.dumps(command)}: ratio is the device's speed by the program's, 1/64…64")
                self._mangle.append((until, lambda data: resample(data, ratio)))
            case "parity":
                kind = command.get("kind", "even")
                if kind not in ("even", "odd"):
                    raise InvalidInput(f"{json.dumps(command)}: kind is {kind!r}, expected even or odd")
                self._mangle.append((until, lambda data: with_parity(data, odd=kind == "odd")))
            case "late":
                self._late_s, self._late_until = number(command, "by"), until
            case _:
                raise InvalidInput(f"{json.dumps(command)} is no fault of a line; there are {', '.join(STEPS)}")
        return b""

    def carry(self, spoken: bytes, now: float) -> bytes:
        """What arrives now of what has been said until now."""
        spoken = self._splice(spoken)
        if self._lost and spoken:
            kept = spoken[self._lost :]
            self._lost -= len(spoken) - len(kept)
            spoken = kept
        self._mangle = [fault for fault in self._mangle if now < fault[0]]
        for _, mangle in self._mangle:
            spoken = mangle(spoken) if spoken else spoken
        if spoken:
            self._waiting.append((now + self._late_s if now < self._late_until else now, spoken))
        arrived = b""
        while self._waiting and self._waiting[0][0] <= now:
            arrived += self._waiting.popleft()[1]
        return arrived

    def _splice(self, spoken: bytes) -> bytes:
        if not spoken or not self._splices:
            return spoken
        if not self._held:
            self._held = spoken
            return b""
        first, self._held = self._held, b""
        self._splices -= 1
        return first[: self._random.randrange(1, len(first) + 1)] + spoken[self._random.randrange(len(spoken)) :]

    def _flip(self, data: bytes, rate: float) -> bytes:
        chance = self._random
        return bytes(byte ^ 1 << chance.randrange(8) if chance.random() < rate else byte for byte in data)


class _Sieve:
    def __init__(self, every: int) -> None:
        self._every = every
        self._count = 0

    def __call__(self, data: bytes) -> bytes:
        kept = bytearray()
        for byte in data:
            self._count += 1
            if self._count % self._every:
                kept.append(byte)
        return bytes(kept)


def with_parity(data: bytes, *, odd: bool = False) -> bytes:
    """Seven-bit text with its parity bit on top.

    >>> with_parity(b"13").hex()
    'b133'
    """
    return bytes(byte & 0x7F | ((byte & 0x7F).bit_count() + odd) % 2 << 7 for byte in data)


def resample(data: bytes, ratio: float) -> bytes:
    """What a UART at speed 1 makes of bytes that are sent at ``ratio`` of it, 8N1, back to back, then a quiet line.

    >>> resample(b"A", 0.5) == b"A"
    False
    >>> resample(b"S S  1.0 kg", 1.0)
    b'S S  1.0 kg'
    """
    sent = [bit for byte in data for bit in _bits(byte)] + [1] * _IDLE_BITS
    received = bytearray()
    now = 0.0  # in bits of the receiver
    end = len(sent) / ratio

    def level(at: float) -> int:
        place = int(at * ratio)
        return sent[place] if place < len(sent) else 1

    while now < end:
        if level(now):
            now += 0.0625
            continue
        if level(now + 0.5) == 0:  # still low in the middle of the bit: a start bit, not a spike
            received.append(sum(level(now + 1.5 + i) << i for i in range(8)))
        now += 9.5
    return bytes(received)


def _bits(byte: int) -> Iterator[int]:
    yield 0
    yield from ((byte >> i) & 1 for i in range(8))
    yield 1

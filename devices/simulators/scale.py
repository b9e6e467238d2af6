"""A simulated bench scale: a pan (``platform.py``), a way of talking about it (``voices``), and a script's faults."""

from __future__ import annotations

import json
import math

from devices.simulators.platform import CAPACITY_MG, Platform
from devices.simulators.script import Command, hex_bytes, number
from devices.simulators.voices import VOICES
from station.errors import InvalidInput


class ScaleSimulator:
    """Knows put, remove, overload, silence, noise."""

    def __init__(self, driver: str, seed: int) -> None:
        self._platform = Platform(seed)
        self._voice = VOICES[driver](self._platform)
        self._silent_until = -math.inf

    def do(self, command: Command, now: float) -> tuple[bytes, float]:
        match command["do"]:
            case "put":
                self._platform.load(round(number(command, "gross_mg")), now)
            case "remove":
                self._platform.load(0, now)
            case "overload":
                self._platform.load(CAPACITY_MG * 2, now)
            case "silence":
                self._silent_until = now + number(command, "seconds")
                return b"", self._silent_until
            case "noise":
                return hex_bytes(command), now
            case _:
                known = "put, remove, overload, silence, noise, wait, unplug and quit"
                raise InvalidInput(f"{json.dumps(command)}: a scale knows {known}")
        return b"", now

    def hear(self, data: bytes, now: float) -> None:
        if now >= self._silent_until:
            self._voice.hear(data, now)

    def speak(self, now: float) -> bytes:
        spoken = self._voice.speak(now)
        return spoken if now >= self._silent_until else b""

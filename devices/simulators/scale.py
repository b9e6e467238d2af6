"""A simulated bench scale: a pan (``platform.py``), a way of talking about it (``voices``), faults of its line
(``faults.py``) and of itself.

Steps of a script, besides those of the line and of every simulator: ``put`` (gross_mg), ``remove``, ``overload``,
``underload`` (the pan itself lifted), ``negative`` (mg: so much below zero, within what a scale still shows),
``motion`` (seconds: it does not come to rest), ``stuck`` (seconds: shows the same value, settled, whatever lies there),
``silence`` (seconds, waited for).
"""

from __future__ import annotations

import json
import math

from devices.simulators.faults import STEPS, LineFaults
from devices.simulators.platform import CAPACITY_MG, Platform
from devices.simulators.script import Command, number
from devices.simulators.voices import VOICES
from station.errors import InvalidInput

_OWN = ("put", "remove", "overload", "underload", "negative", "motion", "stuck", "silence")


class ScaleSimulator:
    """A ``Device`` of ``script.py``."""

    def __init__(self, driver: str, seed: int) -> None:
        self._platform = Platform(seed)
        self._voice = VOICES[driver](self._platform)
        self._faults = LineFaults(seed)
        self._silent_until = -math.inf
        self._stuck_until = -math.inf

    def do(self, command: Command, now: float) -> tuple[bytes, float]:
        match command["do"]:
            case "put":
                self._platform.load(round(number(command, "gross_mg")), now)
            case "remove":
                self._platform.load(0, now)
            case "overload":
                self._platform.load(CAPACITY_MG * 2, now)
            case "underload":
                self._platform.load(-CAPACITY_MG // 10, now)
            case "negative":
                self._platform.load(-round(number(command, "mg")), now)
            case "motion":
                self._platform.shake(now + number(command, "seconds"))
            case "stuck":
                self._platform.hang(now)
                self._stuck_until = now + number(command, "seconds")
            case "silence":
                self._silent_until = now + number(command, "seconds")
                return b"", self._silent_until
            case fault if fault in STEPS:
                return self._faults.do(command, now), now
            case _:
                known = ", ".join([*_OWN, *STEPS, "wait", "unplug and quit"])
                raise InvalidInput(f"{json.dumps(command)}: a scale knows {known}")
        return b"", now

    def hear(self, data: bytes, now: float) -> None:
        if now >= self._silent_until:
            self._voice.hear(data, now)

    def speak(self, now: float) -> bytes:
        if now >= self._stuck_until:
            self._platform.recover()
        spoken = self._voice.speak(now)
        return self._faults.carry(spoken if now >= self._silent_until else b"", now)

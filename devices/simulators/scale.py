"""Simulated bench scales: a platform that settles, and two ways of talking about it.

Written from the makers' tables, not from our parsers, so that the two can disagree.

Sources: MT-SICS reference manual (commands S, SI, SIR, Z, ZI, T, TI, TAC, I0–I4, @; DEVICES §1.2); Ohaus Defender 3000
manual EN-35 with the columns of a real capture (``data/scales/ohaus_defender3000_hex.txt``), Ohaus RS232 command table.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import Protocol

from devices.simulators.script import Command, hex_bytes, number
from station.errors import InvalidInput

_STEP_MG = 1_000
_CAPACITY_MG = 15_000_000
_SETTLE_S = 0.6
_SWING_HZ = 4.0


class Platform:
    """The mechanics: what lies on the pan, and what the display shows while it comes to rest. d = 1 g, max 15 kg."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._from_mg = self._to_mg = 0
        self._moved_at = -math.inf
        self._swing = 0.0
        self._zero_mg = 0
        self.tare_mg = 0

    def load(self, gross_mg: int, now: float) -> None:
        self._from_mg, self._to_mg, self._moved_at = self._to_mg, gross_mg, now
        self._swing = self._random.uniform(0.03, 0.08) * abs(self._to_mg - self._from_mg)

    def moving(self, now: float) -> bool:
        return now - self._moved_at < _SETTLE_S

    @property
    def overloaded(self) -> bool:
        return self._to_mg > _CAPACITY_MG + 9 * _STEP_MG

    @property
    def underloaded(self) -> bool:
        return self._to_mg < -20 * _STEP_MG

    def gross_mg(self, now: float) -> int:
        """Displayed gross mass in steps of d."""
        passed = now - self._moved_at
        exact = float(self._to_mg - self._zero_mg)
        if passed < _SETTLE_S:
            fade = math.exp(-6.0 * passed / _SETTLE_S)
            exact -= (self._to_mg - self._from_mg) * fade * fade
            exact += self._swing * fade * math.sin(2 * math.pi * _SWING_HZ * passed) + self._random.uniform(-1, 1)
        return round(exact / _STEP_MG) * _STEP_MG

    def zero(self, now: float) -> bool:
        if self.moving(now) or abs(self._to_mg) > _CAPACITY_MG // 50:
            return False
        self._zero_mg = self._to_mg
        self.tare_mg = 0
        return True


class Voice(Protocol):
    """How a scale talks."""

    def hear(self, data: bytes, now: float) -> None: ...

    def speak(self, now: float) -> bytes: ...


class ScaleSimulator:
    """Knows put, remove, overload, silence, noise."""

    def __init__(self, driver: str, seed: int) -> None:
        self._platform = Platform(seed)
        voices: dict[str, Callable[[Platform], Voice]] = {"mt_sics": MtSicsVoice, "print_string": OhausVoice}
        self._voice = voices[driver](self._platform)
        self._silent_until = -math.inf

    def do(self, command: Command, now: float) -> tuple[bytes, float]:
        match command["do"]:
            case "put":
                self._platform.load(round(number(command, "gross_mg")), now)
            case "remove":
                self._platform.load(0, now)
            case "overload":
                self._platform.load(_CAPACITY_MG * 2, now)
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


class MtSicsVoice:
    """Answers commands that end with CR LF; SIR repeats at 10 Hz until the next weight command."""

    _STABILITY_LIMIT_S = 3.0

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._line = b""
        self._answers: list[str] = []
        self._waiting_since: float | None = None
        self._repeat_at: float | None = None

    def hear(self, data: bytes, now: float) -> None:
        self._line += data
        while b"\n" in self._line:
            command, self._line = self._line.split(b"\n", 1)
            self._answer(command.rstrip(b"\r").decode("ascii", "replace"), now)
        self._line = self._line[-64:]

    def speak(self, now: float) -> bytes:
        if self._waiting_since is not None:
            if not self._platform.moving(now):
                self._answers.append(self._weight("S", now))
                self._waiting_since = None
            elif now - self._waiting_since > self._STABILITY_LIMIT_S:
                self._answers.append("S I")
                self._waiting_since = None
        if self._repeat_at is not None and now >= self._repeat_at:
            self._answers.append(self._weight("S", now))
            self._repeat_at = max(self._repeat_at + 0.1, now)
        lines, self._answers = self._answers, []
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _answer(self, command: str, now: float) -> None:
        if command in ("S", "SI", "SIR", "@"):
            self._waiting_since = self._repeat_at = None
        still = not self._platform.moving(now)
        match command:
            case "S":
                self._waiting_since = now
            case "SI":
                self._answers.append(self._weight("S", now))
            case "SIR":
                self._repeat_at = now
            case "Z":
                self._answers.append("Z A" if self._platform.zero(now) else "Z I")
            case "ZI":
                self._answers.append(("ZI S" if still else "ZI D") if self._platform.zero(now) else "ZI I")
            case "T" | "TI":
                self._platform.tare_mg = self._platform.gross_mg(now)
                flag = "S" if still else "D"
                self._answers.append(f"{command} {flag} {self._digits(self._platform.tare_mg)} kg")
            case "TAC":
                self._platform.tare_mg = 0
                self._answers.append("TAC A")
            case "@" | "I4":
                self._answers.append('I4 A "0123456789"')
            case "I2":
                self._answers.append('I2 A "SIM15 Standard 15.000 kg"')
            case "I0":
                names = ["I0", "I2", "I4", "S", "SI", "SIR", "T", "TAC", "TI", "Z", "ZI", "@"]
                self._answers += [f'I0 {"A" if name == "@" else "B"} 0 "{name}"' for name in names]
            case _:
                self._answers.append("ES")

    def _weight(self, name: str, now: float) -> str:
        if self._platform.overloaded:
            return f"{name} +"
        if self._platform.underloaded:
            return f"{name} -"
        net = self._platform.gross_mg(now) - self._platform.tare_mg
        return f"{name} {'D' if self._platform.moving(now) else 'S'} {self._digits(net)} kg"

    @staticmethod
    def _digits(mass_mg: int) -> str:
        return f"{mass_mg / 1_000_000:.3f}".rjust(10)


class OhausVoice:
    """Prints continuously at 10 Hz; IP and P print once, SP once when stable, 0P stops, CP goes on."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._line = b""
        self._once: list[str] = []
        self._when_still = False
        self._next: float | None = 0.0

    def hear(self, data: bytes, now: float) -> None:
        self._line += data.replace(b"\r", b"\n")
        while b"\n" in self._line:
            command, self._line = self._line.split(b"\n", 1)
            if command:
                self._answer(command.decode("ascii", "replace"), now)
        self._line = self._line[-64:]

    def speak(self, now: float) -> bytes:
        lines, self._once = self._once, []
        if self._when_still and not self._platform.moving(now):
            self._when_still = False
            lines.append(self._print(now))
        if self._next is not None and now >= self._next:
            self._next = max(self._next + 0.1, now + 0.05)
            lines.append(self._print(now))
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _answer(self, command: str, now: float) -> None:
        match command:
            case "IP" | "P":
                self._once.append(self._print(now))
            case "SP":
                self._when_still = True
            case "CP":
                self._next = now
            case "0P":
                self._next = None
            case "Z":
                self._platform.zero(now)
            case "T":
                self._platform.tare_mg = self._platform.gross_mg(now)
            case _:
                self._once.append("ES")

    def _print(self, now: float) -> str:
        if self._platform.overloaded:
            return "    Err 8.3"
        if self._platform.underloaded:
            return "    Err 8.4"
        shown = self._platform.gross_mg(now) - self._platform.tare_mg
        columns = [
            "-" if shown < 0 else " ",
            f"{abs(shown) / 1_000_000:.3f}".rjust(7),
            " ",
            "kg".ljust(5),
            "?" if self._platform.moving(now) else " ",
            "N" if self._platform.tare_mg else "G",
        ]
        return "".join(columns)

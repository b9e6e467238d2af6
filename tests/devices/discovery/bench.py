"""A simulated scale behind a line that has real bits, in a time of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from devices.scale import DRIVERS
from devices.simulators.platform import Platform
from devices.simulators.voices import VOICES, Voice
from devices.transport import LineSettings
from station.errors import DeviceFault
from tests.devices.discovery.uart import carry

LOAD_MG = 200_000
"""Light enough that every scale would obey a zero command."""


class Silent:
    """A scale that is switched off."""

    def hear(self, data: bytes, now: float) -> None:
        pass

    def speak(self, now: float) -> bytes:
        return b""


@dataclass
class Babble:
    """Something that is no scale: sends the same bytes again and again."""

    text: bytes

    def hear(self, data: bytes, now: float) -> None:
        pass

    def speak(self, now: float) -> bytes:
        return self.text


@dataclass
class Noisy:
    """A scale whose line once carries something else."""

    voice: Voice
    noise: bytes
    at: float

    def hear(self, data: bytes, now: float) -> None:
        self.voice.hear(data, now)

    def speak(self, now: float) -> bytes:
        noise, self.noise = (self.noise, b"") if now >= self.at else (b"", self.noise)
        return noise + self.voice.speak(now)


@dataclass
class Bench:
    """One port. ``open`` is what a detector is given instead of ``open_transport``."""

    voice: Voice
    line: LineSettings = field(default_factory=LineSettings)
    """How the device is set."""
    platform: Platform = field(default_factory=lambda: Platform(1))
    now: float = 100.0
    sent: list[tuple[bytes, LineSettings]] = field(default_factory=list)
    opened: list[LineSettings] = field(default_factory=list)
    is_open: bool = False
    unplug_at: float | None = None

    @classmethod
    def with_scale(cls, driver: str, line: LineSettings | None = None) -> Bench:
        platform = Platform(1)
        platform.load(LOAD_MG, 0.0)
        return cls(VOICES[driver](platform), line or DRIVERS[driver].line, platform)

    def monotonic(self) -> float:
        return self.now

    def open(self, port: str, settings: LineSettings) -> Line:
        assert not self.is_open, "two openings at once"
        self.is_open = True
        self.opened.append(settings)
        self.voice.speak(self.now)  # what came while the port was closed is lost
        return Line(self, settings)

    def pan(self) -> tuple[int, int]:
        """What the pan shows gross, and its tare; milligrams."""
        return self.platform.gross_mg(self.now + 100), self.platform.tare_mg


@dataclass
class Line:
    bench: Bench
    settings: LineSettings

    @property
    def name(self) -> str:
        return "bench"

    def read(self, timeout_s: float) -> bytes:
        bench = self.bench
        end = bench.now + timeout_s
        while bench.now < end:
            bench.now += 0.01
            if bench.unplug_at is not None and bench.now >= bench.unplug_at:
                raise DeviceFault("'bench' is unplugged or switched off: check its cable and its power")
            said = bench.voice.speak(bench.now)
            if said:
                return carry(said, bench.line, self.settings)
        return b""

    def write(self, data: bytes) -> None:
        self.bench.sent.append((data, self.settings))
        heard = carry(data, self.settings, self.bench.line, strict=True)
        if heard:
            self.bench.voice.hear(heard, self.bench.now)

    def close(self) -> None:
        self.bench.is_open = False

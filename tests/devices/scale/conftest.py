"""A scale whose bytes and times the test chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from devices.ports import DeviceEvent, Indicated, Indication, Refused, WeightAccepted
from devices.scale import DRIVERS, Scale
from devices.scale.acceptance import Acceptor
from devices.transport import LineSettings

EPOCH = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class Bench:
    """Feeds a ``Scale`` at chosen times and keeps what it said."""

    scale: Scale
    now: float = 100.0
    events: list[DeviceEvent] = field(default_factory=list)
    sent: list[tuple[float, bytes]] = field(default_factory=list)

    def receive(self, data: bytes, after_s: float = 0.0) -> None:
        self.now += after_s
        self.events += self.scale.received(data, self.at, self.now)

    def stream(self, frames: Iterable[bytes], period_s: float = 0.1) -> None:
        for frame in frames:
            self.receive(frame, period_s)

    def wait(self, seconds: float) -> None:
        """Ticks every 50 ms on a quiet line, as the supervisor does."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 0.05)
            request, events = self.scale.tick(self.at, self.now, quiet=True)
            self.events += events
            if request:
                self.sent.append((self.now, request))

    def rest(self, seconds: float) -> None:
        """A quiet line for a short while; one tick at its end."""
        self.now += seconds
        request, events = self.scale.tick(self.at, self.now, quiet=True)
        self.events += events
        if request:
            self.sent.append((self.now, request))

    @property
    def at(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now)

    @property
    def indications(self) -> list[Indication]:
        return [event.indication for event in self.events if isinstance(event, Indicated)]

    @property
    def accepted(self) -> list[int]:
        return [event.reading.gross_mg for event in self.events if isinstance(event, WeightAccepted)]

    @property
    def refused(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, Refused)]


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Makes a bench with the named driver, its line open since t = 100 s."""

    def make(
        driver: str, acceptor: Acceptor | None = None, *, unit: str = "", line: LineSettings | None = None
    ) -> Bench:
        row = DRIVERS[driver].in_unit(unit) if unit else DRIVERS[driver]
        made = Bench(Scale("scale-1", row, acceptor=acceptor, line=line))
        made.scale.opened(made.now)
        return made

    return make

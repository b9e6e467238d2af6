"""A scanner's host and a simulated scanner, joined without a kernel between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from devices.ports import DeviceEvent, Refused, ScanArrived
from devices.scanner import ScannerInstrument
from devices.simulators.script import Device

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STEP_S = 0.05


@dataclass
class Wire:
    """A scanner and its host, joined, in a time of their own: bytes take one step each way."""

    host: ScannerInstrument
    device: Device
    now: float = 100.0
    events: list[DeviceEvent] = field(default_factory=list)
    to_host: bytes = b""

    def __post_init__(self) -> None:
        self.host.opened(self.now)
        self.now += 20.0  # past the time of modem probes
        self.run(0.5)

    def do(self, what: str, **more: object) -> None:
        data, _ = self.device.do({"do": what, **more}, self.now)
        self.to_host += data

    def scan(self, text: str, seconds: float = 1.0, **more: object) -> None:
        self.do("scan", text=text, **more)
        self.run(seconds)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            data, self.to_host = self.to_host + self.device.speak(self.now), b""
            if data:
                self.events += self.host.received(data, AT, self.now)
            request, events = self.host.tick(AT, self.now, quiet=not data)
            self.events += events
            self.device.hear(request, self.now)

    @property
    def scans(self) -> list[bytes]:
        return [event.scan.data for event in self.events if isinstance(event, ScanArrived)]

    @property
    def refused(self) -> list[Refused]:
        return [event for event in self.events if isinstance(event, Refused)]

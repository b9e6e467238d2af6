"""A device that is unplugged, plugged in again, silent, or broken, on a real pseudo-terminal with the real loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from devices.ports import (
    DeviceEvent,
    Indicated,
    Light,
    LightChanged,
    Refused,
    ScanArrived,
    Status,
    Transport,
    WeightAccepted,
)
from devices.scale import DRIVERS, Scale
from devices.scanner import Scanner
from devices.simulators.line import PtyLine
from devices.supervisor import BACK_OFF_S, Instrument, Supervisor
from devices.transport import LineSettings, open_transport
from station.errors import DeviceFault
from tests.conftest import WarningsOnTheLog

FRAME = b"   0.360 kg    G\r\n"


@dataclass
class Running:
    """A supervisor in its own thread."""

    supervisor: Supervisor
    attempts: list[float]
    """When the port was opened, or tried."""
    events: list[DeviceEvent] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(
            target=self.supervisor.run, args=(self.stopping.is_set, self.events.append), daemon=True
        )
        self.thread.start()

    def wait_for(self, wanted: Callable[[DeviceEvent], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
        self.wait_until(lambda: any(wanted(event) for event in list(self.events)), meanwhile)

    def wait_until(self, true: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
        deadline = time.monotonic() + 10
        while not true():
            assert time.monotonic() < deadline, self.events
            assert self.thread.is_alive()
            meanwhile()
            self.stopping.wait(0.02)

    def stop(self) -> float:
        start = time.monotonic()
        self.stopping.set()
        self.thread.join(5)
        assert not self.thread.is_alive()
        return time.monotonic() - start


class Listener(Scanner):
    """Lets the test see that bytes have arrived which are no scan yet."""

    heard = b""

    def received(self, data: bytes, at: datetime, now: float) -> Iterator[DeviceEvent]:
        yield from super().received(data, at, now)
        self.heard += data


def shines(light: Light) -> Callable[[DeviceEvent], bool]:
    return lambda event: isinstance(event, LightChanged) and event.light is light


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyLine]:
    line = PtyLine(tmp_path / "port")
    yield line
    line.close()


@pytest.fixture
def run(port: PtyLine, expected_warnings: WarningsOnTheLog) -> Iterator[Callable[[Instrument], Running]]:
    expected_warnings(r"devices\.supervisor: .* is (gone|silent)", required=False)
    started: list[Running] = []

    def start(instrument: Instrument) -> Running:
        attempts: list[float] = []

        def open_line() -> Transport:
            attempts.append(time.monotonic())
            return open_transport(port.port, LineSettings())

        started.append(Running(Supervisor(instrument, open_line, port=port.port), attempts))
        return started[-1]

    yield start
    for running in started:
        running.stop()


def test_a_scanner_survives_an_unplug_in_the_middle_of_a_code(port: PtyLine, run: Callable[..., Running]) -> None:
    scanner = Listener("scanner-1")
    running = run(scanner)
    running.wait_for(shines(Light.WORKING))
    port.write(b"RMA-1\r")
    running.wait_for(lambda event: isinstance(event, ScanArrived))
    port.write(b"RMA-104")
    running.wait_until(lambda: scanner.heard.endswith(b"RMA-104"))
    port.unplug()
    running.wait_for(shines(Light.GONE))
    assert any(isinstance(event, Refused) and event.raw == b"RMA-104" for event in running.events)
    running.events.clear()
    port.plug_in()
    running.wait_for(shines(Light.WORKING))
    port.write(b"RMA-2\r")
    running.wait_for(lambda event: isinstance(event, ScanArrived) and event.scan.data == b"RMA-2")
    scans = [event.scan.data for event in running.events if isinstance(event, ScanArrived)]
    assert scans == [b"RMA-2"]
    assert running.stop() < 0.2


def test_a_scale_streams_falls_silent_and_comes_back(port: PtyLine, run: Callable[..., Running]) -> None:
    running = run(Scale("scale-1", DRIVERS["print_string"]))
    next_at = time.monotonic()

    def stream() -> None:
        nonlocal next_at
        if time.monotonic() >= next_at:
            port.write(FRAME)
            next_at = time.monotonic() + 0.1

    running.wait_for(lambda event: isinstance(event, WeightAccepted), stream)
    accepted = next(event.reading for event in running.events if isinstance(event, WeightAccepted))
    assert (accepted.gross_mg, accepted.raw) == (360_000, FRAME)
    running.wait_for(shines(Light.SILENT))
    assert any(isinstance(e, Indicated) and e.indication.status is Status.NO_REPLY for e in running.events)
    running.events.clear()
    running.wait_for(shines(Light.WORKING), stream)
    port.unplug()
    running.wait_for(shines(Light.GONE))
    running.events.clear()
    port.plug_in()
    running.wait_for(shines(Light.WORKING), stream)
    assert running.stop() < 0.2


def test_an_absent_port_is_told_once_and_the_stop_is_quick(port: PtyLine, run: Callable[..., Running]) -> None:
    port.unplug()
    running = run(Scanner("scanner-1"))
    running.wait_for(shines(Light.GONE))
    running.wait_until(lambda: len(running.attempts) >= 3)
    gone = [event for event in running.events if isinstance(event, LightChanged)]
    assert len(gone) == 1
    assert "no such port" in gone[0].detail
    assert running.stop() < 0.2


class SteppedClock:
    """Time that passes only in pauses."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 2, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.seconds += seconds


def test_pauses_grow_to_five_seconds_and_start_anew_after_a_good_line(expected_warnings: WarningsOnTheLog) -> None:
    expected_warnings(r"devices\.supervisor: scanner-1 is gone")
    clock = SteppedClock()
    attempts: list[float] = []

    class GoodForAWhile:
        name = "fake"

        def read(self, timeout_s: float) -> bytes:
            clock.seconds += 3.0
            raise DeviceFault("unplugged")

        def write(self, data: bytes) -> None:
            raise AssertionError("a scanner is sent nothing")

        def close(self) -> None:
            pass

    def open_line() -> Transport:
        attempts.append(clock.monotonic())
        if len(attempts) == 7:
            return GoodForAWhile()
        raise DeviceFault("no such port")

    supervisor = Supervisor(Scanner("scanner-1"), open_line, clock=clock, pause=clock.pause, jitter=lambda: 0.5)
    supervisor.run(lambda: len(attempts) >= 9, lambda event: None)
    pauses = [round(later - earlier, 1) for earlier, later in pairwise(attempts)]
    assert pauses[:6] == [*(round(pause, 1) for pause in BACK_OFF_S), 5.0, 5.0]
    assert pauses[6:] == [3.5, 1.0]


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_pauses_differ_by_a_quarter(jitter: float, expected_warnings: WarningsOnTheLog) -> None:
    expected_warnings(r"devices\.supervisor: scanner-1 is gone")
    clock = SteppedClock()
    attempts: list[float] = []

    def open_line() -> Transport:
        attempts.append(clock.monotonic())
        raise DeviceFault("no such port")

    supervisor = Supervisor(Scanner("scanner-1"), open_line, clock=clock, pause=clock.pause, jitter=lambda: jitter)
    supervisor.run(lambda: len(attempts) >= 2, lambda event: None)
    assert attempts[1] - attempts[0] == pytest.approx(0.5 * (0.75 + jitter / 2), abs=0.06)

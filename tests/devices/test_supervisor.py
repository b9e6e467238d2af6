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

from devices.discovery.listing import ListedPort
from devices.ports import (
    DeviceAbsent,
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


# Which light each path leads to


@dataclass
class Scripted:
    """A line that plays a script in a time of its own: bytes, ``None`` for silence, or a fault."""

    clock: SteppedClock
    script: list[bytes | DeviceFault | None]

    name = "scripted"

    def read(self, timeout_s: float) -> bytes:
        self.clock.seconds += timeout_s
        step = self.script.pop(0) if self.script else None
        if isinstance(step, DeviceFault):
            raise step
        return step or b""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


Script = list[list[bytes | DeviceFault | None] | DeviceFault]
"""What each attempt to open leads to: a line's script, or a fault of the opening itself."""

ABSENT = DeviceAbsent("'p' is unplugged or switched off")
NO_PORT = DeviceAbsent("no such port: 'p'")
BUSY = DeviceFault("'p' is in use by minicom (process 12)")
FORBIDDEN = DeviceFault("no permission to open 'p'")
STRANGER = DeviceFault("at 'p' there is now another device: this is not the paired device")


def lights(instrument: Instrument, script: Script) -> list[tuple[Light, str]]:
    clock, attempts = SteppedClock(), list(script)
    events: list[DeviceEvent] = []

    def open_line() -> Transport:
        step = attempts.pop(0) if attempts else NO_PORT
        if isinstance(step, DeviceFault):
            raise step
        return Scripted(clock, list(step))

    supervisor = Supervisor(instrument, open_line, clock=clock, pause=clock.pause, jitter=lambda: 0.5)
    supervisor.run(lambda: not attempts and clock.seconds > 60, events.append)
    return [(event.light, event.detail) for event in events if isinstance(event, LightChanged)]


def scale() -> Scale:
    return Scale("scale-1", DRIVERS["print_string"])


def scanner() -> Scanner:
    return Scanner("scanner-1")


QUIET: list[bytes | DeviceFault | None] = [None] * 100
STREAM: list[bytes | DeviceFault | None] = [FRAME, None] * 40
W, S, G = Light.WORKING, Light.SILENT, Light.GONE


@pytest.mark.parametrize(
    ("make", "script", "expected"),
    [
        pytest.param(scanner, [QUIET], [W], id="a scanner that nobody uses works"),
        pytest.param(scanner, [[b"RMA-1\r", ABSENT], NO_PORT, NO_PORT, QUIET], [W, G, W], id="a scanner comes back"),
        pytest.param(scanner, [NO_PORT, NO_PORT, NO_PORT, QUIET], [G, W], id="a scanner is plugged in later"),
        pytest.param(scale, [QUIET], [S], id="connected but silent is not connected"),
        pytest.param(scale, [STREAM], [W, S], id="a scale falls silent"),
        pytest.param(scale, [[*STREAM, *QUIET, *STREAM]], [W, S, W, S], id="a scale speaks again"),
        pytest.param(scale, [[b"\x80\xfe\x00" * 5] * 100], [S, S], id="bytes that are no frames are silence"),
        pytest.param(scale, [[*STREAM, ABSENT], NO_PORT, STREAM], [W, G, W, S], id="a scale comes back"),
        pytest.param(scale, [[*STREAM, ABSENT], NO_PORT, QUIET], [W, G, S], id="a scale comes back and says nothing"),
        pytest.param(scale, [[ABSENT]], [G], id="gone before its first frame"),
        pytest.param(scale, [BUSY, BUSY, STREAM], [G, W, S], id="another program lets go of it"),
        pytest.param(scale, [FORBIDDEN, FORBIDDEN, STREAM], [G, W, S], id="the right is given"),
        pytest.param(scale, [[*STREAM, ABSENT], STRANGER, STRANGER, STREAM], [W, G, G, W, S], id="a stranger comes"),
    ],
)
def test_the_lights_of_each_path(
    make: Callable[[], Instrument], script: Script, expected: list[Light], expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(r"devices\.supervisor: .* is (gone|silent)", required=False)
    assert [light for light, _ in lights(make(), script)] == expected


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ([ABSENT, NO_PORT, NO_PORT], [ABSENT]),
        ([ABSENT, STRANGER, STRANGER, NO_PORT], [ABSENT, STRANGER, NO_PORT]),
        ([NO_PORT, FORBIDDEN, BUSY, BUSY], [NO_PORT, FORBIDDEN, BUSY]),
        ([BUSY, NO_PORT, ABSENT], [BUSY, NO_PORT]),
    ],
)
def test_while_it_is_gone_only_what_changes_the_advice_is_told(
    faults: list[DeviceFault], told: list[DeviceFault], expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(r"devices\.supervisor: scanner-1 is gone")
    assert lights(scanner(), [*faults, QUIET]) == [*((G, str(fault)) for fault in told), (W, "")]


def test_a_plug_that_comes_and_goes_is_told(expected_warnings: WarningsOnTheLog) -> None:
    expected_warnings(r"devices\.supervisor: scanner-1 is gone")
    seen = lights(scanner(), [[None, ABSENT], [None, ABSENT], [None, ABSENT], QUIET])
    assert [light for light, _ in seen] == [W, G] * 3 + [W]
    assert [detail for light, detail in seen if light is W][:3] == ["", "", ""]
    assert "its plug is loose, or its cable is broken" in seen[-1][1]
    assert seen[-1][0] is W


KEY = "usb:0403:6001:A10KXYZ7"
LISTED = ListedPort("/dev/ttyUSB7", 0x0403, 0x6001, "A10KXYZ7", "1-2")


def test_a_device_with_a_key_is_tried_at_once_when_it_is_back(expected_warnings: WarningsOnTheLog) -> None:
    expected_warnings(r"devices\.supervisor: scanner-1 is gone")
    clock = SteppedClock()
    attempts: list[float] = []
    looks: list[float] = []

    def listing() -> tuple[ListedPort, ...]:
        looks.append(clock.seconds)
        return (LISTED,) if clock.seconds >= 20 else ()

    def open_line() -> Transport:
        attempts.append(clock.seconds)
        if clock.seconds < 20:
            raise NO_PORT
        if clock.seconds < 20 + 0.2:
            raise FORBIDDEN  # the node is there, its group is not yet
        return Scripted(clock, [])

    supervisor = Supervisor(
        scanner(), open_line, port=KEY, clock=clock, pause=clock.pause, jitter=lambda: 0.5, listing=listing
    )
    events: list[DeviceEvent] = []
    supervisor.run(lambda: clock.seconds > 25, events.append)
    back = [moment for moment in attempts if moment >= 20]
    assert back[0] < 21.2, "looked for once a second"
    assert all(later - earlier >= 0.99 for earlier, later in pairwise(looks)), "pyserial issue 309"
    shown = [(event.light, event.detail) for event in events if isinstance(event, LightChanged)]
    assert shown == [(G, str(NO_PORT)), (W, "")], "a right that comes a moment later is no news"


def test_a_node_that_just_appeared_may_be_refused_for_a_moment(
    tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(r"devices\.supervisor: scanner-1 is gone")
    clock, node, attempts = SteppedClock(), tmp_path / "ttyUSB0", []

    def open_line() -> Transport:
        attempts.append(clock.seconds)
        if not node.exists():
            raise NO_PORT
        if clock.seconds < 10.4:
            raise FORBIDDEN
        return Scripted(clock, [])

    def pause(seconds: float) -> None:
        clock.pause(seconds)
        if clock.seconds >= 10:
            node.touch()

    events: list[DeviceEvent] = []
    supervisor = Supervisor(scanner(), open_line, port=str(node), clock=clock, pause=pause, jitter=lambda: 0.5)
    supervisor.run(lambda: clock.seconds > 15, events.append)
    back = [moment for moment in attempts if moment >= 10]
    assert back[0] < 10.2
    assert 10.4 <= back[1] < 10.7, "and soon again, not after the longest pause"
    shown = [(event.light, event.detail) for event in events if isinstance(event, LightChanged)]
    assert shown == [(G, str(NO_PORT)), (W, "")]


# What other programs send to a new port (S18)


@pytest.mark.parametrize("noise", [b"AT\r", b"ATE0\r\n", b"~\x00\x78\xf0~\r\n", b"   G\r\n", b"\x1bB\x00\x01\r\n"])
def test_noise_at_the_start_troubles_nobody(noise: bytes, expected_warnings: WarningsOnTheLog) -> None:
    expected_warnings(r"devices\.supervisor: .* is (gone|silent)", required=False)
    clock = SteppedClock()
    events: list[DeviceEvent] = []
    first: list[Transport] = [Scripted(clock, [noise, None, *STREAM])]
    supervisor = Supervisor(scale(), first.pop, clock=clock, pause=clock.pause)
    supervisor.run(lambda: clock.seconds > 3, events.append)
    refused = [event for event in events if isinstance(event, Refused)]
    assert refused
    assert all(event.harmless for event in refused)
    assert any(isinstance(event, WeightAccepted) for event in events)


def test_the_same_bytes_later_are_a_fault_of_the_line(expected_warnings: WarningsOnTheLog) -> None:
    expected_warnings(r"devices\.supervisor: .* is (gone|silent)", required=False)
    clock = SteppedClock()
    events: list[DeviceEvent] = []
    first: list[Transport] = [
        Scripted(clock, [*STREAM, b"   G\r\n", *STREAM, b"AT\r\n", *STREAM, *STREAM, *STREAM, b"AT\r\n"])
    ]
    supervisor = Supervisor(scale(), first.pop, clock=clock, pause=clock.pause)
    supervisor.run(lambda: clock.seconds > 25, events.append)
    refused = [(event.raw, event.harmless) for event in events if isinstance(event, Refused)]
    assert refused == [(b"   G\r\n", False), (b"AT\r\n", True), (b"AT\r\n", False)]

"""Each driver and its simulator, over a real pseudo-terminal, with the real loop: what was put is accepted.

The simulators are written from the makers' tables and the parsers from the same tables by another way: here they meet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from devices.ports import DeviceEvent, Indicated, Light, LightChanged, Status, WeightAccepted
from devices.scale import DRIVERS, Scale
from devices.simulators.line import PtyLine
from devices.simulators.scale import ScaleSimulator
from devices.simulators.script import Command
from devices.simulators.voices import VOICES
from devices.supervisor import Supervisor
from devices.transport import Opener

WITHOUT_OVERLOAD = {"yaohua"}
"""Formats without a word for it: they would show the weight."""


@dataclass
class Floor:
    """A simulated scale on a pseudo-terminal and a bench that listens to it, each in its own thread."""

    driver: str
    line: PtyLine = field(default_factory=PtyLine)
    events: list[DeviceEvent] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.simulator = ScaleSimulator(self.driver, seed=11)
        self.lock = threading.Lock()
        row = DRIVERS[self.driver]
        self.scale = Scale("scale-1", row)
        supervisor = Supervisor(self.scale, Opener(self.line.port, row.line), port=self.line.port)
        listen = threading.Thread(target=supervisor.run, args=(self.stopping.is_set, self.events.append))
        self.threads = [threading.Thread(target=self._serve), listen]
        for thread in self.threads:
            thread.start()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            heard = self.line.read(0.01)
            with self.lock:
                if heard:
                    self.simulator.hear(heard, time.monotonic())
                spoken = self.simulator.speak(time.monotonic())
            if spoken:
                self.line.write(spoken)

    def do(self, **command: object) -> None:
        with self.lock:
            data, _ = self.simulator.do(Command(command), time.monotonic())
        if data:
            self.line.write(data)

    def wait_until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not true():
            assert time.monotonic() < deadline, self.events[-12:]
            time.sleep(0.01)

    @property
    def accepted(self) -> list[int]:
        return [event.reading.gross_mg for event in list(self.events) if isinstance(event, WeightAccepted)]

    @property
    def shown(self) -> list[tuple[Status, int | None]]:
        found = [event.indication for event in list(self.events) if isinstance(event, Indicated)]
        return [(indication.status, indication.gross_mg) for indication in found]

    def close(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(5)
        self.line.close()


@pytest.fixture
def floor() -> Iterator[Callable[[str], Floor]]:
    made: list[Floor] = []

    def make(driver: str) -> Floor:
        made.append(Floor(driver))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_every_driver_has_a_simulator() -> None:
    assert set(VOICES) == set(DRIVERS)


def test_what_was_put_is_accepted_and_nothing_else(floor: Callable[[str], Floor]) -> None:
    """All drivers at once, each on a line of its own: the waiting is what takes the time."""
    floors = [floor(driver) for driver in DRIVERS]
    for made in floors:
        made.wait_until(lambda made=made: bool(made.shown))  # type: ignore[misc]
        made.scale.ask()
        made.do(do="put", gross_mg=288_000)
    for made in floors:
        made.wait_until(lambda made=made: bool(made.accepted))  # type: ignore[misc]
        if made.driver not in WITHOUT_OVERLOAD:
            made.do(do="overload")
    for made in floors:
        before = len(made.shown)
        made.wait_until(lambda made=made, before=before: len(made.shown) > before + 4)  # type: ignore[misc]
        made.do(do="put", gross_mg=876_000)
    for made in floors:
        made.wait_until(lambda made=made: len(made.accepted) > 1)  # type: ignore[misc]
    assert {made.driver: made.accepted for made in floors} == {driver: [288_000, 876_000] for driver in DRIVERS}
    for made in floors:
        over = {status for status, gross_mg in made.shown if gross_mg is None}
        assert Status.OVERLOAD in over or made.driver in WITHOUT_OVERLOAD or made.driver == "cas", made.driver
        assert any(isinstance(event, LightChanged) and event.light is Light.WORKING for event in made.events)

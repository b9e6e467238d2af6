"""A real camera simulator in a process of its own, and a camera on a thread of its own."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.camera.camera import Camera
from devices.camera.model import CameraEvent, CameraSettings, ControlsJudged, FrameSeen, ReferenceTaken, ShotTaken
from devices.camera.opening import Hardware
from devices.ports import Light, LightChanged
from station.clock import Clock

ROOT = Path(__file__).resolve().parents[3]


class CameraProcess:
    """The simulator, driven by steps on its standard input."""

    def __init__(self, size: str = "640x360", fps: int = 20) -> None:
        code = "from ui.cli.devices.simulate import simulate_camera as s; s()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, "--script", "-", "--size", size, "--fps", str(fps)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answers: queue.Queue[dict[str, str]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.url = self.wait_for("port")["port"]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(json.loads(line))

    def wait_for(self, key: str, timeout_s: float = 30.0) -> dict[str, str]:
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._answers.get(timeout=max(0.01, deadline - time.monotonic()))
            if key in answer:
                return answer

    def tell(self, what: str, **values: object) -> None:
        """Say a step and do not wait for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **values}) + "\n")
        self._process.stdin.flush()

    def do(self, what: str, **values: object) -> None:
        self.tell(what, **values)
        assert self.wait_for("done")["done"] == what

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0
        self._process.stdout.close()


@pytest.fixture(scope="module")
def shared_process() -> Iterator[CameraProcess]:
    process = CameraProcess()
    yield process
    process.stop()


@pytest.fixture
def bench(shared_process: CameraProcess) -> CameraProcess:
    """The simulated bench, empty."""
    shared_process.do("remove")
    return shared_process


class RunningCamera:
    """A ``Camera`` on its thread; keeps shots, lights and the newest frame."""

    def __init__(self, settings: CameraSettings, clock: Clock | None = None, hardware: Hardware | None = None) -> None:
        self.camera = Camera(settings, clock, hardware)
        self.shots: list[ShotTaken] = []
        self.lights: list[LightChanged] = []
        self.verdicts: list[ControlsJudged] = []
        self.references: list[ReferenceTaken] = []
        self.frame: FrameSeen | None = None
        self.frames = 0
        self.hints: list[str] = []
        self.rings: list[float] = []
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.camera.run, args=(self._stop.is_set, self._emit))
        self._thread.start()

    def _emit(self, event: CameraEvent) -> None:
        with self._changed:
            if isinstance(event, FrameSeen):
                self.frame, self.frames = event, self.frames + 1
                self.rings.append(event.still)
                if event.hint and (not self.hints or self.hints[-1] != event.hint):
                    self.hints.append(event.hint)
            elif isinstance(event, ShotTaken):
                self.shots.append(event)
            elif isinstance(event, ControlsJudged):
                self.verdicts.append(event)
            elif isinstance(event, ReferenceTaken):
                self.references.append(event)
            else:
                self.lights.append(event)
            self._changed.notify_all()

    def wait_until(self, holds: Callable[[], bool], timeout_s: float = 30.0) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, timeout_s), (self.lights, self.hints, len(self.shots), self.frames)

    def wait_frames(self, count: int) -> None:
        """Wait until so many more frames were seen."""
        wanted = self.frames + count
        self.wait_until(lambda: self.frames >= wanted)

    def wait_light(self, light: Light) -> LightChanged:
        self.wait_until(lambda: bool(self.lights) and self.lights[-1].light is light)
        return self.lights[-1]

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def start() -> Iterator[Callable[[CameraSettings], RunningCamera]]:
    running: list[RunningCamera] = []

    def begin(settings: CameraSettings, clock: Clock | None = None, hardware: Hardware | None = None) -> RunningCamera:
        running.append(RunningCamera(settings, clock, hardware))
        return running[-1]

    yield begin
    for camera in running:
        camera.stop()

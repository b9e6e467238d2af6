"""The live picture at 1080p: frames a second, and how much of one core seeing and judging them takes."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path

from station.errors import EnvironmentFault
from ui.benchmark.figure import Figure

_SECONDS = 8.0
_WARM_UP_S = 3.0
_SIZE = (1920, 1080)
_FPS = 30
_LEAST_FPS = 28.0
_MOST_PERCENT = 35.0


def measure(folder: Path) -> list[Figure]:
    """Watch a stream of a simulated camera (a process of its own) as the bench does, beside bare decoding of it."""
    from ui.demo.stage import Child

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        words = ["devices", "simulate", "camera", "--size", f"{_SIZE[0]}x{_SIZE[1]}", "--fps", str(_FPS)]
        simulator = Child("camera", [*words, "--script", "-"], Path(scratch) / "camera.log", {})
        try:
            url = simulator.hear("port")
            bare_percent, _ = _bare(url)
            percent, fps = _ours(url)
        finally:
            simulator.stop()
    return [
        Figure(
            "preview_cpu", round(percent, 1), "% of a core", round(bare_percent, 1),
            "cv2.VideoCapture.read of the same stream, decoded to pixels and thrown away",
            round(percent / bare_percent, 2), "≤ 35 % of one core", percent <= _MOST_PERCENT,
        ),
        Figure(
            "preview_fps", round(fps, 1), "frames/s", _FPS, "what the simulated camera sends", round(_FPS / fps, 2),
            "≥ 28 frames/s", fps >= _LEAST_FPS,
        ),
    ]  # fmt: skip


def _ours(url: str) -> tuple[float, float]:
    """Percent of a core and frames a second of a camera as the bench runs it."""
    from devices.camera.camera import Camera
    from devices.camera.model import CameraEvent, CameraSettings, FrameSeen

    frames = 0

    def emit(event: CameraEvent) -> None:
        nonlocal frames
        frames += isinstance(event, FrameSeen)

    stop = threading.Event()
    camera = Camera(CameraSettings(url, "camera-1", *_SIZE))
    thread = threading.Thread(target=camera.run, args=(stop.is_set, emit))
    thread.start()
    try:
        time.sleep(_WARM_UP_S)
        begun, used, seen = time.perf_counter(), _cpu_s(), frames
        time.sleep(_SECONDS)
        took = time.perf_counter() - begun
        percent, fps = (_cpu_s() - used) / took * 100, (frames - seen) / took
    finally:
        stop.set()
        thread.join(5)
    if fps <= 0:
        raise EnvironmentFault("no picture came from the simulated camera: this machine is too busy to measure")
    return percent, fps


def _bare(url: str) -> tuple[float, float]:
    import cv2

    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    try:
        end = time.perf_counter() + _WARM_UP_S
        while time.perf_counter() < end:
            capture.read()
        begun, used, frames = time.perf_counter(), _cpu_s(), 0
        while time.perf_counter() - begun < _SECONDS:
            frames += bool(capture.read()[0])
        took = time.perf_counter() - begun
        return max(0.1, (_cpu_s() - used) / took * 100), frames / took
    finally:
        capture.release()


def _cpu_s() -> float:
    """Processor seconds of this process, all its threads together."""
    times = os.times()
    return times.user + times.system

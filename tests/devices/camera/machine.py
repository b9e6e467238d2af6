"""USB cameras that are not there: what OpenCV would hand out for them, with their automatic loops and their faults.

A ``Webcam`` is the thing itself: it has a scene, an exposure, a white balance, and loops that adjust them, as the UVC
specification has them (Auto-Exposure Mode 1 = manual, 8 = aperture priority, which V4L2 calls 3). A ``Capture`` is one
opening of it and keeps the list of what it was told.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from devices.camera.enumerate import CameraFound
from devices.camera.opening import Hardware
from devices.simulators.scenes import Stage, Variant
from station.clock import SystemClock

NAMES = {
    getattr(cv2, f"CAP_PROP_{name}"): name
    for name in (
        *("FOURCC", "FRAME_WIDTH", "FRAME_HEIGHT", "FPS", "BUFFERSIZE", "CONVERT_RGB"),
        *("AUTO_EXPOSURE", "EXPOSURE", "AUTOFOCUS", "FOCUS", "AUTO_WB", "WB_TEMPERATURE"),
        *("TEMPERATURE", "WHITE_BALANCE_BLUE_U"),
    )
}
MJPG = float(cv2.VideoWriter.fourcc(*"MJPG"))
TARGET = 120.0


class FastClock(SystemClock):
    """Time that runs faster than it is."""

    def __init__(self, times: float) -> None:
        self._times = times

    def monotonic(self) -> float:
        return time.monotonic() * self._times


@lru_cache(maxsize=4)
def scene(item: str | None, size: tuple[int, int]) -> np.ndarray:
    stage = Stage(*size)
    return stage.compose(None if item is None else stage.item(item, Variant.FRONT, 3)).astype(np.float32)


@dataclass
class Webcam:
    """A camera with automatic exposure and white balance."""

    size: tuple[int, int] = (640, 360)
    """The only one it has, whatever is asked."""
    obeys: bool = True
    """False: it takes every value and goes on as it likes."""
    exposure_says: float | None = None
    """What it answers when asked for its exposure; None = the truth."""
    has_mjpg: bool = True
    forgets_format: bool = False
    """The first FOURCC is lost when the size is set, as with DirectShow."""
    item: str | None = "kettle"
    lamp: float = 1.0
    """Light on the bench."""
    fault: str = ""
    """``false``, ``none`` (True and nothing), ``hang``, ``frozen``, ``black``, ``white``, ``error``."""
    exposure: float = 60.0
    red: float = 1.0
    automatic: bool = True
    automatic_colour: bool = True
    let_go: threading.Event = field(default_factory=threading.Event)
    """Ends a hanging call."""
    openings: list[Capture] = field(default_factory=list)

    def frame(self, number: int) -> np.ndarray:
        light = self.lamp * self.exposure / 100.0
        if self.fault == "black":
            light = 0.0
        picture = scene(self.item, self.size) * light ** (1 / 2.2)
        if self.fault == "white":
            return np.full((self.size[1], self.size[0], 3), 255, np.uint8)
        picture = picture * np.array([1.0, 1.0, self.red], np.float32)
        noise = np.random.default_rng(0 if self.fault == "frozen" else number).integers(-4, 5, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    def adjust(self, picture: np.ndarray) -> None:
        """What the camera does by itself after each frame."""
        if self.automatic or not self.obeys:
            error = TARGET / max(1.0, float(np.median(picture[..., 1])))
            self.exposure = float(np.clip(self.exposure * error**0.8, 1, 5000))


class Capture:
    """One opening of a webcam, as ``cv2.VideoCapture`` shows it through V4L2."""

    def __init__(self, webcam: Webcam) -> None:
        self.webcam = webcam
        self.told: list[tuple[str, float]] = []
        self.released = threading.Event()
        self._said: dict[str, float] = {}
        self._format = 0.0
        self._raw = False
        self._number = 0
        webcam.openings.append(self)

    def isOpened(self) -> bool:
        return not self.released.is_set()

    def release(self) -> None:
        self.released.set()

    def set(self, propId: int, value: float) -> bool:
        name, webcam = NAMES[propId], self.webcam
        self.told.append((name, value))
        match name:
            case "FOURCC":
                self._format = value if webcam.has_mjpg else 0.0
                return webcam.has_mjpg
            case "FRAME_WIDTH" if webcam.forgets_format and len(self.names("FOURCC")) < 2:
                self._format = 0.0
            case "CONVERT_RGB":
                self._raw = not value
            case "AUTO_EXPOSURE":
                webcam.automatic = value != 1
            case "EXPOSURE" if webcam.obeys and not webcam.automatic:
                webcam.exposure = value
            case "EXPOSURE" if webcam.automatic:
                return False
        self._said[name] = value
        return True

    def get(self, propId: int) -> float:
        name, webcam = NAMES[propId], self.webcam
        if name == "FOURCC":
            return self._format
        if name == "EXPOSURE":
            return webcam.exposure if webcam.exposure_says is None else webcam.exposure_says
        if name == "WB_TEMPERATURE":
            return 4600.0
        return self._said.get(name, -1.0)

    def names(self, *which: str) -> list[str]:
        return [name for name, _ in self.told if not which or name in which]

    def read(self) -> tuple[bool, object]:
        webcam = self.webcam
        if webcam.fault == "hang":
            webcam.let_go.wait()
        self.released.wait(0.008)
        if webcam.fault == "false":
            return False, None
        if webcam.fault == "none":
            return True, None
        if webcam.fault == "error":
            raise cv2.error("cannot convert")
        self._number += 1
        picture = webcam.frame(self._number)
        webcam.adjust(picture)
        if self._raw and self._format == MJPG:
            return True, cv2.imencode(".jpg", picture)[1].reshape(1, -1)
        return True, picture


class Shut:
    """What OpenCV hands out for a device that it cannot open."""

    def isOpened(self) -> bool:
        return False

    def release(self) -> None:
        pass


class Machine:
    """Sockets with cameras in them; ``order`` says which number each has today."""

    def __init__(self, dev: Path, **webcams: Webcam) -> None:
        self._dev = dev
        self.webcams = webcams
        self.order: list[str] = []
        self.plug(*webcams)
        self.hang_in_open: threading.Event | None = None
        self.replug_in_open: list[str] | None = None
        self.asked: list[tuple[int | str, int]] = []
        """What was opened: OpenCV's number or path, and the backend."""

    @property
    def hardware(self) -> Hardware:
        return Hardware(self._open, self._list)

    def plug(self, *serials: str) -> None:
        """Plug these in, in this order, and nothing else."""
        for node in self._dev.glob("video*"):
            node.unlink()
        self.order = list(serials)
        for number in range(len(serials)):
            os.mkfifo(self._dev / f"video{number}")

    def found(self, serial: str) -> CameraFound:
        index = self.order.index(serial)
        path = str(self._dev / f"video{index}")
        return CameraFound(index, "C270", f"usb:046d:0825:{serial}", path, 0x46D, 0x825, serial, f"1-{serial}")

    def let_all_go(self) -> None:
        """End every call that hangs."""
        if self.hang_in_open is not None:
            self.hang_in_open.set()
        for webcam in self.webcams.values():
            webcam.let_go.set()

    def _list(self, backend: str) -> list[CameraFound]:
        return [self.found(serial) for serial in self.order]

    def _open(self, where: int | str, backend: int) -> object:
        self.asked.append((where, backend))
        if self.hang_in_open is not None:
            self.hang_in_open.wait()
        if self.replug_in_open is not None:
            order, self.replug_in_open = self.replug_in_open, None
            self.plug(*order)
        for serial in self.order:
            camera = self.found(serial)
            if where in (camera.index, camera.path):
                return Capture(self.webcams[serial])
        return Shut()

"""From a configured source to an open ``cv2.VideoCapture``: which device, which backend, in which order it is asked.

Everything here runs on the reader's thread, since each call can block for seconds. The order of the calls is the
product: size and rate are negotiated per pixel format, so the format comes first; buffers restart the stream, so they
come before the switch to raw JPEG. What a device answers to ``get`` is not believed: the first picture's shape counts.
The path through V4L2, Media Foundation and DirectShow is not yet checked on hardware; RTSP is checked with motion JPEG
over TCP against a server of our own (H.264 and a real camera: not yet).
Source: DEVICES.md §4.2; opencv issues 9084 and 5847 (format first, DirectShow wants it twice), 29254 (``get`` returns
what was asked), 15074 (a busy camera blocks); opencv/modules/videoio/src/cap_msmf.cpp (``CAP_PROP_FOURCC`` there asks
for an output format and refuses MJPG), cap_v4l.cpp (``CAP_PROP_BUFFERSIZE`` resets the stream), cap_ffmpeg_impl.hpp.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from devices.camera.enumerate import CameraFound, list_cameras, resolve
from station.errors import DeviceFault, EnvironmentFault

if TYPE_CHECKING:
    from devices.camera.model import CameraSettings

_CONNECT_MS = 4000
_READ_MS = 2500


class Capture(Protocol):
    """What is used of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool: ...
    def set(self, propId: int, value: float) -> bool: ...
    def get(self, propId: int) -> float: ...
    def read(self) -> tuple[bool, object]: ...
    def release(self) -> None: ...


def _cv2_device(where: int | str, backend: int) -> Capture:
    import cv2

    capture: Capture = cv2.VideoCapture(where, backend)
    return capture


@dataclass(frozen=True, slots=True)
class Hardware:
    """The machine's cameras; tests hand in others."""

    device: Callable[[int | str, int], Capture] = _cv2_device
    """Opens a device (OpenCV's number or a path) with one of OpenCV's backends."""
    cameras: Callable[[str], list[CameraFound]] = list_cameras
    """What is plugged in now, numbered as the named backend does."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that answers."""

    capture: Capture
    backend: str
    """``v4l2``, ``msmf``, ``dshow``, ``any`` or ``ffmpeg``."""
    camera: CameraFound | None = None
    """Which camera it is; None = no USB camera, or this system cannot say."""
    notes: tuple[str, ...] = ()
    """What is not as it was asked for, for people."""

    @property
    def is_device(self) -> bool:
        return self.backend != "ffmpeg"

    @property
    def node(self) -> Path | None:
        """Its device file, which vanishes when the plug is pulled."""
        return Path(self.camera.path) if self.camera is not None and self.camera.path.startswith("/") else None


def is_index(source: str) -> bool:
    return source.isdecimal()


def is_key(source: str) -> bool:
    return source.lower().startswith("usb:")


def is_url(source: str) -> bool:
    return "://" in source


def is_clip(source: str) -> bool:
    """A regular file: played at its own speed, from the beginning again at its end."""
    return not is_index(source) and not is_key(source) and not is_url(source) and Path(source).is_file()


def open_source(settings: CameraSettings, hardware: Hardware, same_as: CameraFound | None = None) -> Opened:
    """Open what the settings name.

    Args:
        settings: where and how.
        hardware: the machine's cameras.
        same_as: the camera that was there before. A number or a path that means another one today is not opened: the
            station looks for the same camera elsewhere.

    Raises:
        DeviceFault: it cannot be opened; says why and what to do.
    """
    source = settings.source.strip()
    if is_url(source) or is_clip(source):
        return _open_stream(source, settings.backend)
    name, backend = _backend(settings.backend)
    camera = _which(source, hardware, name, same_as)
    where: int | str = int(source) if is_index(source) else source
    if camera is not None:
        where = camera.path if camera.path.startswith("/") else camera.index
    capture = hardware.device(where, backend)
    if not capture.isOpened():
        capture.release()
        raise DeviceFault(_cannot_open(source))
    if camera is not None and camera not in _listed(hardware, name):
        # It was plugged out and perhaps another one in while this call was opening.
        capture.release()
        raise DeviceFault(f"camera {source!r} was replugged while it was being opened; it is opened again")
    return Opened(capture, name, camera, _configure(capture, name, settings))


def _listed(hardware: Hardware, backend: str) -> list[CameraFound]:
    try:
        return hardware.cameras(backend)
    except EnvironmentFault:
        return []


def _which(source: str, hardware: Hardware, backend: str, same_as: CameraFound | None) -> CameraFound | None:
    """The camera that is meant, None if only OpenCV knows."""
    if is_key(source):
        return resolve(source, hardware.cameras(backend))
    cameras = _listed(hardware, backend)
    if same_as is not None and same_as.vid is not None:
        return _same(same_as, cameras)
    if is_index(source):
        return next((camera for camera in cameras if camera.index == int(source)), None)
    real = Path(source).resolve()
    return next((camera for camera in cameras if camera.path and Path(camera.path).resolve() == real), None)


def _same(before: CameraFound, cameras: list[CameraFound]) -> CameraFound:
    try:
        return resolve(before.key, cameras)
    except DeviceFault:
        alike = [camera for camera in cameras if (camera.vid, camera.pid) == (before.vid, before.pid)]
        if "@" in before.key and len(alike) == 1:
            # Nobody asked for a socket, and there is no other camera that it could be.
            return alike[0]
        raise


def _cannot_open(source: str) -> str:
    if is_index(source) or is_key(source):
        return f"camera {source!r} cannot be opened: check the USB cable, or close the program that uses it"
    if Path(source).exists():
        return f"camera {source!r} cannot be opened: it is no camera or video that can be read, or is in use"
    return f"camera {source!r} is not there: plug it in, or correct the source in the configuration"


def _open_stream(source: str, backend_name: str) -> Opened:
    import cv2

    backend = cv2.CAP_FFMPEG if backend_name in ("auto", "ffmpeg") else cv2.CAP_ANY
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _CONNECT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
    capture = cv2.VideoCapture(source, backend, [cv2.CAP_PROP_FORMAT, -1, *limits])
    if capture.isOpened() and int(capture.get(cv2.CAP_PROP_FOURCC)) != cv2.VideoWriter.fourcc(*"MJPG"):
        # Packets of any other codec are of no use by themselves.
        capture.release()
        capture = cv2.VideoCapture(source, backend, limits)
    if capture.isOpened():
        return Opened(capture, "ffmpeg")
    capture.release()
    if is_url(source):
        raise DeviceFault(f"camera {source!r} does not answer: check its power, its cable and the address")
    raise DeviceFault(_cannot_open(source))


def _configure(capture: Capture, backend: str, settings: CameraSettings) -> tuple[str, ...]:
    """Ask for format, size and rate; returns what came out otherwise."""
    import cv2

    mjpg = cv2.VideoWriter.fourcc(*"MJPG")
    chooses_format = backend in ("v4l2", "dshow")
    if chooses_format:
        capture.set(cv2.CAP_PROP_FOURCC, mjpg)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    capture.set(cv2.CAP_PROP_FPS, settings.fps)
    if not chooses_format:
        return ()
    compressed = int(capture.get(cv2.CAP_PROP_FOURCC)) == mjpg
    if not compressed:
        # DirectShow forgets the format with the size.
        capture.set(cv2.CAP_PROP_FOURCC, mjpg)
        compressed = int(capture.get(cv2.CAP_PROP_FOURCC)) == mjpg
    if backend == "v4l2":
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if compressed:
            # Hand over the camera's own JPEG; pixels are understood as well.
            capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    if compressed or settings.width * settings.height < 1_000_000:
        return ()
    return ("the camera sends uncompressed pictures, so only a few a second: ask for a smaller size",)


def _backend(name: str) -> tuple[str, int]:
    """The capture backend to ask for; explicit, because OpenCV's own choice differs between its builds."""
    import cv2

    if name == "auto":
        name = "msmf" if sys.platform == "win32" else "v4l2" if sys.platform.startswith("linux") else "any"
    named = {"v4l2": cv2.CAP_V4L2, "msmf": cv2.CAP_MSMF, "dshow": cv2.CAP_DSHOW}
    return (name, named[name]) if name in named else ("any", cv2.CAP_ANY)

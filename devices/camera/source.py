"""The reader: opens a ``cv2.VideoCapture``, keeps only the newest frame, and releases it in the thread that owns it."""

from __future__ import annotations

import logging
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from devices.camera.model import CameraSettings

if TYPE_CHECKING:
    import cv2

    from devices.camera.model import Image

logger = logging.getLogger(__name__)

_CONNECT_MS = 4000
_READ_MS = 2500
_FAILED_READS = 3
_JPEG_START = b"\xff\xd8\xff"


class Frame:
    """One frame as it came: pixels, or the JPEG that the camera made, decoded only as large as somebody needs it.

    Decoding is most of what a camera costs. At half size it takes a third less, and a preview needs no more; the whole
    picture is decoded only when it is photographed. Used by one thread.
    """

    def __init__(
        self, at: float, number: int, image: Image | None, packet: Image | None, size: tuple[int, int]
    ) -> None:
        self.at = at
        """Monotonic seconds when ``read`` returned."""
        self.number = number
        self._full = image
        self._packet = packet
        self._size = size
        self._half: Image | None = None

    def checksum(self) -> int:
        """Differs from frame to frame with a living sensor, whose noise changes every picture."""
        if self._packet is not None:
            return zlib.crc32(self._packet.tobytes())
        full = self.full()
        return 0 if full is None else zlib.crc32(full[::16].tobytes())

    def full(self) -> Image | None:
        """``(h, w, 3) uint8 BGR``; None = the JPEG is broken."""
        import cv2

        if self._full is None and self._packet is not None:
            self._full = _picture(cv2.imdecode(self._packet, cv2.IMREAD_COLOR))
        return self._full

    def at_least(self, width: int, height: int) -> Image | None:
        """The picture at half size if that covers (width, height) in one direction, else whole; None = broken."""
        import cv2

        half_width, half_height = self._size[0] // 2, self._size[1] // 2
        if self._packet is None or self._full is not None or (half_width < width and half_height < height):
            return self.full()
        if self._half is None:
            self._half = _picture(cv2.imdecode(self._packet, cv2.IMREAD_REDUCED_COLOR_2))
        return self._half

    def half_luminance(self) -> Image | None:
        """``(h/2, w/2) uint8``, from whatever is decoded already; None = broken."""
        from devices.camera.quality import half_size, luminance

        if self._half is not None:
            return luminance(self._half)
        full = self.full()
        return None if full is None else half_size(luminance(full))


def _picture(decoded: object) -> Image | None:
    import numpy as np

    return decoded if isinstance(decoded, np.ndarray) and decoded.ndim == 3 and decoded.size else None


def is_index(source: str) -> bool:
    return source.isdecimal()


def is_url(source: str) -> bool:
    return "://" in source


def is_clip(source: str) -> bool:
    """A regular file: played at its own speed, from the beginning again at its end."""
    return not is_index(source) and not is_url(source) and Path(source).is_file()


class Reader:
    """One attempt at a source, on a daemon thread of its own. Ends by itself when the source fails."""

    def __init__(self, settings: CameraSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._failure: str | None = None
        self._finished = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{settings.name}-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, wait_s: float = 0.0) -> None:
        """Ask the reader to release its camera; waits at most ``wait_s``, since ``release`` can block on a dead one."""
        self._stop.set()
        if wait_s and self._thread.ident is not None:
            self._thread.join(wait_s)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def failure(self) -> str | None:
        """Why the reader ended, for people; None while it works."""
        with self._changed:
            return self._failure if self._finished else None

    def newer_than(self, number: int, timeout_s: float) -> Frame | None:
        """The newest frame after ``number``; None when none came in time or the reader has ended."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._finished or (self._frame is not None and self._frame.number > number), timeout_s
            )
            if self._frame is not None and self._frame.number > number:
                return self._frame
            return None

    def _run(self) -> None:
        failure = f"the reader of camera {self._settings.source!r} ended unexpectedly; it is started again"
        try:
            capture = self._open()
            if capture is None:
                failure = self._cannot_open()
                return
            try:
                failure = self._read_all(capture)
            finally:
                capture.release()
        finally:
            with self._changed:
                self._failure, self._finished = failure, True
                self._changed.notify_all()

    def _cannot_open(self) -> str:
        source = self._settings.source
        if is_url(source):
            return f"camera {source!r} does not answer: check its power, its cable and the address"
        if is_index(source):
            return f"camera {source!r} cannot be opened: check the USB cable, or close the program that uses it"
        if Path(source).exists():
            return f"camera {source!r} cannot be opened: it is no camera or video that can be read, or is in use"
        return f"camera {source!r} is not there: plug it in, or correct the source in the configuration"

    def _open(self) -> cv2.VideoCapture | None:
        import cv2

        source = self._settings.source
        if is_url(source) or is_clip(source):
            backend = cv2.CAP_FFMPEG if self._settings.backend in ("auto", "ffmpeg") else cv2.CAP_ANY
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _CONNECT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
            capture = cv2.VideoCapture(source, backend, [cv2.CAP_PROP_FORMAT, -1, *limits])
            if capture.isOpened() and int(capture.get(cv2.CAP_PROP_FOURCC)) != cv2.VideoWriter.fourcc(*"MJPG"):
                # Packets of any other codec are of no use by themselves.
                capture.release()
                capture = cv2.VideoCapture(source, backend, limits)
        else:
            capture = cv2.VideoCapture()
            chosen = _backend(self._settings.backend)
            if capture.open(int(source), chosen) if is_index(source) else capture.open(source, chosen):
                # The order matters: format, then size, then rate (opencv#9084, #5847).
                capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
                capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._settings.width)
                capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._settings.height)
                capture.set(cv2.CAP_PROP_FPS, self._settings.fps)
                capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
                if chosen == cv2.CAP_V4L2 and int(capture.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"MJPG"):
                    # Hand over the camera's own JPEG. Not yet checked on hardware; pixels are understood as well.
                    capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        if not capture.isOpened():
            capture.release()
            return None
        return capture

    def _read_all(self, capture: cv2.VideoCapture) -> str:
        import cv2
        import numpy as np

        source = self._settings.source
        clip = is_clip(source)
        period = 1.0 / (capture.get(cv2.CAP_PROP_FPS) or self._settings.fps) if clip else 0.0
        warm_until = self._monotonic() + (0.0 if clip or is_url(source) else self._settings.warm_up_s)
        number = failed = 0
        due = self._monotonic()
        size = (0, 0)
        while not self._stop.is_set():
            came, image = capture.read()
            now = self._monotonic()
            if not came or image is None or image.size == 0:
                failed += 1
                if clip and failed < _FAILED_READS:
                    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
                elif failed >= _FAILED_READS:
                    return f"camera {source!r} stopped sending pictures: check its cable and power"
                continue
            failed = 0
            if now < warm_until:
                continue
            number += 1
            frame = self._frame_of(np.asarray(image, np.uint8), now, number, size)
            if size == (0, 0) and (whole := frame.full()) is not None:
                size = (whole.shape[1], whole.shape[0])
            with self._changed:
                self._frame = frame
                self._changed.notify_all()
            if clip:
                due = max(due + period, now)
                self._stop.wait(max(0.0, due - self._monotonic()))
        return ""

    @staticmethod
    def _frame_of(data: Image, at: float, number: int, size: tuple[int, int]) -> Frame:
        """Tell a picture from a JPEG: the latter is one row of bytes that begins with its marker."""
        if data.ndim == 2 and data.shape[0] == 1 and data.ravel()[:3].tobytes() == _JPEG_START:
            return Frame(at, number, None, data, size)
        return Frame(at, number, data if data.ndim == 3 else None, None, size)


def _backend(name: str) -> int:
    """The capture backend to ask for; explicit, because OpenCV's own choice differs between its builds."""
    import cv2

    named = {"v4l2": cv2.CAP_V4L2, "msmf": cv2.CAP_MSMF, "dshow": cv2.CAP_DSHOW, "ffmpeg": cv2.CAP_FFMPEG}
    if name != "auto":
        return named[name]
    if sys.platform == "win32":
        return cv2.CAP_MSMF
    return cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY

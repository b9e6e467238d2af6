"""The reader: opens a source, keeps only the newest frame, and releases it in the thread that owns it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from devices.camera.enumerate import CameraFound
from devices.camera.frame import Frame, frame_of
from devices.camera.model import CameraSettings
from devices.camera.opening import Capture, Hardware, Opened, is_clip, open_source
from station.errors import EnvironmentFault

logger = logging.getLogger(__name__)

_FAILED_READS = 3
_WARM_UP_FRAMES = 2
"""Frames from the driver's queue, older than the opening; they are thrown away however little time is asked for."""

T = TypeVar("T")


class Reader:
    """One attempt at a source, on a daemon thread of its own. Ends by itself when the source fails."""

    def __init__(
        self,
        settings: CameraSettings,
        monotonic: Callable[[], float] = time.monotonic,
        hardware: Hardware | None = None,
        same_as: CameraFound | None = None,
    ) -> None:
        """
        Args:
            settings: the source, and how it is opened.
            monotonic: seconds.
            hardware: the machine's cameras, given by tests.
            same_as: the camera that an earlier reader found there.
        """
        self._settings = settings
        self._monotonic = monotonic
        self._hardware = hardware or Hardware()
        self._same_as = same_as
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._failure: str | None = None
        self._finished = False
        self._opened: Opened | None = None
        self._notes: tuple[str, ...] = ()
        self._asked: queue.SimpleQueue[Callable[[Capture], None]] = queue.SimpleQueue()
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

    @property
    def opened(self) -> Opened | None:
        """What was opened; None = not yet. Its capture belongs to the reader."""
        with self._changed:
            return self._opened

    @property
    def node(self) -> Path | None:
        opened = self.opened
        return None if opened is None else opened.node

    @property
    def notes(self) -> tuple[str, ...]:
        """What came otherwise than it was asked for, in words; empty = nothing."""
        with self._changed:
            return self._notes

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

    def ask(self, order: Callable[[Capture], None]) -> None:
        """Let the reader's thread do something with the capture between two frames. From any thread."""
        self._asked.put(order)

    def _run(self) -> None:
        failure = f"the reader of camera {self._settings.source!r} ended unexpectedly; it is started again"
        try:
            try:
                opened = open_source(self._settings, self._hardware, self._same_as)
            except EnvironmentFault as fault:
                failure = str(fault)
                return
            with self._changed:
                self._opened, self._notes = opened, opened.notes
            try:
                failure = self._read_all(opened)
            finally:
                opened.capture.release()
        finally:
            with self._changed:
                self._failure, self._finished = failure, True
                self._changed.notify_all()

    def _read_all(self, opened: Opened) -> str:
        import cv2
        import numpy as np

        source, capture = self._settings.source, opened.capture
        clip = not opened.is_device and is_clip(source)
        period = 1.0 / (capture.get(cv2.CAP_PROP_FPS) or self._settings.fps) if clip else 0.0
        warm_until = self._monotonic() + (self._settings.warm_up_s if opened.is_device else 0.0)
        too_old = _WARM_UP_FRAMES if opened.is_device else 0
        number = failed = 0
        due = self._monotonic()
        size = (0, 0)
        while not self._stop.is_set():
            self._obey(capture)
            try:
                came, image = capture.read()
            except cv2.error as error:
                # A backend that cannot convert what the camera sends says so by an exception.
                logger.debug("%s: %s", self._settings.name, error)
                came, image = False, None
            now = self._monotonic()
            # True with nothing in it is what some backends answer after the plug was pulled (opencv#14044).
            if not came or not isinstance(image, np.ndarray) or image.size == 0:
                failed += 1
                if clip and failed < _FAILED_READS:
                    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
                elif failed >= _FAILED_READS:
                    return f"camera {source!r} stopped sending pictures: check its cable and power"
                continue
            failed = 0
            if now < warm_until or too_old > 0:
                too_old -= 1
                continue
            number += 1
            frame = frame_of(np.asarray(image, np.uint8), now, number, size)
            if size == (0, 0) and (whole := frame.full()) is not None:
                size = (whole.shape[1], whole.shape[0])
                if opened.is_device:
                    self._check_size(size)
            with self._changed:
                self._frame = frame
                self._changed.notify_all()
            if clip:
                due = max(due + period, now)
                self._stop.wait(max(0.0, due - self._monotonic()))
        return ""

    def _obey(self, capture: Capture) -> None:
        while not self._asked.empty():
            self._asked.get()(capture)

    def _check_size(self, size: tuple[int, int]) -> None:
        asked = (self._settings.width, self._settings.height)
        if size == asked:
            return
        words = (
            f"the camera delivers {size[0]}×{size[1]} instead of {asked[0]}×{asked[1]}: "
            "set a size that it has, or connect it to a faster USB socket"
        )
        logger.warning("%s: %s", self._settings.name, words)
        with self._changed:
            self._notes = (*self._notes, words)

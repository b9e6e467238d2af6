"""One camera on its owner thread: supervision around the eye, and the calls that other threads make.

Nothing here is shared between two cameras but OpenCV's number of threads, which both set to one.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from devices.camera import controls
from devices.camera.enumerate import CameraFound
from devices.camera.model import CameraEvent, CameraSettings
from devices.camera.opening import Hardware
from devices.camera.requests import Requests
from devices.camera.source import Reader
from devices.camera.watch import Watch
from devices.ports import Light, LightChanged
from station.clock import Clock, SystemClock

if TYPE_CHECKING:
    from devices.camera.eye import Eye

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)
_MOST_HUNG = 3
"""Readers that hang in their driver; no further one is started beside so many."""


class Camera:
    """A camera for one bench. ``run`` belongs to one thread; every other method may be called from any thread."""

    def __init__(self, settings: CameraSettings, clock: Clock | None = None, hardware: Hardware | None = None) -> None:
        """
        Args:
            settings: which camera, and how.
            clock, hardware: given by tests.
        """
        self.settings = settings
        self._clock: Clock = clock or SystemClock()
        self._hardware = hardware or Hardware()
        self._same_as: CameraFound | None = None
        self._hung: list[Reader] = []
        self._requests = Requests((settings.preview_width, settings.preview_height))
        self._light: LightChanged | None = None

    def arm(self, shot_id: str, needs_change: bool, item_is_there: bool = False) -> None:
        """Ask for a shot, taken by itself once something lies there, still and sharp, for half a second.

        Args:
            shot_id: the protocol's shot; goes into ``ShotTaken.shot``.
            needs_change: the picture must differ clearly from the last shot first: the item was turned. After a
                restart, when there is no last shot, it must differ from what is seen when this is called.
            item_is_there: the scale feels the item, so the picture need not show that the bench is occupied: a camera
                that came up with the item already lying there has never seen the bench empty.
        """
        self._requests.arm(shot_id, needs_change, item_is_there)

    def disarm(self) -> None:
        """Take no more shots by itself."""
        self._requests.disarm()

    def shoot_now(self, shot_id: str | None = None) -> None:
        """PHOTO was pressed: take the next fresh frame, whatever its figures; forgotten if none comes within 2 s.

        Args:
            shot_id: None = the shot that is armed, else ``extra``.
        """
        self._requests.press(shot_id, self._clock.monotonic())

    def set_preview_size(self, width: int, height: int) -> None:
        """Fit the preview into this many pixels from now on."""
        self._requests.preview(width, height)

    def remember_empty(self) -> None:
        """What is seen now is the empty bench (otherwise the station learns it by itself)."""
        self._requests.learn_empty()

    def lock_now(self) -> None:
        """Let exposure, focus and white balance settle and freeze them anew; ``ControlsJudged`` says what came of it.

        Only with ``CameraSettings.lock``.
        """
        self._requests.lock_controls()

    def take_reference(self) -> None:
        """What is seen now, with nothing on the bench, is how it shall look: answered by ``ReferenceTaken``."""
        self._requests.reference()

    def run(self, should_stop: Callable[[], bool], emit: Callable[[CameraEvent], None]) -> None:
        """Own the camera until ``should_stop()``, which is asked at least every 0.1 s.

        Opens the source, emits what it sees, and after any failure opens it again with back-off. Never raises for what
        the camera does.
        """
        import cv2

        from devices.camera.eye import Eye

        # OpenCV's pool would spin on all cores for work that one core does in a millisecond.
        cv2.setNumThreads(1)
        eye = Eye(self.settings, self._requests, self._clock)
        self._light = None
        attempt = 0
        while not should_stop():
            if self._too_many_hang(emit):
                self._pause(_BACK_OFF_S[-1], should_stop)
                continue
            reader = Reader(self.settings, self._clock.monotonic, self._hardware, self._same_as)
            reader.start()
            watch = Watch(self.settings, reader, self._clock)
            try:
                self._watch(watch, reader, eye, should_stop, emit)
            finally:
                reader.stop(wait_s=1.0 if should_stop() else 0.3)
                self._hung.append(reader)
            attempt = 0 if watch.saw_frames else attempt + 1
            pause = _BACK_OFF_S[min(attempt, len(_BACK_OFF_S) - 1)] * random.uniform(0.9, 1.1)
            self._pause(pause, should_stop)

    def _too_many_hang(self, emit: Callable[[CameraEvent], None]) -> bool:
        """Each call into a dead driver may hold its thread for ever; there must not be more and more of them."""
        self._hung = [reader for reader in self._hung if reader.alive]
        if len(self._hung) < _MOST_HUNG:
            return False
        words = f"camera {self.settings.source!r} hangs in its driver: unplug it and plug it in again"
        self._show(Light.GONE, words, emit)
        return True

    def _watch(
        self,
        watch: Watch,
        reader: Reader,
        eye: Eye,
        should_stop: Callable[[], bool],
        emit: Callable[[CameraEvent], None],
    ) -> None:
        """Follow one opening of the source to its failure."""
        met = False
        while not should_stop():
            frame = watch.next_frame(_POLL_S)
            opened = reader.opened
            if frame is not None and opened is not None:
                if not met:
                    met = True
                    self._same_as = opened.camera or self._same_as
                    eye.reconnected(frame.at, controllable=opened.is_device and controls.has_controls(opened.backend))
                for event in eye.look(frame, fresh=watch.fresh, notes=reader.notes):
                    emit(event)
                if (order := eye.take_order(opened.backend)) is not None:
                    reader.ask(order)
            if watch.light is not None:
                self._show(*watch.light, emit)
            if watch.over:
                return

    def _show(self, light: Light, detail: str, emit: Callable[[CameraEvent], None]) -> None:
        event = LightChanged(self.settings.name, light, detail)
        if event == self._light:
            return
        self._light = event
        level = logging.INFO if light is Light.WORKING else logging.WARNING
        logger.log(level, "%s is %s %s", event.device, event.light.value, event.detail)
        emit(event)

    def _pause(self, seconds: float, should_stop: Callable[[], bool]) -> None:
        until = self._clock.monotonic() + seconds
        while not should_stop() and self._clock.monotonic() < until:
            time.sleep(min(_POLL_S, seconds))

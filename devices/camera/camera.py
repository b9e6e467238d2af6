"""One camera on its owner thread: supervision around the eye, and the calls that other threads make."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from devices.camera.model import CameraEvent, CameraSettings
from devices.camera.requests import Requests
from devices.camera.source import Frame, Reader
from devices.ports import Light, LightChanged
from station.clock import Clock, SystemClock

if TYPE_CHECKING:
    from devices.camera.eye import Eye

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_FIRST_PICTURE_S = 15.0
"""Media Foundation may take this long to open a camera."""
_BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)
_BLACK_AFTER_S = 1.0
_BLACK_REOPEN_S = 6.0
_LOOK_FOR_BLACK_S = 0.1


class Camera:
    """A camera for one bench. ``run`` belongs to one thread; every other method may be called from any thread."""

    def __init__(self, settings: CameraSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self._clock: Clock = clock or SystemClock()
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
            reader = Reader(self.settings, self._clock.monotonic)
            reader.start()
            watch = Watch(self.settings, reader, self._clock)
            try:
                self._watch(watch, eye, should_stop, emit)
            finally:
                reader.stop(wait_s=1.0 if should_stop() else 0.3)
            attempt = 0 if watch.saw_frames else attempt + 1
            pause = _BACK_OFF_S[min(attempt, len(_BACK_OFF_S) - 1)] * random.uniform(0.9, 1.1)
            _pause(pause, should_stop)

    def _watch(
        self,
        watch: Watch,
        eye: Eye,
        should_stop: Callable[[], bool],
        emit: Callable[[CameraEvent], None],
    ) -> None:
        """Follow one opening of the source to its failure."""
        eye.reconnected()
        while not should_stop():
            frame = watch.next_frame(_POLL_S)
            if frame is not None:
                for event in eye.look(frame, fresh=watch.fresh):
                    emit(event)
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


def _pause(seconds: float, should_stop: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not should_stop() and (left := until - time.monotonic()) > 0:
        time.sleep(min(_POLL_S, left))


class Watch:
    """Says whether what a reader delivers is a living picture: no frame, an old, a frozen or a black one is not."""

    def __init__(self, settings: CameraSettings, reader: Reader, clock: Clock) -> None:
        self._settings = settings
        self._reader = reader
        self._clock = clock
        self._number = 0
        self._last_at = clock.monotonic()
        self._sum: int | None = None
        self._fresh_at = 0.0
        self._alive = False
        self._black_since: float | None = None
        self._looked_at = float("-inf")
        self.saw_frames = False
        self.fresh = False
        """The newest frame differs from the one before."""
        self.light: tuple[Light, str] | None = None
        """How the camera is, with the words for it; None = not known yet."""
        self.over = False
        """This opening of the source has failed: release it and open it again."""

    def next_frame(self, timeout_s: float) -> Frame | None:
        """The next frame to look at, None if there is none yet; ``light`` and ``over`` say how the camera is."""
        frame = self._reader.newer_than(self._number, timeout_s)
        if frame is None:
            self._nothing_came()
            return None
        self._number = frame.number
        if frame.at_least(self._settings.preview_width, self._settings.preview_height) is None:
            return None
        self._last_at = frame.at
        self._compare(frame)
        self._judge(frame)
        self.saw_frames = True
        return None if self.over else frame

    def _nothing_came(self) -> None:
        failure = self._reader.failure()
        age = self._clock.monotonic() - self._last_at
        if failure is not None:
            self.light, self.over = (Light.GONE, failure), True
        elif age > (self._settings.silent_after_s if self.saw_frames else _FIRST_PICTURE_S):
            words = (
                f"no picture for {age:.0f} s: check the cable of camera {self._settings.source!r}; it is opened again"
            )
            self.light, self.over = (Light.SILENT, words), True

    def _compare(self, frame: Frame) -> None:
        total = frame.checksum()
        self.fresh = total != self._sum
        self._alive = self._alive or (self.fresh and self._sum is not None)
        if self.fresh:
            self._fresh_at = frame.at
        self._sum = total

    def _judge(self, frame: Frame) -> None:
        frozen_after = self._settings.frozen_after_s
        stuck_s = frame.at - self._fresh_at
        if frozen_after is not None and stuck_s > frozen_after:
            words = f"the picture has not changed for {stuck_s:.0f} s: the camera hangs and is opened again"
            self.light, self.over = (Light.SILENT, words), True
            return
        if frame.at - self._looked_at < _LOOK_FOR_BLACK_S:
            return
        self._looked_at = frame.at
        if not self._black(frame):
            self._black_since = None
            # One picture proves nothing: a frozen camera that was opened again delivers one too.
            if self._alive:
                self.light = (Light.WORKING, "")
            return
        if self._black_since is None:
            self._black_since = frame.at
        black_s = frame.at - self._black_since
        if black_s >= _BLACK_AFTER_S:
            self.light = (Light.SILENT, "the picture is black: take the cover off the lens, switch on the light")
            self.over = black_s >= _BLACK_REOPEN_S

    def _black(self, frame: Frame) -> bool:
        from devices.camera.quality import is_black

        image = frame.at_least(self._settings.preview_width, self._settings.preview_height)
        return image is not None and is_black(image[::8, ::8, 1])

"""Is what comes a living picture? No frame, an old, a frozen, a black or a white one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devices.camera.frame import Frame
from devices.camera.model import CameraSettings
from devices.camera.source import Reader
from devices.ports import Light
from station.clock import Clock

if TYPE_CHECKING:
    from devices.camera.model import Image

FIRST_PICTURE_S = 15.0
"""Media Foundation may take this long to open a camera."""
_BLANK_AFTER_S = 1.0
_BLANK_REOPEN_S = 6.0
_LOOK_EVERY_S = 0.1
_NODE_EVERY_S = 0.5
_BLACK = "the picture is black: take the cover off the lens, switch on the light"
_WHITE = "the picture is white: something shines into the lens, or the exposure is stuck; the camera is opened again"


class Watch:
    """Follows one reader from its start to its failure. Used by the owner's thread."""

    def __init__(self, settings: CameraSettings, reader: Reader, clock: Clock) -> None:
        self._settings = settings
        self._reader = reader
        self._clock = clock
        self._number = 0
        self._last_at = clock.monotonic()
        self._sum: int | None = None
        self._fresh_at = 0.0
        self._alive = False
        self._blank = ""
        self._blank_since = 0.0
        self._looked_at = self._node_seen_at = float("-inf")
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
        picture = frame.at_least(self._settings.preview_width, self._settings.preview_height)
        if picture is None:
            # Broken frames without end are no picture either.
            self._nothing_came()
            return None
        self._last_at = frame.at
        self._compare(frame)
        self._judge(frame, picture)
        self._check_node()
        self.saw_frames = True
        return None if self.over else frame

    def _nothing_came(self) -> None:
        failure = self._reader.failure()
        age = self._clock.monotonic() - self._last_at
        if failure is not None:
            self.light, self.over = (Light.GONE, failure), True
        elif age > (self._settings.silent_after_s if self.saw_frames else FIRST_PICTURE_S):
            words = (
                f"no picture for {age:.0f} s: check the cable of camera {self._settings.source!r}; it is opened again"
            )
            self.light, self.over = (Light.SILENT, words), True
        else:
            self._check_node()

    def _check_node(self) -> None:
        """Notice a pulled plug at once: reading would wait, or deliver the last picture again (opencv#10927)."""
        now = self._clock.monotonic()
        if now - self._node_seen_at < _NODE_EVERY_S:
            return
        self._node_seen_at = now
        node = self._reader.node
        if node is not None and not node.exists():
            words = f"camera {self._settings.source!r} was unplugged: plug it in again"
            self.light, self.over = (Light.GONE, words), True

    def _compare(self, frame: Frame) -> None:
        total = frame.checksum()
        self.fresh = total != self._sum
        self._alive = self._alive or (self.fresh and self._sum is not None)
        if self.fresh:
            self._fresh_at = frame.at
        self._sum = total

    def _judge(self, frame: Frame, picture: Image) -> None:
        if frame.at - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = frame.at
            self._look_for_blank(frame.at, picture)
        if self._blank:
            # A saturated sensor delivers equal pictures; they are not frozen, they are blank.
            return
        frozen_after = self._settings.frozen_after_s
        stuck_s = frame.at - self._fresh_at
        if frozen_after is not None and stuck_s > frozen_after:
            words = f"the picture has not changed for {stuck_s:.0f} s: the camera hangs and is opened again"
            self.light, self.over = (Light.SILENT, words), True
        elif self._alive:
            # One picture proves nothing: a frozen camera that was opened again delivers one too.
            self.light = (Light.WORKING, "")

    def _look_for_blank(self, at: float, picture: Image) -> None:
        from devices.camera.quality import is_black, is_white

        sample = picture[::8, ::8, 1]
        blank = _BLACK if is_black(sample) else _WHITE if is_white(sample) else ""
        if blank != self._blank:
            self._blank, self._blank_since = blank, at
        if blank and at - self._blank_since >= _BLANK_AFTER_S:
            self.light = (Light.SILENT, blank)
            self.over = at - self._blank_since >= _BLANK_REOPEN_S

"""The camera's values: settings, figures of one picture, and the events that its owner thread emits. No cv2 here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from devices.camera.enumerate import KEY
from devices.ports import LightChanged
from station.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.uint8]
    """Pixels; the docstring of each use says shape and channel order."""

EXTRA_SHOT = "extra"
"""Shot id of a photograph that no protocol asked for."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The figures a picture must reach before the station photographs by itself. PHOTO by hand is never gated.

    Source: DEVICES.md §4.5 (measured on 1080p scenes); a station may set its own.
    """

    min_sharpness: int = 200
    min_brightness: int = 45
    """Median luminance 0…255."""
    max_brightness: int = 210
    max_clipped_high: int = 50
    """Permille of pixels ≥ 250."""
    max_glare: int = 1000
    """Permille of pixels ≥ 250 in the worst region; 1000 = never refused. A reflection on a label burns a region out,
    and so does a white mug by itself (957 measured), so a station that sees no glossy white goods sets its own."""
    max_clipped_low: int = 350
    """Permille of pixels ≤ 5; black goods on a dark mat are fine."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """How the empty rim of the picture looks: what exposure and white balance make of the bench itself."""

    rim: tuple[tuple[int, int, int], ...]
    """Mean blue, green, red of each cell along the rim, 0…255."""
    sharpness: int = -1
    """As in ``Quality``, of the empty bench; −1 = not known."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """One camera of this bench."""

    source: str
    """``usb:VID:PID:SERIAL`` or ``usb:VID:PID@PLACE`` (``station devices list`` shows them), ``0`` (index),
    ``/dev/v4l/by-path/…``, a video file (played at its own speed, again and again), or a URL (``http://…/live.mjpg``,
    ``rtsp://…``)."""
    name: str = "camera-1"
    width: int = 1920
    height: int = 1080
    """Asked of a USB camera; what comes is what counts."""
    fps: int = 30
    backend: str = "auto"
    """``auto``, ``v4l2``, ``msmf``, ``dshow`` or ``ffmpeg``; on Windows some devices need ``dshow``."""
    preview_width: int = 960
    preview_height: int = 540
    """The preview fits into this, aspect ratio kept."""
    warm_up_s: float = 0.6
    """Frames of a USB camera that are thrown away after opening, while exposure settles."""
    silent_after_s: float = 2.0
    frozen_after_s: float | None = 2.0
    """Identical pictures for so long mean frozen; None for streams whose encoder repeats pictures."""
    gate: Gate = Gate()
    lock: bool = False
    """Freeze exposure, focus and white balance once they have settled, prove it, and watch for drift."""
    reference: Appearance | None = None
    """How the bench looked when the station was set up (``ReferenceTaken``); differences become notes."""

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise InvalidInput(
                f"camera {self.name!r} has no source: expected an index like '0', a device, a file or a URL"
            )
        if self.source.lower().startswith("usb:") and not KEY.fullmatch(self.source.strip()):
            raise InvalidInput(
                f"camera source {self.source!r} is no key: expected usb:VID:PID:SERIAL or usb:VID:PID@PLACE, "
                "as station devices list shows them"
            )
        if self.backend not in BACKENDS:
            raise InvalidInput(f"camera backend {self.backend!r} is not one of {', '.join(BACKENDS)}")
        for what in ("width", "height", "fps", "preview_width", "preview_height"):
            if getattr(self, what) < 1:
                raise InvalidInput(f"camera {self.name!r}: {what} is {getattr(self, what)!r}, expected 1 or more")


BACKENDS = ("auto", "v4l2", "msmf", "dshow", "ffmpeg")


@dataclass(frozen=True, slots=True)
class Quality:
    """What the figures of one picture are (DEVICES §4.5), as integers for the record."""

    sharpness: int
    """Laplacian energy over local variance at half resolution, sensor noise taken off, ×1000; −1 = no texture."""
    brightness: int
    """Median luminance 0…255."""
    clipped_high: int
    """Permille of pixels that are blown out."""
    clipped_low: int
    """Permille of pixels that are black."""
    glare: int
    """Permille of pixels that are blown out in the worst region."""
    reasons: tuple[str, ...] = ()
    """Why the picture is not good enough, in words for the screen; empty = good."""

    @property
    def good(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class FrameSeen:
    """One picture for the live view."""

    preview: Image
    """``(height, width, 4) uint8 BGRA``, contiguous, a buffer of its own: it may be kept and shown without a copy."""
    quality: Quality
    """At most 0.2 s old."""
    still: float
    """0…1: how far the ring is closed; 1 = the shot is being taken. Always 0 when not armed."""
    hint: str
    """Why the ring does not close, in words; empty when it does or when not armed."""
    armed: str | None
    """Id of the shot that is waited for."""
    at: float
    """Monotonic seconds when the frame arrived."""
    notes: tuple[str, ...] = ()
    """What is not as it should be although the camera works (size, controls, drift), in words."""


@dataclass(frozen=True, slots=True)
class ShotTaken:
    """One photograph, encoded; whoever receives it makes it durable."""

    jpeg: bytes
    width: int
    height: int
    shot: str
    quality: Quality
    taken_at: datetime
    """UTC, when the frame arrived."""
    device: str
    automatic: bool
    """False = PHOTO was pressed."""
    fingerprint: int
    """1024 bits; a photo at a distance ≤ ``fingerprint.SAME_PHOTO_AT_MOST`` from it shows the very same."""


class ControlVerdict(StrEnum):
    """What the pictures say about the camera's controls."""

    LOCKED = "locked"
    LOCKED_AGAIN = "locked_again"
    """It had drifted."""
    IGNORED = "ignored"
    """The camera ignores them."""
    DRIFTED = "drifted"
    """It has drifted, and nothing can be set."""


@dataclass(frozen=True, slots=True)
class ControlsJudged:
    """Exposure, focus and white balance were tried."""

    device: str
    verdict: ControlVerdict
    detail: str
    """In words."""


@dataclass(frozen=True, slots=True)
class ReferenceTaken:
    """The bench as it looks at set-up, to be stored and handed in as ``CameraSettings.reference``."""

    device: str
    appearance: Appearance


CameraEvent: TypeAlias = FrameSeen | ShotTaken | LightChanged | ControlsJudged | ReferenceTaken

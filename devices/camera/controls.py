"""Exposure, focus and white balance: set to automatic, frozen at what was found, held at known values.

What a property means is folklore of each backend, so it is a table. Nothing here believes that it worked: ``lock.py``
looks at the pictures.
Not yet checked on hardware.
Source: DEVICES.md §4.4; opencv#9738 (V4L2: 3 = automatic, then 1 = manual, then the value; since 4.0 no longer 0.25 and
0.75); opencv#17019 and PR 22635 (DirectShow: setting the exposure makes it manual, 1 = automatic since 4.7);
opencv/modules/videoio/src/cap_msmf.cpp (a value carries the flag "manual", and ``AUTO_EXPOSURE = 0`` would also set
the exposure to 0, which is one second); V4L2 control reference, ``V4L2_CID_EXPOSURE_ABSOLUTE`` (units of 100 µs);
Microsoft, ``CameraControl_Exposure`` (log2 of seconds).
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.camera.opening import Capture

logger = logging.getLogger(__name__)

_UNKNOWN = -1.0
"""What ``get`` answers when the backend or the camera does not say."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One thing that a camera can do by itself or be told; properties by their names in cv2."""

    value: str
    automatic: tuple[tuple[str, float], ...] = ()
    manual: tuple[tuple[str, float], ...] = ()
    """Set in this order before the value."""
    log2: bool = False
    """The value counts doublings, not multiples."""


@dataclass(frozen=True, slots=True)
class Knobs:
    exposure: Knob
    focus: Knob
    white_balance: Knob


_FOCUS = Knob("CAP_PROP_FOCUS", (("CAP_PROP_AUTOFOCUS", 1),), (("CAP_PROP_AUTOFOCUS", 0),))
KNOBS = {
    "v4l2": Knobs(
        Knob(
            "CAP_PROP_EXPOSURE",
            (("CAP_PROP_AUTO_EXPOSURE", 3),),
            (("CAP_PROP_AUTO_EXPOSURE", 3), ("CAP_PROP_AUTO_EXPOSURE", 1)),
        ),
        _FOCUS,
        Knob("CAP_PROP_WB_TEMPERATURE", (("CAP_PROP_AUTO_WB", 1),), (("CAP_PROP_AUTO_WB", 0),)),
    ),
    "dshow": Knobs(
        Knob("CAP_PROP_EXPOSURE", (("CAP_PROP_AUTO_EXPOSURE", 1),), log2=True),
        _FOCUS,
        Knob("CAP_PROP_WHITE_BALANCE_BLUE_U", (("CAP_PROP_AUTO_WB", 1),), (("CAP_PROP_AUTO_WB", 0),)),
    ),
    "msmf": Knobs(
        Knob("CAP_PROP_EXPOSURE", (("CAP_PROP_AUTO_EXPOSURE", 1),), log2=True),
        Knob("CAP_PROP_FOCUS", (("CAP_PROP_AUTOFOCUS", 1),)),
        Knob("CAP_PROP_TEMPERATURE"),
    ),
}
"""Backend → its folklore. A backend that is not here (AVFoundation, streams, clips) has no controls."""


@dataclass(frozen=True, slots=True)
class Held:
    """The values that a camera is held at, in its backend's units; None = it does not say, or has no such thing."""

    exposure: float | None = None
    focus: float | None = None
    white_balance: float | None = None


NOTHING_HELD = Held()


class Act(Enum):
    LET_GO = auto()
    """Let the camera find exposure, focus and white balance by itself."""
    FREEZE = auto()
    """Read what it has found and hold it there."""
    HOLD = auto()
    """Hold it at ``Order.held``."""
    EXPOSE = auto()
    """Hold it there, but with ``Order.light`` times the light."""


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be done to the camera."""

    act: Act
    held: Held = NOTHING_HELD
    light: float = 1.0
    """2.0 = twice the light on the sensor."""


def carry_out(capture: Capture, backend: str, order: Order) -> Held:
    """Do it; returns the values that the camera took. On the reader's thread."""
    match order.act:
        case Act.LET_GO:
            return let_go(capture, backend)
        case Act.FREEZE:
            return freeze(capture, backend)
        case Act.HOLD:
            return hold(capture, backend, order.held)
        case Act.EXPOSE:
            return expose(capture, backend, order.held, order.light)


def has_controls(backend: str) -> bool:
    return backend in KNOBS


def let_go(capture: Capture, backend: str) -> Held:
    """Let the camera find exposure, focus and white balance by itself."""
    knobs = KNOBS[backend]
    for knob in (knobs.exposure, knobs.focus, knobs.white_balance):
        _set_all(capture, knob.automatic)
    return Held()


def freeze(capture: Capture, backend: str) -> Held:
    """Read what the camera has found and hold it there."""
    knobs = KNOBS[backend]
    found = Held(*(_read(capture, knob) for knob in (knobs.exposure, knobs.focus, knobs.white_balance)))
    return hold(capture, backend, found)


def hold(capture: Capture, backend: str, held: Held) -> Held:
    """Make everything manual and set the values; returns those that the camera took."""
    knobs = KNOBS[backend]
    pairs = (knobs.exposure, held.exposure), (knobs.focus, held.focus), (knobs.white_balance, held.white_balance)
    taken = Held(*(_fix(capture, knob, value) for knob, value in pairs))
    logger.debug("held at %s by %s", taken, backend)
    return taken


def expose(capture: Capture, backend: str, held: Held, light: float) -> Held:
    """Hold everything, with so much more light on the sensor than ``held`` gives (2.0 = twice)."""
    if held.exposure is None:
        return hold(capture, backend, held)
    if KNOBS[backend].exposure.log2:
        return hold(capture, backend, replace(held, exposure=held.exposure + round(math.log2(light))))
    return hold(capture, backend, replace(held, exposure=max(1.0, float(round(held.exposure * light)))))


def _read(capture: Capture, knob: Knob) -> float | None:
    import cv2

    value = float(capture.get(getattr(cv2, knob.value)))
    return None if value == _UNKNOWN or not math.isfinite(value) else value


def _fix(capture: Capture, knob: Knob, value: float | None) -> float | None:
    import cv2

    _set_all(capture, knob.manual)
    if value is None:
        return None
    return value if capture.set(getattr(cv2, knob.value), value) else None


def _set_all(capture: Capture, pairs: tuple[tuple[str, float], ...]) -> None:
    import cv2

    for name, value in pairs:
        capture.set(getattr(cv2, name), value)

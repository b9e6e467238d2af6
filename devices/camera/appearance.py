"""How bright and how coloured the picture is, whatever lies in it: measured at its rim, where the bench shows.

The rim is cut into cells, and each cell is compared with itself: an item, a hand or a sleeve changes some cells,
the camera's exposure and white balance change all of them. The median over the cells is what the camera did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from devices.camera.model import Appearance
from station.errors import InvalidInput

if TYPE_CHECKING:
    from devices.camera.model import Image

_COLUMNS, _ROWS = 16, 9
_DARK = 12.0
"""Levels below which a channel says nothing about its gain."""
_BURNT = 250.0


@dataclass(frozen=True, slots=True)
class Change:
    """How a picture differs from a reference, as ratios of pixel values; 1.0 = not at all."""

    brightness: float
    red: float
    """Red against green."""
    blue: float
    sharpness: float | None
    """None = one of the two could not be judged."""

    def within(self, brightness: float, colour: float) -> bool:
        """Say whether both are within these parts of the reference, e.g. 0.1 = a tenth more or less."""
        return _near(self.brightness, brightness) and _near(self.red, colour) and _near(self.blue, colour)


def _near(ratio: float, part: float) -> bool:
    return 1.0 / (1.0 + part) <= ratio <= 1.0 + part


def appearance(image: Image, sharpness: int = -1) -> Appearance:
    """Measure a picture.

    Args:
        image: ``(h, w, 3) uint8 BGR`` or ``(h, w, 4) uint8 BGRA``, any size.
        sharpness: its figure (``quality.sharpness``), −1 = unknown.
    """
    cells = cv2.resize(image, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)[..., :3]
    rim = np.concatenate([cells[0], cells[-1], cells[1:-1, 0], cells[1:-1, -1]])
    return Appearance(tuple((int(b), int(g), int(r)) for b, g, r in rim), sharpness)


def compare(before: Appearance, now: Appearance) -> Change:
    """Say what the camera (or the lamp) did between two pictures of one bench.

    Raises:
        InvalidInput: the two were not measured alike.
    """
    if len(before.rim) != len(now.rim) or not before.rim:
        raise InvalidInput(f"reference with {len(before.rim)} cells, expected {len(now.rim)}: take the reference anew")
    was, now_is = np.asarray(before.rim, np.float64), np.asarray(now.rim, np.float64)
    telling = ((was > _DARK) & (was < _BURNT)).all(axis=1)
    if not telling.any():
        return Change(1.0, 1.0, 1.0, None)
    ratio = np.maximum(now_is[telling], 1.0) / was[telling]
    green = float(np.median(ratio[:, 1]))
    red, blue = (float(np.median(ratio[:, channel] / ratio[:, 1])) for channel in (2, 0))
    sharp = now.sharpness / before.sharpness if before.sharpness > 0 and now.sharpness >= 0 else None
    return Change(green, red, blue, sharp)


def hints(change: Change) -> tuple[str, ...]:
    """What has changed since the station was set up, in words; empty = nothing worth a word."""
    found = []
    if not _near(change.brightness, 0.25):
        word = "brighter" if change.brightness > 1 else "darker"
        found.append(f"{word} than at set-up ({_percent(change.brightness)}): check the lamp and the lens")
    if not (_near(change.red, 0.12) and _near(change.blue, 0.12)):
        found.append("colours differ from set-up: check the lamp, lock the white balance anew")
    if change.sharpness is not None and change.sharpness < 0.5:
        found.append("less sharp than at set-up: clean the lens, then set the focus anew")
    return tuple(found)


def _percent(ratio: float) -> str:
    return f"{round(100 * (ratio - 1)):+d} %"

"""Does it move, does something lie there, has it been turned: three questions asked of small grey pictures.

All work on ``small``: luminance averaged down to about 160×90, where each pixel is the mean of a hundred or more, so
sensor noise has all but gone and one pixel of real movement at full size still shows at an edge. The common change of
all pixels is taken off first: a flickering lamp is not movement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from devices.camera.model import Image

SMALL_WIDTH = 160
MOVING_PERMILLE = 3
"""Share of the picture that must change from one frame to the next to be movement."""
CHANGED_PERMILLE = 25
"""Share of the picture that differs clearly once an item was turned or laid down."""
_MOVE_LEVELS = 5.0
"""Smallest change of a small pixel that is looked at, luminance levels."""
_CHANGE_LEVELS = 14.0
_STRUCTURE_LEVELS = 12.0
_STRUCTURE_PERMILLE = 15


def small_picture(grey: Image) -> NDArray[np.float32]:
    """Average a ``(h, w) uint8`` luminance picture down to ``(≈90, 160) float32``."""
    height, width = grey.shape[:2]
    rows = max(1, round(height * SMALL_WIDTH / width))
    return np.asarray(cv2.resize(grey, (SMALL_WIDTH, rows), interpolation=cv2.INTER_AREA), np.float32)


def _difference(before: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.float32]:
    """Absolute change per pixel after a common change of light (gain) has been taken off."""
    gain = (float(np.median(before)) + 1.0) / (float(np.median(now)) + 1.0)
    if not 0.5 < gain < 2.0:
        return np.asarray(np.abs(now - before), np.float32)
    return np.asarray(np.abs(now * np.float32(gain) - before), np.float32)


def moved(before: NDArray[np.float32], now: NDArray[np.float32]) -> int:
    """Permille of the small picture that moved between two frames; 0…2 is noise.

    Args:
        before, now: ``(h, w) float32`` from ``small_picture``, equal shapes.
    """
    change = _difference(before, now)
    # Most of the picture stands still even while something moves, so its typical change is the noise of this sensor.
    noise = float(np.median(change)) * 1.4826
    return _permille(change > max(_MOVE_LEVELS, 5.0 * noise))


def changed(before: NDArray[np.float32], now: NDArray[np.float32]) -> int:
    """Permille of the small picture that shows something else than before, noise and light apart."""
    return _permille(_difference(before, now) > _CHANGE_LEVELS)


def structure(small: NDArray[np.float32]) -> int:
    """Permille of the small picture with edges in it: an empty mat has few, an item has many."""
    across = np.abs(np.diff(small, axis=1))[:-1]
    down = np.abs(np.diff(small, axis=0))[:, :-1]
    light = max(0.2, float(np.percentile(small, 90)) / 160.0)
    return _permille(np.maximum(across, down) > _STRUCTURE_LEVELS * min(1.0, light))


def _permille(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask)) * 1000 // mask.size


@dataclass(slots=True, eq=False)
class _Seen:
    """One scene that the bench came to rest in. Compared by identity: pictures have no single truth value."""

    picture: NDArray[np.float32]
    structure: int
    visits: int


class EmptyBench:
    """What the bench looks like with nothing on it, learned by itself.

    Goods differ, the empty bench comes back, and it shows less than any item: it is the scene with the least structure
    among those that the bench has returned to often (at least a third as often as to the commonest).
    """

    _MOST = 8

    def __init__(self) -> None:
        self._scenes: list[_Seen] = []
        self._last: _Seen | None = None

    def seen_still(self, small: NDArray[np.float32]) -> None:
        """Learn from a good, still picture taken while no shot is waited for."""
        found = next((scene for scene in self._scenes if _same(scene.picture, small)), None)
        if found is None:
            found = _Seen(small, structure(small), 0)
            if len(self._scenes) >= self._MOST:
                self._scenes.remove(min(self._scenes, key=lambda scene: (scene.visits, -scene.structure)))
            self._scenes.append(found)
        found.picture = small
        if found is not self._last:
            found.visits += 1
            self._last = found

    def remember(self, small: NDArray[np.float32]) -> None:
        """Take this picture as the empty bench, whatever is in it."""
        self._last = _Seen(small, structure(small), 1000)
        self._scenes = [self._last]

    def occupied(self, small: NDArray[np.float32]) -> bool:
        """Say whether something lies on the bench.

        Before any scene was learned (a station that starts again in the middle of a unit), structure alone decides.
        """
        if not self._scenes:
            return structure(small) >= _STRUCTURE_PERMILLE
        often = max(scene.visits for scene in self._scenes)
        known = (scene for scene in self._scenes if 3 * scene.visits >= often)
        return not _same(min(known, key=lambda scene: scene.structure).picture, small)

    def known_empty(self, small: NDArray[np.float32]) -> bool:
        """Say whether this is the empty bench, and not merely something that cannot be told from it."""
        return bool(self._scenes) and not self.occupied(small)


def _same(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    return before.shape == now.shape and changed(before, now) < CHANGED_PERMILLE

"""What the camera makes of each frame: preview, figures, movement, and the shot. Lives on the owner thread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np

from devices.camera.encode import encode_jpeg, fit
from devices.camera.model import CameraSettings, FrameSeen, Quality, ShotTaken
from devices.camera.quality import judge, judge_half
from devices.camera.requests import Demand, Press, Requests
from devices.camera.shot import AutoShot, Look, Verdict
from devices.camera.source import Frame
from devices.camera.stillness import (
    CHANGED_PERMILLE,
    MOVING_PERMILLE,
    EmptyBench,
    changed,
    moved,
    small_picture,
)
from station.clock import Clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from devices.camera.model import Image

_EMIT_EVERY_S = 0.030
_JUDGE_EVERY_S = 0.2
_RESTED_S = 0.4
"""A picture that has rested this long may be the empty bench."""
_ANALYSE_EVERY_S = 0.045
_IDLE = Verdict(0.0, "", take=False)
_UNSEEN = Quality(-1, 0, 0, 0, ("no picture yet",))


class Eye:
    """Keeps what outlives a reconnection: the empty bench, the last shot, the shot that is waited for."""

    def __init__(self, settings: CameraSettings, requests: Requests, clock: Clock) -> None:
        self._settings = settings
        self._requests = requests
        self._clock = clock
        self._auto = AutoShot()
        self._empty = EmptyBench()
        self._demand: Demand | None = None
        self._reference: NDArray[np.float32] | None = None
        self._last_shot: NDArray[np.float32] | None = None
        self._before: NDArray[np.float32] | None = None
        self._rest: NDArray[np.float32] | None = None
        self._rest_since = 0.0
        self._quality = _UNSEEN
        self._verdict = _IDLE
        self._judged_at = self._emitted_at = self._analysed_at = float("-inf")

    def reconnected(self) -> None:
        """Forget what only compares neighbouring frames; ask for half a second of stillness anew."""
        self._before = self._rest = None
        self._quality, self._judged_at = _UNSEEN, float("-inf")
        self._demand = None

    def look(self, frame: Frame, *, fresh: bool) -> Iterator[FrameSeen | ShotTaken]:
        """Yield what one frame leads to.

        Args:
            frame: the newest frame.
            fresh: it differs from the one before.
        """
        picture = frame.at_least(*self._requests.preview_box)
        if picture is None:
            return
        preview = self._preview(picture)
        shot = None
        press = self._requests.take_press(frame.at) if fresh else None
        if press is not None or frame.at - self._analysed_at >= _ANALYSE_EVERY_S:
            self._analysed_at = frame.at
            shot = self._analyse(frame, preview, fresh, press)
        if shot is not None or frame.at - self._emitted_at >= _EMIT_EVERY_S:
            self._emitted_at = frame.at
            armed = self._demand.shot if self._demand else None
            yield FrameSeen(preview, self._quality, self._verdict.still, self._verdict.hint, armed, frame.at)
        if shot is not None:
            yield shot

    def _analyse(self, frame: Frame, preview: Image, fresh: bool, press: Press | None) -> ShotTaken | None:
        small = small_picture(np.asarray(cv2.cvtColor(preview, cv2.COLOR_BGRA2GRAY), np.uint8))
        demand = self._current_demand(small)
        moving = self._moving(small, frame.at)
        if frame.at - self._judged_at >= _JUDGE_EVERY_S:
            half = frame.half_luminance()
            if half is not None:
                self._quality, self._judged_at = judge_half(half, self._settings.gate), frame.at
        self._verdict = _IDLE
        if demand is not None:
            self._verdict = self._auto.step(self._facts(frame.at, small, fresh, moving))
        return self._shoot(frame, small, demand, press)

    def _preview(self, image: Image) -> Image:
        """A fresh contiguous BGRA picture, scaled in the cheapest way that does not shimmer."""
        width, height = fit(image, *self._requests.preview_box)
        halved = (image.shape[1], image.shape[0]) == (2 * width, 2 * height)
        kind = cv2.INTER_AREA if halved else cv2.INTER_LINEAR
        scaled = cv2.resize(image, (width, height), interpolation=kind)
        return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2BGRA), np.uint8)

    def _moving(self, small: NDArray[np.float32], at: float) -> bool:
        """Compare with the frame before, and with where the rest began: a slow drift is movement too."""
        before, self._before = self._before, small
        if before is None or before.shape != small.shape:
            self._rest, self._rest_since = small, at
            return True
        moving = moved(before, small) >= MOVING_PERMILLE
        if not moving and self._rest is not None:
            moving = moved(self._rest, small) >= 3 * MOVING_PERMILLE
        if moving:
            self._rest, self._rest_since = small, at
        elif at - self._rest_since >= _RESTED_S and self._demand is None and self._quality.good:
            # A blurred or dark picture, or the item that is about to be photographed, is not the empty bench.
            self._empty.seen_still(small)
        if self._requests.take_learn_empty():
            self._empty.remember(small)
        return moving

    def _current_demand(self, small: NDArray[np.float32]) -> Demand | None:
        demand = self._requests.demand
        if demand is not self._demand:
            self._demand = demand
            if demand is not None:
                self._auto.arm(needs_change=demand.needs_change)
                self._reference = small if self._last_shot is None else self._last_shot
        return demand

    def _facts(self, at: float, small: NDArray[np.float32], fresh: bool, moving: bool) -> Look:
        reference = self._reference
        differs = (
            reference is not None and reference.shape == small.shape and changed(reference, small) >= CHANGED_PERMILLE
        )
        demand = self._demand
        occupied = (demand is not None and demand.item_is_there) or self._empty.occupied(small)
        return Look(at, fresh, moving, occupied, differs, self._quality.reasons)

    def _shoot(
        self, frame: Frame, small: NDArray[np.float32], demand: Demand | None, press: Press | None
    ) -> ShotTaken | None:
        if press is None and (demand is None or not self._verdict.take):
            return None
        # The figures in the record are those of the very frame that is kept.
        image = frame.full()
        if image is None:
            return None
        quality = judge(image, self._settings.gate)
        if press is None and not quality.good:
            return None
        shot = press.shot if press else demand.shot if demand else ""
        if demand is not None and demand.shot == shot:
            self._requests.done(demand)
        self._last_shot = small
        jpeg, width, height = encode_jpeg(image)
        return ShotTaken(
            jpeg=jpeg,
            width=width,
            height=height,
            shot=shot,
            quality=quality,
            taken_at=self._taken_at(frame.at),
            device=self._settings.name,
            automatic=press is None,
        )

    def _taken_at(self, frame_at: float) -> datetime:
        return self._clock.now() - timedelta(seconds=max(0.0, self._clock.monotonic() - frame_at))

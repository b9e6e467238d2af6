"""What the camera makes of each frame: preview, figures, movement, and the shot. Lives on the owner thread."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from devices.camera.appearance import appearance, compare, hints
from devices.camera.controls import Held, Order, carry_out
from devices.camera.encode import encode_jpeg, fit
from devices.camera.exif import Origin
from devices.camera.fingerprint import fingerprint
from devices.camera.frame import Frame
from devices.camera.lock import Judgement, LockKeeper
from devices.camera.model import (
    CameraSettings,
    ControlsJudged,
    ControlVerdict,
    FrameSeen,
    Quality,
    ReferenceTaken,
    ShotTaken,
)
from devices.camera.quality import half_size, judge_half, luminance
from devices.camera.requests import Demand, Press, Requests
from devices.camera.shot import AutoShot, Look, Verdict
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
    from devices.camera.opening import Capture

logger = logging.getLogger(__name__)

_EMIT_EVERY_S = 0.030
_JUDGE_EVERY_S = 0.2
_RESTED_S = 0.4
"""A picture that has rested this long may be the empty bench."""
_ANALYSE_EVERY_S = 0.045
_IDLE = Verdict(0.0, "", take=False)
_UNSEEN = Quality(-1, 0, 0, 0, 0, ("no picture yet",))
_BEING_SET = "the camera is being set"
Seen: TypeAlias = FrameSeen | ShotTaken | ControlsJudged | ReferenceTaken


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
        self._keeper = LockKeeper() if settings.lock else None
        self._order: Order | None = None
        self._obeyed: queue.SimpleQueue[Held] = queue.SimpleQueue()
        self._control_note: tuple[str, ...] = ()
        self._drift_notes: tuple[str, ...] = ()

    def reconnected(self, at: float, *, controllable: bool) -> None:
        """Forget what only compares neighbouring frames; ask for half a second of stillness anew.

        Args:
            at: monotonic seconds.
            controllable: exposure, focus and white balance of this source can be set.
        """
        self._before = self._rest = None
        self._quality, self._judged_at = _UNSEEN, float("-inf")
        self._demand = None
        if self._keeper is not None:
            while not self._obeyed.empty():
                self._obeyed.get()
            self._order = self._keeper.opened(at, controllable=controllable)

    def take_order(self, backend: str) -> Callable[[Capture], None] | None:
        """What the reader's thread shall do to the camera now; each order is given once."""
        order, self._order = self._order, None
        if order is None:
            return None

        def obey(capture: Capture) -> None:
            self._obeyed.put(carry_out(capture, backend, order))

        return obey

    def look(self, frame: Frame, *, fresh: bool, notes: tuple[str, ...] = ()) -> Iterator[Seen]:
        """Yield what one frame leads to.

        Args:
            frame: the newest frame.
            fresh: it differs from the one before.
            notes: what the reader has to say of the camera.
        """
        picture = frame.at_least(*self._requests.preview_box)
        if picture is None:
            return
        preview = self._preview(picture)
        shot = None
        press = self._requests.take_press(frame.at) if fresh and not self._being_set else None
        if press is not None or frame.at - self._analysed_at >= _ANALYSE_EVERY_S:
            self._analysed_at = frame.at
            judged_at = self._judged_at
            shot = self._analyse(frame, preview, fresh, press)
            if self._judged_at != judged_at:
                yield from self._follow_appearance(frame.at, preview)
        if shot is not None or frame.at - self._emitted_at >= _EMIT_EVERY_S:
            self._emitted_at = frame.at
            armed = self._demand.shot if self._demand else None
            said = (*notes, *self._control_note, *self._drift_notes)
            yield FrameSeen(preview, self._quality, self._verdict.still, self._verdict.hint, armed, frame.at, said)
        if shot is not None:
            yield shot

    @property
    def _being_set(self) -> bool:
        return self._keeper is not None and self._keeper.busy

    def _follow_appearance(self, at: float, preview: Image) -> Iterator[ControlsJudged | ReferenceTaken]:
        """Compare what exposure, focus and white balance make of the bench with what they made of it before."""
        small = self._before
        wanted, locking = self._requests.take_reference(), self._requests.take_lock_now()
        keeper, reference = self._keeper, self._settings.reference
        if small is None or not (wanted or keeper is not None or reference is not None):
            return
        # Sharpness of two pictures compares only where both show the same: the bench with nothing on it.
        empty = wanted or self._empty.known_empty(small)
        now = appearance(preview, self._quality.sharpness if empty else -1)
        moving = at - self._rest_since < _JUDGE_EVERY_S
        if wanted:
            yield ReferenceTaken(self._settings.name, now)
        if reference is not None and not moving:
            self._drift_notes = hints(compare(reference, now))
        if keeper is None:
            return
        while not self._obeyed.empty():
            keeper.done(at, self._obeyed.get())
        if locking:
            self._order = keeper.lock_now(at)
            return
        order, judgement = keeper.step(at, now, moving=moving, wanted=self._demand is not None)
        self._order = order or self._order
        if judgement is not None:
            yield self._judged(judgement)

    def _judged(self, judgement: Judgement) -> ControlsJudged:
        fine = judgement.verdict in (ControlVerdict.LOCKED, ControlVerdict.LOCKED_AGAIN)
        self._control_note = () if fine else (judgement.detail,)
        level = logging.INFO if fine else logging.WARNING
        logger.log(level, "%s: %s", self._settings.name, judgement.detail)
        return ControlsJudged(self._settings.name, judgement.verdict, judgement.detail)

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
        reasons = (_BEING_SET,) if self._being_set else self._quality.reasons
        return Look(at, fresh, moving, occupied, differs, reasons)

    def _shoot(
        self, frame: Frame, small: NDArray[np.float32], demand: Demand | None, press: Press | None
    ) -> ShotTaken | None:
        if press is None and (demand is None or not self._verdict.take):
            return None
        # The figures in the record are those of the very frame that is kept.
        image = frame.full()
        if image is None:
            return None
        half = half_size(luminance(image))
        quality = judge_half(half, self._settings.gate)
        if press is None and not quality.good:
            return None
        shot = press.shot if press else demand.shot if demand else ""
        if demand is not None and demand.shot == shot:
            self._requests.done(demand)
        self._last_shot = small
        taken_at = self._taken_at(frame.at)
        jpeg, width, height = encode_jpeg(image, origin=Origin(self._settings.name, taken_at))
        return ShotTaken(
            jpeg=jpeg,
            width=width,
            height=height,
            shot=shot,
            quality=quality,
            taken_at=taken_at,
            device=self._settings.name,
            automatic=press is None,
            fingerprint=fingerprint(half),
        )

    def _taken_at(self, frame_at: float) -> datetime:
        """The wall clock's time of a frame, by the clock as it is now: it may have been set since the frame came."""
        return self._clock.now() - timedelta(seconds=max(0.0, self._clock.monotonic() - frame_at))

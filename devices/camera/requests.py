"""What other threads ask of a camera: one small box behind a lock, read by the owner once a frame."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from devices.camera.model import EXTRA_SHOT

PRESS_LASTS_S = 2.0
"""A press of PHOTO is answered by a frame that comes within this time, or not at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """A shot that is waited for; each ``arm`` with new words is a new one."""

    shot: str
    needs_change: bool
    item_is_there: bool = False
    """The scale feels it: whether the picture looks empty is no question."""


@dataclass(frozen=True, slots=True)
class Press:
    """PHOTO was pressed."""

    shot: str
    at: float
    """Monotonic seconds."""


class Requests:
    """Every method may be called from any thread."""

    def __init__(self, preview_box: tuple[int, int]) -> None:
        self._lock = threading.Lock()
        self._demand: Demand | None = None
        self._press: Press | None = None
        self._learn_empty = False
        self._lock_now = False
        self._take_reference = False
        self._preview_box = preview_box

    def arm(self, shot: str, needs_change: bool, item_is_there: bool = False) -> None:
        with self._lock:
            held = self._demand
            if held is None or (held.shot, held.needs_change) != (shot, needs_change):
                self._demand = Demand(shot, needs_change, item_is_there)

    def disarm(self) -> None:
        with self._lock:
            self._demand = None

    def done(self, demand: Demand) -> None:
        """The shot was taken; a newer demand stays."""
        with self._lock:
            if self._demand is demand:
                self._demand = None

    def press(self, shot: str | None, at: float) -> None:
        with self._lock:
            self._press = Press(shot or (self._demand.shot if self._demand else EXTRA_SHOT), at)

    def learn_empty(self) -> None:
        with self._lock:
            self._learn_empty = True

    def lock_controls(self) -> None:
        with self._lock:
            self._lock_now = True

    def reference(self) -> None:
        with self._lock:
            self._take_reference = True

    def preview(self, width: int, height: int) -> None:
        with self._lock:
            self._preview_box = (max(16, width), max(16, height))

    @property
    def demand(self) -> Demand | None:
        with self._lock:
            return self._demand

    @property
    def preview_box(self) -> tuple[int, int]:
        with self._lock:
            return self._preview_box

    def take_press(self, frame_at: float) -> Press | None:
        """The press that a frame of this time answers; a press that is too old is forgotten."""
        with self._lock:
            press = self._press
            if press is None or frame_at < press.at:
                return None
            self._press = None
            return press if frame_at - press.at <= PRESS_LASTS_S else None

    def take_learn_empty(self) -> bool:
        with self._lock:
            wanted, self._learn_empty = self._learn_empty, False
            return wanted

    def take_lock_now(self) -> bool:
        with self._lock:
            wanted, self._lock_now = self._lock_now, False
            return wanted

    def take_reference(self) -> bool:
        with self._lock:
            wanted, self._take_reference = self._take_reference, False
            return wanted

"""When the shot is taken: a small state machine over facts of each frame. Knows no pictures and no camera."""

from __future__ import annotations

from dataclasses import dataclass

HOLD_S = 0.5
"""How long the item must lie still and sharp."""
_MIN_FRAMES = 4


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame says."""

    at: float
    """Monotonic seconds."""
    fresh: bool
    """It differs from the frame before: a frozen picture proves nothing."""
    moving: bool
    occupied: bool
    changed: bool
    """It differs clearly from the last shot (or from the picture when the shot was asked for)."""
    reasons: tuple[str, ...]
    """Why the picture is not good enough."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the ring is closed, and what keeps it open."""

    still: float
    hint: str
    take: bool


class AutoShot:
    """Closes the ring while all is well, opens it at the first frame that is not."""

    def __init__(self, hold_s: float = HOLD_S) -> None:
        self._hold_s = hold_s
        self._needs_change = False
        self._since: float | None = None
        self._frames = 0

    def arm(self, *, needs_change: bool) -> None:
        self._needs_change = needs_change
        self._restart()

    def _restart(self) -> None:
        self._since, self._frames = None, 0

    def step(self, look: Look) -> Verdict:
        """Say what one more frame leads to."""
        hint = self._hint(look)
        if hint:
            self._restart()
            return Verdict(0.0, hint, take=False)
        if not look.fresh:
            return Verdict(self._progress(look.at), "", take=False)
        if self._since is None:
            self._since = look.at
        self._frames += 1
        done = self._frames >= _MIN_FRAMES and look.at - self._since >= self._hold_s
        if done:
            self._restart()
        return Verdict(1.0 if done else self._progress(look.at), "", take=done)

    def _hint(self, look: Look) -> str:
        if not look.occupied:
            return "lay the item down"
        if look.moving:
            return "hold still"
        if self._needs_change and not look.changed:
            return "turn the item"
        return look.reasons[0] if look.reasons else ""

    def _progress(self, at: float) -> float:
        if self._since is None or self._frames == 0:
            return 0.0
        # A picture that stopped changing must not close the ring, however long one waits.
        return min(0.95, (at - self._since) / self._hold_s, self._frames / _MIN_FRAMES)

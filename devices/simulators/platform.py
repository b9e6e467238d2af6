"""The mechanics of a simulated bench scale: what lies on the pan, and what the display shows while it comes to rest."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

STEP_MG = 1_000
CAPACITY_MG = 15_000_000
_SETTLE_S = 0.6
_SWING_HZ = 4.0


@dataclass(frozen=True, slots=True)
class _Display:
    gross_mg: int
    moving: bool
    overloaded: bool
    underloaded: bool


class Platform:
    """A pan, d = 1 g, max 15 kg. Its electronics may hang: then the display goes on showing what it showed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._from_mg = self._to_mg = 0
        self._moved_at = -math.inf
        self._swing = 0.0
        self._zero_mg = 0
        self._shaken_until = -math.inf
        self._stuck: _Display | None = None
        self.tare_mg = 0

    def load(self, gross_mg: int, now: float) -> None:
        self._from_mg, self._to_mg, self._moved_at = self._to_mg, gross_mg, now
        self._swing = self._random.uniform(0.03, 0.08) * abs(self._to_mg - self._from_mg)

    def shake(self, until: float) -> None:
        """Someone leans on the table: the indication does not come to rest."""
        self._shaken_until = until

    def hang(self, now: float) -> None:
        """Show from now on what is shown now, and call it settled."""
        self._stuck = _Display(self.gross_mg(now), False, self.overloaded, self.underloaded)

    def recover(self) -> None:
        self._stuck = None

    def moving(self, now: float) -> bool:
        if self._stuck:
            return self._stuck.moving
        return now - self._moved_at < _SETTLE_S or now < self._shaken_until

    @property
    def overloaded(self) -> bool:
        return self._stuck.overloaded if self._stuck else self._to_mg > CAPACITY_MG + 9 * STEP_MG

    @property
    def underloaded(self) -> bool:
        return self._stuck.underloaded if self._stuck else self._to_mg < -20 * STEP_MG

    def gross_mg(self, now: float) -> int:
        """Displayed gross mass in steps of d."""
        if self._stuck:
            return self._stuck.gross_mg
        passed = now - self._moved_at
        exact = float(self._to_mg - self._zero_mg)
        if passed < _SETTLE_S:
            fade = math.exp(-6.0 * passed / _SETTLE_S)
            exact -= (self._to_mg - self._from_mg) * fade * fade
            exact += self._swing * fade * math.sin(2 * math.pi * _SWING_HZ * passed) + self._random.uniform(-1, 1)
        if now < self._shaken_until:
            exact += self._random.uniform(-30, 30) * STEP_MG
        return round(exact / STEP_MG) * STEP_MG

    def zero(self, now: float) -> bool:
        if self.moving(now) or abs(self._to_mg) > CAPACITY_MG // 50:
            return False
        self._zero_mg = self._to_mg
        self.tare_mg = 0
        return True

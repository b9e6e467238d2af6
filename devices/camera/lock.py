"""Exposure, focus and white balance stay where they are: a state machine that believes pictures only.

After opening, the camera may adjust itself until the picture has settled; then it is frozen, and put to the test: with
half the exposure the picture must get darker, and bright again afterwards. A camera that does not react ignores its
controls, whatever ``get`` says. From then on the rim of the picture (``appearance.py``) must stay as it was; if all of
it changes and stays changed, the camera has drifted (or the lamp has), and is locked anew. After a reconnection the
same values are set again and the picture is compared with the one before.

Knows no camera: it answers with an ``Order`` and is told what came of it. A source without controls (a stream, a clip)
gets no orders; it is only watched.
Source: DEVICES.md §4.4.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from devices.camera.appearance import Change, compare
from devices.camera.controls import NOTHING_HELD, Act, Held, Order
from devices.camera.model import Appearance, ControlVerdict

_SETTLE_S = 1.0
"""Shortest time that a camera gets to adjust itself."""
_SETTLE_AT_MOST_S = 5.0
_SETTLED_SPAN_S = 0.6
_SETTLED_PART = 0.02
_REACT_S = 0.4
"""From an order to the picture that shows it: queue, exposure, transfer."""
_SAME_PART = 0.08
"""Brightness within which a picture is as bright as before."""
_REACTED_PART = 0.10
"""Half the light is 27 % less in pixel values (gamma 2.2); so much at least must be seen."""
_GAMMA = 2.2
_CORRECTIONS = 4
_DRIFT_PART = 0.15
_DRIFT_COLOUR = 0.10
_DRIFT_S = 3.0
_RELOCK_S = 30.0
"""Not locked anew more often than this."""
_SOFT = 0.4
"""Share of the sharpness below which the focus has moved."""

LOCKED = "exposure, focus and white balance are locked"
AGAIN = "drifted: locked again"
IGNORED = "the camera ignores it: photos may differ in brightness; use a camera whose exposure can be set"
CHANGED = "the light or the camera's exposure has changed"


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: ControlVerdict
    detail: str


class _State(Enum):
    IDLE = auto()
    SETTLING = auto()
    FREEZING = auto()
    MATCHING = auto()
    DIMMED = auto()
    RESTORED = auto()
    RECALLED = auto()
    WATCHING = auto()


class LockKeeper:
    """Used by the owner's thread, about five times a second."""

    def __init__(self) -> None:
        self._state = _State.IDLE
        self._controllable = False
        self._since = 0.0
        self._waiting = False
        self._held: Held | None = None
        self._wanted = NOTHING_HELD
        self._reference: Appearance | None = None
        self._before_dimming: Appearance | None = None
        self._recent: deque[tuple[float, Appearance]] = deque(maxlen=16)
        self._corrections = 0
        self._again = False
        self._drift_since: float | None = None
        self._locked_at = float("-inf")
        self._ignored = False

    @property
    def busy(self) -> bool:
        """The picture is being changed on purpose: no photograph now."""
        return self._state in (_State.FREEZING, _State.MATCHING, _State.DIMMED, _State.RESTORED, _State.RECALLED)

    def opened(self, at: float, *, controllable: bool) -> Order | None:
        """The source has just delivered its first picture.

        Args:
            at: monotonic seconds.
            controllable: orders can be carried out.
        """
        self._controllable = controllable
        self._drift_since = None
        if controllable and self._held is not None and self._reference is not None:
            self._corrections = 0
            return self._order(at, _State.RECALLED, Order(Act.HOLD, self._held))
        return self.lock_now(at)

    def lock_now(self, at: float) -> Order | None:
        """Let the camera settle, then freeze it, whatever it was."""
        self._recent.clear()
        self._corrections = 0
        self._ignored = False
        if not self._controllable:
            self._state, self._since, self._waiting = _State.SETTLING, at, False
            return None
        return self._order(at, _State.SETTLING, Order(Act.LET_GO))

    def done(self, at: float, held: Held) -> None:
        """An order was carried out; ``held`` is what the camera took."""
        self._waiting, self._since = False, at
        if self._state is _State.FREEZING:
            self._held = self._wanted = held
            self._state = _State.MATCHING
        elif self._state is _State.MATCHING:
            self._held = self._wanted = held

    def step(self, at: float, now: Appearance, *, moving: bool, wanted: bool) -> tuple[Order | None, Judgement | None]:
        """Look at one more picture.

        Args:
            at: monotonic seconds.
            now: how the picture looks.
            moving: something moves in it, so it proves nothing.
            wanted: a shot is waited for: no test now.
        """
        if self._waiting or moving or self._state is _State.IDLE:
            return None, None
        if self._state is _State.WATCHING:
            return self._watch(at, now)
        if self._state is _State.SETTLING:
            return self._settle(at, now, wanted), None
        if at - self._since < _REACT_S:
            return None, None
        return self._test(at, now)

    def _order(self, at: float, state: _State, order: Order) -> Order:
        self._state, self._since, self._waiting = state, at, True
        return order

    def _settle(self, at: float, now: Appearance, wanted: bool) -> Order | None:
        self._recent.append((at, now))
        if at - self._since < _SETTLE_S or (wanted and self._controllable):
            return None
        span = [look for when, look in self._recent if at - when <= _SETTLED_SPAN_S]
        settled = len(span) >= 3 and all(compare(look, now).within(_SETTLED_PART, _SETTLED_PART) for look in span)
        if not settled and at - self._since < _SETTLE_AT_MOST_S:
            return None
        self._reference = now
        if not self._controllable:
            self._begin_to_watch(at)
            return None
        return self._order(at, _State.FREEZING, Order(Act.FREEZE))

    def _test(self, at: float, now: Appearance) -> tuple[Order | None, Judgement | None]:
        reference = self._reference or now
        change = compare(reference, now)
        same = change.within(_SAME_PART, _SAME_PART)
        held = self._held or NOTHING_HELD
        match self._state:
            case _State.MATCHING if held.exposure is not None and not _bright(change) and self._may_correct():
                # What the camera said of its exposure was not what it did; the picture says by how much.
                return self._order(at, _State.MATCHING, Order(Act.EXPOSE, held, change.brightness**-_GAMMA)), None
            case _State.MATCHING if held.exposure is None:
                return None, self._give_up(at, now)
            case _State.MATCHING:
                self._before_dimming = now
                return self._order(at, _State.DIMMED, Order(Act.EXPOSE, held, 0.5)), None
            case _State.DIMMED:
                seen = compare(self._before_dimming or now, now).brightness
                self._ignored = seen > 1.0 - _REACTED_PART
                return self._order(at, _State.RESTORED, Order(Act.HOLD, self._wanted)), None
            case _State.RESTORED:
                back = compare(self._before_dimming or now, now)
                if self._ignored or not _bright(back):
                    return None, self._give_up(at, now)
                return None, self._locked(at, now)
            case _ if same:
                return None, self._locked(at, reference)
            case _:
                # Another light than before the cable was pulled, or firmware that forgot: find out anew.
                self._again = True
                return self.lock_now(at), None

    def _may_correct(self) -> bool:
        self._corrections += 1
        return self._corrections <= _CORRECTIONS

    def _locked(self, at: float, reference: Appearance) -> Judgement:
        again, self._again = self._again, False
        self._reference = reference
        self._begin_to_watch(at)
        return Judgement(ControlVerdict.LOCKED_AGAIN, AGAIN) if again else Judgement(ControlVerdict.LOCKED, LOCKED)

    def _give_up(self, at: float, now: Appearance) -> Judgement:
        self._ignored, self._held, self._again = True, None, False
        self._reference = now
        self._begin_to_watch(at)
        return Judgement(ControlVerdict.IGNORED, IGNORED)

    def _begin_to_watch(self, at: float) -> None:
        self._state, self._locked_at, self._drift_since = _State.WATCHING, at, None

    def _watch(self, at: float, now: Appearance) -> tuple[Order | None, Judgement | None]:
        if self._reference is None or not _drifted(compare(self._reference, now)):
            self._drift_since = None
            return None, None
        if self._drift_since is None:
            self._drift_since = at
        if at - self._drift_since < _DRIFT_S:
            return None, None
        if self._controllable and not self._ignored:
            if at - self._locked_at < _RELOCK_S:
                return None, None
            self._again = True
            return self.lock_now(at), None
        change = compare(self._reference, now)
        self._reference, self._drift_since = now, None
        words = f"{CHANGED} ({round(100 * (change.brightness - 1)):+d} % brightness): earlier photos do not compare"
        return None, Judgement(ControlVerdict.DRIFTED, words)


def _bright(change: Change) -> bool:
    return change.within(_SAME_PART, float("inf"))


def _drifted(change: Change) -> bool:
    soft = change.sharpness is not None and change.sharpness < _SOFT
    return soft or not change.within(_DRIFT_PART, _DRIFT_COLOUR)

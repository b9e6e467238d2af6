"""Which keys are a scanner's and which a person's: a state machine over key times. Plain Python, no Qt.

Context: a scanner that types like a keyboard is the same device to the system as the keyboard. What tells them apart is
time, order and the key it ends with (DEVICES §2.4: recorded scanners 5–60 ms a key, one 47 ms gap among 20 ms ones;
people 80–250 ms and irregular, and a person's key stays down while others go by).

Decision: a key that may begin a code is held back for at most ``HOLD_MS``, then given back to whom it was meant for;
the code is followed all the same, so that a slow scanner's code is still recognised by its evenness. Keys that no code
begins with (F-keys, Esc, Ctrl and a letter) are never held: every shortcut of the bench is one of those. Where a text
field has the focus nothing is held or taken. With a prefix key configured, speed says nothing at all any more.
Price: text that a person types outside any field, evenly and ended with Enter, counts as a scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from statistics import fmean, pstdev

HOLD_MS = 60
"""The longest that a single key is held."""
GAP_MS = 150
"""A longer pause ends what could be a code."""
PREFIX_GAP_MS = 500
"""The same behind a prefix key, which leaves no doubt."""
FAST_MS = 60
"""Mean time a key that no person types at."""
EVEN = 0.2
"""Slower keys must be this even (standard deviation over mean)."""
MIN_KEYS = 4
MIN_SLOW_KEYS = 6
MAX_KEYS = 4096
_SECOND_HALF_MS = 1000
"""After a scan that broke off, whatever a scanner types within this time is the rest of it, and no code."""
_AFTER_END_MS = 150
"""The second half of CR LF, which arrives as another Enter, Ctrl+J or Down."""


class Kind(Enum):
    """What a key is to a code."""

    CHARACTER = auto()
    CONTROL = auto()
    """A control character of the code: GS as Ctrl+], as F8 or as Alt+029."""
    TERMINATOR = auto()
    """Enter or Tab."""
    LINE_FEED = auto()
    """Ctrl+J or Down: what may follow a terminator."""
    MODIFIER = auto()
    """Shift, Ctrl, Alt by themselves."""
    CAPS_LOCK = auto()
    LOST = auto()
    """A dead key, or a number key with NumLock off: a character that does not arrive."""
    PREFIX = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Key:
    """One press."""

    at_ms: int
    kind: Kind
    text: str = ""
    """The character; GS for a GS however it arrives."""
    code: int = 0
    """Which key it is, to match its release."""
    shift: bool = False
    repeat: bool = False
    """The keyboard's own repetition: a person's finger."""


class Do(Enum):
    """What happens to the press."""

    PASS = auto()
    HOLD = auto()
    TAKE = auto()
    """It never reaches anybody."""


class Held(Enum):
    """What happens to the keys held before it, first."""

    KEEP = auto()
    GIVE_BACK = auto()
    DROP = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    do: Do
    held: Held = Held.KEEP
    scan: str | None = None
    """A whole code."""
    refused: str | None = None
    """Why what was typed is no code although a scanner typed it."""
    typed: str = ""
    """What was refused."""


_MIXED = "a key was pressed during the scan; scan again"
_PASS = Verdict(Do.PASS)
_HOLD = Verdict(Do.HOLD)
_TAKE = Verdict(Do.TAKE)


class WedgeTiming:
    """Feed it every press and release with the system's times, and call ``expire`` when ``deadline_ms`` is reached."""

    def __init__(self, *, prefix: bool = False) -> None:
        """
        Args:
            prefix: codes begin with a key of kind ``PREFIX``, and nothing else does.
        """
        self._prefix = prefix
        self._keys: list[Key] = []
        self._end_ms = 0
        self._prefixed = False
        """A prefix has come; what follows is a code."""
        self._holding = False
        self._in_field = False
        """These keys go to a text field."""
        self._down: list[int] = []
        """Keys that are down, in the order in which they went down."""
        self._overlapped = False
        """A key went down while another was: some scanners do that all the time."""
        self._fault = ""
        self._broken_at: int | None = None
        """Last key of a scan that broke off."""
        self._closed_at: int | None = None
        self._caps_at: int | None = None

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due, in the time of the keys; None = nothing is open."""
        if not self._is_open:
            return None
        if self._prefixed:
            return self._last_ms + (PREFIX_GAP_MS if self._keys else GAP_MS)
        if self._holding and len(self._keys) < 3:
            return self._last_ms + HOLD_MS
        return self._last_ms + GAP_MS

    @property
    def is_following(self) -> bool:
        """A code may be on its way, and not into a text field."""
        return self._is_open and not self._in_field

    def wants(self, key: Key, *, in_field: bool = False) -> bool:
        """A press that is held or taken if it comes now, told before it does. Changes nothing."""
        if key.repeat or key.kind in (Kind.OTHER, Kind.MODIFIER, Kind.CAPS_LOCK):
            return False
        if self._closed_at is not None and key.kind in (Kind.TERMINATOR, Kind.LINE_FEED):
            return 0 <= key.at_ms - self._closed_at <= _AFTER_END_MS
        if self.is_following and 0 <= key.at_ms - self._last_ms <= (PREFIX_GAP_MS if self._prefixed else GAP_MS):
            return True
        return not in_field and key.kind is (Kind.PREFIX if self._prefix else Kind.CHARACTER)

    def press(self, key: Key, *, in_field: bool = False) -> Verdict:
        """A key goes down.

        Args:
            in_field: a text field has the focus.
        """
        if key.kind is Kind.CAPS_LOCK:
            self._caps_at = key.at_ms
        if key.kind in (Kind.CAPS_LOCK, Kind.MODIFIER):
            return _TAKE if self._prefixed or (len(self._keys) > 1 and not self._in_field) else _PASS
        before = self._expired(key.at_ms)
        verdict = self._press(key, in_field)
        if before is None:
            return verdict
        # what had run out is settled first; it never has a code of its own
        return Verdict(verdict.do, before.held, verdict.scan, verdict.refused or before.refused, before.typed)

    def release(self, code: int) -> None:
        """A key goes up."""
        if code not in self._down:
            return
        if self._down[0] != code:
            # A scanner lifts its keys in the order in which it pressed them; a finger stays down across others.
            self._fault = self._fault or _MIXED
        self._down.remove(code)

    def expire(self, now_ms: int) -> Verdict:
        """Time has passed; ``do`` means nothing here."""
        held_alone = self._is_open and self._holding and not self._prefixed and len(self._keys) < 3
        if held_alone and now_ms < self._last_ms + GAP_MS:
            if now_ms - self._last_ms < HOLD_MS:
                return _PASS
            self._holding = False  # to whom it was meant for; the code is followed on
            return Verdict(Do.PASS, Held.GIVE_BACK)
        return self._expired(now_ms) or _PASS

    def abandon(self) -> Verdict:
        """The keyboard goes to another window."""
        if not self._is_open:
            return _PASS
        return self._give_up("the keyboard went to another window in the middle of a scan; scan again")

    # --- inside ---------------------------------------------------------------------------------------------------

    @property
    def _is_open(self) -> bool:
        return bool(self._keys) or self._prefixed

    @property
    def _last_ms(self) -> int:
        return self._keys[-1].at_ms if self._keys else self._end_ms

    def _expired(self, now_ms: int) -> Verdict | None:
        limit = PREFIX_GAP_MS if self._prefixed and self._keys else GAP_MS
        if not self._is_open or 0 <= now_ms - self._last_ms <= limit:
            return None
        return self._give_up("a scan without its end: set the scanner to send Enter or Tab after each code")

    def _give_up(self, reason: str) -> Verdict:
        """It did not end as a code does: a scanner's keys are refused aloud, a person's given back."""
        is_code = bool(self._keys) and not self._in_field and (self._prefixed or self._is_fast())
        typed = self._text()
        if not self._in_field and len(self._keys) > 1 and fmean(self._gaps()) <= FAST_MS:
            self._broken_at = self._last_ms
        self._clear()
        if is_code:
            return Verdict(Do.PASS, Held.DROP, refused=reason, typed=typed)
        return Verdict(Do.PASS, Held.GIVE_BACK)

    def _press(self, key: Key, in_field: bool) -> Verdict:
        if key.repeat:
            return self._break(Do.PASS)
        if self._closed_at is not None:
            closed, self._closed_at = self._closed_at, None
            if key.kind in (Kind.TERMINATOR, Kind.LINE_FEED) and 0 <= key.at_ms - closed <= _AFTER_END_MS:
                self._closed_at = closed
                return _TAKE
        if not self._is_open:
            return self._first(key, in_field)
        if self._in_field:
            return self._into_field(key, in_field)
        return self._next(key)

    def _first(self, key: Key, in_field: bool) -> Verdict:
        if in_field:
            if key.kind is Kind.CHARACTER:
                self._in_field = True
                self._add(key)
            return _PASS
        if self._prefix:
            if key.kind is not Kind.PREFIX:
                return _PASS
            self._prefixed, self._end_ms, self._holding = True, key.at_ms, True
            return _HOLD
        if key.kind is not Kind.CHARACTER:
            return _PASS
        if self._broken_at is not None and 0 <= key.at_ms - self._broken_at <= _SECOND_HALF_MS:
            self._fault = "the second half of a scan that broke off; scan again"
        self._broken_at = None
        self._holding = True
        self._add(key)
        return _HOLD

    def _into_field(self, key: Key, in_field: bool) -> Verdict:
        if in_field:
            if key.kind is Kind.CHARACTER:
                self._add(key)
            else:
                self._clear()
            return _PASS
        # The focus has left the field. A scanner's remaining keys must not press what has it now.
        if not self._is_fast():
            self._clear()
            return self._first(key, in_field)
        self._in_field = False
        self._fault = "the focus moved in the middle of a scan; scan again"
        return self._next(key)

    def _next(self, key: Key) -> Verdict:
        match key.kind:
            case Kind.CHARACTER | Kind.CONTROL:
                if self._prefixed and self._holding and not self._keys:
                    self._holding = False
                    self._add(key)
                    return Verdict(Do.TAKE, Held.DROP)
                self._add(key)
                if self._prefixed:
                    return _TAKE
                self._holding = True
                return _HOLD
            case Kind.TERMINATOR:
                return self._end(key)
            case Kind.LOST if self._prefixed or len(self._keys) >= 2:
                self._fault = self._fault or (
                    "a character got lost on the way: the scanner's keyboard country is not this computer's, "
                    "or NumLock is off; scan the layout test label"
                )
                self._add(key)
                return _TAKE if self._prefixed else _HOLD
            case Kind.PREFIX if self._prefixed:
                typed = self._text()
                refused = "a scan without its end; scan again" if self._keys else None
                self._clear()
                self._prefixed, self._end_ms, self._holding = True, key.at_ms, True
                return Verdict(Do.HOLD, Held.DROP, refused=refused, typed=typed)
            case _ if self._prefixed and self._keys:
                self._fault = self._fault or "another key came in the middle of a scan; scan again"
                return _TAKE
            case _:
                return self._break(Do.PASS)

    def _break(self, do: Do) -> Verdict:
        if not self._is_open:
            return Verdict(do)
        given = self._give_up("another key came in the middle of a scan; scan again")
        return Verdict(do, given.held, refused=given.refused, typed=given.typed)

    def _end(self, key: Key) -> Verdict:
        if not self._keys or not (self._prefixed or self._is_code(key)):
            self._clear()
            return Verdict(Do.PASS, Held.GIVE_BACK)
        if self._down and not self._overlapped:
            self._fault = self._fault or _MIXED  # pressed just before the end, and not a scanner's manner
        typed, fault = self._text(), self._fault
        self._clear()
        self._closed_at = key.at_ms
        if fault:
            return Verdict(Do.TAKE, Held.DROP, refused=fault, typed=typed)
        return Verdict(Do.TAKE, Held.DROP, scan=typed)

    def _add(self, key: Key) -> None:
        if len(self._keys) >= MAX_KEYS:
            self._fault = f"more than {MAX_KEYS} characters without an end"
            self._keys.pop()
        self._overlapped = self._overlapped or bool(self._down)
        if key.code not in self._down:
            self._down.append(key.code)
        self._keys.append(key)

    def _gaps(self, end: Key | None = None) -> list[int]:
        keys = [*self._keys, end] if end is not None else self._keys
        return [after.at_ms - before.at_ms for before, after in pairwise(keys)]

    def _is_fast(self) -> bool:
        return len(self._keys) >= MIN_KEYS and fmean(self._gaps()) <= FAST_MS

    def _is_code(self, end: Key) -> bool:
        gaps = self._gaps(end)
        if len(self._keys) < MIN_KEYS:
            return False
        mean = fmean(gaps)
        return mean <= FAST_MS or (len(self._keys) >= MIN_SLOW_KEYS and pstdev(gaps) <= EVEN * mean)

    def _text(self) -> str:
        """The characters, with Caps Lock undone where the keyboard's state and not the scanner has turned them."""
        keys = [key for key in self._keys if key.kind in (Kind.CHARACTER, Kind.CONTROL)]
        letters = [key for key in keys if key.text.isascii() and key.text.isalpha()]
        locked = bool(letters) and all(key.text.isupper() != key.shift for key in letters)
        own = self._caps_at is not None and bool(keys) and self._caps_at >= keys[0].at_ms - GAP_MS
        if locked and not own:
            return "".join(key.text.swapcase() if key in letters else key.text for key in keys)
        return "".join(key.text for key in keys)

    def _clear(self) -> None:
        self._keys = []
        self._prefixed = self._holding = self._in_field = False
        self._down.clear()
        self._overlapped = False
        self._fault = ""

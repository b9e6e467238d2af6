"""Wrong tries: five are free, then each costs a wait that doubles from 30 s to 15 min.

The wait is counted on the monotonic clock, which nobody can set. It is kept as *seconds still owed at a monotonic
time of this boot*; after a reboot that time means nothing any more, so the wait begins again from its start. The wall
clock is never asked: putting it forward does not shorten a wait, putting it back does not lengthen one.
Source: SYNC.md §5.3; OWASP ASVS 5.0, 6.3.1.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

FREE_TRIES: Final = 5
FIRST_WAIT_S: Final = 30.0
LONGEST_WAIT_S: Final = 900.0
_PROCESS: Final = secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on both clocks."""

    utc: datetime
    """For the record and for how old the roster is."""
    monotonic_s: float
    """For waits."""
    boot: str
    """Within what ``monotonic_s`` can be compared (:func:`boot_id`)."""


@dataclass(frozen=True, slots=True)
class LockState:
    """What is kept of one person's wrong tries."""

    failures: int = 0
    owed_s: float = 0.0
    """Wait still owed at ``since_s``."""
    since_s: float = 0.0
    boot: str = ""


class Lockouts(Protocol):
    """Where they are kept; ``keep`` is durable on return."""

    def state(self, person_id: str) -> LockState: ...

    def keep(self, person_id: str, state: LockState) -> None: ...


class MemoryLockouts:
    """For tests and for a bench without people: forgets when the program ends."""

    def __init__(self) -> None:
        self._states: dict[str, LockState] = {}

    def state(self, person_id: str) -> LockState:
        return self._states.get(person_id, LockState())

    def keep(self, person_id: str, state: LockState) -> None:
        self._states[person_id] = state


def boot_id() -> str:
    """Names this start of the machine; where the system cannot say (Windows), this start of the program."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _PROCESS


def wait_after(failures: int) -> float:
    """Seconds that a number of wrong tries in a row costs.

    >>> [wait_after(n) for n in (4, 5, 6, 7, 10, 1000)]
    [0.0, 30.0, 60.0, 120.0, 900.0, 900.0]
    """
    if failures < FREE_TRIES:
        return 0.0
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - FREE_TRIES, 16))


def as_of(state: LockState, now: Moment) -> LockState:
    """The same, counted down to now."""
    elapsed = now.monotonic_s - state.since_s
    if state.boot == now.boot and elapsed >= 0.0:
        owed = max(0.0, state.owed_s - elapsed)
    else:
        # another boot: how long the machine was off cannot be known without trusting a clock that can be set
        owed = wait_after(state.failures) if state.owed_s > 0.0 else 0.0
    return replace(state, owed_s=owed, since_s=now.monotonic_s, boot=now.boot)


def one_more(state: LockState, now: Moment) -> LockState:
    """After another wrong try."""
    failures = state.failures + 1
    return LockState(failures, wait_after(failures), now.monotonic_s, now.boot)

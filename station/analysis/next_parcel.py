"""Which waiting parcel a free bench takes next: skill first, then what a minute of delay costs, said in words.

The score is value at stake × how near its promise is × how few benches can do it ÷ the time it takes. All integers: the
same queue gives the same choice on every machine. What an hour to spare is worth was tried on simulated floors: a
promise that is far away must count little, or a dear parcel due tomorrow pushes a cheap one over its promise today.

Source: A. P. J. Vepsalainen, T. E. Morton (1987), Priority rules for job shops with weighted tardiness costs,
    Management Science 33; with a squared hyperbola in place of the exponential, which integers can do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from station.quantities import Money

METHOD: Final = "next_parcel@1"
NEAR_S: Final = 3600
"""A promise with so much time to spare counts a quarter."""
_NOW_PPM: Final = 1_000_000
_DAY_S: Final = 24 * 3600
_LEAST_MINOR: Final = 500
"""What an unknown or small value counts as, so that nobody's parcel waits for ever."""
_RAREST: Final = 3_000
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A parcel that nobody works on."""

    parcel_id: str
    arrived_at: datetime
    due_at: datetime
    """Promised to be decided by then."""
    value: Money | None
    """What its goods are worth; None = unknown."""
    work_s: int
    """Expected time at a bench, at least 1."""
    needs: frozenset[str] = frozenset()
    """Skills, e.g. ``lithium``, ``electronics``."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench and what its inspector may do."""

    id: str
    skills: frozenset[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """The parcel to take next."""

    parcel_id: str
    score: int
    due_ppm: int
    """How near the promise is: 1 000 000 = now, more = late."""
    rare_milli: int
    """1000 = any bench can do it."""
    text: str


def choose_next(waiting: Iterable[Waiting], bench: Bench, benches: Sequence[Bench], now: datetime) -> Choice | None:
    """The parcel that this bench takes next; None = it can do none of them.

    Args:
        waiting: parcels of one currency; a value in another counts by its number.
        bench: who asks.
        benches: all that are open, this one among them.
        now: aware.
    """
    best: Choice | None = None
    for one in sorted(waiting, key=lambda each: (each.due_at, each.arrived_at, each.parcel_id)):
        if one.needs <= bench.skills:
            scored = _score(one, benches, now)
            if best is None or scored.score > best.score:
                best = scored
    return best


def _score(one: Waiting, benches: Sequence[Bench], now: datetime) -> Choice:
    slack_s = (one.due_at - now) // _SECOND - one.work_s
    if slack_s >= 0:
        due = _NOW_PPM * NEAR_S**2 // (NEAR_S + slack_s) ** 2
    else:
        # Late is late; that it grows by the day lets no parcel wait for ever.
        due = _NOW_PPM + _NOW_PPM * -slack_s // _DAY_S
    able = sum(one.needs <= each.skills for each in benches)
    rare = min(_RAREST, 1000 * len(benches) // max(1, able))
    worth = max(_LEAST_MINOR, one.value.minor if one.value is not None else 0)
    score = worth * due * rare // max(1, one.work_s)
    return Choice(one.parcel_id, score, due, rare, _words(one, slack_s, able, len(benches)))


def _words(one: Waiting, slack_s: int, able: int, benches: int) -> str:
    clock = (
        f"{slack_s // 3600} h {slack_s % 3600 // 60} min to spare"
        if slack_s >= 0
        else f"{-slack_s // 3600} h {-slack_s % 3600 // 60} min late"
    )
    value = f"{one.value} at stake" if one.value is not None else "value unknown"
    skill = f", {able} of {benches} benches can do it" if able < benches else ""
    return f"{value}, {clock}, about {max(1, round(one.work_s / 60))} min of work{skill}"

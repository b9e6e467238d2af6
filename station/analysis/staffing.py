"""How many benches and people an hour's work needs, so that most parcels are begun within a promised time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import ceil, exp
from typing import Final

from station.analysis.basis import FULL_BP, Basis, counted, percent
from station.analysis.volume import WEEKDAYS, HourForecast
from station.errors import InvalidInput, OperatorError

METHOD: Final = "staffing@1"
_MOST: Final = 2_000
"""Benches; more is a mistake in the input."""


@dataclass(frozen=True, slots=True)
class Work:
    """How long one parcel keeps a bench."""

    parcels: int
    """It was measured on."""
    mean_s: float
    variation: float
    """Squared coefficient of variation: 0 = always the same, 1 = as uneven as waiting for a bus without a timetable."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What is to be reached."""

    share_bp: int = 9_500
    """Of the parcels."""
    within_s: int = 1_800
    """They are begun so soon after they came."""


@dataclass(frozen=True, slots=True)
class Need:
    """Benches for one rate of arrivals."""

    benches: int
    waiting_bp: int
    """Parcels that find no bench free."""
    within_bp: int
    """Parcels begun within the promised time."""
    busy_bp: int
    """Share of the time that a bench works."""
    mean_wait_s: int


@dataclass(frozen=True, slots=True)
class Block:
    """Hours of one day that need the same."""

    day: date
    begin: int
    end: int
    """The hour at which it ends, up to 24."""
    expected: float
    """Parcels an hour, at the busiest of the hours."""
    need: Need
    people: int
    on_a_heavy_day: int
    """Benches when as much comes as the forecast's upper end."""
    text: str


@dataclass(frozen=True, slots=True)
class Staffing:
    """A plan for the days ahead."""

    blocks: tuple[Block, ...]
    most_benches: int
    person_hours: int
    """Of all people in all blocks."""
    text: tuple[str, ...]
    basis: Basis


def erlang_c(benches: int, load: float) -> float:
    """Probability that an arrival has to wait.

    Args:
        benches: how many serve.
        load: arrivals × mean service time, in benches.

    Source: A. K. Erlang (1917); the recursion by Erlang's loss formula as in L. Kleinrock, Queueing Systems I, §3.5.

    >>> round(erlang_c(2, 1.0), 6)
    0.333333
    """
    if load >= benches:
        return 1.0
    loss = 1.0
    for number in range(1, benches + 1):
        loss = load * loss / (number + load * loss)
    return benches * loss / (benches - load * (1 - loss))


def need_with(benches: int, per_hour: float, work: Work, promise: Promise) -> Need:
    """What so many benches reach.

    The wait of those who wait is taken as exponential, with the mean of exponential service times the factor
    (1 + variation) / 2.

    Source: A. O. Allen, Probability, Statistics and Queueing Theory, §5.3.4 (Allen–Cunneen); W. Whitt (1993),
        Approximations for the GI/G/m queue, Prod. Oper. Manag. 2, §5. Checked against a simulation in the tests.
    """
    load = per_hour * work.mean_s / 3600
    if load >= benches:
        return Need(benches, FULL_BP, 0, FULL_BP, -1)
    waiting = erlang_c(benches, load)
    mean_s = work.mean_s / (benches - load) * (1 + work.variation) / 2
    late = waiting * exp(-promise.within_s / mean_s) if mean_s > 0 else 0.0
    return Need(
        benches,
        round(waiting * FULL_BP),
        round((1 - late) * FULL_BP),
        round(load / benches * FULL_BP),
        round(waiting * mean_s),
    )


def benches_needed(per_hour: float, work: Work, promise: Promise) -> Need:
    """The fewest benches that keep the promise in an hour that goes on like this.

    Raises:
        InvalidInput: no number of benches can, or the input is beyond any floor.
    """
    if per_hour <= 0:
        return Need(0, 0, FULL_BP, 0, 0)
    if not 0 < promise.share_bp < FULL_BP or promise.within_s < 0:
        raise InvalidInput(f"{percent(promise.share_bp)} within {promise.within_s} s: expected a share below 100 %")
    for benches in range(int(per_hour * work.mean_s / 3600) + 1, _MOST + 1):
        need = need_with(benches, per_hour, work, promise)
        if need.within_bp >= promise.share_bp:
            return need
    raise InvalidInput(f"{per_hour:g} parcels an hour of {work.mean_s:g} s each need more than {_MOST} benches")


def measure_work(seconds: Iterable[float]) -> Work:
    """Mean and unevenness of what parcels took.

    Raises:
        OperatorError: nothing was measured.
    """
    known = [one for one in seconds if one > 0]
    if not known:
        raise OperatorError("no parcel's time at a bench is known: expected inspections with start and end")
    mean = sum(known) / len(known)
    spread = sum((one - mean) ** 2 for one in known) / max(1, len(known) - 1)
    return Work(len(known), round(mean, 1), round(spread / (mean * mean), 3))


def plan(
    hours: Iterable[HourForecast], work: Work, promise: Promise, *, productive_bp: int = 8_500, least: float = 0.5
) -> Staffing:
    """Benches and people for a forecast of parcels.

    Args:
        hours: expected parcels.
        work: what one takes.
        promise: what is to be reached.
        productive_bp: share of a paid hour that a person is at the bench (breaks, walks, talks are the rest).
        least: hours with fewer parcels than this need nobody.
    """
    if not 1_000 <= productive_bp <= FULL_BP:
        raise InvalidInput(f"productive share {percent(productive_bp)}: expected 10 to 100 %")
    needs = [(one, benches_needed(one.expected, work, promise)) for one in hours if one.expected >= least]
    blocks = []
    together = groupby(enumerate(needs), key=lambda one: (one[1][0].day, one[1][1].benches, one[1][0].hour - one[0]))
    for _, members in together:
        hours_of = [member for _, member in members]
        top, need = max(hours_of, key=lambda one: one[0].expected)
        heavy = max(benches_needed(float(one.high), work, promise).benches for one, _ in hours_of)
        people = ceil(need.benches * FULL_BP / productive_bp)
        begin, end = hours_of[0][0].hour, hours_of[-1][0].hour + 1
        blocks.append(
            Block(top.day, begin, end, top.expected, need, people, heavy, _words(top, begin, end, need, people, heavy,
                                                                                 promise))
        )  # fmt: skip
    most = max((one.need.benches for one in blocks), default=0)
    person_hours = sum(one.people * (one.end - one.begin) for one in blocks)
    minutes = f"{work.mean_s / 60:.1f} min"
    first = f"A parcel takes {minutes} on average ({counted(work.parcels, 'parcel')} measured)."
    return Staffing(
        tuple(blocks),
        most,
        person_hours,
        (first, *(one.text for one in blocks)) if blocks else (first, "Nobody is needed: nothing is expected."),
        Basis(
            METHOD,
            (
                "Benches: Erlang's waiting formula with Allen's and Cunneen's correction for uneven work; arrivals by "
                "chance, each hour as if it went on like this. What waits from the hour before is not in it.",
                "People: benches ÷ the share of a paid hour at the bench, rounded up.",
            ),
            (
                ("promised_share_bp", str(promise.share_bp)),
                ("promised_within_s", str(promise.within_s)),
                ("productive_bp", str(productive_bp)),
                ("mean_s", f"{work.mean_s:g}"),
                ("variation", f"{work.variation:g}"),
            ),
            work.parcels,
        ),
    )


def _words(top: HourForecast, begin: int, end: int, need: Need, people: int, heavy: int, promise: Promise) -> str:
    more = f"; on a heavy day {heavy}" if heavy > need.benches else ""
    return (
        f"{WEEKDAYS[top.day.weekday()]} {top.day.isoformat()} {begin:02d}–{end:02d} needs "
        f"{counted(need.benches, 'bench', 'benches')} ({counted(people, 'person', 'people')}) for "
        f"{percent(promise.share_bp)} within {promise.within_s // 60} min: {top.expected:.1f} parcels an hour, "
        f"{percent(need.within_bp)} reached{more}."
    )

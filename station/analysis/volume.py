"""How much will come, hour by hour: the week's rhythm learnt from what came, with the range that chance leaves open.

Expected = level × weekday × hour of that weekday × peak. The level is the recent past's; weekdays and hours are drawn
towards what all days have in common, the more the fewer days were seen. How far real hours lay from what would have
been said the day before gives the range.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from math import exp, lgamma, log
from typing import Final

from station.analysis.basis import Basis, counted
from station.errors import InvalidInput, OperatorError

METHOD: Final = "volume@1"
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LEAST_DAYS: Final = 14
_HALF_LIFE_DAYS: Final = 14
_WARM_UP: Final = 7
"""Days before the first one that is forecast for the range."""
_AHEAD: Final = 3
"""Days between what is known and what is forecast when the range is measured: the middle of a week."""
_POISSON: Final = 1e-6


@dataclass(frozen=True, slots=True)
class History:
    """What came, by local day and hour."""

    days: tuple[date, ...]
    """Every day from the first to the last, whether something came or not."""
    counts: Mapping[tuple[date, int], int]
    """(day, hour 0…23) → how many; what is not there is 0."""


@dataclass(frozen=True, slots=True)
class HourForecast:
    """One hour."""

    day: date
    hour: int
    """Begins at this local hour."""
    expected: float
    """To 2 decimals."""
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class DayForecast:
    """One day."""

    day: date
    weekday: str
    expected: float
    low: int
    high: int
    text: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """The days ahead."""

    hours: tuple[HourForecast, ...]
    days: tuple[DayForecast, ...]
    interval_bp: int
    """Share of the hours, and of the days, that should lie within their range."""
    busiest: float
    """Busiest hour over the mean of the hours in which anything is expected, to 2 decimals."""
    text: tuple[str, ...]
    basis: Basis


def history_of(moments: Iterable[datetime], zone: tzinfo, *, until: date | None = None) -> History:
    """Count moments by local day and hour.

    Args:
        moments: aware.
        zone: the floor's.
        until: the last whole day; None = the day before the last moment's, whose day may not be over.
    """
    counts: Counter[tuple[date, int]] = Counter()
    for moment in moments:
        local = moment.astimezone(zone)
        counts[local.date(), local.hour] += 1
    if not counts:
        return History((), {})
    first, last = min(counts)[0], until or max(counts)[0] - timedelta(days=1)
    days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    return History(days, {place: many for place, many in counts.items() if place[0] <= last})


def forecast(
    history: History, *, days: int = 7, begin: date | None = None, peak_bp: int = 10_000, interval_bp: int = 9_000
) -> Forecast:
    """Forecast the days behind a history.

    Args:
        history: at least two weeks.
        days: how many, 1 to 92.
        begin: the first; None = the day after the history.
        peak_bp: what a coming peak makes of an ordinary day, 10 000 = nothing, 15 000 = half as much again.
        interval_bp: share of the hours that should lie within their range.

    Raises:
        OperatorError: too little history; the text says how much there must be.
        InvalidInput: not 1 to 92 days.
    """
    if len(history.days) < _LEAST_DAYS or not any(history.counts.values()):
        raise OperatorError(
            f"{counted(len(history.days), 'whole day')} of history: a forecast by weekday and hour needs at least "
            f"{_LEAST_DAYS} with inspections"
        )
    if not 1 <= days <= 92:
        raise InvalidInput(f"{days!r} days: expected 1 to 92")
    rhythm = _Rhythm(history)
    of_hours, of_days = rhythm.spread()
    level = rhythm.level(len(history.days))
    tail = (1 - interval_bp / 10_000) / 2
    start = begin or history.days[-1] + timedelta(days=1)
    hours: list[HourForecast] = []
    ahead: list[DayForecast] = []
    for day in (start + timedelta(days=number) for number in range(days)):
        whole = level * rhythm.weekday[day.weekday()] * peak_bp / 10_000
        for hour in range(24):
            expected = whole * rhythm.share[day.weekday()][hour]
            low, high = spread_quantile(expected, of_hours, tail), spread_quantile(expected, of_hours, 1 - tail)
            hours.append(HourForecast(day, hour, round(expected, 2), low, high))
        low, high = spread_quantile(whole, of_days, tail), spread_quantile(whole, of_days, 1 - tail)
        name = WEEKDAYS[day.weekday()]
        words = f"{name} {day.isoformat()}: about {round(whole)}, between {low} and {high}."
        ahead.append(DayForecast(day, name, round(whole, 2), low, high, words))
    open_hours = [one.expected for one in hours if one.expected >= 0.05]
    busiest = round(max(open_hours) * len(open_hours) / sum(open_hours), 2) if open_hours else 0.0
    top = max(hours, key=lambda one: (one.expected, -one.hour))
    return Forecast(
        tuple(hours),
        tuple(ahead),
        interval_bp,
        busiest,
        (
            f"Busiest: {WEEKDAYS[top.day.weekday()]} {top.hour:02d}:00 with about {top.expected:.1f}, "
            f"{busiest:g} times an ordinary hour.",
            *(one.text for one in ahead),
        ),
        Basis(
            METHOD,
            (
                "Counted is work by the local hour in which it was begun: while goods wait at the dock, what arrives "
                "is more than what is begun.",
                f"Level: the recent past, half as heavy every {_HALF_LIFE_DAYS} days back. Weekdays and hours are "
                "drawn towards all days by one day's worth.",
                "Range: negative binomial, its spread from forecasts of past days as of three days before.",
            ),
            (
                ("peak_bp", str(peak_bp)),
                ("interval_bp", str(interval_bp)),
                ("spread_of_hours", f"{of_hours:.4f}"),
                ("spread_of_days", f"{of_days:.4f}"),
            ),
            len(history.days),
        ),
    )


class _Rhythm:
    """The week, learnt from a history."""

    def __init__(self, history: History) -> None:
        self._days = history.days
        self._hours = [[history.counts.get((day, hour), 0) for hour in range(24)] for day in history.days]
        self._totals = [sum(hours) for hours in self._hours]
        self._mean = sum(self._totals) / len(self._totals)
        total = sum(self._totals)
        self._of_all = [sum(hours[hour] for hours in self._hours) / total for hour in range(24)]
        self._members = [
            [place for place, day in enumerate(self._days) if day.weekday() == number] for number in range(7)
        ]
        learnt = [self._learn(members) for members in self._members]
        self._scale = sum(factor for factor, _ in learnt) / 7
        self.weekday = [factor / self._scale for factor, _ in learnt]
        """Of each weekday, 1 = as any day."""
        self.share = [shares for _, shares in learnt]
        """Of each weekday's hours; sums to 1."""

    def _learn(self, members: list[int]) -> tuple[float, list[float]]:
        """A weekday's factor and hours, drawn towards all days by one day's worth."""
        came = sum(self._totals[place] for place in members)
        # A weekday without anything in several weeks is a closed one, and stays so.
        closed = len(members) > 1 and not came
        factor = 0.0 if closed else (came + self._mean) / ((len(members) + 1) * self._mean)
        shares = [
            (sum(self._hours[place][hour] for place in members) + self._mean * self._of_all[hour]) / (came + self._mean)
            for hour in range(24)
        ]
        return factor, shares

    def level(self, until: int) -> float:
        """What an ordinary day brings, from the days before a place."""
        came = expected = 0.0
        for place in range(until):
            weight = 0.5 ** ((until - 1 - place) / _HALF_LIFE_DAYS)
            came += weight * self._totals[place]
            expected += weight * self.weekday[self._days[place].weekday()]
        return came / expected if expected else 0.0

    def spread(self) -> tuple[float, float]:
        """How much more than chance hours and days vary: the square of the relative error, by moments."""
        hours_over = hours_of = days_over = days_of = 0.0
        for place in range(_WARM_UP, len(self._days)):
            number = self._days[place].weekday()
            # Without the day itself: what was learnt from it would say it too well.
            factor, shares = self._learn([one for one in self._members[number] if one != place])
            whole = self.level(place - _AHEAD) * factor / self._scale
            days_over += (self._totals[place] - whole) ** 2 - whole
            days_of += whole * whole
            for hour, share in enumerate(shares):
                expected = whole * share
                hours_over += (self._hours[place][hour] - expected) ** 2 - expected
                hours_of += expected * expected
        return (
            max(0.0, hours_over / hours_of) if hours_of else 0.0,
            max(0.0, days_over / days_of) if days_of else 0.0,
        )


def spread_quantile(mean: float, spread: float, probability: float) -> int:
    """The smallest count that is not exceeded with this probability.

    Negative binomial with variance mean + spread × mean²; Poisson where there is no spread.

    >>> spread_quantile(10.0, 0.0, 0.95), spread_quantile(0.0, 0.1, 0.95)
    (15, 0)
    """
    if mean <= 0:
        return 0
    total, count = 0.0, 0
    limit = int(mean + 60 * (mean + spread * mean * mean) ** 0.5 + 60)
    while count < limit:
        total += exp(_log_mass(count, mean, spread))
        if total >= probability:
            return count
        count += 1
    return limit


def _log_mass(count: int, mean: float, spread: float) -> float:
    if spread < _POISSON:
        return count * log(mean) - mean - lgamma(count + 1)
    size = 1 / spread
    return (
        lgamma(count + size) - lgamma(size) - lgamma(count + 1)
        + size * log(size / (size + mean)) + count * log(mean / (size + mean))
    )  # fmt: skip

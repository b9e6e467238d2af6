"""Whether a return is still within its terms: the window's clock and final sale, with reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from station.decision.model import Reason
from station.returns.model import ReturnAuthorisation
from station.returns.policy import Extension, Policy


class Verdict(StrEnum):
    WITHIN = "within"
    LATE = "late"
    UNKNOWN = "unknown"
    """The day that the window counts from is not known."""


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The window's answer."""

    verdict: Verdict
    window_days: int
    days_used: int | None
    """Whole days from delivery (or order) to the day that counts; None = unknown."""
    last_day: date | None
    reason: Reason


def check_window(
    policy: Policy, category: str | None, authorisation: ReturnAuthorisation | None, at: datetime
) -> Eligibility:
    """Compare the return's dates with the policy's window.

    Args:
        policy: the merchant's policy.
        category: the article's category, or None.
        authorisation: the return as announced; None = unannounced.
        at: now; counts where the policy counts to receipt or the announcement's day is unknown.

    Returns:
        The verdict with one sentence. The last day of the window is still within it.
    """
    window = policy.window
    days = policy.window_days(category)
    days = window.days if days is None else days
    start = None
    if authorisation is not None:
        start = authorisation.delivered_at if window.counts_from == "delivery" else authorisation.ordered_at
    if authorisation is None or start is None:
        what = "delivery" if window.counts_from == "delivery" else "order"
        text = f"Date of {what} unknown: the {days}-day window cannot be checked"
        return Eligibility(Verdict.UNKNOWN, days, None, None, Reason("window_unknown", text))
    end = at
    if window.counts_until == "announced" and authorisation.authorised_at is not None:
        end = authorisation.authorised_at
    first, used_until = start.date(), end.date()
    last, extension = _last_day(first, days + window.grace_days, authorisation, window.extensions)
    used = (used_until - first).days
    if used < 0:
        text = "Returned before it was delivered: the dates do not fit"
        return Eligibility(Verdict.UNKNOWN, days, used, last, Reason("dates_contradict", text))
    if used_until > last:
        over = (used_until - last).days
        text = f"{over} {_plural(over)} after the {days}-day window closed on {last.isoformat()}"
        return Eligibility(Verdict.LATE, days, used, last, Reason("window_late", text))
    if extension is not None and used > days:
        text = f"Within the {extension.name} extension until {last.isoformat()}"
        return Eligibility(Verdict.WITHIN, days, used, last, Reason("window_extended", text))
    text = f"Within {days} days: day {used}"
    return Eligibility(Verdict.WITHIN, days, used, last, Reason("window_open", text))


def _last_day(
    first: date, days: int, authorisation: ReturnAuthorisation, extensions: tuple[Extension, ...]
) -> tuple[date, Extension | None]:
    try:
        last = first + timedelta(days=days)
    except OverflowError:
        last = date.max
    ordered = (
        authorisation.ordered_at or authorisation.delivered_at or datetime.combine(first, datetime.min.time())
    ).date()
    chosen: Extension | None = None
    for extension in extensions:
        until = _season_end(ordered, extension)
        if until is not None and until > last:
            last, chosen = until, extension
    return last, chosen


def _season_end(ordered: date, extension: Extension) -> date | None:
    """The extension's last day for an order of this day, or None where the order lies outside the season."""
    day = f"{ordered.month:02d}-{ordered.day:02d}"
    start, stop, until = extension.ordered_from, extension.ordered_to, extension.until
    wraps = start > stop
    inside = (day >= start or day <= stop) if wraps else start <= day <= stop
    if not inside:
        return None
    year = ordered.year
    if wraps and day >= start:
        year += 1  # the season's end lies in the next year
    if until < stop:
        year += 1
    month, number = int(until[:2]), int(until[3:])
    while number > 28:
        try:
            return date(year, month, number)
        except ValueError:
            number -= 1  # 02-30 means the last day of February
    return date(year, month, number) if year <= date.max.year else date.max


def _plural(days: int) -> str:
    return "day" if days == 1 else "days"

"""Dates as people write them. A date that can be read in two ways is refused, unless its whole column decides."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from station.exchange.refused import CellRefused

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?", re.ASCII
)
_PARTS = re.compile(
    r"(\d{1,2})([./-])(\d{1,2}|[A-Za-z]{3})\2(\d{4})"
    r"(?:,?[T ]+(\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([AaPp][Mm]))?)?(?: ?(?:Z|UTC))?",
    re.ASCII,
)
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
_YEARS = range(2000, 2100)


class DateOrder(StrEnum):
    """What a column's dates with slashes or hyphens say about themselves."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    UNDECIDED = "undecided"
    """Nothing in the column decides it, or it holds both."""


class OrderEvidence:
    """Collects from a column whether its dates put the day or the month first."""

    def __init__(self) -> None:
        self._day_first = 0
        self._month_first = 0

    def see(self, text: str) -> None:
        """Look at one cell."""
        if not text or (text[1:2] not in "/-" and text[2:3] not in "/-"):
            return
        found = _PARTS.fullmatch(text)
        if found is None or found[2] == "." or not found[3].isdigit():
            return
        self._day_first += int(found[1]) > 12
        self._month_first += int(found[3]) > 12

    def order(self) -> DateOrder:
        """The verdict on the column."""
        if self._day_first and not self._month_first:
            return DateOrder.DAY_FIRST
        if self._month_first and not self._day_first:
            return DateOrder.MONTH_FIRST
        return DateOrder.UNDECIDED


def parse_when(text: str, column: str, order: DateOrder = DateOrder.UNDECIDED) -> datetime | None:
    """Read a point in time; an empty cell is None.

    Args:
        text: ISO 8601 with or without zone, ``22.11.2026``, ``22-Nov-2026``, ``11/22/2026 10:17 PM``. Without a zone it
            is taken as UTC.
        column: for the message.
        order: what the column as a whole says of dates with slashes or hyphens.

    Raises:
        CellRefused: no date, or one that can be read in two ways.

    >>> parse_when("2026-11-22T10:17:03+01:00", "ordered_at").isoformat()
    '2026-11-22T09:17:03+00:00'
    """
    if not text:
        return None
    when = _read(text, order)
    if isinstance(when, str):
        raise CellRefused(column, text, when)
    return when


@lru_cache(maxsize=4096)
def _read(text: str, order: DateOrder) -> datetime | str:
    """The time, or what was expected instead."""
    try:
        if _ISO.fullmatch(text):
            found = datetime.fromisoformat(
                text.replace("UTC", "Z").replace(",", ".").replace(" Z", "Z").replace(" +", "+")
            )
        else:
            parts = _PARTS.fullmatch(text)
            if parts is None:
                return _advice(text)
            day_month = _day_and_month(parts, order)
            if isinstance(day_month, str):
                return day_month
            found = datetime(int(parts[4]), day_month[1], day_month[0], *_clock(parts))  # noqa: DTZ001
    except ValueError as error:
        return f"there is no such date or time ({error}); write it as 2026-11-22"
    if found.year not in _YEARS:
        return f"expected a year from {_YEARS.start} to {_YEARS.stop - 1}"
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _day_and_month(parts: re.Match[str], order: DateOrder) -> tuple[int, int] | str:
    if not parts[3].isdigit():
        month = _MONTHS.get(parts[3].lower())
        return (int(parts[1]), month) if month else f"{parts[3]!r} is no month; write it as 2026-11-22"
    first, second = int(parts[1]), int(parts[3])
    if parts[2] == "." or first > 12 or first == second:
        return first, second
    if second > 12:
        return second, first
    if order is DateOrder.UNDECIDED:
        readings = f"{parts[4]}-{second:02d}-{first:02d} or {parts[4]}-{first:02d}-{second:02d}"
        return f"day or month first? It may be {readings}, and the column does not decide it; write it like that"
    return (first, second) if order is DateOrder.DAY_FIRST else (second, first)


def _clock(parts: re.Match[str]) -> tuple[int, int, int]:
    hour = int(parts[5] or 0)
    if parts[8] is not None:
        if not 1 <= hour <= 12:
            raise ValueError(f"hour {hour} {parts[8]}")
        hour = hour % 12 + (12 if parts[8].lower() == "pm" else 0)
    return hour, int(parts[6] or 0), int(parts[7] or 0)


def _advice(text: str) -> str:
    if re.fullmatch(r"\d{5}(?:[.,]\d+)?", text):
        return "this is a spreadsheet's day number; format the column as a date and export it again"
    return "expected a date such as 2026-11-22 or 2026-11-22T10:17:03+01:00"

"""Dates and lots that goods carry: from GS1 data or typed in, and how long they are still good for.

Source: GS1 General Specifications, 3.4 (dates, AI 11 to 17, day 00 = the last day of the month) and 7.12 (century).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from station.decision.model import GoodsDate
from station.identify.gs1 import read_gs1
from station.identify.scan import RawScan
from station.identify.text import split_aim

_GOOD_UNTIL = ("17", "15")
"""Expiry, best before: both end what may be sold as new; a merchant who knows better writes another rest life."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What the scans of one unit say beside its number."""

    dates: tuple[GoodsDate, ...] = ()
    lot: str | None = None
    made: date | None = None


def marked(scans: Sequence[RawScan], today: date) -> Marked:
    """Read dates and lot from all scans of a unit; the first lot and day of making count."""
    dates: list[GoodsDate] = []
    lot: str | None = None
    made: date | None = None
    for scan in scans:
        for ai, value in _elements(scan.data):
            if ai in _GOOD_UNTIL:
                dates.append(GoodsDate(gs1_date(value, today), f"({ai})"))
            elif ai == "10":
                lot = lot or value
            elif ai == "11":
                made = made or gs1_date(value, today)
    return Marked(tuple(dict.fromkeys(dates)), lot, made)


@lru_cache(maxsize=256)
def _elements(data: bytes) -> tuple[tuple[str, str], ...]:
    aim, payload = split_aim(data)
    found = read_gs1(payload.decode("latin-1"), aim)
    return found.elements if found is not None else ()


def gs1_date(text: str, today: date) -> date | None:
    """Read ``YYMMDD``; None = no such day.

    >>> gs1_date("260200", date(2026, 11, 23)), gs1_date("261301", date(2026, 11, 23))
    (datetime.date(2026, 2, 28), None)
    """
    if len(text) != 6 or not text.isascii() or not text.isdigit():
        return None
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    century = today.year // 100
    ahead = year - today.year % 100
    century += -1 if ahead >= 51 else 1 if ahead <= -50 else 0
    year += 100 * century
    if not 1 <= month <= 12:
        return None
    last = monthrange(year, month)[1]
    return date(year, month, day or last) if day <= last else None


def days_left(until: date, on: date) -> int:
    """Days that it is still good after today; negative = over."""
    return (until - on) // timedelta(days=1)

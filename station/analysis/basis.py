"""What a result rests on, so that it can be shown again and doubted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

FULL_BP = 10_000
"""Basis points of a whole."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Where the numbers of one result come from."""

    method: str
    """Name and version, e.g. ``causes@1``: another version may give other numbers for the same units."""
    definitions: tuple[str, ...]
    """What is counted, in sentences."""
    parameters: tuple[tuple[str, str], ...]
    """What was chosen, e.g. ``("least_units", "20")``."""
    used: int
    """Units, sales or hours that the numbers were made of."""
    left_out: tuple[tuple[str, int], ...] = ()
    """(why, how many)."""
    first_at: datetime | None = None
    """Of what was used."""
    last_at: datetime | None = None


def bp(part: int, whole: int) -> int | None:
    """A share in 1/10 000, rounded half up as the centre's figures are; None = of nothing.

    >>> bp(1, 8), bp(0, 0)
    (1250, None)
    """
    return (part * 2 * FULL_BP + whole) // (2 * whole) if whole else None


def percent(basis_points: int | None) -> str:
    """A share as a person reads it.

    >>> percent(1250), percent(1600), percent(None)
    ('12.5 %', '16 %', '–')
    """
    if basis_points is None:
        return "–"
    whole, part = divmod(abs(basis_points), 100)
    decimals = f".{part:02d}".rstrip("0").rstrip(".")
    return f"{'-' if basis_points < 0 else ''}{whole}{decimals} %"


def counted(many: int, one: str, several: str | None = None) -> str:
    """A number with its noun.

    >>> counted(1, "unit"), counted(3, "bench", "benches")
    ('1 unit', '3 benches')
    """
    return f"{many} {one if many == 1 else several or one + 's'}"


def span(moments: Iterable[datetime]) -> tuple[datetime | None, datetime | None]:
    """The first and the last of some moments."""
    first: datetime | None = None
    last: datetime | None = None
    for moment in moments:
        if first is None or moment < first:
            first = moment
        if last is None or moment > last:
            last = moment
    return first, last


def reasons_left_out(why: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Counts of what was left out, the most first; what never happened is not mentioned."""
    return tuple(sorted(((text, many) for text, many in why.items() if many), key=lambda one: (-one[1], one[0])))

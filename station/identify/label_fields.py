"""What a GS1 code on a label says about the article in hand: GTIN, serial number, lot, dates, weight.

A field that the label gives twice with different values is not taken from either: it stays empty and is named as a
problem. The same holds for several codes on one label (``together``).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import TYPE_CHECKING

from station.identify.gs1 import read_gs1
from station.identify.gtin import check_digit, has_good_check_digit
from station.identify.text import decode, is_ascii_digits, split_aim

if TYPE_CHECKING:
    from station.identify.gs1 import Gs1Data

_NAMES = {
    "01": "GTIN",
    "21": "serial number",
    "10": "lot",
    "11": "production date",
    "15": "best-before date",
    "17": "expiry date",
}
_WEIGHT_UNITS_UG = {"310": 1_000_000_000, "320": 453_592_370, "356": 31_103_477, "357": 28_349_523}
"""Net weight by the first three digits: kilograms, pounds, troy ounces, ounces; micrograms each (the last two rounded
to a millionth of a gram)."""


@dataclass(frozen=True, slots=True)
class LabelFields:
    """What one label says. None = it does not say, or not clearly."""

    gtin: str | None = None
    """14 digits, check digit right."""
    serial: str | None = None
    lot: str | None = None
    expiry: date | None = None
    """The last day on which it may be used."""
    best_before: date | None = None
    produced: date | None = None
    net_weight_mg: int | None = None
    """What the label declares; never a weighing."""
    problems: tuple[str, ...] = ()
    """What is wrong with the label, in words: contradictions, wrong check digits, dates that do not exist."""


def label_fields(text: str, aim: str | None, *, today: date) -> LabelFields | None:
    """Read the fields out of element strings, text in parentheses or a Digital Link.

    Args:
        text: without its AIM identifier.
        aim: AIM symbology identifier, e.g. ``]d2``, None where it is not known.
        today: decides the century of two-digit years.

    Returns:
        None where this is no valid GS1 data (an EAN or UPC symbol has no fields either).

    Source: GS1 General Specifications §3 (application identifiers), §4.13 (pairs that contradict), §7.12 (century).

    >>> found = label_fields("010952123454321321HD7\\x1d17261200", "]d2", today=date(2026, 3, 2))
    >>> found.serial, found.expiry.isoformat()
    ('HD7', '2026-12-31')
    """
    data = read_gs1(text, aim)
    return None if data is None else _fields(data, today)


def label_fields_of_scan(scan: bytes, *, today: date) -> LabelFields | None:
    """The same for a whole scan, AIM identifier in front."""
    aim, body = split_aim(scan)
    return label_fields(decode(body), aim, today=today)


def together(parts: Iterable[LabelFields]) -> LabelFields:
    """What several codes on one label say; where two contradict, neither is taken."""
    whole = LabelFields()
    contradicted: set[str] = set()
    problems: list[str] = []
    for part in parts:
        problems += part.problems
        for one in fields(part):
            value, known = getattr(part, one.name), getattr(whole, one.name)
            if one.name == "problems" or value is None or one.name in contradicted:
                continue
            if known is not None and known != value:
                problems.append(
                    f"two codes on the label give {one.name.replace('_', ' ')} {str(known)!r} and {str(value)!r}: "
                    "scan the right one"
                )
                contradicted.add(one.name)
                value = None
            whole = replace(whole, **{one.name: value})
    return replace(whole, problems=tuple(dict.fromkeys(problems)))


def gs1_date(digits: str, today: date) -> date | None:
    """Read ``YYMMDD``; day 00 is the last of the month.

    Returns:
        None where there is no such day.

    Source: GS1 General Specifications §7.12: a year 51 to 99 ahead of today's two digits is of the century before, one
    50 to 99 behind is of the next. §3.4: day 00 is the last of its month, leap years included.

    >>> [str(gs1_date(one, date(2026, 3, 2))) for one in ("240200", "760101", "770101", "260230")]
    ['2024-02-29', '2076-01-01', '1977-01-01', 'None']
    """
    if len(digits) != 6 or not is_ascii_digits(digits):
        return None
    short, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    ahead = short - today.year % 100
    year = today.year - today.year % 100 + short
    if ahead >= 51:
        year -= 100
    elif ahead <= -50:
        year += 100
    if not 1 <= month <= 12 or not 1 <= year <= 9999:
        return None
    last = calendar.monthrange(year, month)[1]
    return date(year, month, day or last) if day <= last else None


def _fields(data: Gs1Data, today: date) -> LabelFields:
    problems: list[str] = []

    def only(ai: str) -> str | None:
        values = tuple(dict.fromkeys(value for found, value in data.elements if found == ai))
        if len(values) > 1:
            given = " and ".join(map(repr, values))
            problems.append(f"the label gives the {_NAMES[ai]} ({ai}) as {given}: read it with your own eyes")
        return values[0] if len(values) == 1 else None

    def day(ai: str) -> date | None:
        digits = only(ai)
        if digits is None:
            return None
        found = gs1_date(digits, today)
        if found is None:
            problems.append(f"the {_NAMES[ai]} ({ai}) {digits!r} is no date: expected year, month, day as YYMMDD")
        return found

    gtin = only("01")
    if gtin is not None and not has_good_check_digit(gtin):
        right = check_digit(gtin[:-1])
        problems.append(f"the GTIN (01) {gtin!r} has the check digit {gtin[-1]}, expected {right}: scan it again")
        gtin = None
    return LabelFields(
        gtin=gtin,
        serial=only("21"),
        lot=only("10"),
        expiry=day("17"),
        best_before=day("15"),
        produced=day("11"),
        net_weight_mg=_net_weight(data, problems),
        problems=tuple(problems),
    )


def _net_weight(data: Gs1Data, problems: list[str]) -> int | None:
    """Milligrams, rounded half up. The last digit of the identifier says how many decimals there are."""
    for prefix, unit in _WEIGHT_UNITS_UG.items():
        given: set[int] = {
            (int(value) * unit + 500 * 10 ** int(ai[3])) // (1000 * 10 ** int(ai[3]))
            for ai, value in data.elements
            if len(ai) == 4 and ai.startswith(prefix) and is_ascii_digits(value)
        }
        if len(given) > 1:
            problems.append(f"the label gives the net weight ({prefix}n) twice with different values: weigh it")
            return None
        if given:  # the same weight in two units is usual; kilograms come first
            return given.pop()
    return None

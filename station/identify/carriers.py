"""Tracking numbers of carriers: a table (``resources/carriers``) and the small engine that reads it.

The table is parsed once, on the first number. A number is looked at by the few formats of its length only, so that
forty formats cost a handful of regular expressions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from station.assets import asset
from station.errors import Defect
from station.identify.checks import CheckRule, Compute, algorithm
from station.identify.scan import Check

MAX_LENGTH = 64
"""Characters; no carrier prints more, and nothing longer is looked at."""

_WHITE = re.compile(r"[\s\x1d]+")
_GROUPS = frozenset({"key", "serial", "check", "service", "country"})


@dataclass(frozen=True, slots=True)
class CarrierFormat:
    """One row of the table; the words are explained at the top of ``formats.toml``."""

    id: str
    carrier: str
    name: str
    lengths: frozenset[int]
    starts: tuple[str, ...]
    pattern: re.Pattern[str]
    compute: Compute | None
    strong: bool
    gs1: bool
    prepend: str
    strip_zeros_to: int | None
    returns: frozenset[str]
    aims: tuple[str, ...]
    services: tuple[tuple[str, str], ...]


class TrackingMatch(NamedTuple):
    """A number that has the shape of one carrier's format. (A tuple: imports make one for every row.)"""

    format: CarrierFormat
    carrier: str
    key: str
    """As the carrier prints it: no white space, upper case, without routing prefixes."""
    check: Check
    expected: str | None
    """The check digit that would be right, where it is wrong."""
    service: str | None
    """What the service code says, if it is known."""
    is_return: bool
    """The carrier itself calls it a return service."""


def normalise(text: str) -> str:
    """Bring a number to the form the table is written in: no white space, no FNC1, upper case, no DPD ``%``.

    >>> normalise(" 1z 999 aa1 01 2345 6784")
    '1Z999AA10123456784'
    """
    return text.upper() if text.isalnum() else _WHITE.sub("", text).upper().removeprefix("%")


@cache
def formats() -> tuple[CarrierFormat, ...]:
    """The whole table.

    Raises:
        Defect: a row is wrong; names it.
    """
    with asset("carriers", "formats.toml").open("rb") as file:
        rows = tomllib.load(file)["format"]
    return tuple(_row(row) for row in rows)


@cache
def posts() -> dict[str, str]:
    """ISO country code → the post that numbers S10 items there."""
    with asset("carriers", "posts.toml").open("rb") as file:
        found: dict[str, str] = tomllib.load(file)["posts"]
    return found


def _row(row: dict[str, Any]) -> CarrierFormat:
    name = row.get("id", "?")
    try:
        pattern = re.compile(row["pattern"], re.ASCII)
        check = row.get("check")
        rule = CheckRule(**{**check, "weights": tuple(check.get("weights", ()))}) if check else None
        found = CarrierFormat(
            id=row["id"],
            carrier=row["carrier"],
            name=row["name"],
            lengths=frozenset(row["lengths"]),
            starts=tuple(row.get("starts", ("",))),
            pattern=pattern,
            compute=algorithm(rule) if rule else None,
            strong=row.get("strong", False),
            gs1=row.get("gs1", False),
            prepend=row.get("prepend", ""),
            strip_zeros_to=row.get("strip_zeros_to"),
            returns=frozenset(row.get("returns", ())),
            aims=tuple(row.get("aim", ())),
            services=tuple(row.get("services", {}).items()),
        )
    except (KeyError, TypeError, re.error) as error:
        raise Defect(f"resources/carriers/formats.toml, format {name!r}: {error!r}") from error
    unknown = set(pattern.groupindex) - _GROUPS
    if unknown or (rule is not None and not {"serial", "check"} <= set(pattern.groupindex)):
        raise Defect(f"resources/carriers/formats.toml, format {name!r}: groups {sorted(pattern.groupindex)}")
    return found


@cache
def _by_length() -> dict[int, tuple[CarrierFormat, ...]]:
    table: dict[int, list[CarrierFormat]] = {}
    for row in formats():
        for length in row.lengths:
            table.setdefault(length, []).append(row)
    return {length: tuple(rows) for length, rows in table.items()}


def find_tracking(text: str, *, aim: str | None = None, gs1_only: bool = False) -> tuple[TrackingMatch, ...]:
    """Every carrier format that a text has the shape of, best first.

    Args:
        text: what was scanned or typed, white space and lower case allowed.
        aim: the symbol it came from, where the scanner says so.
        gs1_only: look only at formats that carriers print as GS1-128.

    Returns:
        Matches in the order right and unmistakable, right, no check digit, wrong. A wrong check digit is reported only
        for formats that nothing else looks like; one unmistakable match drops all others but its peers.
    """
    if len(text) > MAX_LENGTH * 3:
        return ()
    number = normalise(text)
    if not number.strip("0"):
        return ()  # only zeros: every check digit of theirs is right, and no carrier numbers like that
    found = [match for match in _shapes(number, aim, gs1_only) if match.check is not Check.BAD or match.format.strong]
    if len(found) < 2:
        return tuple(found)
    if any(match.format.strong and match.check is not Check.BAD for match in found):
        found = [match for match in found if match.format.strong]
    return tuple(sorted(found, key=_rank))


def _shapes(number: str, aim: str | None, gs1_only: bool) -> Iterator[TrackingMatch]:
    for row in _by_length().get(len(number), ()):
        if not number.startswith(row.starts) or (gs1_only and not row.gs1):
            continue
        if row.aims and (aim is None or not aim.startswith(row.aims)):
            continue
        match = _match(row, number)
        if match is not None:
            yield match


def _match(row: CarrierFormat, number: str) -> TrackingMatch | None:
    hit = row.pattern.fullmatch(number)
    if hit is None:
        return None
    groups = hit.groupdict()
    carrier = row.carrier
    if "country" in groups:
        post = posts().get(groups["country"])
        if post is None:
            return None
        carrier = f"{post} ({row.carrier})"
    check, expected = Check.NONE, None
    if row.compute is not None:
        serial = groups["serial"]
        right = row.compute(serial if serial.startswith(row.prepend) else row.prepend + serial)
        check, expected = (Check.OK, None) if right == groups["check"] else (Check.BAD, right)
    service = groups.get("service")
    return TrackingMatch(
        format=row,
        carrier=carrier,
        key=_printed(groups.get("key") or number, row.strip_zeros_to),
        check=check,
        expected=expected,
        service=next((meaning for code, meaning in row.services if code == service), None),
        is_return=service in row.returns,
    )


def _printed(key: str, strip_zeros_to: int | None) -> str:
    while strip_zeros_to is not None and len(key) > strip_zeros_to and key.startswith("0"):
        key = key[1:]
    return key


def _rank(match: TrackingMatch) -> tuple[int, bool]:
    return (Check.OK, Check.NONE, Check.BAD).index(match.check), not match.format.strong


def tracking_key(text: str) -> str:
    """The key under which a tracking number is kept: the carrier's printed form, or just tidied where none is known.

    Import and scan both go through the table, so a label's long barcode finds the short number of a file.

    >>> tracking_key("9622001900000000000000776632517510"), tracking_key("abc 1")
    ('776632517510', 'ABC1')
    """
    for match in find_tracking(text):
        if match.check is not Check.BAD:
            return match.key
    return normalise(text)

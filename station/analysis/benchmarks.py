"""What others report, beside our own figures: with source and year, and with what makes them hard to compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from station.analysis.basis import Basis, bp, counted, percent, span
from station.analysis.rates import Rates
from station.analysis.unit import UnitSeen
from station.errors import InvalidInput
from station.quantities import Money
from station.toml_file import read_toml, typed

METHOD: Final = "benchmarks@1"
_LONGEST_S: Final = 3_600
"""A unit's handling counts with an hour at most, as in the centre's figures."""
_LATEST: Final = timedelta(days=3660)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Figure(StrEnum):
    """Our figures that something is known to stand beside."""

    RETURN_RATE = "return_rate"
    SECOND_LOOK_RATE = "second_look_rate"
    DOCK_TO_DISPOSITION_P50 = "dock_to_disposition_p50"
    DOCK_TO_DISPOSITION_P90 = "dock_to_disposition_p90"
    LABOUR_PER_UNIT = "labour_per_unit"


class Unit(StrEnum):
    """How a number is to be read."""

    BP = "bp"
    MINUTES = "minutes"
    MINOR = "minor"


class Benchmark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What others report."""

    figure: Figure
    name: str
    unit: Unit
    low: int
    high: int
    year: int
    source: str
    note: str = ""
    category: str = ""
    """Only for our goods of this category and those below it."""
    currency: str = ""


class BenchmarkFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    kind: str
    version: int
    benchmarks: list[Benchmark]


class Standing(StrEnum):
    """Where ours lies."""

    BELOW = "below"
    WITHIN = "within"
    ABOVE = "above"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One benchmark with ours beside it."""

    benchmark: Benchmark
    ours: int | None
    """In the benchmark's unit; None = not known here, the text says why."""
    standing: Standing
    counted: int
    """Units that ours is made of."""
    text: str


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """All of them."""

    comparisons: tuple[Comparison, ...]
    text: tuple[str, ...]
    basis: Basis


def read_benchmarks(path: Path) -> tuple[BenchmarkFile, str]:
    """Read a file of benchmarks.

    Returns:
        The file and its version as a result names it, e.g. ``benchmarks@1 1f2e…``.

    Raises:
        InvalidInput: not such a file, or a band that ends before it begins.
    """
    file = read_toml(path)
    read = typed(file, BenchmarkFile)
    if read.kind != "benchmarks":
        raise InvalidInput(f"{path}: kind is {read.kind!r}, expected 'benchmarks'")
    for one in read.benchmarks:
        if one.low > one.high or not one.source.strip() or not 2000 <= one.year < 2100:
            raise InvalidInput(
                f"{path}: {one.name!r}: expected low ≤ high, a source and a year; found {one.low} to {one.high}, "
                f"{one.source!r}, {one.year}"
            )
        if (one.unit is Unit.MINOR) != bool(one.currency):
            raise InvalidInput(f"{path}: {one.name!r}: money needs a currency, and nothing else has one")
    return read, f"benchmarks@{read.version} {file.sha256}"


def compare(
    units: Iterable[UnitSeen],
    file: BenchmarkFile,
    version: str,
    *,
    rates: Rates | None = None,
    apparel: Rates | None = None,
    wage: Money | None = None,
) -> Benchmarks:
    """Put ours beside each.

    Args:
        units: those that stand.
        file: from ``read_benchmarks``.
        version: from there too.
        rates: return rates of all goods, where sales were imported.
        apparel: those of apparel.
        wage: paid for an hour at a bench, with everything on top.
    """
    known = list(units)
    waits = sorted(minutes for unit in known if (minutes := _dock_minutes(unit)) is not None)
    found = tuple(_compare(one, known, waits, rates, apparel, wage) for one in file.benchmarks)
    first, last = span(unit.confirmed_at for unit in known)
    return Benchmarks(
        found,
        tuple(one.text for one in found),
        Basis(
            METHOD,
            (
                "Return rate: units that came back and were inspected ÷ units sold.",
                "Second look: units that ask for a second look ÷ units.",
                "Dock to disposition: first scan of the parcel to the confirmation.",
                "Labour: first scan of the unit to its confirmation, an hour at most, × the wage given.",
            ),
            (("file", version), *((("wage", str(wage)),) if wage is not None else ())),
            len(known),
            (),
            first,
            last,
        ),
    )


def _compare(
    one: Benchmark,
    units: Sequence[UnitSeen],
    waits: Sequence[int],
    rates: Rates | None,
    apparel: Rates | None,
    wage: Money | None,
) -> Comparison:
    ours, many, why = _ours(one, units, waits, apparel if one.category else rates, wage)
    band = _band(one)
    source = f"{one.source}, {one.year}" + (f"; {one.note}" if one.note else "")
    if ours is None:
        return Comparison(
            one, None, Standing.UNKNOWN, many, f"{one.name}: {band}. Ours is not known: {why}. ({source})"
        )
    standing = Standing.BELOW if ours < one.low else Standing.ABOVE if ours > one.high else Standing.WITHIN
    text = f"{one.name}: {band}; ours {_shown(one, ours)}, {standing.value}, of {counted(many, 'unit')}. ({source})"
    return Comparison(one, ours, standing, many, text)


def _ours(
    one: Benchmark, units: Sequence[UnitSeen], waits: Sequence[int], rates: Rates | None, wage: Money | None
) -> tuple[int | None, int, str]:
    """Ours, of how many units, or why it is not known."""
    match one.figure:
        case Figure.RETURN_RATE:
            if rates is None or rates.rate_bp is None:
                return None, 0, "no sales whose time to come back is over (station import sales FILE)"
            return rates.rate_bp, rates.sold, ""
        case Figure.SECOND_LOOK_RATE:
            return bp(sum(unit.second_look for unit in units), len(units)), len(units), "nothing was inspected"
        case Figure.DOCK_TO_DISPOSITION_P50 | Figure.DOCK_TO_DISPOSITION_P90:
            percent_ = 50 if one.figure is Figure.DOCK_TO_DISPOSITION_P50 else 90
            if not waits:
                return None, 0, "no unit's way from the first scan is known"
            # nearest rank, as the centre's figures
            return waits[(len(waits) * percent_ + 99) // 100 - 1], len(waits), ""
        case Figure.LABOUR_PER_UNIT:
            if wage is None:
                return None, 0, "no wage was given (--wage)"
            if wage.currency != one.currency:
                return None, 0, f"the wage is in {wage.currency}"
            timed = [seconds for unit in units if (seconds := handling_s(unit)) is not None]
            if not timed:
                return None, 0, "no unit's time is known"
            whole = 3600 * len(timed)
            return (sum(timed) * wage.minor * 2 + whole) // (2 * whole), len(timed), ""


def handling_s(unit: UnitSeen) -> int | None:
    """Whole seconds at the bench, an hour at most; None = the clock says nothing usable."""
    if unit.started_at is None or unit.started_at > unit.confirmed_at:
        return None
    return min(_LONGEST_S, (unit.confirmed_at - unit.started_at) // timedelta(seconds=1))


def _dock_minutes(unit: UnitSeen) -> int | None:
    """From the first scan of the parcel, whose id is a UUIDv7 made then (RFC 9562 §5.7)."""
    text = unit.parcel_id
    if len(text) != 36 or text[14] != "7":
        return None
    try:
        begun = _EPOCH + timedelta(milliseconds=int(text[:8] + text[9:13], 16))
    except (ValueError, OverflowError):
        return None
    took = unit.confirmed_at - begun
    return took // timedelta(minutes=1) if timedelta() <= took <= _LATEST else None


def _band(one: Benchmark) -> str:
    low, high = _shown(one, one.low), _shown(one, one.high)
    return low if one.low == one.high else f"{low} to {high}"


def _shown(one: Benchmark, value: int) -> str:
    match one.unit:
        case Unit.BP:
            return percent(value)
        case Unit.MINOR:
            return str(Money(value, one.currency))
        case Unit.MINUTES:
            return f"{value} min" if value < 120 else f"{value / 60:.1f} h"

"""Which sums one inspection is part of, and in which cells they lie. Pure.

An inspection stands until it is voided or corrected; only standing ones are counted, with three exceptions that are
about what was taken back: ``voided``, ``corrected`` and how many decided refunds were corrected later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias
from zlib import crc32

from sync.server.figures.unit import DAY_US, Unit
from sync.server.storage.rows_figures import (
    BENCH_MEASURES,
    CYCLE_EDGES,
    DISPOSITIONS,
    DOCK_EDGES,
    IDENTITIES,
    LABEL_MEASURES,
    MEASURES,
    REFUNDS,
    SYNC_EDGES,
    VERDICTS,
)

VOIDED: Final = 1
CORRECTED: Final = 2

_AT: Final = {name: place for place, name in enumerate(BENCH_MEASURES)}
_UNITS, _VOIDED, _CORRECTED = _AT["units"], _AT["voided"], _AT["corrected"]
_HANDLING, _WEIGHED, _DIVERTED = _AT["handling_ms"], _AT["weighed_mg"], _AT["diverted_mg"]
_OVERRIDDEN, _LOOK, _KNOWN, _AGREE = _AT["overridden"], _AT["second_look"], _AT["reasons_known"], _AT["reasons_agree"]
_SKIPPED, _NO_WEIGHT, _NO_PHOTO = _AT["skipped"], _AT["skipped_weight"], _AT["skipped_photo"]
_DECIDED, _REFUND_CORRECTED, _DOUBTFUL = _AT["refunds_decided"], _AT["refunds_corrected"], _AT["clock_doubtful"]
_CYCLE, _DOCK, _SYNC, _HOUR = _AT["cycle_00"], _AT["dock_00"], _AT["sync_00"], _AT["hour_00"]
_TO = {name: _AT[f"to_{name}"] for name in DISPOSITIONS}
_IS = {name: _AT[f"is_{name}"] for name in IDENTITIES}
_WEIGHT = {("" if name == "none" else name): _AT[f"weight_{name}"] for name in VERDICTS}
_REFUND = {name: _AT[f"refund_{name}"] for name in REFUNDS}
_WIDE: Final = len(MEASURES)
_LONGEST_HANDLING_MS: Final = 3_600_000
_SHARDS: Final = 2
ONLY_MONTHS: Final = "sku"
"""Labels that are too many for cells of days."""
_WASTED: Final = ("destroy", "missing")

Key: TypeAlias = tuple[str | int, ...]
"""Of a cell, behind site and build."""
Sums: TypeAlias = list[int]


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of one inspection."""

    entry_id: str | None = None
    """The entry that says what was inspected; of several the smallest id, whenever each arrived."""
    unit: Unit | None = None
    ended: int = 0
    """``VOIDED`` | ``CORRECTED``."""
    corrections: frozenset[str] = frozenset()
    """The refunds that corrections named (:func:`refund_token`)."""

    @property
    def stands(self) -> bool:
        return not self.ended

    def joined(self, other: State) -> State:
        """What both together say. The order of joining makes no difference, nor does joining twice."""
        mine = self.entry_id is not None and (other.entry_id is None or self.entry_id <= other.entry_id)
        first = self if mine else other
        return State(first.entry_id, first.unit, self.ended | other.ended, self.corrections | other.corrections)


@dataclass(slots=True)
class Cells:
    """Changes to cells, added up."""

    benches: dict[Key, Sums] = field(default_factory=dict)
    merchants: dict[Key, Sums] = field(default_factory=dict)
    labels: dict[Key, Sums] = field(default_factory=dict)
    shrunk: bool = False
    """Something was taken away, so a cell may be empty now."""

    def change(self, before: State, after: State) -> None:
        """Replace what one inspection contributes."""
        if before.unit is not None:
            self.shrunk = True
            self._add(before, before.unit, -1)
        if after.unit is not None:
            self._add(after, after.unit, 1)

    def _add(self, state: State, unit: Unit, sign: int) -> None:
        shard = _shard(unit.station)
        key: Key = (unit.day, unit.station, unit.inspector)
        bench = self.benches.get(key)
        if bench is None:
            bench = self.benches[key] = [0] * len(BENCH_MEASURES)
        key = (unit.day, unit.merchant, unit.category, shard)
        merchant = self.merchants.get(key)
        if merchant is None:
            merchant = self.merchants[key] = [0] * _WIDE
        for place, amount in _contribution(state, unit):
            bench[place] += sign * amount
            if place < _WIDE:
                merchant[place] += sign * amount
        if state.stands:
            self._label(unit, shard, sign)

    def _label(self, unit: Unit, shard: int, sign: int) -> None:
        refunded = unit.refund_minor or 0
        priced = unit.original_minor is not None and unit.recovered_minor is not None
        original, recovered = (unit.original_minor, unit.recovered_minor) if priced else (0, 0)
        for kind, day, a, b in _labels(unit):
            sums = self.labels.get(key := (kind, day, unit.merchant, a, b, unit.currency, shard))
            if sums is None:
                sums = self.labels[key] = [0] * len(LABEL_MEASURES)
            sums[0] += sign
            sums[1] += sign * refunded
            if priced:
                sums[2] += sign
                sums[3] += sign * (original or 0)
                sums[4] += sign * (recovered or 0)


def refund_token(refund: str, minor: int | None, currency: str | None) -> str:
    """A refund as one word, to see whether a correction names the same."""
    known = refund if refund in REFUNDS else "other"
    return f"{known}:{'' if minor is None else minor}:{'' if minor is None else currency}"


@lru_cache(4096)
def _shard(station: str) -> int:
    return crc32(station.encode()) % _SHARDS


@lru_cache(4096)
def month_of(day: int) -> int:
    """The first day of a day's month, both as days since 1970."""
    from datetime import date

    begin = date(1970, 1, 1).toordinal()
    try:
        return date.fromordinal(day + begin).replace(day=1).toordinal() - begin
    except (ValueError, OverflowError):  # outside the years 1 to 9999
        return day


def _labels(unit: Unit) -> Iterator[tuple[str, int, str, str]]:
    yield "grade", unit.day, unit.grade, unit.disposition
    yield "reason", unit.day, unit.declared, unit.found
    yield ONLY_MONTHS, month_of(unit.day), unit.sku, ""
    if unit.looks:
        for look in unit.looks.split("\n"):
            yield "look", unit.day, look, ""
    if unit.skipped:
        for step in unit.skipped.split("\n"):
            yield "skipped", unit.day, step, ""


def _contribution(state: State, unit: Unit) -> list[tuple[int, int]]:
    """Places in ``BENCH_MEASURES`` and what is added there."""
    found: list[tuple[int, int]] = []
    if unit.refund in ("full", "partial", "none") and (state.stands or state.ended & CORRECTED):
        found.append((_DECIDED, 1))
        mine = refund_token(unit.refund, unit.refund_minor, unit.currency)
        if any(other != mine for other in state.corrections):
            found.append((_REFUND_CORRECTED, 1))
    if state.ended & VOIDED:
        found.append((_VOIDED, 1))
    if state.ended & CORRECTED:
        found.append((_CORRECTED, 1))
    if not state.stands:
        return found
    found += (
        (_UNITS, 1),
        (_TO.get(unit.disposition) or _TO["other"], 1),
        (_IS.get(unit.identity) or _IS["other"], 1),
        (_WEIGHT.get(unit.verdict) or _WEIGHT["other"], 1),
        (_REFUND.get(unit.refund) or _REFUND["other"], 1),
        (_HOUR + unit.confirmed_us % DAY_US // 3_600_000_000, 1),
    )
    for first, edges, value in (
        (_CYCLE, CYCLE_EDGES, unit.cycle_ms), (_DOCK, DOCK_EDGES, unit.dock_ms), (_SYNC, SYNC_EDGES, unit.sync_ms),
    ):  # fmt: skip
        found.append((_DOUBTFUL, 1) if value is None else (first + bisect_left(edges, value), 1))
    if unit.cycle_ms is not None:
        found.append((_HANDLING, min(unit.cycle_ms, _LONGEST_HANDLING_MS)))
    if unit.declared and unit.found:
        found.append((_KNOWN, 1))
        if unit.declared == unit.found:
            found.append((_AGREE, 1))
    if unit.overridden:
        found.append((_OVERRIDDEN, 1))
    if unit.looks:
        found.append((_LOOK, 1))
    if unit.skipped:
        found.append((_SKIPPED, 1))
        if "weight" in (steps := unit.skipped.split("\n")):
            found.append((_NO_WEIGHT, 1))
        if any(step.startswith("photo:") for step in steps):
            found.append((_NO_PHOTO, 1))
    if unit.mass_mg is not None:
        found.append((_WEIGHED, unit.mass_mg))
        if unit.disposition not in _WASTED:
            found.append((_DIVERTED, unit.mass_mg))
    return found

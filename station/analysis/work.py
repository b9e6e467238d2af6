"""From units to parcels: when each was begun and how long it kept a bench."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from station.analysis.benchmarks import handling_s
from station.analysis.unit import UnitSeen


def begun(units: Iterable[UnitSeen]) -> list[datetime]:
    """When work on each unit began; when it was confirmed, where the clock says nothing usable."""
    return [_begin(unit) for unit in units]


def parcels_begun(units: Iterable[UnitSeen]) -> list[datetime]:
    """When work on each parcel began: with its first unit."""
    first: dict[str, datetime] = {}
    for unit in units:
        moment = _begin(unit)
        before = first.get(unit.parcel_id)
        first[unit.parcel_id] = moment if before is None else min(before, moment)
    return sorted(first.values())


def parcel_seconds(units: Iterable[UnitSeen]) -> list[int]:
    """How long each parcel kept a bench: its units' times together, each counted with an hour at most."""
    took: dict[str, int] = {}
    for unit in units:
        seconds = handling_s(unit)
        if seconds is not None:
            took[unit.parcel_id] = took.get(unit.parcel_id, 0) + seconds
    return list(took.values())


def _begin(unit: UnitSeen) -> datetime:
    start = unit.started_at
    return start if start is not None and start <= unit.confirmed_at else unit.confirmed_at

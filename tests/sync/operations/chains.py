"""Chains of stations of any name."""

from __future__ import annotations

from collections.abc import Iterable

from station.ids import uuid7
from station.journal.entry import GENESIS, Entry, Fact, link


def chain_of(station: str, facts: Iterable[Fact]) -> list[Entry]:
    made: list[Entry] = []
    for each in facts:
        made.append(
            link(each, station=station, generation=1, seq=len(made) + 1, id=uuid7(), actor="B-17",
                 recorded_at="2026-11-22T10:17:03.250000Z", prev_hash=made[-1].hash if made else GENESIS)
        )  # fmt: skip
    return made

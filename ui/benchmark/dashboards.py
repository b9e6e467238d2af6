"""Dashboards and the lead's queue over a large database, beside the smallest query on the same connection."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table

from sync.protocol import QueueKind
from sync.server.figures import listing, views
from sync.server.figures.counting import ONLY_MONTHS, month_of
from sync.server.storage import Database, database_url, open_database
from sync.server.storage.rows_figures import (
    BENCH_MEASURES,
    CYCLE,
    DAYS,
    DOCK,
    LABEL_MEASURES,
    MEASURES,
    MONTHS,
    SYNC,
    figure_benches,
    figure_labels,
    figure_merchants,
    queue_items,
)
from ui.benchmark.figure import Figure, percentile
from ui.benchmark.postgres import WITHOUT, new_database, postgres

SITE: Final = "benchmark"
UNTIL: Final = date(2026, 11, 20)
_UNITS_A_DAY: Final = 140
_BENCHES: Final = 300
_MERCHANTS: Final = 20
_CATEGORIES: Final = 10
_SKUS: Final = 60_000
_QUEUE: Final = 100_000
_TIMES: Final = 7


def measure(folder: Path, *, inspections: int = 2_000_000) -> list[Figure]:
    """Measure on the embedded SQLite, and on PostgreSQL where there is one.

    Args:
        inspections: how many the cells stand for; their number grows with it.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        figures = _measured(f"sqlite:///{Path(scratch) / 'server.sqlite3'}", inspections, "SQLite", "")
    with postgres() as server:
        if server is None:
            return [*figures, Figure("dashboard_postgresql", 0, "ms", 0, WITHOUT, 0, WITHOUT, True)]
        with new_database(server) as name:
            return [*figures, *_measured(name, inspections, "PostgreSQL", "_postgresql")]


def _measured(url: str, inspections: int, called: str, suffix: str) -> list[Figure]:
    database = open_database(database_url(url))
    try:
        fill(database, inspections)
        took, floor = time_all(database, inspections)
    finally:
        database.close()
    limit_is = "SELECT 1 in a transaction on the same connection"
    figures = []
    for name, target in (("view", 300), ("queue", 50)):
        worst, slowest = max((ms, which) for which, ms in took.items() if which.startswith(name))
        figures.append(
            Figure(
                f"dashboard_{name}{suffix}_ms", round(worst, 1), "ms", round(floor, 3), limit_is,
                round(worst / floor, 1),
                f"≤ {target} ms (slowest: {slowest}; {inspections:,} inspections, {_QUEUE:,} in the queue, {called})",
                worst <= target,
            )
        )  # fmt: skip
    return figures


def questions(inspections: int) -> dict[str, Callable[[Connection], object]]:
    """What dashboards ask, over the whole time and by what makes most rows, and how a lead moves through the queue."""
    quarter = UNTIL - timedelta(days=min(91, days_of(inspections) - 1))
    whole = UNTIL - timedelta(days=min(399, days_of(inspections) - 1))

    def view(name: str, by: str, since: date = whole, **filters: str) -> Callable[[Connection], object]:
        return lambda connection: views.answer(connection, SITE, views.Question(name, since, UNTIL, by, filters))

    def queue(**asked: Any) -> Callable[[Connection], object]:
        question = listing.QueueQuestion(QueueKind.SECOND_LOOK, **asked)
        return lambda connection: listing.queue(connection, SITE, question)

    asked: dict[str, Callable[[Connection], object]] = {
        f"view {name} by {by}": view(name, by, quarter if by == "day" or name == "throughput" else whole)
        for name in ("throughput", "times", "dispositions", "checks", "refunds")
        for by in (("day", "station") if name == "throughput" else ("total", "day", "station", "merchant"))
    }
    asked |= {f"view {name} by label": view(name, "label") for name in ("grades", "reasons")}
    asked["view skus of a merchant"] = view("skus", "label", merchant="merchant-3")
    asked["queue first page"] = queue()
    asked["queue by value"] = queue(sort="value")
    asked["queue of a merchant"] = queue(filters={"merchant": "merchant-3"})
    asked["queue of an RMA"] = queue(text="RMA-77")
    asked["queue far down"] = queue(after=listing.cursor_of(1_700_000_000_000_000 + _QUEUE * 900_000, ""))
    return asked


def time_all(database: Database, inspections: int) -> tuple[dict[str, float], float]:
    """Median milliseconds of each question, and of the smallest query."""

    def median(ask: Callable[[Connection], object]) -> float:
        took = []
        for _ in range(_TIMES):
            started = time.perf_counter()
            with database.reading() as connection:
                ask(connection)
            took.append((time.perf_counter() - started) * 1000)
        return percentile(took, 50)

    asked = questions(inspections)
    return {name: median(ask) for name, ask in asked.items()}, median(lambda c: c.exec_driver_sql("SELECT 1").scalar())


def days_of(inspections: int) -> int:
    return max(1, inspections // (_BENCHES * _UNITS_A_DAY))


def fill(database: Database, inspections: int, waiting: int = _QUEUE) -> None:
    """Insert the cells that so many inspections leave, and a queue."""
    dice = random.Random(7)
    days = days_of(inspections)
    last = (UNTIL - views.EPOCH).days
    _insert(database, figure_benches, _benches(dice, last, days, inspections))
    _insert(database, figure_merchants, _merchants(dice, last, days, inspections))
    _insert(database, figure_labels, _labels(dice, last, days, inspections))
    _insert(database, queue_items, _queue(dice, waiting))
    if database.shared:
        with database.writing() as connection:
            connection.exec_driver_sql("ANALYZE")


def _insert(database: Database, table: Table, rows: Iterator[dict[str, object]]) -> None:
    batch: list[dict[str, object]] = []
    months: set[tuple[object, ...]] = set()
    key = [column.name for column in table.primary_key.columns][2:]
    for row in rows:
        if "day" in row:
            month = {**row, "grain": MONTHS, "day": month_of(int(str(row["day"])))}
            if (place := tuple(month[name] for name in key)) not in months:
                months.add(place)
                batch.append({"site_id": SITE, "build": 1, **month})
        if row.get("kind") != ONLY_MONTHS:
            batch.append({"site_id": SITE, "build": 1, "grain": DAYS, **row})
        if len(batch) >= 5_000:
            _put(database, table, batch)
            batch = []
    _put(database, table, batch)


def _put(database: Database, table: Table, batch: list[dict[str, object]]) -> None:
    if batch:
        with database.writing() as connection:
            database.insert_all(connection, table, batch)


def _sums(dice: random.Random, names: tuple[str, ...], units: int) -> dict[str, object]:
    found: dict[str, object] = dict.fromkeys(names, 0)
    found |= {"units": units, "handling_ms": units * 41_000, "weighed_mg": units * 700_000, "refunds_decided": units}
    found |= {"to_restock": units, "is_match": units, "weight_plausible": units, "refund_full": units}
    for histogram in (CYCLE, DOCK, SYNC):
        for _ in range(3):
            found[dice.choice(histogram)] = units // 3
    return found


def _benches(dice: random.Random, last: int, days: int, inspections: int) -> Iterator[dict[str, object]]:
    units = inspections // (days * _BENCHES)
    for day in range(last - days + 1, last + 1):
        for bench in range(_BENCHES):
            hours = {f"hour_{hour:02d}": units // 8 for hour in range(6, 14)}
            yield {
                "day": day, "station": f"bench-{bench:04d}", "inspector": f"B-{bench % 97:04d}",
                **_sums(dice, BENCH_MEASURES, units), **hours,
            }  # fmt: skip


def _merchants(dice: random.Random, last: int, days: int, inspections: int) -> Iterator[dict[str, object]]:
    units = inspections // (days * _MERCHANTS * _CATEGORIES * 2)
    for day in range(last - days + 1, last + 1):
        for number in range(_MERCHANTS * _CATEGORIES * 2):
            yield {
                "day": day, "merchant": f"merchant-{number // 2 % _MERCHANTS}",
                "category": f"category-{number // 2 // _MERCHANTS}", "shard": number % 2,
                **_sums(dice, MEASURES, units),
            }  # fmt: skip


def _labels(dice: random.Random, last: int, days: int, inspections: int) -> Iterator[dict[str, object]]:
    def sums(units: int) -> dict[str, object]:
        values = (units, units * 5_490, units, units * 5_490, units * 3_100)
        return dict(zip(LABEL_MEASURES, values, strict=True))

    for day in range(last - days + 1, last + 1):
        for kind, firsts, seconds in (("grade", "ABCD", "xyz"), ("reason", "abcdefghijk", "mno")):
            for merchant in range(_MERCHANTS):
                for first in firsts:
                    for second in seconds:
                        yield {
                            "kind": kind, "day": day, "merchant": f"merchant-{merchant}", "a": first, "b": second,
                            "currency": "EUR", "shard": dice.randrange(2), **sums(3),
                        }  # fmt: skip
    for month in range(-(-days // 30)):
        begin = ((UNTIL - timedelta(days=30 * month)).replace(day=1) - views.EPOCH).days
        for sku in range(min(_SKUS, inspections // 10)):
            yield {
                "kind": "sku", "day": begin, "merchant": f"merchant-{sku % _MERCHANTS}", "a": f"SKU-{sku:06d}", "b": "",
                "currency": "EUR", "shard": sku % 2, **sums(1 + sku % 17),
            }  # fmt: skip


def _queue(dice: random.Random, waiting: int) -> Iterator[dict[str, object]]:
    for number in range(waiting):
        yield {
            "kind": QueueKind.SECOND_LOOK.value, "item_id": f"item-{number:06d}",
            "since_us": 1_700_000_000_000_000 + number * 1_000_000, "station": f"bench-{number % _BENCHES:04d}",
            "generation": 0, "seq": 0, "merchant": f"merchant-{number % _MERCHANTS}",
            "reason": dice.choice(("wrong_serial", "photo_again", "empty")), "unit_id": f"unit-{number}",
            "lpn": f"LPN-{number:06d}", "rma": f"RMA-{number:06d}", "sku": f"SKU-{number % 997}",
            "disposition": "quarantine", "value_minor": dice.randrange(50_000), "currency": "EUR",
        }  # fmt: skip

"""Drain of backlogs to the server, durable and answered, beside the same bytes written in bulk in the same run.

One bench to the embedded SQLite and to PostgreSQL, and eight benches to two workers. Figures and queue follow the
pushes; how long after the last acknowledgement they are complete is a figure of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

import psycopg

from station.clock import SystemClock
from station.store.store import Store
from sync.client.api import HttpApi
from sync.client.drain import drain
from sync.protocol import TOKEN_VARIABLE, Limits
from sync.server.figures.following import behind
from sync.server.storage import Database, database_url
from sync.server.storage.database import open_beside
from ui.benchmark.figure import Figure
from ui.benchmark.postgres import WITHOUT, new_database, postgres
from ui.benchmark.world import inspections, open_world
from ui.demo.stage import Child

_ENTRIES: Final = 10_000
_BENCHES: Final = 8
_WORKERS: Final = 2
_BATCH: Final = Limits().batch_entries
_PATIENCE_S: Final = 300.0
_TABLE: Final = "CREATE TABLE bulk (station TEXT, seq BIGINT, payload {}, PRIMARY KEY (station, seq))"


@dataclass(frozen=True, slots=True)
class Drains:
    """What came of one run."""

    rate: float
    """Entries acknowledged in a second, over all benches."""
    behind_s: float
    """From the last acknowledgement until figures and queue knew everything."""
    payload: int
    """Bytes of one, on average."""


def measure(folder: Path, *, entries: int = _ENTRIES) -> list[Figure]:
    """Push backlogs from real stores to real server processes."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home = Path(scratch)
        url = f"sqlite:///{home / 'sqlite' / 'server' / 'server.sqlite3'}"
        one = run(home / "sqlite", url, benches=1, workers=1, entries=entries)
        inserted = _sqlite_insert(home / "bulk.db", entries, one.payload)
        figures = _figures(
            "drain_sqlite", one, inserted,
            f"multi-row INSERT of the same bytes into SQLite (FULL), commit each {_BATCH}",
            "≥ 6000 entries/s is asked of PostgreSQL; this is the embedded SQLite", None,
        )  # fmt: skip
        with postgres() as server:
            if server is None:
                return [*figures, Figure("drain_postgresql", 0, "entries/s", 0, WITHOUT, 0, WITHOUT, True)]
            with new_database(server) as name:
                copied, inserted = _postgres_bulk(name, entries, one.payload)
            beside = (
                f"raw COPY of the same bytes, commit each {_BATCH} (multi-row INSERT: {inserted:,.0f}/s; both without "
                "index on the id, judging, projections and answers)"
            )
            for what, benches, workers, least in (
                ("drain_postgresql", 1, 1, 6_000), (f"drain_postgresql_{_BENCHES}_benches", _BENCHES, _WORKERS, 12_000),
            ):  # fmt: skip
                with new_database(server) as name:
                    share = entries // benches
                    came = run(home / what, name, benches=benches, workers=workers, entries=share)
                target = f"≥ {least} entries/s ({benches} × {share} entries, {workers} worker{'s'[: workers - 1]})"
                figures += _figures(what, came, copied, beside, target, least)
        return figures


def run(home: Path, database: str, *, benches: int, workers: int, entries: int) -> Drains:
    """Let so many benches send so many entries each, at the same time.

    Args:
        home: a folder that is not there yet.
        database: URL of an empty one.
    """
    home.mkdir()
    payloads = [_record(home / f"bench-{number}", entries, number) for number in range(benches)]
    arguments = ["--home", str(home), "server", "--listen", "127.0.0.1:0", "--workers", str(workers)]
    server = Child("server", [*arguments, "--database", database], home / "server.log", {})
    try:
        url = server.hear("listening")
        seconds = _send_alone(home, url) if benches == 1 else _send_together(home, url, benches)
        behind_s = _until_counted(database)
    finally:
        server.stop()
    return Drains(benches * entries / seconds, behind_s, sum(payloads) // len(payloads))


def _record(home: Path, entries: int, number: int) -> int:
    """A bench that was offline; the average size of its payloads."""
    store = open_world(home, items=100, returns=100, station=home.name)
    facts = inspections(entries, photos=0, first=number * entries)  # the records' lane is measured, not the photos'
    while batch := list(islice(facts, 500)):
        store.commit(batch, actor="benchmark", drafts={})
    sizes = [len(entry.payload or b"") for entry in store.pending_entries(1_000, 1 << 30)]
    store.close()
    return sum(sizes) // len(sizes)


def _send_alone(home: Path, url: str) -> float:
    with _bench(home / "bench-0") as store:
        return _drain(store, url)


def _send_together(home: Path, url: str, benches: int) -> float:
    """Each bench is a process, as on its own machine."""
    context = multiprocessing.get_context("spawn")
    line = context.Barrier(benches + 1)
    crew = [
        context.Process(target=_be_a_bench, args=(home / f"bench-{number}", url, line, f"bench-{number}"))
        for number in range(benches)
    ]
    for one in crew:
        one.start()
    line.wait(120)
    started = time.perf_counter()
    line.wait(_PATIENCE_S)
    seconds = time.perf_counter() - started
    for one in crew:
        one.join(60)
    if any(one.exitcode != 0 for one in crew):
        raise RuntimeError(f"a bench ended with {[one.exitcode for one in crew]}")
    return seconds


def _be_a_bench(home: Path, url: str, line: Barrier, station: str) -> None:
    with _bench(home, station) as store:
        line.wait(120)
        _drain(store, url)
        line.wait(_PATIENCE_S)


@contextmanager
def _bench(home: Path, station: str = "bench-0") -> Iterator[Store]:
    store = Store.open(home, station=station, clock=SystemClock())
    try:
        yield store
    finally:
        store.close()


def _drain(store: Store, url: str) -> float:
    api = HttpApi(url, token=os.environ.get(TOKEN_VARIABLE), clock=SystemClock())
    try:
        return drain(store, api, SystemClock(), random.Random(1), within_s=_PATIENCE_S).seconds
    finally:
        api.close()


def _until_counted(url: str) -> float:
    started = time.perf_counter()
    database = open_beside(database_url(url))
    try:
        while _left(database) and time.perf_counter() - started < _PATIENCE_S:
            time.sleep(0.05)
    finally:
        database.close()
    return time.perf_counter() - started


def _left(database: Database) -> int:
    with database.reading() as connection:
        return behind(connection)[0]


def _figures(name: str, came: Drains, limit: float, limit_is: str, target: str, least: int | None) -> list[Figure]:
    return [
        Figure(
            f"{name}_entries_per_second", round(came.rate), "entries/s", round(limit), limit_is,
            round(limit / came.rate, 2), target, least is None or came.rate >= least,
        ),
        Figure(
            f"{name}_figures_behind", round(came.behind_s, 2), "s", 0.0, "figures complete with the last answer", 0.0,
            "≤ 10 s after the last acknowledgement", came.behind_s <= 10,
        ),
    ]  # fmt: skip


def _sqlite_insert(path: Path, rows: int, size: int) -> float:
    connection = sqlite3.connect(str(path), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(_TABLE.format("BLOB"))

    def put(batch: Sequence[tuple[str, int, bytes]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO bulk VALUES (?, ?, ?)", batch)
        connection.execute("COMMIT")

    rate = _rate(rows, size, put)
    connection.close()
    return rate


def _postgres_bulk(url: str, rows: int, size: int) -> tuple[float, float]:
    """Rows in a second by COPY, and by multi-row INSERT."""
    with psycopg.connect(url) as connection:
        connection.execute(_TABLE.format("BYTEA").encode())
        connection.execute("ALTER TABLE bulk ALTER COLUMN payload SET STORAGE EXTERNAL")  # as our own table has it
        connection.commit()

        def copy(batch: Sequence[tuple[str, int, bytes]]) -> None:
            with connection.cursor() as cursor, cursor.copy("COPY bulk FROM STDIN (FORMAT BINARY)") as into:
                into.set_types(["text", "int8", "bytea"])
                for row in batch:
                    into.write_row(row)
            connection.commit()

        def insert(batch: Sequence[tuple[str, int, bytes]]) -> None:
            places = ", ".join(["(%s, %s, %s)"] * len(batch))
            connection.execute(f"INSERT INTO bulk VALUES {places}".encode(), [value for row in batch for value in row])
            connection.commit()

        copied = _rate(rows, size, copy)
        connection.execute("TRUNCATE bulk")
        return copied, _rate(rows, size, insert)


def _rate(rows: int, size: int, put: Callable[[Sequence[tuple[str, int, bytes]]], None]) -> float:
    payload = os.urandom(size)
    started = time.perf_counter()
    for first in range(0, rows, _BATCH):
        put([("b", seq, payload) for seq in range(first, min(rows, first + _BATCH))])
    return rows / (time.perf_counter() - started)

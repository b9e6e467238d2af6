"""Drain of a backlog to the server, projected and durable, beside the same bytes inserted in bulk."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import time
from itertools import islice
from pathlib import Path

from station.clock import SystemClock
from sync.client.api import HttpApi
from sync.client.drain import drain
from sync.protocol import TOKEN_VARIABLE
from ui.benchmark.figure import Figure
from ui.benchmark.world import inspections, open_world
from ui.demo.stage import Child

_ENTRIES = 10_000
_BATCH = 100


def measure(folder: Path, *, entries: int = _ENTRIES) -> list[Figure]:
    """Push a backlog from a real store to a real server process."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home = Path(scratch)
        store = open_world(home / "station", items=100, returns=100)
        facts = inspections(entries, photos=0)  # the records' lane is measured, not the photos'
        while batch := list(islice(facts, 500)):
            store.commit(batch, actor="benchmark", drafts={})
        sizes = [len(entry.payload or b"") for entry in store.pending_entries(1_000, 1 << 30)]
        server = Child(
            "server", ["--home", str(home / "server"), "server", "--listen", "127.0.0.1:0"], home / "server.log", {}
        )
        try:
            url = server.hear("listening")
            api = HttpApi(url, token=os.environ.get(TOKEN_VARIABLE), clock=SystemClock())
            drained = drain(store, api, SystemClock(), random.Random(1), within_s=300)
            api.close()
        finally:
            server.stop()
            store.close()
        rate = drained.entries / drained.seconds
        limit = _bulk(home / "bulk.db", entries, sum(sizes) // len(sizes))
    return [
        Figure(
            "drain_entries_per_second", round(rate), "entries/s", round(limit),
            f"multi-row INSERT of the same bytes into SQLite (FULL), commit each {_BATCH}",
            round(limit / rate, 2), "≥ 6000 entries/s (set for PostgreSQL; this is the embedded SQLite)", rate >= 6_000,
        )
    ]  # fmt: skip


def _bulk(path: Path, rows: int, size: int) -> float:
    connection = sqlite3.connect(str(path), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE entries (station TEXT, seq INTEGER, payload BLOB, PRIMARY KEY (station, seq))")
    payload = os.urandom(size)
    started = time.perf_counter()
    for first in range(0, rows, _BATCH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO entries VALUES (?, ?, ?)", [("b", seq, payload) for seq in range(first, first + _BATCH)]
        )
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return rows / seconds

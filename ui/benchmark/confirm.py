"""CONFIRM → durable: what one confirmed unit costs the disk, photos already being there."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from station.journal.entry import Fact
from station.store.store import DATABASE, Store
from ui.benchmark.figure import Append, Figure, percentile
from ui.benchmark.world import inspections, open_world

_REPEATS = 400
_SAMPLE = 20
_DRAFT = b"x" * 4_000


def measure(folder: Path) -> list[Figure]:
    """Commit inspections one by one, each beside one raw fsync'd append of as many bytes on the same disk."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home = Path(scratch)
        store = open_world(home / "station", items=100, returns=100)
        facts = list(inspections(_REPEATS + _SAMPLE))
        size = _bytes_per_commit(store, facts[:_SAMPLE])
        append = Append(home, size)
        ours: list[float] = []
        raw: list[float] = []
        for fact in facts[_SAMPLE:]:
            raw.append(append.once_ms())
            started = time.perf_counter()
            store.commit([fact], actor="benchmark", drafts={"current": _DRAFT})
            ours.append((time.perf_counter() - started) * 1000)
        append.close()
        store.close()
    limit_is = f"one raw fsync'd append of the {size} bytes that such a commit adds to the WAL"
    figures = []
    for percent, factor in ((50, 5), (99, 3)):
        value, limit = percentile(ours, percent), percentile(raw, percent)
        figures.append(
            Figure(
                f"confirm_to_durable_p{percent}",
                round(value, 2),
                "ms",
                round(limit, 2),
                limit_is,
                round(value / limit, 2),
                f"≤ {factor} × the limit",
                value <= factor * limit,
            )
        )
    return figures


def _bytes_per_commit(store: Store, facts: list[Fact]) -> int:
    """How much the WAL grows by one commit: the least that any durable form of it must write."""
    wal = store.home / f"{DATABASE}-wal"
    grown = []
    for fact in facts:
        before = wal.stat().st_size
        store.commit([fact], actor="benchmark", drafts={"current": _DRAFT})
        grown.append(wal.stat().st_size - before)
    return max(1, int(percentile([float(size) for size in grown if size > 0] or [1.0], 50)))

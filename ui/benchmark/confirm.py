"""CONFIRM → durable: what one confirmed unit costs the disk, photos already being there."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from ui.benchmark.figure import Append, Figure, percentile
from ui.benchmark.world import inspections, open_world

_REPEATS = 400


def measure(folder: Path) -> list[Figure]:
    """Commit inspections one by one, each beside one raw fsync'd append of the same size on the same disk."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home = Path(scratch)
        store = open_world(home / "station", items=100, returns=100)
        facts = list(inspections(_REPEATS))
        append = Append(home, len(facts[0].payload))
        ours: list[float] = []
        raw: list[float] = []
        draft = b"x" * 4_000
        for fact in facts:
            raw.append(append.once_ms())
            started = time.perf_counter()
            store.commit([fact], actor="benchmark", drafts={"current": draft})
            ours.append((time.perf_counter() - started) * 1000)
        append.close()
        store.close()
    value, limit = percentile(ours, 99), percentile(raw, 99)
    median, bare = percentile(ours, 50), percentile(raw, 50)
    return [
        Figure(
            "confirm_to_durable_p99", round(value, 2), "ms", round(limit, 2), "p99 of one raw fsync'd append",
            round(value / limit, 2), "≤ 3 × the limit", value <= 3 * limit,
        ),
        Figure(
            "confirm_to_durable_p50", round(median, 2), "ms", round(bare, 2), "median of one raw fsync'd append",
            round(median / bare, 2), "beside p99, for information", True,
        ),
    ]  # fmt: skip

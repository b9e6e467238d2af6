"""The line comes back: 500 benches send 100 entries each at the same moment, while one bench simply works.

No bench waits a random while before its first request, which the product's benches do: this is the worst case. What
comes back as "busy" is sent again as the product's own decisions say (``decide_next``, full jitter).
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from station.clock import SystemClock
from station.ids import uuid7
from station.journal.entry import GENESIS, Entry, Fact, link
from sync.client.api import HttpApi, Packed
from sync.client.decide import Pace, Timing, Verdict, decide_next, wait_s
from ui.benchmark.figure import Figure, percentile
from ui.benchmark.world import inspections
from ui.demo.stage import Child

_BENCHES = 500
_ENTRIES = 100
_LONE_EVERY_S = 0.05
_PATIENCE_S = 120.0
"""Then the storm is over, whoever is still waiting; what did not arrive counts as lost."""
_RECORDED_AT = "2026-11-23T06:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of it."""

    seconds: float
    """From the moment the line is back until the last bench has its answers."""
    lost: int
    """Entries that the server does not have, or has without their inspection."""
    lone_ms: tuple[float, ...]
    """Of the bench that works: recorded → acknowledged, waits and repeats included."""
    turned_away: int
    """Requests that were answered with "busy"."""
    calm_ms: tuple[float, ...]
    """The lone bench's times before the storm."""


def measure(folder: Path, *, benches: int = _BENCHES, entries: int = _ENTRIES) -> list[Figure]:
    """Let the storm loose on a real server process."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home = Path(scratch)
        server = Child(
            "server", ["--home", str(home / "server"), "server", "--listen", "127.0.0.1:0"], home / "server.log", {}
        )
        try:
            storm = let_loose(server.hear("listening"), benches, entries)
        finally:
            server.stop()
    p99, calm = percentile(storm.lone_ms, 99), percentile(storm.calm_ms, 99)
    return [
        Figure(
            "storm_seconds", round(storm.seconds, 2), "s", 0.0,
            f"{benches} benches × {entries} entries at once; {storm.turned_away} times told to come again",
            0.0, "≤ 10 s, nothing lost", storm.seconds <= 10 and storm.lost == 0,
        ),
        Figure("storm_lost", storm.lost, "entries", 0, "none may be", 0.0, "0", storm.lost == 0),
        Figure(
            "storm_lone_bench_p99", round(p99), "ms", round(calm, 1), "the same bench before the storm",
            round(p99 / max(calm, 0.001), 1), "< 1000 ms", p99 < 1_000,
        ),
    ]  # fmt: skip


def let_loose(url: str, benches: int, entries: int) -> Storm:
    """Send from so many benches at once to a server that is new."""
    facts = list(islice(inspections(entries, photos=0), entries))
    apis = [HttpApi(url, token=None, clock=SystemClock()) for _ in range(benches)]
    packed = [apis[0].pack(f"storm-{n}", _chain(f"storm-{n}", facts)) for n in range(benches)]
    lone = _Lone(url, facts)
    calm = tuple(lone.send() for _ in range(10))
    away = [0] * benches
    line = threading.Barrier(benches + 1)

    def bench(number: int) -> None:
        line.wait(120)
        away[number] = _send(apis[number], packed[number], random.Random(number), time.monotonic() + _PATIENCE_S)

    with ThreadPoolExecutor(benches) as crowd:
        crowd_at_work = [crowd.submit(bench, number) for number in range(benches)]
        line.wait(120)
        started = time.perf_counter()
        times = []
        while not all(one.done() for one in crowd_at_work):
            times.append(lone.send())
            time.sleep(_LONE_EVERY_S)
        for one in crowd_at_work:
            one.result()
    seconds = time.perf_counter() - started
    status = apis[0].status().answer
    due = benches * entries + lone.sent
    lost = due if status is None else due - min(status.entries, status.inspections_received)
    for api in (*apis, lone.api):
        api.close()
    return Storm(seconds, lost, tuple(times), sum(away), calm)


class _Lone:
    """A bench that records one inspection after the other."""

    def __init__(self, url: str, facts: Sequence[Fact]) -> None:
        self.api = HttpApi(url, token=None, clock=SystemClock())
        self.sent = 0
        self._facts = facts
        self._last: Entry | None = None
        self._rng = random.Random(0)

    def send(self) -> float:
        """Milliseconds until one more is acknowledged."""
        fact = self._facts[self.sent % len(self._facts)]
        (self._last,) = _chain("lone", [fact], self._last)
        started = time.perf_counter()
        _send(self.api, self.api.pack("lone", [self._last]), self._rng, time.monotonic() + _PATIENCE_S)
        self.sent += 1
        return (time.perf_counter() - started) * 1000


def _send(api: HttpApi, packed: Packed, rng: random.Random, until: float) -> int:
    """Until everything is acknowledged, or it is too late; how often it was turned away."""
    pace, away = Pace(len(packed.entries)), 0
    while time.monotonic() < until:
        outcome = api.push(packed)
        if outcome.answer is not None and len(outcome.answer.results) == len(packed.entries):
            return away
        away += outcome.verdict is Verdict.BUSY
        decided = decide_next(
            pace, outcome.verdict, sent=0, limit=len(packed.entries), timing=Timing(),
            retry_after_s=outcome.retry_after_s,
        )  # fmt: skip
        pace = decided.pace
        time.sleep(wait_s(decided, rng))
    return away


def _chain(station: str, facts: Sequence[Fact], last: Entry | None = None) -> list[Entry]:
    """Entries of one station; each inspection gets an id of its own."""
    made: list[Entry] = []
    for fact in facts:
        before = made[-1] if made else last
        made.append(
            link(
                _renamed(fact), station=station, generation=1, seq=before.seq + 1 if before else 1, id=uuid7(),
                recorded_at=_RECORDED_AT, actor="storm", prev_hash=before.hash if before else GENESIS,
            )
        )  # fmt: skip
    return made


def _renamed(fact: Fact) -> Fact:
    """The same inspection of another unit of another return; several benches with one would be a case for a lead, not
    a storm."""
    payload = fact.payload
    for name in (b"inspection_id", b"unit_id", b"parcel_id", b"lpn", b"rma"):
        mark = b'"' + name + b'":"'
        start = payload.index(mark) + len(mark)
        payload = payload[:start] + uuid7().encode() + payload[payload.index(b'"', start) :]
    return replace(fact, payload=payload)

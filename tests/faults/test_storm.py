"""F7, F22: many benches at the same moment, and a disk that takes its time."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, Engine, event

from station.clock import SystemClock
from station.store import Store
from sync.client.decide import Next, Pace, Timing, Verdict, decide_next, wait_s
from tests.conftest import WarningsOnTheLog
from tests.faults.invariants import Centre
from tests.faults.serving import ForkedServer
from tests.sync.material import STATION, an_inspection, fact
from ui.benchmark.storm import let_loose


def test_a_storm_loses_nothing_and_the_bench_at_work_gets_through(
    server: ForkedServer, centre: Centre, expected_warnings: WarningsOnTheLog
) -> None:
    """The benchmark's storm, small: what it measures it also counts."""
    expected_warnings(".*", required=False)
    server.start()
    storm = let_loose(server.url, benches=24, entries=20)
    assert storm.lost == 0
    assert len(storm.lone_ms) >= 1
    held = Counter(one.station for one in centre.held())
    assert {held[f"storm-{number}"] for number in range(24)} == {20}
    assert set(centre.effects().values()) == {1}


def arrivals(decided: Next, benches: int = 500) -> Counter[int]:
    """How many benches come back in each tenth of a second."""
    return Counter(int(wait_s(decided, Random(bench)) * 10) for bench in range(benches))


def test_benches_that_are_told_the_same_do_not_come_back_together() -> None:
    pace = Pace(100)
    crowd: list[int] = []
    for _ in range(4):
        decided = decide_next(pace, Verdict.BUSY, sent=100, limit=100, timing=Timing(), retry_after_s=5)
        pace = decided.pace
        come = arrivals(decided)
        assert min(come) >= 50, "nobody comes before the server said"
        crowd.append(max(come.values()))
    assert crowd[0] < 100
    assert crowd[-1] < 25, "each time they spread further"


def test_control_without_jitter_all_come_at_once() -> None:
    decided = decide_next(Pace(100), Verdict.BUSY, sent=100, limit=100, timing=Timing(), retry_after_s=5)
    bare = Next(decided.do, decided.pace, ceiling_s=0.0, floor_s=decided.floor_s)
    assert max(arrivals(bare).values()) == 500


@pytest.fixture
def hanging() -> object:
    """The disk takes as long as it likes over the next commit: until ``release`` is set."""

    class Hanging:
        armed, reached, release = threading.Event(), threading.Event(), threading.Event()

    def hang(connection: Connection) -> None:
        if Hanging.armed.is_set() and not Hanging.reached.is_set():
            Hanging.reached.set()
            assert Hanging.release.wait(20)

    event.listen(Engine, "commit", hang)
    yield Hanging
    event.remove(Engine, "commit", hang)


def test_while_the_disk_takes_its_time_the_bench_is_read_and_nothing_is_refused(home: Path, hanging: object) -> None:
    with Store.open(home, station=STATION, clock=SystemClock(), ballast_bytes=0) as store:
        store.commit([fact(an_inspection(1))], actor="B-17", drafts={})
        slow = threading.Thread(target=lambda: store.commit([fact(an_inspection(2))], actor="B-17", drafts={}))
        behind = threading.Thread(target=lambda: store.commit([fact(an_inspection(3))], actor="B-17", drafts={}))
        hanging.armed.set()  # type: ignore[attr-defined]
        slow.start()
        assert hanging.reached.wait(20)  # type: ignore[attr-defined]
        behind.start()
        for _ in range(20):  # looking things up does not wait for the disk
            assert store.unsent().entries == 1
            assert len(store.recent(10)) == 1
        assert behind.is_alive(), "the next one waits in line"
        hanging.release.set()  # type: ignore[attr-defined]
        slow.join(20)
        behind.join(20)
        assert store.unsent().entries == 3, "neither was told that the database is busy"


def test_control_a_reader_on_the_writers_own_connection_waits_for_the_disk(home: Path, hanging: object) -> None:
    with Store.open(home, station=STATION, clock=SystemClock(), ballast_bytes=0) as store:
        store.commit([fact(an_inspection(1))], actor="B-17", drafts={})
        slow = threading.Thread(target=lambda: store.commit([fact(an_inspection(2))], actor="B-17", drafts={}))
        found: list[int] = []
        looking = threading.Thread(
            target=lambda: found.append(
                store._writer.call(
                    lambda connection: connection.exec_driver_sql("SELECT count(*) FROM journal").scalar_one(),
                    doing="looking",
                )
            )
        )
        hanging.armed.set()  # type: ignore[attr-defined]
        slow.start()
        assert hanging.reached.wait(20)  # type: ignore[attr-defined]
        looking.start()
        looking.join(0.2)
        assert looking.is_alive()
        assert found == []
        hanging.release.set()  # type: ignore[attr-defined]
        looking.join(20)
        slow.join(20)
    assert found == [2]

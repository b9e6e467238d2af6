"""Exactly once, whatever the network does and whoever is killed; with controls that must fail."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from station.clock import SystemClock
from sync.client.api import HttpApi
from sync.client.loop import SyncLoop
from sync.client.states import Link, SyncState
from tests.conftest import WarningsOnTheLog
from tests.sync.faultproxy import Fate, FaultProxy
from tests.sync.material import SWIFT, FileOutbox, LocalServer, ServerProcess, dice, discrepancies, some_entries, until


class Running:
    """A loop on a thread of its own, as the app runs it."""

    def __init__(self, outbox: FileOutbox, url: str, seed: int) -> None:
        self.states: list[SyncState] = []
        self._api = HttpApi(url, token=None, clock=SystemClock(), deadline_s=5)
        self.loop = SyncLoop(outbox, self._api, SystemClock(), dice(seed), SWIFT)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.loop.run, args=(self._stop.is_set, self.states.append))
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._api.close()


def storm(server: ServerProcess, outbox: FileOutbox, seed: int, count: int, kills: int) -> FaultProxy:
    """Record while the proxy does its worst and the server is killed; then heal and wait for the end."""
    entries, _ = some_entries(count)
    outbox.record(entries[: count // 4])
    rng = random.Random(seed)
    with FaultProxy(server.port, seed) as proxy:
        proxy.ambush(b"POST /v1/journal", Fate.DROP_RESPONSE, Fate.CUT_RESPONSE, Fate.DUPLICATE)
        running = Running(outbox, proxy.url, seed)
        try:
            recorded = count // 4
            for kill in range(kills + 1):
                share = (count - recorded) // (kills + 1 - kill)
                for start in range(recorded, recorded + share, 10):
                    outbox.record(entries[start : min(start + 10, recorded + share)])
                    running.loop.wake()
                    time.sleep(0.002)
                recorded += share
                if kill < kills:
                    goal = rng.randrange(count // 8, count // 2)
                    until(lambda goal=goal: outbox.unsent().entries <= goal, 30, "some progress")
                    server.kill()
                    server.start()
            outbox.record(entries[recorded:])
            proxy.heal()
            until(lambda: outbox.unsent().entries == 0, 15, "the queue drains after the network has healed")
        finally:
            running.stop()
        until_quiet(server)
    return proxy


def until_quiet(server: ServerProcess) -> None:
    """Requests that the proxy doubled may still be at work in the server."""
    until(lambda: server.get("/v1/health").status_code == 200, 5, "health")


SEEDS = [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 23))]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_doubled(
    own_server: ServerProcess, outbox: FileOutbox, seed: int, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    proxy = storm(own_server, outbox, seed, count=1000, kills=3)
    assert discrepancies(own_server, outbox.entries()) == []
    assert own_server.status()["duplicates"] > 0, f"this run had no teeth: {proxy.seen}"
    assert {status for status, _ in outbox.statuses().values()} <= {"accepted", "duplicate"}
    assert len([fate for fate in proxy.seen if fate is not Fate.OK]) >= 5


def test_the_checker_sees_doubles_when_the_constraint_is_missing(
    own_server: ServerProcess, outbox: FileOutbox, expected_warnings: WarningsOnTheLog
) -> None:
    """Negative control: the same run against a database without its unique keys must be found out."""
    expected_warnings(".*", required=False)
    own_server.stop()
    drop_keys(own_server.database, "entries", "inspections")
    own_server.start()
    entries, _ = some_entries(60)
    outbox.record(entries)
    with FaultProxy(own_server.port, 1, {Fate.OK: 1}) as proxy:
        proxy.ambush(b"POST /v1/journal", Fate.DUPLICATE)
        running = Running(outbox, proxy.url, 1)
        until(lambda: outbox.unsent().entries == 0, 10, "drained")
        running.stop()
    wrong = discrepancies(own_server, entries)
    assert "entry 1 is there 2 times" in wrong
    assert any("inspections instead of" in line for line in wrong)


def drop_keys(database: Path, *tables: str) -> None:
    db = sqlite3.connect(database)
    for table in tables:
        db.executescript(
            f"CREATE TABLE bare AS SELECT * FROM {table}; DROP TABLE {table}; ALTER TABLE bare RENAME TO {table};"
        )
    db.close()


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_the_bench_killed_anywhere_sends_the_rest_after_its_restart(
    own_server: ServerProcess, outbox: FileOutbox, tmp_path: Path, seed: int
) -> None:
    entries, _ = some_entries(900)
    outbox.record(entries)
    rng = random.Random(seed)
    code = "import sys; from tests.sync.clientprocess import main; main(sys.argv[1], sys.argv[2])"
    kills = 0
    for attempt in range(40):
        before = outbox.unsent().entries
        client = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "outbox.sqlite3"), own_server.url], env=os.environ
        )
        if kills < 2:
            goal = before - rng.randrange(1, 300)
            until(lambda goal=goal: outbox.unsent().entries <= goal, 20, f"progress in attempt {attempt}")
            client.kill()
            kills += client.wait(10) != 0
        else:
            assert client.wait(30) == 0
            break
    assert kills == 2
    assert outbox.unsent().entries == 0
    assert discrepancies(own_server, entries) == []


def test_a_decision_is_at_the_server_within_a_second(local_server: LocalServer, outbox: FileOutbox) -> None:
    running = Running(outbox, local_server.url, 1)
    try:
        until(lambda: any(state.state is Link.ONLINE for state in running.states), 5, "online")
        entries, _ = some_entries(1)
        started = time.monotonic()
        outbox.record(entries)
        running.loop.wake()
        until(lambda: outbox.unsent().entries == 0, 5, "sent")
        assert time.monotonic() - started < 1.0
        until(lambda: running.states[-1].last_synced_at is not None, 5, "the bar knows")
    finally:
        running.stop()

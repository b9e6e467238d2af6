"""Several workers on one PostgreSQL: one port, one truth, whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from station.clock import SystemClock
from sync.client.api import HttpApi
from tests.postgres import MakePostgres
from tests.sync.material import STATION, ServerProcess, until


def children_of(process: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


@pytest.fixture
def url(make_postgres: MakePostgres) -> str:
    return make_postgres(None).set(drivername="postgresql").render_as_string(hide_password=False)


def test_two_workers_answer_and_a_dead_one_is_replaced(tmp_path: Path, url: str) -> None:
    with ServerProcess(tmp_path / "home", "--database", url, "--workers", "2") as server:
        first = children_of(server.pid)
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(children_of(server.pid)) == 2 and first[0] not in children_of(server.pid), 20, "two")
        for _ in range(8):  # each new connection may meet either worker
            api = HttpApi(server.url, token=None, clock=SystemClock())
            assert api.hello(STATION).answer is not None
            api.close()
        workers = children_of(server.pid)
        assert server.stop() == 0
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()], "all end with the parent"


def test_workers_end_when_their_parent_is_killed(tmp_path: Path, url: str) -> None:
    with ServerProcess(tmp_path / "home", "--database", url, "--workers", "2") as server:
        workers = children_of(server.pid)
        server.kill()
        until(lambda: not [pid for pid in workers if Path(f"/proc/{pid}").exists()], 10, "orphans end")


def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    words = [
        "server",
        "--database",
        "postgresql://nobody@127.0.0.1:1/none",
        "--workers",
        "2",
        "--listen",
        "127.0.0.1:0",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "ui.cli", "--home", str(tmp_path), *words], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 3
    assert "PostgreSQL at postgresql+psycopg://nobody@127.0.0.1:1/none cannot be used" in run.stderr.splitlines()[-1]

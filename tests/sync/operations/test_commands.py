"""The commands of IT from end to end, as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from station.clock import SystemClock
from station.store import Store
from tests.sync.material import STATION, ServerProcess, an_inspection, discrepancies, fact, jpeg_of


def station(home: Path, *words: str, fails: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "--home", str(home), *words], env=os.environ, check=False, text=True,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == fails, done.stderr
    return done.stdout if not fails else done.stderr


def recorded(store: Store, numbers: range) -> list:
    made = []
    for number in numbers:
        jpeg = jpeg_of(number)
        store.photos.keep(jpeg)
        made += store.commit([fact(an_inspection(number, [jpeg]))], actor="B-17", drafts={})
    return made


def test_a_dead_pc_a_restored_one_and_a_restored_server_come_to_the_same(tmp_path: Path) -> None:
    """Exactly once over every way back: unsent file (twice), restored bench, restored server."""
    bench, new_bench = tmp_path / "bench", tmp_path / "new-bench"
    with Store.open(bench, station=STATION, clock=SystemClock(), ballast_bytes=0) as store:
        entries = recorded(store, range(4))
        told = json.loads(station(bench, "backup", "--out", str(tmp_path / "b"), "--json"))
        assert (told["seq"], told["photos"]) == (4, 4)
        entries += recorded(store, range(4, 7))
    unsent = tmp_path / "unsent.zip"
    assert json.loads(station(bench, "backup", "--unsent", "--out", str(unsent), "--json")) == {
        "entries": 7, "photos": 7,
    }  # fmt: skip
    with ServerProcess(tmp_path / "centre") as server:
        sent = json.loads(station(bench, "restore", str(unsent), "--send-to", server.url, "--json"))
        assert sent == {"entries": {"accepted": 7}, "photos_lost": 0}
        again = json.loads(station(bench, "restore", str(unsent), "--send-to", server.url, "--json"))
        assert again["entries"] == {"duplicate": 7}
        station(new_bench, "restore", str(tmp_path / "b"))
        assert "holds a station already" in station(new_bench, "restore", str(tmp_path / "b"), fails=1)
        with Store.open(new_bench, station=STATION, clock=SystemClock(), ballast_bytes=0) as store:
            added = recorded(store, range(7, 9))
            assert added[0].generation > 1
        later = tmp_path / "later.zip"
        station(new_bench, "backup", "--unsent", "--out", str(later))
        sent = json.loads(station(new_bench, "restore", str(later), "--send-to", server.url, "--json"))
        assert sent["entries"] == {"accepted": 2, "duplicate": 4}
        assert discrepancies(server, entries + added) == []
        assert server.status()["photos"] == 9
        keys = ["--keys", str(tmp_path / "keys")]
        assert "must not lie in" in station(
            server.home,
            "server",
            "backup",
            "--out",
            str(tmp_path / "sb"),
            "--keys",
            str(tmp_path / "sb" / "k"),
            fails=2,
        )
        station(server.home, "server", "backup", "--out", str(tmp_path / "sb"), *keys)
        secret = next((tmp_path / "keys").iterdir())
        assert secret.stat().st_mode & 0o077 == 0
        assert not any(secret.read_bytes() in path.read_bytes() for path in (tmp_path / "sb").glob("*.*"))
        epoch = server.status()["epoch"]
        assert server.stop() == 0
    second = tmp_path / "second"
    moved = json.loads(station(second, "server", "restore", str(tmp_path / "sb"), *keys, "--json"))
    assert moved["photos"] == {"there": 9, "missing": 0}
    assert "is not empty" in station(second, "server", "restore", str(tmp_path / "sb"), fails=1)
    with ServerProcess(second) as server:
        assert discrepancies(server, entries + added) == []
        assert server.status()["epoch"] == moved["epoch"] != epoch


def test_forgetting_and_tidying(tmp_path: Path) -> None:
    bench, home = tmp_path / "bench", tmp_path / "centre"
    with Store.open(bench, station=STATION, clock=SystemClock(), ballast_bytes=0) as store:
        entries = recorded(store, range(3))
    unsent = tmp_path / "unsent.zip"
    station(bench, "backup", "--unsent", "--out", str(unsent))
    with ServerProcess(home) as server:
        station(bench, "restore", str(unsent), "--send-to", server.url)
        assert "another server already uses" in station(home, "server", "forget", "x", fails=3)
    unit = json.loads(entries[0].payload)["unit_id"]
    assert station(home, "server", "forget", unit).startswith("1 records and 1 photos are gone")
    assert "no inspection of unit" in station(home, "server", "forget", "nobody", fails=1)
    assert station(home, "server", "tidy").startswith("0 units")
    assert len(station(home, "server", "new-epoch").strip()) == 32


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["server", "--database", "sqlite:///x", "backup", "--out", "b"], "go behind 'backup'"),
        (["server", "migrate", "--from", "sqlite:////nowhere/x.db", "--to", "sqlite:////nowhere/y.db"], "no such file"),
        (["server", "migrate", "--from", "sqlite:////n/x.db", "--to", "x", "--photos-to", "p"], "belong together"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, words: list[str], text: str) -> None:
    assert text in station(tmp_path, *words, fails=2)

"""The PC of an enrolled station died: what it had not sent still comes in, by the real command, for whoever may."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from station.journal.seal import to_base64
from sync.client.identity import make_key
from sync.server.errors import ApiError
from tests.sync.access.material import DoorServer, a_bench, join


def command(home: Path, *words: str, fails: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "STATION_SERVER_TOKEN"}
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "--home", str(home), *words], env=environment, check=False, text=True,
        capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == fails, (done.stdout, done.stderr)
    return done.stdout if not fails else done.stderr


@pytest.fixture
def unsent(door: DoorServer, tmp_path: Path) -> Path:
    """The rest of ``bench-1``: two records are at the server, three more are in the file."""
    with a_bench(door, tmp_path / "dead") as bench:
        bench.record(2)
        bench.sync()
        bench.record(3, 2)
    file = tmp_path / "unsent.zip"
    command(tmp_path / "dead", "backup", "--unsent", "--out", str(file))
    return file


def test_a_code_of_it_lets_the_rest_in_once(door: DoorServer, unsent: Path, tmp_path: Path) -> None:
    here = tmp_path / "any-pc"
    refused = command(here, "restore", str(unsent), "--send-to", door.url, fails=1)
    assert "does not take these records from here" in refused
    assert door.status_of("main") == 2, "the control: without a code nothing comes in"

    for_another = command(here, "restore", str(unsent), "--send-to", door.url, "--code", door.code("bench-2"), fails=1)
    assert "the code must be for station 'bench-1'" in for_another
    assert door.status_of("main") == 2

    code = door.code("bench-1")
    told = json.loads(command(here, "restore", str(unsent), "--send-to", door.url, "--code", code, "--json"))
    assert told["entries"] == {"accepted": 3}
    assert door.status_of("main") == 5
    assert not (here / "enrolment.json").exists(), "the key was for this errand alone"
    used = command(here, "restore", str(unsent), "--send-to", door.url, "--code", code, fails=1)
    assert "not good" in used
    kept = door.table("SELECT count(DISTINCT key_id) FROM batch_seals")
    assert kept == [(2,)], "both keys' signatures are kept: the dead PC's and the one IT vouched for"


def test_the_pc_that_took_over_sends_with_its_own_key(door: DoorServer, unsent: Path, tmp_path: Path) -> None:
    heir = tmp_path / "heir"
    join(door, heir)
    told = json.loads(command(heir, "restore", str(unsent), "--send-to", door.url, "--json"))
    assert told["entries"]["accepted"] == 3
    again = json.loads(command(heir, "restore", str(unsent), "--send-to", door.url, "--json"))
    assert again["entries"] == {"duplicate": 3}, "the heir's key still counts, and each record counts once"


def test_a_code_for_another_station_stays_good(door: DoorServer) -> None:
    code, key = door.code("bench-3"), to_base64(make_key().public)
    with door.register() as register:
        with pytest.raises(ApiError, match="not good"):
            register.enrol(code, key, "10.0.0.1", "bench-1")
        assert register.enrol(code, key, "10.0.0.1", "bench-3").station == "bench-3"

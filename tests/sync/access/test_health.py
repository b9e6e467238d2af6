"""What a doctor is told of a real bench at a real server: identity, server, clock, backlog."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from station.clock import SystemClock
from station.health import Finding, Health
from station.store.outbox import Unsent
from sync.client.api import HttpApi
from sync.client.health import backlog_finding, clock_finding, identity_finding, server_findings
from sync.client.vault import Vault
from tests.sync.access.material import Bench, DoorServer, ShiftedClock
from tests.sync.material import START


class GoodStore:
    """A key store that works."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def by_name(found: tuple[Finding, ...]) -> dict[str, Finding]:
    return {one.name: one for one in found}


def test_who_a_bench_is_and_where_its_key_lies(bench: Bench, tmp_path: Path) -> None:
    found, identity = identity_finding(bench.home, SystemClock())
    assert identity is not None
    assert "bench-1 of site main" in found.detail
    in_file = Vault(bench.home).read("station-key")
    assert in_file is not None
    if found.status is Health.WARN:
        assert "in a file that only this user may read" in found.detail
        assert in_file[0] not in found.detail + found.fix
    vault = Vault(bench.home, GoodStore())
    vault.keep("station-key", in_file[0])
    stored, _ = identity_finding(bench.home, SystemClock(), vault)
    assert (stored.status, stored.fix) == (Health.OK, "")
    assert "in the system's key store" in stored.detail
    vault.forget("station-key")
    gone, nobody = identity_finding(bench.home, SystemClock(), vault)
    assert (gone.status, nobody) == (Health.FAIL, None)
    assert "station enrol" in gone.fix
    alone, nobody = identity_finding(tmp_path / "another", SystemClock())
    assert (alone.status, nobody) == (Health.OK, None)


@pytest.mark.parametrize(("by", "status", "words"), [
    (timedelta(), Health.OK, "within"), (timedelta(hours=-3, minutes=-9), Health.WARN, "3 h behind"),
    (timedelta(days=400), Health.WARN, "days ahead of"),
])  # fmt: skip
def test_the_servers_clock_and_ours(door: DoorServer, bench: Bench, by: timedelta, status: Health, words: str) -> None:
    found = by_name(server_findings(bench.api, "bench-1", ShiftedClock(by), bench.identity))
    assert found["server"].status is Health.OK
    assert found["clock"].status is status
    assert words in found["clock"].detail


def test_shut_out_and_unreachable_are_told_apart(door: DoorServer, bench: Bench) -> None:
    door.revoke()
    (shut_out,) = server_findings(bench.api, "bench-1", SystemClock(), bench.identity)
    assert shut_out.status is Health.FAIL
    assert "IT has shut this bench out" in shut_out.detail
    assert "let this bench in again" in shut_out.fix
    nobody = HttpApi("http://127.0.0.1:9", token=None, clock=SystemClock())
    (away,) = server_findings(nobody, "bench-1", SystemClock())
    nobody.close()
    assert away.status is Health.WARN
    assert "network cable" in away.fix


def test_a_clock_that_is_off_says_which_way() -> None:
    assert clock_finding(timedelta(seconds=119), enrolled=True).status is Health.OK
    assert "behind" in clock_finding(timedelta(seconds=121), enrolled=True).detail
    assert "ahead" in clock_finding(timedelta(seconds=-121), enrolled=False).detail


@pytest.mark.parametrize(("unsent", "after", "status", "words"), [
    (Unsent(0, 0, None, 0), timedelta(), Health.OK, "everything was sent"),
    (Unsent(0, 0, None, 2), timedelta(), Health.WARN, "2 set aside"),
    (Unsent(3, 1, START, 0), timedelta(minutes=5), Health.OK, "3 records and 1 photos wait, the oldest for 5 min"),
    (Unsent(3, 1, START, 0), timedelta(hours=5), Health.WARN, "5 h"),
    (Unsent(3, 1, START, 0), timedelta(days=3), Health.WARN, "3 days"),
])  # fmt: skip
def test_what_waits(unsent: Unsent, after: timedelta, status: Health, words: str) -> None:
    found = backlog_finding(unsent, START + after)
    assert found.status is status
    assert words in found.detail
    assert bool(found.fix) == (after >= timedelta(hours=1))

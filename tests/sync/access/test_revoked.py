"""Shut out and let in again (F17): at once, nothing taken afterwards, nothing lost."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from station.clock import SystemClock
from sync.client.api import HttpApi, Outcome, Packed
from sync.client.decide import Verdict
from sync.client.states import Link, SyncState
from sync.protocol import PushAnswer
from sync.server.access.register import Register
from tests.sync.access.material import Bench, DoorServer, a_bench
from tests.sync.material import until


class RevokedAfter(HttpApi):
    """IT shuts the bench out between two of its batches."""

    def __init__(self, door: DoorServer, bench: Bench, batches: int) -> None:
        super().__init__(door.url, token=None, clock=SystemClock(), identity=bench.identity)
        self._door = door
        self._left = batches
        self.held_then = -1

    def push(self, packed: Packed) -> Outcome[PushAnswer]:
        if self._left == 0:
            self._door.revoke()
            self.held_then = self._door.status_of("main")
        self._left -= 1
        return super().push(packed)


def test_revoked_while_500_are_pending(either_door: DoorServer, tmp_path: Path) -> None:
    with a_bench(either_door, tmp_path / "bench") as bench:
        entries = bench.record(500)
        bench.api.close()
        bench.api = api = RevokedAfter(either_door, bench, 1)
        token = bench.identity.token()
        states: list[SyncState] = []
        bench.loop().run(lambda: bool(states) and states[-1].revoked, states.append)
        assert 0 < api.held_then < 500
        assert either_door.status_of("main") == api.held_then  # not one after the revocation was answered
        assert bench.store.unsent().entries == 500 - api.held_then
        assert states[-1].state is Link.PAUSED
        assert "IT has shut this bench out; everything recorded is kept here" in states[-1].detail
        # a token that was issued before counts no more either, whatever it asks
        for path in ("/v1/hello", "/v1/status", "/v1/feed/returns"):
            headers = {"Station-Protocol": "1", "Authorization": f"Bearer {token}"}
            refused = httpx.get(either_door.url + path, headers=headers, trust_env=False)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "device_revoked")
        more = bench.record(3, first=500)  # work goes on
        assert bench.store.unsent().entries == 503 - api.held_then
        either_door.unrevoke()
        final = bench.sync()[-1]
        assert not final.revoked
        held = either_door.table("SELECT id FROM entries ORDER BY seq")
        assert [row[0] for row in held] == [entry.id for entry in entries + more]
        assert [row[0] for row in either_door.table("SELECT what FROM access_events ORDER BY event_id")] == [
            "code", "enrolled", "revoked", "restored"
        ]  # fmt: skip


def test_control_a_server_that_remembers_whom_it_let_in_takes_what_comes_after(
    door: DoorServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why the register is asked for every push, inside its transaction."""
    known = Register.known
    remembered: dict[str, object] = {}

    def once(self: Register, connection: object, site: str, station: str, **how: bool) -> object:
        if station not in remembered:
            remembered[station] = known(self, connection, site, station, **how)  # type: ignore[arg-type]
        return remembered[station]

    monkeypatch.setattr(Register, "known", once)
    bench.record(3)
    bench.sync()
    door.revoke()
    bench.record(4, first=10)
    bench.sync()
    assert door.status_of("main") == 7, "four records of a bench that was shut out"


def test_a_bench_that_waits_in_its_loop_comes_back_by_itself(door: DoorServer, bench: Bench) -> None:
    bench.record(1)
    door.revoke()
    states: list[SyncState] = []
    stop = threading.Event()
    loop = bench.loop()
    running = threading.Thread(target=loop.run, args=(stop.is_set, states.append))
    running.start()
    try:
        until(lambda: bool(states) and states[-1].revoked, 10, "the bench says that it is shut out")
        door.unrevoke()
        until(lambda: states[-1].state is Link.ONLINE and not states[-1].unsent.entries, 10, "it comes back")
    finally:
        stop.set()
        running.join(10)
    assert door.status_of("main") == 1


def test_a_revocation_is_told_only_to_the_station_itself(door: DoorServer, bench: Bench, tmp_path: Path) -> None:
    door.revoke()
    with a_bench(door, tmp_path / "other", "bench-2") as other:
        assert other.api.hello("bench-2").verdict is Verdict.PROGRESS
        assert bench.api.hello("bench-1").verdict is Verdict.REVOKED
    forged = bench.identity.token()[:-3] + "AAA"
    headers = {"Station-Protocol": "1", "Authorization": f"Bearer {forged}"}
    refused = httpx.get(door.url + "/v1/hello", headers=headers, trust_env=False)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorised")


@pytest.mark.parametrize("path", ["/v1/stations", "/v1/stations/bench-1/codes", "/v1/stations/bench-1/revoke",
                                  "/v1/stations/bench-1/restore"])  # fmt: skip
def test_a_bench_is_no_administrator(door: DoorServer, bench: Bench, path: str) -> None:
    headers = {"Station-Protocol": "1", "Authorization": f"Bearer {bench.identity.token()}"}
    method = "GET" if path == "/v1/stations" else "POST"
    answer = httpx.request(method, door.url + path, headers=headers, json={}, trust_env=False)
    assert answer.status_code == 403
    assert door.table("SELECT revoked_at FROM stations") == [(None,)]

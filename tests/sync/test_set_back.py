"""The centre is put back to an old copy, and nobody gives it a new epoch: an idle bench notices, and fills it up."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from station.clock import SystemClock
from station.store import Store
from station.store.outbox import Acknowledgement
from sync.client.api import HttpApi
from sync.client.loop import SyncLoop
from sync.client.states import Link, SyncState
from tests.conftest import WarningsOnTheLog
from tests.sync.material import SWIFT, LocalServer, an_inspection, dice, discrepancies, fact, jpeg_of, until


class Trusting(Store):
    """Negative control: believes for ever what was acknowledged once."""

    def at_server(self) -> Mapping[int, int]:
        return {}


@contextmanager
def running(store: Store, server: LocalServer) -> Iterator[list[SyncState]]:
    """The loop on a thread of its own, as at a bench."""
    api = HttpApi(server.url, token=None, clock=SystemClock())
    loop, stop, states = SyncLoop(store, api, SystemClock(), dice(2), SWIFT), threading.Event(), list[SyncState]()
    thread = threading.Thread(target=loop.run, args=(stop.is_set, states.append))
    thread.start()
    try:
        yield states
    finally:
        stop.set()
        thread.join(20)
        api.close()


def put_back(server: LocalServer, copy: Path) -> None:
    """What IT does in a hurry: stop, the old files into the folder, start."""
    server.stop()
    folder = server.home / "server"
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    server.start(f"127.0.0.1:{server.port}")


def record(store: Store, numbers: range) -> None:
    for number in numbers:
        jpeg = jpeg_of(number)
        store.photos.keep(jpeg)
        store.commit([fact(an_inspection(number, [jpeg]))], actor="ines", drafts={})


def in_step(store: Store, states: list[SyncState]) -> bool:
    unsent = store.unsent()
    return bool(states) and states[-1].state is Link.ONLINE and not unsent.entries and not unsent.photos


@pytest.mark.parametrize("kind", [Store, Trusting])
def test_an_idle_bench_fills_up_a_server_that_was_put_back(
    local_server: LocalServer, tmp_path: Path, kind: type[Store], expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("sync is|offline|cannot be reached", required=False)
    expected_warnings("epoch changed or it lacks records", required=kind is Store)
    expected_warnings("offered again", required=kind is Store)
    with kind.open(tmp_path / "bench", station="bench-1", clock=SystemClock(), ballast_bytes=0) as store:
        record(store, range(5))
        with running(store, local_server) as states:
            until(lambda: in_step(store, states), 20, "the first part is there")
            local_server.stop()
            shutil.copytree(local_server.home / "server", tmp_path / "copy")
            local_server.start(f"127.0.0.1:{local_server.port}")
            record(store, range(5, 12))
            until(lambda: in_step(store, states) and local_server.status()["entries"] == 12, 20, "all of it is there")
            entries = store.pending_entries(1, 1)
            assert entries == ()
            put_back(local_server, tmp_path / "copy")
            greetings = local_server.status  # nothing is recorded from here on
            if kind is Trusting:
                seen = len(states)
                until(lambda: states[-1].state is Link.ONLINE and len(states) >= seen, 20, "it greets again")
                end = threading.Event()
                end.wait(4 * SWIFT.idle_s)
                assert greetings()["entries"] == 5
                return
            until(lambda: greetings()["entries"] == 12, 20, "what it lacks is offered again")
            until(lambda: in_step(store, states) and greetings()["photos"] == 12, 20, "photos too")
        store.acknowledge([])
        chain = [entry for entry in everything(store) if entry.kind == "inspection.confirmed"]
        assert len(chain) == 12
        assert [line for line in discrepancies(local_server, chain) if "never recorded" not in line] == []


def everything(store: Store) -> list:  # type: ignore[type-arg]
    """The whole journal: all of it is pending after everything was reopened."""
    store.reopen({})
    return list(store.pending_entries(1000, 1 << 30))


def test_what_was_kept_beside_the_chain_is_not_offered_for_ever(tmp_path: Path) -> None:
    """A conflict is acknowledged and yet not in the server's chain: it is not missed at every greeting."""
    with Store.open(tmp_path / "bench", station="bench-1", clock=SystemClock(), ballast_bytes=0) as store:
        record(store, range(5))
        store.acknowledge([Acknowledgement(1, 1, "accepted"), Acknowledgement(1, 2, "duplicate"),
                           Acknowledgement(1, 3, "quarantined", "x"), Acknowledgement(1, 4, "conflict", "forked"),
                           Acknowledgement(1, 5, "id_collision", "same_id")])  # fmt: skip
        assert store.at_server() == {1: 3}
        store.reopen({1: 2})
        assert store.at_server() == {1: 2}


def test_a_server_that_cannot_be_filled_up_is_not_offered_the_same_for_ever(
    tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    from sync.client.api import Outcome, Packed
    from sync.client.decide import Verdict
    from sync.protocol import EntryResult, Head, HelloAnswer, Limits, PushAnswer, Status

    expected_warnings("epoch changed or it lacks records")
    expected_warnings("offered again")

    class Api:
        hellos = pushed = 0

        def hello(self, station: str) -> Outcome[HelloAnswer]:
            self.hellos += 1
            heads = [Head(1, 2, None)] if self.pushed else []
            return Outcome(Verdict.PROGRESS, answer=HelloAnswer(1, "e", "", Limits(), heads))

        def pack(self, station: str, entries: list, withheld: str | None = None) -> Packed:  # type: ignore[type-arg]
            return Packed(tuple(entries), withheld, b"")

        def push(self, packed: Packed) -> Outcome[PushAnswer]:
            self.pushed += len(packed.entries)
            results = [EntryResult(e.generation, e.seq, e.id, Status.ACCEPTED) for e in packed.entries]
            return Outcome(Verdict.PROGRESS, answer=PushAnswer(1, "e", results, [], ""))

    api = Api()
    with Store.open(tmp_path / "bench", station="bench-1", clock=SystemClock(), ballast_bytes=0) as store:
        store.commit([fact(an_inspection(number)) for number in range(5)], actor="ines", drafts={})
        loop = SyncLoop(store, api, SystemClock(), dice(3), SWIFT)  # type: ignore[arg-type]  # no photos, no feed
        loop.run(lambda: api.hellos >= 6, lambda state: None)
        assert api.pushed == 5 + 3, "everything once, and what it said it lacked once more"

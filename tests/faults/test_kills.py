"""F11, F12: the network does its worst and the server dies in the middle of it. Both databases."""

from __future__ import annotations

import random

import pytest

from tests.conftest import WarningsOnTheLog
from tests.faults.bench import Bench
from tests.faults.invariants import Centre, HonestBar, broken, drains
from tests.faults.serving import Doom, ForkedServer, Moment
from tests.sync.faultproxy import Fate, FaultProxy
from tests.sync.material import FileOutbox, some_entries, until


@pytest.mark.parametrize("moment", Moment)
def test_a_server_that_dies_in_a_push_has_taken_all_of_it_or_nothing(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, moment: Moment, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    recorded, _ = some_entries(250)
    outbox.record(recorded)
    server.start(Doom(moment, push=2))
    with Bench(outbox, server.url, 1):
        server.wait_dead()
        there = 200 if moment is Moment.AFTER_COMMIT else 100
        assert (len(centre.held()), sum(centre.effects().values())) == (there, there)
        server.start()
        drains(outbox, 20)
    assert broken(centre, recorded, outbox) == []
    assert server.status()["duplicates"] == (100 if moment is Moment.AFTER_COMMIT else 0)


SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 22))]


@pytest.mark.parametrize("seed", SEEDS)
def test_through_a_hostile_network_and_kills_everything_arrives_once(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, seed: int, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    rng = random.Random(seed)
    recorded, _ = some_entries(300)
    bar = HonestBar(centre, recorded, outbox)
    dooms = [Doom(rng.choice(list(Moment)), push=rng.randint(1, 3)) for _ in range(3)]
    server.start(dooms.pop())
    with FaultProxy(server.port, seed) as proxy, Bench(outbox, proxy.url, seed, bar) as bench:
        proxy.ambush(b"POST /v1/journal", Fate.DROP_RESPONSE, Fate.CUT_RESPONSE, Fate.DUPLICATE)
        for part in range(0, 300, 50):
            outbox.record(recorded[part : part + 50])
            bench.wake()
            until(lambda: outbox.unsent().entries < 50 or server.is_dead(), 30, "progress, or a death")
            if server.is_dead():
                server.start(dooms.pop() if dooms else None)
        proxy.heal()
        server.kill()
        server.start()
        drains(outbox, 20)
        assert proxy.seen.total() - proxy.seen[Fate.OK] >= 3
    assert bar.lies == []
    assert broken(centre, recorded, outbox) == []
    assert server.status()["duplicates"] > 0, f"this run had no teeth: {proxy.seen}"


def test_control_acknowledging_before_the_answer_is_found_out(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, expected_warnings: WarningsOnTheLog
) -> None:
    """A bench that takes "sent" for "taken": the checker must see what the dying server did not keep."""
    expected_warnings(".*", required=False)
    recorded, _ = some_entries(100)
    outbox.record(recorded)
    server.start(Doom(Moment.BEFORE_COMMIT))
    rash = Rash(outbox, server.url, HonestBar(centre, recorded, outbox))
    rash.send()
    assert rash.bar.lies == ["I6: 100 entries count as sent, but the centre does not have them"]
    assert "I1: entry 1/1 is neither unsent nor at the centre" in broken(centre, recorded, outbox)


class Rash:
    """The client that must not be: it counts what it sent, whatever came back."""

    def __init__(self, outbox: FileOutbox, url: str, bar: HonestBar) -> None:
        from station.clock import SystemClock
        from sync.client.api import HttpApi

        self._outbox = outbox
        self._api = HttpApi(url, token=None, clock=SystemClock())
        self.bar = bar

    def send(self) -> None:
        from station.store.outbox import Acknowledgement
        from sync.client.states import Link, SyncState

        batch = self._outbox.pending_entries(100, 1 << 30)
        self._api.push(self._api.pack(self._outbox.station, batch))
        self._outbox.acknowledge([Acknowledgement(entry.generation, entry.seq, "accepted") for entry in batch])
        self._api.close()
        self.bar(SyncState(Link.ONLINE, self._outbox.unsent(), "", None))

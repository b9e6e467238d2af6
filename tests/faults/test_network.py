"""F13, F26: a captive portal, answers that are none, a line that comes and goes, slow and narrow."""

from __future__ import annotations

import pytest

from tests.conftest import WarningsOnTheLog
from tests.faults.bench import Bench
from tests.faults.invariants import Centre, HonestBar, broken, drains
from tests.faults.serving import ForkedServer
from tests.sync.faultproxy import Fate, FaultProxy
from tests.sync.material import FileOutbox, some_entries, until

on_sqlite = pytest.mark.parametrize("server", ["sqlite"], indirect=True)

LIES = (Fate.PORTAL, Fate.REDIRECT, Fate.GARBAGE, Fate.HTML_502, Fate.TOO_MANY, Fate.EMPTY_200, Fate.OTHER_JSON)


@on_sqlite
@pytest.mark.parametrize("lie", LIES)
def test_between_two_true_answers_a_lie_acknowledges_nothing(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, lie: Fate, expected_warnings: WarningsOnTheLog
) -> None:
    """The server does its work, and something on the way answers instead of it."""
    expected_warnings(".*", required=False)
    recorded, _ = some_entries(60)
    outbox.record(recorded[:30])
    server.start()
    bar = HonestBar(centre, recorded, outbox)
    with FaultProxy(server.port, 1, {Fate.OK: 1}) as proxy, Bench(outbox, proxy.url, 1, bar) as bench:
        drains(outbox, 20)
        proxy.set_fates({lie: 1})
        outbox.record(recorded[30:])
        bench.wake()
        until(lambda: proxy.seen[lie] >= 3, 20, "the lie is told")
        assert outbox.unsent().entries == 30
        proxy.heal()
        drains(outbox, 20)
    assert bar.lies == []
    assert broken(centre, recorded, outbox) == []
    assert server.status()["duplicates"] >= 30, "what was done behind the lie was recognised"


@on_sqlite
def test_a_line_that_comes_and_goes_makes_steady_progress(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, request: pytest.FixtureRequest,
    expected_warnings: WarningsOnTheLog,
) -> None:  # fmt: skip
    """Up and down again and again, narrow and slow while it is up: the queue only shrinks, and nobody hammers."""
    expected_warnings(".*", required=False)
    recorded, jpegs = some_entries(60, photos=1)
    outbox.record(recorded, jpegs)
    server.start()
    rounds = 60 if request.config.getoption("--slow") else 3
    left = [outbox.unsent().entries]
    with FaultProxy(server.port, 1, {Fate.OK: 1}, delay_s=0.02, bytes_per_s=400_000) as proxy:
        with Bench(outbox, proxy.url, 1):
            for _ in range(rounds):
                proxy.set_fates({Fate.REFUSE: 1})
                until(lambda seen=proxy.seen[Fate.REFUSE]: proxy.seen[Fate.REFUSE] > seen, 20, "it is down")
                proxy.heal()
                until(lambda seen=proxy.seen[Fate.OK]: proxy.seen[Fate.OK] > seen + 2, 20, "it is up")
                left.append(outbox.unsent().entries)
            proxy.heal()
            drains(outbox, 30)
            drains(outbox, 30, photos=True)
        assert left == sorted(left, reverse=True)
        assert proxy.seen.total() < 60 * rounds + 300
    assert broken(centre, recorded, outbox, server.photo_folder) == []


@on_sqlite
def test_on_a_narrow_line_a_record_overtakes_the_photos(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    recorded, jpegs = some_entries(16, photos=1)
    outbox.record(recorded[:15], jpegs)
    server.start()
    with FaultProxy(server.port, 1, {Fate.OK: 1}, delay_s=0.03) as proxy, Bench(outbox, proxy.url, 1) as bench:
        until(lambda: outbox.unsent().photos < 14, 20, "photos are on their way")
        outbox.record(recorded[15:], jpegs)
        bench.wake()
        drains(outbox, 20)
        assert outbox.unsent().photos > 1, "the record did not wait for the photos before it"
        drains(outbox, 30, photos=True)
    assert broken(centre, recorded, outbox, server.photo_folder) == []


@on_sqlite
def test_control_a_client_that_takes_any_200_is_found_out(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, expected_warnings: WarningsOnTheLog
) -> None:
    from station.clock import SystemClock
    from station.store.outbox import Acknowledgement
    from sync.client.api import HttpApi
    from sync.client.decide import Verdict
    from sync.client.states import Link, SyncState

    expected_warnings(".*", required=False)
    recorded, _ = some_entries(5)
    outbox.record(recorded)
    server.start()
    bar = HonestBar(centre, recorded, outbox)
    with FaultProxy(server.port, 1, {Fate.PORTAL_BEFORE: 1}) as proxy:
        api = HttpApi(proxy.url, token=None, clock=SystemClock())
        outcome = api.push(api.pack(outbox.station, recorded))
        api.close()
    assert outcome.verdict is Verdict.NOT_OURS
    outbox.acknowledge([Acknowledgement(one.generation, one.seq, "accepted") for one in recorded])  # "it said 200"
    bar(SyncState(Link.ONLINE, outbox.unsent(), "", None))
    assert bar.lies
    assert any(line.startswith("I1: ") for line in broken(centre, recorded, outbox))

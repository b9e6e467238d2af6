"""The feed lane against the real server: pages into a real store, whatever the line and the server do meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import URL

from station.clock import SystemClock
from station.identify.scan import CandidateKind
from station.returns.keys import pair_key
from station.returns.model import CatalogueItem, ReturnAuthorisation, ReturnLine
from station.store import Store
from station.store.feed import FeedChange, FeedEnd, FeedMark, Taken
from sync.client.api import HttpApi, Outcome
from sync.client.decide import Verdict
from sync.client.feed import PAGE, FeedLane, Polling
from sync.client.loop import SyncLoop
from sync.protocol import FeedItem, FeedPage, Topic, item_digest
from sync.server.feed import TOMBSTONES, Change, Feed, MustRefetch
from sync.server.storage import Database, database_url, open_database
from tests.conftest import WarningsOnTheLog
from tests.sync.faultproxy import Fate, FaultProxy
from tests.sync.material import SWIFT, FileOutbox, LocalServer, an_inspection, chain, dice, fact, until

SITE = "main"


class Clock(SystemClock):
    """Real time, and jumps on top."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def a_return(number: int, status: str = "open") -> ReturnAuthorisation:
    return ReturnAuthorisation(
        f"RMA-{number}", "acme", f"O-{number}", (ReturnLine(1, f"SKU-{number % 997}", 1),), (f"1Z{number}",),
        status=status,
    )  # fmt: skip


def change_of(number: int, status: str | None = "open") -> Change:
    return Change(pair_key("acme", f"RMA-{number}"), None if status is None else a_return(number, status))


def known(store: Store, number: int) -> str | None:
    found = store.directory.returns_by(CandidateKind.RMA, f"RMA-{number}")
    return found[0].status if found else None


class DirectApi:
    """Asks the feed itself: the server's own code and database, no sockets."""

    def __init__(self, feed: Feed, limit: int = PAGE) -> None:
        self._feed = feed
        self._limit = limit
        self.asked: list[tuple[Topic, str | None]] = []

    def feed(self, topic: Topic, after: str | None, limit: int) -> Outcome[FeedPage]:
        self.asked.append((topic, after))
        try:
            page = self._feed.page(SITE, topic, after, min(limit, self._limit))
        except MustRefetch as error:
            return Outcome(Verdict.REFUSED, str(error), code="must_refetch")
        return Outcome(Verdict.PROGRESS, answer=page)


@pytest.fixture
def database(either_database: URL) -> Iterator[Database]:
    made = open_database(either_database)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "bench", station="bench-1", clock=SystemClock(), ballast_bytes=0) as made:
        yield made


def put(database: Database, changes: Iterable[Change], topic: Topic = Topic.RETURNS) -> None:
    with database.writing() as connection:
        Feed(database).put(connection, SITE, topic, changes, SystemClock().now())


def lane_of(store: Store, api: object, clock: SystemClock, topics: tuple[Topic, ...] = (Topic.RETURNS,)) -> FeedLane:
    return FeedLane(store, api, clock, dice(1), SWIFT, topics)  # type: ignore[arg-type]  # only ``feed`` is used


def settle(lane: FeedLane, clock: Clock, exchanges: int = 100) -> int:
    """Step until nothing is due before the next poll; waits after failures are jumped over."""
    made = 0
    while made < exchanges:
        if lane.step(clock.monotonic()):
            made += 1
        elif (wait := lane.not_before - clock.monotonic()) < 5:
            clock.ahead += max(wait, 0.001)
        else:
            break
    return made


def test_pages_are_followed_to_the_end_and_tombstones_too(database: Database, store: Store) -> None:
    clock, api = Clock(), DirectApi(Feed(database), 3)
    put(database, map(change_of, range(7)))
    lane = lane_of(store, api, clock)
    assert settle(lane, clock) == 3
    assert [known(store, number) for number in range(8)] == ["open"] * 7 + [None]
    put(database, [change_of(0, None), change_of(1, "closed"), change_of(7)])
    clock.ahead += 61
    settle(lane, clock)
    assert [known(store, number) for number in range(8)] == [None, "closed"] + ["open"] * 6


def test_a_bench_that_was_off_for_four_months_fetches_anew(database: Database, store: Store) -> None:
    """F21: the horizon has passed; nothing of the bench's own is touched, and what is gone is gone."""
    clock, api = Clock(), DirectApi(Feed(database), 3)
    put(database, map(change_of, range(5)))
    store.commit([fact(an_inspection(1))], actor="ines", drafts={})
    lane = lane_of(store, api, clock)
    settle(lane, clock)
    put(database, [change_of(0, None), change_of(1, "closed"), change_of(9)])
    assert Feed(database).clear_tombstones(SystemClock().now() + TOMBSTONES + timedelta(days=30)) == 1
    clock.ahead += 61
    settle(lane, clock)
    assert [known(store, number) for number in range(10)] == [None, "closed", "open", "open", "open"] + [None] * 4 + [
        "open"
    ]
    assert not store.feed_mark("returns").refetching
    assert len(store.pending_entries(10, 1 << 20)) == 1


def test_another_server_has_another_epoch(tmp_path: Path, store: Store) -> None:
    clock = Clock()
    first = open_database(database_url(f"sqlite:///{tmp_path / 'one.sqlite3'}"))
    put(first, map(change_of, range(4)))
    settle(lane_of(store, DirectApi(Feed(first)), clock), clock)
    first.close()
    second = open_database(database_url(f"sqlite:///{tmp_path / 'two.sqlite3'}"))
    put(second, [change_of(2, "closed")])
    settle(lane_of(store, DirectApi(Feed(second)), clock), clock)
    second.close()
    assert [known(store, number) for number in range(4)] == [None, None, "closed", None]


class Wrong:
    """A server whose pages are wrong in one way, for the first ``times`` answers."""

    def __init__(self, api: DirectApi, how: str, times: int) -> None:
        self._api = api
        self.how = how
        self.times = times
        self.asked = 0

    def feed(self, topic: Topic, after: str | None, limit: int) -> Outcome[FeedPage]:
        self.asked += 1
        outcome = self._api.feed(topic, after, limit)
        if self.asked > self.times or outcome.answer is None:
            return outcome
        page = outcome.answer
        match self.how:
            case "an item is missing":
                page = FeedPage(page.topic, page.items[1:], page.cursor, page.more, page.count, page.checksum)
            case "a body was changed":
                item = page.items[0]
                items = [FeedItem(item.key, item.rev, (item.body or "").replace("open", "oqen")), *page.items[1:]]
                page = FeedPage(page.topic, items, page.cursor, page.more, page.count, page.checksum)
            case "another topic":
                page = FeedPage(Topic.PEOPLE, page.items, page.cursor, page.more, page.count, page.checksum)
            case "always again":
                return Outcome(Verdict.REFUSED, "begin anew", code="must_refetch")
            case "more without items":
                page = FeedPage(page.topic, [], page.cursor, True)
            case how:
                return Outcome(Verdict(how), "scripted")
        return Outcome(Verdict.PROGRESS, answer=page)


HOWS = ["an item is missing", "a body was changed", "another topic", "always again", "more without items",
        "unreachable", "busy", "denied", "not_ours", "server_error", "refused"]  # fmt: skip


@pytest.mark.parametrize("how", HOWS)
def test_whatever_goes_wrong_it_heals_and_is_not_asked_in_a_hurry(
    database: Database, store: Store, how: str, expected_warnings: WarningsOnTheLog
) -> None:
    clock = Clock()
    put(database, map(change_of, range(3)))
    api = Wrong(DirectApi(Feed(database)), how, 4)
    lane = lane_of(store, api, clock)
    expected_warnings("fetched anew", required=how in ("an item is missing", "a body was changed"))
    started = clock.ahead
    settle(lane, clock, 30)
    assert [known(store, number) for number in range(3)] == ["open"] * 3
    mark = store.feed_mark("returns")
    assert (mark.refetching, mark.complete_at is not None) == (False, True)
    assert api.asked <= 7
    assert clock.ahead > started, "after a failure it waits"


def test_one_bad_topic_delays_no_other(database: Database, store: Store) -> None:
    clock = Clock()
    put(database, map(change_of, range(3)))
    good = DirectApi(Feed(database))

    class Halves:
        def feed(self, topic: Topic, after: str | None, limit: int) -> Outcome[FeedPage]:
            if topic is Topic.CATALOGUE:
                return Outcome(Verdict.NOT_OURS, "no such topic here")
            return good.feed(topic, after, limit)

    lane = lane_of(store, Halves(), clock, (Topic.CATALOGUE, Topic.RETURNS))
    assert lane.step(clock.monotonic())
    assert lane.step(clock.monotonic())
    assert known(store, 1) == "open"


def test_news_is_fetched_at_once_and_only_once(database: Database, store: Store) -> None:
    clock, api = Clock(), DirectApi(Feed(database))
    lane = lane_of(store, api, clock)
    put(database, map(change_of, range(3)))
    lane.tell({"returns": 3, "a_topic_of_tomorrow": 9})
    settle(lane, clock)
    before = len(api.asked)
    lane.tell({"returns": 3})
    assert not lane.step(clock.monotonic())
    clock.ahead += 149
    assert not lane.step(clock.monotonic()), "a server that tells of changes is not polled for them"
    put(database, [change_of(3)])
    lane.tell({"returns": 4})
    assert lane.step(clock.monotonic())
    assert (known(store, 3), len(api.asked)) == ("open", before + 1)
    # the centre forgot a tombstone: its newest revision is one that no item has, which is no news for ever
    put(database, [change_of(3, None)])
    Feed(database).clear_tombstones(SystemClock().now() + TOMBSTONES + timedelta(days=1))
    lane.tell({"returns": 5})
    settle(lane, clock)
    asked = len(api.asked)
    for _ in range(5):
        lane.tell({"returns": 5})
        settle(lane, clock)
    assert len(api.asked) == asked


def test_without_being_told_it_polls_with_jitter(database: Database, store: Store) -> None:
    clock, api = Clock(), DirectApi(Feed(database))
    lane = lane_of(store, api, clock)
    waits = []
    for _ in range(20):
        assert lane.step(clock.monotonic())
        waits.append(lane.not_before - clock.monotonic())
        clock.ahead += waits[-1] + 0.001
    assert all(Polling().least_s - 1 < wait <= Polling().most_s for wait in waits)
    assert max(waits) - min(waits) > 10


class Counting:
    """A store that notes how many items it was given at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.most = 0

    def feed_mark(self, topic: str) -> FeedMark:
        return self._store.feed_mark(topic)

    def refetch_feed(self, topic: str) -> None:
        self._store.refetch_feed(topic)

    def take_feed(
        self, topic: str, after: str | None, changes: list[FeedChange], cursor: str, end: FeedEnd | None
    ) -> Taken:
        self.most = max(self.most, len(changes))
        return self._store.take_feed(topic, after, changes, cursor, end)


def test_large_items_come_a_few_at_a_time(local_server: LocalServer, store: Store) -> None:
    """Over HTTP: 60 rule files of 200 kB are 12 MB, and no answer is larger than the client takes."""
    clock = Clock()
    local_server.stop()
    database = open_database(database_url(f"sqlite:///{local_server.database}"))
    put(database, [Change(f"p{number}", "x" * 200_000) for number in range(60)], Topic.PROTOCOLS)
    database.close()
    local_server.start("127.0.0.1:0")
    api = HttpApi(local_server.url, token=None, clock=clock)
    counting = Counting(store)
    lane = FeedLane(counting, api, clock, dice(1), SWIFT, (Topic.PROTOCOLS,))
    settle(lane, clock)
    api.close()
    assert len(store.feed_items("protocols")) == 60
    assert 1 <= counting.most <= 11


def test_entries_come_before_the_feed_and_news_with_the_answer(tmp_path: Path, local_server: LocalServer) -> None:
    """The whole loop: two directions over one line, and a change at the centre is here with the next record."""
    outbox = FileOutbox(tmp_path / "outbox.sqlite3")
    with Store.open(tmp_path / "bench", station="bench-1", clock=SystemClock(), ballast_bytes=0) as store:
        order: list[str] = []

        class Watching(HttpApi):
            def push(self, packed):  # type: ignore[no-untyped-def]
                order.append("push")
                return super().push(packed)

            def feed(self, topic, after, limit):  # type: ignore[no-untyped-def]
                order.append("feed")
                return super().feed(topic, after, limit)

        entries = chain(fact(an_inspection(number)) for number in range(3))
        outbox.record(entries[:2])
        api = Watching(local_server.url, token=None, clock=SystemClock())
        loop = SyncLoop(outbox, api, SystemClock(), random.Random(1), SWIFT, feed=store)
        while loop.step() == 0.0:
            pass
        assert order == ["push", *["feed"] * (len(Topic) - 1)], "nobody here can seal people"
        assert store.feed_mark("returns").complete_at is not None
        asked = len(order)
        put_over_http(local_server)
        outbox.record(entries[2:])
        until(lambda: loop.step() >= 0.0 and known(store, 5) == "open", 15, "the change came")
        assert "push" in order[asked:]
        api.close()
    outbox.close()


def put_over_http(server: LocalServer) -> None:
    """A change at the centre, as the server itself makes it."""
    item = {"id": "acme", "name": "Acme", "policy": "customer_first"}
    headers = {"Station-Protocol": "1"}
    answer = httpx.put(f"{server.url}/v1/merchants/acme", json=item, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    # this policy decides for the customer where neither article nor day of delivery is known
    body = {"merchant_id": "acme", "rma": "RMA-5", "order_id": "O-5", "lines": [{"sku": "S", "quantity": 1}]}
    headers |= {"Idempotency-Key": "k5"}
    answer = httpx.post(f"{server.url}/v1/returns", json=body, headers=headers, trust_env=False)
    assert answer.status_code == 201, answer.text


_PULLER = """
import random, sys
from pathlib import Path
from station.clock import SystemClock
from station.store import Store
from sync.client.api import HttpApi
from sync.client.decide import Timing
from sync.client.feed import FeedLane
from sync.protocol import Topic
home, url = sys.argv[1:]
clock = SystemClock()
with Store.open(Path(home), station="bench-1", clock=clock, ballast_bytes=0) as store:
    api = HttpApi(url, token=None, clock=clock)
    lane = FeedLane(store, api, clock, random.Random(), Timing(first_s=0.01), (Topic.RETURNS,))
    print("ready", flush=True)
    while store.feed_mark("returns").complete_at is None:
        lane.step(clock.monotonic())
print("complete", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_killed_again_and_again_over_a_bad_line_it_ends_complete(tmp_path: Path, local_server: LocalServer) -> None:
    """Liveness: every kill keeps the pages that were applied, and the copy ends equal to the centre."""
    local_server.stop()
    database = open_database(database_url(f"sqlite:///{local_server.database}"))
    put(database, map(change_of, range(6_000)))
    database.close()
    local_server.start("127.0.0.1:0")
    home = tmp_path / "bench"
    kills = 0
    rng = random.Random(7)
    with FaultProxy(local_server.port, 3, {Fate.OK: 6, Fate.CUT_RESPONSE: 1, Fate.REFUSE: 1}) as proxy:
        for _ in range(40):
            child = subprocess.Popen(
                [sys.executable, "-c", _PULLER, str(home), proxy.url], stdout=subprocess.PIPE, text=True
            )
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            try:
                child.wait(rng.uniform(0.05, 0.3) if kills < 4 else 60)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                kills += 1
            ended = child.stdout.read()
            child.stdout.close()
            child.wait()
            if "complete" in ended:
                break
    assert kills >= 2
    with Store.open(home, station="bench-1", clock=SystemClock(), ballast_bytes=0) as store:
        assert all(known(store, number) == "open" for number in range(0, 6_000, 7))
        assert store.feed_mark("returns").complete_at is not None


@pytest.mark.slow
def test_fifty_thousand_items_are_pulled_and_applied(tmp_path: Path, local_server: LocalServer) -> None:
    """Says the seconds; over HTTP, durable page by page."""
    local_server.stop()
    database = open_database(database_url(f"sqlite:///{local_server.database}"))
    items = (
        CatalogueItem("acme", f"SKU-{n}", f"Article number {n}", "electronics.audio", (f"{n:014d}",), mass_mg=n)
        for n in range(50_000)
    )
    put(database, (Change(pair_key("acme", item.sku), item) for item in items), Topic.CATALOGUE)
    database.close()
    local_server.start("127.0.0.1:0")
    clock = SystemClock()
    with Store.open(tmp_path / "bench", station="bench-1", clock=clock, ballast_bytes=0) as store:
        api = HttpApi(local_server.url, token=None, clock=clock)
        lane = FeedLane(store, api, clock, dice(1), SWIFT, (Topic.CATALOGUE,))
        started = time.perf_counter()
        while store.feed_mark("catalogue").complete_at is None:
            lane.step(clock.monotonic())
        print(f"\n50 000 articles pulled and applied in {time.perf_counter() - started:.2f} s")  # noqa: T201
        assert store.directory.item("acme", "SKU-49999") is not None
        store.refetch_feed("catalogue")
        lane.forget()
        started = time.perf_counter()
        while store.feed_mark("catalogue").refetching:
            lane.step(clock.monotonic())
        print(f"fetched anew and swapped, nothing having changed, in {time.perf_counter() - started:.2f} s")  # noqa: T201
        api.close()


def test_the_digest_is_the_one_of_the_protocol() -> None:
    """Both ends fold the same: a known value, so that neither can drift."""
    assert item_digest("k", "{}") == "e54d11185a1494fec19f1df4e41696516e8b20db4982e19f05fa653a1d8e78a8"

"""The loop and its HTTP client against scripted servers: every wrong answer there is, poison, photos, restarts."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.clock import SystemClock
from station.errors import InvalidInput, StoreFault, SyncFault
from station.journal.entry import Entry
from sync.client.api import HttpApi
from sync.client.decide import Timing
from sync.client.drain import drain
from sync.client.loop import SyncLoop
from sync.client.states import Link, SyncState
from tests.conftest import WarningsOnTheLog
from tests.sync.faultproxy import Fate, FaultProxy
from tests.sync.material import (
    STATION,
    SWIFT,
    FileOutbox,
    LocalServer,
    an_inspection,
    chain,
    dice,
    discrepancies,
    fact,
    jpeg_of,
    some_entries,
    until,
)
from tests.sync.scripted import JSON, Answer, ScriptedServer, Steps, good


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    made = ScriptedServer()
    yield made
    made.close()


@pytest.fixture
def steps(outbox: FileOutbox, scripted: ScriptedServer) -> Iterator[Steps]:
    made = Steps(outbox, scripted.url)
    yield made
    made.api.close()


# answers that are not ours, or wrong


def portal(*_: object) -> Answer:
    return 200, {"Content-Type": "text/html"}, b"<html>please log in</html>"


WRONG = {
    "500": (lambda *_: (500, {}, b""), Link.OFFLINE, "HTTP 500"),
    "502 HTML": (lambda *_: (502, {"Content-Type": "text/html"}, b"<h1>Bad Gateway</h1>"), Link.OFFLINE, "HTTP 502"),
    "log-in page": (portal, Link.OFFLINE, "log-in page"),
    "garbage": (lambda *_: (200, JSON, b"\x00\xffgarbage"), Link.OFFLINE, "cannot be read"),
    "empty": (lambda *_: (200, JSON, b""), Link.OFFLINE, "cannot be read"),
    "wrong shape": (lambda *_: (200, JSON, b'{"results":"yes"}'), Link.OFFLINE, "cannot be read"),
    "unknown word": (lambda m, p, b: (200, JSON, good(m, p, b)[2].replace(b"accepted", b"ok")), Link.OFFLINE, "cannot"),
    "as text": (lambda m, p, b: (200, {"Content-Type": "text/plain"}, good(m, p, b)[2]), Link.OFFLINE, "log-in page"),
    "redirect": (lambda *_: (302, {"Location": "http://127.0.0.1:1/"}, b""), Link.OFFLINE, "HTTP 302"),
    "deep": (lambda *_: (200, JSON, b"[" * 500_000), Link.OFFLINE, "cannot be read"),
    "endless": (lambda *_: (200, JSON, b" " * 5_000_000), Link.OFFLINE, "without end"),
    "429": (lambda *_: (429, {"Retry-After": "120"}, b""), Link.OFFLINE, "HTTP 429"),
    "503": (lambda *_: (503, {"Retry-After": "later"}, b""), Link.OFFLINE, "HTTP 503"),
    "401": (lambda *_: (401, JSON, b'{"error":{"code":"x","message":"who?","advice":"enrol"}}'), Link.PAUSED, "enrol"),
    "403": (lambda *_: (403, {}, b""), Link.PAUSED, "HTTP 403"),
    "426": (lambda *_: (426, {}, b""), Link.PAUSED, "same version"),
    "404": (lambda *_: (404, {}, b""), Link.OFFLINE, "HTTP 404"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_acknowledges_nothing_and_the_line_heals(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps, name: str
) -> None:
    wrong, link, words = WRONG[name]
    entries, _ = some_entries(3)
    outbox.record(entries)

    def answer(method: str, path: str, body: bytes) -> Answer:
        return wrong(method, path, body) if path == "/v1/journal" else good(method, path, body)

    scripted.answer = answer
    state = steps.run(4)
    assert (state.state, state.unsent.entries) == (link, 3)
    assert words in state.detail
    assert scripted.pushes(), "nothing was tried"
    scripted.answer = good
    assert steps.run(6).unsent.entries == 0
    assert steps.states[-1].state is Link.ONLINE
    assert steps.states[-1].last_synced_at is not None


@pytest.mark.parametrize("name", ["500", "log-in page", "garbage", "redirect", "401"])
def test_a_server_that_never_greeted_gets_no_records(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps, name: str
) -> None:
    outbox.record(some_entries(1)[0])
    scripted.answer = WRONG[name][0]
    steps.run(5)
    assert scripted.pushes() == []


def test_only_what_is_named_counts(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("answered for an entry that was not sent")
    entries, _ = some_entries(4)
    outbox.record(entries)

    def partly(method: str, path: str, body: bytes) -> Answer:
        status, headers, answer = good(method, path, body)
        if path == "/v1/journal":
            plain = json.loads(answer)
            other = {"generation": 1, "seq": 3, "id": "another", "status": "accepted"}
            named = [plain["results"][0], other, other | {"seq": 77}]
            answer = json.dumps(plain | {"results": named}).encode()
        return status, headers, answer

    scripted.answer = partly
    steps.run(2)
    assert [seq for seq, (status, _) in sorted(outbox.statuses().items()) if status] == [1]


def test_back_off_grows_with_jitter_and_honours_retry_after(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps
) -> None:
    outbox.record(some_entries(1)[0])
    scripted.answer = lambda *_: (503, {"Retry-After": "120"}, b"")
    steps.run(3)
    assert steps.waits[-1] >= 119
    count = len(scripted.requests)
    scripted.answer = lambda *_: (500, {}, b"")
    steps.run(30)
    assert len(scripted.requests) - count <= 30
    waits = [wait for wait in steps.waits[-20:] if wait]
    assert max(waits) <= SWIFT.server_cap_s
    assert len(set(waits)) > 5, "no jitter"


def test_offline_all_day_neither_spins_nor_grows(outbox: FileOutbox) -> None:
    outbox.record(some_entries(3)[0])
    steps = Steps(outbox, "http://127.0.0.1:9", Timing())
    begun = steps.clock.monotonic()
    steps.run(400)
    assert steps.clock.monotonic() - begun > 1500, "200 attempts must span the better part of an hour"
    assert steps.states[-1].state is Link.OFFLINE
    assert len(steps.states) <= 5, "the bar is told what changed, not every attempt"
    assert "cannot be reached" in steps.states[-1].detail
    steps.api.close()


def test_waking_does_not_break_the_back_off(outbox: FileOutbox, scripted: ScriptedServer, steps: Steps) -> None:
    outbox.record(some_entries(1)[0])
    scripted.answer = lambda *_: (503, {"Retry-After": "60"}, b"")
    steps.loop.step()
    count = len(scripted.requests)
    for _ in range(20):
        steps.loop.wake()
        assert steps.loop.step() > 0
    assert len(scripted.requests) == count


# poison


@pytest.mark.parametrize("place", [0, 20, 39])
@pytest.mark.parametrize("status", [400, 413, 500])
def test_a_poison_entry_ends_alone_and_stays_here(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps, place: int, status: int,
    expected_warnings: WarningsOnTheLog,
) -> None:  # fmt: skip
    expected_warnings("is stuck")
    entries, _ = some_entries(40)
    outbox.record(entries)
    poison = entries[place].id.encode()

    def answer(method: str, path: str, body: bytes) -> Answer:
        choke = path == "/v1/journal" and any(
            entry["id"].encode() == poison and "withheld" not in entry for entry in json.loads(body)["entries"]
        )
        return (status, {}, b"") if choke else good(method, path, body)

    scripted.answer = answer
    state = steps.run(70 if status < 500 else 250)
    assert (state.unsent.entries, state.stuck, state.state) == (1, 1, Link.ONLINE)
    assert "1 record(s) refused by the server, kept on this bench" in state.detail
    assert outbox.statuses()[place + 1] == (None, None)
    requests = len(scripted.requests)
    scripted.answer = good
    steps.clock.ahead += SWIFT.stuck_cap_s
    state = steps.run(4)
    assert (state.unsent.entries, state.stuck, state.detail) == (0, 0, "")
    assert len(scripted.requests) > requests


def test_a_general_outage_blames_no_record(outbox: FileOutbox, scripted: ScriptedServer, steps: Steps) -> None:
    outbox.record(some_entries(30)[0])
    scripted.answer = lambda m, p, b: (500, {}, b"") if p == "/v1/journal" else good(m, p, b)
    state = steps.run(120)
    assert (state.unsent.entries, state.stuck) == (30, 0)
    scripted.answer = good
    assert steps.run(20).unsent.entries == 0


def test_when_everything_is_refused_the_line_waits_for_a_person(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("is stuck")
    outbox.record(some_entries(60)[0])

    def answer(method: str, path: str, body: bytes) -> Answer:
        has_content = path == "/v1/journal" and any("payload" in entry for entry in json.loads(body)["entries"])
        return (400, {}, b"") if has_content else good(method, path, body)

    scripted.answer = answer
    state = steps.run(300)
    assert state.unsent.entries == 60, "nothing was thrown away"
    assert state.stuck <= 20
    assert len(scripted.requests) < 320


def test_a_payload_damaged_on_disk_does_not_stop_the_line(
    outbox: FileOutbox, local_server: LocalServer, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("not UTF-8 any more")
    entries, _ = some_entries(3)
    entries[1] = Entry(**{f: getattr(entries[1], f) for f in Entry.__slots__} | {"payload": b"\xff\xfe"})
    outbox.record(entries)
    api = HttpApi(local_server.url, token=None, clock=SystemClock())
    with pytest.raises(SyncFault, match=r"1 things unsent: 1 record\(s\) refused by the server"):
        drain(outbox, api, SystemClock(), dice(1), within_s=1, timing=SWIFT)
    api.close()
    assert [status for _, (status, _) in sorted(outbox.statuses().items())] == ["accepted", None, "accepted"]


def test_quarantined_counts_as_sent_and_is_shown(
    outbox: FileOutbox, local_server: LocalServer, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("quarantined at the server")
    entries, _ = some_entries(9)
    for place in (0, 4, 8):
        entries[place] = Entry(**{f: getattr(entries[place], f) for f in Entry.__slots__} | {"actor": "forged"})
    outbox.record(entries)
    api = HttpApi(local_server.url, token=None, clock=SystemClock())
    states: list[SyncState] = []
    drain(outbox, api, SystemClock(), dice(1), within_s=10, timing=SWIFT, on_state=states.append)
    api.close()
    assert states[-1].unsent.quarantined == 3
    assert local_server.status()["inspections"] == 6
    assert outbox.statuses()[5] == ("quarantined", "hash_mismatch")


def test_a_fork_is_reported(
    outbox: FileOutbox, local_server: LocalServer, expected_warnings: WarningsOnTheLog, tmp_path: Path
) -> None:
    expected_warnings("holds another entry at")
    first, second = FileOutbox(tmp_path / "first"), FileOutbox(tmp_path / "second")
    common, _ = some_entries(2)
    first.record(common + chain([fact(an_inspection(10))], after=common[-1]))
    second.record(common + chain([fact(an_inspection(20)), fact(an_inspection(21))], after=common[-1]))
    api = HttpApi(local_server.url, token=None, clock=SystemClock())
    states: list[SyncState] = []
    for bench in (first, second):
        drain(bench, api, SystemClock(), dice(1), within_s=10, timing=SWIFT, on_state=states.append)
        bench.close()
    api.close()
    assert states[-1].forked
    assert local_server.status()["disputed"] == 2


# a server that was restored


def test_a_restored_server_is_filled_up_again(
    outbox: FileOutbox, local_server: LocalServer, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("epoch changed")
    expected_warnings("offered again")
    entries, jpegs = some_entries(30, photos=1)
    outbox.record(entries[:20], jpegs)
    api = HttpApi(local_server.url, token=None, clock=SystemClock())
    drain(outbox, api, SystemClock(), dice(1), within_s=10, timing=SWIFT, with_photos=True)
    local_server.stop()
    for file in local_server.database.parent.glob("server.sqlite3*"):
        file.unlink()
    local_server.start(f"127.0.0.1:{local_server.port}")
    outbox.record(entries[20:], jpegs)
    drain(outbox, api, SystemClock(), dice(1), within_s=10, timing=SWIFT, with_photos=True)
    api.close()
    assert discrepancies(local_server, entries) == []
    assert local_server.status() | {"photos": 30, "photos_missing": 0} == local_server.status()


# photos


def test_photos_come_behind_the_records_and_survive_cuts(
    outbox: FileOutbox, local_server: LocalServer, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    entries, jpegs = some_entries(12, photos=3)
    outbox.record(entries, jpegs)
    with FaultProxy(local_server.port, 5) as proxy:
        api = HttpApi(proxy.url, token=None, clock=SystemClock())
        drain(outbox, api, SystemClock(), dice(5), within_s=20, timing=SWIFT, with_photos=True)
        api.close()
        assert proxy.seen[Fate.CUT_REQUEST] > 0
    assert local_server.status() | {"photos": 36, "photos_missing": 0} == local_server.status()
    for sha256, jpeg in jpegs.items():
        assert (local_server.photo_folder / sha256[:2] / f"{sha256}.jpg").read_bytes() == jpeg


def test_a_lost_photo_is_noted_and_delays_nothing(
    outbox: FileOutbox, local_server: LocalServer, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("is lost: ")
    expected_warnings("cannot be sent: ")
    entries, jpegs = some_entries(4, photos=2)
    outbox.record(entries, jpegs)
    gone, wrong, *rest = jpegs
    outbox.spoil_photo(gone, None)
    outbox.spoil_photo(wrong, jpeg_of(99))
    api = HttpApi(local_server.url, token=None, clock=SystemClock())
    drain(outbox, api, SystemClock(), dice(1), within_s=10, timing=SWIFT)
    # a photo that is lost is no longer to be sent; the fake counts it as unsent until it has a state
    drain(outbox, api, SystemClock(), dice(1), within_s=10, timing=SWIFT, with_photos=True)
    api.close()
    states = outbox.photo_states()
    assert states[gone] == f"lost: photo {gone} is gone from the disk"
    assert states[wrong] is not None
    assert "not to the name" in states[wrong]
    assert {states[sha256] for sha256 in rest} == {"sent"}
    assert local_server.status() | {"entries": 4, "photos": 6, "photos_missing": 2} == local_server.status()


def test_a_photo_that_the_server_chokes_on_lets_the_others_pass(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps
) -> None:
    entries, jpegs = some_entries(3, photos=1)
    outbox.record(entries, jpegs)
    bad = next(iter(jpegs))
    scripted.answer = lambda m, p, b: (500, {}, b"") if p.endswith(bad) else good(m, p, b)
    steps.run(16)
    assert outbox.photo_states() == {sha256: None if sha256 == bad else "sent" for sha256 in jpegs}
    scripted.answer = good
    steps.clock.ahead += 60
    steps.run(4)
    assert set(outbox.photo_states().values()) == {"sent"}


def test_a_record_waits_for_one_photo_at_most(outbox: FileOutbox, scripted: ScriptedServer, steps: Steps) -> None:
    entries, jpegs = some_entries(3, photos=3)
    outbox.record(entries[:2], jpegs)
    seen: list[str] = []

    def answer(method: str, path: str, body: bytes) -> Answer:
        seen.append(f"{method} {path.rpartition('/')[0] if method == 'PUT' else path.partition('?')[0]}")
        if seen.count("PUT /v1/photos") == 1 and method == "PUT":
            outbox.record(entries[2:], jpegs)
        return good(method, path, body)

    scripted.answer = answer
    steps.run(6)
    first = seen.index("PUT /v1/photos")
    assert seen[first : first + 3] == ["PUT /v1/photos", "POST /v1/journal", "PUT /v1/photos"]


def test_an_answer_about_another_photo_does_not_count(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps
) -> None:
    entries, jpegs = some_entries(1, photos=1)
    outbox.record(entries, jpegs)
    name = hashlib.sha256(b"x").hexdigest()
    scripted.answer = lambda m, p, b: good(m, f"/v1/photos/{name}" if m == "PUT" else p, b)
    steps.run(8)
    assert set(outbox.photo_states().values()) == {None}


# the bench's own troubles


def test_a_full_disk_at_the_bench_loses_no_acknowledgement(
    outbox: FileOutbox, scripted: ScriptedServer, steps: Steps, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("the bench's own store fails: disk full")
    outbox.record(some_entries(2)[0])
    scripted.answer = good
    keep = outbox.acknowledge

    def full(answers: object) -> None:
        raise StoreFault("disk full")

    outbox.acknowledge = full  # type: ignore[method-assign]
    assert steps.run(4).unsent.entries == 2
    outbox.acknowledge = keep  # type: ignore[method-assign]
    assert steps.run(6).unsent.entries == 0
    assert len(scripted.pushes()) == 1, "what was answered is not sent again as long as the bench lives"
    assert {status for status, _ in outbox.statuses().values()} == {"accepted"}


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "returns.example.com", "http://returns.example.com", "http://10.0.0.7:80"]
)
def test_an_address_that_is_unsafe_or_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="the server's address"):
        HttpApi(url, token=None, clock=SystemClock())


def test_a_closed_network_may_do_without_encryption() -> None:
    HttpApi("http://10.0.0.7:80", token=None, clock=SystemClock(), plain_http=True).close()
    HttpApi("https://returns.example.com", token="t", clock=SystemClock()).close()


def test_stopping_is_prompt(outbox: FileOutbox) -> None:
    api = HttpApi("http://127.0.0.1:9", token=None, clock=SystemClock())
    stop = threading.Event()
    thread = threading.Thread(
        target=SyncLoop(outbox, api, SystemClock(), dice(1)).run, args=(stop.is_set, lambda state: None)
    )
    thread.start()
    stop.set()
    thread.join(2)
    assert not thread.is_alive()
    api.close()
    until(lambda: outbox.station == STATION, 1, "the outbox is still usable")

"""F5, F6, F23: the server's disk is full or broken, its database is crashed, locked, shut or says no."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from station.clock import SystemClock
from sync.client.api import HttpApi, Outcome
from sync.client.decide import Verdict
from sync.protocol import PushAnswer
from tests.conftest import WarningsOnTheLog
from tests.faults.bench import Bench
from tests.faults.conftest import Postgres
from tests.faults.invariants import Centre, HonestBar, broken, drains
from tests.faults.serving import Doom, ForkedServer
from tests.sync.material import STATION, FileOutbox, some_entries, until

on_postgres = pytest.mark.parametrize("server", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("server", ["sqlite"], indirect=True)


def plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def push(url: str, recorded: list, timeout_s: float = 15.0) -> Outcome[PushAnswer]:
    api = HttpApi(url, token=None, clock=SystemClock(), timeout=httpx.Timeout(timeout_s))
    try:
        return api.push(api.pack(STATION, recorded))
    finally:
        api.close()


# F23


@on_postgres
def test_postgresql_crashes_under_the_server_and_nothing_is_lost(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, postgres: Postgres, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    recorded, _ = some_entries(600)
    bar = HonestBar(centre, recorded, outbox)
    outbox.record(recorded[:300])
    server.start()
    bar_is_read_later: list[object] = []
    with Bench(outbox, server.url, 1, bar_is_read_later.append) as bench:
        until(lambda: outbox.unsent().entries < 300, 20, "progress")
        postgres.server.crash()
        outbox.record(recorded[300:])
        bench.wake()
        until(lambda: outbox.unsent().entries < 300, 20, "progress after the crash")
        postgres.server.shut()
        until(lambda: server.get("/v1/health").status_code == 503, 10, "it says that it is not ready")
        postgres.server.open()
        until(lambda: server.get("/v1/health").status_code == 200, 10, "it is ready again, by itself")
        drains(outbox, 20)
    assert not server.is_dead()
    bar(bar_is_read_later[-1])  # type: ignore[arg-type]
    assert bar.lies == []
    assert broken(centre, recorded, outbox) == []


@on_postgres
@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_postgresql_restarted_in_the_middle_of_a_push_keeps_all_of_it_or_nothing(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, postgres: Postgres, tmp_path: Path, mode: str,
    expected_warnings: WarningsOnTheLog,
) -> None:  # fmt: skip
    """Every statement of the push is made, only its commit waits: then the database goes and comes back."""
    expected_warnings(".*", required=False)
    hold = tmp_path / "hold"
    recorded, _ = some_entries(60)
    outbox.record(recorded)
    server.start(Doom(hold=hold))
    assert push(server.url, recorded[:20]).verdict is Verdict.PROGRESS
    hold.touch()
    with ThreadPoolExecutor(1) as one:
        hanging = one.submit(push, server.url, recorded[20:])
        until(lambda: in_transaction(server.database_url) >= 1, 20, "the push stands before its commit")
        centre.close()
        postgres.server.restart(mode)
        hold.unlink()
        outcome = hanging.result()
    assert (outcome.verdict, outcome.answer) == (Verdict.BUSY, None), outcome
    assert len(centre.held()) == 20
    with Bench(outbox, server.url, 1):
        drains(outbox, 20)
    assert not server.is_dead()
    assert broken(centre, recorded, outbox) == []


def in_transaction(url: URL) -> int:
    """How many of the server's connections stand idle in a transaction that has written."""
    with psycopg.connect(plain(url)) as beside:
        found = beside.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state = 'idle in transaction' AND backend_xid IS NOT NULL"
        ).fetchone()
    return found[0] if found else 0


SAYS_NO = {
    "the disk is full": "53100",
    "out of memory": "53200",
    "too many connections": "53300",
    "an I/O error": "58030",
    "a deadlock": "40P01",
    "a serialization failure": "40001",
    "a lock that is not to be had": "55P03",
    "shutting down": "57P01",
    "a stand-by that only reads": "25006",
    "an internal error": "XX000",
}
OF_THE_CONTENT = {"a character it cannot store": "22021", "a number too large": "22003", "a constraint": "23514"}


@on_postgres
def test_whatever_postgresql_says_nothing_is_acknowledged_and_the_right_one_is_blamed(
    server: ForkedServer, centre: Centre, outbox: FileOutbox
) -> None:
    server.start()
    recorded, _ = some_entries(3)
    for states, verdict in ((SAYS_NO, Verdict.BUSY), (OF_THE_CONTENT, Verdict.SERVER_ERROR)):
        for what, state in states.items():
            say_no(centre, state)
            outcome = push(server.url, recorded)
            assert (outcome.verdict, outcome.answer) == (verdict, None), what
            assert (verdict is Verdict.BUSY) == (outcome.retry_after_s > 0)
            assert centre.held() == []
    centre.execute("DROP FUNCTION say_no CASCADE")
    assert push(server.url, recorded).verdict is Verdict.PROGRESS
    outbox.record(recorded)
    assert broken(centre, recorded, outbox) == []


def say_no(centre: Centre, state: str) -> None:
    """Make the database raise this SQLSTATE whenever an entry comes."""
    centre.execute(
        "CREATE OR REPLACE FUNCTION say_no() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
    )
    centre.execute("CREATE OR REPLACE TRIGGER say_no BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION say_no()")


@on_postgres
def test_a_lock_that_somebody_holds_stops_its_own_bench_only(server: ForkedServer, centre: Centre) -> None:
    server.start(Doom(lock_wait_s=0.3))
    recorded, _ = some_entries(4)
    assert push(server.url, recorded[:1]).answer is not None
    with psycopg.connect(plain(server.database_url)) as holder:
        holder.execute("SELECT 1 FROM heads FOR UPDATE")
        with ThreadPoolExecutor(6) as several:  # more than there are writers
            refused = list(several.map(lambda _: push(server.url, recorded[1:]), range(6)))
        assert {outcome.verdict for outcome in refused} == {Verdict.BUSY}
        assert server.status()["entries"] == 1, "reading goes on"
        holder.rollback()
    assert push(server.url, recorded[1:]).verdict is Verdict.PROGRESS
    assert len(centre.held()) == 4


@on_postgres
def test_control_without_a_limit_a_held_lock_holds_the_bench(server: ForkedServer) -> None:
    server.start(Doom(lock_wait_s=0))
    recorded, _ = some_entries(2)
    assert push(server.url, recorded[:1]).answer is not None
    with psycopg.connect(plain(server.database_url)) as holder:
        holder.execute("SELECT 1 FROM heads FOR UPDATE")
        assert push(server.url, recorded[1:], timeout_s=1.0).verdict is Verdict.UNREACHABLE
        holder.rollback()


@on_postgres
def test_a_database_that_throws_everybody_out_is_come_back_to(
    server: ForkedServer, centre: Centre, postgres: Postgres
) -> None:
    server.start()
    recorded, _ = some_entries(2)
    assert push(server.url, recorded[:1]).answer is not None
    name = server.database_url.database
    centre.close()
    with psycopg.connect(plain(server.database_url.set(database="postgres")), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        assert push(server.url, recorded[1:]).verdict is Verdict.BUSY
        assert server.get("/v1/health").status_code == 503
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert push(server.url, recorded[1:]).verdict is Verdict.PROGRESS
    assert server.get("/v1/health").status_code == 200


def test_the_same_entries_sent_six_times_at_once_have_one_effect(
    server: ForkedServer, centre: Centre, outbox: FileOutbox
) -> None:
    server.start()
    recorded, _ = some_entries(60)
    outbox.record(recorded)
    with ThreadPoolExecutor(6) as several:
        outcomes = list(
            several.map(lambda start: push(server.url, recorded[start : start + 40]), [0, 20, 0, 10, 0, 20])
        )
    assert {outcome.verdict for outcome in outcomes} <= {Verdict.PROGRESS, Verdict.BUSY}
    assert push(server.url, recorded).verdict is Verdict.PROGRESS
    assert broken(centre, recorded, outbox) == []


# F5, F6


@on_sqlite
def test_a_disk_that_is_full_or_broken_acknowledges_nothing_and_heals_by_itself(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, expected_warnings: WarningsOnTheLog
) -> None:
    """No file of the server may grow beyond a limit: an error in the middle of a write, on any file system."""
    expected_warnings(".*", required=False)
    recorded, _ = some_entries(600)
    outbox.record(recorded)
    server.start().stop()  # it has migrated, and its write-ahead log begins anew
    server.start(Doom(file_limit=2_000_000))
    bench = Bench(outbox, server.url, 1)
    with bench:
        until(lambda: any("HTTP 503" in state.detail for state in bench.states), 20, "the server says that it cannot")
        taken = {seq for seq, (status, _) in outbox.statuses().items() if status}
        assert taken <= {one.seq for one in centre.held()}
        assert 0 < len(taken) < 600
        assert bench.states[-1].stuck == 0, "the disk is no fault of a record"
        server.free_the_disk()
        drains(outbox, 20)
    assert broken(centre, recorded, outbox) == []


@on_sqlite
def test_a_full_photo_folder_is_said_with_507_and_records_go_on(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    recorded, jpegs = some_entries(3, photos=1)
    server.start(Doom(file_limit=2_000))
    for sha256, jpeg in jpegs.items():
        api = HttpApi(server.url, token=None, clock=SystemClock())
        outcome = api.put_photo(sha256, jpeg)
        api.close()
        assert outcome.verdict is Verdict.BUSY, outcome
        assert "HTTP 507" in outcome.detail
    assert [path for path in server.photo_folder.rglob("*") if path.is_file()] == [], "no half of a photo is left"
    server.free_the_disk()
    outbox.record(recorded, jpegs)
    with Bench(outbox, server.url, 1):
        drains(outbox, 20, photos=True)
    assert broken(centre, recorded, outbox, server.photo_folder) == []


@on_sqlite
def test_control_a_centre_that_does_not_look_whether_it_could_write_is_found_out(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    recorded, jpegs = some_entries(3, photos=1)
    outbox.record(recorded, jpegs)
    server.start(Doom(ignores_full_disk=True))
    with Bench(outbox, server.url, 1):
        until(lambda: "sent" in outbox.photo_states().values(), 20, "it says that it has one")
    assert [line for line in broken(centre, recorded, outbox, server.photo_folder) if "counts as sent" in line]


# F7: the centre's disk


def test_while_the_centres_disk_takes_its_time_others_are_answered_and_nothing_counts(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    hold = tmp_path / "hold"
    recorded, _ = some_entries(40)
    server.start(Doom(hold=hold))
    assert push(server.url, recorded[:10]).verdict is Verdict.PROGRESS
    hold.touch()
    outbox.record(recorded)
    with ThreadPoolExecutor(3) as several:
        hanging = [several.submit(push, server.url, recorded[start : start + 20]) for start in (10, 10, 20)]
        for path in ("/v1/health", "/v1/status", f"/v1/hello?station={STATION}"):
            assert server.get(path).status_code == 200
        assert server.status()["entries"] == 10, "what is not durable is not shown"
        # and a bench that has not so much time gives up, and counts nothing
        assert push(server.url, recorded[10:20], timeout_s=0.5).verdict is Verdict.UNREACHABLE
        assert not any(each.done() for each in hanging), "nobody is told before the disk has it"
        hold.unlink()
        assert {each.result().verdict for each in hanging} <= {Verdict.PROGRESS, Verdict.RETRY}
    with Bench(outbox, server.url, 1):
        drains(outbox, 20)
    assert broken(centre, recorded, outbox) == []
    assert server.status()["duplicates"] > 0


@on_sqlite
def test_control_with_one_thread_for_all_a_slow_disk_stops_every_answer(server: ForkedServer, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    recorded, _ = some_entries(1)
    server.start(Doom(hold=hold, is_single=True))
    hold.touch()
    with ThreadPoolExecutor(1) as one:
        hanging = one.submit(push, server.url, recorded)
        until(lambda: server_is_busy(server), 10, "its one thread waits for the disk")
        hold.unlink()
        assert hanging.result().verdict is Verdict.PROGRESS


def server_is_busy(server: ForkedServer) -> bool:
    try:
        httpx.get(server.url + "/v1/health", timeout=0.5, trust_env=False)
    except httpx.TimeoutException:
        return True
    return False

"""F9, F10, F15, F20, F27, F28: what machines do to files, clocks and copies of themselves; real stores and servers."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from station.clock import SystemClock
from station.decision.model import Disposition
from station.journal.entry import Entry, link
from station.store import Store
from station.store.durable import replace_patiently
from station.store.outbox import PhotoUnreadable
from sync.client.api import HttpApi
from sync.client.drain import drain
from sync.client.loop import SyncLoop
from tests.conftest import WarningsOnTheLog
from tests.faults.bench import Bench, HastyClock
from tests.faults.conftest import Postgres
from tests.faults.invariants import Centre, broken, drains
from tests.faults.serving import Doom, ForkedServer
from tests.sync.material import STATION, SWIFT, FileOutbox, an_inspection, dice, fact, jpeg_of, some_entries, until


def send(store: Store, url: str, *, photos: bool = False) -> None:
    api = HttpApi(url, token=None, clock=SystemClock())
    drain(store, api, HastyClock(), dice(1), within_s=400, timing=SWIFT, with_photos=photos)  # 400 hasty seconds
    api.close()


def commit(store: Store, *numbers: int) -> list[Entry]:
    made: list[Entry] = []
    for number in numbers:
        made += store.commit([fact(an_inspection(number))], actor="B-17", drafts={})
    return made


def opened(home: Path) -> Store:
    return Store.open(home, station=STATION, clock=SystemClock(), ballast_bytes=0)


# F9: yesterday's copy, and one disk in two machines


def test_a_cloned_disk_keeps_both_machines_work(
    server: ForkedServer, centre: Centre, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    server.start()
    with opened(tmp_path / "one") as one:
        common = commit(one, 1, 2, 3)
        send(one, server.url)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with opened(tmp_path / "one") as one, opened(tmp_path / "two") as two:
        mine, theirs = commit(one, 10, 11), commit(two, 20, 21, 22)
        send(one, server.url)
        send(two, server.url)
        assert (one.unsent().entries, two.unsent().entries) == (0, 0)
    kept = centre.ids()
    assert {entry.id for entry in (*common, *mine, *theirs)} <= kept, "both machines' records are kept"
    held = {entry.id for entry in centre.held()}
    assert {entry.id for entry in (*common, *mine)} <= held, "the first one's chain goes on undisturbed"
    assert not [line for line in broken(centre, [*common, *mine], None) if "never recorded" not in line]


# F16: what two benches say of one unit


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_control_where_the_last_one_wins_the_order_of_arrival_decides(server: ForkedServer, tmp_path: Path) -> None:
    """Why a unit that two benches inspected is contested: by arrival alone the line between them would decide."""
    routes = {"one": Disposition.RESTOCK, "two": Disposition.RECYCLE}
    server.start()
    last: list[str] = []
    for number, order in enumerate((("one", "two"), ("two", "one"))):
        for name in order:
            plain = an_inspection(number)
            seen = replace(plain, lpn=f"LPN-{number}", decision=replace(plain.decision, disposition=routes[name]))
            with Store.open(
                tmp_path / f"{name}-{number}", station=f"{name}-{number}", clock=SystemClock(), ballast_bytes=0
            ) as store:
                store.commit([fact(seen)], actor="B-17", drafts={})
                send(store, server.url)
        (arrived,) = server.rows(
            f"SELECT disposition FROM inspections WHERE lpn = 'LPN-{number}' ORDER BY rowid DESC LIMIT 1"
        )
        last.append(arrived[0])
        assert server.get(f"/v1/units/LPN-{number}").json()["state"] == "contested"
    assert last == ["recycle", "restock"], "the same two records, and another end"


# F20: the centre comes back from yesterday's backup


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_a_centre_restored_while_a_backlog_is_sent_is_filled_up(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    recorded, _ = some_entries(500)
    outbox.record(recorded[:100])
    server.start()
    with Bench(outbox, server.url, 1) as bench:
        drains(outbox, 20)
        server.stop()
        shutil.copytree(server.home / "server", tmp_path / "backup")
        server.start()
        outbox.record(recorded[100:])
        bench.wake()
        until(lambda: outbox.unsent().entries < 400, 20, "the backlog is on its way")
        server.kill()
        shutil.rmtree(server.home / "server")
        shutil.copytree(tmp_path / "backup", server.home / "server")
        restored = Centre(server.database_url)
        restored.execute("UPDATE server_facts SET value = 'restored' WHERE name = 'epoch'")
        restored.close()
        server.start()
        drains(outbox, 30)
    assert broken(centre, recorded, outbox) == []


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_postgresql_put_back_to_yesterday_is_filled_up(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, postgres: Postgres, expected_warnings: WarningsOnTheLog
) -> None:
    """The same where the database is set back by its own means; photos stay, as in a store of objects."""
    expected_warnings(".*", required=False)
    recorded, jpegs = some_entries(300, photos=1)
    outbox.record(recorded[:100], jpegs)
    server.start()
    with Bench(outbox, server.url, 1) as bench:
        drains(outbox, 20)
        server.stop()
        backup = postgres.server.make(server.database_url.database)
        server.start()
        outbox.record(recorded[100:], jpegs)
        bench.wake()
        until(lambda: outbox.unsent().entries < 200, 20, "the backlog is on its way")
        server.kill()
        centre.close()
        postgres.server.put_back(server.database_url, backup)
        restored = Centre(server.database_url)
        assert len(restored.held()) == 100
        restored.execute("UPDATE server_facts SET value = 'restored' WHERE name = 'epoch'")
        restored.close()
        server.start()
        drains(outbox, 30, photos=True)
    assert broken(centre, recorded, outbox, server.photo_folder) == []


# F10: clocks


CLOCKS = ["1970-01-01T00:00:00.000000Z", "2036-02-29T23:59:60.000000Z", "2026-03-29T02:30:00.000000Z", "9999-12-31", ""]


def test_no_clock_changes_what_is_kept_nor_its_order(server: ForkedServer, centre: Centre, outbox: FileOutbox) -> None:
    """Ids and times from 1970, 2036 and nowhere: order is the place in the chain alone."""
    recorded: list[Entry] = []
    for number in range(20):
        stamp = [0, 10**12, 2 * 10**12, 2**47, 2**48 - 1][number % 5]
        identity = f"{stamp:012x}"
        id_ = f"{identity[:8]}-{identity[8:]}-7{number:03x}-8000-{number:012x}"
        last = recorded[-1] if recorded else None
        recorded.append(
            link(
                fact(an_inspection(number)), station=STATION, generation=1, seq=number + 1, id=id_,
                recorded_at=CLOCKS[number % 5], actor="B-17", prev_hash=last.hash if last else "0" * 64,
            )
        )  # fmt: skip
    outbox.record(recorded)
    server.start()
    with Bench(outbox, server.url, 1):
        drains(outbox, 20)
    assert {status for status, _ in outbox.statuses().values()} == {"accepted"}
    assert broken(centre, recorded, outbox) == []


class Jumping(SystemClock):
    """Its wall clock is set while it runs; the monotonic one is not."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


@pytest.mark.parametrize("days", [3650, -1, -20_000])
def test_a_wall_clock_that_jumps_in_the_middle_of_a_shift_stops_nothing(
    tmp_path: Path, days: int, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    clock = Jumping()
    with Store.open(tmp_path / "home", station=STATION, clock=clock, ballast_bytes=0) as store:
        before = commit(store, 1)
        clock.offset = timedelta(days=days)
        after = commit(store, 2, 3)
        clock.offset = timedelta()
        last = commit(store, 4)
    entries = [*before, *after, *last]
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    assert len({entry.id for entry in entries}) == 4
    with opened(tmp_path / "home") as store:
        assert store.opening.doubt is None


class Naive(SystemClock):
    """What a program has that waits by the clock on the wall."""

    def __init__(self, wall: Jumping) -> None:
        self._wall = wall

    def now(self) -> datetime:
        return self._wall.now()

    def monotonic(self) -> float:
        return self._wall.now().timestamp()


@pytest.mark.parametrize("is_naive", [False, True], ids=["monotonic", "control: by the wall clock"])
def test_a_bench_does_not_wait_for_the_day_that_its_clock_was_set_back(
    outbox: FileOutbox, is_naive: bool, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    outbox.record(some_entries(1)[0])
    wall = Jumping()
    api = HttpApi("http://127.0.0.1:9", token=None, clock=wall)  # nobody answers there
    loop = SyncLoop(outbox, api, Naive(wall) if is_naive else wall, dice(1), SWIFT)
    loop.step()
    wall.offset = timedelta(days=-1)
    waits = [loop.step() for _ in range(3)]
    api.close()
    assert (max(waits) > 80_000) == is_naive
    assert (max(waits) < 1) != is_naive


# F15, F28: photos that are gone, held, or refused


def test_a_photo_that_another_program_holds_waits_and_is_not_lost(
    server: ForkedServer, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    """A virus scanner has the file: not readable now, readable later. A photo that is gone is said to be lost."""
    expected_warnings("photo .* waits|is lost: ", required=False)
    server.start()
    with opened(tmp_path / "home") as store:
        jpegs = [jpeg_of(n) for n in range(3)]
        kept = [store.photos.keep(jpeg) for jpeg in jpegs]
        store.commit([fact(an_inspection(1, jpegs))], actor="B-17", drafts={})
        held, gone = store.photos.path(kept[0].sha256), store.photos.path(kept[1].sha256)
        jpeg = held.read_bytes()
        held.unlink()
        held.symlink_to(held)  # whoever opens it is refused, as by a sharing violation (even root)
        gone.unlink()
        with pytest.raises(PhotoUnreadable):
            store.photo_bytes(kept[0].sha256)
        with Bench(store, server.url, 1):
            until(lambda: server.status()["photos"] == 1, 20, "the sound one is there")
            until(lambda: store.unsent().photos == 1, 20, "the lost one is noted, the held one still waits")
            (tmp_path / "let go").write_bytes(jpeg)
            (tmp_path / "let go").replace(held)  # at one blow: the bench may look at any moment
            drains(store, 20, photos=True)
    assert (server.photo_folder / kept[0].sha256[:2] / f"{kept[0].sha256}.jpg").read_bytes() == jpeg
    assert server.status() | {"photos": 2, "photos_missing": 1} == server.status()


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
@pytest.mark.parametrize("believes", [False, True], ids=["sound", "control: a centre that believes any bytes"])
def test_a_photo_that_changed_on_its_way_is_never_under_its_name(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, believes: bool, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    recorded, jpegs = some_entries(2, photos=1)
    outbox.record(recorded, jpegs)
    spoilt = next(iter(jpegs))
    outbox.spoil_photo(spoilt, jpeg_of(77))  # a whole JPEG, of something else
    server.start(Doom(believes_photos=believes))
    with Bench(outbox, server.url, 1):
        drains(outbox, 20, photos=True)
    wrong = [f"I4: photo {spoilt[:8]} is not what its name says"] if believes else []
    assert broken(centre, recorded, outbox, server.photo_folder) == wrong
    assert (outbox.photo_states()[spoilt] == "sent") == believes


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_a_backlog_of_photos_holds_up_no_record_and_all_arrive(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, request: pytest.FixtureRequest,
    expected_warnings: WarningsOnTheLog,
) -> None:  # fmt: skip
    """A week without a network: records first, and each new one before the next photo. (``--slow``: ten thousand.)"""
    expected_warnings(".*", required=False)
    units, each = (2_000, 5) if request.config.getoption("--slow") else (60, 5)
    recorded, jpegs = some_entries(units + 1, photos=each)
    outbox.record(recorded[:units], jpegs)
    server.start()
    with Bench(outbox, server.url, 1) as bench:
        drains(outbox, 300)
        until(lambda: outbox.unsent().photos < units * each - 20, 60, "photos are on their way")
        outbox.record(recorded[units:], jpegs)
        bench.wake()
        drains(outbox, 20)
        assert outbox.unsent().photos > each * units // 4, "the record did not wait for the photos before it"
        drains(outbox, 600, photos=True)
    assert server.status() | {"photos": len(jpegs), "photos_missing": 0} == server.status()
    assert broken(centre, recorded, outbox, server.photo_folder) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EBUSY, errno.EPERM])
def test_a_rename_that_is_refused_for_a_moment_is_tried_again(tmp_path: Path, number: int) -> None:
    (tmp_path / "new").write_bytes(b"new")
    waits: list[float] = []

    def rename(old: Path, new: Path) -> None:
        if len(waits) < 5:
            raise PermissionError(number, "held by another program")
        old.replace(new)

    replace_patiently(tmp_path / "new", tmp_path / "old", rename=rename, pause=waits.append)
    assert (tmp_path / "old").read_bytes() == b"new"
    assert waits == sorted(waits)
    assert sum(waits) < 1


def test_control_a_rename_that_is_refused_for_good_is_an_error_soon(tmp_path: Path) -> None:
    waits: list[float] = []

    def never(old: Path, new: Path) -> None:
        raise PermissionError(errno.EACCES, "held for ever")

    with pytest.raises(PermissionError):
        replace_patiently(tmp_path / "a", tmp_path / "b", rename=never, pause=waits.append)
    assert 1 < sum(waits) < 2
    with pytest.raises(FileNotFoundError):  # another trouble is not waited for
        replace_patiently(tmp_path / "a", tmp_path / "b", pause=lambda seconds: pytest.fail("it waited"))


# F27: somebody edits the centre's database


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE entries SET payload = prev.payload FROM entries prev WHERE entries.seq = 3 AND prev.seq = 2",
         "I4: the payload of 1/3 was changed"),
        ("UPDATE entries SET actor = 'somebody else' WHERE seq = 4", "I4: the header of 1/4 was changed"),
        ("DELETE FROM entries WHERE seq = 2", "I1: entry 1/2 is neither unsent nor at the centre"),
        ("DELETE FROM inspections WHERE seq = 5", "I2: the inspection of ('bench-1', 1, 5) is there 0 times"),
        ("UPDATE entries SET hash = prev_hash WHERE seq = 5", "I4: the header of 1/5 was changed"),
    ],
    ids=["payload", "actor", "deleted", "effect", "hash"],
)  # fmt: skip
def test_control_the_checker_names_what_was_tampered_with(
    server: ForkedServer, centre: Centre, outbox: FileOutbox, sql: str, found: str
) -> None:
    recorded, _ = some_entries(6)
    outbox.record(recorded)
    server.start()
    with Bench(outbox, server.url, 1):
        drains(outbox, 20)
    assert broken(centre, recorded, outbox) == []
    server.stop()
    centre.execute(sql)
    assert found in broken(centre, recorded, outbox)

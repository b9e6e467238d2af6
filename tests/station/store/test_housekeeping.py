"""The bench looks after itself: when, what, and what a damaged database or a full disk does to the backups."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from station.errors import StoreFault
from station.health import Health
from station.store import Store, backup, housekeeping
from station.store.backup import MANIFEST, read_backup
from station.store.housekeeping import Housekeeping, Report, findings, finished, plan_for, read_report, verify_copy
from station.store.outbox import Acknowledgement
from tests.conftest import WarningsOnTheLog
from tests.station.store.store_lab import SteadyClock, inspection, photo


def jpeg_of(number: int) -> bytes:
    return b"\xff\xd8\xff" + f"photo {number}".encode() * 50


def record(store: Store, numbers: range) -> None:
    for number in numbers:
        stored = store.photos.keep(jpeg_of(number))
        store.commit(
            [inspection(number, parcel=f"p{number}", photos=(photo(stored.sha256, stored.size),))], actor="B-17",
            drafts={},
        )  # fmt: skip


def open_store(home: Path, clock: SteadyClock) -> Store:
    return Store.open(home, station="bench-7", clock=clock, ballast_bytes=0)


@pytest.fixture
def clock() -> SteadyClock:
    return SteadyClock()


@pytest.fixture
def store(home: Path, clock: SteadyClock) -> Iterator[Store]:
    with open_store(home, clock) as made:
        yield made


def house_of(store: Store, clock: SteadyClock, keep: int = 3) -> Housekeeping:
    return Housekeeping(store, plan_for(store.home, keep=keep), clock)


def a_day_later(store: Store, clock: SteadyClock, keep: int = 3) -> Report:
    clock.move(hours=24)
    return house_of(store, clock, keep).work()


def spoil(home: Path) -> None:
    """A byte of a payload changes on the disk; the file stays whole for SQLite."""
    database = sqlite3.connect(home / "station.db")
    (payload,) = database.execute("SELECT payload FROM journal ORDER BY position LIMIT 1").fetchone()
    changed = bytes(payload).replace(b"p0", b"p9", 1)
    assert changed != payload
    guards = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    with database:  # what a disk does asks no trigger
        for name, _ in guards:
            database.execute(f"DROP TRIGGER {name}")
        at = "position = (SELECT min(position) FROM journal)"
        database.execute(f"UPDATE journal SET payload = ? WHERE {at}", (changed,))
        for _, sql in guards:
            database.execute(sql)
    database.close()


def test_it_waits_for_a_quiet_minute_and_for_the_next_day(store: Store, clock: SteadyClock) -> None:
    house = house_of(store, clock)
    assert not house.is_due
    clock.move(seconds=61)
    assert house.is_due
    record(store, range(1))
    assert not house.is_due, "somebody works"
    clock.move(seconds=61)
    house.work()
    assert not house.is_due
    clock.move(hours=24)
    record(store, range(1, 2))
    clock.move(seconds=6)
    assert not house.is_due
    clock.move(hours=24)
    record(store, range(2, 3))
    clock.move(seconds=6)
    assert house.is_due, "two days without a quiet minute: a short pause must do"


def test_a_restart_sweeps_again_and_saves_only_once_a_day(home: Path, clock: SteadyClock) -> None:
    with open_store(home, clock) as store:
        record(store, range(2))
        first = house_of(store, clock).work()
    assert first.entries == "1/2"
    clock.move(minutes=10)
    with open_store(home, clock) as store:
        again = house_of(store, clock).work()
    assert (again.saved_at, again.swept_at) == (first.saved_at, clock.now())
    assert read_report(home) == again


def test_orphans_go_and_old_acknowledged_entries_with_their_photos_stay(store: Store, clock: SteadyClock) -> None:
    record(store, range(3))
    store.acknowledge([Acknowledgement(1, seq, "accepted") for seq in (1, 2, 3)])
    orphan, young = store.photos.keep(b"\xff\xd8 nobody"), store.photos.keep(b"\xff\xd8 just taken")
    long_ago = (clock.now() - timedelta(days=400)).timestamp()
    for path in store.photos.folder.rglob("*.jpg"):
        if path.stem != young.sha256:
            os.utime(path, (long_ago, long_ago))
    clock.move(days=400)
    assert house_of(store, clock).work().swept == 1
    assert not store.photos.path(orphan.sha256).exists()
    assert store.photos.path(young.sha256).exists()
    assert store.hash_at(1, 1) is not None
    assert store.reopen({}) == 3, "a restored centre is still filled up from here"
    assert all(store.photo_bytes(name) for name in store.photos_to_send(9))
    assert len(store.pending_entries(9, 1 << 20)) == 3


def test_what_was_saved_can_be_restored_and_photos_take_no_second_room(
    store: Store, clock: SteadyClock, tmp_path: Path
) -> None:
    record(store, range(4))
    report = house_of(store, clock).work()
    saved = Path(report.saved_to)
    for path in store.photos.folder.rglob("*.jpg"):
        assert path.stat().st_nlink == 2
    restored = backup.restore(saved, tmp_path / "new", clock)
    assert (restored.photos, restored.photos_missing) == (4, 0)
    with open_store(tmp_path / "new", clock) as new:
        assert new.photo_bytes(store.photos_to_send(1)[0] if store.photos_to_send(1) else photo_names(saved)[0])


def photo_names(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "photos").rglob("*.jpg"))


def test_a_photo_that_is_forgotten_here_is_still_in_yesterdays_backup(store: Store, clock: SteadyClock) -> None:
    """A second name is a file of its own: removing the first one takes nothing from the backup."""
    record(store, range(1))
    saved = Path(house_of(store, clock).work().saved_to)
    (name,) = photo_names(saved)
    store.photos.remove(name)
    assert (saved / "photos" / name[:2] / f"{name}.jpg").read_bytes() == jpeg_of(0)


def test_only_the_newest_backups_are_kept(store: Store, clock: SteadyClock) -> None:
    record(store, range(1))
    for day in range(5):
        record(store, range(day + 1, day + 2))
        a_day_later(store, clock, keep=2)
    kept = finished(store.home / "backups")
    assert len(kept) == 2
    assert [read_backup(path).seq for path in kept] == [6, 5]
    assert len(photo_names(kept[0])) == 6, "photos of earlier days came along"


def test_a_backup_of_a_damaged_journal_never_replaces_a_good_one(
    home: Path, clock: SteadyClock, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("the bench could not be saved: the journal is damaged: entry 1/1")
    with open_store(home, clock) as store:
        record(store, range(3))
        good = Path(house_of(store, clock, keep=1).work().saved_to)
    spoil(home)
    before = {path: path.read_bytes() for path in good.rglob("*") if path.is_file()}
    with open_store(home, clock) as store:
        report = a_day_later(store, clock, keep=1)
    assert "damaged" in report.problem
    assert report.saved_to == str(good)
    assert finished(home / "backups") == [good]
    assert {path: path.read_bytes() for path in good.rglob("*") if path.is_file()} == before
    read_backup(good)
    (told, _) = findings(home, clock)
    assert told.status is Health.WARN
    assert "damaged" in told.detail


def test_without_the_check_of_the_chain_the_damage_would_be_saved(
    home: Path, clock: SteadyClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: SQLite itself finds nothing wrong with a changed byte."""
    with open_store(home, clock) as store:
        record(store, range(3))
        good = Path(house_of(store, clock, keep=1).work().saved_to)
    spoil(home)
    monkeypatch.setattr(housekeeping, "verify_copy", lambda copy, should_stop: None)
    with open_store(home, clock) as store:
        a_day_later(store, clock, keep=1)
    (kept,) = finished(home / "backups")
    assert kept != good
    with pytest.raises(StoreFault, match="entry 1/1"):
        verify_copy(kept / read_backup(kept).file)


@pytest.mark.parametrize("moment", ["copy", "photos", "manifest"])
def test_a_disk_that_fills_up_in_the_middle_costs_no_backup_and_no_commit(
    store: Store, clock: SteadyClock, moment: str, monkeypatch: pytest.MonkeyPatch, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("the bench could not be saved")
    record(store, range(2))
    good = Path(house_of(store, clock).work().saved_to)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    place = {"copy": "_copy_database", "photos": "_link_photos", "manifest": "write_durably"}[moment]
    monkeypatch.setattr(backup, place, full)
    report = a_day_later(store, clock)
    assert "No space left" in report.problem
    assert finished(store.home / "backups") == [good]
    assert list((store.home / "backups").iterdir()) == [good], "nothing is left of the try"
    record(store, range(2, 3))
    monkeypatch.undo()
    assert a_day_later(store, clock).problem == ""


def test_without_room_nothing_is_written_and_old_ones_give_way_but_the_newest(
    store: Store, clock: SteadyClock, monkeypatch: pytest.MonkeyPatch, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("MB are free")
    record(store, range(1))
    for _ in range(3):
        a_day_later(store, clock)
    newest = finished(store.home / "backups")[0]
    usage = shutil.disk_usage(store.home)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    report = a_day_later(store, clock)
    assert "needs" in report.problem
    assert finished(store.home / "backups") == [newest]


def test_a_kill_in_the_middle_leaves_what_the_next_day_clears_away(store: Store, clock: SteadyClock) -> None:
    record(store, range(1))
    torn = store.home / "backups" / "daily-20260101"
    (torn / "photos").mkdir(parents=True)
    (torn / "station-20260101T000000000000.db.part").write_bytes(b"half")
    report = house_of(store, clock).work()
    assert not torn.exists()
    assert Path(report.saved_to, MANIFEST).is_file()


def test_stopping_leaves_nothing_half_done(store: Store, clock: SteadyClock) -> None:
    record(store, range(2))
    asked = iter([False] * 4 + [True] * 10_000)
    report = house_of(store, clock).work(lambda: next(asked))
    assert report.tried_at is None
    assert finished(store.home / "backups") == []
    assert house_of(store, clock).work().saved_to


def test_what_the_doctor_is_told(home: Path, clock: SteadyClock) -> None:
    never, _ = findings(home, clock)
    assert (never.status, "never saved" in never.detail) == (Health.WARN, True)
    with open_store(home, clock) as store:
        record(store, range(1))
        report = house_of(store, clock).work()
    good, swept = findings(home, clock)
    assert (good.status, good.fix) == (Health.OK, "")
    assert report.saved_to in good.detail
    assert swept.status is Health.OK
    clock.move(days=4)
    assert findings(home, clock)[0].status is Health.WARN
    shutil.rmtree(report.saved_to)
    assert "not at" in findings(home, clock)[0].detail
    (home / "housekeeping.json").write_bytes(b"\x00garbage")
    assert "never saved" in findings(home, clock)[0].detail

"""Saving and restoring a bench: the restored one begins a new generation and loses and doubles nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from station.errors import InvalidInput, OperatorError, StoreFault
from station.journal.entry import Entry
from station.store import Store, backup, proof
from station.store.outbox import Acknowledgement
from station.store.unsent_file import UnsentFile
from tests.station.store.store_lab import SteadyClock, inspection, parcel_opened, photo

STATION = "bench-7"


def jpeg_of(number: int) -> bytes:
    return b"\xff\xd8\xff" + f"photo {number}".encode() * 50


def record(store: Store, numbers: range) -> list[Entry]:
    made: list[Entry] = []
    for number in numbers:
        stored = store.photos.keep(jpeg_of(number))
        made += store.commit(
            [inspection(number, parcel=f"p{number}", photos=(photo(stored.sha256, stored.size),))],
            actor="B-17", drafts={"desk": b"%d" % number},
        )  # fmt: skip
    return made


def open_store(home: Path, clock: SteadyClock) -> Store:
    return Store.open(home, station=STATION, clock=clock, ballast_bytes=0)


def journal_of(store: Store) -> list[Entry]:
    return list(store.pending_entries(10_000, 1 << 30))


@pytest.fixture
def clock() -> SteadyClock:
    return SteadyClock()


def test_a_restored_bench_has_everything_and_a_new_generation(tmp_path: Path, clock: SteadyClock) -> None:
    home, folder, new = tmp_path / "old", tmp_path / "backup", tmp_path / "new"
    with open_store(home, clock) as store:
        entries = record(store, range(5))
        (home / "station.toml").write_text('[station]\nname = "bench-7"\n')
        store.acknowledge([Acknowledgement(1, 1, "accepted")])
        manifest = backup.back_up(home, folder, clock)  # while it runs
        record(store, range(5, 8))
    assert (manifest.photos, manifest.photos_missing, manifest.seq) == (5, 0, 5)
    clock.move(hours=1)
    restored = backup.restore(folder, new, clock)
    assert restored.generation == int(clock.now().timestamp()) > 1
    assert (new / "station.toml").read_text() == (home / "station.toml").read_text()
    with open_store(new, clock) as store:
        assert store.generation == restored.generation
        assert journal_of(store) == entries[1:]
        assert store.draft("desk") == b"4"
        (added,) = store.commit([parcel_opened("p99")], actor="B-17", drafts={})
        assert (added.generation, added.seq) == (restored.generation, 1)
    assert proof.verify(new).problems == ()


def test_without_a_new_generation_the_chain_would_fork(tmp_path: Path, clock: SteadyClock) -> None:
    """Negative control: a plain copy of the files continues the old chain from an old head."""
    home, folder, new = tmp_path / "old", tmp_path / "backup", tmp_path / "new"
    with open_store(home, clock) as store:
        record(store, range(3))
        manifest = backup.back_up(home, folder, clock)
        (lost,) = record(store, range(3, 4))
    new.mkdir()
    (new / "station.db").write_bytes((folder / manifest.file).read_bytes())
    with open_store(new, clock) as store:
        (other,) = record(store, range(8, 9))
    assert (other.generation, other.seq) == (lost.generation, lost.seq)
    assert other.hash != lost.hash


def test_two_restores_of_one_backup_do_not_meet(tmp_path: Path, clock: SteadyClock) -> None:
    with open_store(tmp_path / "old", clock) as store:
        record(store, range(1))
    backup.back_up(tmp_path / "old", tmp_path / "b", clock)
    first = backup.restore(tmp_path / "b", tmp_path / "one", clock)
    clock.move(seconds=2)
    assert backup.restore(tmp_path / "b", tmp_path / "two", clock).generation > first.generation


def test_a_home_with_a_station_is_never_overwritten(tmp_path: Path, clock: SteadyClock) -> None:
    with open_store(tmp_path / "old", clock) as store:
        record(store, range(1))
    backup.back_up(tmp_path / "old", tmp_path / "b", clock)
    before = (tmp_path / "old" / "station.db").read_bytes()
    with pytest.raises(OperatorError, match="holds a station already"):
        backup.restore(tmp_path / "b", tmp_path / "old", clock)
    assert (tmp_path / "old" / "station.db").read_bytes() == before


def test_what_is_no_backup_or_damaged_is_refused(tmp_path: Path, clock: SteadyClock) -> None:
    with pytest.raises(InvalidInput, match="holds no station"):
        backup.back_up(tmp_path / "nothing", tmp_path / "b", clock)
    with pytest.raises(InvalidInput, match="no finished backup"):
        backup.restore(tmp_path, tmp_path / "new", clock)
    with open_store(tmp_path / "old", clock) as store:
        record(store, range(2))
    manifest = backup.back_up(tmp_path / "old", tmp_path / "b", clock)
    path = tmp_path / "b" / manifest.file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreFault, match="gone or damaged"):
        backup.restore(tmp_path / "b", tmp_path / "new", clock)
    assert not (tmp_path / "new" / "station.db").exists()


@pytest.mark.parametrize("at", ["_copy_photos", "_hash_of", "write_durably", "_describe"])
def test_a_backup_that_is_killed_leaves_the_one_before(tmp_path: Path, clock: SteadyClock, at: str) -> None:
    home, folder = tmp_path / "old", tmp_path / "b"
    with open_store(home, clock) as store:
        record(store, range(2))
        first = backup.back_up(home, folder, clock)
        record(store, range(2, 4))
    assert killed(at, f"backup.back_up(Path({str(home)!r}), Path({str(folder)!r}), SystemClock())") == -9
    assert backup.read_backup(folder) == first
    clock.move(seconds=1)
    again = backup.back_up(home, folder, clock)
    assert (again.seq, again.photos) == (4, 4)
    assert sorted(path.name for path in folder.glob("station-*")) == [again.file]


@pytest.mark.parametrize("at", ["_copy_photos", "_begin_anew", "sync_file"])
def test_a_restore_that_is_killed_leaves_no_half_station(tmp_path: Path, clock: SteadyClock, at: str) -> None:
    with open_store(tmp_path / "old", clock) as store:
        entries = record(store, range(3))
    backup.back_up(tmp_path / "old", tmp_path / "b", clock)
    new = tmp_path / "new"
    assert killed(at, f"backup.restore(Path({str(tmp_path / 'b')!r}), Path({str(new)!r}), SystemClock())") == -9
    assert not (new / "station.db").exists()
    backup.restore(tmp_path / "b", new, clock)
    with open_store(new, clock) as store:
        assert journal_of(store) == entries


def killed(at: str, call: str) -> int:
    code = f"""
import os
from pathlib import Path
from station.clock import SystemClock
from station.store import backup
setattr(backup, {at!r}, lambda *a, **k: os.kill(os.getpid(), 9))
{call}
"""
    return subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode


# a PC that will not run again


def test_what_was_unsent_comes_out_whole(tmp_path: Path, clock: SteadyClock) -> None:
    home, target = tmp_path / "old", tmp_path / "unsent.zip"
    with open_store(home, clock) as store:
        entries = record(store, range(6))
        store.acknowledge([Acknowledgement(1, seq, "accepted") for seq in (1, 2)])
        store.photo_sent(store.photos_to_send(1)[0])
        assert backup.export_unsent(home, target) == (4, 5)  # even while it runs
    outbox = UnsentFile(target)
    try:
        assert outbox.station == STATION
        assert outbox.pending_entries(100, 1 << 20) == tuple(entries[2:])
        assert outbox.pending_entries(100, 1 << 20, after=(1, 4)) == tuple(entries[4:])
        assert outbox.photo_bytes(outbox.photos_to_send(1)[0]) == jpeg_of(1)
        outbox.acknowledge([Acknowledgement(1, 3, "accepted"), Acknowledgement(9, 9, "accepted")])
        assert (outbox.unsent().entries, outbox.unsent().photos) == (3, 5)
    finally:
        outbox.close()


def test_a_changed_file_is_refused(tmp_path: Path, clock: SteadyClock) -> None:
    with open_store(tmp_path / "old", clock) as store:
        record(store, range(2))
    target = tmp_path / "unsent.zip"
    backup.export_unsent(tmp_path / "old", target)
    content = bytearray(target.read_bytes())
    content[200] ^= 1
    target.write_bytes(content)
    with pytest.raises((InvalidInput, StoreFault)):
        UnsentFile(target)
    (tmp_path / "x").write_bytes(b"nonsense")
    with pytest.raises(InvalidInput, match="is not a file of"):
        UnsentFile(tmp_path / "x")


def test_old_enough_photos_that_nothing_names_are_swept(tmp_path: Path, clock: SteadyClock) -> None:
    with open_store(tmp_path / "old", clock) as store:
        record(store, range(1))
        orphan = store.photos.keep(b"\xff\xd8\xff nobody names me")
        assert store.sweep_orphans() == ()
        assert store.sweep_orphans(older_than=timedelta(seconds=-1)) == (f"{orphan.sha256}.jpg",)
        assert store.photos.read(store.pending_entries(1, 1)[0] and next(iter(store_names(store)))) == jpeg_of(0)


def store_names(store: Store) -> list[str]:
    return [path.stem for path in store.photos.folder.glob("*/*.jpg")]


# what must be forgotten


def sent(store: Store) -> None:
    pending = store.pending_entries(1000, 1 << 30)
    store.acknowledge([Acknowledgement(one.generation, one.seq, "accepted") for one in pending])
    for name in store.photos_to_send(1000):
        store.photo_sent(name)


def unit_of(entry: Entry) -> str:
    import json

    assert entry.payload is not None
    return str(json.loads(entry.payload)["unit_id"])


def test_a_forgotten_unit_leaves_its_hashes_and_the_chain_verifies(tmp_path: Path, clock: SteadyClock) -> None:
    home = tmp_path / "home"
    with open_store(home, clock) as store:
        entries = record(store, range(4))
        sent(store)
        before = len(store_names(store))
        gone = store.forget(unit_of(entries[1]))
        assert (gone.entries, len(gone.photos)) == (1, 1)
        assert len(store_names(store)) == before - 1
        with pytest.raises(OperatorError, match="no inspection of unit"):
            store.forget(unit_of(entries[1]))
    report = proof.verify(home)
    assert report.problems == ()
    assert (report.entries, report.photos) == (4, 3)
    content = (home / "station.db").read_bytes()
    assert entries[1].hash.encode() in content
    assert proof.rebuild(home, clock=clock).changed is False


def test_what_the_server_lacks_is_not_forgotten(tmp_path: Path, clock: SteadyClock) -> None:
    with open_store(tmp_path / "home", clock) as store:
        entries = record(store, range(2))
        with pytest.raises(OperatorError, match="not wholly at the server"):
            store.forget(unit_of(entries[0]))
        store.acknowledge([Acknowledgement(1, 1, "accepted")])
        with pytest.raises(OperatorError, match="not wholly at the server"):  # its photo is still here only
            store.forget(unit_of(entries[0]))
        assert store.pending_entries(10, 1 << 20) == (entries[1],)
    assert proof.verify(tmp_path / "home").problems == ()

"""Moving, saving and restoring a server: counted, hashed, resumable, killable (F2, F20)."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.engine import URL

from station.clock import SystemClock
from station.errors import InvalidInput, OperatorError, StoreFault
from station.journal.entry import Entry
from sync.client.api import HttpApi, encode_push
from sync.client.drain import drain
from sync.protocol import PushRequest, Topic
from sync.server.feed import Change, Feed
from sync.server.journal import Journal
from sync.server.judge import judge
from sync.server.operations import save, transfer
from sync.server.photos import PhotoFolder, PhotoRegister
from sync.server.projection import project
from sync.server.routes.bodies import decode
from sync.server.storage import Database, database_url, open_database
from sync.server.storage.rows import entries as entry_rows
from sync.server.storage.rows import photos as photo_rows
from sync.server.storage.rows_operations import transfers
from tests.conftest import WarningsOnTheLog
from tests.postgres import MakePostgres
from tests.sync.material import STATION, SWIFT, FileOutbox, LocalServer, dice, discrepancies, some_entries, until

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def sqlite_url(folder: Path, name: str = "server") -> URL:
    folder.mkdir(parents=True, exist_ok=True)
    return database_url(f"sqlite:///{folder / name}.sqlite3")


def fill(database: Database, photos: PhotoFolder, chain: Sequence[Entry], jpegs: dict[str, bytes]) -> None:
    journal = Journal(database, (project,))
    for first in range(0, len(chain), 100):
        request = decode(PushRequest, encode_push(STATION, chain[first : first + 100]))
        journal.push("main", STATION, [judge(STATION, bytes(raw)) for raw in request.entries], AT)
    register = PhotoRegister(database, photos)
    for sha256, jpeg in jpegs.items():
        upload = photos.receive(sha256)
        upload.write(jpeg)
        upload.keep()
        register.note("main", sha256, len(jpeg), AT)
    feed = Feed(database)
    with database.writing() as connection:
        feed.put(connection, "main", Topic.PRICES, [Change(f"sku-{n}", {"minor": n}) for n in range(30)], AT)


def contents(url: URL) -> dict[str, transfer.Tally]:
    database = open_database(url)
    try:
        with database.reading() as connection:
            return {table.name: transfer.tally(connection, table) for table in transfer.tables()}
    finally:
        database.close()


def epoch_of(url: URL) -> str:
    database = open_database(url)
    database.close()
    return database.epoch


@pytest.fixture
def filled(tmp_path: Path) -> tuple[URL, PhotoFolder, list[Entry]]:
    """A server at rest with 700 entries, two photos each for the first of them."""
    url, photos = sqlite_url(tmp_path / "old"), PhotoFolder(tmp_path / "old" / "photos")
    chain, jpegs = some_entries(700)
    some, named = some_entries(6, photos=2, first=2000)
    del some
    database = open_database(url)
    fill(database, photos, chain, jpegs | named)
    database.close()
    return url, photos, chain


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "new")
    make: MakePostgres = request.getfixturevalue("make_postgres")
    return make(None)


def test_a_server_moves_there_and_back(
    filled: tuple[URL, PhotoFolder, list[Entry]], make_postgres: MakePostgres, tmp_path: Path
) -> None:
    old, photos, _ = filled
    before, epoch = contents(old), epoch_of(old)
    assert before["entries"].rows == 700
    middle, back = make_postgres(None), sqlite_url(tmp_path / "back")
    moved = save.migrate(old, middle, photos, PhotoFolder(tmp_path / "photos2"))
    assert moved.photos == save.PhotosCopied(12, 0)
    assert moved.epoch == epoch == epoch_of(middle)
    assert contents(middle) == before
    save.migrate(middle, back, None, None)
    assert (contents(back), epoch_of(back)) == (before, epoch)
    assert not open_unfinished(back)


def open_unfinished(url: URL) -> bool:
    database = open_database(url)
    try:
        transfer.refuse_unfinished(database)
    except OperatorError:
        return True
    finally:
        database.close()
    return False


def test_one_changed_byte_is_noticed(filled: tuple[URL, PhotoFolder, list[Entry]], target: URL) -> None:
    """Negative control of the comparison: a row changed between copying and checking."""
    old = filled[0]
    source, new = open_database(old), open_database(target)

    def meddle(table: str, _rows: int) -> None:
        if table == "photos":  # behind entries in the order of copying
            with new.writing() as connection:
                connection.execute(update(entry_rows).where(entry_rows.c.seq == 5).values(actor="somebody else"))

    try:
        with pytest.raises(StoreFault, match="copy of entries does not agree"):
            transfer.copy_all(source, new, identity="x", epoch="e" * 32, progress=meddle)
    finally:
        source.close()
        new.close()
    assert open_unfinished(target), "no server may start on it"


def test_a_target_with_data_is_refused_and_untouched(
    filled: tuple[URL, PhotoFolder, list[Entry]], target: URL, tmp_path: Path
) -> None:
    other = open_database(target)
    fill(other, PhotoFolder(tmp_path / "p"), some_entries(3, first=5000)[0], {})
    other.close()
    before, epoch = contents(target), epoch_of(target)
    with pytest.raises(OperatorError, match="is not empty"):
        save.migrate(filled[0], target, None, None)
    assert (contents(target), epoch_of(target)) == (before, epoch)


class Stop(Exception):
    pass


def test_a_copy_that_was_broken_off_goes_on_where_it_stopped(
    filled: tuple[URL, PhotoFolder, list[Entry]], target: URL, tmp_path: Path
) -> None:
    old, expected = filled[0], contents(filled[0])
    batches: list[tuple[str, int]] = []

    def stop(table: str, rows: int) -> None:
        if table == "entries":
            raise Stop

    with pytest.raises(Stop):
        save.migrate(old, target, None, None, progress=stop)
    assert open_unfinished(target)
    with pytest.raises(OperatorError, match="half a copy of another source"):
        save.migrate(sqlite_with_one_entry(tmp_path), target, None, None)
    save.migrate(old, target, None, None, progress=lambda table, rows: batches.append((table, rows)))
    assert ("entries", 500) not in batches
    assert ("entries", 700) in batches
    assert contents(target) == expected
    assert not open_unfinished(target)


def sqlite_with_one_entry(folder: Path) -> URL:
    url = sqlite_url(folder / "other")
    database = open_database(url)
    fill(database, PhotoFolder(folder / "other-photos"), some_entries(1)[0], {})
    database.close()
    return url


@pytest.mark.parametrize("at", [4, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 9, 14))])
def test_a_move_that_is_killed_is_old_or_new(
    filled: tuple[URL, PhotoFolder, list[Entry]], tmp_path: Path, at: int
) -> None:
    """kill -9 before the n-th commit on the target; begun again it completes, and nothing is doubled."""
    old, expected = filled[0], contents(filled[0])
    new = sqlite_url(tmp_path / "new")
    code = f"""
import os
from sync.server.operations import save, transfer
from sync.server.storage import database_url
count = 0
real = transfer.json.dumps
def dumps(value):
    global count
    count += 1
    if count == {at}:
        os.kill(os.getpid(), 9)
    return real(value)
transfer.json.dumps = dumps
save.migrate(database_url({str(old)!r}), database_url({str(new)!r}), None, None)
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode
    assert done in (0, -9)
    assert open_unfinished(new) == (done == -9)
    if done == -9:
        save.migrate(old, new, None, None)
    assert (contents(new), epoch_of(new)) == (expected, epoch_of(old))


def test_a_server_that_runs_is_not_moved(tmp_path: Path, make_postgres: MakePostgres) -> None:
    url = make_postgres(None)
    running = open_database(url)
    try:
        with pytest.raises(OperatorError, match="a server is running"):
            save.migrate(url, sqlite_url(tmp_path / "new"), None, None)
    finally:
        running.close()
    with LocalServer(tmp_path / "home") as server, pytest.raises(Exception, match="another server already uses"):
        save.migrate(database_url(f"sqlite:///{server.database}"), make_postgres(None), None, None)


def test_no_server_starts_on_half_a_copy(filled: tuple[URL, PhotoFolder, list[Entry]], tmp_path: Path) -> None:
    from sync.server.run import ServerSettings, serve

    def stop(_table: str, _rows: int) -> None:
        raise Stop

    new = sqlite_url(tmp_path / "new")
    with pytest.raises(Stop):
        save.migrate(filled[0], new, None, None, progress=stop)
    with pytest.raises(OperatorError, match="is not finished"):
        serve(ServerSettings(tmp_path, "127.0.0.1:0", str(new)), ready=lambda url: pytest.fail("it listened"))


# backup and restore


@pytest.fixture
def backup_folder(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def test_a_backup_restores_into_either_database(
    filled: tuple[URL, PhotoFolder, list[Entry]], target: URL, backup_folder: Path, tmp_path: Path
) -> None:
    old, photos, _ = filled
    manifest = save.backup(old, photos, backup_folder, SystemClock())
    assert (manifest.photos, manifest.photos_missing) == (12, 0)
    restored_photos = PhotoFolder(tmp_path / "restored")
    moved = save.restore(backup_folder, target, restored_photos)
    assert contents(target) == contents(old)
    assert moved.epoch == epoch_of(target) != epoch_of(old)
    assert moved.photos == save.PhotosCopied(12, 0)


def test_a_running_postgresql_is_saved_in_one_view(make_postgres: MakePostgres, tmp_path: Path) -> None:
    url = make_postgres(None)
    running = open_database(url)
    try:
        photos = PhotoFolder(tmp_path / "photos")
        fill(running, photos, some_entries(600)[0], {})
        manifest = save.backup(url, photos, tmp_path / "b", SystemClock())
        assert manifest.tables["entries"].rows == 600
        back = sqlite_url(tmp_path / "back")
        save.restore(tmp_path / "b", back, photos)
        with running.reading() as connection:
            assert contents(back)["entries"] == transfer.tally(connection, entry_rows)
    finally:
        running.close()


def test_a_damaged_backup_is_refused(
    filled: tuple[URL, PhotoFolder, list[Entry]], backup_folder: Path, tmp_path: Path
) -> None:
    old, photos, _ = filled
    with pytest.raises(InvalidInput, match="no finished backup"):
        save.restore(tmp_path, sqlite_url(tmp_path / "new"), photos)
    manifest = save.backup(old, photos, backup_folder, SystemClock())
    saved = backup_folder / manifest.file
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 1
    saved.write_bytes(content)
    with pytest.raises(StoreFault, match="gone or damaged"):
        save.restore(backup_folder, sqlite_url(tmp_path / "new"), photos)


def test_a_lost_photo_is_counted_and_not_invented(
    filled: tuple[URL, PhotoFolder, list[Entry]], backup_folder: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("cannot be copied")
    old, photos, _ = filled
    database = open_database(old)
    with database.reading() as connection:
        name = connection.scalars(select(photo_rows.c.sha256)).first()
    database.close()
    assert name is not None
    photos.path(name).write_bytes(b"\xff\xd8\xffother")
    manifest = save.backup(old, photos, backup_folder, SystemClock())
    assert (manifest.photos, manifest.photos_missing) == (11, 1)
    assert not PhotoFolder(backup_folder / "photos").holds(name)


@pytest.mark.parametrize("at", ["file_digest", "write_durably", "copy_photos"])
def test_a_backup_that_is_killed_leaves_the_old_one(
    filled: tuple[URL, PhotoFolder, list[Entry]], backup_folder: Path, tmp_path: Path, at: str
) -> None:
    old, photos, _ = filled
    first = save.backup(old, photos, backup_folder, SystemClock())
    database = open_database(old)
    fill(database, photos, [], {hashlib.sha256(j).hexdigest(): j for j in some_entries(1, 1, 9000)[1].values()})
    database.close()
    code = f"""
import os, pathlib
from station.clock import SystemClock
from sync.server.operations import save
from sync.server.photos import PhotoFolder
from sync.server.storage import database_url
def die(*a, **k):
    os.kill(os.getpid(), 9)
if {at!r} == "file_digest":
    save.hashlib.file_digest = die
else:
    setattr(save, {at!r}, die)
save.backup(database_url({str(old)!r}), PhotoFolder(pathlib.Path({photos.name!r})),
            pathlib.Path({str(backup_folder)!r}), SystemClock())
"""
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == -9
    assert save.read_backup(backup_folder) == first
    again = save.backup(old, photos, backup_folder, SystemClock())
    assert again.photos == 13
    assert [path.name for path in backup_folder.glob("server-*")] == [again.file], "what the kill left is gone"


def drained(outbox: FileOutbox, url: str) -> None:
    api = HttpApi(url, token=None, clock=SystemClock(), deadline_s=5)
    try:
        drain(outbox, api, SystemClock(), dice(1), within_s=30, timing=SWIFT, with_photos=True)
    finally:
        api.close()


def test_after_a_restore_the_centre_holds_the_union(
    tmp_path: Path, outbox: FileOutbox, backup_folder: Path, expected_warnings: WarningsOnTheLog
) -> None:
    """F20: what came after the backup is offered again by the benches, photos too; nothing is doubled."""
    expected_warnings("epoch changed|offered again|sync is|offline|cannot be reached", required=False)
    chain, jpegs = some_entries(40, photos=1)
    with LocalServer(tmp_path / "first") as server:
        outbox.record(chain[:25], jpegs)
        drained(outbox, server.url)
        url = database_url(f"sqlite:///{server.database}")
        save.backup(url, PhotoFolder(server.photo_folder), backup_folder, SystemClock())  # while it runs
        outbox.record(chain[25:], jpegs)
        drained(outbox, server.url)
        assert server.status()["entries"] == 40
    home = tmp_path / "second"
    save.copy_keys(tmp_path / "first" / "server" / "keys", home / "server" / "keys")
    save.restore(backup_folder, sqlite_url(home / "server"), PhotoFolder(home / "server" / "photos"))
    with LocalServer(home) as server:
        assert server.status()["entries"] == 25
        outbox.record(some_more(chain), {})
        drained(outbox, server.url)
        until(lambda: server.status()["photos"] == 40, 20, "the photos are there again")
        assert discrepancies(server, outbox.entries()) == []


def test_without_a_new_epoch_benches_would_keep_silent(
    tmp_path: Path, outbox: FileOutbox, expected_warnings: WarningsOnTheLog
) -> None:
    """Negative control of F20: a restored server that pretends to be the old one is never filled up."""
    expected_warnings("sync is|offline", required=False)
    chain, _ = some_entries(10)
    outbox.record(chain)
    with LocalServer(tmp_path / "first") as server:
        drained(outbox, server.url)
    database = open_database(database_url(f"sqlite:///{server.database}"))
    with database.writing() as connection:
        connection.execute(delete(entry_rows).where(entry_rows.c.seq > 5))
        assert connection.execute(select(transfers)).all() == []
    database.close()
    with LocalServer(tmp_path / "first") as server:
        drained(outbox, server.url)
        assert server.status()["entries"] == 5


def some_more(chain: list[Entry]) -> list[Entry]:
    from tests.sync.material import an_inspection, fact
    from tests.sync.material import chain as chained

    return chained([fact(an_inspection(7000))], chain[-1])


def test_benches_go_on_with_the_server_that_moved(
    tmp_path: Path, outbox: FileOutbox, make_postgres: MakePostgres, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("sync is|offline|cannot be reached", required=False)
    chain, jpegs = some_entries(20, photos=1)
    outbox.record(chain[:12], jpegs)
    with LocalServer(tmp_path / "first") as server:
        drained(outbox, server.url)
    new, photos = make_postgres(None), PhotoFolder(tmp_path / "second" / "server" / "photos")
    moved = save.migrate(database_url(f"sqlite:///{server.database}"), new, PhotoFolder(server.photo_folder), photos)
    outbox.record(chain[12:], jpegs)
    save.copy_keys(server.home / "server" / "keys", tmp_path / "second" / "server" / "keys")
    from tests.sync.material import ServerProcess

    with ServerProcess(tmp_path / "second", "--database", new.render_as_string(hide_password=False)) as after:
        drained(outbox, after.url)
        status = after.status()
        assert (status["entries"], status["inspections"], status["photos"]) == (20, 20, 20)
        assert (status["epoch"], status["duplicates"]) == (moved.epoch, 0)

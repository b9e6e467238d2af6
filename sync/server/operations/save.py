"""Move, save and bring back a central server: the database by ``transfer``, photos by their hash.

A backup is a folder: ``server-….sqlite3``, ``photos/``, and ``manifest.json``, which is written last and names the
file with its hash. A backup into the same folder adds the photos that are new and then replaces the manifest, so that
a kill at any moment leaves the old backup or the new one.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pysqlite3
from sqlalchemy import select, text
from sqlalchemy.engine import URL

from station.clock import Clock
from station.errors import InvalidInput, OperatorError, StoreFault
from station.store.durable import make_folder, sync_file, sync_folder, write_durably
from sync.server.operations.transfer import Progress, Tally, copy_all, new_epoch, refuse_unfinished, tables, tally
from sync.server.photos import PhotoFolder, PhotoMissing, PhotoStore
from sync.server.storage import Database, database_url, open_database
from sync.server.storage.database import HEAD
from sync.server.storage.rows import photos

logger = logging.getLogger(__name__)

MANIFEST: Final = "manifest.json"
_FORMAT: Final = "returns-station server backup 1"
_AT_ONCE: Final = 500


class TableCount(msgspec.Struct, frozen=True):
    rows: int
    digest: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds."""

    format: str
    made_at: str
    epoch: str
    revision: str
    file: str
    sha256: str
    tables: dict[str, TableCount]
    photos: int
    photos_missing: int


@dataclass(frozen=True, slots=True)
class PhotosCopied:
    """What became of the photos."""

    there: int
    """In the target now."""
    missing: int
    """Known to the database, but their bytes are gone at the source."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move or a restore came to."""

    epoch: str
    tables: dict[str, Tally]
    photos: PhotosCopied


def migrate(
    source: URL, target: URL, photos_from: PhotoStore | None, photos_to: PhotoStore | None,
    progress: Progress = lambda *_: None,
) -> Moved:  # fmt: skip
    """Move a server to another database, its epoch kept: for the benches it is the same server.

    Args:
        photos_from: where its photos lie; None with ``photos_to`` None = they stay where they are.

    Raises:
        OperatorError: a server runs on the source, or the target is not empty.
        EnvironmentFault: one of the databases cannot be used.
        StoreFault: the copy does not agree with its source.
    """
    if source == target:
        raise InvalidInput("--from and --to name the same database")
    if source.drivername == "sqlite" and not Path(source.database or "").is_file():
        raise InvalidInput(f"--from {source.render_as_string()!r}: there is no such file")
    with _opened(source) as old, _opened(target) as new:
        refuse_unfinished(old)
        _refuse_running(old)
        identity = hashlib.sha256(f"migrate {old.epoch}".encode()).hexdigest()
        done = copy_all(old, new, identity=identity, epoch=old.epoch, progress=progress)
        _refuse_running(old)
        copied = PhotosCopied(0, 0)
        if photos_from is not None and photos_to is not None:
            copied = copy_photos(new, photos_from, photos_to, progress)
        return Moved(old.epoch, done, copied)


def backup(
    source: URL, store: PhotoStore, folder: Path, clock: Clock, progress: Progress = lambda *_: None
) -> Manifest:
    """Save a server, running or not.

    Raises:
        EnvironmentFault: the database cannot be used.
        StoreFault: the disk failed, or the copy does not agree with its source.
    """
    at = clock.now()
    name = f"server-{at:%Y%m%dT%H%M%S%f}.sqlite3"
    make_folder(folder)
    _clear_leftovers(folder)
    partial = folder / f"{name}.part"
    url = database_url(f"sqlite:///{partial}")
    if source.drivername == "sqlite":
        _vacuum(Path(str(source.database)), partial)
    else:
        with _opened(source) as running, _opened(url) as copy:
            copy_all(running, copy, identity=name, epoch=running.epoch, progress=progress)
    with _opened(url) as copy:  # a copy of an older server is brought up to date here: what is saved was opened once
        with copy.reading() as connection:
            counts = {table.name: tally(connection, table) for table in tables()}
        copied = copy_photos(copy, store, PhotoFolder(folder / "photos"), progress)
        epoch = copy.epoch
    _fold(partial)
    sync_file(partial)
    manifest = Manifest(
        _FORMAT, at.isoformat(), epoch, HEAD, name, _hash_of(partial),
        {table: TableCount(found.rows, found.digest) for table, found in counts.items()}, copied.there, copied.missing,
    )  # fmt: skip
    partial.replace(folder / name)
    sync_folder(folder)
    write_durably(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    for old in folder.glob("server-*.sqlite3"):
        if old.name != name:
            old.unlink()
    logger.info("backup written", extra={"folder": str(folder), "photos": copied.there})
    return manifest


def read_backup(folder: Path) -> Manifest:
    """Read and check a backup's manifest and database file.

    Raises:
        InvalidInput: no backup of a server.
        StoreFault: the file is damaged or not the one of the manifest.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise InvalidInput(f"{str(folder)!r} holds no finished backup: expected {MANIFEST} in it") from error
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"{str(folder / MANIFEST)!r} is not the manifest of a server's backup: {error}") from error
    if manifest.format != _FORMAT or Path(manifest.file).name != manifest.file:
        raise InvalidInput(f"{str(folder)!r} is not a server's backup of this program: {manifest.format!r}")
    if not (folder / manifest.file).is_file() or _hash_of(folder / manifest.file) != manifest.sha256:
        raise StoreFault(f"the backup {str(folder / manifest.file)!r} is gone or damaged; take another backup")
    return manifest


def restore(folder: Path, target: URL, store: PhotoStore, progress: Progress = lambda *_: None) -> Moved:
    """Make an empty database the server that was saved, with a new epoch: benches offer again what it lacks.

    Raises:
        InvalidInput: no backup of a server.
        OperatorError: the target is not empty.
        StoreFault: the backup is damaged, or the copy does not agree with it.
    """
    manifest = read_backup(folder)
    with tempfile.TemporaryDirectory(prefix="station-restore-") as scratch:
        copy = Path(scratch) / "server.sqlite3"  # a copy: an older backup is migrated, and backups do not change
        shutil.copyfile(folder / manifest.file, copy)
        with _opened(database_url(f"sqlite:///{copy}")) as saved, _opened(target) as new:
            if manifest.revision == HEAD:
                _compare(saved, manifest)
            copied = copy_photos(saved, PhotoFolder(folder / "photos"), store, progress)
            epoch = new_epoch()
            done = copy_all(saved, new, identity=manifest.sha256, epoch=epoch, progress=progress)
            return Moved(epoch, done, copied)


def copy_photos(rows: Database, source: PhotoStore, target: PhotoStore, progress: Progress) -> PhotosCopied:
    """Copy every photo that the rows name and the target lacks; each is checked against its name on the way."""
    there = missing = 0
    after = ""
    while True:
        with rows.reading() as connection:
            names = list(
                connection.scalars(
                    select(photos.c.sha256).distinct().where(photos.c.sha256 > after).order_by(photos.c.sha256)
                    .limit(_AT_ONCE)
                )
            )  # fmt: skip
        held = target.held(names)
        for sha256 in names:
            if sha256 not in held:
                try:
                    content = source.read(sha256)
                except (PhotoMissing, StoreFault) as error:
                    logger.warning("photo %s cannot be copied: %s", sha256, error)
                    missing += 1
                    continue
                upload = target.receive(sha256)
                try:
                    upload.write(content)
                    upload.keep()
                finally:
                    upload.abandon()
            there += 1
        progress("photos", there)
        if len(names) < _AT_ONCE:
            return PhotosCopied(there, missing)
        after = names[-1]


def copy_keys(source: Path, target: Path) -> int:
    """Copy the server's keys, readable by their owner only; how many. One that is there and differs is not replaced.

    They are never part of a backup: whoever has both could try every PIN and sign as this server.

    Raises:
        OperatorError: another key of this name is there.
        StoreFault: the disk failed.
    """
    count = 0
    try:
        for path in sorted(source.iterdir()) if source.is_dir() else ():
            if not path.is_file():
                continue
            content, there = path.read_bytes(), target / path.name
            if there.exists():
                if there.read_bytes() != content:
                    raise OperatorError(f"{str(there)!r} is another key; nothing was replaced. Give another folder")
            else:
                make_folder(target)
                if os.name != "nt":
                    target.chmod(0o700)
                write_durably(there, content)
                there.chmod(0o600)
            count += 1
    except OSError as error:
        raise StoreFault(f"the keys could not be copied to {str(target)!r}: {error.strerror or error}") from error
    return count


@contextmanager
def _opened(url: URL) -> Iterator[Database]:
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


def _refuse_running(database: Database) -> None:
    """A server that goes on writing would lose what it takes. SQLite's lock file says so by itself.

    Raises:
        OperatorError: a server is connected.
    """
    if not database.shared:
        return
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'returns-station' AND pid <> pg_backend_pid()"
    )
    with database.reading() as connection:
        others: Any = connection.scalar(query)
    if others > database.connections[1] - 1:
        raise OperatorError(
            f"a server is running on {database.name}: stop it first, so that nothing comes in meanwhile"
        )


def _compare(saved: Database, manifest: Manifest) -> None:
    with saved.reading() as connection:
        for table in tables():
            found = tally(connection, table)
            if manifest.tables.get(table.name) != TableCount(found.rows, found.digest):
                raise StoreFault(f"the backup's {table.name} is not what its manifest says; take another backup")


def _vacuum(database: Path, target: Path) -> None:
    """A consistent copy beside a running server."""
    if not database.is_file():
        raise InvalidInput(f"there is no database {str(database)!r}")
    try:
        raw = pysqlite3.connect(f"file:{database}?mode=rw", uri=True, isolation_level=None, timeout=30)
        try:
            raw.execute("VACUUM INTO ?", (str(target),))
        finally:
            raw.close()
    except pysqlite3.Error as error:
        raise StoreFault(f"the database {str(database)!r} could not be copied: {error}") from error


def _fold(path: Path) -> None:
    """One file, without a log beside it."""
    raw = pysqlite3.connect(str(path), isolation_level=None)
    try:
        answers = [row[0] for row in raw.execute("PRAGMA integrity_check(5)")]
        raw.execute("PRAGMA journal_mode=DELETE")
    finally:
        raw.close()
    if answers != ["ok"]:
        raise StoreFault(f"the copy of the database is damaged: {'; '.join(answers)}; is the disk sound?")
    path.with_name(path.name + ".lock").unlink(missing_ok=True)


def _clear_leftovers(folder: Path) -> None:
    for leftover in folder.glob("server-*.part*"):
        leftover.unlink()


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

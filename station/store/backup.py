"""Save a bench, bring it back, and get out what a broken PC had not sent.

A backup is a folder: ``station-….db``, ``photos/``, ``config/`` and ``manifest.json``, which is written last and names
the database file by its hash; a kill at any moment leaves the backup before or this one. Photos are added by their
hash, so that the next backup into the same folder copies only new ones.

A bench that is brought back begins a *new generation*: the old one may have gone on after the backup, and two chains
must not continue the same head. Its number is the second of the restore, because nobody here knows which numbers the
lost disk had used meanwhile. What was unsent is sent; what of it the centre has already it recognises. The device's
key is not in a backup: another PC is enrolled anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import sqlalchemy as sa

from station.clock import Clock
from station.errors import InvalidInput, OperatorError, StoreFault
from station.journal.entry import Entry
from station.journal.lines import line_of
from station.store import schema
from station.store.durable import HomeLock, make_folder, sync_file, sync_folder, write_durably
from station.store.engine import faults, make_engine
from station.store.entries import all_entries, begin_generation, head, last_generation
from station.store.photos import PhotoStore
from station.store.rows import AcknowledgementRow, PhotoRow, table
from station.store.store import BACKUPS, DATABASE, PHOTOS

logger = logging.getLogger(__name__)

MANIFEST: Final = "manifest.json"
_FORMAT: Final = "returns-station bench backup 1"
UNSENT_FORMAT: Final = "returns-station unsent 1"
_LOOK_EVERY: Final = 20_000
"""Steps of SQLite's machine between two looks whether the copying shall stop; some milliseconds."""
_CONFIG: Final = ("*.toml",)

_photos, _acks = table(PhotoRow), table(AcknowledgementRow)


class Manifest(msgspec.Struct, frozen=True):
    """What a backup of a bench holds."""

    format: str
    station: str
    made_at: str
    generation: int
    seq: int
    """Where the journal stood."""
    revision: str
    file: str
    sha256: str
    photos: int
    photos_missing: int
    config: dict[str, str]
    """File name → SHA-256."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    station: str
    generation: int
    """The new one."""
    photos: int
    photos_missing: int


def back_up(
    home: Path, folder: Path, clock: Clock, *, beside: Sequence[Path] = (),
    check: Callable[[Path], None] = lambda copy: None, should_stop: Callable[[], bool] = lambda: False,
) -> Manifest:  # fmt: skip
    """Save a bench; its program may be running.

    Args:
        home: the station's folder.
        folder: where the backup goes, best on another disk; made if absent.
        beside: earlier backups; a photo that lies there, or in the home, on the same disk costs no room again.
        check: looks at the copy of the database before it counts; raises to refuse it.
        should_stop: asked now and then; true ends the copying with a StoreFault.

    Raises:
        InvalidInput: no station there.
        StoreFault: the disk failed; a backup that was there before is untouched.
    """
    database = home / DATABASE
    if not database.is_file():
        raise InvalidInput(f"{str(home)!r} holds no station: expected {DATABASE} in it")
    at = clock.now()
    name = f"station-{at:%Y%m%dT%H%M%S%f}.db"
    partial = folder / f"{name}.part"
    try:
        make_folder(folder)
        for leftover in folder.glob("station-*.part*"):
            leftover.unlink()
        _copy_database(database, partial, should_stop)
        station, generation, seq, names = _describe(partial)
        check(partial)
        target = PhotoStore(folder / PHOTOS)
        if beside:
            _link_photos(names, [home / PHOTOS, *(earlier / PHOTOS for earlier in beside)], target, should_stop)
        there, missing = _copy_photos(names, PhotoStore(home / PHOTOS), target, is_fresh=bool(beside))
        config = _copy_config(home, folder / "config")
        sync_file(partial)
        manifest = Manifest(
            _FORMAT, station, at.isoformat(), generation, seq, schema.HEAD, name, _hash_of(partial), there, missing,
            config,
        )  # fmt: skip
        partial.replace(folder / name)
        sync_folder(folder)
        write_durably(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        for old in folder.glob("station-*.db"):
            if old.name != name:
                old.unlink()
    except OSError as error:
        raise StoreFault(
            f"the backup could not be written to {str(folder)!r}: {error.strerror or error}; "
            "the one before is untouched"
        ) from error
    logger.info("backup of %s written to %s: %d photos", station, folder, there)
    return manifest


def read_backup(folder: Path) -> Manifest:
    """Read and check a backup.

    Raises:
        InvalidInput: no finished backup of a bench.
        StoreFault: it is damaged.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidInput(f"{str(folder)!r} holds no finished backup: expected {MANIFEST} in it") from error
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"{str(folder / MANIFEST)!r} is not the manifest of a bench's backup: {error}") from error
    names = (manifest.file, *manifest.config)
    if manifest.format != _FORMAT or any(Path(name).name != name for name in names):
        raise InvalidInput(f"{str(folder)!r} is not a bench's backup of this program: {manifest.format!r}")
    for path, expected in (
        (folder / manifest.file, manifest.sha256),
        *((folder / "config" / name, digest) for name, digest in manifest.config.items()),
    ):
        if not path.is_file() or _hash_of(path) != expected:
            raise StoreFault(f"{str(path)!r} of the backup is gone or damaged; take an older backup")
    return manifest


def restore(folder: Path, home: Path, clock: Clock) -> Restored:
    """Bring a bench back into an empty home.

    The database gets its name last, so that a kill leaves no station rather than half of one; the same call goes on.

    Raises:
        InvalidInput: no backup.
        OperatorError: a station lies there already.
        StoreFault: the backup is damaged, or the disk failed.
    """
    manifest = read_backup(folder)
    if (home / DATABASE).exists():
        raise OperatorError(
            f"{str(home)!r} holds a station already; move it away (it may have entries that nobody else has: "
            "'station backup --unsent' saves them) or give another --home"
        )
    try:
        make_folder(home)
        with HomeLock(home):
            partial = home / f"{DATABASE}.restoring"
            partial.unlink(missing_ok=True)
            shutil.copyfile(folder / manifest.file, partial)
            _, _, _, names = _describe(partial)
            there, missing = _copy_photos(names, PhotoStore(folder / PHOTOS), PhotoStore(home / PHOTOS))
            for name in manifest.config:
                if not (home / name).exists():
                    write_durably(home / name, (folder / "config" / name).read_bytes())
            generation = _begin_anew(partial, home / BACKUPS, manifest, clock)
            sync_file(partial)
            (home / "closed.json").unlink(missing_ok=True)
            partial.replace(home / DATABASE)
            sync_folder(home)
    except OSError as error:
        raise StoreFault(f"the station could not be restored to {str(home)!r}: {error.strerror or error}") from error
    return Restored(manifest.station, generation, there, missing)


def export_unsent(home: Path, target: Path) -> tuple[int, int]:
    """Write what the centre has not acknowledged into one file, for a PC that will not run again.

    Reads around damage; changes nothing. Any number of such files may be sent, again and again: each entry is taken
    once.

    Returns:
        Entries and photos in the file.

    Raises:
        InvalidInput: no station there.
        StoreFault: the disk failed.
    """
    database = home / DATABASE
    if not database.is_file():
        raise InvalidInput(f"{str(home)!r} holds no station: expected {DATABASE} in it")
    with tempfile.TemporaryDirectory(prefix="station-unsent-") as scratch:
        # a copy with its log: reading must not need to write into a disk that may be dying
        copy = Path(scratch) / DATABASE
        for suffix in ("", "-wal"):
            source = database.with_name(database.name + suffix)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + suffix))
        entries, names, station = _unsent(copy)
    photos = PhotoStore(home / PHOTOS)
    partial = target.with_name(target.name + ".part")
    count = 0
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as file:
            lines = b"".join(line_of(entry, rescuing=True) for entry in entries)
            file.writestr("entries.jsonl", lines, zipfile.ZIP_DEFLATED)
            for name in names:
                try:
                    content = photos.read(name)
                except StoreFault as error:
                    logger.warning("a photo cannot be saved: %s", error)
                    continue
                file.writestr(f"photos/{name}.jpg", content)
                count += 1
            about = {
                "format": UNSENT_FORMAT, "station": station, "entries": len(entries), "photos": count,
                "entries_sha256": hashlib.sha256(lines).hexdigest(),
            }  # fmt: skip
            file.writestr(MANIFEST, json.dumps(about, indent=2))
        sync_file(partial)
        partial.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StoreFault(f"{str(target)!r} could not be written: {error.strerror or error}") from error
    return len(entries), count


def _unsent(database: Path) -> tuple[list[Entry], list[str], str]:
    def unreadable(position: int, error: Exception) -> None:
        logger.warning("entry at position %d cannot be read and is not in the file: %s", position, error)

    engine = make_engine(database, "reader")
    try:
        with faults("reading the journal"), engine.connect() as connection, connection.begin():
            answered = {
                (generation, seq) for generation, seq in connection.execute(sa.select(_acks.c.generation, _acks.c.seq))
            }
            entries = [
                entry for entry in all_entries(connection, unreadable) if (entry.generation, entry.seq) not in answered
            ]
            names = list(
                connection.scalars(
                    sa.select(_photos.c.sha256)
                    .where(_photos.c.sent_at.is_(None))
                    .order_by(_photos.c.generation, _photos.c.seq, _photos.c.position)
                )
            )
            last = last_generation(connection)
    finally:
        engine.dispose()
    return entries, names, last[1] if last is not None else ""


def _copy_database(database: Path, target: Path, should_stop: Callable[[], bool]) -> None:
    """A consistent copy beside the running program, checked."""
    engine = make_engine(database, "reader", read_only=True)
    try:
        with faults("copying the database"), engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA query_only=OFF").close()  # VACUUM INTO writes the other file only
            plain = connection.connection.driver_connection
            assert plain is not None
            plain.set_progress_handler(lambda: int(should_stop()), _LOOK_EVERY)
            connection.connection.cursor().execute("VACUUM INTO ?", (str(target),)).close()
    finally:
        engine.dispose()
    engine = make_engine(target, "reader", read_only=True, at_rest=True)
    try:
        with faults("checking the copy"), engine.connect() as connection, connection.begin():
            answers = connection.exec_driver_sql("PRAGMA integrity_check(5)").scalars().all()
    finally:
        engine.dispose()
    if answers != ["ok"]:
        raise StoreFault(f"the copy of the database is damaged: {'; '.join(answers)}; run 'station journal verify'")


def _describe(database: Path) -> tuple[str, int, int, list[str]]:
    """Station, generation, seq and the photos of a copy at rest."""
    engine = make_engine(database, "reader", read_only=True, at_rest=True)
    try:
        with faults("reading the copy"), engine.connect() as connection, connection.begin():
            schema.revision_of(connection)
            last = last_generation(connection)
            if last is None:
                raise StoreFault("the copy of the database has no journal")
            names = list(connection.scalars(sa.select(_photos.c.sha256).order_by(_photos.c.sha256)))
            return last[1], last[0], head(connection, last[0]).seq, names
    finally:
        engine.dispose()


def _begin_anew(database: Path, backups: Path, manifest: Manifest, clock: Clock) -> int:
    engine = make_engine(database, "writer")
    try:
        schema.ensure(engine, backups, clock)
        with faults("beginning a new generation"), engine.connect() as connection:
            with connection.begin():
                generation = begin_generation(
                    connection, station=manifest.station, reason=f"restored from the backup of {manifest.made_at}",
                    now=clock.now(), above=int(clock.now().timestamp()) - 1,
                )  # fmt: skip
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    finally:
        engine.dispose()
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    return generation


def _link_photos(
    names: Collection[str], sources: Sequence[Path], target: PhotoStore, should_stop: Callable[[], bool]
) -> None:
    """Give photos a second name where they lie already, on the same disk: files of photos are never written again."""
    for name in names:
        path = target.path(name)
        if should_stop():
            raise StoreFault("the backup was stopped")
        if path.exists():
            continue
        make_folder(path.parent)
        for source in sources:
            with contextlib.suppress(OSError):  # another disk, or one that knows no links: it is copied
                os.link(PhotoStore(source).path(name), path)
                break


def _copy_photos(
    names: Collection[str], source: PhotoStore, target: PhotoStore, *, is_fresh: bool = False
) -> tuple[int, int]:
    """Copy what is not there yet; what is there is read and checked, unless it was just put there (``is_fresh``)."""
    there = missing = 0
    for name in names:
        path = target.path(name)
        if path.is_file() and path.stat().st_size and (is_fresh or _hash_of(path) == name):
            there += 1
            continue
        try:
            target.keep(source.read(name))
            there += 1
        except StoreFault as error:
            logger.warning("a photo is not in the copy: %s", error)
            missing += 1
    return there, missing


def _copy_config(home: Path, folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for pattern in _CONFIG:
        for path in sorted(home.glob(pattern)):
            content = path.read_bytes()
            make_folder(folder)
            write_durably(folder / path.name, content)
            found[path.name] = hashlib.sha256(content).hexdigest()
    return found


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

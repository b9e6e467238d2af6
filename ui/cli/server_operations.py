"""``station server migrate|backup|restore|tidy|forget|new-epoch``: what IT does with a central server."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sync.server.operations.save import Moved
    from sync.server.photos import PhotoStore
    from sync.server.storage import Database, DatabaseUrl

_database = click.option(
    "--database", metavar="URL", help="Of the server. Default: server/server.sqlite3 in the home folder."
)
_photos = click.option(
    "--photos", metavar="URL", help="Folder or s3://… of the server. Default: server/photos in the home folder."
)
_keys = click.option(
    "--keys", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
    help="Another folder, kept apart from the backup, for the server's keys. Without it they are not saved.",
)  # fmt: skip
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


@click.command()
@click.option("--from", "source", metavar="URL", required=True, help="The database that the server used until now.")
@click.option("--to", "target", metavar="URL", required=True, help="An empty database.")
@click.option("--photos-from", metavar="URL", help="Folder or s3://… where its photos lie; without it they stay there.")
@click.option("--photos-to", metavar="URL", help="Folder or s3://… where they shall lie.")
@_json
def migrate(source: str, target: str, photos_from: str | None, photos_to: str | None, as_json: bool) -> None:
    """Move a stopped server to another database.

    Every table is copied, counted and compared; a copy that was broken off goes on with the same command. For the
    benches it is the same server afterwards.
    """
    from sync.server.operations import save
    from sync.server.photos import open_photos
    from sync.server.storage import database_url

    if (photos_from is None) != (photos_to is None):
        raise click.UsageError("--photos-from and --photos-to belong together")
    here = _home() / "server" / "photos"
    old, new = (open_photos(text, here) if text is not None else None for text in (photos_from, photos_to))
    _tell_moved(save.migrate(database_url(source), database_url(target), old, new, _progress()), as_json)


@click.command()
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The backup's folder; a backup that is there is replaced, photos there are not copied again.",
)
@_keys
@_database
@_photos
@_json
def backup(out: Path, keys: Path | None, database: str | None, photos: str | None, as_json: bool) -> None:
    """Save the server, running or not: database, photos, and a manifest that names them by hash."""
    import msgspec

    from station.clock import SystemClock
    from sync.server.operations import save

    if keys is not None and keys.absolute().is_relative_to(out.absolute()):
        raise click.UsageError("--keys must not lie in --out: who finds the backup must not find the keys with it")
    made = save.backup(_url(database), _store(photos), out.absolute(), SystemClock(), _progress())
    if keys is not None:
        save.copy_keys(_home() / "server" / "keys", keys.absolute())
    entries = made.tables["entries"].rows
    if as_json:
        click.echo(msgspec.json.encode(made))
    else:
        click.echo(f"{entries} entries and {made.photos} photos saved in {out}")
        if made.photos_missing:
            click.echo(f"{made.photos_missing} photos are known but could not be read: see the log")
        if keys is None:
            click.echo(
                f"the server's keys are not in it: keep {_home() / 'server' / 'keys'} elsewhere, or give --keys DIR"
            )


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_keys
@_database
@_photos
@_json
def restore(folder: Path, keys: Path | None, database: str | None, photos: str | None, as_json: bool) -> None:
    """Make an empty database the server that was saved in FOLDER.

    It gets a new epoch: benches then offer again what came in after the backup.
    """
    from sync.server.operations import save

    if keys is not None and not save.copy_keys(keys.absolute(), _home() / "server" / "keys"):
        raise click.UsageError(f"--keys {str(keys)!r}: there are no keys")
    _tell_moved(save.restore(folder.absolute(), _url(database), _store(photos), _progress()), as_json)


@click.command()
@click.option("--photo-days", type=click.IntRange(min=0), default=90, show_default=True, help="Photos, after CONFIRM.")
@click.option("--record-days", type=click.IntRange(min=0), default=2555, show_default=True, help="Content of records.")
@_database
@_photos
def tidy(photo_days: int, record_days: int, database: str | None, photos: str | None) -> None:
    """Let go what is older than the policy says, but for units that are held for a claim. Hashes stay."""
    from station.clock import SystemClock
    from sync.server.operations.erasing import Eraser, Retention

    policy = Retention(timedelta(days=photo_days), timedelta(days=record_days))
    with _opened(database) as opened:
        count = Eraser(opened, _store(photos)).retain("main", policy, SystemClock().now())
    click.echo(f"{count} units were older than that")


@click.command()
@click.argument("unit")
@_database
@_photos
def forget(unit: str, database: str | None, photos: str | None) -> None:
    """Erase what was recorded of one UNIT: photos and the content of its records. Hashes stay."""
    from station.clock import SystemClock
    from station.errors import OperatorError
    from sync.protocol import ErasureReason
    from sync.server.errors import ApiError
    from sync.server.operations.erasing import Eraser

    with _opened(database) as opened:
        try:
            eraser = Eraser(opened, _store(photos))
            done = eraser.request("main", unit, ErasureReason.REQUEST, "command line", SystemClock().now())
        except ApiError as error:
            raise OperatorError(f"{error}; {error.advice}") from error
    click.echo(f"{done.entries} records and {done.photos} photos are gone: erasure {done.erasure_id}")


@click.command("new-epoch")
@_database
def new_epoch(database: str | None) -> None:
    """After a restore with other tools: tell the benches to offer again what this server lacks."""
    from sync.server.operations.transfer import change_epoch

    with _opened(database) as opened:
        click.echo(change_epoch(opened))


def _home() -> Path:
    home = click.get_current_context().obj
    assert isinstance(home, Path)
    return home


def _url(text: str | None) -> DatabaseUrl:
    from sync.server.storage import database_url

    return database_url(text or f"sqlite:///{_home() / 'server' / 'server.sqlite3'}")


def _store(text: str | None) -> PhotoStore:
    from sync.server.photos import open_photos

    return open_photos(text, _home() / "server" / "photos")


@contextmanager
def _opened(text: str | None) -> Iterator[Database]:
    from sync.server.storage import open_database

    database = open_database(_url(text))
    try:
        yield database
    finally:
        database.close()


def _tell_moved(moved: Moved, as_json: bool) -> None:
    if as_json:
        tables = {name: asdict(found) for name, found in moved.tables.items()}
        click.echo(json.dumps({"epoch": moved.epoch, "tables": tables, "photos": asdict(moved.photos)}))
        return
    click.echo(f"{moved.tables['entries'].rows} entries and {moved.photos.there} photos; all tables agree")
    if moved.photos.missing:
        click.echo(f"{moved.photos.missing} photos are known but could not be read: see the log")


def _progress() -> Callable[[str, int], None]:
    """Counts on standard error where a person watches; nothing in a pipe."""
    shown = sys.stderr.isatty()

    def tell(what: str, done: int) -> None:
        if shown:
            click.echo(f"\r{done} {what} …", err=True, nl=False)

    return tell

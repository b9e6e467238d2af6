"""``station backup`` and ``station restore``: save a bench, bring it back, get out what a broken PC had not sent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from station.errors import OperatorError

if TYPE_CHECKING:
    from sync.client.states import SyncState

_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


@click.command()
@click.option("--out", metavar="PATH", type=click.Path(path_type=Path),
              help="Folder of the backup, best on another disk; with --unsent the file to write.")  # fmt: skip
@click.option("--unsent", is_flag=True, help="Only what the server has not acknowledged, as one file: for a dying PC.")
@click.option("--last", is_flag=True, help="Save nothing; say what the bench last did by itself. Exit 1: look at it.")
@_json
def backup(out: Path | None, unsent: bool, last: bool, as_json: bool) -> int | None:
    """Save this bench: journal, photos, configuration. It may be running.

    A second backup into the same folder copies only what is new. A running bench also saves itself once a day, when
    nobody works at it ([backup] in station.toml); --last tells of that.
    """
    import msgspec

    from station.clock import SystemClock
    from station.store import backup as saving

    home: Path = click.get_current_context().obj
    if last:
        return _tell_last(home, as_json)
    if out is None:
        raise click.UsageError("say where to with --out PATH, or --last for what the bench did by itself")
    if unsent:
        entries, photos = saving.export_unsent(home, out.absolute())
        told = json.dumps({"entries": entries, "photos": photos})
        click.echo(told if as_json else f"{entries} unsent entries and {photos} photos are in {out}")
        return None
    made = saving.back_up(home, out.absolute(), SystemClock())
    if as_json:
        click.echo(msgspec.json.encode(made))
        return None
    click.echo(f"{made.station}: journal up to {made.generation}/{made.seq} and {made.photos} photos saved in {out}")
    if made.photos_missing:
        click.echo(f"{made.photos_missing} photos could not be read: run 'station journal verify'")
    return None


def _tell_last(home: Path, as_json: bool) -> int:
    import msgspec

    from station.clock import SystemClock
    from station.health import Health
    from station.store.housekeeping import findings

    found = findings(home, SystemClock())
    if as_json:
        click.echo(msgspec.json.encode({"findings": found}))
    else:
        for each in found:
            click.echo(f"{each.name}: {each.detail}{f' – {each.fix}' if each.fix else ''}")
    return int(any(each.status is not Health.OK for each in found))


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--send-to", metavar="URL", help="For a file of --unsent: the server that shall have it.")
@click.option("--code", metavar="CODE", help="With --send-to: IT's one-time code for the station that had joined.")
@_json
def restore(source: Path, send_to: str | None, code: str | None, as_json: bool) -> None:
    """Bring a bench back into an empty home from the backup folder SOURCE, or send a file of unsent entries.

    The bench begins a new generation of its journal; nothing is lost and nothing is doubled. A file of --unsent may be
    sent from any PC, and again: each entry is taken once. STATION_SERVER_TOKEN is the server's secret. Where the bench
    had joined the server, send it from the PC that took over its name, or with a one-time code that IT makes for it.
    """
    from station.clock import SystemClock
    from station.store import backup as saving

    if source.is_file() != (send_to is not None):
        raise click.UsageError(
            "a file of 'station backup --unsent' needs --send-to URL; a backup folder goes without it"
        )
    if code is not None and send_to is None:
        raise click.UsageError("--code goes with --send-to")
    if send_to is not None:
        _send(source, send_to, code, as_json)
        return
    home: Path = click.get_current_context().obj
    restored = saving.restore(source.absolute(), home, SystemClock())
    if as_json:
        told = {"station": restored.station, "generation": restored.generation, "photos": restored.photos}
        click.echo(json.dumps(told | {"photos_missing": restored.photos_missing}))
        return
    click.echo(f"{restored.station} is back with {restored.photos} photos; it goes on in a new generation")
    if restored.photos_missing:
        click.echo(f"{restored.photos_missing} photos were not in the backup")


def _go_on(state: SyncState) -> None:
    """What the server refuses to this sender it refuses in an hour too.

    Raises:
        OperatorError: it does not take these records from here.
    """
    from sync.client.states import Link

    if state.state is Link.PAUSED:
        raise OperatorError(
            f"the server does not take these records from here: {state.detail}; send them from the PC that took over "
            "the station's name, or ask IT for a code (station server enrol-code) and give it with --code"
        )


def _send(file: Path, url: str, code: str | None, as_json: bool) -> None:
    import random

    from station.clock import SystemClock
    from station.store.unsent_file import UnsentFile
    from sync.client.api import HttpApi
    from sync.client.drain import drain
    from sync.client.vouching import by_code, of_home
    from sync.protocol import TOKEN_VARIABLE

    clock = SystemClock()
    outbox = UnsentFile(file)
    home: Path = click.get_current_context().obj
    identity = by_code(home, url, outbox.station, code, clock) if code else of_home(home, outbox.station, clock)
    api = HttpApi(url, token=os.environ.get(TOKEN_VARIABLE) or None, clock=clock, identity=identity)
    try:
        drain(outbox, api, clock, random.Random(), within_s=3600.0, with_photos=True, on_state=_go_on)
    finally:
        api.close()
        outbox.close()
    counts: dict[str, int] = {}
    for answer in outbox.answers:
        counts[answer.status] = counts.get(answer.status, 0) + 1
    if as_json:
        click.echo(json.dumps({"entries": counts, "photos_lost": len(outbox.lost)}))
        return
    click.echo(", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "nothing to send")
    if outbox.lost:
        click.echo(f"{len(outbox.lost)} photos could not be sent")

"""``station server``: the central server."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import click

from ui.cli.group import Entry, LazyGroup

COMMANDS: dict[str, Entry] = {
    "stations": Entry("ui.cli.stations", "stations", "List the benches: key, last seen, records, revoked."),
    "enrol-code": Entry("ui.cli.stations", "enrol_code", "Make a one-time code with which a bench joins."),
    "revoke": Entry("ui.cli.stations", "revoke", "Shut a bench out, at once; it keeps its records."),
    "unrevoke": Entry("ui.cli.stations", "unrevoke", "Let a revoked bench in again."),
    "rotate-key": Entry("ui.cli.stations", "rotate_key", "Give the server a new signing key, signed by the old one."),
    "migrate": Entry("ui.cli.server_operations", "migrate", "Move a stopped server to another database."),
    "backup": Entry("ui.cli.server_operations", "backup", "Save database and photos."),
    "restore": Entry("ui.cli.server_operations", "restore", "Make an empty database the server that was saved."),
    "tidy": Entry("ui.cli.server_operations", "tidy", "Let go what is older than the policy says."),
    "forget": Entry("ui.cli.server_operations", "forget", "Erase what was recorded of one unit."),
    "rebuild": Entry("ui.cli.server_rebuild", "rebuild", "Count figures and queues anew from the journal."),
    "new-epoch": Entry("ui.cli.server_operations", "new_epoch", "Let benches offer again what this server lacks."),
}


@click.group(cls=LazyGroup, entries=COMMANDS, invoke_without_command=True)
@click.option(
    "--database",
    metavar="URL",
    help="sqlite:///PATH or postgresql://USER@HOST/NAME. Default: server/server.sqlite3 in the home folder.",
)
@click.option(
    "--photos",
    metavar="URL",
    help="Folder, or s3://BUCKET/PREFIX?endpoint=…&region=… with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the "
    "environment. Default: server/photos in the home folder.",
)
@click.option("--listen", metavar="HOST:PORT", default="127.0.0.1:8480", show_default=True, help="Port 0 = any.")
@click.option(
    "--workers",
    metavar="N",
    type=int,
    default=1,
    show_default=True,
    help="Processes; SQLite takes one, PostgreSQL any number.",
)
@click.option("--until-eof", is_flag=True, hidden=True, help="End with the process that holds our standard input.")
@click.pass_context
def server(
    context: click.Context, database: str | None, photos: str | None, listen: str, workers: int, until_eof: bool
) -> None:
    """Take what benches record: journal and photos, exactly once.

    Prints one line {"listening": "http://…"} on stdout when it is ready and logs JSON lines to stderr. SIGTERM
    finishes what is under way. STATION_SERVER_TOKEN is the secret that benches must know; without it the server
    listens on this machine only.
    """
    if context.invoked_subcommand is not None:
        if database is not None or photos is not None:
            raise click.UsageError(f"--database and --photos go behind {context.invoked_subcommand!r}, not before it")
        return
    from sync.protocol import TOKEN_VARIABLE
    from sync.server.logs import log_to_stderr
    from sync.server.run import ServerSettings, serve

    home: Path = click.get_current_context().obj
    log_to_stderr()
    settings = ServerSettings(
        home=home,
        listen=listen,
        database=database,
        photos=photos,
        workers=workers,
        token=os.environ.get(TOKEN_VARIABLE) or None,
    )
    stop = _at_end_of_input() if until_eof else None
    serve(settings, lambda url: click.echo(json.dumps({"listening": url})), stop)


def _at_end_of_input() -> threading.Event:
    """Set when standard input ends: a demo that was killed leaves no server behind."""
    ended = threading.Event()

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        ended.set()

    threading.Thread(target=wait, name="end of input", daemon=True).start()
    return ended

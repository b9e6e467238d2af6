"""``station server``: the central server."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import click


@click.command()
@click.option(
    "--database",
    metavar="URL",
    help="sqlite:///PATH or postgresql://USER@HOST/NAME. Default: server/server.sqlite3 in the home folder.",
)
@click.option("--photos", metavar="FOLDER", help="Where photos lie. Default: server/photos in the home folder.")
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
def server(database: str | None, photos: str | None, listen: str, workers: int, until_eof: bool) -> None:
    """Take what benches record: journal and photos, exactly once.

    Prints one line {"listening": "http://…"} on stdout when it is ready and logs JSON lines to stderr. SIGTERM
    finishes what is under way. STATION_SERVER_TOKEN is the secret that benches must know; without it the server
    listens on this machine only.
    """
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

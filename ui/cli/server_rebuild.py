"""``station server rebuild``: make figures and queues anew from the journal, while the server runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command("rebuild")
@click.option("--database", metavar="URL", help="As for `station server`.")
@click.option("--site", default="main", show_default=True, help="Whose figures.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def rebuild(database: str | None, site: str, as_json: bool) -> None:
    """Count everything again from the journal.

    Figures stay readable and benches go on sending meanwhile (on SQLite the server must be stopped: it owns the file).
    Interrupted anywhere, the old figures stay and the next run goes on from there.
    """
    from sync.server.rebuild import rebuild as make_anew
    from sync.server.storage import database_url, open_database

    home: Path = click.get_current_context().obj
    opened = open_database(database_url(database or f"sqlite:///{home / 'server' / 'server.sqlite3'}"))

    def tell(count: int) -> None:
        click.echo(f"\r{count} entries", err=True, nl=False)

    shown = sys.stderr.isatty() and not as_json
    try:
        done = make_anew(opened, site, tell if shown else None)
    finally:
        opened.close()
    if shown:
        click.echo(err=True)
    if as_json:
        click.echo(json.dumps({"site": site, "entries": done.entries, "build": done.build}))
    else:
        click.echo(f"{done.entries} entries read, the figures of {site!r} are made anew")

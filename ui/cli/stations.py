"""``station server stations|enrol-code|revoke|unrevoke|rotate-key``: IT's commands on benches, also while it runs."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sync.server.access.register import Register

_site = click.option("--site", metavar="SITE", default="main", show_default=True, help="The site it belongs to.")
_database = click.option("--database", metavar="URL", help="Default: server/server.sqlite3 in the home folder.")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


@click.command("stations")
@_database
@_site
@_json
def stations(database: str | None, site: str, as_json: bool) -> None:
    """List the benches of a site."""
    import msgspec

    with _register(database) as register:
        found = register.summaries(site)
    if as_json:
        click.echo(json.dumps({"stations": msgspec.to_builtins(found)}))
        return
    for one in found:
        state = "revoked" if one.revoked_at else "enrolled" if one.key else "not enrolled"
        seen = f"last seen {one.last_seen}" if one.last_seen else "never seen"
        key = f" key {one.key}" if one.key else ""
        click.echo(f"{one.station}: {state}{key}, {one.entries} entries, {seen}")
    if not found:
        click.echo(f"site {site!r} has no benches yet: station server enrol-code --station NAME", err=True)


@click.command("enrol-code")
@_database
@click.option("--station", "name", metavar="NAME", required=True, help="The bench that joins with it.")
@_site
@click.option("--minutes", metavar="N", type=click.IntRange(1, 24 * 60), default=15, show_default=True)
@_json
def enrol_code(database: str | None, name: str, site: str, minutes: int, as_json: bool) -> None:
    """Make a code that lets one bench in, once. Type it at the bench, or print it as Code 128 and scan it.

    An earlier code for this bench that was not used yet counts no more.
    """
    with _register(database) as register:
        made = register.open_code(site, name, _who(), minutes)
    expires = made.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    if as_json:
        click.echo(json.dumps({"station": made.station, "site": site, "code": made.code, "expires_at": expires}))
        return
    click.echo(made.code)
    click.echo(f"good once, until {expires}; at the bench: station enrol {made.code} --server URL", err=True)


@click.command("revoke")
@_database
@click.argument("name", metavar="STATION")
@_site
@click.option("--reason", metavar="TEXT", default="", help="Kept with it.")
def revoke(database: str | None, name: str, site: str, reason: str) -> None:
    """Shut a bench out, also with tokens it already has. Nothing on it is lost."""
    with _register(database) as register:
        changed = register.revoke(site, name, _who(), reason)
    click.echo(f"{name} is shut out" if changed else f"{name} was shut out already")


@click.command("unrevoke")
@_database
@click.argument("name", metavar="STATION")
@_site
@click.option("--reason", metavar="TEXT", default="", help="Kept with it.")
def unrevoke(database: str | None, name: str, site: str, reason: str) -> None:
    """Let a revoked bench in again, with the key it has."""
    with _register(database) as register:
        changed = register.restore(site, name, _who(), reason)
    click.echo(f"{name} may come in again" if changed else f"{name} was not shut out")


@click.command("rotate-key")
@_database
def rotate_key(database: str | None) -> None:
    """Put a new signing key in the place of the old one. A running server uses it after its next start."""
    from sync.server.access.signing import KEYS, pass_on_key

    with _register(database) as register:
        old, new, endorsement = pass_on_key(_home() / "server" / KEYS, register.server_id)
        register.adopt(old)
        register.adopt(new, endorsement, old)
    click.echo(f"the server signs with key {new.id} from its next start on; {old.id} signed for it and is kept beside")


@contextmanager
def _register(url: str | None) -> Iterator[Register]:
    from station.clock import SystemClock
    from station.errors import InvalidInput
    from sync.server.access.register import Register
    from sync.server.errors import ApiError
    from sync.server.storage import database_url, open_beside

    opened = open_beside(database_url(url or f"sqlite:///{_home() / 'server' / 'server.sqlite3'}"))
    try:
        yield Register(opened, SystemClock())
    except ApiError as error:
        raise InvalidInput(f"{error.message}; {error.advice}") from error
    finally:
        opened.close()


def _home() -> Path:
    home = click.get_current_context().obj
    assert isinstance(home, Path)
    return home


def _who() -> str:
    """Who sits at the server's command line, for the record."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):  # no such user: a container
        return "command line"

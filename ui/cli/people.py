"""``station people``: the people of a server, for its first admin and for scripts. Runs where the server runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sync.server.people.register import Register

_BY = "command line"
_ROLES = click.Choice(["inspector", "lead", "admin", "auditor", "service"])


@click.group()
@click.option(
    "--database", metavar="URL", help="As for station server. Default: server/server.sqlite3 in the home folder."
)
@click.option("--site", default="main", show_default=True, help="Whose people.")
@click.pass_context
def people(context: click.Context, database: str | None, site: str) -> None:
    """Add, show, change and disable people of the central server.

    Works on the server's database; a server on SQLite must be stopped for it, one on PostgreSQL need not. Everything
    but the first admin can be done over the API as well, by an admin who is signed in.
    """
    context.ensure_object(Path)
    context.meta["people"] = (database, site)


@people.command()
@click.argument("person")
@click.option("--name", required=True, help="As others see it.")
@click.option("--login", help="For signing in at the server; the password is asked for.")
@click.option("--role", "roles", type=_ROLES, multiple=True, help="May be given several times.")
@click.option("--merchant", help="Sees the goods of this merchant only.")
def add(person: str, name: str, login: str | None, roles: tuple[str, ...], merchant: str | None) -> None:
    """Add somebody, or change name, login and merchant."""
    import msgspec

    from station.errors import InvalidInput
    from station.people import Role
    from station.people.person import Id
    from sync.protocol.people import PersonRequest

    given = {"name": name, "login": login, "merchant": merchant}
    try:
        wanted = msgspec.convert(given, PersonRequest)
        msgspec.convert(person, Id)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{person!r} cannot be added: {error}") from error
    with _register() as (register, site):
        is_new = register.put(site, person, wanted, by=_BY)
        for role in roles:
            register.give(site, person, Role(role), by=_BY)
        if login is not None and is_new:
            register.set_password(site, person, _secret("Password"), by=_BY)
    click.echo(f"{person}: {'added' if is_new else 'changed'}")


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> None:
    """Show everybody with the roles that hold."""
    import msgspec

    with _register() as (register, site):
        found = register.everybody(site)
    if as_json:
        click.echo(json.dumps({"people": msgspec.to_builtins(found)}))
        return
    for one in found:
        roles = " ".join(role.role for role in one.roles if role.until is None) or "no role"
        click.echo(f"{one.id:<20} {one.name:<30} {roles}{'' if one.active else '   (disabled)'}")


@people.command()
@click.argument("person")
@click.argument("role", type=_ROLES)
def give(person: str, role: str) -> int:
    """Let a role hold from now on. Exit code 1 = it holds already."""
    from station.people import Role

    with _register() as (register, site):
        return 0 if register.give(site, person, Role(role), by=_BY) else 1


@people.command()
@click.argument("person")
@click.argument("role", type=_ROLES)
def end(person: str, role: str) -> int:
    """End a role. Exit code 1 = it does not hold."""
    from station.people import Role

    with _register() as (register, site):
        return 0 if register.end(site, person, Role(role), by=_BY) else 1


@people.command()
@click.argument("person")
def disable(person: str) -> int:
    """Let somebody in nowhere any more; what they recorded stays."""
    with _register() as (register, site):
        return 0 if register.set_active(site, person, False, by=_BY) else 1


@people.command()
@click.argument("person")
def enable(person: str) -> int:
    """Let somebody in again."""
    with _register() as (register, site):
        return 0 if register.set_active(site, person, True, by=_BY) else 1


@people.command()
@click.argument("person")
def password(person: str) -> None:
    """Set the password for the server; it is asked for, or read as one line from a pipe."""
    with _register() as (register, site):
        register.set_password(site, person, _secret("Password"), by=_BY)


@people.command()
@click.argument("person")
def pin(person: str) -> None:
    """Set the PIN for benches; it is asked for, or read as one line from a pipe."""
    with _register() as (register, site):
        register.set_pin(site, person, _secret("PIN"), by=_BY)


@people.command()
@click.argument("person")
def badge(person: str) -> None:
    """Make a new badge and print its code, once; the one before is worth nothing from now on."""
    with _register() as (register, site):
        click.echo(register.issue_badge(site, person, by=_BY))


def _secret(what: str) -> str:
    """Never an argument: those are in the shell's history and in every list of processes."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt(what, hide_input=True, confirmation_prompt=True))


@contextmanager
def _register() -> Iterator[tuple[Register, str]]:
    from station.clock import SystemClock
    from sync.server.access.signing import KEYS
    from sync.server.feed import Feed
    from sync.server.people.key import load_people_key
    from sync.server.people.passwords import Hasher
    from sync.server.people.register import Register
    from sync.server.storage import database_url, open_database

    context = click.get_current_context()
    url, site = context.meta["people"]
    folder: Path = context.obj / "server"
    opened = open_database(database_url(url or f"sqlite:///{folder / 'server.sqlite3'}"))
    hasher = Hasher()
    try:
        key = load_people_key(folder / KEYS)
        key.check(opened)
        yield Register(opened, Feed(opened), key, hasher, SystemClock()), site
    finally:
        hasher.close()
        opened.close()

"""``station enrol``: join a server."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("code", required=False)
@click.option("--server", "url", metavar="URL", help="The server's address, e.g. https://returns.example.com.")
@click.option("--new-key", is_flag=True, help="This bench joined already: give it a new key, signed by the one in use.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def enrol(code: str | None, url: str | None, new_key: bool, as_json: bool) -> None:
    """Join a server with the CODE that IT made for this bench, typed or scanned.

    The bench makes its own key; only the public half leaves it. The code is good once, but may be given again on this
    machine if the answer was lost. From then on the bench needs no STATION_SERVER_TOKEN.
    """
    from station.clock import SystemClock
    from station.config import load_config
    from station.errors import InvalidInput
    from sync.client.api import HttpApi
    from sync.client.enrol import enrol as join
    from sync.client.enrol import rotate
    from sync.client.identity import load_identity

    home = click.get_current_context().obj
    assert isinstance(home, Path)
    clock = SystemClock()
    if new_key == bool(code):
        raise click.UsageError("give either a CODE, or --new-key")
    if new_key:
        identity = load_identity(home, clock)
        if identity is None:
            raise InvalidInput("this bench has not joined a server yet: give it a CODE of IT")
        api = HttpApi(url or identity.enrolment.url, token=None, clock=clock, identity=identity)
        try:
            rotate(home, identity, api)
        finally:
            api.close()
    else:
        address = url or load_config(home).sync.server
        if not address:
            raise click.UsageError("which server? Give --server URL, or set [sync] server in station.toml")
        api = HttpApi(address, token=None, clock=clock)
        try:
            identity = join(home, address, code or "", api, clock)
        finally:
            api.close()
    if as_json:
        facts = {"station": identity.station, "site": identity.enrolment.site, "server": identity.enrolment.server}
        click.echo(json.dumps({**facts, "key": identity.key_id, "kept": identity.rung.value}))
        return
    click.echo(f"this bench is {identity.station!r} of site {identity.enrolment.site!r}, key {identity.key_id}")
    click.echo(f"its key is kept {identity.rung.text}")

"""Every route there is, asked by those who may not: nobody at all, and people of another site.

The routes are taken from the application, so a new one joins by itself. A new public one has to be named here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from station.people import Role
from sync.protocol import Topic
from sync.protocol.people import PersonRequest
from sync.server.app import build_app
from sync.server.auth import SharedToken
from sync.server.feed import Change
from sync.server.figures.following import behind
from sync.server.storage.all_rows import metadata
from tests.sync.material import an_inspection, fact, jpeg_of, until
from tests.sync.people.conftest import MakeServer
from tests.sync.people.material import PeopleServer
from tests.sync.people.test_people import push

PUBLIC = {
    ("GET", "/v1/health"), ("GET", "/v1/health/live"), ("GET", "/v1/health/ready"), ("GET", "/v1/openapi.json"),
    ("POST", "/v1/enrol"), ("GET", "/v1/challenge"), ("POST", "/v1/challenge"), ("POST", "/v1/token"),
    ("POST", "/v1/session"), ("DELETE", "/v1/session"),
    ("GET", "/v1/session/oidc"), ("GET", "/v1/session/oidc/callback"),
}  # fmt: skip
"""Asked by those who have no credential yet, or want to lose it."""
PHOTO = jpeg_of(77)
MARK = "markofmain"
MARKS = (MARK, "LPN000000001", "RMA-2026-000001")
"""Only in what is kept, never in a question."""
VALUES = {"person": "max", "role": "lead", "topic": "returns", "sha256": hashlib.sha256(PHOTO).hexdigest()}
BODIES = {
    "/v1/people/{person}": {"name": "Taken over"}, "/v1/people/{person}/pin": {"pin": "409127"},
    "/v1/people/{person}/password": {"password": "nine green trolleys"},
    "/v1/photos/missing": {"hashes": [VALUES["sha256"]]},
}  # fmt: skip


def every_route(server: PeopleServer) -> Iterator[tuple[str, str]]:
    for route in build_app(server.service).routes:
        for method in sorted(getattr(route, "methods", ())):
            if method not in ("OPTIONS", "HEAD"):
                yield str(method), re.sub(r"\{(\w+)(:\w+)?\}", r"{\1}", str(route.path_format))


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda hit: VALUES.get(hit.group(1), "max"), path)


def test_nobody_gets_anything_without_a_credential(make_server: MakeServer) -> None:
    server = make_server(authenticator=SharedToken("a token of sixteen letters".replace(" ", "-")))
    routes = list(every_route(server))
    assert len(routes) >= 20
    let_in = []
    for method, path in routes:
        code = server.ask(method, filled(path), json=BODIES.get(path, {})).status_code
        if (method, path) not in PUBLIC and code != 401:
            let_in.append((method, path, code))
    assert let_in == [], "public routes are named in PUBLIC, with the reason in the review"


def fill(server: PeopleServer) -> None:
    """Something of everything at the site ``main``."""
    server.add("max", Role.INSPECTOR)
    server.people.register.put("main", "max", PersonRequest(MARK, login="max"), by="test")
    server.add("ida", Role.ADMIN)
    push(server, "max", (fact(an_inspection(1, [PHOTO])), server.clock.now()))
    assert server.ask("PUT", f"/v1/photos/{VALUES['sha256']}", content=PHOTO).status_code == 201
    with server.service.database.writing() as connection:
        changes = [Change("max", {"rma": MARK})]
        for topic in Topic:
            if topic is not Topic.PEOPLE:
                server.service.feed.put(connection, "main", topic, changes, server.clock.now())
    until(lambda: not uncounted(server), 30, "figures have caught up")


def uncounted(server: PeopleServer) -> int:
    """Entries that the figures will yet follow, on a thread of the server's own."""
    with server.service.database.reading() as connection:
        return behind(connection)[0]


def everything_of_main(server: PeopleServer) -> dict[str, list[str]]:
    """All rows of the site, but for what counts requests."""
    found: dict[str, list[str]] = {}
    with server.service.database.reading() as connection:
        for table in metadata.sorted_tables:
            if "site_id" in table.c and table.name not in ("buckets", "sign_in_waits"):
                rows = connection.execute(select(table).where(table.c.site_id == "main"))
                found[table.name] = sorted(map(str, rows))
    return found


def test_people_of_another_site_read_and_write_nothing_of_this_one(server_on_either: PeopleServer) -> None:
    server = server_on_either
    fill(server)
    server.add("eva", *Role, site="other")
    eva = server.browser("eva", site="other")
    ida = server.browser("ida")
    shown = [
        path for method, path in every_route(server) if method == "GET" and MARK in ida.ask("GET", filled(path)).text
    ]
    assert "/v1/people" in shown, "the control: who belongs here does see it"
    before = everything_of_main(server)
    assert sum(map(len, before.values())) > 15
    for method, path in every_route(server):
        if path.startswith("/v1/session"):
            continue
        answer = eva.ask(method, filled(path), json=BODIES.get(path, {}))
        assert not any(mark in answer.text for mark in MARKS), (method, path, answer.status_code)
        assert answer.status_code < 500, (method, path, answer.text)
        if answer.status_code == 200 and path == "/v1/photos/missing":
            assert answer.json()["held"] == []
    assert everything_of_main(server) == before
    # the control: the same questions by who belongs here do change something
    assert ida.ask("PUT", filled("/v1/people/{person}"), json={"name": "Changed"}).status_code == 200
    assert everything_of_main(server) != before


@pytest.mark.parametrize("header", ["X-Site", "X-Site-Id", "X-Forwarded-User", "Station-Site"])
def test_no_header_moves_somebody_to_another_site(server: PeopleServer, header: str) -> None:
    fill(server)
    server.add("eva", Role.ADMIN, site="other")
    eva = server.browser("eva", site="other")
    assert MARK not in eva.ask("GET", "/v1/people?site=main&site_id=main", headers={header: "main"}).text

"""The real server: endpoints over HTTP, deliveries by its own threads, kills between a delivery and its note."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from litestar.testing import TestClient

from station.clock import SystemClock
from sync.protocol import Limits
from sync.server.access.signing import load_key as load_signing_key
from sync.server.app import build_app
from sync.server.auth import Caller
from sync.server.downstream import events
from sync.server.downstream.composition import Downstream
from sync.server.photos import open_photos
from sync.server.service import Service
from sync.server.storage import database_url, open_database
from tests.sync.downstream.receiver import Received, Receiver, status
from tests.sync.material import STATION, ServerProcess, an_inspection, chain, fact, until

VERSION = {"Station-Protocol": "1"}


class Signs:
    """Lets in whom the header names."""

    slow = False

    def claims(self, headers: Mapping[str, str]) -> bool:
        return True

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        return Caller("main", None, person="p-1", roles=frozenset(headers.get("x-roles", "").split()))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    database = open_database(database_url(f"sqlite:///{tmp_path / 'server.sqlite3'}"))
    clock = SystemClock()
    environment = {"STATION_WEBHOOK_PRIVATE": "127.0.0.0/8", "STATION_WEBHOOK_PLAIN": "127.0.0.1"}
    downstream = Downstream.from_environment(database, clock, tmp_path / "keys", environment)
    service = Service(
        database, open_photos(None, tmp_path / "photos"), Signs(), clock, Limits(),
        load_signing_key(tmp_path / "keys"), downstream,
    )  # fmt: skip
    with TestClient(build_app(service)) as made:
        made.headers.update(VERSION | {"x-roles": "admin"})
        yield made


def test_an_administrator_makes_changes_and_removes_endpoints(client: TestClient) -> None:
    made = client.post("/v1/endpoints", json={"url": "https://erp.example/hook", "types": [events.REFUND]})
    assert made.status_code == 201, made.text
    assert made.json()["secret"].startswith("whsec_")
    here = f"/v1/endpoints/{made.json()['endpoint']['endpoint_id']}"
    listed = client.get("/v1/endpoints").json()
    assert [item["url"] for item in listed["endpoints"]] == ["https://erp.example/hook"]
    assert set(listed["types"]) == set(events.TYPES)
    assert "whsec_" not in client.get("/v1/endpoints").text
    assert client.patch(here, json={"active": False}).json()["disabled_reason"].startswith("switched off")
    assert client.post(here + "/secret").json()["secret"] != made.json()["secret"]
    assert client.get(here + "/deliveries", params={"state": "failed"}).json() == {"deliveries": []}
    assert client.post(here + "/replay", json={"events": ["x"]}).json() == {"again": 0, "new": 0}
    assert client.get("/v1/downstream/alerts").json() == {"alerts": []}
    assert client.delete(here).status_code == 204
    assert client.delete(here).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/v1/endpoints", {"url": "http://169.254.169.254/latest"}, 422),
        ("POST", "/v1/endpoints", {"url": "https://a.example/", "types": ["nonsense"]}, 422),
        ("POST", "/v1/endpoints", {"url": "https://a.example/", "active": True}, 400),
        ("POST", "/v1/endpoints", [], 400),
        ("PATCH", "/v1/endpoints/none", {}, 404),
        ("POST", "/v1/endpoints/none/secret", None, 404),
        ("POST", "/v1/endpoints/none/replay", {"events": ["x"]}, 404),
        ("POST", "/v1/endpoints/none/replay", {}, 422),
        ("GET", "/v1/endpoints/none/deliveries?state=odd", None, 400),
    ],
)
def test_what_is_refused(client: TestClient, method: str, path: str, body: object, expected: int) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == expected, answer.text
    assert set(answer.json()["error"]) == {"code", "message", "advice"}


@pytest.mark.parametrize("roles", ["", "inspector", "lead", "service", "Admin"])
def test_nobody_but_an_administrator(client: TestClient, roles: str) -> None:
    for method, path in (("GET", "/v1/endpoints"), ("POST", "/v1/endpoints"), ("PATCH", "/v1/endpoints/x"),
                         ("DELETE", "/v1/endpoints/x"), ("POST", "/v1/endpoints/x/secret"),
                         ("GET", "/v1/endpoints/x/deliveries"), ("POST", "/v1/endpoints/x/replay"),
                         ("GET", "/v1/downstream/alerts")):  # fmt: skip
        assert client.request(method, path, headers={"x-roles": roles}).status_code == 403, path


def subscribe(server: ServerProcess, url: str) -> str:
    """Make an endpoint while the server is down, as an administrator's tool would; returns its secret."""
    database = open_database(database_url(f"sqlite:///{server.database}"))
    environment = {"STATION_WEBHOOK_PRIVATE": "127.0.0.0/8", "STATION_WEBHOOK_PLAIN": "127.0.0.1"}
    try:
        from sync.protocol.downstream import NewEndpoint
        from sync.server.run import KEYS

        room = Downstream.from_environment(database, SystemClock(), server.home / "server" / KEYS, environment)
        wanted = NewEndpoint(url, [events.CONFIRMED, events.REFUND])
        return room.endpoints.create("main", wanted, SystemClock().now()).secret
    finally:
        database.close()


def push(server: ServerProcess, count: int) -> list[str]:
    from sync.client.api import HttpApi

    made = chain([fact(an_inspection(number)) for number in range(count)])
    api = HttpApi(server.url, token=None, clock=SystemClock())
    for first in range(0, count, 100):
        assert api.push(api.pack(STATION, made[first : first + 100])).answer is not None
    api.close()
    return [entry.id for entry in made]


def test_a_server_that_is_killed_again_and_again_delivers_at_least_once_in_order(
    tmp_path: Path,
) -> None:
    environment = {"STATION_WEBHOOK_PRIVATE": "127.0.0.0/8", "STATION_WEBHOOK_PLAIN": "127.0.0.1"}
    killed = 0
    one_at_a_time = threading.Lock()

    def answer(request: Received) -> object:
        """Kill the server while it waits for this answer: sent and never noted."""
        nonlocal killed
        with one_at_a_time:
            if killed < 2 and len(receiver.received) >= 25 * (killed + 1):
                server.kill()
                killed += 1  # only now: who sees it may start the next one
        return status(204)

    with Receiver(answer) as receiver, ServerProcess(tmp_path / "home", environment=environment) as server:
        server.stop()
        secret = subscribe(server, receiver.url())
        server.start()
        ids = push(server, 60)
        for round in range(1, 3):
            until(lambda round=round: killed >= round, 30, "a kill")
            database = open_database(database_url(f"sqlite:///{server.database}"))
            with database.writing() as connection:  # two minutes later the leases of the dead have ended
                connection.exec_driver_sql("UPDATE downstream_deliveries SET lease_until = NULL")
            database.close()
            server.start()
        wanted = {f"{entry}_{kind}" for entry in ids for kind in ("inspection", "refund")}
        until(lambda: wanted == set(receiver.ids()), 30, "all events")
        until(lambda: server.rows("SELECT DISTINCT state FROM downstream_deliveries") == [("delivered",)], 20, "noted")
        server.stop()
    counts = Counter(receiver.ids())
    assert max(counts.values()) > 1, "the kills have teeth: something was sent again"
    assert all(request.is_signed_with(secret) for request in receiver.received)
    for entry in ids:
        firsts = [receiver.ids().index(f"{entry}_{kind}") for kind in ("inspection", "refund")]
        assert firsts == sorted(firsts), "of one unit the inspection comes before the refund"


def test_the_server_sends_by_itself_within_a_second_or_so(tmp_path: Path) -> None:
    environment = {"STATION_WEBHOOK_PRIVATE": "127.0.0.0/8", "STATION_WEBHOOK_PLAIN": "127.0.0.1"}
    with Receiver() as receiver, ServerProcess(tmp_path / "home", environment=environment) as server:
        server.stop()
        subscribe(server, receiver.url())
        server.start()
        ids = push(server, 5)
        until(lambda: len(receiver.ids()) == 10, 20, "ten events")
        assert httpx.get(server.url + "/v1/health", trust_env=False).status_code == 200
        assert server.stop() == 0
    assert {f"{entry}_refund" for entry in ids} <= set(receiver.ids())

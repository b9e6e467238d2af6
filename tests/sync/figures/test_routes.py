"""Figures and queue over HTTP, at a real server."""

from __future__ import annotations

import random
from collections.abc import Iterator

import httpx
import pytest

from tests.sync.figures import oracle
from tests.sync.figures.history import START, STATIONS, Floor
from tests.sync.material import LocalServer

HEADERS = {"Station-Protocol": "1"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalServer, Floor]]:
    floor = Floor(random.Random(3))
    for number in range(30):
        floor.step("inspect", STATIONS[number % 3])
    with LocalServer(tmp_path_factory.mktemp("figures") / "home") as server:
        for station in STATIONS:
            body = {
                "station": station,
                "entries": [
                    {
                        "generation": e.generation, "seq": e.seq, "id": e.id, "kind": e.kind, "schema": e.schema,
                        "recorded_at": e.recorded_at, "actor": e.actor, "payload_sha256": e.payload_sha256,
                        "prev_hash": e.prev_hash, "hash": e.hash, "payload": (e.payload or b"").decode(),
                    }
                    for e, _ in floor.entries[station]
                ],
            }  # fmt: skip
            answer = httpx.post(server.url + "/v1/journal", json=body, headers=HEADERS, trust_env=False)
            assert {result["status"] for result in answer.json()["results"]} == {"accepted"}
        server.until_counted()
        yield server, floor


def seen(floor: Floor) -> list[oracle.Seen]:
    return oracle.seen(
        oracle.Received(station, e.generation, e.seq, e.id, e.actor, what, START)
        for station in STATIONS
        for e, what in floor.entries[station]
    )


def test_a_view_and_the_units_behind_it(served: tuple[LocalServer, Floor]) -> None:
    server, floor = served
    period = f"from={START.date()}&to=2026-12-15"
    answer = server.get(f"/v1/figures/checks?{period}&by=station").json()
    counts = {row["key"][0]: row["figures"]["units"]["value"] for row in answer["rows"]}
    assert counts == dict.fromkeys(STATIONS, 10)
    assert answer["total"]["figures"]["override_rate"]["value"] == oracle.kpis(seen(floor))["override_rate"]
    page = server.get(f"/v1/figures/checks/units?{period}&about=overridden&limit=500").json()
    overridden = [
        one for one in seen(floor) if any(r.code == "override" for r in one.inspection.decision.reasons)
    ]  # fmt: skip
    assert {unit["inspection_id"] for unit in page["units"]} == {one.inspection.inspection_id for one in overridden}


def test_the_queue_pages_through(served: tuple[LocalServer, Floor]) -> None:
    server, floor = served
    found: list[dict[str, object]] = []
    after, counts = "", {}
    while True:
        page = server.get(f"/v1/queue?kind=second_look&sort=value&limit=4{after}").json()
        found += page["items"]
        counts |= page["counts"]
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    expected = {one.inspection.inspection_id for one in seen(floor) if one.inspection.decision.second_look}
    assert {item["item_id"] for item in found} == expected
    assert len(found) == len(expected) == counts["second_look"] > 4
    values = [int(str(item["value_minor"])) for item in found]
    assert values == sorted(values, reverse=True)


def test_the_index_says_what_there_is_and_what_not(served: tuple[LocalServer, Floor]) -> None:
    index = served[0].get("/v1/figures").json()
    assert {"throughput", "times", "review"} <= {view["view"] for view in index["views"]}
    assert {"return_rate", "customer_satisfaction"} <= {figure["name"] for figure in index["not_fed"]}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/figures/nonsense", "/v1/figures/checks?by=moon", "/v1/figures/checks?from=yesterday",
        "/v1/figures/checks?from=2020-01-01", "/v1/figures/checks/units?after=!", "/v1/queue?kind=all",
        "/v1/queue?limit=501", "/v1/queue?colour=red", "/v1/queue?after=bnVsbA==", "/v1/queue?text=%00",
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_words(served: tuple[LocalServer, Floor], path: str) -> None:
    answer = served[0].get(path)
    assert answer.status_code == 400
    assert len(answer.json()["error"]["message"]) > 10

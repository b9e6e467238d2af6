"""What a bench says of its backlog is where IT looks: the fleet's list and the metrics."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from station.clock import SystemClock
from station.store import Store
from sync.client.api import HttpApi
from tests.sync.centre.house import House, fact, of_unit, plate


def summary(house: House, station: str) -> dict[str, object]:
    stations = house.get("/v1/stations", "ida").json()["stations"]
    return next((one for one in stations if one["station"] == station), {})


def metric(house: House, name: str, station: str) -> float:
    lines = house.server.ask("GET", "/v1/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(name) and station in line).rpartition(" ")[2])


def test_a_real_bench_tells_with_every_greeting(house: House, tmp_path: Path) -> None:
    """Store, client and server as they are; the bench has recorded and not sent."""
    name = plate("bench")[:40]
    store = Store.open(tmp_path, station=name, clock=SystemClock(), ballast_bytes=0)
    api = HttpApi(house.server.url, token=None, clock=SystemClock(), unsent=store.unsent)
    try:
        api.hello(name)
        assert (summary(house, name)["unsent"], summary(house, name)["unsent_since"]) == (0, None)
        store.commit([fact(of_unit(plate("WAIT"))), fact(of_unit(plate("WAIT")))], actor="ines", drafts={})
        api.hello(name)
        found = summary(house, name)
        assert (found["unsent"], found["unsent_photos"], found["entries"]) == (2, 0, 0)
        since = store.unsent().since
        assert since is not None
        assert abs(datetime.fromisoformat(str(found["unsent_since"])) - since) < timedelta(seconds=1)
        assert metric(house, "station_bench_unsent_entries", name) == 2
    finally:
        api.close()
        store.close()


def test_the_age_goes_on_while_nothing_is_said(house: House) -> None:
    name = plate("bench")
    since = (house.server.clock.now() - timedelta(minutes=5)).isoformat()
    asked = {"station": name, "unsent": "7", "unsent_photos": "3", "unsent_since": since}
    assert house.server.ask("GET", "/v1/hello", params=asked).status_code == 200
    before = metric(house, "station_bench_unsent_seconds", name)
    house.server.clock.forward(60)
    assert metric(house, "station_bench_unsent_seconds", name) == before + 60 >= 360
    assert metric(house, "station_bench_unsent_photos", name) == 3
    told_at = summary(house, name)["told_at"]
    house.server.ask("GET", "/v1/hello", params=asked)
    assert summary(house, name)["told_at"] != told_at, "said again after a minute: written again"
    told_at = summary(house, name)["told_at"]
    house.server.clock.forward(5)
    house.server.ask("GET", "/v1/hello", params=asked)
    assert summary(house, name)["told_at"] == told_at, "the same again within a minute writes nothing"


def test_an_older_bench_says_nothing_and_is_greeted(house: House) -> None:
    name = plate("bench")
    assert house.server.ask("GET", "/v1/hello", params={"station": name}).status_code == 200
    house.bench().push(fact(of_unit(plate("OLD"))))
    assert summary(house, name) == {}


@pytest.mark.parametrize(
    "asked",
    [
        {"unsent": "many"}, {"unsent": "-1"}, {"unsent": "1" * 30}, {"unsent": "1", "unsent_since": "yesterday"},
        {"unsent": "1", "unsent_since": "2026-11-23T12:00:00"},
        {"unsent": "1", "unsent_since": "0001-01-01T00:00:00+14:00"},
    ],
)  # fmt: skip
def test_nonsense_is_refused(house: House, asked: dict[str, str]) -> None:
    answer = house.server.ask("GET", "/v1/hello", params={"station": "bench-x", **asked})
    assert answer.status_code == 400, answer.text

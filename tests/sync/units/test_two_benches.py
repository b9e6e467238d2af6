"""Two real benches with their outboxes, one server process: the same unit, a lead, an override that is late (F16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import pytest

from station.canonical import canonical_json
from station.clock import SystemClock
from station.decision.model import Disposition
from station.inspection.record import Inspection
from station.journal.entry import Fact
from station.returns.decided import UNIT_DECIDED, UnitDecided
from station.store import Store
from sync.client.api import HttpApi
from sync.client.loop import SyncLoop
from tests.conftest import WarningsOnTheLog
from tests.sync.material import START, SWIFT, ServerProcess, an_inspection, dice, fact, until


class Bench:
    """A station's store and its sync loop."""

    def __init__(self, name: str, home: Path, url: str) -> None:
        self.store = Store.open(home / name, station=name, clock=SystemClock(), ballast_bytes=0)
        self._api = HttpApi(url, token=None, clock=SystemClock())
        self._loop = SyncLoop(self.store, self._api, SystemClock(), dice(1), SWIFT, feed=self.store)

    def record(self, *facts: Fact) -> None:
        self.store.commit(facts, actor="ines", drafts={})

    def sync(self) -> None:
        """Until everything is sent."""
        until(lambda: self._loop.step() >= 0 and self.store.unsent().entries == 0, 20, "sent")

    def hears(self, lpn: str, version: int) -> dict[str, object]:
        """Until the feed told of a decision on a unit at this version."""
        found: list[dict[str, object]] = []

        def told() -> bool:
            self._loop.step()
            item = self.store.feed_item("decisions", lpn)
            found[:] = [msgspec.json.decode(item.body)] if item is not None else []
            return bool(found) and found[0]["version"] == version

        until(told, 20, f"the decision on {lpn}")
        return found[0]

    def close(self) -> None:
        self._api.close()
        self.store.close()


@pytest.fixture
def benches(tmp_path: Path, shared_server: ServerProcess) -> Iterator[tuple[Bench, Bench]]:
    name = tmp_path.name[-40:]  # a station's name belongs to one chain
    made = Bench(f"a-{name}", tmp_path, shared_server.url), Bench(f"b-{name}", tmp_path, shared_server.url)
    yield made
    for bench in made:
        bench.close()


def of_unit(lpn: str, number: int, disposition: Disposition) -> Inspection:
    plain = an_inspection(number)
    return replace(plain, lpn=lpn, decision=replace(plain.decision, disposition=disposition))


def ask(server: ServerProcess, method: str, path: str, body: object = None) -> httpx.Response:
    return httpx.request(method, server.url + path, json=body, headers={"Station-Protocol": "1"}, trust_env=False)


@pytest.mark.parametrize("first", [0, 1])
def test_the_same_unit_at_two_benches(
    benches: tuple[Bench, Bench], shared_server: ServerProcess, first: int, expected_warnings: WarningsOnTheLog
) -> None:
    lpn = f"LPN-TWO-{first}"
    seen = [of_unit(lpn, 1, Disposition.RESTOCK), of_unit(lpn, 2, Disposition.RECYCLE)]
    for bench, one in zip(benches, seen, strict=True):
        bench.record(fact(one))  # both offline
    benches[first].sync()
    benches[1 - first].sync()
    unit = ask(shared_server, "GET", f"/v1/units/{lpn}").json()
    assert (unit["state"], unit["because"], unit["owner"]) == (
        "contested", "inspected_twice", seen[first].inspection_id,
    )  # fmt: skip
    assert {one["inspection_id"] for one in unit["inspections"]} == {one.inspection_id for one in seen}
    listed = ask(shared_server, "GET", "/v1/units?state=contested").json()["units"]
    assert lpn in {one["lpn"] for one in listed}

    wish = {
        "base_version": 1,
        "disposition": "restock",
        "reason": "it is as new",
        "inspection_id": seen[0].inspection_id,
    }
    stale = ask(shared_server, "POST", f"/v1/units/{lpn}/decision", wish)
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "stale_version")
    assert stale.json()["unit"] == unit, "with what it is now"
    done = ask(shared_server, "POST", f"/v1/units/{lpn}/decision", wish | {"base_version": 2})
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["owner"]) == ("decided", seen[0].inspection_id)

    late = UnitDecided(lpn, 2, Disposition.DONATE, None, None, None, "decided offline", (), START)
    benches[1].record(Fact(UNIT_DECIDED, 1, canonical_json(late)))
    expected_warnings("took no effect: the unit is at version 3")
    benches[1].sync()
    after = ask(shared_server, "GET", f"/v1/units/{lpn}").json()
    assert (after["state"], after["disposition"]) == ("decided", "restock")
    assert [one["outcome"] for one in after["decisions"]] == ["in_force", "stale_version"]
    for bench in benches:
        told = bench.hears(lpn, 3)
        assert (told["disposition"], told["inspection_id"]) == ("restock", seen[0].inspection_id)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"base_version": 1, "disposition": "restock"}, 400, "malformed"),
        ({"base_version": 1, "disposition": "restock", "reason": "     "}, 400, "reason"),
        ({"base_version": 1, "disposition": "somewhere", "reason": "because"}, 400, "disposition"),
        ({"base_version": 0, "disposition": "restock", "reason": "because"}, 400, "malformed"),
        ({"base_version": 1, "disposition": "restock", "reason": "because", "owner": "me"}, 400, "malformed"),
        ({"base_version": 1, "disposition": "restock", "reason": "because"}, 404, "unit"),
    ],
)
def test_what_is_wrong_with_a_decision_is_named(
    shared_server: ServerProcess, body: dict[str, object], status: int, code: str
) -> None:
    answer = ask(shared_server, "POST", "/v1/units/LPN-NOBODY/decision", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)

"""Every route has its row, and somebody who is limited to one merchant learns nothing of another one's goods."""

from __future__ import annotations

import hashlib
import re

import pytest
from litestar import Litestar, get

from station.errors import Defect
from sync.server.app import build_app
from sync.server.rights import RIGHTS, Reach, put_rights, served
from tests.sync.centre.house import House, HouseBench, fact, of_unit, plate
from tests.sync.material import an_inspection, jpeg_of

PHOTO = jpeg_of(4711)
SHA = hashlib.sha256(PHOTO).hexdigest()


def test_every_route_has_a_row_and_every_row_a_route(house: House) -> None:
    routes = {(method, path) for method, path, _ in served(build_app(house.server.service))}
    assert routes == set(RIGHTS)
    assert len(routes) > 50


def test_a_new_route_without_a_row_is_not_served() -> None:
    @get("/v1/secrets/{name:str}")
    async def secrets() -> None:
        """Nobody said who may ask this."""

    with pytest.raises(Defect, match=r"GET /v1/secrets/\{name\} has no row"):
        put_rights(Litestar(route_handlers=[secrets], openapi_config=None))


class Other:
    """Goods of a merchant that ``mia`` has nothing to do with."""

    def __init__(self, house: House) -> None:
        lea = house.by("lea")
        for merchant in ("acme", "bolt"):
            body = {
                "id": merchant, "name": merchant, "policy": "small_brand", "grading_scheme": "standard",
                "currency": "EUR",
            }  # fmt: skip
            assert lea.ask("PUT", f"/v1/merchants/{merchant}", json=body).status_code == 200
        self.lpn, self.own = plate("BOLT"), plate("ACME")
        photos = an_inspection(1, [PHOTO]).photos
        self.unit = of_unit(self.lpn, merchant_id="bolt", looks=["value"], photos=photos)
        mine = of_unit(self.own, looks=["value"])
        bench: HouseBench = house.bench()
        bench.push(fact(self.unit), fact(mine))
        assert house.server.ask("PUT", f"/v1/photos/{SHA}", content=PHOTO).status_code == 201
        asked = house.by("lea").ask(
            "POST", "/v1/returns", headers={"Idempotency-Key": self.lpn},
            json={"merchant_id": "bolt", "rma": f"RMA-{self.lpn}", "order_id": "o-1",
                  "lines": [{"sku": "X-1", "quantity": 1, "reason": "unwanted"}]},
        )  # fmt: skip
        assert asked.status_code == 201, asked.text
        self.return_id = asked.json()["return_id"]
        self.marks = (self.lpn, self.unit.inspection_id, f"RMA-{self.lpn}", self.return_id, "bolt")


@pytest.fixture(scope="session")
def other(house: House) -> Other:
    return Other(house)


def filled(path: str, other: Other) -> str:
    values = {
        "lpn": other.lpn, "return_id": other.return_id, "merchant_id": "bolt", "unit_id": other.unit.unit_id,
        "sha256": SHA, "person": "lea", "view": "checks", "topic": "returns", "role": "lead", "station": "bench-1",
    }  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda hit: values.get(hit.group(1), "x"), path)


BODIES = {
    "/v1/units/{lpn}/decision": {"base_version": 1, "disposition": "recycle", "reason": "not mine to decide"},
    "/v1/returns/{return_id}/decision": {"base_version": 1, "approve": False, "reason": "not mine to decide"},
    "/v1/merchants/{merchant_id}": {
        "id": "bolt", "name": "taken over", "policy": "customer_first", "grading_scheme": "standard", "currency": "EUR",
    },
    "/v1/catalogue": [{"sku": "X-1", "merchant_id": "bolt", "title": "taken over"}],
    "/v1/holds/{unit_id}": {"reason": "because"},
    "/v1/returns": {
        "merchant_id": "bolt", "order_id": "o", "lines": [{"sku": "X", "quantity": 1, "reason": "unwanted"}],
    },
}  # fmt: skip


def test_no_route_tells_of_another_merchants_goods(house: House, other: Other) -> None:
    """The walk over the real routes: by ``mia`` nothing is told and nothing is changed."""
    mia, before = house.by("mia"), house.get(f"/v1/units/{other.lpn}").json()
    told = []
    for (method, path), right in RIGHTS.items():
        if right.reach in (Reach.NOBODY, Reach.SELF):
            continue
        body = BODIES.get(path, {})
        answer = mia.ask(method, filled(path, other), json=body, headers={"Idempotency-Key": "mias"})
        assert answer.status_code < 500, (method, path, answer.text)
        if right.reach is Reach.SITE:
            assert answer.status_code == 403, (method, path, answer.text)
        named = filled(path, other)
        if any(mark in answer.text.replace(named, "") for mark in other.marks[1:]) and answer.status_code < 300:
            told.append((method, path, answer.text))
        if "{" in path and right.reach is Reach.MERCHANT and "{view}" not in path:
            expected = 422 if path == "/v1/merchants/{merchant_id}" else 404
            assert answer.status_code == expected, (method, path, answer.text)
    assert told == []
    assert house.get(f"/v1/units/{other.lpn}").json() == before
    assert mia.ask("GET", f"/v1/units/{other.lpn}").json() == {
        "error": mia.ask("GET", f"/v1/units/{other.lpn}").json()["error"]
        | {"message": f"nobody has inspected a unit {other.lpn!r}"}
    }, "as for one that never was"


def test_control_who_sees_the_site_is_told_and_mia_sees_her_own(house: House, other: Other) -> None:
    assert house.get(f"/v1/units/{other.lpn}").status_code == 200
    assert house.get(f"/v1/returns/{other.return_id}").status_code == 200
    assert house.get(f"/v1/photos/{SHA}").status_code == 200
    assert [item["lpn"] for item in house.queue("second_look", other.lpn)] == [other.lpn]
    mia = house.by("mia")
    assert mia.ask("GET", f"/v1/units/{other.own}").json()["merchant_id"] == "acme"
    listed = mia.ask("GET", "/v1/units").json()["units"]
    assert other.own in {one["lpn"] for one in listed}
    assert {one["merchant_id"] for one in listed} == {"acme"}
    assert {item["merchant"] for item in mia.ask("GET", "/v1/queue").json()["items"]} <= {"acme"}
    unit = mia.ask("GET", f"/v1/units/{other.own}").json()
    body = {"base_version": unit["version"], "disposition": "recycle", "reason": "mine to decide"}
    assert mia.ask("POST", f"/v1/units/{other.own}/decision", json=body).status_code == 200


def test_a_bench_does_not_ask_as_a_person_nor_a_person_as_a_bench(house: House) -> None:
    assert house.by("ida").ask("POST", "/v1/photos/missing", json={"hashes": []}).status_code == 403
    assert house.by("lea").ask("POST", "/v1/journal", json={}).status_code == 403
    assert house.get("/v1/site-key", "ida").status_code == 403

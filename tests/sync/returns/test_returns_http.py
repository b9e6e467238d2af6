"""A shop asks over HTTP; only what was approved reaches a bench."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest

from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from sync.protocol import AskedLine, ReturnRequest, Topic
from sync.server.errors import ApiError
from sync.server.feed import Change, Feed
from sync.server.returns.register import Returns
from sync.server.storage import Database, open_database
from tests.postgres import MakeFresh
from tests.sync.material import ServerProcess

RECENTLY = (datetime.now(UTC) - timedelta(days=5)).isoformat()
LONG_AGO = (datetime.now(UTC) - timedelta(days=400)).isoformat()


class Shop:
    """A shop's program."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._keys = 0

    def send(
        self, method: str, path: str, body: object = None, key: str | None = None, **headers: str
    ) -> httpx.Response:
        headers = {"Station-Protocol": "1", **headers}
        if key is not None:
            headers["Idempotency-Key"] = key
        return httpx.request(method, self.url + path, json=body, headers=headers, trust_env=False)

    def ask(self, rma: str | None, *, key: str | None = None, **fields: object) -> httpx.Response:
        lines = fields.pop("lines", [{"sku": "HD", "reason": "unwanted", "paid": {"minor": 5490, "currency": "EUR"}}])
        body = {"merchant_id": "acme", "rma": rma, "delivered_at": RECENTLY, "lines": lines, **fields}
        return self.send("POST", "/v1/returns", body, key or f"key-{rma}")

    def open_at_the_benches(self) -> dict[str, ReturnAuthorisation]:
        """What a bench that pulls everything holds."""
        found: dict[str, ReturnAuthorisation] = {}
        cursor = ""
        while True:
            page = self.send("GET", f"/v1/feed/returns{cursor}").json()
            for item in page["items"]:
                if "body" in item:
                    one = msgspec.json.decode(item["body"], type=ReturnAuthorisation)
                    found[one.id] = one
            if not page["more"]:
                return found
            cursor = f"?after={page['cursor']}"


@pytest.fixture(scope="module")
def shop(shared_server: ServerProcess) -> Shop:
    made = Shop(shared_server.url)
    merchant = {"id": "acme", "name": "Acme", "policy": "small_brand"}
    assert made.send("PUT", "/v1/merchants/acme", merchant).json() == {"changed": 1, "unchanged": 0}
    market = {"id": "market", "name": "Market", "policy": "marketplace"}
    assert made.send("PUT", "/v1/merchants/market", market).status_code == 200
    items = [
        {"merchant_id": "acme", "sku": "HD", "title": "Headphones", "category": "electronics.audio"},
        {"merchant_id": "acme", "sku": "OUT", "title": "Old shirt", "category": "outlet"},
        {"merchant_id": "market", "sku": "CUP", "title": "Cup", "category": "homeware"},
    ]
    assert made.send("POST", "/v1/catalogue", items).json() == {"changed": 3, "unchanged": 0}
    assert made.send("POST", "/v1/catalogue", items).json() == {"changed": 0, "unchanged": 3}
    return made


def test_an_approved_return_reaches_the_benches(shop: Shop) -> None:
    answer = shop.ask("RMA-A1", tracking=["1ZA1"], order_id="O-1")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["state"], body["way_back"], body["label"]) == (
        "approved",
        "customer",
        {"minor": 490, "currency": "EUR"},
    )
    assert body["policy"].startswith("small_brand@2 ")
    one = shop.open_at_the_benches()["RMA-A1"]
    assert (one.status, one.tracking, one.lines[0].sku, one.lines[0].declared_reason) == (
        "open", ("1ZA1",), "HD", "unwanted",
    )  # fmt: skip
    assert shop.send("GET", f"/v1/returns/{body['return_id']}").json() == body


@pytest.mark.parametrize(
    ("rma", "fields", "state"),
    [
        ("RMA-R1", {"delivered_at": LONG_AGO}, "refused"),
        ("RMA-R2", {"lines": [{"sku": "OUT"}]}, "refused"),
        ("RMA-M1", {"delivered_at": None}, "manual"),
        ("RMA-M2", {"lines": [{"sku": "NOBODY"}]}, "manual"),
    ],
)
def test_what_is_not_approved_never_reaches_a_bench(
    shop: Shop, rma: str, fields: dict[str, object], state: str
) -> None:
    body = shop.ask(rma, **fields).json()
    assert body["state"] == state
    assert body["lines"][0]["reasons"][-1]["text"]
    assert rma not in shop.open_at_the_benches()
    listed = shop.send("GET", f"/v1/returns?state={state}").json()["returns"]
    assert rma in {one["rma"] for one in listed}
    assert {one["state"] for one in listed} == {state}


def test_a_refused_line_stays_at_home(shop: Shop) -> None:
    body = shop.ask("RMA-L1", lines=[{"sku": "HD"}, {"sku": "OUT"}]).json()
    assert [line["outcome"] for line in body["lines"]] == ["approved", "refused"]
    assert [line.line for line in shop.open_at_the_benches()["RMA-L1"].lines] == [1]


def test_goods_that_need_not_come_are_not_expected(shop: Shop) -> None:
    lines = [{"sku": "CUP", "reason": "other", "paid": {"minor": 650, "currency": "EUR"}}]
    body = shop.ask("RMA-K1", merchant_id="market", lines=lines).json()
    assert (body["state"], body["keep"], body["label"]) == ("approved", True, None)
    assert "RMA-K1" not in shop.open_at_the_benches()


def test_a_lead_decides_and_may_take_it_back(shop: Shop) -> None:
    body = shop.ask("RMA-D1", delivered_at=None).json()
    path = f"/v1/returns/{body['return_id']}/decision"
    stale = shop.send("POST", path, {"base_version": 7, "approve": True, "reason": "known customer"})
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "stale_version")
    assert shop.send("POST", path, {"base_version": 1, "approve": True, "reason": "   "}).status_code == 400
    assert shop.send("POST", path, {"base_version": 1, "approve": True}).status_code == 400
    done = shop.send("POST", path, {"base_version": 1, "approve": True, "reason": "known customer"}).json()
    assert (done["state"], done["version"], done["lines"][0]["outcome"]) == ("approved", 2, "approved")
    assert "RMA-D1" in shop.open_at_the_benches()
    again = shop.send("POST", path, {"base_version": 2, "approve": True, "reason": "once more"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "nothing_to_decide")
    back = shop.send("POST", path, {"base_version": 2, "approve": False, "reason": "customer called"}).json()
    assert back["state"] == "withdrawn"
    assert "RMA-D1" not in shop.open_at_the_benches()


def test_a_repeat_gets_the_same_answer_and_has_one_effect(shop: Shop) -> None:
    first = shop.ask("RMA-I1", key="same")
    again = shop.ask("RMA-I1", key="same")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    other = shop.ask("RMA-I2", key="same")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "key_reused")
    taken = shop.ask("RMA-I1", key="another")
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "rma_taken")
    assert shop.ask("RMA-I3", key="another").status_code == 201, "a refused request keeps no key"


def test_without_a_number_it_is_given_one(shop: Shop) -> None:
    answers = [shop.ask(None, key=f"n{n}").json()["rma"] for n in range(3)]
    assert len(set(answers)) == 3
    from station.identify.profile import DEFAULT, own_codes

    assert all(own_codes(rma, DEFAULT) for rma in answers)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/v1/returns", {"merchant_id": "nobody", "lines": [{"sku": "HD"}]}, 422, "unknown_merchant"),
        ("POST", "/v1/returns", {"merchant_id": "acme", "lines": []}, 400, "malformed"),
        ("POST", "/v1/returns", {"merchant_id": "acme", "lines": [{"sku": "HD", "quantity": 0}]}, 400, "malformed"),
        ("POST", "/v1/returns", {"merchant_id": "acme", "lines": [{"sku": "a\x00"}]}, 400, "malformed"),
        ("POST", "/v1/returns", {"merchant_id": "acme", "lines": [{"sku": "HD"}], "state": "approved"}, 400,
         "malformed"),
        ("POST", "/v1/returns", {"merchant_id": "acme", "lines": [{"sku": "HD"}], "delivered_at": "2026-01-01T00:00"},
         400, "malformed"),
        ("PUT", "/v1/merchants/x", {"id": "x", "name": "X", "policy": "no_such"}, 422, "unknown_rules"),
        ("PUT", "/v1/merchants/x", {"id": "y", "name": "X", "policy": "small_brand"}, 400, "id"),
        ("POST", "/v1/catalogue", [{"merchant_id": "zz", "sku": "s", "title": "t", "category": None}], 422,
         "unknown_merchant"),
        ("POST", "/v1/catalogue", [{"merchant_id": "acme", "sku": "s", "title": "t", "category": None, "gtins": ["1"]}],
         400, "gtin"),
        ("GET", "/v1/returns?state=lost", None, 400, "state"),
        ("GET", "/v1/returns/nothing", None, 404, "return"),
        ("GET", "/v1/returns?after=nothing", None, 400, "invalid"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(shop: Shop, method: str, path: str, body: object, status: int, code: str) -> None:
    answer = shop.send(method, path, body, key=f"wrong-{code}-{status}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["advice"]


def test_a_key_is_asked_for(shop: Shop) -> None:
    answer = shop.send("POST", "/v1/returns", {"merchant_id": "acme", "lines": [{"sku": "HD"}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "key")


def test_pages_go_through_all(shop: Shop) -> None:
    for number in range(5):
        shop.ask(f"RMA-P{number}", delivered_at=LONG_AGO)
    seen: list[str] = []
    after = ""
    while True:
        page = shop.send("GET", f"/v1/returns?state=refused&limit=2{after}").json()
        seen += [one["rma"] for one in page["returns"]]
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    assert [rma for rma in seen if rma.startswith("RMA-P")] == [f"RMA-P{number}" for number in range(5)]
    assert len(seen) == len(set(seen))


def test_nobody_writes_the_centres_own_journal(shop: Shop) -> None:
    answer = shop.send("POST", "/v1/journal", {"station": "centre", "entries": []})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_station")


@pytest.fixture(scope="module")
def database(fresh_postgres: MakeFresh) -> Iterator[Database]:
    made = open_database(fresh_postgres())
    with made.writing() as connection:
        Feed(made).put(connection, "main", Topic.MERCHANTS, [Change("acme", Merchant("acme", "Acme", "small_brand"))],
                       datetime.now(UTC))  # fmt: skip
        item = CatalogueItem("acme", "HD", "Headphones", "electronics.audio")
        Feed(made).put(connection, "main", Topic.CATALOGUE, [Change('["acme","HD"]', item)], datetime.now(UTC))
    yield made
    made.close()


def test_the_same_key_at_two_workers_at_once_has_one_effect(database: Database) -> None:
    """PostgreSQL: four at once, one return, four equal answers."""
    asked = ReturnRequest("acme", [AskedLine("HD")], rma="RMA-TW")
    body = msgspec.json.encode(asked)
    start = threading.Barrier(4)
    answers: list[bytes] = []

    def ask() -> None:
        returns = Returns(database, Feed(database))
        start.wait(20)
        answers.append(returns.ask("main", asked, "once", body, datetime.now(UTC)).body)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert Feed(database).page("main", Topic.RETURNS, None).count == 0, "no date of delivery: a person decides"
    with pytest.raises(ApiError, match="already"):
        Returns(database, Feed(database)).ask("main", asked, "other", body, datetime.now(UTC))
    first = Returns(database, Feed(database)).list("main", None, None, 1)
    assert (len(first.returns), first.after) == (1, None)

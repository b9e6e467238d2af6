"""A return that says another quantity after its units came: what was enough is too much, through the routes."""

from __future__ import annotations

from tests.sync.centre.house import House, fact, of_unit, plate

MERCHANT = {"id": "acme", "name": "Acme", "policy": "small_brand", "grading_scheme": "standard", "currency": "EUR"}


def test_units_that_came_before_the_return_was_approved_are_judged_again(house: House) -> None:
    lea, rma = house.by("lea"), plate("RMA")
    assert lea.ask("PUT", "/v1/merchants/acme", json=MERCHANT).status_code == 200
    asked = lea.ask(
        "POST", "/v1/returns", headers={"Idempotency-Key": rma},
        json={"merchant_id": "acme", "rma": rma, "order_id": "o-1", "delivered_at": None,
              "lines": [{"sku": "HD-1", "quantity": 1, "reason": "unwanted"}]},
    )  # fmt: skip
    assert asked.status_code == 201, asked.text
    answer = asked.json()
    assert answer["state"] == "manual", "when it was delivered is not known: a person decides"

    first, second = plate("UNIT"), plate("UNIT")
    bench = house.bench()
    bench.push(fact(of_unit(first, rma=rma, line=1)), fact(of_unit(second, rma=rma, line=1)))
    states = [house.get(f"/v1/units/{lpn}").json()["state"] for lpn in (first, second)]
    assert states == ["inspected", "inspected"], "nobody has announced a quantity yet"

    decision = {"base_version": answer["version"], "approve": True, "reason": "the shop confirmed the date"}
    approved = lea.ask("POST", f"/v1/returns/{answer['return_id']}/decision", json=decision)
    assert approved.status_code == 200, approved.text
    found = [house.get(f"/v1/units/{lpn}").json() for lpn in (first, second)]
    assert [(one["state"], one["because"]) for one in found] == [
        ("inspected", None), ("contested", "beyond_quantity"),
    ]  # fmt: skip
    (item,) = house.queue("contested", second)
    assert (item["reason"], item["station"]) == ("beyond_quantity", "centre")

    assert house.decide(second, disposition="ship_back").status_code == 200
    assert house.queue("contested", second) == []
    assert house.get(f"/v1/units/{second}").json()["state"] == "decided"

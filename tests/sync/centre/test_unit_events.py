"""Refunds, stock and the customer's status leave as events: each once, in order per unit, whoever changes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from station.decision.model import Disposition
from sync.server.downstream.events import CONFIRMED, MOVED, REFUND, STATUS
from tests.sync.centre.house import House, fact, of_unit, plate, void_of
from tests.sync.downstream.receiver import Receiver
from tests.sync.material import until

Told = list[tuple[str, object]]


class Erp:
    """Somebody who is told, over HTTP, by the server's own dispatcher."""

    def __init__(self, house: House, receiver: Receiver) -> None:
        self._receiver = receiver
        self._house = house
        answer = house.by("ida").ask("POST", "/v1/endpoints", json={"url": receiver.url()})
        assert answer.status_code == 201, answer.text
        self.endpoint = answer.json()["endpoint"]["endpoint_id"]

    def bodies(self, lpn: str, count: int) -> list[dict[str, object]]:
        """What was told of this unit, once there are so many."""

        def settled() -> bool:
            return not self._house.get(f"/v1/endpoints/{self.endpoint}/deliveries?state=pending", "ida").json()[
                "deliveries"
            ]

        until(settled, 20, "everything is delivered")
        found = [one.event for one in self._receiver.received if one.event["subject"] == lpn]
        assert len(found) == count, [one["type"] for one in found]
        return found

    def close(self) -> None:
        self._house.by("ida").ask("DELETE", f"/v1/endpoints/{self.endpoint}")


@pytest.fixture
def erp(house: House) -> Iterator[Erp]:
    with Receiver() as receiver:
        made = Erp(house, receiver)
        yield made
        made.close()


def told(bodies: list[dict[str, object]]) -> Told:
    """Type and what it is about, in a few words."""
    found: Told = []
    for one in bodies:
        data = one["data"]
        assert isinstance(data, dict)
        if one["type"] == REFUND:
            found.append((REFUND, (data["amount"]["minor"], data["change"]["minor"])))
        elif one["type"] == MOVED:
            found.append((MOVED, (data["from"], data["to"])))
        elif one["type"] == STATUS:
            found.append((STATUS, (data["before"], data["after"])))
        else:
            found.append((str(one["type"]), data["inspection_id"]))
    return found


def test_a_lead_and_a_correction_say_what_is_different_now(house: House, erp: Erp) -> None:
    lpn, bench = plate("EVENT"), house.bench()
    first = of_unit(lpn)
    sent = bench.push(fact(first))
    plain = told(erp.bodies(lpn, 4))
    assert plain == [
        (CONFIRMED, first.inspection_id), (REFUND, (5490, 5490)), (MOVED, ("inspection", "restock")),
        (STATUS, (None, "refund_decided")),
    ]  # fmt: skip
    less = {"refund_decision": "partial", "refund": {"minor": 1000, "currency": "EUR"}, "disposition": "liquidate"}
    assert house.decide(lpn, **less).status_code == 200
    after = erp.bodies(lpn, 6)
    assert told(after)[4:] == [(REFUND, (1000, -4490)), (MOVED, ("restock", "liquidate"))]
    bench.send(sent)  # the bench never heard the answer
    assert erp.bodies(lpn, 6) == after
    assert len({one["id"] for one in after}) == 6


def test_a_second_bench_promises_no_second_refund(house: House, erp: Erp) -> None:
    lpn, bench = plate("EVENT"), house.bench()
    house.bench().push(fact(of_unit(lpn)))
    second = of_unit(lpn, disposition=Disposition.RECYCLE, minor=9900)
    bench.push(fact(second))
    # the second bench took it for another unit, so its inspection has an order of its own
    assert sorted(told(erp.bodies(lpn, 6))[4:]) == [
        (CONFIRMED, second.inspection_id), (STATUS, ("refund_decided", "in_review")),
    ]  # fmt: skip
    assert house.decide(lpn, disposition="recycle", inspection_id=second.inspection_id).status_code == 200
    assert told(erp.bodies(lpn, 9))[6:] == [
        (REFUND, (9900, 4410)), (MOVED, ("restock", "recycle")), (STATUS, ("in_review", "refund_decided")),
    ]  # fmt: skip


def test_a_void_takes_everything_back(house: House, erp: Erp) -> None:
    lpn, bench = plate("EVENT"), house.bench()
    one = of_unit(lpn)
    bench.push(fact(one))
    bench.push(void_of(one))
    found = told([body for body in erp.bodies(lpn, 8) if body["type"] in (REFUND, MOVED, STATUS)])[3:]
    assert found == [
        (REFUND, (0, -5490)), (MOVED, ("restock", "inspection")), (STATUS, ("refund_decided", "received")),
    ]  # fmt: skip


def test_a_replay_since_a_moment_gives_the_same_events_to_whoever_came_later(house: House, erp: Erp) -> None:
    lpns = [plate("EVENT") for _ in range(3)]
    since = house.server.clock.now().isoformat()
    plain, twice, at_once = lpns
    house.bench().push(fact(of_unit(plain)))
    house.bench().push(fact(of_unit(twice)))
    house.bench().push(fact(of_unit(twice, minor=100)))
    assert house.decide(twice, disposition="donate").status_code == 200
    one = of_unit(at_once)
    house.bench().push(fact(one), fact(of_unit(at_once, corrects=one.inspection_id, minor=300)))
    counts = dict(zip(lpns, (4, 8, 5), strict=True))
    known = {body["id"]: body for lpn, count in counts.items() for body in erp.bodies(lpn, count)}
    with Receiver() as receiver:
        late = Erp(house, receiver)
        asked = house.by("ida").ask("POST", f"/v1/endpoints/{late.endpoint}/replay", json={"since": since})
        assert asked.json()["new"] >= len(known)
        again = {body["id"]: body for lpn, count in counts.items() for body in late.bodies(lpn, count)}
        late.close()
    assert again == known


def test_the_types_are_listed_for_who_subscribes(house: House) -> None:
    assert {REFUND, MOVED, STATUS} <= set(house.get("/v1/endpoints", "ida").json()["types"])

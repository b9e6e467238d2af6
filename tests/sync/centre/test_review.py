"""What waits for a lead leaves when it is answered, and counts: through the routes, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from station.decision.model import Disposition
from sync.server.rebuild import rebuild
from sync.server.storage.rows_figures import queue_settled
from tests.sync.centre.house import House, decided, fact, of_unit, plate, void_of


@pytest.fixture(autouse=True)
def nothing_settled(house: House) -> None:
    """The review counts days; each test counts its own."""
    with house.server.service.database.writing() as connection:
        connection.execute(delete(queue_settled))


def test_a_leads_decision_answers_a_second_look(house: House) -> None:
    agreed, other = plate("LOOK"), plate("LOOK")
    bench = house.bench()
    for lpn in (agreed, other):
        bench.push(fact(of_unit(lpn, looks=["value"])))
        assert [item["reason"] for item in house.queue("second_look", lpn)] == ["value"]
    house.server.clock.forward(90)
    assert house.decide(agreed).status_code == 200
    assert house.decide(other, disposition="liquidate").status_code == 200
    assert house.queue("second_look", agreed) == house.queue("second_look", other) == []
    assert {outcome: count for outcome, (count, _) in house.review().items()} == {"confirmed": 1, "changed": 1}
    assert all(waited >= 90 for _, waited in house.review().values())


def test_another_refund_is_a_change_and_a_refused_decision_answers_nothing(house: House) -> None:
    lpn = plate("REFUND")
    house.bench().push(fact(of_unit(lpn, looks=["value"])))
    late = house.by("lea").ask(
        "POST", f"/v1/units/{lpn}/decision", json={"base_version": 7, "disposition": "restock", "reason": "too late"}
    )
    assert late.status_code == 409
    assert len(house.queue("second_look", lpn)) == 1
    assert house.review() == {}
    less = {"refund_decision": "partial", "refund": {"minor": 1000, "currency": "EUR"}}
    assert house.decide(lpn, **less).status_code == 200
    assert list(house.review()) == ["changed"]


def test_quarantined_goods_wait_until_they_may_leave(house: House) -> None:
    lpn = plate("QUARANTINE")
    house.bench().push(fact(of_unit(lpn, disposition=Disposition.QUARANTINE, looks=["lithium"])))
    assert house.decide(lpn, disposition="quarantine").status_code == 200
    assert (len(house.queue("quarantined", lpn)), house.queue("second_look", lpn)) == (1, [])
    assert house.decide(lpn, disposition="recycle").status_code == 200
    assert house.queue("quarantined", lpn) == []
    assert {outcome: count for outcome, (count, _) in house.review().items()} == {"confirmed": 1, "changed": 1}


def test_a_void_and_a_correction_answer_what_was_open(house: House) -> None:
    bench, one, two = house.bench(), plate("VOID"), plate("VOID")
    first, second = of_unit(one, looks=["value"]), of_unit(two, looks=["value"])
    bench.push(fact(first), fact(second))
    bench.push(void_of(first), fact(of_unit(two, corrects=second.inspection_id)))
    assert house.queue("second_look", one) == house.queue("second_look", two) == []
    assert {outcome: count for outcome, (count, _) in house.review().items()} == {"voided": 1, "corrected": 1}


def test_what_came_and_went_in_one_push_never_waited(house: House) -> None:
    """Undone before anybody could see it: no lead answered anything."""
    bench, lpn = house.bench(), plate("UNDO")
    undone = of_unit(lpn, looks=["value"])
    bench.push(fact(undone), void_of(undone))
    assert house.queue("second_look", lpn) == []
    assert house.review() == {}


def test_a_decision_in_the_same_push_answers_too(house: House) -> None:
    bench, lpn = house.bench(), plate("OFFLINE")
    at = house.server.clock.now()
    bench.push(fact(of_unit(lpn, looks=["value"])), decided(lpn, 1, Disposition.RESTOCK, at), actor="lea")
    assert house.queue("second_look", lpn) == []
    assert list(house.review()) == ["confirmed"]


def test_a_contested_unit_waits_and_leaves_when_it_is_decided(house: House) -> None:
    lpn = plate("TWICE")
    house.bench().push(fact(of_unit(lpn)))
    assert house.queue("contested", lpn) == []
    (entry,) = house.bench().push(fact(of_unit(lpn, disposition=Disposition.RECYCLE)))
    (item,) = house.queue("contested", lpn)
    assert (item["item_id"], item["reason"], item["disposition"]) == (entry.id, "inspected_twice", "restock")
    house.server.clock.forward(60)
    assert house.decide(lpn, disposition="recycle").status_code == 200
    assert house.queue("contested", lpn) == []
    assert house.review() == {"changed": (1, 60)}

    (again,) = house.bench().push(fact(of_unit(lpn)))  # a third one is a new question
    assert [one["item_id"] for one in house.queue("contested", lpn)] == [again.id]
    assert house.decide(lpn, disposition="recycle").status_code == 200
    assert house.queue("contested", lpn) == []
    assert {outcome: count for outcome, (count, _) in house.review().items()} == {"changed": 1, "confirmed": 1}


def test_a_void_ends_a_contest(house: House) -> None:
    lpn, bench = plate("TWICE"), house.bench()
    house.bench().push(fact(of_unit(lpn)))
    second = of_unit(lpn)
    bench.push(fact(second))
    assert len(house.queue("contested", lpn)) == 1
    bench.push(void_of(second))
    assert house.queue("contested", lpn) == []
    assert list(house.review()) == ["voided"]


def test_a_rebuild_keeps_what_waits_and_what_was_answered(house: House) -> None:
    open_one, done = plate("TWICE"), plate("TWICE")
    for lpn in (open_one, done):
        house.bench().push(fact(of_unit(lpn, looks=["value"])))
        house.bench().push(fact(of_unit(lpn)))
    assert house.decide(done).status_code == 200
    before = [house.queue(kind, lpn) for kind in ("contested", "second_look") for lpn in (open_one, done)]
    assert [len(one) for one in before] == [1, 0, 1, 0]
    rebuild(house.server.service.database, "main")
    after = [house.queue(kind, lpn) for kind in ("contested", "second_look") for lpn in (open_one, done)]
    assert after == before

"""What is known of earlier units, through the real desk and store: said of real ones, not of planted ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from station.ids import uuid7
from station.inspection.desk import Desk, Seat
from station.inspection.facts import IdentityOutcome
from station.inspection.ports import Sought
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.inspection.stepper import Site
from station.inspection.view import State
from station.returns.model import ReturnLine
from station.returns.sale import Sale
from station.review.agreement.blind_store import BlindStore
from station.review.bench import shipped
from station.review.signals import Past, Signal
from station.store.past import QUESTIONS, TAKEN_UP_AGAIN
from station.store.reading import read_entries
from station.store.store import Store
from tests.station.inspection.bench import PAID, RULES, SHIRT, START, Bench, open_store, returns
from tests.station.review.agreement.blind_lab import BlindBench, plan_for, plant
from tests.sync.material import an_inspection, fact

SERIAL = "HD7-22941"
SOUGHT = Sought("unit-x", "LPN-X", "parcel-x", "m", "RMA-X", None, "HAL", SERIAL, False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


def came(store: Store, number: int, **values: object) -> Inspection:
    """An inspection of headphones as another day recorded it."""
    before = replace(
        an_inspection(number), merchant_id="m", sku="HAL", serial_found=SERIAL, rma=f"RMA-{number}",
        identity=IdentityOutcome.MATCH, **values,  # type: ignore[arg-type]
    )  # fmt: skip
    store.commit([fact(before)], actor="Bo", drafts={})
    return before


class Flagging(Bench):
    """A bench with signals, planted units and a desk as ``BenchApp`` makes it."""

    def new_desk(self) -> Desk:
        site = Site(review=shipped())
        return Desk(BlindStore(self.store), RULES, Seat("bench-1", "Bo"), self.clock, uuid7, START, site)


def last_signals(home: Path, kind: str = INSPECTION_CONFIRMED) -> tuple[str, ...]:
    *_, entry = read_entries(home, {kind})
    told = msgspec.json.decode(entry.payload or b"", type=Inspection).signalled
    assert told is not None
    assert dict(told.versions).keys() == {"signals", "doubts"}
    assert dict(told.versions)["signals"].startswith("signals@1 ")
    return told.signals


def test_a_serial_number_that_came_back_before_and_was_not_sold_since(store: Store) -> None:
    before = came(store, 1)
    assert store.past(SOUGHT).returned_before == before.confirmed_at
    others = {"serial": "HD7-0", "sku": "SHIRT", "merchant_id": "n", "rma": before.rma, "unit_id": before.unit_id}
    for name, value in others.items():
        assert store.past(replace(SOUGHT, **{name: value})) == Past(), name
    sold = Sale("m", "O-1", "HAL", 1, before.confirmed_at + timedelta(days=1), serials=(SERIAL,))
    store.put_sales([replace(sold, sold_at=before.confirmed_at - timedelta(days=9))])
    assert store.past(SOUGHT).returned_before == before.confirmed_at, "that was its first sale"
    store.put_sales([sold])
    assert store.past(SOUGHT) == Past(serial_sold=True)


def test_a_plate_that_came_back_under_another_return(store: Store) -> None:
    before = came(store, 1, lpn="LPN-X")
    plated = replace(SOUGHT, serial=None)
    assert store.past(plated).returned_before == before.confirmed_at
    assert store.past(replace(plated, rma=before.rma)) == Past(), "a second look at the plate is no second return"


def test_a_number_that_was_never_sold_is_told_only_where_the_list_is_complete(store: Store) -> None:
    sale = Sale("m", "O-1", "HAL", 2, START, serials=("A", "B"))
    assert store.past(SOUGHT).serial_sold is None
    store.put_sales([sale])
    assert store.past(SOUGHT).serial_sold is False
    assert store.past(replace(SOUGHT, serial="A")).serial_sold is True
    assert store.past(replace(SOUGHT, sku="SHIRT")).serial_sold is None
    store.put_sales([Sale("m", "O-2", "HAL", 2, START, serials=("C",))])
    assert store.past(SOUGHT).serial_sold is None, "one unit was sold whose number nobody wrote down"


def test_a_tracking_number_that_was_received_before(store: Store) -> None:
    tracking = "1Z12345E0205271688"
    order = replace(
        returns()[1], id="RMA-T", tracking=(tracking,), lines=(ReturnLine(1, "SHIRT", 3, "unwanted", None, None, PAID),)
    )
    store.put_returns([order])
    bench = Flagging(store)
    for days in (0, 0, 2):
        bench.clock._now += timedelta(days=days)
        bench.scan(tracking)
        bench.scan(SHIRT)
        bench.weigh(312)
        bench.photograph_all()
        bench.scan("RSC-CLEAN")
        bench.scan("RSC-CONFIRM")
        assert bench.state is State.DONE, bench.code
        told = last_signals(store.home)
        assert (Signal.TRACKING_TWICE in told) is (days > 0), "the same day it is the same parcel, taken up again"
    assert timedelta(days=2) > TAKEN_UP_AGAIN


def test_units_that_came_are_counted_once_somebody_said_that_one_did_not(store: Store) -> None:
    bench = Flagging(store)
    bench.clean_unit("RMA-2026-004713")
    bench.scan("RSC-CONFIRM")
    assert Signal.QUANTITY not in last_signals(store.home)
    sought = Sought("u", "L", "p", "m", "RMA-2026-004713", 1, "SHIRT", None, False)
    assert store.past(sought).arrived is None
    bench.scan("RSC-MISSING")
    bench.scan("RSC-CONFIRM")
    assert store.past(sought).arrived == 1


def test_a_planted_unit_is_not_given_away(tmp_path: Path) -> None:
    """Its plate and number were here before, of course; the desk's store says nothing of it, the bare one would."""
    with open_store(tmp_path) as store:
        bench = BlindBench(store, "Ana")
        for number in (4711, *range(5000, 5007)):
            bench.clean_unit(f"RMA-2026-{number:06d}")
        (errand, *_) = plant(store, plan_for(tmp_path, store))
        came(store, 1)
        bo = Flagging(store)
        bo.clock._now += timedelta(hours=3)
        bo.scan(errand.planted.rma)
        parcel = bo.desk._at.draft.parcel
        assert parcel is not None
        mine = replace(SOUGHT, parcel_id=parcel.id)
        assert bo.desk._at.store.past(mine) == Past()
        assert store.past(mine).returned_before is not None, "negative control: without BlindStore it is given away"
        assert bo.desk._at.store.past(SOUGHT).returned_before is not None, "and of real units it is said"


def test_what_is_recorded_of_a_planted_unit_is_nobodys_past(store: Store) -> None:
    one = replace(
        an_inspection(1), merchant_id="m", sku="HAL", serial_found=SERIAL, rma="RMA-1", identity=IdentityOutcome.MATCH
    )
    real = fact(one)
    store.commit([replace(real, kind="blind." + real.kind)], actor="Bo", drafts={})
    assert store.past(SOUGHT) == Past()
    store.commit([real], actor="Bo", drafts={})
    assert store.past(SOUGHT).returned_before == one.confirmed_at, "negative control"


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_an_index_answers_each_question(store: Store, name: str) -> None:
    with store._reading("looking") as connection:
        text = str(QUESTIONS[name].compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True}))
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text, (None,) * text.count("?")).all()
    steps = [str(row[-1]) for row in plan]
    assert steps
    assert not [step for step in steps if step.startswith("SCAN")], steps


def test_negative_control_a_question_without_an_index_is_found_out(store: Store) -> None:
    with store._reading("looking") as connection:
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN SELECT 1 FROM inspections WHERE serial = 'x'").all()
    assert any(str(row[-1]).startswith("SCAN") for row in plan)

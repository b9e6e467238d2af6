"""Planted units at a real bench: the same to see, never goods, money or figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from station.analysis.unit import units_seen
from station.errors import OperatorError
from station.exchange.csv_export import Table, write_csv
from station.identify.commands import Command
from station.inspection.record import INSPECTION_CONFIRMED, PARCEL_OPENED, Inspection
from station.inspection.view import State
from station.returns.model import ReturnLine
from station.review.agreement.codes import Lot
from station.review.agreement.planted import PREFIX
from station.review.agreement.ratings import KINDS, Origin, read_ratings
from station.store.proof import verify
from station.store.reading import read_entries
from station.store.rows import InspectionRow, LabelRow, ParcelRow, table
from station.store.store import Store
from tests.station.inspection.bench import PAID, open_store, returns
from tests.station.review.agreement.blind_lab import BlindBench, plan_for, plant


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, Store, str]:
    """A home where Ana has inspected some shirts, and one of them is on its way to Bo."""
    store = open_store(tmp_path)
    bench = BlindBench(store, "Ana")
    for number in (4711, *range(5000, 5007)):
        bench.clean_unit(f"RMA-2026-{number:06d}")
    errands = plant(store, plan_for(tmp_path, store))
    return tmp_path, store, errands[0].planted.rma


def test_an_inspector_never_gets_the_own_unit(planted: tuple[Path, Store, str]) -> None:
    home, store, _ = planted
    plan = plan_for(home, store)
    assert plan.errands
    assert {errand.planted.rater for errand in plan.errands} == {"Bo"}
    alone = plan_for(home, store, ("Ana",))
    assert not alone.errands
    assert "Only 0 units of 2" in alone.left_out[0]
    store.close()


def test_a_planted_unit_shows_and_records_what_a_real_one_does(planted: tuple[Path, Store, str]) -> None:
    home, store, rma = planted
    bench = BlindBench(store, "Bo")
    real = bench.clean_unit("RMA-2026-005020")
    blind = bench.clean_unit(rma)
    assert blind.view.state is State.DONE
    assert (blind.view.notice, blind.tone, blind.view.actions) == (real.view.notice, real.tone, real.view.actions)
    assert len(blind.labels) == len(real.labels) == 1
    assert blind.view.recent[0].inspection_id > real.view.recent[0].inspection_id
    assert len(blind.view.recent) == 6
    assert real.view.figures is not None
    assert blind.view.figures is not None
    assert blind.view.figures.units == real.view.figures.units + 1
    assert blind.view.figures.this_hour == real.view.figures.this_hour + 1
    entries = read_entries(home)
    kinds = [entry.kind for entry in entries]
    mine = [entry for entry in entries if entry.kind.startswith(PREFIX)]
    # the planted one: opened, confirmed, its label (the parcel before it was real, and was closed as real)
    assert kinds[-3:] == [PREFIX + kind for kind in (PARCEL_OPENED, INSPECTION_CONFIRMED, "label.printed")]
    assert len(mine) == 3
    for entry in mine:
        twin = next(other for other in entries if other.kind == entry.kind.removeprefix(PREFIX))
        assert shape(entry.payload) == shape(twin.payload), entry.kind
    bench.scan("RMA-2026-005021")
    assert read_entries(home)[-2].kind == PREFIX + "parcel.closed"
    store.close()


def shape(payload: bytes | None) -> object:
    """A payload without its values."""

    def of(value: object) -> object:
        if isinstance(value, dict):
            return {name: of(inner) for name, inner in value.items()}
        return [of(inner) for inner in value] if isinstance(value, list) else type(value).__name__

    return of(msgspec.json.decode(payload or b"null"))


def test_what_is_planted_is_no_goods_no_money_and_no_figure(planted: tuple[Path, Store, str]) -> None:
    home, store, rma = planted
    before = rows(store), len(units_seen(read_entries(home)).units)
    bench = BlindBench(store, "Bo")
    bench.clean_unit(rma)
    assert (rows(store), len(units_seen(read_entries(home)).units)) == before
    assert len(store.recent(50)) == 8, "the store's own list"
    assert b"".join(write_csv(read_entries(home), Table.INSPECTIONS)).count(b"RMA-") == 8
    bench.clean_unit("RMA-2026-005020")
    assert rows(store) != before[0], "a real one does count"
    store.close()
    assert not verify(home).problems


def rows(store: Store) -> tuple[int, ...]:
    """Parcels, inspections and labels that the projections know."""
    with store._reading("counting") as connection:
        return tuple(
            connection.execute(sa.select(sa.func.count()).select_from(table(row))).scalar_one()
            for row in (ParcelRow, InspectionRow, LabelRow)
        )


def test_a_planted_unit_is_done_once_taken_back_and_done_again_also_after_a_restart(
    planted: tuple[Path, Store, str],
) -> None:
    home, store, rma = planted
    bench = BlindBench(store, "Bo")
    bench.clean_unit(rma)
    bench.desk = bench.new_desk()
    bench.last = bench.desk.resume()
    assert bench.last.view.recent[0].title == "Linen shirt"
    bench.scan("RMA-2026-005020")
    bench.give(Command.PARK)
    bench.scan(rma)
    assert bench.code == "parcel_all_done"
    bench.give(Command.UNDO)
    kinds = [entry.kind for entry in read_entries(home)]
    assert PREFIX + "inspection.voided" in kinds
    assert "inspection.voided" not in kinds
    units = bench.last.view.figures.units if bench.last.view.figures is not None else -1
    assert units == 8
    store.close()


def test_a_real_return_of_the_same_number_counts_as_real(planted: tuple[Path, Store, str]) -> None:
    """If the shop ever sends this number, its customer's unit is not lost."""
    home, store, rma = planted
    line = ReturnLine(1, "SHIRT", 1, "unwanted", None, None, PAID)
    store.put_returns([replace(returns()[0], id=rma, lines=(line,))])
    BlindBench(store, "Bo").clean_unit(rma)
    assert read_entries(home)[-2].kind == INSPECTION_CONFIRMED
    store.close()


def test_photos_of_a_planted_unit_are_kept_and_sent(planted: tuple[Path, Store, str]) -> None:
    home, store, rma = planted
    before = store.unsent().photos
    BlindBench(store, "Bo").clean_unit(rma)
    assert store.unsent().photos > before
    blind = next(entry for entry in read_entries(home) if entry.kind == PREFIX + INSPECTION_CONFIRMED)
    photos = msgspec.json.decode(blind.payload or b"", type=Inspection).photos
    assert photos[0].sha256 not in store.sweep_orphans(older_than=timedelta(0))
    store.close()


def test_the_ratings_of_both_are_put_together(planted: tuple[Path, Store, str]) -> None:
    home, store, rma = planted
    BlindBench(store, "Bo").clean_unit(rma)
    ratings = read_ratings(read_entries(home, KINDS))
    assert len(ratings.items) == 1
    first, second = ratings.items[0].ratings
    assert (first.origin, first.inspector, second.origin, second.inspector) == (Origin.FIRST, "Ana", Origin.BLIND, "Bo")
    assert first.grade == second.grade == "A"
    assert first.photos != second.photos
    store.close()


def test_who_inspects_the_own_unit_all_the_same_is_left_out(planted: tuple[Path, Store, str]) -> None:
    home, store, rma = planted
    BlindBench(store, "Ana").clean_unit(rma)
    ratings = read_ratings(read_entries(home, KINDS))
    assert not ratings.items
    assert ("inspected again by somebody who had seen the unit before", 1) in ratings.left_out
    store.close()


def test_a_bench_without_planted_units_writes_as_ever(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    BlindBench(store).clean_unit("RMA-2026-005000")
    assert [entry.kind for entry in read_entries(tmp_path)][:2] == [PARCEL_OPENED, INSPECTION_CONFIRMED]
    store.close()


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(OperatorError, match="at least 16 bytes"):
        Lot(b"short", "x")

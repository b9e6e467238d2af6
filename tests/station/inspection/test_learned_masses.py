"""Masses learned at the bench: from units in order, taken back with them, rebuilt, whole when killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.config import load_config
from station.errors import InvalidInput
from station.identify.commands import Command
from station.ids import uuid7
from station.inspection.desk import Desk, Seat, Site
from station.inspection.facts import WeightVerdict
from station.inspection.plausibility import COMPLETE, PART_MISSING, WEIGHT_CHECK
from station.inspection.view import State
from station.inspection.weight.learned import ENOUGH, MassHistory, learned, merge, observe
from station.store.proof import rebuild, verify
from station.store.store import Store
from tests.station.inspection.bench import RULES, SHIRT, START, Bench, TickingClock, open_store

CHOICES = [command for command in Command if command.value.startswith("choice_")]
NEW_PACKAGING = (324, 326, 325, 325, 323, 327, 325, 326, 324, 325)
"""Grams; the catalogue says 312 ± 6."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_store(tmp_path) as store:
        yield Bench(store)


def unit(bench: Bench, number: int, gross_g: int, looked: str = COMPLETE) -> WeightVerdict:
    """One shirt to its end; what the weight said of it."""
    bench.scan(f"RMA-2026-{5000 + number:06d}")
    bench.scan(SHIRT)
    bench.weigh(gross_g)
    judgement = bench.last.view.judgement
    assert judgement is not None
    question = bench.last.view.question
    if bench.state is State.WEIGHT_CHECK and question is not None:
        assert question.id == WEIGHT_CHECK
        bench.give(CHOICES[[choice.id for choice in question.choices].index(looked)])
    bench.photograph_all()
    while bench.state is State.QUESTIONS:
        bench.give(CHOICES[0])
    if bench.state is State.CONFIRM:
        bench.give(Command.CONFIRM)
    assert bench.state is State.DONE
    return judgement.verdict


def known(bench: Bench) -> MassHistory:
    return bench.store.mass_history("m", "SHIRT")


def counted(bench: Bench) -> int:
    return sum(sum(bins.values()) for bins in known(bench).weeks.values())


def test_after_enough_units_another_packaging_is_as_expected(bench: Bench) -> None:
    verdicts = [unit(bench, number, gross) for number, gross in enumerate(NEW_PACKAGING[:ENOUGH])]
    assert verdicts == [WeightVerdict.TOO_HEAVY] * ENOUGH, "the catalogue's weight counts until enough is known"
    assert unit(bench, 20, 326) is WeightVerdict.PLAUSIBLE
    judgement = bench.last.view.judgement
    assert judgement is not None
    assert judgement.learned_from == ENOUGH
    # what the catalogue expects is now too light, and the sentence says against what
    bench.scan("RMA-2026-005021")
    bench.scan(SHIRT)
    bench.weigh(312)
    assert bench.state is State.WEIGHT_CHECK
    assert bench.last.view.question is not None
    assert bench.last.view.question.text.endswith(f"lighter than the last {ENOUGH + 1} in order: is everything inside?")


def test_a_unit_with_a_part_missing_teaches_nothing(bench: Bench) -> None:
    for number, gross in enumerate(NEW_PACKAGING):
        unit(bench, number, gross, looked=PART_MISSING)
    assert counted(bench) == 0
    assert unit(bench, 20, 325) is WeightVerdict.TOO_HEAVY


def test_a_void_and_a_correction_take_it_back_exactly(bench: Bench) -> None:
    for number in range(3):
        unit(bench, number, 312)
    before = known(bench)
    unit(bench, 3, 315)
    assert counted(bench) == 4
    bench.give(Command.UNDO)
    assert known(bench) == before
    bench.scan("RSC-CLEAN")
    assert counted(bench) == 4, "the correction counts instead"


def test_it_is_rebuilt_from_the_journal(bench: Bench) -> None:
    for number, gross in enumerate(NEW_PACKAGING):
        unit(bench, number, gross)
    bench.give(Command.UNDO)
    before, home = known(bench), bench.store.home
    bench.store.close()
    assert verify(home).problems == ()
    assert not rebuild(home, clock=TickingClock()).changed
    with Store.open(home, station="bench-1", clock=TickingClock(), ballast_bytes=0) as store:
        assert store.mass_history("m", "SHIRT") == before


def test_a_row_that_was_changed_by_hand_is_noticed_and_mended(bench: Bench) -> None:
    """Control of the one above: it would not say "unchanged" of anything."""
    unit(bench, 0, 312)
    home = bench.store.home
    bench.store._writer.call(lambda c: c.exec_driver_sql("UPDATE inspections SET in_order = 0"), doing="tampering")
    assert counted(bench) == 0
    bench.store.close()
    assert verify(home).problems != ()
    assert rebuild(home, clock=TickingClock()).changed
    with Store.open(home, station="bench-1", clock=TickingClock(), ballast_bytes=0) as store:
        assert store.mass_history("m", "SHIRT").weeks != {}


_SHIFT = """
import sys
from pathlib import Path
from tests.station.inspection.bench import Bench, open_store
from tests.station.inspection.test_learned_masses import NEW_PACKAGING, unit

with open_store(Path(sys.argv[1])) as store:
    bench = Bench(store)
    for number in range(30):
        unit(bench, number, NEW_PACKAGING[number % len(NEW_PACKAGING)])
        print(number + 1, flush=True)
"""


@pytest.mark.parametrize("units", [1, 9])
def test_killed_between_what_is_confirmed_is_learned_and_nothing_else(tmp_path: Path, units: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _SHIFT, str(tmp_path / "home")], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as shift:
        assert shift.stdout is not None
        for line in shift.stdout:
            if int(line) >= units:
                os.kill(shift.pid, signal.SIGKILL)  # somewhere in the next unit
                break
    with Store.open(tmp_path / "home", station="bench-1", clock=TickingClock(), ballast_bytes=0) as store:
        history = store.mass_history("m", "SHIRT")
        confirmed = len(store.recent(100))
    assert confirmed >= units
    assert sum(sum(bins.values()) for bins in history.weeks.values()) == confirmed
    assert verify(tmp_path / "home").problems == ()


@given(st.lists(st.tuples(st.integers(1_000, 2_000_000), st.integers(0, 300)), max_size=40))
def test_counting_rows_is_what_observing_each_would_give(units: list[tuple[int, int]]) -> None:
    import sqlalchemy as sa

    from station.store.masses import mass_history
    from station.store.rows import InspectionRow, Row, table

    engine = sa.create_engine("sqlite://")
    Row.metadata.create_all(engine, tables=[table(InspectionRow)])
    expected = MassHistory()
    with engine.begin() as connection:
        for number, (mass, days) in enumerate(units):
            at = START + timedelta(days=days)
            connection.execute(
                sa.insert(table(InspectionRow)),
                {
                    "generation": 1, "seq": number, "inspection_id": str(number), "actor": "", "unit_id": "", "lpn": "",
                    "parcel_id": "", "title": "", "identity": "match", "disposition": "", "tote": "",
                    "second_look": False, "refund_decision": "", "started_at": at, "confirmed_at": at, "stands": True,
                    "in_order": True, "merchant_id": "m", "sku": "s", "gross_mg": mass,
                },
            )  # fmt: skip
        for mass, days in sorted(units, key=lambda unit: unit[1]):
            expected = merge(expected, observe(MassHistory(), mass, (START + timedelta(days=days)).date()))
        found = mass_history(connection, "m", "s")
    assert {week: dict(sorted(bins.items())) for week, bins in found.weeks.items()} == expected.weeks
    assert learned(found) == learned(expected)


def test_the_index_alone_answers(bench: Bench) -> None:
    """The question must not read rows: it is asked at every weight."""
    from station.store.masses import _HISTORY

    text = str(_HISTORY.compile(compile_kwargs={"literal_binds": False}))
    values = {"merchant": "m", "key": "s", "param_1": 1, "param_2": 1, "param_3": 7, "param_4": 10}
    with bench.store._reading("looking") as connection:
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text, values).all()
    assert any("COVERING INDEX inspections_masses" in str(row) for row in plan), plan


@pytest.mark.parametrize(
    ("text", "budget"), [("1%", 0.01), ("0.25 %", 0.0025), ("20%", 0.2), ("0.05%", 0.0005), ("0.5%", 0.005)]
)
def test_the_budget_of_false_alarms_is_a_setting(tmp_path: Path, text: str, budget: float) -> None:
    (tmp_path / "station.toml").write_text(f'[weight]\nfalse_alarms = "{text}"\n')
    assert load_config(tmp_path).weight.budget == budget


@pytest.mark.parametrize("text", ["0%", "21%", "1", "-1%", "1e-2%", "", "one per cent", "0.001%"])
def test_a_budget_that_is_none_is_refused_with_what_was_expected(tmp_path: Path, text: str) -> None:
    (tmp_path / "station.toml").write_text(f'[weight]\nfalse_alarms = "{text}"\n')
    with pytest.raises(InvalidInput, match=r"station.toml.*expected a share from 0.01% to 20%"):
        load_config(tmp_path)


def test_a_tighter_budget_doubts_less(bench: Bench) -> None:
    for number, gross in enumerate(NEW_PACKAGING):
        unit(bench, number, gross)

    def doubted_from(budget: float) -> int:
        bench.desk = Desk(
            bench.store, RULES, Seat("bench-1", "Ana"), bench.clock, uuid7, START, replace(Site(), false_alarms=budget)
        )
        bench.last = bench.desk.resume()
        bench.scan("RMA-2026-005025")
        bench.scan(SHIRT)
        bench.weigh(325)
        judgement = bench.last.view.judgement
        assert judgement is not None
        assert judgement.tolerance_mg is not None
        for _ in range(4):
            bench.give(Command.UNDO)
        return judgement.tolerance_mg

    assert doubted_from(0.0005) > doubted_from(0.01) > doubted_from(0.2)

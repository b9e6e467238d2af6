"""What units brought, from files as buyers send them, into a real store, and into the next decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from station.clock import SystemClock
from station.decision.decide import decide
from station.decision.learned_inputs import rules_as_recorded
from station.decision.model import Disposition
from station.decision.recovery import Cell, Summary, UnitOutcome
from station.errors import InvalidInput
from station.exchange.importing import import_file
from station.exchange.reading import read_outcomes, read_sales
from station.exchange.refused import RefusedLine
from station.identify.commands import Command
from station.ids import uuid7
from station.inspection.desk import Desk, Seat
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.inspection.recording import case_of
from station.inspection.view import State
from station.store.reading import read_entries
from station.store.store import Store
from tests.station.inspection.bench import RULES, START, Bench, open_store
from ui.cli.importing import import_

HEADER = "lpn;merchant;sku;category;scheme;grade;disposition;price;brought;currency\n"


def row(number: int, brought: str = "31.00", way: str = "restock", sku: str = "SHIRT") -> str:
    return f"LPN-{number};m;{sku};apparel.shirts;standard;A;{way};49.90;{brought};EUR\n"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open(home, station="bench-1", clock=SystemClock(), ballast_bytes=0) as opened:
        yield opened


def written(tmp_path: Path, text: str, name: str = "outcomes.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_outcomes_are_counted_exactly(tmp_path: Path, store: Store) -> None:
    rows = [row(number, f"{number % 50}.{number % 100:02d}", sku=f"S{number % 7}") for number in range(3_000)]
    path = written(tmp_path, HEADER + "".join(rows))
    assert import_file(read_outcomes(path), store).outcomes.new == 3_000
    summary = Summary()
    for one in read_outcomes(path):
        assert isinstance(one, UnitOutcome)
        summary.add(one.outcome)
    assert store.outcome_cells() == tuple(summary.lines())


def test_importing_again_changes_nothing_and_a_corrected_price_replaces(tmp_path: Path, store: Store) -> None:
    rows = [row(number) for number in range(2_500)]
    path = written(tmp_path, HEADER + "".join(rows))
    import_file(read_outcomes(path), store)
    before = store.outcome_cells()
    again = import_file(read_outcomes(path), store).outcomes
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2_500)
    assert store.outcome_cells() == before
    rows[17] = row(17, "11.00")
    mended = import_file(read_outcomes(written(tmp_path, HEADER + "".join(rows))), store).outcomes
    assert (mended.new, mended.changed, mended.unchanged) == (0, 1, 2_499)
    (cell,) = store.outcome_cells()
    assert cell.n == 2_500
    assert cell.total == before[0].total - 6_212 + 2_204, "the old share is out, the new one in"


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        (";m;S;c;;A;restock;9.90;1;EUR", "lpn"),
        ("L;;S;c;;A;restock;9.90;1;EUR", "merchant"),
        ("L;m;;c;;A;restock;9.90;1;EUR", "sku"),
        ("L;m;S;c;;A;thrown away;9.90;1;EUR", "disposition"),
        ("L;m;S;c;;A;restock;0;1;EUR", "brought"),
        ("L;m;S;c;;A;restock;9.90;;EUR", "brought"),
        ("L;m;S;c;;A;restock;9.90;-1;EUR", "brought"),
        ("L;m;S;c;;A;restock;9.90;990.00;EUR", "brought"),
        ("L;m;S;c;;;restock;9.90;1;EUR", "grade"),
        ("L;m;S;c;;A;restock;9.90;1;EURO", "currency"),
        ("LPN-1;m;S;c;;A;restock;9.90;1;EUR", "lpn"),
    ],
)
def test_a_bad_line_is_refused_and_the_others_are_taken(tmp_path: Path, store: Store, bad: str, column: str) -> None:
    path = written(tmp_path, HEADER + row(1) + bad + "\n" + row(2))
    report = import_file(read_outcomes(path), store)
    assert [(line.line, line.column) for line in report.refused] == [(3, column)]
    assert [cell.n for cell in store.outcome_cells()] == [2]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=30), st.data())
def test_whatever_stands_in_the_file_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("any") / "outcomes.csv"
    body = "".join(data.draw(st.permutations(cells)))
    path.write_bytes((HEADER + body + "\n" + row(9)).encode("utf-8", "surrogatepass"))
    for record in read_outcomes(path):
        assert isinstance(record, UnitOutcome | RefusedLine)


def test_a_file_without_plates_is_told_where_to_go(tmp_path: Path) -> None:
    bare = written(tmp_path, "merchant;sku;category;grade;disposition;price;brought\nm;S;c;A;restock;9;1\n")
    with pytest.raises(InvalidInput, match="station recovery"):
        read_outcomes(bare)
    with pytest.raises(InvalidInput):
        read_sales(written(tmp_path, HEADER + row(1)))


def test_the_command_says_what_it_did(tmp_path: Path, home: Path) -> None:
    path = written(tmp_path, HEADER + row(1) + row(2, "x"))
    run = CliRunner().invoke(import_, ["outcomes", str(path), "--json"], obj=home, standalone_mode=False)
    assert run.return_value == 1, run.output
    said = json.loads(run.output)
    assert said["outcomes"] == {"new": 1, "changed": 0, "unchanged": 0}
    assert said["refused"][0]["column"] == "brought"


# --- into the next decision -----------------------------------------------------------------------------------------


def bench_with(store: Store) -> Bench:
    """As the program starts: the rules with what the store has learned."""
    bench = Bench(store)
    rules = RULES.with_outcomes(store.outcome_cells())
    bench.desk = Desk(store, rules, Seat("bench-1", "Ana"), bench.clock, uuid7, START)
    bench.last = bench.desk.resume()
    return bench


def last(store: Store) -> Inspection:
    entry = list(read_entries(store.home, [INSPECTION_CONFIRMED]))[-1]
    return msgspec.json.decode(entry.payload or b"", type=Inspection)


def cells(inspection: Inspection, brought_bp: int, count: int) -> tuple[Cell, ...]:
    """So many outcomes of this very article and grade, all alike, on the way that was chosen."""
    assert inspection.decision.grade is not None
    return (
        Cell(
            category=inspection.category or "", merchant="m", sku=inspection.sku or "", scheme="standard",
            grade=inspection.decision.grade.code, route=inspection.decision.disposition, n=count,
            total=count * brought_bp, squares=count * brought_bp**2,
        ),
    )  # fmt: skip


@pytest.fixture
def decided(tmp_path: Path) -> Iterator[tuple[Bench, Inspection, Inspection]]:
    """The same shirt before and after its outcomes were imported: they brought far less than the book says."""
    with open_store(tmp_path / "home") as store:
        before = bench_with(store)
        before.clean_unit("RMA-2026-005000")
        first = last(store)
        grade = first.decision.grade
        assert grade is not None
        rows = [
            f"L-{n};m;SHIRT;apparel.shirts;standard;{grade.code};restock;49.90;{n % 9}.50;EUR\n" for n in range(200)
        ]
        report = import_file(read_outcomes(written(tmp_path, HEADER + "".join(rows))), store)
        assert report.refused_total == 0
        bench = bench_with(store)
        bench.clean_unit("RMA-2026-005001")
        if bench.state is State.CONFIRM:  # another way than before, so it asks
            bench.give(Command.CONFIRM)
        yield bench, first, last(store)


def value_of(inspection: Inspection, way: Disposition) -> int:
    found = next(one for one in inspection.decision.alternatives if one.disposition is way)
    assert found.value is not None
    return found.value.minor


def test_the_bench_decides_by_what_goods_brought(decided: tuple[Bench, Inspection, Inspection]) -> None:
    _, first, second = decided
    assert first.decision.disposition is Disposition.RESTOCK
    assert value_of(second, Disposition.RESTOCK) < value_of(first, Disposition.RESTOCK) // 2
    assert second.decision.disposition is not Disposition.RESTOCK
    assert "outcomes" not in dict(first.decision.versions)
    version = dict(second.decision.versions)["outcomes"]
    assert version.startswith("outcomes@200 ")
    assert len(version.partition(" ")[2]) == 64
    assert dict(second.decision.inputs)["learned_restock"].startswith("200/")


def test_it_is_shown_again_byte_for_byte_whatever_was_learned_since(
    decided: tuple[Bench, Inspection, Inspection],
) -> None:
    bench, first, second = decided
    at = bench.desk._at
    assert at.draft.unit is not None
    case = case_of(at.draft, at.draft.unit, at.protocol(at.draft.unit), second.confirmed_at)
    wiser = RULES.with_outcomes((*bench.store.outcome_cells(), *cells(second, 9_000, 5_000)))
    for made in (first, second):
        shown = decide(case, rules_as_recorded(wiser, made.decision, case.item))
        assert msgspec.json.encode(shown) == msgspec.json.encode(made.decision)
    # control: by what is known now it comes out otherwise
    assert msgspec.json.encode(decide(case, wiser)) != msgspec.json.encode(second.decision)


def test_a_record_whose_sums_are_none_is_refused(decided: tuple[Bench, Inspection, Inspection]) -> None:
    bench, _, second = decided
    assert bench.desk._at.draft.unit is not None
    item = bench.desk._at.draft.unit.item
    for bad in ("", "1/2", "1/2/3; 4/5", "a/b/c; 1/2/3", "5/1/1; 2/1/1", "-1/0/0; 1/0/0"):
        inputs = tuple((what, bad if what == "learned_restock" else text) for what, text in second.decision.inputs)
        with pytest.raises(InvalidInput, match="learned_restock"):
            rules_as_recorded(RULES, replace(second.decision, inputs=inputs), item)

"""Sales from files as merchants send them, into a real store and out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from station.clock import SystemClock
from station.errors import InvalidInput
from station.exchange.importing import import_file
from station.exchange.reading import read_catalogue, read_returns, read_sales
from station.exchange.refused import RefusedLine
from station.inspection.ports import Sought
from station.quantities import Money
from station.returns.sale import Sale
from station.store import schema
from station.store.engine import make_engine
from station.store.reading import stored_sales
from station.store.store import DATABASE, Store
from ui.cli.importing import import_

HEADER = "order_id,merchant,sku,quantity,sold_at,price,currency,channel,listing,supplier,lot\n"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open(home, station="bench-1", clock=SystemClock(), ballast_bytes=0) as opened:
        yield opened


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(text, "utf-8")
    return path


def test_every_column_arrives(tmp_path: Path, store: Store, home: Path) -> None:
    path = written(tmp_path, HEADER + "O-1,m,MUG,2,2026-11-06T08:00:00+01:00,14.90,EUR,web,B01,Ton & Co,L7\n")
    report = import_file(read_sales(path), store)
    assert (report.sales.new, report.merchants.new, report.refused_total) == (1, 1, 0)
    sales, orders = stored_sales(home)
    at = datetime(2026, 11, 6, 7, tzinfo=UTC)
    assert sales == (Sale("m", "O-1", "MUG", 2, at, Money(1490, "EUR"), "web", "B01", "Ton & Co", "L7"),)
    assert orders == {}


def test_importing_again_changes_nothing_and_a_mended_row_replaces(tmp_path: Path, store: Store, home: Path) -> None:
    rows = [f"O-{number},m,S{number % 9},1,2026-10-{number % 28 + 1:02d},9.90,EUR,,,,\n" for number in range(5_000)]
    path = written(tmp_path, HEADER + "".join(rows))
    assert import_file(read_sales(path), store).sales.new == 5_000
    again = import_file(read_sales(path), store).sales
    assert (again.new, again.changed, again.unchanged) == (0, 0, 5_000)
    rows[17] = rows[17].replace("9.90", "8.90")
    mended = import_file(read_sales(written(tmp_path, HEADER + "".join(rows))), store).sales
    assert (mended.new, mended.changed, mended.unchanged) == (0, 1, 4_999)
    assert sum(sale.price == Money(890, "EUR") for sale in stored_sales(home)[0]) == 1


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("O-1,m,MUG,0,2026-11-06,,,,,,", "quantity"),
        ("O-1,m,MUG,1,,,,,,,", "sold_at"),
        ("O-1,m,MUG,1,06/07/2026,,,,,,", "sold_at"),
        ("O-1,m,,1,2026-11-06,,,,,,", "sku"),
        (",m,MUG,1,2026-11-06,,,,,,", "order_id"),
        ("O-1,,MUG,1,2026-11-06,,,,,,", "merchant"),
        ("O-1,m,MUG,1,2026-11-06,-4,EUR,,,,", "price"),
        ("O-1,m,MUG,1,2026-11-06,4,EURO,,,,", "currency"),
        ("O-1,m,MUG,1,2026-11-06,,,we\x07b,,,", "channel"),
    ],
)
def test_a_bad_line_is_refused_and_the_others_are_taken(
    tmp_path: Path, store: Store, home: Path, row: str, column: str
) -> None:
    path = written(tmp_path, HEADER + row + "\nO-2,m,MUG,1,2026-11-06,4,EUR,,,,\n")
    report = import_file(read_sales(path), store)
    assert [(line.line, line.column) for line in report.refused] == [(2, column)]
    assert [sale.order_id for sale in stored_sales(home)[0]] == ["O-2"]


def test_one_article_of_an_order_is_counted_once_but_two_lots_are_two(tmp_path: Path) -> None:
    lines = ["O-1,m,MUG,1,2026-11-06,,,,,,A", "O-2,m,MUG,1,2026-11-06,,,,,,", "O-1,m,MUG,1,2026-11-06,,,,,,A",
             "O-1,m,MUG,1,2026-11-06,,,,,,B"]  # fmt: skip
    records = list(read_sales(written(tmp_path, HEADER + "\n".join(lines))))
    refused = [one for one in records if isinstance(one, RefusedLine)]
    assert len(records) == 4
    assert [(one.line, one.column) for one in refused] == [(4, "sku")]
    assert "line 2" in refused[0].expected


@given(st.lists(st.text(max_size=40), min_size=1, max_size=30), st.data())
def test_whatever_stands_in_the_file_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("any") / "sales.csv"
    good = "O-9,m,MUG,1,2026-11-06,4,EUR,,,,"
    bodies = ["".join(data.draw(st.permutations(cells))), good]
    path.write_bytes((HEADER + "\n".join(bodies)).encode("utf-8", "surrogatepass"))
    for record in read_sales(path):
        assert isinstance(record, Sale | RefusedLine)
        if isinstance(record, Sale):
            assert record.quantity >= 1
            assert record.sold_at.tzinfo is not None
            assert record.order_id
            assert record.sku


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    returns = written(tmp_path, "rma,merchant,order_id,sku,ordered_at\nR,m,O,S,2026-11-06\n")
    with pytest.raises(InvalidInput, match="file of returns"):
        read_sales(returns)
    sales = written(tmp_path, HEADER + "O-1,m,MUG,1,2026-11-06,,,,,,\n")
    for read in (read_returns, read_catalogue):
        with pytest.raises(InvalidInput):
            read(sales)


def test_orders_of_returns_are_known_by_their_folded_code(tmp_path: Path, store: Store, home: Path) -> None:
    path = tmp_path / "returns.csv"
    path.write_text("rma,merchant,order_id,sku\nrma-1,m,O-1,S\nRMA-2,m,,S\n")
    import_file(read_returns(path), store)
    assert stored_sales(home)[1] == {("m", "RMA-1"): "O-1"}


def test_only_one_merchants_sales(tmp_path: Path, store: Store, home: Path) -> None:
    lines = ["O-1,m,MUG,1,2026-11-06,,,,,,", "O-1,n,MUG,1,2026-11-06,,,,,,"]
    import_file(read_sales(written(tmp_path, HEADER + "\n".join(lines))), store)
    assert [sale.merchant_id for sale in stored_sales(home, "n")[0]] == ["n"]


def test_the_command_says_what_it_did(tmp_path: Path, home: Path) -> None:
    path = written(tmp_path, HEADER + "O-1,,MUG,1,2026-11-06,,,,,,\nO-2,,MUG,x,2026-11-06,,,,,,\n")
    run = CliRunner().invoke(
        import_, ["sales", str(path), "--merchant", "m", "--json"], obj=home, standalone_mode=False
    )
    assert run.return_value == 1, run.output
    said = json.loads(run.output)
    assert said["sales"] == {"new": 1, "changed": 0, "unchanged": 0}
    assert said["refused"][0]["column"] == "quantity"


def test_a_home_that_is_older_than_sales_has_none(home: Path) -> None:
    """A report reads beside a bench that was not started since the update, and migrates nothing."""
    home.mkdir(parents=True)
    engine = make_engine(home / DATABASE, "writer")
    schema.upgrade(engine, "0004")
    engine.dispose()
    assert stored_sales(home) == ((), {})


def test_serial_numbers_that_were_sold_are_known_by_article(tmp_path: Path, store: Store) -> None:
    head = HEADER.replace("lot\n", "lot,serials\n")
    path = written(tmp_path, head + "O-1,m,HAL,2,2026-11-06,14.90,EUR,,,,,A-1;A-2\nO-2,m,MUG,1,2026-11-06,,,,,,,\n")
    assert import_file(read_sales(path), store).sales.new == 2
    sought = Sought("u", "L", "p", "m", "R", None, "HAL", "A-2", False)
    assert store.past(sought).serial_sold is True
    assert store.past(replace(sought, serial="A-3")).serial_sold is False
    assert store.past(replace(sought, sku="MUG")).serial_sold is None, "its file gives no numbers"

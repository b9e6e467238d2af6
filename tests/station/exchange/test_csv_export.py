"""CSV that runs nothing, and journals as lines that come back as they went."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.model import CustomsNote, Used
from station.errors import InvalidInput, StoreFault
from station.exchange.csv_export import Table, guarded, plain, write_csv
from station.inspection.record import Inspection
from station.journal.lines import read_lines, write_lines
from station.quantities import Money
from tests.station.exchange.inspections import inspections, journal_of, texts
from tests.sync.material import an_inspection


def rows_of(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8-sig")
    assert text.replace("\r\n", "").count("\n") == 0 or '"' in text
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@given(text=texts)
def test_a_guarded_text_comes_back_and_runs_nothing(text: str) -> None:
    cell = guarded(text)
    assert plain(cell) == text
    assert cell.lstrip(" \u00a0")[:1] not in tuple("=+-@\t\r\n|%＝＋－＠")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", '=HYPERLINK("http://x")', "'=1", "%0A=1"],
)
def test_what_a_spreadsheet_would_run(text: str) -> None:
    assert guarded(text) == "'" + text


@given(made=st.lists(inspections(), min_size=1, max_size=3))
def test_every_inspection_is_one_row_that_reads_back(made: list[Inspection]) -> None:
    rows = rows_of(b"".join(write_csv(journal_of(made), Table.INSPECTIONS)))
    assert len(rows) == len(made)
    for row, inspection in zip(rows, made, strict=True):
        assert plain(row["title"]) == inspection.title
        assert plain(row["lpn"]) == inspection.lpn
        assert plain(row["sku"]) == (inspection.sku or "")
        assert row["weight_mg"] == (str(inspection.weight.gross_mg) if inspection.weight else "")
        amount = inspection.decision.refund.amount
        assert row["refund_minor"] == (str(amount.minor) if amount else "")
        assert row["confirmed_at"].endswith("Z")


def test_money_is_minor_units_and_decimal_text() -> None:
    unit = an_inspection(1)
    refund = replace(unit.decision.refund, amount=Money(-90, "EUR"))
    unit = replace(unit, decision=replace(unit.decision, refund=refund))
    (row,) = rows_of(b"".join(write_csv(journal_of([unit]), Table.UNITS)))
    assert (row["refund_minor"], row["refund_currency"], row["refund_amount"]) == ("-90", "EUR", "-0.90")


def test_units_are_what_counts_now() -> None:
    first, other = an_inspection(1), an_inspection(2)
    second = replace(an_inspection(3), unit_id=first.unit_id, corrects=first.inspection_id)
    entries = journal_of([first, second, other], [other])
    every = rows_of(b"".join(write_csv(entries, Table.INSPECTIONS)))
    assert [row["standing"] for row in every] == ["corrected", "stands", "voided"]
    assert [row["inspection_id"] for row in rows_of(b"".join(write_csv(entries, Table.UNITS)))] == [
        second.inspection_id
    ]


def test_an_entry_that_cannot_be_read_is_named() -> None:
    (entry,) = journal_of([an_inspection(1)])
    with pytest.raises(StoreFault, match="entry 1/1"):
        list(write_csv([replace(entry, payload=b"[]")], Table.UNITS))


def test_a_journal_as_lines_comes_back_as_it_went() -> None:
    entries = journal_of([an_inspection(number) for number in range(4)])
    entries[2] = replace(entries[2], payload=None)
    assert list(read_lines(io.BytesIO(b"".join(write_lines(entries))))) == entries


def test_a_changed_byte_in_the_lines_is_found() -> None:
    content = b"".join(write_lines(journal_of([an_inspection(number) for number in range(3)])))
    ends = [i for i, byte in enumerate(content) if byte == ord("\n")]
    for place in range(0, len(content), 97):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(InvalidInput, match="line") as found:
            list(read_lines(io.BytesIO(bytes(changed))))
        line = sum(end < place for end in ends) + 1
        assert f"line {line}" in str(found.value), place


def test_a_missing_line_is_found() -> None:
    lines = b"".join(write_lines(journal_of([an_inspection(number) for number in range(3)]))).splitlines(keepends=True)
    with pytest.raises(InvalidInput, match="line 2"):
        list(read_lines(io.BytesIO(lines[0] + lines[2])))


def test_what_customs_asks_for_is_carried_through() -> None:
    unit = an_inspection(1)
    note = CustomsNote("faulty", Used.CANNOT_SAY, "Cannot say whether it was used", "26CH0077", "8518.3000", None)
    crossed = replace(unit, decision=replace(unit.decision, customs=note))
    rows = rows_of(b"".join(write_csv(journal_of([unit, crossed]), Table.INSPECTIONS)))
    found = [(row["customs_reason"], row["customs_used"], row["customs_entry"]) for row in rows]
    assert found == [("", "", ""), ("faulty", "cannot_say", "26CH0077")]

"""Files as merchants really send them: what is read, what is refused, and the words of the refusal."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.errors import InvalidInput
from station.exchange.reading import read_catalogue, read_returns
from station.exchange.refused import RefusedLine
from station.quantities import Money
from station.returns.model import CatalogueItem, ReturnAuthorisation, ReturnLine, Trait

Write = Callable[..., Path]

AMAZON_HEADER = (
    "return-date,order-id,sku,asin,fnsku,product-name,quantity,fulfillment-center-id,detailed-disposition,"
    "reason,status,license-plate-number,customer-comments"
)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes, encoding: str = "utf-8", newline: str = "\n") -> Path:
        path = tmp_path / "file.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.replace("\n", newline).encode(encoding))
        return path

    return write


def split(records: object) -> tuple[list[ReturnAuthorisation], list[CatalogueItem], list[RefusedLine]]:
    found = list(records)  # type: ignore[call-overload]
    return (
        [one for one in found if isinstance(one, ReturnAuthorisation)],
        [one for one in found if isinstance(one, CatalogueItem)],
        [one for one in found if isinstance(one, RefusedLine)],
    )


def test_our_returns_in_full(write: Write) -> None:
    path = write(
        "rma,merchant,order_id,sku,quantity,reason,comment,serial,paid,currency,tracking,"
        "ordered_at,delivered_at,authorised_at,lpn\n"
        'RMA-2026-000001,acme,O-1,HP-7,1,Defective,"Broke, ""fast""\nreally",HD7-22941,"129,90",eur,'
        "1z 999 aa1 01 2345 6784,2026-10-01,2026-10-04T10:17:03+02:00,2026-11-20T09:00:00Z,LPN-1;LPN-2\n"
        "RMA-2026-000001,acme,O-1,TS-M,2,size too small,,,19.9,EUR,,2026-10-01,2026-10-06,,\n"
    )
    returns, items, refused = split(read_returns(path))
    assert (items, refused) == ([], [])
    assert returns == [
        ReturnAuthorisation(
            id="RMA-2026-000001",
            merchant_id="acme",
            order_id="O-1",
            lines=(
                ReturnLine(1, "HP-7", 1, "defective", 'Broke, "fast"\nreally', "HD7-22941", Money(12990, "EUR")),
                ReturnLine(2, "TS-M", 2, "size_too_small", None, None, Money(1990, "EUR")),
            ),
            tracking=("1Z999AA10123456784",),
            ordered_at=datetime(2026, 10, 1, tzinfo=UTC),
            delivered_at=datetime(2026, 10, 6, tzinfo=UTC),
            authorised_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
            lpns=("LPN-1", "LPN-2"),
        )
    ]


def test_a_catalogue_in_full(write: Write) -> None:
    path = write(
        "Merchant;SKU;Title;Category;GTIN(s);Codes;Price;Currency;Mass g;Tolerance-g;Accessories;Traits;Picture;"
        "Serialised\n"
        "acme;HP-7;Kopfhörer;electronics.audio;4006381333931 036000291452;X001ABCDEF;1.299,00 €;EUR;286;12,5;"
        '"charger:84;cable:20.5";data-bearing lithium;hp7.jpg;ja\n'
        "acme;TS-M;T-Shirt;;;;;;;;;;;\n"
    )
    _, items, refused = split(read_catalogue(path))
    assert refused == []
    assert items == [
        CatalogueItem(
            "acme",
            "HP-7",
            "Kopfhörer",
            "electronics.audio",
            gtins=("04006381333931", "00036000291452"),
            codes=("X001ABCDEF",),
            price=Money(129900, "EUR"),
            mass_mg=286_000,
            mass_tolerance_mg=12_500,
            accessories=(("charger", 84_000), ("cable", 20_500)),
            traits=(Trait.LITHIUM, Trait.DATA_BEARING),
            picture="hp7.jpg",
            serialised=True,
        ),
        CatalogueItem("acme", "TS-M", "T-Shirt", None),
    ]


AMAZON_ROWS = [
    '2026-11-20T10:17:03+00:00,114-1234567-1234567,HP-7,B0ABCDEF12,X001ABCDEF,"Headphones, black",1,LEJ1,'
    'CUSTOMER_DAMAGED,DEFECTIVE,Unit returned to inventory,LPNHE623894851,"broke, fast"',
    "2026-11-21T10:17:03+00:00,114-7654321-7654321,TS-M,B0ABCDEF13,X001ABCDEG,T-Shirt,1,LEJ1,SELLABLE,"
    "APPAREL_TOO_SMALL,,LPNHE623894852,",
    "2026-11-19T10:17:03+00:00,114-1234567-1234567,TS-M,B0ABCDEF13,X001ABCDEG,T-Shirt,1,LEJ1,SELLABLE,"
    "NO_SUCH_REASON,,LPNHE623894853,",
]


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_amazons_report(write: Write, delimiter: str) -> None:
    rows = csv.reader([AMAZON_HEADER, *AMAZON_ROWS])
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    reading = read_returns(write(text.getvalue()), merchant="shop")
    assert reading.is_amazon
    returns, items, refused = split(reading)
    assert refused == []
    assert [(one.merchant_id, one.sku, one.codes, one.title) for one in items] == [
        ("shop", "HP-7", ("X001ABCDEF", "B0ABCDEF12"), "Headphones, black"),
        ("shop", "TS-M", ("X001ABCDEG", "B0ABCDEF13"), "T-Shirt"),
    ]
    by_id = {one.id: one for one in returns}
    assert set(by_id) == {"114-1234567-1234567", "114-7654321-7654321"}
    # Its rows stand apart in the file, with another order between them.
    order = by_id["114-1234567-1234567"]
    assert order.order_id == order.id
    assert order.lpns == ("LPNHE623894851", "LPNHE623894853")
    assert order.authorised_at == datetime(2026, 11, 19, 10, 17, 3, tzinfo=UTC)
    assert order.lines == (
        ReturnLine(
            1,
            "HP-7",
            1,
            "defective",
            "broke, fast — Amazon: DEFECTIVE, CUSTOMER_DAMAGED, Unit returned to inventory",
        ),
        ReturnLine(2, "TS-M", 1, "other", "Amazon: NO_SUCH_REASON, SELLABLE"),
    )
    assert by_id["114-7654321-7654321"].lines[0].declared_reason == "size_too_small"


def test_amazon_needs_no_merchant_and_no_optional_column(write: Write) -> None:
    path = write("Return Date,Amazon-Order-ID,SKU,License_Plate_Number\n2026-11-20,,HP-7,LPNHE1234\n")
    returns, _, refused = split(read_returns(path))
    assert refused == []
    assert (returns[0].merchant_id, returns[0].id, returns[0].order_id) == ("amazon", "LPNHE1234", None)


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_and_line_end(write: Write, encoding: str, newline: str) -> None:
    path = write("sku,title,merchant\nA,Größe „M“,acme\n\nB,zwei Zeilen €,acme\n", encoding, newline)
    _, items, refused = split(read_catalogue(path))
    assert refused == []
    assert [(one.sku, one.title) for one in items] == [("A", "Größe „M“"), ("B", "zwei Zeilen €")]


def test_lines_of_two_encodings_in_one_file(write: Write) -> None:
    path = write("sku,title\nA,Größe\n".encode() + "B,Größe\n".encode("cp1252") + b"C,\x81\n")
    _, items, refused = split(read_catalogue(path, merchant="acme"))
    assert [one.title for one in items] == ["Größe", "Größe"]
    assert [(one.line, one.column) for one in refused] == [(4, "title")]
    assert "Windows-1252" in refused[0].expected


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter(write: Write, delimiter: str) -> None:
    path = write(delimiter.join(["sku", "title", "merchant"]) + "\n" + delimiter.join(["A", "One", "acme"]) + "\n")
    assert [one.title for one in split(read_catalogue(path))[1]] == ["One"]


def test_blank_rows_repeated_headers_and_extra_columns(write: Write) -> None:
    path = write(
        "sep=,\n\nSKU , Title,merchant,Colour\nA,One,acme,red\n,,,\n \nSKU , Title,merchant,Colour\nB,Two,acme\n"
    )
    reading = read_catalogue(path)
    _, items, refused = split(reading)
    assert reading.ignored_columns == ("Colour",)
    assert [one.sku for one in items] == ["A", "B"]
    assert refused == []


def test_spreadsheet_formulas_that_keep_zeros(write: Write) -> None:
    path = write('sku,title,merchant,gtin\n"=""0012""",One,acme,="036000291452"\n')
    _, items, _ = split(read_catalogue(path))
    assert (items[0].sku, items[0].gtins) == ("0012", ("00036000291452",))


def test_a_row_has_its_own_merchant_and_the_option_fills_gaps(write: Write) -> None:
    path = write("rma,sku,merchant\nR1,A,acme\nR2,A,\n")
    assert [one.merchant_id for one in split(read_returns(path, merchant="other"))[0]] == ["acme", "other"]
    _, _, refused = split(read_returns(path))
    assert [(one.line, one.column) for one in refused] == [(3, "merchant")]


# --- refused, line by line --------------------------------------------------------------------------------------------

RETURNS_HEADER = "rma,merchant,sku,quantity,serial,paid,currency,ordered_at,reason,comment,order_id\n"


@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (",acme,A,1,,,,,,,", "rma", "", "must not be empty"),
        ("R9,acme,,1,,,,,,,", "sku", "", "must not be empty"),
        ("R9,acme,A,0,,,,,,,", "quantity", "0", "whole number"),
        ("R9,acme,A,one,,,,,,,", "quantity", "one", "whole number"),
        ("R9,acme,A,1.5,,,,,,,", "quantity", "1.5", "whole number"),
        ("R9,acme,A,99999999999999,,,,,,,", "quantity", "99999999999999", "whole number"),
        ("R9,acme,A,2,S1,,,,,,", "serial", "S1", "one row for each serial number"),
        ("R9,acme,A,1,,12.345,EUR,,,,", "paid", "12.345", "3 decimals"),
        ("R9,acme,A,1,,-5,EUR,,,,", "paid", "-5", "zero or more"),
        ("R9,acme,A,1,,free,EUR,,,,", "paid", "free", "such as 54.90"),
        ("R9,acme,A,1,,$5.00,EUR,,,,", "paid", "$5.00", "the amount is in USD"),
        ("R9,acme,A,1,,5.00,Euros,,,,", "currency", "Euros", "such as EUR"),
        ("R9,acme,A,1,,,,2026-02-30,,,", "ordered_at", "2026-02-30", "no such date"),
        ("R9,acme,A,1,,,,46000,,,", "ordered_at", "46000", "spreadsheet's day number"),
        ("R9,acme,A,1,,,,yesterday,,,", "ordered_at", "yesterday", "such as 2026-11-22"),
        ("R9,acme,A,1,,,,0026-11-22,,,", "ordered_at", "0026-11-22", "year from 2000"),
        ("R9,acme,A,1,,,,22.11.26,,,", "ordered_at", "22.11.26", "such as 2026-11-22"),
        ("R9,acme,A,1,,,,,It was too small!,,", "reason", "It was too small!", "belong into comment"),
        ("R9,acme,A,1,,,,,,bell\x07,", "comment", "bell\x07", "control character"),
        ("R9,acme,A,1,,,,,,nul\x00,", "comment", "nul\x00", "control character"),
        ("R9,acme,A,1,,,,,,one,two,three", None, "R9,acme,A,1,,,,,,one,two,three", "found 12"),
        ('R9,acme,A,1,,,,,,"open,', None, 'R9,acme,A,1,,,,,,"open,', "quote"),
        ('R9,acme,A,1,,,,,,"closed" then,', None, 'R9,acme,A,1,,,,,,"closed" then,', "quote"),
        ("R1,acme,A,1,S0,,,,,,O2", "order_id", "O2", "line 2 says 'O1'"),
    ],
)
def test_a_bad_row_is_refused_and_the_rest_is_read(
    write: Write, row: str, column: str | None, value: str, words: str
) -> None:
    path = write(RETURNS_HEADER + "R1,acme,A,1,,,,,,,O1\n" + row + "\nR2,acme,B,1,,,,,,,\n")
    returns, _, refused = split(read_returns(path))
    assert [one.id for one in returns] == ["R1", "R2"]
    assert [(one.line, one.column, one.value) for one in refused] == [(3, column, value)]
    assert words in refused[0].expected
    assert str(refused[0]).startswith("line 3")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("4006381333930", "check digit 0, expected 1"),
        ("4.00638E+12", "a spreadsheet rounded"),
        ('"4,00638E+12"', "a spreadsheet rounded"),
        ("36000291452", "lost its leading zeros"),
        ("12345", "8, 12, 13 or 14 digits"),
        ("0000000000000", "only zeros"),
        ("4006381333931;4006381333930", "'4006381333930'"),
    ],
)
def test_a_gtin_that_cannot_be_trusted(write: Write, cell: str, words: str) -> None:
    path = write(f"merchant,sku,title,gtin\nacme,A,One,{cell}\nacme,B,Two,4006381333931\n")
    _, items, refused = split(read_catalogue(path))
    assert [one.sku for one in items] == ["B"]
    assert [(one.line, one.column) for one in refused] == [(2, "gtin")]
    assert words in refused[0].expected


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("mass_g", "heavy", "expected grams"),
        ("mass_g", "1.2345", "expected grams"),
        ("tolerance_g", "5", "a tolerance needs mass_g"),
        ("accessories", "charger", "name:grams"),
        ("accessories", "charger:", "name:grams"),
        ("accessories", ":5", "name:grams"),
        ("traits", "explosive", "known are lithium, data_bearing"),
        ("picture", "../secret.jpg", "without folders"),
        ("picture", "C:\\a.jpg", "without folders"),
        ("serialised", "maybe", "yes or no"),
        ("price", "1,234", "3 decimals"),
        ("title", "", "must not be empty"),
    ],
)
def test_catalogue_cells(write: Write, column: str, cell: str, words: str) -> None:
    cells = {"merchant": "acme", "sku": "A", "title": "One"} | {column: cell}
    text = io.StringIO()
    csv.writer(text).writerows([list(cells), list(cells.values())])
    _, items, refused = split(read_catalogue(write(text.getvalue())))
    assert items == []
    assert [(one.column, one.value) for one in refused] == [(column, cell)]
    assert words in refused[0].expected


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("54.90", 5490), ("54,9", 5490), ("54", 5400), ("€ 54,90", 5490), ("54,90 EUR", 5490),
        ("1.234,56", 123456), ("1,234.56", 123456), ("1 234,56", 123456), ("1'234.5", 123450), ("1.234.567", 123456700),
    ],
)  # fmt: skip
def test_amounts(write: Write, written: str, minor: int) -> None:
    path = write(f'rma,merchant,sku,paid,currency\nR1,acme,A,"{written}",EUR\n')
    returns, _, refused = split(read_returns(path))
    assert refused == []
    assert returns[0].lines[0].paid == Money(minor, "EUR")


def dates_of(write: Write, *cells: str) -> tuple[list[str], list[RefusedLine]]:
    rows = "".join(f'R{n},acme,A,"{cell}"\n' for n, cell in enumerate(cells))
    returns, _, refused = split(read_returns(write("rma,merchant,sku,ordered_at\n" + rows)))
    return [one.ordered_at.isoformat() for one in returns if one.ordered_at], refused


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-11-22", "2026-11-22T00:00:00+00:00"),
        ("2026-11-22T10:17:03", "2026-11-22T10:17:03+00:00"),
        ("2026-11-22 10:17", "2026-11-22T10:17:00+00:00"),
        ("2026-11-22T10:17:03+00:00", "2026-11-22T10:17:03+00:00"),
        ("2026-11-22T10:17:03.250+0100", "2026-11-22T09:17:03.250000+00:00"),
        ("2026-11-22T10:17:03Z", "2026-11-22T10:17:03+00:00"),
        ("2026-11-22 10:17:03 UTC", "2026-11-22T10:17:03+00:00"),
        ("22.11.2026", "2026-11-22T00:00:00+00:00"),
        ("1.2.2026 08:30", "2026-02-01T08:30:00+00:00"),
        ("22-Nov-2026", "2026-11-22T00:00:00+00:00"),
        ("11/22/2026", "2026-11-22T00:00:00+00:00"),
        ("22/11/2026 10:17:03", "2026-11-22T10:17:03+00:00"),
        ("11/22/2026 12:05 AM", "2026-11-22T00:05:00+00:00"),
        ("11/22/2026, 1:05 pm", "2026-11-22T13:05:00+00:00"),
        ("11/11/2026", "2026-11-11T00:00:00+00:00"),
        ("22-11-2026", "2026-11-22T00:00:00+00:00"),
    ],
)
def test_dates(write: Write, cell: str, expected: str) -> None:
    assert dates_of(write, cell) == ([expected], [])


def test_an_ambiguous_date_is_decided_by_its_column_or_refused(write: Write) -> None:
    day = dates_of(write, "01/02/2026", "22/11/2026")
    assert day == (["2026-02-01T00:00:00+00:00", "2026-11-22T00:00:00+00:00"], [])
    month = dates_of(write, "01/02/2026", "11/22/2026")
    assert month == (["2026-01-02T00:00:00+00:00", "2026-11-22T00:00:00+00:00"], [])
    found, refused = dates_of(write, "01/02/2026", "2026-11-22")
    assert found == ["2026-11-22T00:00:00+00:00"]
    assert "2026-02-01 or 2026-01-02" in refused[0].expected
    # A column that holds both orders decides nothing, but what is plain is read.
    found, refused = dates_of(write, "01/02/2026", "22/11/2026", "11/22/2026")
    assert len(found) == 2
    assert [one.line for one in refused] == [2]


def test_a_date_in_another_column_decides_nothing(write: Write) -> None:
    path = write("rma,merchant,sku,ordered_at,delivered_at\nR1,acme,A,22/11/2026,01/02/2026\n")
    _, _, refused = split(read_returns(path))
    assert [one.column for one in refused] == ["delivered_at"]


def test_duplicates(write: Write) -> None:
    path = write(
        "rma,merchant,sku,serial\nR1,acme,A,\nR2,acme,B,S1\nR1,acme,A,\nR2,acme,B,S1\nR2,acme,C,\nR1,other,A,\n"
    )
    returns, _, refused = split(read_returns(path))
    assert {(one.merchant_id, one.id): len(one.lines) for one in returns} == {
        ("acme", "R1"): 1,
        ("acme", "R2"): 2,
        ("other", "R1"): 1,
    }
    assert [one.line for one in refused] == [4, 5]
    assert "line 2" in refused[0].expected
    path = write("merchant,sku,title\nacme,A,One\nacme,B,Two\nacme,A,Three\nother,A,Four\n")
    _, items, refused = split(read_catalogue(path))
    assert [(one.merchant_id, one.sku) for one in items] == [("acme", "A"), ("acme", "B"), ("other", "A")]
    assert [(one.line, one.expected[:31]) for one in refused] == [(4, "this article is already on line")]


def test_one_unit_reported_twice(write: Write) -> None:
    again = AMAZON_ROWS[0].replace("Unit returned to inventory", "Repackaged")
    path = write("\n".join([AMAZON_HEADER, *AMAZON_ROWS, AMAZON_ROWS[1], again]) + "\n")
    returns, _, refused = split(read_returns(path))
    assert sum(len(one.lines) for one in returns) == 3
    assert [(one.line, one.column) for one in refused] == [(5, None), (6, "license-plate-number")]


def test_an_open_quote_costs_one_line_only(write: Write) -> None:
    rows = "".join(f"acme,S{n},Title {n}\n" for n in range(500))
    path = write('merchant,sku,title\nacme,X,"never closed\n' + rows)
    _, items, refused = split(read_catalogue(path))
    assert len(items) == 500
    assert [(one.line, one.column) for one in refused] == [(2, None)]


def test_line_numbers_count_the_lines_inside_quotes(write: Write) -> None:
    path = write('merchant,sku,title,mass_g\nacme,A,"one\ntwo\nthree",1\nacme,B,Two,x\n')
    _, items, refused = split(read_catalogue(path))
    assert [one.title for one in items] == ["one two three"]
    assert [one.line for one in refused] == [5]


def test_a_file_cut_off_in_a_line(write: Write) -> None:
    path = write("rma,merchant,sku,comment\nR1,acme,A,fine\nR2,ac")
    returns, _, refused = split(read_returns(path))
    assert [one.id for one in returns] == ["R1"]
    assert [(one.line, one.value) for one in refused] == [(3, "R2,ac")]
    assert "ends in the middle" in refused[0].expected


# --- no such file at all ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "no header line"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (bytes(range(256)), "no text"),
        (b"hello world\nthis is a letter\n", "no columns that are known here"),
        (b"rma,order_id\nR1,O1\n", "column 'sku' is missing"),
        (b"rma,order_id,skku,reason\nR1,O1,A,x\n", "did you mean it by 'skku'"),
        (b"rma,sku,SKU\nR1,A,A\n", "'sku' occurs 2 times"),
        (b"rma,sku\nR1,A\n", "--merchant"),
        (b"merchant,sku,title\nacme,A,One\n", "station import catalogue"),
    ],
)
def test_not_such_a_file(write: Write, content: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read_returns(write(content))


def test_returns_are_no_catalogue(write: Write) -> None:
    with pytest.raises(InvalidInput, match="station import returns"):
        read_catalogue(write(AMAZON_HEADER + "\n"))


# --- any bytes, any size ----------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xfe", b"\xef\xbb\xbf"]))
def test_total_on_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, mark: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for head in (b"", b"rma,merchant,sku,paid,ordered_at,tracking\n", AMAZON_HEADER.encode() + b"\n"):
        path.write_bytes(mark + head + data)
        try:
            records = list(read_returns(path, merchant="acme"))
        except InvalidInput:
            continue
        assert all(isinstance(one, (ReturnAuthorisation, CatalogueItem, RefusedLine)) for one in records)


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffd\ufeff"), max_size=40)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5), st.sampled_from(ENCODINGS[:5]), st.sampled_from(",;\t|")
)
def test_comments_survive_any_writing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], encoding: str, delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["rma", "merchant", "sku", "comment", "order_id"])
        for number, (comment, _) in enumerate(rows):
            writer.writerow([f"R{number}", "acme", "A", comment, "O"])
    returns, _, refused = split(read_returns(path))
    wanted = [comment.strip() or None for comment, _ in rows]
    if not any(comment and comment.startswith('="') for comment in wanted):
        assert refused == []
        assert [one.lines[0].comment for one in returns] == wanted


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = tmp_path / "long.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("rma,merchant,sku,comment\n")
            file.writelines(f"R{n // 2},acme,SKU-{n % 50},{'words ' * 20}\n" for n in range(rows))
        tracemalloc.start()
        count = sum(1 for _ in read_returns(path))
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == rows // 2
        return top

    assert peak(8_000) < peak(1_000) + 1_000_000

"""Labels: what is composed is what must be read, and nothing is clipped."""

from __future__ import annotations

import string

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.printer.label import LabelImage, compose, hold_fields, label_fields, tote_fields, vendor_fields
from devices.printer.symbol import (
    Expected,
    check_symbols,
    least_dots,
    python_barcode_modules,
    reads_back,
    zxing_modules,
)
from devices.printer.template import LabelTemplate, SymbolField, SymbolKind, load_template, read_template
from station.errors import Defect, InvalidInput
from station.inspection.view import LabelJob

UNIT = load_template("unit")


def job(lpn: str = "LPN7Q2K9", copy: int = 0, **changes: str) -> LabelJob:
    values = {"title": "Halden ANC headphones, black", "grade": "B", "disposition": "refurbish", "tote": "R-14"}
    return LabelJob(job_id="job-1", lpn=lpn, copy=copy, **{**values, **changes})


def read(label: LabelImage) -> list[tuple[str, str]]:
    """What a scanner sees on the label."""
    found = zxingcpp.read_barcodes(np.asarray(label.picture().convert("L")))
    return [(symbol.text, symbol.symbology_identifier) for symbol in found]


def ink(label: LabelImage) -> np.ndarray:
    """``(h, w) bool``, True = black."""
    return ~np.asarray(label.picture(), bool)


def test_a_label_carries_its_plate_as_code_128_at_whole_dots() -> None:
    label = compose(UNIT, label_fields(job()))
    assert (label.width, label.height, label.dpi) == (815, 408, 203)
    assert read(label) == [("LPN7Q2K9", "]C0")]
    row = ink(label)[UNIT.dots(27.0)]
    changes = np.flatnonzero(np.diff(row.astype(np.int8)))
    assert label.module_dots == 4
    assert set(np.diff(changes) % label.module_dots) == {0}


def test_bits_are_the_picture() -> None:
    label = compose(UNIT, label_fields(job()))
    assert label.bytes_per_row == 102
    assert len(label.bits) == 102 * 408
    unpacked = np.unpackbits(np.frombuffer(label.bits, np.uint8).reshape(408, 102), axis=1)
    assert np.array_equal(unpacked[:, :815].astype(bool), ink(label))
    assert not unpacked[:, 815:].any()


def test_python_barcode_still_loses_a_leading_99_and_the_gate_sees_it() -> None:
    """The negative control: without a second writer the gate must refuse; once it no longer does, upstream is fixed."""
    fields = label_fields(job(lpn="9912345678"))
    assert not reads_back(python_barcode_modules("9912345678"), "9912345678")
    with pytest.raises(Defect, match=r"'12345678'.*not printed"):
        compose(UNIT, fields, writers=(python_barcode_modules,))


@pytest.mark.parametrize("lpn", ["9912345678", "99", "991", "9999", "99LPN7Q2", "99-00-11"])
def test_a_plate_that_begins_with_99_is_printed_all_the_same(lpn: str) -> None:
    assert read(compose(UNIT, label_fields(job(lpn=lpn)))) == [(lpn, "]C0")]


@settings(max_examples=40)
@given(st.text(alphabet=string.ascii_uppercase + string.digits + "-", min_size=1, max_size=16))
def test_every_plate_reads_back(lpn: str) -> None:
    assert read(compose(UNIT, label_fields(job(lpn=lpn)))) == [(lpn, "]C0")]


@given(st.text(alphabet=[chr(c) for c in range(33, 127)], min_size=1, max_size=24))
def test_the_second_writer_writes_what_it_is_told(text: str) -> None:
    assert reads_back(zxing_modules(text), text)


def test_a_symbol_that_reads_as_something_else_is_refused() -> None:
    label = compose(UNIT, label_fields(job(lpn="LPN-A")))
    check_symbols(label.picture(), [Expected("LPN-A", "]C0")])
    for wrong in ([Expected("LPN-B", "]C0")], [Expected("LPN-A", "]C1")], [Expected("LPN-A", "]C0")] * 2, []):
        with pytest.raises(Defect, match="does not read back"):
            check_symbols(label.picture(), wrong)


def test_a_scratched_symbol_is_refused() -> None:
    picture = compose(UNIT, label_fields(job())).picture().convert("L")
    picture.paste(255, (0, 0, picture.width // 2, picture.height))
    with pytest.raises(Defect, match="does not read back"):
        check_symbols(picture, [Expected("LPN7Q2K9", "]C0")])


def test_bars_under_two_dots_are_refused() -> None:
    with pytest.raises(InvalidInput, match="under 2 dots"):
        compose(UNIT, label_fields(job(lpn="A1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6Q7")))


@pytest.mark.parametrize("lpn", ["", "LPN\x00", "LPN\n7", "ÄÖÜ", "X" * 60])
def test_a_plate_that_code_128_cannot_carry_is_refused(lpn: str) -> None:
    with pytest.raises(InvalidInput, match="printable ASCII"):
        compose(UNIT, label_fields(job(lpn=lpn)))


def test_long_titles_are_shortened_and_nothing_leaves_its_box() -> None:
    short = compose(UNIT, label_fields(job(title="")))
    long = compose(UNIT, label_fields(job(title="Überlänge Ärger-Gerät gyjpq " * 20)))
    differs = np.argwhere(ink(short) != ink(long))
    (top, left), (bottom, right) = differs.min(axis=0), differs.max(axis=0)
    box = next(field for field in UNIT.text if field.field == "title")
    assert UNIT.dots(box.y) <= top
    assert bottom < UNIT.dots(box.y) + UNIT.dots(box.height)
    assert UNIT.dots(box.x) <= left
    assert right < UNIT.dots(box.x) + UNIT.dots(box.width)


def test_a_tote_that_does_not_fit_is_refused_rather_than_cut() -> None:
    with pytest.raises(InvalidInput, match=r"tote .* does not fit"):
        compose(UNIT, label_fields(job(tote="REFURBISH-LINE-14-B")))


def test_the_tote_can_be_read_while_walking() -> None:
    """Capitals of a four-character tote are at least 12 mm high: legible at over 3 m (1:250)."""
    with_tote = ink(compose(UNIT, label_fields(job(tote="R-14"))))
    rows = np.flatnonzero(with_tote[: UNIT.dots(19.5), : UNIT.dots(63)].any(axis=1))
    assert (rows.max() - rows.min() + 1) * 25.4 / 203 >= 12.0


def test_a_reprint_says_so() -> None:
    original, copy = ink(compose(UNIT, label_fields(job()))), ink(compose(UNIT, label_fields(job(copy=1))))
    box = next(field for field in UNIT.text if field.field == "copy")
    corner = (slice(UNIT.dots(box.y), None), slice(UNIT.dots(box.x), None))
    assert not original[corner].any()
    assert copy[corner].mean() > 0.3


def test_a_300_dpi_printer_gets_the_same_label_with_finer_dots() -> None:
    label = compose(load_template("unit", 300), label_fields(job()))
    assert (label.width, label.height) == (1205, 602)
    assert label.module_dots == 6, "bars as wide in millimetres as at 203 dpi"
    assert read(label) == [("LPN7Q2K9", "]C0")]


@pytest.mark.parametrize("dpi", [203, 300, 600])
@pytest.mark.parametrize(
    ("template", "fields", "code"),
    [
        ("tote", tote_fields("R-14", "Refurbish, audio"), "R-14"),
        ("tote", tote_fields("99-12", ""), "99-12"),
        ("tote", tote_fields("QUARANTINE-01", "Everything that waits for a second look, and then some more"), None),
        (
            "hold",
            hold_fields("LPN7Q2K9", "Power bank", word="hold", reason="Cell swollen", date="2025-01-31"),
            "LPN7Q2K9",
        ),
        ("hold", hold_fields("9912345678", "", word="damaged", reason="Display broken"), "9912345678"),
        ("vendor", vendor_fields("Halden Audio GmbH", "RA-2025-004711", 12), "RA-2025-004711"),
        ("vendor", vendor_fields("Ö", "99", 1), "99"),
    ],
)
def test_every_template_reads_back_at_every_resolution(
    template: str, fields: dict[str, str], code: str | None, dpi: int
) -> None:
    label = compose(load_template(template, dpi), fields)
    assert read(label) == [(code or fields["tote"], "]C0")]
    assert label.module_dots >= least_dots(dpi)
    assert label.module_dots * 25.4 / dpi >= 0.25
    edges = ink(label)
    margin = max(1, round(dpi * 0.5 / 25.4))
    assert not edges[:margin].any()
    assert not edges[-margin:].any()
    assert not edges[:, :margin].any()
    assert not edges[:, -margin:].any()


def test_a_vendors_number_that_is_too_long_for_its_label_is_refused_at_every_resolution() -> None:
    long = "RETURN-AUTHORISATION-2025-000004711"
    for dpi, least in ((203, 2), (300, 3), (600, 6)):
        with pytest.raises(InvalidInput, match=f"under {least} dots"):
            compose(load_template("vendor", dpi), vendor_fields("Halden", long, 1))


def test_bars_that_only_just_fit_are_not_narrower_than_a_scanner_reads() -> None:
    """At 300 dpi two dots are 0.17 mm: enough for the head, not for a hand scanner at arm's length."""
    narrow = LabelTemplate(
        name="narrow", width_mm=40, height_mm=20, dpi=300,
        symbol=(SymbolField(field="lpn", kind=SymbolKind.CODE128, x=0, y=0, width=40, height=15),),
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="under 3 dots"):
        compose(narrow, {"lpn": "LPNXWQRKSWERT"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("x = 3.0", "xx = 3.0"), "did you mean 'x'|unknown field"),
        (("dpi = 203", "dpi = 180"), "expected 203, 300 or 600"),
        (("width = 98.0", "width = 120.0"), "reaches beyond the label"),
        (('kind = "code128"', 'kind = "code93"'), "code93"),
        (('name = "unit"', "name = "), "Invalid value|TOML|unit.toml"),
    ],
)
def test_a_wrong_template_is_refused_with_its_reason(change: tuple[str, str], message: str) -> None:
    from station.assets import asset

    source = asset("labels", "unit.toml").read_text("utf-8")
    assert isinstance(read_template(source, "unit.toml"), LabelTemplate)
    with pytest.raises(InvalidInput, match=message):
        read_template(source.replace(*change, 1), "unit.toml")

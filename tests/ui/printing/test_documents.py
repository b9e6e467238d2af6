"""Papers of a site: every code on them is read as a scanner would, at the size in which it is printed."""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zxingcpp
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from station.canonical import canonical_json
from station.decision.model import Disposition
from station.decision.rules import load_rules
from station.errors import Defect, DeviceFault, EnvironmentFault, InvalidInput
from station.identify.commands import COMMANDS, Command
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection
from station.journal.entry import Entry
from station.store.reading import read_entries
from tests.station.inspection.bench import Bench, open_store
from ui.printing.command_sheet import CommandSheet
from ui.printing.output import check_codes, picture, print_document, write_pdf
from ui.printing.page import Box, Document, MillimetrePen, Paper, painting
from ui.printing.totes import ToteLabel, ToteSheet
from ui.printing.vendor import VendorParcel, VendorSlip, VendorUnit, units_for_vendor
from ui.theme.look import load_fonts

PARCEL = VendorParcel("Halden Audio GmbH", "RA-2025-004711", "Hall 3 · Bench 1", date(2025, 1, 31))
PAPERS = list(Paper)


@pytest.fixture(autouse=True)
def _fonts(qapp: QApplication) -> None:
    load_fonts()


def unit(number: int) -> VendorUnit:
    return VendorUnit(
        f"LPN7Q2K9X{number:04d}", "Halden ANC headphones", "HAL", "04260123456788", "HD7", "D", "Defective"
    )


def totes() -> ToteSheet:
    return ToteSheet([ToteLabel(tote.tote, tote.title) for tote in load_rules().totes.totes])


def documents(paper: Paper) -> list[Document]:
    sheet = ToteSheet([ToteLabel(tote.tote, tote.title) for tote in load_rules().totes.totes], paper)
    return [CommandSheet(paper), sheet, VendorSlip(PARCEL, [unit(number) for number in range(23)], paper)]


def grey(image: QImage) -> np.ndarray:
    """``(h, w) uint8``."""
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].copy()


def scanned(document: Document, dpi: int) -> list[str]:
    found: list[str] = []
    for page in range(document.pages):
        image, _ = picture(document, page, dpi)
        found += [symbol.text for symbol in zxingcpp.read_barcodes(grey(image)) if symbol.symbology_identifier == "]C0"]
    return found


@pytest.mark.parametrize("paper", PAPERS)
def test_every_code_of_every_document_reads_back(paper: Paper) -> None:
    for document in documents(paper):
        codes = check_codes(document)
        assert all(code.module_mm >= 0.25 for code in codes)
        assert {code.page for code in codes} == set(range(document.pages))


@pytest.mark.parametrize("paper", PAPERS)
def test_the_sheet_has_every_command_of_the_one_table_once(paper: Paper) -> None:
    codes = check_codes(CommandSheet(paper))
    assert sorted(code.text for code in codes) == sorted(spec.barcode for spec in COMMANDS)
    assert all(code.bars.height >= 10 for code in codes), "a hand in a glove does not aim well"
    assert all(code.module_mm >= 0.33 for code in codes), "read at 70 cm"


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_a_scanner_reads_the_whole_sheet(dpi: int) -> None:
    assert sorted(scanned(CommandSheet(), dpi)) == sorted(spec.barcode for spec in COMMANDS)


@pytest.mark.parametrize("paper", PAPERS)
def test_two_codes_are_never_in_one_line_of_sight(paper: Paper) -> None:
    codes = check_codes(CommandSheet(paper))
    for page in {code.page for code in codes}:
        here = sorted((code for code in codes if code.page == page), key=lambda code: code.bars.y)
        for upper, lower in itertools.pairwise(here):
            assert upper.bars.bottom + 4.0 <= lower.bars.y
            assert (upper.bars.x < paper.width / 2) != (lower.bars.x < paper.width / 2), "left and right in turn"


@pytest.mark.parametrize("paper", PAPERS)
def test_nothing_stands_in_the_margin_that_printers_cannot_print(paper: Paper) -> None:
    for document in documents(paper):
        for page in range(document.pages):
            pixels = grey(picture(document, page, 100)[0])
            edge = round(8 * 100 / 25.4)
            for strip in (pixels[:edge], pixels[-edge:], pixels[:, :edge], pixels[:, -edge:]):
                assert strip.min() == 255


def test_the_gate_notices_a_code_that_something_stands_on() -> None:
    """Negative control: the same sheet with a line through one code's quiet zone, and one with half a code."""

    class Spoilt(CommandSheet):
        def __init__(self, spot: float) -> None:
            super().__init__()
            self._spot = spot

        def paint(self, pen: MillimetrePen, page: int) -> None:
            super().paint(pen, page)
            first = pen.codes[0].bars
            pen.fill(Box(first.x + self._spot, first.y - 1, 3.0, first.height + 2))

    for spot in (-3.0, 5.0):
        with pytest.raises(Defect, match="'RSC-F1' does not read back"):
            check_codes(Spoilt(spot))


def test_nothing_is_written_when_a_code_does_not_read_back(tmp_path: Path) -> None:
    class Empty(ToteSheet):
        def paint(self, pen: MillimetrePen, page: int) -> None:
            super().paint(pen, page)
            pen.fill(Box(0, 0, 300, 300), "#FFFFFF")

    with pytest.raises(Defect, match="does not read back"):
        write_pdf(Empty([ToteLabel("R-14", "x")]), tmp_path / "totes.pdf")
    assert list(tmp_path.iterdir()) == []


def streams(pdf: bytes) -> list[bytes]:
    found = []
    for raw in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(raw))
        except zlib.error:
            continue
    return found


@pytest.mark.parametrize(("paper", "points"), [(Paper.A4, b"595 842"), (Paper.LETTER, b"612 792")])
def test_a_pdf_is_vectors_of_the_right_size(paper: Paper, points: bytes, tmp_path: Path) -> None:
    path = tmp_path / "new" / "sheet.pdf"
    codes = write_pdf(CommandSheet(paper), path)
    pdf = path.read_bytes()
    assert pdf.startswith(b"%PDF-")
    boxes = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)", pdf)
    assert [b"%d %d" % (round(float(w)), round(float(h))) for w, h in boxes] == [points] * 2
    assert b"/Subtype /Image" not in pdf
    assert len(codes) == len(COMMANDS)
    assert len(pdf) < 200_000


def test_the_bars_in_a_pdf_are_the_bars_that_were_read_back(tmp_path: Path) -> None:
    """The rectangles of the file itself, drawn by hand and scanned."""
    path = tmp_path / "totes.pdf"
    write_pdf(ToteSheet([ToteLabel("R-14", "Refurbish, audio")]), path)
    page = max(streams(path.read_bytes()), key=lambda stream: stream.count(b" re\n"))
    numbers = rb"(-?[0-9.]+) (-?[0-9.]+) (-?[0-9.]+) (-?[0-9.]+) re"
    tall = [tuple(map(float, found)) for found in re.findall(numbers, page)]
    tall = [found for found in tall if abs(found[3]) > 3 * abs(found[2]) > 0]
    left = min(x for x, _, _, _ in tall)
    module = min(width for _, _, width, _ in tall)
    row = np.full((40, 1200), 255, np.uint8)
    for x, _, width, _ in tall:
        start, end = (round((edge - left) / module * 4) + 60 for edge in (x, x + width))
        row[:, start:end] = 0
    assert [symbol.text for symbol in zxingcpp.read_barcodes(row)] == ["R-14"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(EnvironmentFault, match=r"file/sheet\.pdf"):
        write_pdf(CommandSheet(), tmp_path / "file" / "sheet.pdf")


def test_a_printer_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(DeviceFault, match="no printer 'Office 3'; it has"):
        print_document(CommandSheet(), "Office 3")


@pytest.mark.qt_log_ignore("QPainter::begin")
def test_a_page_that_cannot_be_painted_ends_its_painter() -> None:
    """Qt crashes the process when a picture dies while it is painted on."""
    image = QImage(10, 10, QImage.Format.Format_Mono)
    with pytest.raises(ZeroDivisionError), painting(image, "x") as painter:
        painter.drawPoint(1 // 0, 0)
    assert not image.paintingActive()
    with pytest.raises(DeviceFault, match="no room"), painting(QImage(), "no room"):
        pytest.fail("an empty picture cannot be painted on")


def test_long_words_are_shortened_and_stay_in_their_box(qapp: QApplication) -> None:
    image = QImage(400, 100, QImage.Format.Format_Grayscale8)
    image.fill(255)
    with painting(image, "x") as painter:
        MillimetrePen(painter, 0, 4.0).text(Box(10, 5, 50, 8), "Überlänge gjpqy " * 20, size=6.0)
    ink = np.argwhere(grey(image) < 200)
    assert ink[:, 1].min() >= 38
    assert ink[:, 1].max() <= 60 * 4 + 1
    assert ink[:, 0].min() >= 3 * 4
    assert ink[:, 0].max() <= 15 * 4


def test_a_code_that_does_not_fit_is_refused(qapp: QApplication) -> None:
    image = QImage(400, 100, QImage.Format.Format_Grayscale8)
    with painting(image, "x") as painter, pytest.raises(InvalidInput, match="too long for 30 mm"):
        MillimetrePen(painter, 0, 4.0).code(Box(0, 0, 30, 10), "LPNXWQRKSWERT")


# --- return to vendor -------------------------------------------------------------------------------------------------


def with_disposition(entries: Sequence[Entry], lpns: Sequence[str], disposition: Disposition) -> list[Entry]:
    """The same journal, as if these units had been decided otherwise."""
    changed = []
    for entry in entries:
        assert entry.payload is not None
        if entry.kind == INSPECTION_CONFIRMED:
            inspection = msgspec.json.decode(entry.payload, type=Inspection)
            if inspection.lpn in lpns:
                decision = replace(inspection.decision, disposition=disposition)
                entry = replace(entry, payload=canonical_json(replace(inspection, decision=decision)))
        changed.append(entry)
    return changed


def test_units_come_from_the_record(home: Path) -> None:
    with open_store(home) as store:
        bench = Bench(store)
        lpns = [bench.clean_unit(f"RMA-2026-00500{number}").labels[0].lpn for number in range(4)]
        bench.give(Command.UNDO)
    entries = read_entries(home, (INSPECTION_CONFIRMED, INSPECTION_VOIDED))
    assert units_for_vendor(entries) == ()
    changed = with_disposition(entries, lpns[1:], Disposition.RETURN_TO_VENDOR)
    assert [one.lpn for one in units_for_vendor(changed)] == lpns[1:3], "what was taken back is not on the slip"
    [one] = units_for_vendor(changed, [lpns[2]])
    assert (one.title, one.sku) == ("Linen shirt", "SHIRT")
    with pytest.raises(InvalidInput, match="does not go back to a vendor: it was decided 'restock'"):
        units_for_vendor(changed, [lpns[0]])
    with pytest.raises(InvalidInput, match="no confirmed unit carries the plate 'LPN-NO'"):
        units_for_vendor(changed, ["LPN-NO"])


def test_a_slip_carries_every_plate_and_the_vendors_number() -> None:
    units = [unit(number) for number in range(13)]
    codes = [code.text for code in check_codes(VendorSlip(PARCEL, units))]
    assert [code for code in codes if code.startswith("LPN")] == [one.lpn for one in units]
    assert codes.count(PARCEL.authorisation) == 2, "on each page"


def test_a_slip_without_their_number_has_a_line_to_write_it_on() -> None:
    codes = check_codes(VendorSlip(replace(PARCEL, authorisation=""), [unit(1)]))
    assert [code.text for code in codes] == [unit(1).lpn]


def test_an_empty_slip_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing to list"):
        VendorSlip(PARCEL, [])

"""The operating system's spooler: exact size, the label's own bits, and never more said than is known."""

from __future__ import annotations

import re
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QApplication

from devices.ports import Light, LightChanged
from devices.printer.label import LabelImage, compose, label_fields
from devices.printer.loop import Printed, PrinterEvent, PrinterLoop
from devices.printer.model import Delivery, LabelPrinter, PrintFault, Unreachable
from devices.printer.printer import printer_from
from devices.printer.template import load_template
from station.inspection.view import LabelJob
from ui.printing.system import SystemPrinter, label_picture

JOB = LabelJob("job-1", "LPN7Q2K9", "Halden ANC headphones", "B", "refurbish", "R-14")


def label(dpi: int = 203) -> LabelImage:
    return compose(load_template("unit", dpi), label_fields(JOB))


class PdfQueue:
    """A queue whose printer is a file: Qt's own printing path, without a spooler."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self.names: tuple[str, ...] = ("Zebra", "Office")

    def make(self, name: str) -> QPrinter:
        path = self.folder / f"{name}-{len(self.files)}.pdf"
        self.files.append(path)
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        printer.setOutputFileName(str(path))
        return printer

    def printer(self, name: str) -> SystemPrinter:
        return SystemPrinter(name, make=self.make, known=lambda: self.names)


@pytest.fixture
def queue(tmp_path: Path, qapp: QApplication) -> PdfQueue:
    return PdfQueue(tmp_path)


def printed_bits(pdf: bytes) -> tuple[tuple[float, float], np.ndarray]:
    """Page size in points, and the one picture of a PDF as ``(h, w) bool``, True = black."""
    [(width, height)] = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)", pdf)
    head = re.search(rb"/Subtype /Image\s*/Width (\d+)\s*/Height (\d+)\s*/BitsPerComponent 1", pdf)
    assert head is not None, "the label is one picture of one bit a dot"
    columns, rows = int(head[1]), int(head[2])
    body = pdf[head.end() :]
    data = zlib.decompress(body[body.index(b"stream") + 6 :].lstrip(b"\r\n"))
    bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(rows, -1), axis=1)[:, :columns].astype(bool)
    return (float(width), float(height)), bits


@pytest.mark.parametrize("dpi", [203, 300])
def test_a_label_is_handed_over_at_its_exact_size_dot_for_dot(dpi: int, queue: PdfQueue) -> None:
    it = label(dpi)
    assert queue.printer("Zebra").print(it, "job-1") is Delivery.HANDED_OVER
    (width, height), bits = printed_bits(queue.files[0].read_bytes())
    assert width == pytest.approx(it.width * 72 / dpi, abs=1.01)
    assert height == pytest.approx(it.height * 72 / dpi, abs=1.01)
    assert width >= it.width * 72 / dpi, "no dot at the edge is cut off"
    black = ~np.asarray(it.picture(), bool)
    assert bits.shape == black.shape
    assert np.array_equal(bits, black) or np.array_equal(bits, ~black)


def test_the_qt_picture_is_the_labels_bits(qapp: QApplication) -> None:
    it = label()
    picture = label_picture(it)
    black = ~np.asarray(it.picture(), bool)
    for y in range(0, it.height, 37):
        assert [picture.pixelColor(x, y).lightness() == 0 for x in range(it.width)] == list(black[y])


def test_a_queue_that_does_not_exist_is_refused_with_those_that_do(queue: PdfQueue) -> None:
    with pytest.raises(Unreachable, match="no printer 'Zebra 2'; it has 'Zebra', 'Office'"):
        queue.printer("Zebra 2").status()
    with pytest.raises(PrintFault, match="no printer 'Zebra 2'") as caught:
        queue.printer("Zebra 2").print(label(), "job-1")
    assert not caught.value.may_have_printed
    assert queue.files == []
    queue.names = ()
    with pytest.raises(Unreachable, match="it has none at all"):
        queue.printer("Zebra").status()


def test_qt_itself_would_have_taken_a_name_that_does_not_exist(qapp: QApplication) -> None:
    """Negative control: why the name is looked up."""
    printer = QPrinter()
    printer.setPrinterName("there is no such printer")
    assert printer.isValid()


@pytest.mark.qt_log_ignore("QPainter::begin")
def test_a_printer_that_takes_no_page_is_a_fault(queue: PdfQueue) -> None:
    queue.folder = queue.folder / "there" / "is" / "no" / "such" / "folder"
    with pytest.raises(PrintFault, match="takes no label") as caught:
        queue.printer("Zebra").print(label(), "job-1")
    assert not caught.value.may_have_printed


def test_the_loop_prints_on_its_own_thread_and_says_no_more_than_it_knows(queue: PdfQueue) -> None:
    printer: LabelPrinter = printer_from("system", "Zebra", system=queue.printer)
    loop = PrinterLoop(printer, load_template("unit"), check_every_s=0.1)
    events: list[PrinterEvent] = []
    done = threading.Event()

    def emit(event: Any) -> None:
        events.append(event)
        if isinstance(event, Printed):
            done.set()

    loop.submit(JOB)
    thread = threading.Thread(target=loop.run, args=(done.is_set, emit))
    thread.start()
    thread.join(30)
    assert done.is_set()
    [printed] = [event for event in events if isinstance(event, Printed)]
    assert printed.delivery is Delivery.HANDED_OVER
    assert LightChanged("printer-1", Light.WORKING, "") in events
    _, bits = printed_bits(queue.files[0].read_bytes())
    assert bits.shape == (408, 815)

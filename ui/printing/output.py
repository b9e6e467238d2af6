"""A document as a PDF, on a printer, or as a picture; read back before it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import zxingcpp
from PySide6.QtCore import QMarginsF
from PySide6.QtGui import QColor, QImage, QPageLayout, QPainter, QPdfWriter
from PySide6.QtPrintSupport import QPrinter

from devices.printer.symbol import CODE128_AIM, QUIET_MODULES
from station.errors import Defect, DeviceFault, EnvironmentFault
from ui.printing.page import GRID_DPI, Code, Document, MillimetrePen, painting
from ui.printing.system import check_queue

_PDF_DPI = 1200


def write_pdf(document: Document, path: Path) -> tuple[Code, ...]:
    """Write a document as vectors, its codes read back first.

    Raises:
        EnvironmentFault: the file cannot be written, or not to the end.
        Defect: a code on it does not read back; nothing was written.
    """
    codes = check_codes(document)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("wb").close()
    except OSError as error:
        raise EnvironmentFault(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    writer = QPdfWriter(str(path))
    writer.setResolution(_PDF_DPI)
    writer.setTitle(document.title)
    writer.setPageLayout(_layout(document))
    with painting(writer, f"cannot write all of {str(path)!r}: is the disk full?") as painter:
        for page in range(document.pages):
            if page:
                writer.newPage()
            document.paint(MillimetrePen(painter, page, _PDF_DPI / 25.4), page)
    return codes


def print_document(document: Document, queue: str) -> tuple[Code, ...]:
    """Hand a document to a printer of the operating system; whether it is printed nobody tells.

    Raises:
        DeviceFault: no such printer, or its spooler refuses the job.
        Defect: a code on it does not read back; nothing was printed.
    """
    check_queue(queue)
    codes = check_codes(document)
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setPrinterName(queue)
    printer.setDocName(document.title)
    printer.setPageLayout(_layout(document))
    printer.setFullPage(True)
    with painting(printer, f"the printer {queue!r} takes no document: look at its queue") as painter:
        for page in range(document.pages):
            if page:
                printer.newPage()
            document.paint(MillimetrePen(painter, page, printer.resolution() / 25.4), page)
    if printer.printerState() in (QPrinter.PrinterState.Error, QPrinter.PrinterState.Aborted):
        raise DeviceFault(f"the printer {queue!r} did not take the whole document: look at its queue")
    return codes


def picture(document: Document, page: int, dpi: int = GRID_DPI) -> tuple[QImage, tuple[Code, ...]]:
    """One page as a picture, and the codes on it."""
    dots_per_mm = dpi / 25.4
    image = QImage(
        round(document.paper.width * dots_per_mm),
        round(document.paper.height * dots_per_mm),
        QImage.Format.Format_Grayscale8,
    )
    image.fill(QColor("white"))
    with painting(image, "a page cannot be painted as a picture: is there enough memory?") as painter:
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        pen = MillimetrePen(painter, page, dots_per_mm)
        document.paint(pen, page)
    return image, tuple(pen.codes)


def check_codes(document: Document) -> tuple[Code, ...]:
    """Read every code back at the printed size.

    Raises:
        Defect: one is not what it should be, or its quiet zone is not quiet.
    """
    codes: list[Code] = []
    for page in range(document.pages):
        image, drawn = picture(document, page)
        codes += drawn
        for code in drawn:
            found = _read(image, code)
            if found != [(code.text, CODE128_AIM)]:
                raise Defect(
                    f"{document.title}, page {page + 1}: {code.text!r} does not read back, read {found!r}; "
                    "it was not printed"
                )
    return tuple(codes)


def _read(image: QImage, code: Code) -> Sequence[tuple[str, str]]:
    """What a scanner sees of one code, with exactly its quiet zones around it."""
    import numpy as np

    dots_per_mm = GRID_DPI / 25.4
    quiet = QUIET_MODULES * code.module_mm
    left, right = (round(x * dots_per_mm) for x in (code.bars.x - quiet, code.bars.right + quiet))
    top, bottom = (round(y * dots_per_mm) for y in (code.bars.y, code.bars.bottom))
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    read = zxingcpp.read_barcodes(np.ascontiguousarray(pixels[top:bottom, max(0, left) : right]))
    return [(symbol.text, symbol.symbology_identifier) for symbol in read]


def _layout(document: Document) -> QPageLayout:
    layout = QPageLayout(document.paper.size, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0))
    layout.setMode(QPageLayout.Mode.FullPageMode)
    return layout

"""A label printer that the operating system drives: CUPS or the Windows spooler, through ``QPrinter``.

The spooler takes a job for a printer that is switched off, out of paper or long gone: a label that it took is *handed
over*, never *printed*. Only a scan of the label proves more (``devices/printer/scan_back.py``).

Qt makes a valid ``QPrinter`` for a name that does not exist, and writes a PDF to nowhere (seen with Qt 6.11 without
CUPS): so the name is looked up first, each time. Not yet checked on hardware.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import ceil

from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QImage, QPageSize, QPainter
from PySide6.QtPrintSupport import QPrinter, QPrinterInfo

from devices.printer.label import LabelImage
from devices.printer.model import Delivery, PrinterState, PrintFault, Unreachable
from station.errors import DeviceFault
from ui.printing.page import painting

logger = logging.getLogger(__name__)


def queues() -> tuple[str, ...]:
    """The printers that the operating system knows."""
    return tuple(QPrinterInfo.availablePrinterNames())


def check_queue(name: str, known: Callable[[], tuple[str, ...]] = queues) -> None:
    """
    Raises:
        Unreachable: the operating system has no printer of this name; the text lists those it has.
    """
    names = known()
    if name not in names:
        have = ", ".join(repr(one) for one in names) if names else "none at all"
        raise Unreachable(f"this computer has no printer {name!r}; it has {have}: set it up, or correct its name")


def spooled(name: str) -> QPrinter:
    """A ``QPrinter`` for a queue."""
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setPrinterName(name)
    return printer


class SystemPrinter:
    """One queue (a ``LabelPrinter``); used on one thread, which need not be the GUI's."""

    def __init__(
        self,
        name: str,
        *,
        make: Callable[[str], QPrinter] = spooled,
        known: Callable[[], tuple[str, ...]] = queues,
    ) -> None:
        """
        Args:
            make: queue's name → what is painted on.
            known: the names that exist.
        """
        self._name = name
        self._make = make
        self._known = known

    @property
    def address(self) -> str:
        return self._name

    def status(self) -> PrinterState:
        """Whether the queue exists; more the spooler does not tell.

        Raises:
            DeviceFault: it does not.
        """
        check_queue(self._name, self._known)
        return PrinterState(())

    def print(self, label: LabelImage, job_id: str) -> Delivery:
        """Hand one label over at its exact size, dot for dot where the driver's resolution allows it.

        Raises:
            PrintFault: no such queue, or the spooler refuses it: nothing was handed over.
        """
        try:
            check_queue(self._name, self._known)
            printer = self._make(self._name)
            paint_label(printer, label, job_id)
        except DeviceFault as fault:
            raise PrintFault(str(fault), may_have_printed=False) from fault
        if printer.printerState() in (QPrinter.PrinterState.Error, QPrinter.PrinterState.Aborted):
            raise PrintFault(
                f"the spooler did not take the whole label for {self._name!r}; look before you reprint",
                may_have_printed=True,
            )
        logger.info("label %s handed to the spooler for %s", job_id, self._name)
        return Delivery.HANDED_OVER


def paint_label(printer: QPrinter, label: LabelImage, job_id: str) -> None:
    """Paint a label on a page of its own size, without margins.

    Raises:
        DeviceFault: the printer takes no page.
    """
    # Qt keeps pages in whole points: rounded up, so that no dot at the edge is cut off.
    points = QSizeF(ceil(label.width * 72 / label.dpi), ceil(label.height * 72 / label.dpi))
    printer.setDocName(f"label {job_id}")
    printer.setResolution(label.dpi)
    printer.setFullPage(True)
    printer.setPageSize(QPageSize(points, QPageSize.Unit.Point, "label", QPageSize.SizeMatchPolicy.ExactMatch))
    refused = f"the spooler takes no label for {printer.printerName()!r}: look at its queue"
    with painting(printer, refused) as painter:
        dots = printer.resolution() / label.dpi
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(QRectF(0, 0, label.width * dots, label.height * dots), label_picture(label))


def label_picture(label: LabelImage) -> QImage:
    """The label's bits as a Qt picture of one bit a dot."""
    # Qt keeps one bit a dot in a PDF only where 0 is black and 1 is white.
    white = bytes(value ^ 0xFF for value in label.bits)
    picture = QImage(white, label.width, label.height, label.bytes_per_row, QImage.Format.Format_Mono)
    picture.setColorTable([0xFF000000, 0xFFFFFFFF])
    return picture.copy()  # the bytes are ours only

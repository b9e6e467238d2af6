"""A pen that works in millimetres and knows which bar codes it has drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPageSize, QPaintDevice, QPainter, QPen
from PySide6.QtSvg import QSvgRenderer

from devices.printer.symbol import QUIET_MODULES, check_code128, code128_modules
from station.assets import asset
from station.errors import DeviceFault, InvalidInput

UNITS = 100
"""Painting units in a millimetre: fonts have whole sizes."""
GRID_DPI = 300
"""Bars begin and end on these dots; 600 dpi has twice as many."""
INK, FAINT, RULE, TINT = "#000000", "#55606E", "#C9D1DA", "#F1F4F7"
_LEAST_MM = 0.25


class Paper(Enum):
    """Width, height in millimetres."""

    A4 = (210.0, 297.0)
    LETTER = (215.9, 279.4)

    @property
    def width(self) -> float:
        return self.value[0]

    @property
    def height(self) -> float:
        return self.value[1]

    @property
    def size(self) -> QPageSize:
        return QPageSize(QPageSize.PageSizeId.A4 if self is Paper.A4 else QPageSize.PageSizeId.Letter)


class Weight(StrEnum):
    REGULAR = "regular"
    SEMIBOLD = "semibold"
    BOLD = "bold"
    DISPLAY = "display"


_WEIGHTS = {
    Weight.REGULAR: ("Inter", QFont.Weight.Normal),
    Weight.SEMIBOLD: ("Inter", QFont.Weight.DemiBold),
    Weight.BOLD: ("Inter", QFont.Weight.Bold),
    Weight.DISPLAY: ("Inter Display", QFont.Weight.Bold),
}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; millimetres from the top left corner of the paper."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def units(self) -> QRectF:
        return QRectF(self.x * UNITS, self.y * UNITS, self.width * UNITS, self.height * UNITS)


@dataclass(frozen=True, slots=True)
class Code:
    """A bar code that was drawn."""

    text: str
    page: int
    bars: Box
    """First bar to last bar."""
    module_mm: float


class Document(Protocol):
    """Pages that can be painted."""

    @property
    def title(self) -> str: ...

    @property
    def paper(self) -> Paper: ...

    @property
    def pages(self) -> int: ...

    def paint(self, pen: MillimetrePen, page: int) -> None:
        """Paint one page, from 0."""
        ...


@contextmanager
def painting(device: QPaintDevice, refused: str) -> Iterator[QPainter]:
    """A painter that is always ended: Qt crashes the process when a device dies with its painter at work.

    Raises:
        DeviceFault: ``refused``, where the device cannot be painted on, or not to the end.
    """
    painter = QPainter()
    if not painter.begin(device):
        raise DeviceFault(refused)
    try:
        yield painter
    except BaseException:
        painter.end()
        raise
    if not painter.end():
        raise DeviceFault(refused)


class MillimetrePen:
    """A painter in millimetres."""

    def __init__(self, painter: QPainter, page: int, dots_per_mm: float) -> None:
        """
        Args:
            dots_per_mm: of what is painted on.
        """
        painter.resetTransform()
        painter.scale(dots_per_mm / UNITS, dots_per_mm / UNITS)
        self._painter = painter
        self._page = page
        self.codes: list[Code] = []

    def text(
        self,
        box: Box,
        text: str,
        *,
        size: float,
        weight: Weight = Weight.REGULAR,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        colour: str = INK,
        least: float = 0.0,
    ) -> None:
        """One line in the middle of a box's height, smaller where it is too long, then shortened with ….

        Args:
            size: em size in millimetres.
            least: smallest em size; 0 = half of ``size``.
        """
        least = least or size / 2
        while size > least and self._metrics(size, weight).horizontalAdvance(text) > box.width * UNITS:
            size = max(least, size - 0.1)
        metrics = self._metrics(size, weight)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width * UNITS + 1)
        self._painter.setFont(_font(size, weight))
        self._painter.setPen(QColor(colour))
        # capitals in the middle of the box, whatever the font's own idea of a line is
        baseline = (box.y + box.height / 2) * UNITS + metrics.capHeight() / 2
        free = box.width * UNITS - metrics.horizontalAdvance(shown)
        shift = {Qt.AlignmentFlag.AlignHCenter: free / 2, Qt.AlignmentFlag.AlignRight: free}.get(align, 0.0)
        self._painter.drawText(QPointF(box.x * UNITS + shift, baseline), shown)

    @staticmethod
    def _metrics(size: float, weight: Weight) -> QFontMetricsF:
        return QFontMetricsF(_font(size, weight))

    def fill(self, box: Box, colour: str = INK, radius: float = 0.0) -> None:
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(QColor(colour))
        self._painter.drawRoundedRect(box.units(), radius * UNITS, radius * UNITS)

    def frame(
        self, box: Box, colour: str = RULE, width: float = 0.25, radius: float = 0.0, *, dashed: bool = False
    ) -> None:
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        self._painter.setPen(QPen(QColor(colour), width * UNITS, style))
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawRoundedRect(box.units(), radius * UNITS, radius * UNITS)

    def icon(self, box: Box, name: str, colour: str = INK) -> None:
        """An SVG of ``resources/icons``, as vectors."""
        source = asset("icons", f"{name}.svg").read_bytes().replace(b"currentColor", colour.encode())
        QSvgRenderer(QByteArray(source)).render(self._painter, box.units())

    def code(
        self, box: Box, text: str, *, most_dots: int = 4, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignHCenter
    ) -> Code:
        """A Code 128 in a box, quiet zones included.

        Args:
            most_dots: most dots of 1/300 inch in a module.

        Raises:
            InvalidInput: it does not fit with bars that a hand scanner reads, or is no Code 128.
        """
        check_code128(text)
        modules = code128_modules(text)
        room = int(box.width / 25.4 * GRID_DPI)
        dots = min(most_dots, room // (len(modules) + 2 * QUIET_MODULES))
        if dots * 25.4 / GRID_DPI < _LEAST_MM:
            raise InvalidInput(
                f"{text!r} is too long for {box.width:g} mm: its bars would be under {_LEAST_MM} mm wide; "
                "use a shorter code"
            )
        free = room - len(modules) * dots
        quiet = QUIET_MODULES * dots
        shift = {Qt.AlignmentFlag.AlignLeft: quiet, Qt.AlignmentFlag.AlignRight: free - quiet}.get(align, free // 2)
        first = round(box.x / 25.4 * GRID_DPI) + shift
        top, height = box.y * UNITS, box.height * UNITS
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(QColor(INK))
        start = 0
        while start < len(modules):
            end = start
            while end < len(modules) and modules[end] == modules[start]:
                end += 1
            if modules[start] == "1":
                x0, x1 = _grid(first + start * dots), _grid(first + end * dots)
                self._painter.drawRect(QRectF(x0, top, x1 - x0, height))
            start = end
        bars = Box(_grid(first) / UNITS, box.y, len(modules) * dots * 25.4 / GRID_DPI, box.height)
        drawn = Code(text, self._page, bars, dots * 25.4 / GRID_DPI)
        self.codes.append(drawn)
        return drawn


def _grid(dot: int) -> float:
    """Painting units of a dot of 1/300 inch."""
    return dot * 25.4 / GRID_DPI * UNITS


def _font(size: float, weight: Weight) -> QFont:
    family, heavy = _WEIGHTS[weight]
    font = QFont(family)
    font.setPixelSize(max(1, round(size * UNITS)))
    font.setWeight(heavy)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    font.setStyleStrategy(QFont.StyleStrategy.ForceOutline)
    return font

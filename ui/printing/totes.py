"""Tote labels as a sheet to be cut: the name to be read from the aisle, the same name as a bar code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt

from ui.printing.page import FAINT, RULE, Box, MillimetrePen, Paper, Weight

_MARGIN = 10.0
_COLUMNS, _ROWS = 2, 5
_PADDING = 4.0


@dataclass(frozen=True, slots=True)
class ToteLabel:
    tote: str
    title: str


class ToteSheet:
    """A ``Document``: ten labels a page, with lines to cut along."""

    def __init__(self, totes: Sequence[ToteLabel], paper: Paper = Paper.A4) -> None:
        self._totes = tuple(totes)
        self._paper = paper

    @property
    def title(self) -> str:
        return QCoreApplication.translate("Print", "Tote labels")

    @property
    def paper(self) -> Paper:
        return self._paper

    @property
    def pages(self) -> int:
        return max(1, -(-len(self._totes) // (_COLUMNS * _ROWS)))

    def paint(self, pen: MillimetrePen, page: int) -> None:
        width = (self._paper.width - 2 * _MARGIN) / _COLUMNS
        height = (self._paper.height - 2 * _MARGIN) / _ROWS
        first = page * _COLUMNS * _ROWS
        for place, tote in enumerate(self._totes[first : first + _COLUMNS * _ROWS]):
            row, column = divmod(place, _COLUMNS)
            cell = Box(_MARGIN + column * width, _MARGIN + row * height, width, height)
            pen.frame(cell, RULE, dashed=True)
            self._label(pen, tote, cell)

    def _label(self, pen: MillimetrePen, tote: ToteLabel, cell: Box) -> None:
        x, width = cell.x + _PADDING, cell.width - 2 * _PADDING
        centre = Qt.AlignmentFlag.AlignHCenter
        pen.text(Box(x, cell.y + 3.5, width, 19), tote.tote, size=24.0, weight=Weight.DISPLAY, align=centre)
        pen.text(Box(x, cell.y + 24, width, 6), tote.title, size=4.8, align=centre, colour=FAINT)
        pen.code(Box(x, cell.y + 31.5, width, cell.height - 36), tote.tote, most_dots=6)

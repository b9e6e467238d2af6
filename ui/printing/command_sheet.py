"""The command sheet: every command as a bar code, for people who wear gloves and have a scanner in their hand.

Two codes never stand in one line of sight: they alternate left and right, and their heights do not overlap, so that a
sweep of the scanner cannot hit the neighbour (FLOOR §1.5). Words, signs and keys stand in one column between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt

from station.identify.commands import COMMANDS, Command, CommandSpec
from ui.bench.labels import command_help, command_key, command_word, group_word
from ui.printing.page import FAINT, INK, RULE, TINT, Box, MillimetrePen, Paper, Weight

_MARGIN = 10.0
_HEAD = 21.0
_FOOT = 4.0
_GROUP_HEAD = 7.5
_MIDDLE = 62.0
_MOST_ROWS = 12
_TALLEST = 26.0
_GAP = 4.0
"""Between the bars of one row and those of the next."""
_BARCODE_TEXT = 3.4

_ICONS = {
    Command.CLEAN: "circle-check",
    Command.SEALED: "lock",
    Command.CONFIRM: "check",
    Command.UNDO: "undo-2",
    Command.PHOTO: "camera",
    Command.SECOND_LOOK: "shield-alert",
    Command.REPRINT: "printer",
    Command.NO_LABEL: "scan-barcode",
    Command.WRONG_ITEM: "octagon-x",
    Command.MISSING: "triangle-alert",
    Command.PARK: "package",
    Command.HELP: "circle-question-mark",
}
_SIGNS = {
    Command.CHOICE_1: "1",
    Command.CHOICE_2: "2",
    Command.CHOICE_3: "3",
    Command.CHOICE_4: "4",
    Command.CHOICE_5: "5",
    Command.BACK: "←",
    Command.SKIP: "→",
}
"""Where a sign says it better than a picture."""


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    specs: tuple[CommandSpec, ...]


class CommandSheet:
    """A ``Document``."""

    def __init__(self, paper: Paper = Paper.A4, commands: Sequence[CommandSpec] = COMMANDS) -> None:
        self._paper = paper
        self._pages = _paginate(commands)

    @property
    def title(self) -> str:
        return QCoreApplication.translate("Print", "Command sheet")

    @property
    def paper(self) -> Paper:
        return self._paper

    @property
    def pages(self) -> int:
        return len(self._pages)

    def paint(self, pen: MillimetrePen, page: int) -> None:
        groups = self._pages[page]
        width = self._paper.width - 2 * _MARGIN
        self._head(pen, page, width)
        rows = sum(len(group.specs) for group in groups)
        room = self._paper.height - 2 * _MARGIN - _HEAD - _FOOT - _GROUP_HEAD * len(groups)
        height = min(_TALLEST, room / rows)
        y = _MARGIN + _HEAD
        number = 0
        for group in groups:
            pen.text(
                Box(_MARGIN, y, width, _GROUP_HEAD - 1),
                group_word(group.name).upper(),
                size=3.6,
                weight=Weight.BOLD,
                align=Qt.AlignmentFlag.AlignHCenter,
                colour=FAINT,
            )
            y += _GROUP_HEAD
            for spec in group.specs:
                self._row(pen, spec, Box(_MARGIN, y, width, height), on_the_left=number % 2 == 0)
                y += height
                number += 1

    def _head(self, pen: MillimetrePen, page: int, width: float) -> None:
        right = Qt.AlignmentFlag.AlignRight
        pen.text(Box(_MARGIN, _MARGIN, width * 0.7, 9), self.title, size=8.5, weight=Weight.DISPLAY)
        say = QCoreApplication.translate
        of = say("Print", "{page} of {pages}").format(page=page + 1, pages=self.pages)
        pen.text(Box(_MARGIN + width * 0.7, _MARGIN, width * 0.3, 9), of, size=4.2, align=right, colour=FAINT)
        hint = say("Print", "Scan a code in place of its key. Any scanner, any time: nothing needs the focus.")
        pen.text(Box(_MARGIN, _MARGIN + 9.5, width, 6), hint, size=4.0, colour=FAINT)
        pen.fill(Box(_MARGIN, _MARGIN + _HEAD - 4, width, 0.3), RULE)

    def _row(self, pen: MillimetrePen, spec: CommandSpec, box: Box, *, on_the_left: bool) -> None:
        side = (box.width - _MIDDLE) / 2
        middle = Box(box.x + side, box.y, _MIDDLE, box.height)
        tint = Box(box.x if on_the_left else middle.x, box.y + 0.6, side + _MIDDLE, box.height - 1.2)
        pen.fill(tint, TINT, radius=2.0)
        outer = Box(box.x if on_the_left else middle.right, box.y, side, box.height)
        bars = Box(outer.x, outer.y + _GAP / 2, side, box.height - _GAP - _BARCODE_TEXT)
        pen.fill(Box(outer.x + 1, outer.y + 1.2, side - 2, box.height - 2.4), "#FFFFFF", radius=1.5)
        pen.code(bars, spec.barcode)
        pen.text(
            Box(outer.x, bars.bottom + 0.3, side, _BARCODE_TEXT - 0.3),
            spec.barcode,
            size=2.6,
            align=Qt.AlignmentFlag.AlignHCenter,
            colour=FAINT,
        )
        self._words(pen, spec, middle)

    def _words(self, pen: MillimetrePen, spec: CommandSpec, box: Box) -> None:
        edge = min(11.0, box.height - 5)
        sign = Box(box.x + 2.5, box.y + (box.height - edge) / 2, edge, edge)
        if spec.command in _ICONS:
            pen.icon(sign, _ICONS[spec.command])
        else:
            pen.frame(sign, INK, width=0.8, radius=edge / 2)
            pen.text(
                sign,
                _SIGNS.get(spec.command, spec.label[:1]),
                size=edge * 0.62,
                weight=Weight.BOLD,
                align=Qt.AlignmentFlag.AlignHCenter,
            )
        left = sign.right + 3.0
        width = box.right - left - 2
        line = min(7.0, box.height * 0.4)
        top = box.y + (box.height - 2 * line) / 2
        key = Box(left + width - 12, top, 12, line)
        word = Box(left, top, key.x - left, line)
        pen.text(word, command_word(spec.command), size=line * 0.83, weight=Weight.SEMIBOLD)
        right = Qt.AlignmentFlag.AlignRight
        pen.text(key, command_key(spec.command), size=3.6, weight=Weight.SEMIBOLD, align=right, colour=FAINT)
        pen.text(Box(left, top + line, width, line), command_help(spec.command), size=3.4, colour=FAINT, least=2.6)


def _paginate(commands: Sequence[CommandSpec]) -> tuple[tuple[_Group, ...], ...]:
    """Groups stay together, in the table's order."""
    names = dict.fromkeys(spec.group for spec in commands)
    pages: list[list[_Group]] = []
    rows = _MOST_ROWS + 1
    for name in names:
        group = _Group(name, tuple(spec for spec in commands if spec.group == name))
        if not pages or rows + len(group.specs) > _MOST_ROWS:
            pages.append([])
            rows = 0
        pages[-1].append(group)
        rows += len(group.specs)
    return tuple(tuple(page) for page in pages)

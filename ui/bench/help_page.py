"""F12: every action with its key, from the one table. Lies over the columns; nothing waits for it."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from station.identify.commands import COMMANDS, CommandSpec
from ui.bench.facts import caption_height
from ui.bench.labels import command_help, command_key, command_word, group_word
from ui.bench.speech import QT_TRANSLATE_NOOP, say
from ui.theme.metrics import Role
from ui.widgets.ink import RIGHT, Ink
from ui.widgets.panel import Card

_TITLE = QT_TRANSLATE_NOOP("Bench", "Keys; the same actions are on the sheet of command barcodes")
_CLOSE = QT_TRANSLATE_NOOP("Bench", "F12 or Esc closes this page")


class HelpPage(Card):
    """Three columns of keys."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("help_page", "Help", parent)
        self.hide()

    def draw(self, ink: Ink) -> None:
        room, look = self.inner(), self.look
        close = look.width(say(_CLOSE), Role.SMALL) + 4
        title_width = room.width() - close - self.px(20)
        ink.text(room.left(), room.top(), title_width, say(_TITLE), Role.STRONG, lines=2)
        ink.text(room.right() - close, room.top(), close, say(_CLOSE), Role.SMALL, "muted", align=RIGHT)
        top = room.top() + look.lines(say(_TITLE), Role.STRONG, title_width, 2).height + self.px(18)
        gap = self.px(36)
        width = (room.width() - 2 * gap) / 3
        for number, groups in enumerate((("answers",), ("flow",), ("parcel", "help"))):
            x = room.left() + number * (width + gap)
            self._column(ink, QRectF(x, top, width, room.bottom() - top), groups)

    def _column(self, ink: Ink, rect: QRectF, groups: tuple[str, ...]) -> None:
        look = self.look
        rows = max(sum(1 for spec in COMMANDS if spec.group in part) for part in (("answers",), ("flow",), groups))
        head = caption_height(look) + self.px(4)
        row = min(self.px(78), (rect.height() - head) / rows)
        y = rect.top()
        for group in groups:
            ink.text(rect.left(), y, rect.width(), group_word(group), Role.CAPTION, "muted")
            y += head
            for spec in (spec for spec in COMMANDS if spec.group == group):
                self._row(ink, QRectF(rect.left(), y, rect.width(), row), spec)
                y += row

    def _row(self, ink: Ink, rect: QRectF, spec: CommandSpec) -> None:
        look = self.look
        ink.rule(rect.left(), rect.top(), rect.width())
        key = command_key(spec.command)
        _, chip_height = ink.chip_size(key)
        ink.chip(rect.left(), rect.center().y() - chip_height / 2, key)
        lead = max(ink.chip_size(command_key(other.command))[0] for other in COMMANDS) + self.px(18)
        x, width = rect.left() + lead, rect.width() - lead
        word, hint = command_word(spec.command), command_help(spec.command)
        line, small = look.line_height(Role.STRONG), look.line_height(Role.SMALL)
        if line + small <= rect.height():
            y = rect.center().y() - (line + small) / 2
            ink.text(x, y, width, word, Role.STRONG, may_elide=True)
            ink.text(x, y + line, width, hint, Role.SMALL, "muted", may_elide=True)
        else:
            ink.text(x, rect.center().y() - line / 2, width, word, Role.STRONG, may_elide=True)

"""Middle while a scan is awaited: one large sign, and what may be scanned."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QWidget

from station.identify.commands import Command
from station.inspection.view import BenchView, ItemCard, State
from ui.bench.facts import caption_height
from ui.bench.speech import QT_TRANSLATE_NOOP, say
from ui.theme.metrics import Role
from ui.widgets.ink import CENTRE, RIGHT, Ink
from ui.widgets.panel import Card

_READY = QT_TRANSLATE_NOOP("Bench", "Ready for the next parcel")
_NO_LABEL = QT_TRANSLATE_NOOP("Bench", "or scan NO LABEL for a parcel without a return")
_ITEM = QT_TRANSLATE_NOOP("Bench", "Hold the item's code under the scanner")
_ANY = QT_TRANSLATE_NOOP("Bench", "any order; each is inspected by itself")
_ONE = QT_TRANSLATE_NOOP("Bench", "or press NOT IN PARCEL when it did not come")
_OPEN = QT_TRANSLATE_NOOP("Bench", "Still to come in this return")


class ReadyStage(Card):
    """The scan sign, what to do, and the units that a return still expects."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("ready_stage", "", parent)
        self._head = ""
        self._line = ""
        self._open: tuple[ItemCard, ...] = ()

    def show_view(self, view: BenchView) -> None:
        if view.state is State.IDLE:
            head, line = say(_READY), say(_NO_LABEL) if Command.NO_LABEL in view.actions else ""
        else:
            one = Command.MISSING in view.actions
            head, line = say(_ITEM), say(_ANY) if view.others else say(_ONE) if one else ""
        waiting = (view.item, *view.others) if view.item and view.others and view.state is not State.IDLE else ()
        if (head, line, waiting) != (self._head, self._line, self._open):
            self._head, self._line, self._open = head, line, waiting
            self.setAccessibleName(f"{head}. {line}")
            self.update()

    def draw(self, ink: Ink) -> None:
        room, look = self.inner(), self.look
        list_height = self._list_height()
        top, bottom = room.top(), room.bottom() - list_height
        words = look.lines(self._head, Role.HEAD, room.width(), 2).height
        words += look.lines(self._line, Role.BODY, room.width(), 2).height
        gap = self.px(44)
        size = min(self.px(236), bottom - top - words - gap)
        y = top + (bottom - top - size - gap - words) / 2
        if size > self.px(60):
            self._sign(ink, QRectF(room.center().x() - size / 2, y, size, size))
        y += max(0.0, size) + gap
        y += ink.text(room.left(), y, room.width(), self._head, Role.HEAD, align=CENTRE, lines=2)
        ink.text(room.left(), y, room.width(), self._line, Role.BODY, "muted", align=CENTRE, lines=2)
        if list_height:
            self._list(ink, bottom)

    def _sign(self, ink: Ink, rect: QRectF) -> None:
        """The scanner's view of a barcode: four corners and four bars."""
        stroke = rect.width() / 17
        pen = QPen(self.look.colour("accent"), stroke)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter = ink.painter
        painter.setRenderHint(painter.RenderHint.Antialiasing)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        frame = rect.adjusted(stroke / 2, stroke / 2, -stroke / 2, -stroke / 2)
        arm = frame.width() * 0.25
        for corner, dx, dy in (
            (frame.topLeft(), 1, 1),
            (frame.topRight(), -1, 1),
            (frame.bottomLeft(), 1, -1),
            (frame.bottomRight(), -1, -1),
        ):
            painter.drawPolyline([corner + QPointF(dx * arm, 0), corner, corner + QPointF(0, dy * arm)])
        top, bottom = frame.top() + frame.height() * 0.24, frame.bottom() - frame.height() * 0.24
        for part in (0.18, 0.37, 0.56, 0.82):
            x = frame.left() + frame.width() * part
            painter.drawLine(QPointF(x, top), QPointF(x, bottom))

    def _row_height(self) -> int:
        return self.look.line_height(Role.BODY) + self.px(20)

    def _list_height(self) -> float:
        return caption_height(self.look) + len(self._open) * self._row_height() if self._open else 0

    def _list(self, ink: Ink, y: float) -> None:
        room, look = self.inner(), self.look
        ink.text(room.left(), y, room.width(), say(_OPEN), Role.CAPTION, "muted")
        y += caption_height(look)
        for card in self._open:
            ink.rule(room.left(), y, room.width())
            code = card.gtin.lstrip("0") if card.gtin else card.sku or ""
            code_width = look.width(code, Role.BODY) + 2
            row = y + (self._row_height() - look.line_height(Role.BODY)) / 2
            ink.text(room.left(), row, room.width() - code_width - self.px(24), card.title, Role.BODY, may_elide=True)
            ink.text(room.right() - code_width, row, code_width, code, Role.BODY, "muted", align=RIGHT)
            y += self._row_height()

"""The status band: the only thing seen from two metres. Place, shape, word, colour; the sound comes from elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QBrush, QColor, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from station.inspection.view import Band
from ui.theme.look import Look
from ui.theme.metrics import Role
from ui.widgets.ink import CENTRE, Ink
from ui.widgets.panel import CARD_RADIUS, Surface

HEIGHT, SIDE = 168, 32
_FRAME = 8
_FITS = (
    (100, 1, 100, 1),
    (100, 1, 84, 2),
    (86, 1, 100, 1),
    (86, 1, 84, 2),
    (72, 1, 84, 2),
    (58, 2, 84, 1),
    (50, 2, 78, 2),
)
"""Tried in this order: title size in percent and rows, detail size and rows. The last one must hold anything real."""


class StatusBand(Surface):
    """Idle is a plain, inset card; accept, hold and reject run from edge to edge, each with its own shape."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("band", parent)
        self._band = Band.IDLE
        self._icon = "info"
        self._title = ""
        self._detail = ""
        self._mark = ""
        self._hatch: QPixmap | None = None

    @property
    def mark(self) -> str:
        """The plain word that stands on the band whatever it says; empty = none."""
        return self._mark

    def show_mark(self, text: str) -> None:
        """Put a word on the band that no notice takes away."""
        self._mark = text
        self.update()

    @property
    def shown(self) -> tuple[Band, str, str, str]:
        """Band, icon, title and detail as they are painted."""
        return self._band, self._icon, self._title, self._detail

    def set_look(self, look: Look) -> None:
        self._hatch = None
        super().set_look(look)

    def show_notice(self, band: Band, icon: str, title: str, detail: str) -> None:
        """Say one sentence; it stays until the next."""
        if (band, icon, title, detail) == self.shown:
            return
        self._band, self._icon, self._title, self._detail = band, icon, title, detail
        spoken = f"{title}. {detail}" if detail else title
        self.setAccessibleName(spoken)
        if QAccessible.isActive():
            announcement = QAccessibleAnnouncementEvent(self, spoken)
            if band is Band.REJECT:
                announcement.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
            QAccessible.updateAccessibility(announcement)
        self.update()

    def draw(self, ink: Ink) -> None:
        colours = self.look.theme.band(self._band)
        rect = QRectF(self.rect())
        painter = ink.painter
        side = self.px(SIDE)
        if self._band is Band.IDLE:
            inset = rect.adjusted(side, self.px(16), -side, -self.px(4))
            ink.box(inset, colours.fill, colours.mark, radius=self.px(CARD_RADIUS), pen=1.5)
            body = inset
        else:
            painter.fillRect(rect, ink.look.colour(colours.fill))
            body = rect.adjusted(side, 0, -side, 0)
        if self._band is Band.HOLD:
            painter.fillRect(rect, QBrush(self._hatching()))
        elif self._band is Band.REJECT:
            frame = max(6, self.px(_FRAME))
            for strip in (
                QRectF(0, 0, rect.width(), frame),
                QRectF(0, rect.height() - frame, rect.width(), frame),
                QRectF(0, 0, frame, rect.height()),
                QRectF(rect.width() - frame, 0, frame, rect.height()),
            ):
                painter.fillRect(strip, ink.look.colour(colours.mark))
        if self._mark:
            body = self._marked(ink, body, colours.text, colours.fill)
        self._words(ink, body, colours.text)

    def _marked(self, ink: Ink, body: QRectF, fill: str, text: str) -> QRectF:
        """Draw the mark at the right end; what is left for the words."""
        height = self.look.line_height(Role.STRONG)
        width = round(self.look.width(self._mark, Role.STRONG)) + 2 * self.px(20)
        box = QRectF(body.right() - width - self.px(20), 0, width, height + 2 * self.px(10))
        box.moveTop(body.top() + (body.height() - box.height()) / 2)
        ink.box(box, fill, radius=self.px(8))
        ink.text(box.left(), box.top() + self.px(10), width, self._mark, Role.STRONG, text, align=CENTRE)
        return body.adjusted(0, 0, -width - self.px(40), 0)

    def _words(self, ink: Ink, body: QRectF, colour: str) -> None:
        look = self.look
        loud = self._band is not Band.IDLE
        size = self.px(104 if loud else 84)
        left = body.left() + (self.px(18) if loud else self.px(28))
        ink.icon(self._icon, left, body.top() + (body.height() - size) / 2, size, colour)
        x = body.left() + self.px(18 + 104 + 34)
        width = body.right() - x - self.px(24)
        room = body.height() - (2 * max(6, self.px(_FRAME)) if self._band is Band.REJECT else 0)
        scale = 100 if loud else 88
        for title_percent, title_rows, detail_percent, detail_rows in _FITS:
            title_percent = title_percent * scale // 100
            title = look.lines(self._title, Role.TITLE, width, title_rows, title_percent)
            detail = look.lines(self._detail, Role.DETAIL, width, detail_rows, detail_percent)
            height = self._tight(title.height) + (detail.height if self._detail else 0)
            if not title.cut and not detail.cut and height <= room:
                break
        y = body.top() + (body.height() - height) / 2 - (title.height - self._tight(title.height)) / 2
        ink.text(x, y, width, self._title, Role.TITLE, colour, lines=title_rows, percent=title_percent)
        y += (title.height + self._tight(title.height)) / 2
        ink.text(x, y, width, self._detail, Role.DETAIL, colour, lines=detail_rows, percent=detail_percent)

    @staticmethod
    def _tight(height: int) -> int:
        """Display sizes need less air between lines than the font asks for."""
        return round(height * 0.94)

    def _hatching(self) -> QPixmap:
        """One tile of the diagonal stripes: painted once per look, then repeated by the raster engine."""
        if self._hatch is None:
            ratio = self.devicePixelRatioF()
            tile = max(24, self.px(56))
            pixmap = QPixmap(round(tile * ratio), round(tile * ratio))
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(self.look.colour(self.look.theme.hold.fill))
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.look.theme.hold.mark))
            half = tile / 2
            for shift in (-tile, 0):
                painter.drawPolygon(
                    [
                        QPointF(shift + tile, 0),
                        QPointF(shift + tile + half, 0),
                        QPointF(shift + half, tile),
                        QPointF(shift, tile),
                    ]
                )
            painter.end()
            self._hatch = pixmap
        return self._hatch

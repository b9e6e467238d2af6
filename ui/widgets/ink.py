"""Painting text, icons and lines by role, and noting every text that did not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap

from ui.theme.icons import icon
from ui.theme.look import Look
from ui.theme.metrics import Role

LEFT, CENTRE, RIGHT = 0, 1, 2


class Ink:
    """One paint pass of one widget."""

    def __init__(self, painter: QPainter, look: Look, overflow: list[str]) -> None:
        self.painter = painter
        self.look = look
        self._overflow = overflow
        self._ratio = painter.device().devicePixelRatioF()

    def text(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        role: Role,
        colour: str = "text",
        *,
        align: int = LEFT,
        lines: int = 1,
        percent: int = 100,
        may_elide: bool = False,
    ) -> int:
        """Draw a text from its top left corner; returns the height used.

        A text that must not be cut and is cut is noted in the widget's ``overflow``.
        """
        if not text:
            return 0
        look = self.look
        broken = look.lines(text, role, width, lines, percent)
        if broken.cut and not may_elide:
            self._overflow.append(text)
        painter = self.painter
        painter.setFont(look.font(role, percent))
        painter.setPen(look.colour(colour))
        height = look.line_height(role, percent)
        ascent = look.measure(role, percent).ascent()
        # The baseline stands on a whole pixel, so that equal words look equal wherever they are.
        top = round(y + (height - look.measure(role, percent).descent() + ascent) / 2) - ascent
        for row in broken.rows:
            left = x
            if align:
                spare = width - look.width(row, role, percent)
                left = x + (spare if align == RIGHT else spare / 2)
            for offset, part in look.laid_out(row, role, percent):
                painter.drawStaticText(QPointF(left + offset, top), part)
            top += height
        return broken.height

    def icon(self, name: str, x: float, y: float, size: int, colour: str = "text") -> None:
        """Draw an icon from its top left corner."""
        pixmap = icon(name, size, self.look.colour(colour).name(), self._ratio)
        self.painter.drawPixmap(QPointF(round(x), round(y)), pixmap)

    def rule(self, x: float, y: float, width: float) -> None:
        """A hairline."""
        self.painter.fillRect(QRectF(round(x), round(y), width, 1), self.look.colour("line"))

    def corners(self, width: int, height: int, size: int, colour: str) -> None:
        """Fill what a rounded box of this size leaves open, and no more."""
        for x in (0, width - size):
            for y in (0, height - size):
                self.painter.fillRect(x, y, size, size, self.look.colour(colour))

    def box(
        self, rect: QRectF, fill: str | None, edge: str | None = None, *, radius: float = 12, pen: float = 1.0
    ) -> None:
        """A rounded rectangle."""
        painter = self.painter
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if edge and not fill:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.look.colour(edge), pen))
            painter.drawRoundedRect(rect.adjusted(pen / 2, pen / 2, -pen / 2, -pen / 2), radius, radius)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        if edge:
            # Two fills cost half of a fill and a stroke.
            painter.setBrush(self.look.colour(edge))
            painter.drawRoundedRect(rect, radius, radius)
            rect, radius = rect.adjusted(pen, pen, -pen, -pen), radius - pen
        if fill:
            painter.setBrush(self.look.colour(fill))
            painter.drawRoundedRect(rect, radius, radius)

    def dashed(self, rect: QRectF, edge: str, radius: float, pen: float) -> None:
        """The outline of something that is still to come."""
        stroke = QPen(self.look.colour(edge), pen, Qt.PenStyle.CustomDashLine)
        stroke.setDashPattern([3.0, 3.0])
        self.painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.painter.setPen(stroke)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawRoundedRect(rect.adjusted(pen / 2, pen / 2, -pen / 2, -pen / 2), radius, radius)

    def dot(self, centre: QPointF, radius: float, colour: str, *, hollow: bool = False) -> None:
        """A lamp; hollow when it is not well, so that colour is not alone."""
        painter = self.painter
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if hollow:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.look.colour(colour), max(2.0, radius / 2.2)))
            radius -= 1
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.colour(colour))
        painter.drawEllipse(centre, radius, radius)

    def chip_size(self, text: str) -> tuple[int, int]:
        """Width and height of a key's chip."""
        return Ink.chip_size_of(self.look, text)

    @staticmethod
    def chip_size_of(look: Look, text: str) -> tuple[int, int]:
        """The same without painting."""
        height = round(look.line_height(Role.CHIP) * 1.32)
        return max(height, round(look.width(text, Role.CHIP) + height * 0.7)), height

    def chip(self, x: float, y: float, text: str, colour: str = "text", edge: str = "edge") -> int:
        """A key as it stands on the keyboard; returns its width."""
        width, height = self.chip_size(text)
        self.box(QRectF(x, y, width, height), None, edge, radius=height * 0.2, pen=1.5)
        self.text(x, y + (height - self.look.line_height(Role.CHIP)) / 2, width, text, Role.CHIP, colour, align=CENTRE)
        return width

    def picture(
        self, rect: QRectF, pixmap: QPixmap, radius: float, *, behind: str = "surface", crop: bool = False
    ) -> None:
        """A picture that fills the rectangle, cropped in the middle, with rounded corners cut out of ``behind``.

        Where the crop would take more than a fifth away, all of it is shown on a raised ground instead, unless
        ``crop`` says that the middle is enough.
        """
        source = QRectF(pixmap.rect())
        wanted = rect.width() / rect.height()
        shape = source.width() / source.height()
        self.painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if not crop and not 0.8 < shape / wanted < 1.25:
            size = source.size().scaled(rect.size(), Qt.AspectRatioMode.KeepAspectRatio)
            whole = QRectF(0, 0, round(size.width()), round(size.height()))
            whole.moveCenter(rect.center())
            self.box(rect, "raised", radius=radius)
            self.painter.drawPixmap(whole, pixmap, source)
            return
        if source.width() > source.height() * wanted:
            spare = source.width() - source.height() * wanted
            source.adjust(spare / 2, 0, -spare / 2, 0)
        else:
            spare = source.height() - source.width() / wanted
            source.adjust(0, spare / 2, 0, -spare / 2)
        self.painter.drawPixmap(rect, pixmap, source)
        round_corners(self.painter, rect, radius, self.look.colour(behind))

    def drawing(self, rect: QRectF, pixmap: QPixmap) -> None:
        """A drawing, whole, in the middle of the rectangle, as large as it is."""
        size = pixmap.deviceIndependentSize()
        left, top = rect.center().x() - size.width() / 2, rect.center().y() - size.height() / 2
        self.painter.drawPixmap(QPointF(round(left), round(top)), pixmap)


def round_corners(painter: QPainter, rect: QRectF, radius: float, behind: QColor) -> None:
    """Paint the four corners over with what lies behind: cheaper than clipping a picture to a path."""
    path = QPainterPath()
    for x, y, dx, dy in (
        (rect.left(), rect.top(), 1, 1),
        (rect.right(), rect.top(), -1, 1),
        (rect.left(), rect.bottom(), 1, -1),
        (rect.right(), rect.bottom(), -1, -1),
    ):
        corner = QPainterPath(QPointF(x, y))
        corner.lineTo(x + dx * radius, y)
        corner.quadTo(QPointF(x + dx * radius * 0.16, y + dy * radius * 0.16), QPointF(x, y + dy * radius))
        corner.closeSubpath()
        path.addPath(corner)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(behind)
    painter.drawPath(path)


@dataclass(frozen=True, slots=True)
class _Block:
    height: float
    draw: Callable[[float, float], None]
    rank: int
    grow: float


class Column:
    """A column of blocks, top to bottom, that leaves out the least needed ones where there is no room.

    Each block knows its height and how to draw itself at (y, height). Rank 0 stays always; of the others the highest
    rank goes first. One block may grow into the room that is left.
    """

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._blocks: list[_Block] = []

    def add(self, height: float, draw: Callable[[float, float], None], *, rank: int = 0, grow: float = 0.0) -> None:
        """Append a block.

        Args:
            height: what it needs.
            draw: called with the top and the height that it got.
            rank: 0 = always drawn; larger = left out earlier.
            grow: how much more it may take where there is room.
        """
        self._blocks.append(_Block(height, draw, rank, grow))

    def paint(self, top: float, bottom: float) -> int:
        """Draw what fits; returns how many blocks were left out."""
        kept = list(self._blocks)
        room = bottom - top

        def needed() -> float:
            return sum(block.height for block in kept) + self._gap * max(0, len(kept) - 1)

        while needed() > room + 0.5:
            droppable = [block for block in kept if block.rank]
            if not droppable:
                break
            kept.remove(max(droppable, key=lambda block: block.rank))
        spare = max(0.0, room - needed())
        y = top
        for block in kept:
            extra = min(spare, block.grow)
            spare -= extra
            block.draw(y, block.height + extra)
            y += block.height + extra + self._gap
        return len(self._blocks) - len(kept)

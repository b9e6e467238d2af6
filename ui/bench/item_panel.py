"""Left column: what it should be."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from station.inspection.view import ItemCard
from ui.bench.facts import fact_row
from ui.bench.labels import policy_word, reason_word
from ui.bench.speech import QT_TRANSLATE_NOOP, days_ago, money, say
from ui.theme.metrics import Role
from ui.widgets.ink import Column, Ink
from ui.widgets.panel import TILE_RADIUS, Card
from ui.widgets.pictures import Pictures

_RETURN = QT_TRANSLATE_NOOP("Bench", "Return")
_SAYS = QT_TRANSLATE_NOOP("Bench", "Customer says")
_ORDERED = QT_TRANSLATE_NOOP("Bench", "Ordered")
_DELIVERED = QT_TRANSLATE_NOOP("Bench", "Delivered")
_POLICY = QT_TRANSLATE_NOOP("Bench", "Policy")
_MERCHANT = QT_TRANSLATE_NOOP("Bench", "Merchant")
_NUMBER = QT_TRANSLATE_NOOP("Bench", "Unit {position} of {of}")
_LEFT = QT_TRANSLATE_NOOP("Bench", "{ago} · {days} left")
_OVER = QT_TRANSLATE_NOOP("Bench", "{ago} · {days} over")


class ItemPanel(Card):
    """Reference picture, title, and the facts that an inspector compares with."""

    def __init__(self, pictures: Pictures, parent: QWidget) -> None:
        super().__init__("item_panel", "", parent)
        self._pictures = pictures
        self._item: ItemCard | None = None
        self._now: datetime | None = None

    def show_item(self, item: ItemCard | None, now: datetime) -> None:
        """Show an item; ``now`` is what "12 days ago" counts from."""
        if item == self._item and self._now is not None and now.date() == self._now.date():
            return
        self._item, self._now = item, now
        self.setAccessibleName(item.title if item else "")
        self.setAccessibleDescription("; ".join(f"{label}: {value}" for label, value, _ in self._facts()))
        self.update()

    def draw(self, ink: Ink) -> None:
        item = self._item
        if item is None:
            return
        room, look = self.inner(), self.look
        x, width = room.left(), room.width()
        column = Column(gap=0)
        least = self.px(150)

        def picture(y: float, height: float) -> None:
            picture_tile(self, ink, QRectF(x, y, width, height - self.px(14)), item.picture, self._pictures)

        column.add(least + self.px(14), picture, rank=7, grow=max(0, self.px(270) - least))
        if item.of > 1:
            number = say(_NUMBER, {"position": str(item.position), "of": str(item.of)})
            column.add(
                look.line_height(Role.SMALL), lambda y, _: _tell(ink, x, y, width, number, Role.SMALL, "accent"), rank=4
            )
        title = look.lines(item.title, Role.HEAD, width, 3)
        column.add(
            title.height + self.px(14),
            lambda y, _: _tell(ink, x, y + self.px(2), width, item.title, Role.HEAD, "text", lines=3),
        )
        for label, value, rank in self._facts():
            height, draw = fact_row(ink, x, width, label, value, lines=3 if label == say(_SAYS) else 2)
            column.add(height, draw, rank=rank, grow=self.px(8))
        column.paint(room.top(), room.bottom() + self.px(10))

    def _facts(self) -> list[tuple[str, str, int]]:
        """(label, value, rank): the largest rank is left out first where there is no room."""
        item, now = self._item, self._now
        if item is None or now is None:
            return []
        said = reason_word(item.declared_reason) if item.declared_reason else ""
        if item.comment:
            said = f"{said}: “{item.comment}”" if said else f"“{item.comment}”"
        ordered = " · ".join(
            part
            for part in (
                days_ago(item.ordered_at, now) if item.ordered_at else "",
                money(item.paid) if item.paid else "",
            )
            if part
        )
        rows = [
            (say(_RETURN), item.rma or "", 2),
            (say(_SAYS), said, 1),
            (say(_ORDERED), ordered, 3),
            (say(_DELIVERED), self._delivered(item, now), 8),
            (say(_POLICY), policy_word(item.policy, item.policy_days) if item.policy else "", 5),
            (say(_MERCHANT), item.merchant or "", 9),
        ]
        return [(label, value, rank) for label, value, rank in rows if value]

    @staticmethod
    def _delivered(item: ItemCard, now: datetime) -> str:
        if item.delivered_at is None:
            return ""
        ago = days_ago(item.delivered_at, now)
        if item.policy_days is None:
            return ago
        left = item.policy_days - (now.date() - item.delivered_at.date()).days
        return say(_LEFT if left >= 0 else _OVER, {"ago": ago, "days": str(abs(left))})


def picture_tile(card: Card, ink: Ink, rect: QRectF, name: str | None, pictures: Pictures) -> None:
    """A reference picture, or a calm sign that there is none."""
    radius = card.px(TILE_RADIUS)
    pixmap = pictures.catalogue(name)
    if pixmap is not None:
        ink.picture(rect, pixmap, radius)
        return
    ink.box(rect, "raised", radius=radius)
    size = int(min(rect.height() * 0.46, card.px(120)))
    ink.icon("package", rect.center().x() - size / 2, rect.center().y() - size / 2, size, "edge")


def _tell(ink: Ink, x: float, y: float, width: float, text: str, role: Role, colour: str, *, lines: int = 1) -> None:
    ink.text(x, y, width, text, role, colour, lines=lines)

"""A card: the ground that everything on the bench is painted on."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme.look import Look
from ui.widgets.ink import Ink

CARD_RADIUS = 18
TILE_RADIUS = 12
PAD = 27
GAP = 24


class Surface(QWidget):
    """A hand-painted widget: opaque, never focused, and honest about texts that did not fit."""

    def __init__(self, name: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.overflow: list[str] = []
        """Texts that the last paint had to cut although they must be read whole."""
        self._look: Look | None = None
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def set_look(self, look: Look) -> None:
        """Paint with another theme or size from now on."""
        self._look = look
        self.update()

    @property
    def look(self) -> Look:
        assert self._look is not None, f"{self.objectName()} was shown before it had a look"
        return self._look

    def px(self, drawn: float, floor_mm: float = 0.0) -> int:
        """A length of the drawings on this screen."""
        return self.look.px(drawn, floor_mm)

    def draw(self, ink: Ink) -> None:
        """Paint the content; to be written by each kind of surface."""
        raise NotImplementedError

    def ground(self, ink: Ink) -> None:
        """Paint what lies under the content."""
        ink.painter.fillRect(self.rect(), ink.look.colour("ground"))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._look is None:
            return
        painter = QPainter(self)
        self.overflow.clear()
        ink = Ink(painter, self._look, self.overflow)
        self.ground(ink)
        self.draw(ink)
        painter.end()


class Card(Surface):
    """A surface with rounded corners on the ground; content goes into ``inner()``."""

    def __init__(self, name: str, accessible: str, parent: QWidget | None) -> None:
        super().__init__(name, parent)
        self._reserved = 0
        self.setAccessibleName(accessible)

    def reserve(self, pixels: int) -> None:
        """Keep room at the foot of the card, where the window places buttons."""
        if pixels != self._reserved:
            self._reserved = pixels
            self.update()

    def inner(self) -> QRectF:
        """The room for content."""
        pad = self.px(PAD)
        return QRectF(self.rect()).adjusted(pad, pad, -pad, -pad - self._reserved)

    def ground(self, ink: Ink) -> None:
        radius = self.px(CARD_RADIUS)
        ink.corners(self.width(), self.height(), radius, "ground")
        ink.box(QRectF(self.rect()), "surface", "line", radius=radius)

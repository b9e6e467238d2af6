"""The one kind of button: a touch target with its key on it. It never takes the focus and no key presses it."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractButton, QWidget

from ui.theme.look import Look
from ui.theme.metrics import PRIMARY_MM, TOUCH_MM, Role
from ui.widgets.ink import CENTRE, Ink
from ui.widgets.panel import TILE_RADIUS

TILE_INSET = 12
"""Room round the picture and the words of a tile, in drawing pixels."""


class Weight(StrEnum):
    """How much a button asks for attention."""

    MAIN = "main"
    """The one thing to press now: filled."""
    CHOICE = "choice"
    """One of several answers: as large, not filled."""
    PLAIN = "plain"
    """A way out."""
    BAR = "bar"
    """At the foot of the screen."""


class ActionButton(QAbstractButton):
    """A key's chip, a label and a hint on one target sized in millimetres."""

    def __init__(self, name: str, key: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.overflow: list[str] = []
        self.key = key
        self.hint = ""
        self.weight = Weight.PLAIN
        self.picture: QPixmap | None = None
        self.has_picture = False
        self.tiled = False
        self.tile_hint = False
        self._scaled_picture = QPixmap()
        self._scaled_as: tuple[int, int, int] | None = None
        self._stacked: Role | None = None
        self._look: Look | None = None
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.hide()

    def set_look(self, look: Look) -> None:
        self._look = look
        self.update()

    def show_as(self, label: str, hint: str, weight: Weight, *, has_picture: bool = False) -> None:
        """Say what pressing it does now."""
        if (label, hint, weight, has_picture) != (self.text(), self.hint, self.weight, self.has_picture):
            self.hint, self.weight, self.has_picture, self.picture = hint, weight, has_picture, None
            self.setText(label)
            self.setAccessibleName(f"{label} ({self.key})")
            self.setAccessibleDescription(hint)
            self.update()

    def show_picture(self, picture: QPixmap) -> None:
        self.picture = picture
        self.update()

    def target_height(self) -> int:
        """The least height for gloves, pixels."""
        metrics = self._settled().metrics
        main = self.weight in (Weight.MAIN, Weight.CHOICE)
        return metrics.drawn(96 if main else 72, PRIMARY_MM if main else TOUCH_MM)

    def height_for(self, width: int, *, with_hint: bool = True) -> int:
        """The height at which the whole label, and the hint if wanted, can be read at this width."""
        look = self._settled()
        if self.stacks_at(width):
            return self.target_height()
        text_width = width - self._lead() - self._side()
        percent = look.fitting(self.text(), self._role(), text_width)
        height = look.lines(self.text(), self._role(), text_width, 2, percent).height
        if self.hint and with_hint and self.weight is not Weight.BAR:
            height += look.lines(self.hint, Role.SMALL, text_width, 3).height
        return max(self.target_height(), height + look.px(20))

    def width_for_label(self) -> int:
        """The width at which the label stands on one line."""
        return int(self._lead() + self._settled().width(self.text(), self._role()) + self._side()) + 1

    def stacked_width(self) -> int:
        """The width with the key above the label, for a crowded bar."""
        look = self._settled()
        chip, _ = Ink.chip_size_of(look, self.key)
        label = look.width(self.text(), Role.CAPTION)
        return max(int(max(chip, label)) + look.px(14), look.metrics.mm(TOUCH_MM))

    def stack(self, role: Role | None) -> None:
        """Put the key above the label, set in ``role``; None = beside it where it fits. Neighbours look alike."""
        if role is not self._stacked:
            self._stacked = role
            self.update()

    def stack_role(self, width: int) -> Role:
        """The larger of two sizes in which the label fits under its key."""
        look = self._settled()
        _, chip = Ink.chip_size_of(look, self.key)
        tall = self.target_height() - chip - look.line_height(Role.STRONG) >= look.px(8)
        return Role.STRONG if tall and look.width(self.text(), Role.STRONG) <= width - 8 else Role.CAPTION

    def stacks_at(self, width: int) -> bool:
        """Whether the key stands above the label at this width; with a hint only where two rows cannot hold it."""
        if self.tiled or width >= self.width_for_label():
            return False
        return (
            not self.hint
            or self._settled().lines(self.text(), self._role(), width - self._lead() - self._side(), 2).cut
        )

    def fits(self, width: int) -> bool:
        """Whether the whole label can be read at this width, one way or the other."""
        look = self._settled()
        if self.stacks_at(width):
            return look.width(self.text(), Role.CAPTION) <= width
        return not look.lines(self.text(), self._role(), width - self._lead() - self._side(), 2).cut

    def narrowest(self) -> int:
        """The least width at which key and label can be read, one way or the other."""
        return min(self.width_for_label(), self.stacked_width()) if not self.hint else self.width_for_label()

    def _settled(self) -> Look:
        assert self._look is not None, f"{self.objectName()} was used before it had a look"
        return self._look

    def _role(self) -> Role:
        return Role.SMALL if self.weight is Weight.BAR else Role.BUTTON

    def _side(self) -> int:
        return self._settled().px({Weight.BAR: 14, Weight.PLAIN: 16}.get(self.weight, 22))

    def _lead(self) -> int:
        """Room for the chip and the gaps beside it."""
        look = self._settled()
        chip, _ = Ink.chip_size_of(look, self.key)
        if self.weight in (Weight.BAR, Weight.PLAIN):
            return self._side() + chip + look.px(12)
        return self._side() + max(chip, look.px(58)) + look.px(18)

    def _paint(self, ink: Ink) -> None:
        look = ink.look
        rect = QRectF(self.rect())
        main = self.weight is Weight.MAIN
        fill = "accent" if main else "raised"
        if self.isDown():
            fill = "pressed"
        text = "on_accent" if main and not self.isDown() else "text"
        ink.corners(self.width(), self.height(), look.px(TILE_RADIUS), "surface")
        ink.box(rect, fill, None if main else "rim", radius=look.px(TILE_RADIUS), pen=1.5)
        if self.tiled:
            self._paint_tile(ink, rect, text)
        elif self._stacked is not None or self.stacks_at(self.width()):
            self._paint_stacked(ink, text, self._stacked or Role.CAPTION)
        else:
            self._paint_row(ink, text, rect)

    def _paint_stacked(self, ink: Ink, text: str, role: Role) -> None:
        look = ink.look
        chip, chip_height = ink.chip_size(self.key)
        spare = self.height() - chip_height - look.line_height(role)
        gap = max(0, min(look.px(6), spare // 3))
        top = (self.height() - chip_height - gap - look.line_height(role)) / 2
        ink.chip((self.width() - chip) / 2, top, self.key, text)
        ink.text(0, top + chip_height + gap, self.width(), self.text(), role, text, align=CENTRE)

    def _paint_row(self, ink: Ink, text: str, rect: QRectF) -> None:
        look = ink.look
        lead, side = self._lead(), self._side()
        _, chip_height = ink.chip_size(self.key)
        muted = text if self.weight is Weight.MAIN else "muted"
        ink.chip(side, rect.top() + (rect.height() - chip_height) / 2, self.key, text, muted)
        width = rect.width() - lead - side
        percent = look.fitting(self.text(), self._role(), width)
        rows = max(2, int(rect.height() // look.line_height(self._role(), percent)))
        label = look.lines(self.text(), self._role(), width, rows, percent)
        hint = None
        if self.hint and self.weight is not Weight.BAR:
            hint = look.lines(self.hint, Role.SMALL, width, 3)
            if hint.cut or label.height + hint.height > rect.height() - look.px(8):
                hint = None
        y = rect.top() + (rect.height() - label.height - (hint.height if hint else 0)) / 2
        y += ink.text(lead, y, width, self.text(), self._role(), text, lines=rows, percent=percent)
        if hint:
            ink.text(lead, y, width, self.hint, Role.SMALL, muted, lines=3, may_elide=True)

    def _paint_tile(self, ink: Ink, rect: QRectF, text: str) -> None:
        """The picture with the key in its corner, the words below it."""
        look, inset = ink.look, ink.look.px(TILE_INSET)
        width = rect.width() - 2 * inset
        foot = self.tile_foot(self.width(), with_hint=self.tile_hint)
        frame = QRectF(inset, inset, width, max(1.0, rect.height() - foot - inset))
        chip, _ = ink.chip_size(self.key)
        if self.picture is not None and self.picture.hasAlphaChannel():
            beside = frame.adjusted(chip + inset / 2, 0, 0, 0)
            place = frame if frame.width() - 2 * (chip + inset / 2) >= frame.height() * 1.5 else beside
            ink.drawing(place, self._scaled(place, ink))
        elif self.picture is not None:
            ink.picture(frame, self.picture, look.px(8), behind="pressed" if self.isDown() else "raised")
        ink.chip(inset, inset, self.key, text)
        percent = look.fitting(self.text(), self._role(), width)
        y = rect.height() - foot
        y += ink.text(inset, y, width, self.text(), self._role(), text, lines=2, percent=percent)
        if self.hint and self.tile_hint:
            ink.text(inset, y, width, self.hint, Role.SMALL, "muted", lines=2, may_elide=True)

    def _scaled(self, frame: QRectF, ink: Ink) -> QPixmap:
        """The drawing at the size it is painted in; computed once."""
        assert self.picture is not None
        ratio = ink.painter.device().devicePixelRatio()
        size = (frame.size() * ratio).toSize()
        key = (self.picture.cacheKey(), size.width(), size.height())
        if self._scaled_as != key:
            aspect, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            self._scaled_picture = self.picture.scaled(size, aspect, smooth)
            self._scaled_picture.setDevicePixelRatio(ratio)
            self._scaled_as = key
        return self._scaled_picture

    def tile_foot(self, width: int, *, with_hint: bool) -> int:
        """Height of the words under a picture of this width."""
        look = self._settled()
        text_width = width - 2 * look.px(TILE_INSET)
        percent = look.fitting(self.text(), self._role(), text_width)
        height = look.lines(self.text(), self._role(), text_width, 2, percent).height
        if self.hint and with_hint:
            height += look.lines(self.hint, Role.SMALL, text_width, 2).height
        return round(height) + look.px(TILE_INSET)

    def least_picture(self) -> int:
        """Height below which a drawing tells nothing at arm's length, pixels."""
        return self._settled().metrics.mm(9)

    def tile_reads(self, width: int, *, with_hint: bool) -> bool:
        """Whether the words under a picture of this width are shown to the last letter."""
        look = self._settled()
        text_width = width - 2 * look.px(TILE_INSET)
        percent = look.fitting(self.text(), self._role(), text_width)
        cut = look.lines(self.text(), self._role(), text_width, 2, percent).cut
        return not cut and not (self.hint and with_hint and look.lines(self.hint, Role.SMALL, text_width, 2).cut)

    def sizeHint(self) -> QSize:
        if self._look is None:
            return QSize(1, 1)
        return QSize(self.width_for_label(), self.target_height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._look is None:
            return
        painter = QPainter(self)
        self.overflow.clear()
        self._paint(Ink(painter, self._look, self.overflow))
        painter.end()

"""Middle while the item lies on the scale under the camera: the live picture, and the weight as it settles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from station.inspection.facts import WeightJudgement, WeightReading, WeightVerdict
from station.inspection.view import BenchView
from ui.bench.speech import NBSP, QT_TRANSLATE_NOOP, mass, say
from ui.theme.look import Look
from ui.theme.metrics import Role
from ui.widgets.ink import CENTRE, Ink, round_corners
from ui.widgets.panel import PAD, TILE_RADIUS, Card, Surface

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

_NO_PICTURE = QT_TRANSLATE_NOOP("Bench", "Waiting for the camera")
_EXPECTED = QT_TRANSLATE_NOOP("Bench", "expected {mass}")
_EXPECTED_RANGE = QT_TRANSLATE_NOOP("Bench", "expected {mass} ± {tolerance}")
_WIDEST = "888 g"
"""Words beside the number do not move while it counts."""
_STATUS = {
    "settled": QT_TRANSLATE_NOOP("Bench", "settled"),
    "ok": QT_TRANSLATE_NOOP("Bench", "settling …"),
    "motion": QT_TRANSLATE_NOOP("Bench", "moving …"),
    "overload": QT_TRANSLATE_NOOP("Bench", "too heavy for this scale"),
    "underload": QT_TRANSLATE_NOOP("Bench", "below zero: clear the scale"),
    "zero_error": QT_TRANSLATE_NOOP("Bench", "zero is off: clear the scale"),
    "not_zeroed": QT_TRANSLATE_NOOP("Bench", "not zeroed: clear the scale"),
    "fault": QT_TRANSLATE_NOOP("Bench", "the scale reports a fault"),
    "no_reply": QT_TRANSLATE_NOOP("Bench", "the scale does not answer"),
    "waiting": QT_TRANSLATE_NOOP("Bench", "nothing on the scale yet"),
}
_VERDICTS = {
    WeightVerdict.PLAUSIBLE: QT_TRANSLATE_NOOP("Bench", "as expected"),
    WeightVerdict.TOO_LIGHT: QT_TRANSLATE_NOOP("Bench", "{mass} too light"),
    WeightVerdict.TOO_HEAVY: QT_TRANSLATE_NOOP("Bench", "{mass} too heavy"),
    WeightVerdict.EMPTY: QT_TRANSLATE_NOOP("Bench", "feels empty"),
    WeightVerdict.CANNOT_TELL: QT_TRANSLATE_NOOP("Bench", "nothing to compare with"),
}


def verdict_word(judgement: WeightJudgement) -> str:
    """What the weight says, in two or three words."""
    difference = judgement.difference_mg
    facts = {"mass": mass(abs(difference)) if difference is not None else ""}
    return say(_VERDICTS[judgement.verdict], facts)


class LivePicture(QWidget):
    """The camera's picture, corner marks, and a ring that closes while the item lies still.

    A frame costs one ``drawImage``; nothing is laid out and nothing around it is painted again.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("live_picture")
        self.setAccessibleName("Live picture")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._look: Look | None = None
        self._image: QImage | None = None
        self._still = 0.0
        self._hint = ""
        self.overflow: list[str] = []

    def set_look(self, look: Look) -> None:
        self._look = look
        self.update()

    def show_frame(self, bgra: NDArray[uint8], still: float, hint: str) -> None:
        """Show one frame.

        Args:
            bgra: ``(height, width, 4) uint8``, contiguous; must not be written to again.
            still: 0…1, how far the wait for stillness has come.
            hint: two or three words, e.g. ``hold still``.
        """
        height, width = bgra.shape[:2]
        self._image = QImage(bgra.data, width, height, bgra.strides[0], QImage.Format.Format_RGB32)
        self._still, self._hint = min(1.0, max(0.0, still)), hint
        if self.isVisible():
            self.update()

    def clear(self) -> None:
        """No camera: the place says so."""
        if self._image is not None:
            self._image, self._still, self._hint = None, 0.0, ""
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = self._look
        if look is None:
            return
        painter = QPainter(self)
        self.overflow.clear()
        rect = QRectF(self.rect())
        if self._image is None:
            painter.fillRect(self.rect(), look.colour("raised"))
            ink = Ink(painter, look, self.overflow)
            size = look.px(96)
            ink.icon("camera", rect.center().x() - size / 2, rect.center().y() - size, size, "edge")
            y = rect.center().y() + look.px(16)
            ink.text(rect.left(), y, rect.width(), say(_NO_PICTURE), Role.BODY, "muted", align=CENTRE)
        else:
            painter.drawImage(rect, self._image, self._cropped(rect))
            self._overlay(painter, rect, look)
        round_corners(painter, rect, look.px(TILE_RADIUS), look.colour("surface"))
        painter.end()

    def _cropped(self, rect: QRectF) -> QRectF:
        """The middle of the frame that fills the place without distortion."""
        assert self._image is not None
        source = QRectF(self._image.rect())
        wanted = rect.width() / max(1.0, rect.height())
        if source.width() > source.height() * wanted:
            spare = (source.width() - source.height() * wanted) / 2
            return source.adjusted(spare, 0, -spare, 0)
        spare = (source.height() - source.width() / wanted) / 2
        return source.adjusted(0, spare, 0, -spare)

    def _overlay(self, painter: QPainter, rect: QRectF, look: Look) -> None:
        px = look.px
        arm, thick = px(50), max(3, px(5))
        margin = min(rect.height() * 0.09, px(70))
        frame = QRectF(0, 0, rect.width() * 0.66, rect.height() - 2 * margin)
        frame.moveCenter(rect.center())
        for pen in (QPen(Qt.GlobalColor.black, thick + 3), QPen(look.colour(look.theme.accept.fill), thick)):
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            for corner, dx, dy in (
                (frame.topLeft(), 1, 1),
                (frame.topRight(), -1, 1),
                (frame.bottomLeft(), 1, -1),
                (frame.bottomRight(), -1, -1),
            ):
                painter.drawPolyline([corner + QPointF(dx * arm, 0), corner, corner + QPointF(0, dy * arm)])
        if self._still > 0:
            self._ring(painter, rect.center(), px(50), px(11))
        if self._hint:
            self._say_hint(painter, rect, look)

    def _ring(self, painter: QPainter, centre: QPointF, radius: int, thick: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        circle = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(Qt.GlobalColor.black, thick + 4))
        painter.drawEllipse(circle)
        pen = QPen(Qt.GlobalColor.darkGray, thick)
        painter.setPen(pen)
        painter.drawEllipse(circle)
        pen = QPen(Qt.GlobalColor.white, thick)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(circle, 90 * 16, -round(self._still * 360 * 16))

    def _say_hint(self, painter: QPainter, rect: QRectF, look: Look) -> None:
        """On a solid chip: a picture behind text promises no contrast."""
        ink = Ink(painter, look, self.overflow)
        px = look.px
        width = min(look.width(self._hint, Role.BODY), rect.width() - px(72))
        height = look.line_height(Role.BODY) + px(12)
        chip = QRectF(0, rect.bottom() - height - px(18), width + px(36), height)
        chip.moveLeft(rect.center().x() - chip.width() / 2)
        ink.box(chip, "surface", radius=height / 2)
        ink.text(
            chip.left() + px(18), chip.top() + px(6), width + 1, self._hint, Role.BODY, align=CENTRE, may_elide=True
        )


class WeightStrip(Surface):
    """The weight in big type, whether it has settled, what was expected, and where it lies in that range."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("weight_strip", parent)
        self._reading: WeightReading | None = None
        self._judgement: WeightJudgement | None = None
        self._expected: int | None = None
        self._tolerance: int | None = None
        self._live: tuple[int | None, str, bool] = (None, "waiting", False)
        self._reserved_right = 0

    def show_view(self, view: BenchView) -> None:
        shown = (view.weight, view.judgement, view.expected_mg, view.tolerance_mg)
        if shown != (self._reading, self._judgement, self._expected, self._tolerance):
            self._reading, self._judgement, self._expected, self._tolerance = shown
            self._name()

    def show_indication(self, gross_mg: int | None, status: str, stable: bool) -> None:
        if (gross_mg, status, stable) != self._live:
            self._live = (gross_mg, status, stable)
            if self._reading is None:
                self._name()

    def needed_width(self) -> int:
        """What number and words need, so that buttons beside them may take the rest."""
        look = self.look
        number, state, _, expected = self._texts()
        words = max(look.width(state, Role.STRONG), look.width(expected, Role.SMALL))
        figure = max(look.width(number, Role.FIGURE), look.width(_WIDEST, Role.FIGURE))
        return round(figure + words) + self.px(28 + 24)

    def reserve_right(self, pixels: int) -> None:
        """Keep room for buttons at the right."""
        if pixels != self._reserved_right:
            self._reserved_right = pixels
            self.update()

    def _name(self) -> None:
        self.setAccessibleName(" ".join(self._texts()[:2]))
        self.update()

    def _texts(self) -> tuple[str, str, str, str]:
        """Number, its state, the state's colour, and what was expected."""
        gross, status, stable = self._live
        if self._reading is not None:
            number = mass(self._reading.gross_mg)
            if self._judgement is not None:
                verdict = self._judgement.verdict
                well = verdict is WeightVerdict.PLAUSIBLE
                colour = "done" if well else "muted" if verdict is WeightVerdict.CANNOT_TELL else "attention"
                return number, verdict_word(self._judgement), colour, self._expectation()
            return number, say(_STATUS["settled"]), "done", self._expectation()
        word = "settled" if stable and status == "ok" else status
        number = mass(gross) if gross is not None else "–"
        return (
            number,
            say(_STATUS.get(word, _STATUS["fault"])),
            "done" if word == "settled" else "muted",
            (self._expectation()),
        )

    def _expectation(self, *, worded: bool = True) -> str:
        if self._expected is None:
            return ""
        tolerance = mass(self._tolerance) if self._tolerance else ""
        expected = mass(self._expected)
        if tolerance and expected.rpartition(NBSP)[2] == tolerance.rpartition(NBSP)[2]:
            expected = expected.rpartition(NBSP)[0]
        if not worded:
            return f"{expected} ± {tolerance}" if tolerance else expected
        facts = {"mass": expected, "tolerance": tolerance}
        return say(_EXPECTED_RANGE if self._tolerance else _EXPECTED, facts)

    def ground(self, ink: Ink) -> None:
        ink.painter.fillRect(self.rect(), ink.look.colour("surface"))

    def draw(self, ink: Ink) -> None:
        number, state, colour, expected = self._texts()
        look = self.look
        self._gauge(ink)
        top = self.px(26)
        height = self.height() - top
        figure = look.lines(number, Role.FIGURE, self.width(), 1)
        ink.text(0, top + (height - figure.height) / 2, self.width(), number, Role.FIGURE)
        x = max(look.width(number, Role.FIGURE), look.width(_WIDEST, Role.FIGURE)) + self.px(28)
        width = self.width() - x - self._reserved_right
        role, rows = (Role.STRONG, 1) if look.width(state, Role.STRONG) <= width else (Role.SMALL, 2)
        if look.width(expected, Role.SMALL) > width:
            expected = self._expectation(worded=False)
        if look.width(expected, Role.SMALL) > width:
            rows, expected = 3, ""
        state_height = look.lines(state, role, width, rows).height
        y = top + (height - state_height - (look.line_height(Role.SMALL) if expected else 0)) / 2
        ink.text(x, y, width, state, role, colour, lines=rows)
        ink.text(x, y + state_height, width, expected, Role.SMALL, "muted")

    def _gauge(self, ink: Ink) -> None:
        """A scale of its own: the plausible range as a bar, the weight as a mark on it."""
        expected, tolerance = self._expected, self._tolerance
        gross = self._reading.gross_mg if self._reading is not None else self._live[0]
        line = QRectF(0, self.px(12), self.width(), max(2, self.px(4)))
        ink.box(line, "line", radius=line.height() / 2)
        if expected is None or not tolerance:
            return
        reach = max(6 * tolerance, expected // 5)
        low, high = expected - reach, expected + reach

        def at(value: int) -> float:
            return self.width() * min(1.0, max(0.0, (value - low) / (high - low)))

        height = max(6, self.px(10))
        zone = QRectF(at(expected - tolerance), line.center().y() - height / 2, 0, height)
        zone.setRight(at(expected + tolerance))
        ink.box(zone, "edge", radius=height / 2)
        if gross is not None and gross > 0:
            within = abs(gross - expected) <= tolerance
            radius = max(7, self.px(11))
            x = min(self.width() - radius - 1, max(radius + 1, at(gross)))
            ink.dot(QPointF(x, line.center().y()), radius, "done" if within else "attention")


class LiveStage(Card):
    """The card around picture and weight; the window puts buttons into its foot and answers between them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("live_stage", "", parent)
        self.picture = LivePicture(self)
        self.weight = WeightStrip(self)
        self._answers_height = 0

    def set_look(self, look: Look) -> None:
        super().set_look(look)
        self.picture.set_look(look)
        self.weight.set_look(look)

    def show_view(self, view: BenchView) -> None:
        self.weight.show_view(view)
        self.setAccessibleName(view.current_shot.title if view.current_shot else "")

    def strip_height(self, foot: int) -> int:
        """The weight's strip with its buttons of height ``foot``."""
        words = self.look.line_height(Role.STRONG) + self.look.line_height(Role.SMALL)
        return self.px(26) + max(foot, words, self.look.line_height(Role.FIGURE)) + self.px(8)

    def arrange(self, answers_height: int, foot: int, foot_width: int) -> None:
        """Divide the card: picture above, answers (placed by the window) below it, the weight at the foot."""
        pad = self.px(PAD)
        strip = self.strip_height(foot)
        bottom = self.height() - self.px(14) - strip
        self.weight.setGeometry(pad, bottom, self.width() - 2 * pad, strip)
        self.weight.reserve_right(foot_width)
        inset = self.px(14)
        height = bottom - self.px(10) - inset - (answers_height + self.px(14) if answers_height else 0)
        self.picture.setGeometry(inset, inset, self.width() - 2 * inset, max(1, height))

    def draw(self, ink: Ink) -> None:
        """The card is only the ground of its two parts."""

"""Right column in the other states: ways out, the result, and what was just done."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from station.inspection.ports import RecentUnit, ShiftFigures
from station.inspection.view import BenchView
from ui.bench.facts import caption_height, fact_row
from ui.bench.labels import disposition_word
from ui.bench.speech import QT_TRANSLATE_NOOP, duration, money, say
from ui.theme.metrics import Role
from ui.widgets.ink import RIGHT, Column, Ink
from ui.widgets.panel import Card

_WHAT_NOW = QT_TRANSLATE_NOOP("Bench", "What now")
_RIGHT_ITEM = QT_TRANSLATE_NOOP("Bench", "Scan the right item")
_REFUND = QT_TRANSLATE_NOOP("Bench", "Refund")
_BY_PERSON = QT_TRANSLATE_NOOP("Bench", "A person decides")
_GOES_TO = QT_TRANSLATE_NOOP("Bench", "Goes to")
_PLATE = QT_TRANSLATE_NOOP("Bench", "Licence plate")
_TIME = QT_TRANSLATE_NOOP("Bench", "Time")
_JUST_DONE = QT_TRANSLATE_NOOP("Bench", "Just done")
_FIRST = QT_TRANSLATE_NOOP("Bench", "The first unit of this shift will stand here.")
_SHIFT = QT_TRANSLATE_NOOP("Bench", "This shift")
_UNITS = QT_TRANSLATE_NOOP("Bench", "units")
_MEDIAN = QT_TRANSLATE_NOOP("Bench", "median per unit")
_PARKED = QT_TRANSLATE_NOOP("Bench", "parked")
_LOOKS = QT_TRANSLATE_NOOP("Bench", "second look")


class WaysPanel(Card):
    """What can be done besides scanning; the buttons are placed by the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("ways_panel", "", parent)
        self._wrong = False

    def show_view(self, view: BenchView) -> None:
        wrong = view.mismatch is not None
        if wrong != self._wrong or not self.accessibleName():
            self._wrong = wrong
            self.setAccessibleName(say(_WHAT_NOW))
            self.update()

    def head_height(self) -> int:
        """Caption and the line about scanning, which is no button: a scan needs none."""
        return caption_height(self.look) + (self._scan_height() + self.px(16) if self._wrong else 0)

    def _scan_height(self) -> int:
        width = self.inner().width() - self.px(98 + 12)
        percent = self.look.fitting(say(_RIGHT_ITEM), Role.BUTTON, width)
        return self.look.lines(say(_RIGHT_ITEM), Role.BUTTON, width, 2, percent).height + self.px(44)

    def draw(self, ink: Ink) -> None:
        room = self.inner()
        ink.text(room.left(), room.top() - self.px(4), room.width(), say(_WHAT_NOW), Role.CAPTION, "muted")
        if not self._wrong:
            return
        top = room.top() + caption_height(self.look)
        height = self._scan_height()
        rect = QRectF(room.left(), top, room.width(), height)
        ink.dashed(rect, "accent", self.px(12), max(1.5, self.px(2)))
        size = self.px(46)
        ink.icon("scan-barcode", rect.left() + self.px(26), rect.center().y() - size / 2, size, "accent")
        x = rect.left() + self.px(98)
        text, width = say(_RIGHT_ITEM), rect.right() - x - self.px(12)
        percent = self.look.fitting(text, Role.BUTTON, width)
        y = rect.center().y() - self.look.lines(text, Role.BUTTON, width, 2, percent).height / 2
        ink.text(x, y, width, text, Role.BUTTON, lines=2, percent=percent)


class ResultPanel(Card):
    """Refund, tote in type that is read while walking, licence plate, time."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("result_panel", "", parent)
        self._view: BenchView | None = None

    def show_view(self, view: BenchView) -> None:
        old = self._view
        shown = (view.decision, view.lpn, view.unit_seconds)
        if old is not None and (old.decision, old.lpn, old.unit_seconds) == shown:
            return
        self._view = view
        if view.decision is not None:
            self.setAccessibleName(f"{say(_GOES_TO)} {view.decision.tote}")
            self.setAccessibleDescription(f"{say(_REFUND)}: {self._refund()}")
        self.update()

    def _refund(self) -> str:
        decision = self._view.decision if self._view else None
        if decision is None:
            return "–"
        return money(decision.refund.amount) if decision.refund.amount is not None else say(_BY_PERSON)

    def draw(self, ink: Ink) -> None:
        view = self._view
        if view is None or view.decision is None:
            return
        room, look, decision = self.inner(), self.look, view.decision
        x, width = room.left(), room.width()
        column = Column(gap=0)
        head = caption_height(look)

        def caption(text: str, rank: int) -> None:
            column.add(head, lambda y, _: _text(ink, x, y, width, text, Role.CAPTION, "muted"), rank=rank)

        caption(say(_REFUND), 2)
        amount = self._refund()
        role, percent = _fitting(self, amount, Role.FIGURE if decision.refund.amount else Role.HEAD, width)
        column.add(
            look.line_height(role, percent),
            lambda y, _: _text(ink, x, y, width, amount, role, "text", percent=percent),
            rank=1,
        )
        why = decision.refund.trail[0].text if decision.refund.trail else ""
        if why:
            height = look.lines(why, Role.BODY, width, 3).height
            column.add(
                height,
                lambda y, _: _text(ink, x, y, width, why, Role.BODY, "muted", lines=3, may_elide=True),
                rank=9,
            )
        column.add(self.px(14), lambda y, _: None, grow=self.px(22))
        caption(say(_GOES_TO), 3)
        tote_role, tote_percent = _fitting(self, decision.tote, Role.TOTE, width)
        cap = look.measure(tote_role, tote_percent).capHeight()

        def tote(y: float, height: float) -> None:
            line = look.line_height(tote_role, tote_percent)
            measure = look.measure(tote_role, tote_percent)
            above = (line - measure.ascent() - measure.descent()) / 2 + measure.ascent() - cap
            _text(ink, x, y + (height - cap) / 2 - above, width, decision.tote, tote_role, "text", percent=tote_percent)

        column.add(cap + self.px(24), tote)
        word = disposition_word(decision.disposition.value)
        column.add(
            look.line_height(Role.BODY) + self.px(10),
            lambda y, _: _text(ink, x, y, width, word, Role.BODY, "muted"),
            rank=6,
        )
        column.add(self.px(8), lambda y, _: None, rank=10, grow=self.px(12))
        for label, value, rank in (
            (say(_PLATE), view.lpn or "", 7),
            (say(_TIME), duration(view.unit_seconds) if view.unit_seconds is not None else "", 8),
        ):
            if value:
                row, draw = fact_row(ink, x, width, label, value)
                column.add(row, draw, rank=rank, grow=self.px(4))
        column.paint(room.top() - self.px(4), room.bottom() + self.px(8))


class RecentPanel(Card):
    """While idle: what was just done, and the bench's own pace. No ranking of people."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("recent_panel", "", parent)
        self._recent: tuple[RecentUnit, ...] = ()
        self._figures: ShiftFigures | None = None

    def show_view(self, view: BenchView) -> None:
        if (view.recent, view.figures) == (self._recent, self._figures) and self.accessibleName():
            return
        self._recent, self._figures = view.recent, view.figures
        self.setAccessibleName(say(_JUST_DONE))
        self.setAccessibleDescription("; ".join(f"{unit.title}: {_fate(unit)}" for unit in view.recent))
        self.update()

    def draw(self, ink: Ink) -> None:
        room, look = self.inner(), self.look
        x, width = room.left(), room.width()
        figures_height = self._figures_height()
        ink.text(x, room.top() - self.px(4), width, say(_JUST_DONE), Role.CAPTION, "muted")
        top = room.top() + caption_height(look)
        least = look.line_height(Role.BODY) + max(8, self.px(22))
        free = room.bottom() - figures_height - self.px(30) - top
        row = max(least, min(self.px(84), free / max(1, len(self._recent))))
        fits = int(free // row)
        if not self._recent:
            ink.text(x, top + self.px(12), width, say(_FIRST), Role.BODY, "muted", lines=2)
        for number, unit in enumerate(self._recent[: max(0, fits)]):
            y = top + number * row
            if number:
                ink.rule(x, y, width)
            fate = _fate(unit)
            fate_width = min(look.width(fate, Role.BODY) + 2, width * 0.62)
            line = y + (row - look.line_height(Role.BODY)) / 2
            ink.text(x, line, width - fate_width - self.px(24), unit.title, Role.BODY, may_elide=True)
            colour = "attention" if unit.second_look else "text"
            ink.text(x + width - fate_width, line, fate_width, fate, Role.BODY, colour, align=RIGHT, may_elide=True)
        if self._figures is not None:
            self._draw_figures(ink, room.bottom() - figures_height)

    def _figures_height(self) -> float:
        if self._figures is None:
            return 0
        look = self.look
        return caption_height(look) + look.line_height(Role.FIGURE) + look.line_height(Role.BODY) + self.px(8)

    def _draw_figures(self, ink: Ink, y: float) -> None:
        figures, look, room = self._figures, self.look, self.inner()
        assert figures is not None
        ink.text(room.left(), y, room.width(), say(_SHIFT), Role.CAPTION, "muted")
        y += caption_height(look)
        median = duration(figures.median_seconds) if figures.median_seconds is not None else "–"
        x = room.left()
        for value, word in (
            (str(figures.units), say(_UNITS)),
            (median, say(_MEDIAN)),
            (str(figures.parked), say(_PARKED)),
        ):
            width = max(look.width(value, Role.FIGURE), look.width(word, Role.BODY)) + 2
            ink.text(x, y, width, value, Role.FIGURE)
            ink.text(x, y + look.line_height(Role.FIGURE), width, word, Role.BODY, "muted")
            x += width + self.px(44)


def _fate(unit: RecentUnit) -> str:
    parts = [unit.grade or "", disposition_word(unit.disposition.value), unit.tote]
    if unit.second_look:
        parts = [parts[1], say(_LOOKS)]
    return " · ".join(part for part in parts if part)


def _fitting(card: Card, text: str, role: Role, width: float) -> tuple[Role, int]:
    """The size in percent at which one line holds the text."""
    percent = 100
    while percent > 40 and card.look.width(text, role, percent) > width:
        percent -= 4
    return role, percent


def _text(
    ink: Ink,
    x: float,
    y: float,
    width: float,
    text: str,
    role: Role,
    colour: str,
    *,
    lines: int = 1,
    percent: int = 100,
    may_elide: bool = False,
) -> None:
    ink.text(x, y, width, text, role, colour, lines=lines, percent=percent, may_elide=may_elide)

"""Middle while a question is open: the ground under the answers, which are buttons of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF
from PySide6.QtWidgets import QWidget

from station.inspection.protocol import Kind, Question
from station.inspection.view import BenchView
from ui.bench.facts import caption_height
from ui.bench.speech import QT_TRANSLATE_NOOP, say
from ui.theme.metrics import GAP_MM, Role
from ui.widgets.button import ActionButton
from ui.widgets.ink import Ink
from ui.widgets.panel import Card

_COUNT = QT_TRANSLATE_NOOP("Bench", "Question {number} of {count}")
_TYPE_NUMBER = QT_TRANSLATE_NOOP("Bench", "Type it: {least} to {most}")
_TYPE_TEXT = QT_TRANSLATE_NOOP("Bench", "Type it in a few words")
_SCAN_CODE = QT_TRANSLATE_NOOP("Bench", "Scan the code, or type it")
_FIELD_MM = 22
_MOST_TYPED = 200
_OR = QT_TRANSLATE_NOOP("Bench", "Or all at once")


class AskStage(Card):
    """Says which question of how many, and heads the short cuts."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("ask_stage", "", parent)
        self._count = ""
        self._shortcuts_at: int | None = None
        self._question: Question | None = None
        self._asked: tuple[object, ...] = ()
        self._typed = ""

    @property
    def takes_typing(self) -> bool:
        """A number, a text or a code is asked for: keys go into the field."""
        return self._question is not None and self._question.is_entered

    @property
    def typed(self) -> str:
        """What stands in the field."""
        return self._typed

    def type_text(self, text: str) -> None:
        """Put what was typed behind what stands there."""
        self._show_typed((self._typed + text)[:_MOST_TYPED])

    def erase(self) -> None:
        """Take the last letter away."""
        self._show_typed(self._typed[:-1])

    def clear(self) -> None:
        self._show_typed("")

    def _show_typed(self, typed: str) -> None:
        if typed != self._typed:
            self._typed = typed
            self.setAccessibleDescription(typed)
            self.update()

    def show_view(self, view: BenchView) -> None:
        asked = (view.lpn, view.question_number, view.question.id if view.question is not None else None)
        if asked != self._asked:
            self._asked, self._question = asked, view.question
            self.clear()
            self.update()
        facts = {"number": str(view.question_number), "count": str(view.question_count)}
        count = say(_COUNT, facts) if view.question_count else ""
        if count != self._count:
            self._count = count
            self.setAccessibleName(count)
            self.update()

    def arrange(self, answers: Sequence[ActionButton], shortcuts: Sequence[ActionButton]) -> list[QRect]:
        """Rectangles for the answers, then for the short cuts, in this card's own coordinates."""
        room = self.inner()
        head = caption_height(self.look)
        top = room.top() + head
        if self.takes_typing:
            top += self._field_height() + self.px(18)
        gap = max(self.px(16), self.look.metrics.mm(GAP_MM))
        below = 0
        if shortcuts:
            below = round(head) + max(button.target_height() for button in shortcuts)
        area = QRect(round(room.left()), round(top), round(room.width()), round(room.bottom() - top))
        space = area.adjusted(0, 0, 0, -(below + self.px(18)) if shortcuts else 0)
        rects = grid(answers, space, gap)
        self._shortcuts_at = None
        if shortcuts:
            y = area.bottom() + 1 - below
            self._shortcuts_at = y
            width = (area.width() - gap * (len(shortcuts) - 1)) // len(shortcuts)
            height = below - round(head)
            rects += [
                QRect(area.left() + i * (width + gap), y + round(head), width, height) for i in range(len(shortcuts))
            ]
        self.update()
        return rects

    def draw(self, ink: Ink) -> None:
        room = self.inner()
        ink.text(room.left(), room.top() - self.px(4), room.width(), self._count, Role.CAPTION, "muted")
        if self._question is not None and self.takes_typing:
            self._draw_field(ink, self._question)
        if self._shortcuts_at is not None:
            ink.text(room.left(), self._shortcuts_at, room.width(), say(_OR), Role.CAPTION, "muted")

    def _field_height(self) -> int:
        line = self.look.line_height(Role.FIGURE) + self.look.line_height(Role.CAPTION)
        return max(self.look.metrics.mm(_FIELD_MM), line + 2 * self.px(14))

    def _draw_field(self, ink: Ink, question: Question) -> None:
        """The entry as large as a weight, its unit at the right, below it what is asked for."""
        room, pad = self.inner(), self.px(14)
        field = QRectF(room.left(), room.top() + caption_height(self.look), room.width(), self._field_height())
        ink.box(field, "ground", "edge", radius=self.px(12), pen=2)
        unit = question.number.unit if question.number is not None else ""
        unit_width = self.look.width(unit, Role.HEAD) if unit else 0.0
        width = field.width() - 2 * pad - (unit_width + pad if unit else 0)
        shown = self._tail(self._typed + "\N{LOW LINE}", width)
        ink.text(field.left() + pad, field.top() + pad, width, shown, Role.FIGURE)
        if unit:
            drop = self.look.measure(Role.FIGURE).ascent() - self.look.measure(Role.HEAD).ascent()
            ink.text(
                field.right() - pad - unit_width, field.top() + pad + drop, unit_width + 2, unit, Role.HEAD, "muted"
            )
        below = field.bottom() - pad - self.look.line_height(Role.CAPTION)
        ink.text(field.left() + pad, below, field.width() - 2 * pad, self._prompt(question), Role.CAPTION, "muted")

    def _tail(self, text: str, width: float) -> str:
        """The end of a long entry: what was typed last is what one looks at."""
        while len(text) > 1 and self.look.width(text, Role.FIGURE) > width:
            text = text[1:]
        return text

    @staticmethod
    def _prompt(question: Question) -> str:
        if question.number is not None:
            rule = question.number
            return say(_TYPE_NUMBER, {"least": rule.shown(rule.least), "most": rule.shown(rule.most)})
        return say(_SCAN_CODE if question.kind is Kind.SCAN else _TYPE_TEXT)


def grid(buttons: Sequence[ActionButton], area: QRect, gap: int) -> list[QRect]:
    """Lay answers out: pictured ones as tiles side by side, the others below in one column or two."""
    if not buttons:
        return []
    tiles = [button for button in buttons if button.has_picture]
    rows = [button for button in buttons if not button.has_picture]
    for button in buttons:
        button.tiled = False
    rects: dict[ActionButton, QRect] = {}
    top = area.top()
    if tiles:
        rows_height = sum(button.height_for(area.width()) + gap for button in rows)
        laid = _tiles(tiles, area.adjusted(0, 0, 0, -rows_height), gap)
        if not laid:
            rows = list(buttons)
        for button, rect in zip(tiles, laid, strict=False):
            button.tiled = True
            rects[button] = rect
            top = max(top, rect.bottom() + 1 + gap)
    for button, rect in zip(rows, _rows(rows, area.adjusted(0, top - area.top(), 0, 0), gap), strict=True):
        rects[button] = rect
    return [rects[button] for button in buttons]


def _tiles(tiles: Sequence[ActionButton], area: QRect, gap: int) -> list[QRect]:
    """Pictured answers in even rows: all words readable, then the largest pictures; hints only where there is room.

    Empty where the pictures would be too small to tell anything: words alone are read more easily.
    """
    count = len(tiles)
    columns = sorted({-(-count // lines) for lines in range(1, count + 1)})

    def cell(across: int, *, with_hint: bool) -> tuple[bool, int, int, int, int]:
        """Whether all words can be read; height of the picture; columns, width and height of a tile."""
        lines = -(-count // across)
        width = (area.width() - gap * (across - 1)) // across
        foot = max(button.tile_foot(width, with_hint=with_hint) for button in tiles)
        height = min((area.height() - gap * (lines - 1)) // lines, foot + width * 2 // 3)
        read = all(button.tile_reads(width, with_hint=with_hint) for button in tiles)
        return read, min(height - foot, width * 2 // 3), across, width, height

    with_hint = True
    read, picture, across, width, height = max(cell(n, with_hint=True) for n in columns)
    if not read or picture < tiles[0].target_height():
        with_hint = False
        read, picture, across, width, height = max(cell(n, with_hint=False) for n in columns)
    if not read or picture < tiles[0].least_picture():
        return []
    for button in tiles:
        button.tile_hint = with_hint
    right, down = width + gap, height + gap
    return [
        QRect(area.left() + i % across * right, area.top() + i // across * down, width, height) for i in range(count)
    ]


def grid_height(buttons: Sequence[ActionButton], width: int, gap: int) -> int:
    """The least height for answers in two columns."""
    if not buttons:
        return 0
    half = (width - gap) // 2
    heights = [max(b.height_for(half) for b in buttons[i : i + 2]) for i in range(0, len(buttons), 2)]
    return sum(heights) + gap * (len(heights) - 1)


def row_height(buttons: Sequence[ActionButton], width: int, gap: int) -> int:
    """The least height for answers side by side in one row."""
    if not buttons:
        return 0
    each = (width - gap * (len(buttons) - 1)) // len(buttons)
    return max(button.height_for(each) for button in buttons)


def paired(buttons: Sequence[ActionButton], half: int) -> list[list[ActionButton]]:
    """Rows of one or two: two neighbours of the same weight share a row where both can be read at half the width."""
    rows: list[list[ActionButton]] = []
    for button in buttons:
        last = rows[-1] if rows else []
        if len(last) == 1 and last[0].weight is button.weight and max(b.narrowest() for b in (*last, button)) <= half:
            last.append(button)
        else:
            rows.append([button])
    return rows


def _rows(buttons: Sequence[ActionButton], area: QRect, gap: int) -> list[QRect]:
    if not buttons:
        return []
    heights = [button.height_for(area.width()) for button in buttons]
    free = area.height() - sum(heights) - gap * (len(buttons) - 1)
    if free >= 0:
        extra = min(free // len(buttons), round(max(heights) * 0.3))
        rects, y = [], area.top()
        for height in heights:
            rects.append(QRect(area.left(), y, area.width(), height + extra))
            y += height + extra + gap
        return rects
    half = (area.width() - gap) // 2
    pairs = [buttons[i : i + 2] for i in range(0, len(buttons), 2)]
    for with_hint in (True, False):
        heights = [
            max(b.height_for(half if len(pair) == 2 else area.width(), with_hint=with_hint) for b in pair)
            for pair in pairs
        ]
        free = area.height() - sum(heights) - gap * (len(pairs) - 1)
        if free >= 0:
            break
    extra = max(0, min(free // len(pairs), round(max(heights) * 0.5)))
    rects, y = [], area.top()
    for pair, height in zip(pairs, heights, strict=True):
        width = half if len(pair) == 2 else area.width()
        rects += [QRect(area.left() + j * (half + gap), y, width, height + extra) for j in range(len(pair))]
        y += height + extra + gap
    return rects

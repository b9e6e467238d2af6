"""Middle while a question is open: the ground under the answers, which are buttons of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget

from station.inspection.view import BenchView
from ui.bench.facts import caption_height
from ui.bench.speech import QT_TRANSLATE_NOOP, say
from ui.theme.metrics import GAP_MM, Role
from ui.widgets.button import ActionButton
from ui.widgets.ink import Ink
from ui.widgets.panel import Card

_COUNT = QT_TRANSLATE_NOOP("Bench", "Question {number} of {count}")
_OR = QT_TRANSLATE_NOOP("Bench", "Or all at once")


class AskStage(Card):
    """Says which question of how many, and heads the short cuts."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("ask_stage", "", parent)
        self._count = ""
        self._shortcuts_at: int | None = None

    def show_view(self, view: BenchView) -> None:
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
        if self._shortcuts_at is not None:
            ink.text(room.left(), self._shortcuts_at, room.width(), say(_OR), Role.CAPTION, "muted")


def grid(buttons: Sequence[ActionButton], area: QRect, gap: int) -> list[QRect]:
    """Lay answers out: pictured ones as tiles side by side, the others below in one column or two."""
    if not buttons:
        return []
    tiles = [button for button in buttons if button.has_picture]
    rows = [button for button in buttons if not button.has_picture]
    rects: dict[ActionButton, QRect] = {}
    top = area.top()
    if tiles:
        rows_height = sum(button.height_for(area.width()) + gap for button in rows)
        width = (area.width() - gap * (len(tiles) - 1)) // len(tiles)
        foot = max(button.tile_foot(width) for button in tiles)
        height = max(round(foot * 1.6), min(round(width * 0.62) + foot, area.height() - rows_height))
        for i, button in enumerate(tiles):
            rects[button] = QRect(area.left() + i * (width + gap), top, width, height)
        top += height + gap
    for button, rect in zip(rows, _rows(rows, area.adjusted(0, top - area.top(), 0, 0), gap), strict=True):
        rects[button] = rect
    return [rects[button] for button in buttons]


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

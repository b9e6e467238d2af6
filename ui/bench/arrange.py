"""Where everything stands: arithmetic over one window size and one placement, no layout pass."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect

from ui.bench.ask_stage import grid, grid_height, paired, row_height
from ui.bench.page import Page
from ui.bench.placement import SHORTCUTS, Placement, Side, Stage
from ui.theme.look import Look
from ui.theme.metrics import GAP_MM, TOUCH_MM, Role
from ui.widgets.band import HEIGHT as BAND_HEIGHT
from ui.widgets.button import ActionButton
from ui.widgets.panel import GAP, PAD

_LEFT, _RIGHT, _WHOLE = 480, 420, 1856
"""Column widths of the drawings; the middle takes the rest."""
_SIDE = 32
_LEAST_RIGHT_MM = 62.0
"""Two words beside a key."""
_BAR_SHARE = 0.46
"""More than this of the foot's width for buttons, and they put their keys above their words."""


def arrange(page: Page, look: Look, placement: Placement | None) -> None:
    """Give every part of the page its place and show exactly the buttons of the placement."""
    px, width, height = look.px, page.width(), page.height()
    top, band = px(72, 9), px(BAND_HEIGHT, 24)
    page.top_bar.setGeometry(0, 0, width, top)
    page.band.setGeometry(0, top, width, band)
    foot = QRect(0, 0, width, max(px(116), px(28) + look.metrics.mm(TOUCH_MM)))
    foot.moveBottom(height - 1)
    page.step_bar.setGeometry(foot)
    y = top + band + max(px(20), 8)
    if page.banner.text:
        page.banner.setGeometry(0, y, width, page.banner.needed_height())
        y += page.banner.needed_height() + px(16)
    room = QRect(px(_SIDE), y, width - 2 * px(_SIDE), foot.top() - y - max(px(22), 8))
    page.help.setGeometry(room)
    if placement is None:
        return
    middle, right = _columns(page, look, placement, room)
    _STAGES[placement.stage](page, look, placement, middle)
    _side(page, look, placement, right)
    _bar(page, look, placement, foot)
    shown = {*placement.answers, *placement.foot, *placement.column, *placement.bar}
    for command, button in page.buttons.items():
        button.setVisible(command in shown)


def _gap(look: Look) -> int:
    return look.px(14, GAP_MM)


def _columns(page: Page, look: Look, placement: Placement, room: QRect) -> tuple[QRect, QRect]:
    """Place the cards; returns the middle and the right one."""
    gap = look.px(GAP)
    if placement.side is Side.RECENT:
        half = (room.width() - gap) // 2
        middle = QRect(room.left(), room.top(), half, room.height())
        right = QRect(room.left() + half + gap, room.top(), room.width() - half - gap, room.height())
    else:
        left_width = room.width() * _LEFT // _WHOLE if placement.has_item else 0
        right_width = max(room.width() * _RIGHT // _WHOLE, look.metrics.mm(_LEAST_RIGHT_MM))
        left_end = room.left() + left_width + (gap if left_width else 0)
        page.item.setGeometry(room.left(), room.top(), left_width, room.height())
        right = QRect(room.right() + 1 - right_width, room.top(), right_width, room.height())
        middle = QRect(left_end, room.top(), right.left() - gap - left_end, room.height())
    stage, side = page.stages[placement.stage], page.sides[placement.side]
    stage.setGeometry(middle)
    side.setGeometry(right)
    for panel in page.panels:
        panel.setVisible(panel is stage or panel is side or (panel is page.item and placement.has_item))
    return middle, right


def _ready(page: Page, look: Look, placement: Placement, middle: QRect) -> None:
    px, buttons = look.px, [page.buttons[command] for command in placement.foot]
    height = max((button.target_height() for button in buttons), default=0)
    page.ready.reserve(height + px(16) if buttons else 0)
    wanted = sum(max(button.width_for_label() + px(60), px(300)) for button in buttons)
    width = min(wanted, middle.width() - 2 * px(PAD))
    y = middle.bottom() + 1 - px(PAD) - height
    row(buttons, QRect(middle.center().x() - width // 2, y, width, height), _gap(look))


def _live(page: Page, look: Look, placement: Placement, middle: QRect) -> None:
    px, gap = look.px, _gap(look)
    foot = [page.buttons[command] for command in placement.foot]
    height = max((button.target_height() for button in foot), default=0)
    widths = [max(button.width_for_label(), look.metrics.mm(24)) for button in foot]
    if sum(widths) + gap * len(widths) > middle.width() - 2 * px(PAD) - page.live.weight.needed_width():
        widths = [max(button.stacked_width(), look.metrics.mm(18)) for button in foot]
    answers = [page.buttons[command] for command in placement.answers]
    inner = middle.width() - 2 * px(14)
    in_row = row_height(answers, inner, gap)
    each = (inner - gap * (len(answers) - 1)) // max(1, len(answers))
    side_by_side = in_row <= px(170) and all(button.fits(each) for button in answers)
    answers_height = in_row if side_by_side else grid_height(answers, inner, gap)
    page.live.arrange(answers_height, height, sum(widths) + gap * len(widths))
    strip = page.live.weight.geometry().translated(middle.topLeft())
    from_right(foot, widths, QRect(strip.left(), strip.bottom() + 1 - height - px(4), strip.width(), height), gap)
    below = page.live.picture.geometry().translated(middle.topLeft()).bottom() + 1 + px(14)
    area = QRect(middle.left() + px(14), below, inner, answers_height)
    if side_by_side:
        row(answers, area, gap)
    else:
        put(answers, grid(answers, area, gap))


def _ask(page: Page, look: Look, placement: Placement, middle: QRect) -> None:
    plain = [page.buttons[command] for command in placement.answers if command not in SHORTCUTS]
    shortcuts = [page.buttons[command] for command in placement.answers if command in SHORTCUTS]
    rects = page.ask.arrange(plain, shortcuts)
    put([*plain, *shortcuts], [rect.translated(middle.topLeft()) for rect in rects])


def _nothing(page: Page, look: Look, placement: Placement, middle: QRect) -> None:
    """This stage has no buttons of its own."""


_STAGES = {
    Stage.READY: _ready,
    Stage.COMPARE: _nothing,
    Stage.LIVE: _live,
    Stage.ASK: _ask,
    Stage.DECISION: _nothing,
}


def _side(page: Page, look: Look, placement: Placement, right: QRect) -> None:
    """Ways out hang from the top; in the other states buttons stand at the foot of the column."""
    pad, gap = look.px(PAD), _gap(look)
    width = right.width() - 2 * pad
    buttons = [page.buttons[command] for command in placement.column]
    ways = placement.side is Side.WAYS
    rows = [[button] for button in buttons] if ways else paired(buttons, (width - gap) // 2)
    heights = [max(button.height_for((width - gap * (len(line) - 1)) // len(line)) for button in line) for line in rows]
    if ways:
        y = right.top() + pad + page.ways.head_height()
    else:
        total = sum(heights) + gap * len(heights)
        page.sides[placement.side].reserve(total if buttons else 0)
        y = right.bottom() + 1 - pad - total + gap
    for line, height in zip(rows, heights, strict=True):
        row(line, QRect(right.left() + pad, y, width, height), gap)
        y += height + gap


def _bar(page: Page, look: Look, placement: Placement, foot: QRect) -> None:
    side, gap = look.px(_SIDE), _gap(look)
    buttons = [page.buttons[command] for command in placement.bar]
    height = max((button.target_height() for button in buttons), default=0)
    widths = [max(button.width_for_label(), look.metrics.mm(TOUCH_MM)) for button in buttons]
    if sum(widths) > foot.width() * _BAR_SHARE:
        widths = [button.stacked_width() for button in buttons]
    area = QRect(side, foot.top() + (foot.height() - height) // 2, foot.width() - 2 * side, height)
    left = from_right(buttons, widths, area, gap)
    page.step_bar.set_room(left - side)


def row(buttons: Sequence[ActionButton], area: QRect, gap: int) -> None:
    """Side by side in equal widths; where one needs its key above the label, all of them have it there."""
    if not buttons:
        return
    width = (area.width() - gap * (len(buttons) - 1)) // len(buttons)
    role = None
    if any(button.stacks_at(width) for button in buttons):
        roles = {button.stack_role(width) for button in buttons}
        role = Role.STRONG if roles == {Role.STRONG} else Role.CAPTION
    for number, button in enumerate(buttons):
        button.stack(role)
        button.setGeometry(area.left() + number * (width + gap), area.top(), width, area.height())


def from_right(buttons: Sequence[ActionButton], widths: Sequence[int], area: QRect, gap: int) -> int:
    """Each in its own width, the last one at the right edge; returns where the room before the first one ends."""
    crowded = any(button.stacks_at(width) for button, width in zip(buttons, widths, strict=True))
    x = area.right() + 1
    for button, width in zip(reversed(buttons), reversed(widths), strict=True):
        button.stack(Role.CAPTION if crowded else None)
        x -= width
        button.setGeometry(x, area.top(), width, area.height())
        x -= gap
    return x


def put(buttons: Sequence[ActionButton], rects: Sequence[QRect]) -> None:
    """One rectangle each, keys beside labels."""
    for button, rect in zip(buttons, rects, strict=True):
        button.stack(None)
        button.setGeometry(rect)

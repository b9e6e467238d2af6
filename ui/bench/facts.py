"""Rows of "label … value" that several panels use."""

from __future__ import annotations

from collections.abc import Callable

from ui.theme.look import Look
from ui.theme.metrics import Role
from ui.widgets.ink import RIGHT, Ink

Draw = Callable[[float, float], None]


def fact_row(
    ink: Ink, x: float, width: float, label: str, value: str, *, colour: str = "text", rule: bool = True, lines: int = 2
) -> tuple[float, Draw]:
    """One row: label left, value right; below each other where they do not fit side by side.

    Returns:
        The height it needs and how to draw it.
    """
    look = ink.look
    gap = look.px(18)
    pad = max(4, look.px(10))
    label_width = look.width(label, Role.SMALL)
    line = look.line_height(Role.BODY)
    if label_width + gap + look.width(value, Role.BODY) <= width:

        def side_by_side(y: float, height: float) -> None:
            if rule:
                ink.rule(x, y, width)
            top = y + (height - line) / 2
            drop = (look.measure(Role.BODY).ascent() - look.measure(Role.SMALL).ascent()) * 0.9
            ink.text(x, top + drop, label_width + 2, label, Role.SMALL, "muted")
            ink.text(x, top, width, value, Role.BODY, colour, align=RIGHT)

        return line + 2 * pad, side_by_side

    value_lines = look.lines(value, Role.BODY, width, lines)
    label_height = look.line_height(Role.SMALL)

    def stacked(y: float, height: float) -> None:
        if rule:
            ink.rule(x, y, width)
        top = y + (height - label_height - value_lines.height) / 2
        ink.text(x, top, width, label, Role.SMALL, "muted")
        ink.text(x, top + label_height, width, value, Role.BODY, colour, lines=lines, may_elide=lines > 1)

    return label_height + value_lines.height + 2 * pad, stacked


def caption_height(look: Look) -> int:
    """A section's small heading with the air below it."""
    return look.line_height(Role.CAPTION) + look.px(4)

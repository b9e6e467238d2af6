"""Sizes in millimetres: what a person at 70 cm with gloves on needs, turned into pixels of one screen.

The drawings are for a 22-inch full-HD screen (102 dpi). A size is drawn there in pixels; on another screen it grows or
shrinks with the window, but text and touch targets never fall below what eyes and gloves need (FLOOR §1.2, U8…U11).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

_DRAWN_DPI = 102.0
_DRAWN_WIDTH, _DRAWN_HEIGHT = 1920, 1080
_ZOOM_LIMITS = (0.62, 1.4)
_SANE_DPI = (60.0, 400.0)
"""Outside this a screen lies about its size (0 mm projectors, EDID nonsense)."""

CAP_HEIGHT = 0.727
"""Inter's cap height, in parts of its size."""

TOUCH_MM = 15.0
PRIMARY_MM = 20.0
GAP_MM = 3.0


class Role(StrEnum):
    """What a text is for; decides size and weight."""

    GRADE = "grade"
    TOTE = "tote"
    TITLE = "title"
    FIGURE = "figure"
    """Big numbers: the settled weight, the refund."""
    HEAD = "head"
    DETAIL = "detail"
    BUTTON = "button"
    STRONG = "strong"
    BODY = "body"
    SMALL = "small"
    CAPTION = "caption"
    CHIP = "chip"
    BAR = "bar"
    BAR_STRONG = "bar_strong"


@dataclass(frozen=True, slots=True)
class TypeSize:
    """One row of the type scale."""

    drawn: int
    """Pixels in the drawings."""
    floor_mm: float
    """Font size in millimetres that it never falls below; cap height is 0.727 of it."""
    family: str
    weight: int
    spacing: float = 100.0
    """Letter spacing in percent: large type is set tighter."""


TYPE: dict[Role, TypeSize] = {
    Role.GRADE: TypeSize(150, 17.0, "Inter Display", 700, 98.0),
    Role.TOTE: TypeSize(112, 15.0, "Inter Display", 700, 98.0),
    Role.TITLE: TypeSize(76, 11.0, "Inter Display", 700, 98.5),
    Role.FIGURE: TypeSize(60, 9.0, "Inter Display", 700, 98.5),
    Role.HEAD: TypeSize(34, 6.3, "Inter", 700, 99.0),
    Role.DETAIL: TypeSize(33, 5.75, "Inter", 400),
    Role.BUTTON: TypeSize(32, 5.75, "Inter", 600),
    Role.STRONG: TypeSize(26, 5.75, "Inter", 600),
    Role.BODY: TypeSize(26, 5.75, "Inter", 400),
    Role.SMALL: TypeSize(23, 4.65, "Inter", 400),
    Role.CAPTION: TypeSize(20, 4.65, "Inter", 400),
    Role.CHIP: TypeSize(22, 4.65, "Inter", 600),
    Role.BAR: TypeSize(23, 3.7, "Inter", 400),
    Role.BAR_STRONG: TypeSize(23, 3.7, "Inter", 600),
}
"""Cap heights: 4.1 mm (20′ of arc at 70 cm) from BODY up, 3.3 mm (16′) for captions, 2.6 mm in the bars' edge."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Millimetres to pixels on one screen.

    >>> Metrics(dpi=102).mm(15)
    61
    >>> Metrics(dpi=102, scale=1.5).mm(15)
    91
    """

    dpi: float
    """Logical pixels per inch of glass."""
    scale: float = 1.0
    """Enlargement wished by IT or the inspector."""
    zoom: float = 1.0
    """How much of the drawing's size the window has; text and targets have floors of their own."""

    def mm(self, millimetres: float) -> int:
        """Whole pixels, never fewer than the length needs: a target of 15 mm is not 14.9 mm."""
        return ceil(millimetres * self.dpi / 25.4 * self.scale)

    def drawn(self, pixels: float, floor_mm: float = 0.0) -> int:
        """A length of the drawings in pixels of this screen, at least ``floor_mm`` long."""
        return max(round(pixels * self.zoom * self._factor), self.mm(floor_mm))

    def font_px(self, role: Role) -> int:
        """Font size of a role in pixels."""
        size = TYPE[role]
        return max(round(size.drawn * self.zoom * self._factor), self.mm(size.floor_mm))

    def least_percent(self, role: Role) -> int:
        """How far a role's text may be shrunk before it falls below what eyes need."""
        return min(100, -(-self.mm(TYPE[role].floor_mm) * 100 // self.font_px(role)))

    def to_mm(self, pixels: float) -> float:
        """Pixels as millimetres of glass."""
        return pixels * 25.4 / self.dpi

    def for_window(self, width: int, height: int) -> Metrics:
        """The same screen with the zoom that a window of this size allows, in steps of 1/50."""
        fit = min(width / _DRAWN_WIDTH, height / _DRAWN_HEIGHT) / self._factor
        low, high = _ZOOM_LIMITS
        return replace(self, zoom=round(min(high, max(low, fit)) * 50) / 50)

    @property
    def _factor(self) -> float:
        return self.dpi / _DRAWN_DPI * self.scale


def believable_dpi(reported: float, width: int) -> float:
    """The screen's own density where it can be true, else what a 22-inch screen of that width would have.

    >>> believable_dpi(141.2, 1920), believable_dpi(0.0, 1920)
    (141.2, 102.0)
    """
    low, high = _SANE_DPI
    return reported if low <= reported <= high else max(low, round(width / _DRAWN_WIDTH * _DRAWN_DPI, 1))

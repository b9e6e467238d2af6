"""Sizes in millimetres, the bundled fonts, and how texts are broken and drawn."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontInfo, QImage, QPainter
from pytestqt.qtbot import QtBot

from ui.theme.look import FONT_FILES, Look
from ui.theme.metrics import TYPE, Metrics, Role, believable_dpi
from ui.theme.tokens import DARK

SCREENS = [
    pytest.param(Metrics(102.0).for_window(1920, 1080), id="22-inch full HD"),
    pytest.param(Metrics(100.0).for_window(1366, 768), id="15-inch 1366"),
    pytest.param(Metrics(141.0).for_window(1920, 1080), id="15-inch full HD"),
    pytest.param(Metrics(102.0, 1.5).for_window(1920, 1080), id="22-inch, scale 1.5"),
]
_READ_AT_70_CM = (Role.BODY, Role.STRONG, Role.BUTTON, Role.DETAIL, Role.HEAD, Role.TITLE, Role.FIGURE, Role.TOTE)
_CAPTIONS = (Role.SMALL, Role.CAPTION, Role.CHIP)


@pytest.fixture
def look(qtbot: QtBot) -> Look:
    return Look(DARK, Metrics(102.0).for_window(1920, 1080))


@pytest.mark.parametrize("metrics", SCREENS)
def test_capitals_are_tall_enough(qtbot: QtBot, metrics: Metrics) -> None:
    """20′ of arc at 70 cm for what must be read, 16′ for captions (ISO 9241-3); measured on the real font."""
    look = Look(DARK, metrics)
    for roles, least_mm in ((_READ_AT_70_CM, 4.1), (_CAPTIONS, 3.3), ((Role.BAR, Role.BAR_STRONG), 2.6)):
        for role in roles:
            assert metrics.to_mm(look.measure(role).capHeight()) >= least_mm, role


@pytest.mark.parametrize("metrics", SCREENS)
def test_shrinking_stops_at_the_floor(metrics: Metrics) -> None:
    for role in Role:
        least = metrics.font_px(role) * metrics.least_percent(role) / 100
        assert least >= metrics.mm(TYPE[role].floor_mm) - 1e-9


def test_a_smaller_window_shrinks_no_target() -> None:
    for width, height in ((1920, 1080), (1366, 768), (1280, 720)):
        assert Metrics(102.0).for_window(width, height).drawn(10, 15.0) == 61


def test_scale_enlarges_targets() -> None:
    assert Metrics(102.0, 1.5).mm(20) == 121


@pytest.mark.parametrize(("reported", "width", "dpi"), [(141.2, 1920, 141.2), (0.0, 1920, 102.0), (5000.0, 1366, 72.6)])
def test_a_screen_that_lies_is_not_believed(reported: float, width: int, dpi: float) -> None:
    assert believable_dpi(reported, width) == dpi


def test_the_bundled_fonts_are_the_ones_used(look: Look) -> None:
    assert len(FONT_FILES) == 4
    for role in Role:
        info = QFontInfo(look.font(role))
        assert info.family() == TYPE[role].family, role
        assert info.weight() == TYPE[role].weight, role


@pytest.mark.parametrize("role", list(Role))
def test_digits_have_one_width(look: Look, role: Role) -> None:
    assert len({look.width(digit * 4, role) for digit in "0123456789"}) == 1


def test_a_hyphen_keeps_its_own_width(look: Look) -> None:
    """Inter's tabular set widens the hyphen too; ours does not, so that R-14 reads as one word."""
    assert look.width("-", Role.TOTE) < look.width("0", Role.TOTE) * 0.8


def test_lines_break_at_spaces_and_lose_nothing(look: Look) -> None:
    text = "Lay it flat on the mat with the label up and keep your hands off"
    broken = look.lines(text, Role.BODY, 300, 5)
    assert not broken.cut
    assert len(broken.rows) > 1
    assert " ".join(broken.rows) == text
    assert all(look.width(row, Role.BODY) <= 300 for row in broken.rows)


def test_a_word_wider_than_the_line_is_split(look: Look) -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitänspatent"
    broken = look.lines(word, Role.BODY, 200, 9)
    assert "".join(broken.rows) == word
    assert all(look.width(row, Role.BODY) <= 200 for row in broken.rows)


def test_a_cut_is_said(look: Look) -> None:
    broken = look.lines("one two three four five six seven eight nine ten", Role.BODY, 120, 2)
    assert broken.cut
    assert len(broken.rows) == 2
    assert broken.rows[-1].endswith("…")
    assert look.width(broken.rows[-1], Role.BODY) <= 120


def test_large_type_drawn_by_letters_is_the_same_picture(look: Look) -> None:
    """Drawing letter by letter is six times faster; it must not move one."""
    text = "Waiting AVATAR To 1:24"

    def drawn(by_letters: bool) -> QImage:
        image = QImage(1200, 140, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setFont(look.font(Role.TITLE))
        painter.setPen(look.colour("#FFFFFF"))
        if by_letters:
            for x, part in look.laid_out(text, Role.TITLE, 100):
                painter.drawStaticText(QPointF(20 + x, 20), part)
        else:
            painter.drawText(QPointF(20, 20 + look.measure(Role.TITLE).ascent()), text)
        painter.end()
        return image

    assert len(look.laid_out(text, Role.TITLE, 100)) == len(text.replace(" ", ""))
    letters, whole = (bytes(drawn(by_letters).constBits()) for by_letters in (True, False))
    differing = sum(abs(a - b) > 96 for a, b in zip(letters, whole, strict=True))
    ink = sum(value > 96 for value in whole)
    assert ink > 5000
    assert differing < ink * 0.02

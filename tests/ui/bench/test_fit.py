"""Nothing is cut, nothing overlaps, and everything that is pressed is large enough for a glove."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QWidget

from station.inspection.view import BenchView
from ui.bench.gallery import as_array, sketch
from ui.bench.gallery_views import VIEWS, longer
from ui.bench.gallery_views import wordy as in_more_words
from ui.bench.window import BenchWindow
from ui.theme.metrics import PRIMARY_MM, TOUCH_MM
from ui.widgets.button import ActionButton, Weight
from ui.widgets.panel import Surface

from .conftest import MakeWindow

SCREENS = [
    pytest.param((1920, 1080, 1.0), id="1920x1080"),
    pytest.param((1366, 768, 1.0), id="1366x768"),
    pytest.param((1920, 1080, 1.5), id="1920x1080 at 1.5"),
]
"""Width, height, scale."""


def _paint(window: BenchWindow, view: BenchView) -> None:
    window.show_view(view)
    window.show_frame(as_array(sketch("item", 960, 540)), 0.7, "hold still")
    window.grab()
    window.pictures.wait()
    QApplication.processEvents()
    window.grab()


def _cut(window: BenchWindow) -> dict[str, list[str]]:
    """Widget → texts that it had to cut although they must be read whole."""
    return {
        widget.objectName(): list(widget.overflow)
        for widget in window.findChildren(QWidget)
        if widget.isVisible() and isinstance(widget, Surface | ActionButton) and widget.overflow
    }


def _buttons(window: BenchWindow) -> list[ActionButton]:
    return [button for button in window.findChildren(ActionButton) if button.isVisible()]


@pytest.mark.parametrize("screen", SCREENS)
def test_no_text_is_cut(open_window: MakeWindow, screen: tuple[int, int, float]) -> None:
    window = open_window(*screen)
    cut = {}
    for name, view in VIEWS.items():
        _paint(window, view)
        cut[name] = _cut(window)
    assert {name: texts for name, texts in cut.items() if texts} == {}


@pytest.mark.parametrize("screen", SCREENS)
def test_no_text_is_cut_in_a_wordy_language(
    wordy: None, open_window: MakeWindow, screen: tuple[int, int, float]
) -> None:
    window = open_window(*screen)
    cut = {}
    for name, view in VIEWS.items():
        _paint(window, in_more_words(view, longer))
        cut[name] = _cut(window)
    assert {name: texts for name, texts in cut.items() if texts} == {}


def test_negative_control_a_cut_text_is_seen(open_window: MakeWindow) -> None:
    window = open_window(1366, 768)
    item = VIEWS["04-item"].item
    assert item is not None
    _paint(window, replace(VIEWS["04-item"], item=replace(item, title="Very long title " * 12)))
    assert "item_panel" in _cut(window)


@pytest.mark.parametrize("screen", SCREENS)
def test_targets_are_large_enough(open_window: MakeWindow, screen: tuple[int, int, float]) -> None:
    window = open_window(*screen)
    metrics = window.page.top_bar.look.metrics
    for name, view in VIEWS.items():
        _paint(window, view)
        for button in _buttons(window):
            least = PRIMARY_MM if button.weight in (Weight.MAIN, Weight.CHOICE) else TOUCH_MM
            height, width = metrics.to_mm(button.height()), metrics.to_mm(button.width())
            assert min(height, width) >= least * screen[2], (name, button.objectName(), height, width)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("in_wordy", [False, True], ids=["English", "wordy"])
def test_buttons_keep_apart_and_on_the_screen(
    request: pytest.FixtureRequest, open_window: MakeWindow, screen: tuple[int, int, float], in_wordy: bool
) -> None:
    if in_wordy:
        request.getfixturevalue("wordy")
    window = open_window(*screen)
    page = window.page.rect()
    gap = window.page.top_bar.look.metrics.mm(3.0) - 1
    for name, view in VIEWS.items():
        _paint(window, in_more_words(view, longer) if in_wordy else view)
        buttons = _buttons(window)
        for button in buttons:
            assert page.contains(button.geometry()), (name, button.objectName(), button.geometry())
        for one, other in combinations(buttons, 2):
            grown = one.geometry().adjusted(-gap, -gap, gap, gap)
            assert not grown.intersects(other.geometry()), (name, one.objectName(), other.objectName())


@pytest.mark.parametrize("screen", SCREENS)
def test_panels_do_not_overlap(open_window: MakeWindow, screen: tuple[int, int, float]) -> None:
    window = open_window(*screen)
    window.show_banner("The printer is out of paper")
    for name, view in VIEWS.items():
        _paint(window, view)
        rects: dict[str, QRect] = {
            surface.objectName(): surface.geometry()
            for surface in window.page.surfaces
            if surface.isVisible() and surface is not window.page.help
        }
        for (one, first), (other, second) in combinations(rects.items(), 2):
            assert not first.intersects(second), (name, one, other)
        assert window.page.live.picture.height() > 120 or not window.page.live.isVisible(), name


def test_the_help_page_is_readable_at_every_size(open_window: MakeWindow) -> None:
    for width, height, scale in ((1920, 1080, 1.0), (1366, 768, 1.0), (1920, 1080, 1.5)):
        window = open_window(width, height, scale)
        window.show_view(VIEWS["01-idle"])
        window.show_help(True)
        window.grab()
        assert window.page.help.overflow == []


def test_a_window_follows_its_size(open_window: MakeWindow) -> None:
    window = open_window(1920, 1080)
    _paint(window, VIEWS["17-done"])
    large = window.page.top_bar.look.metrics.zoom
    window.resize(1366, 768)
    QApplication.processEvents()
    window.grab()
    assert window.page.top_bar.look.metrics.zoom < large
    assert _cut(window) == {}

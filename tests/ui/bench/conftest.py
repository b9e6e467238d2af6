"""A bench window as on a real bench, with nothing behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.bench.gallery import make_window, write_pictures
from ui.bench.gallery_views import longer
from ui.bench.window import BenchWindow
from ui.theme.tokens import DARK, Theme

MakeWindow = Callable[..., BenchWindow]


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    QApplication.instance() or QApplication([])
    write_pictures(folder)
    return folder


@pytest.fixture
def open_window(qtbot: QtBot, picture_folder: Path) -> MakeWindow:
    """Makes windows that are shown at a size and closed with the test."""

    def make(width: int = 1920, height: int = 1080, scale: float = 1.0, theme: Theme = DARK) -> BenchWindow:
        window = make_window(theme, width, height, scale, picture_folder)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    return make


@pytest.fixture
def window(open_window: MakeWindow) -> BenchWindow:
    return open_window()


class Wordy(QTranslator):
    """A language that needs 40 % more room for everything."""

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        return longer(source) if context == "Bench" else source

    def isEmpty(self) -> bool:
        return False


@pytest.fixture
def wordy(qtbot: QtBot) -> Iterator[None]:
    """The whole window speaks a 40 % longer language."""
    translator = Wordy()
    QCoreApplication.installTranslator(translator)
    yield
    QCoreApplication.removeTranslator(translator)

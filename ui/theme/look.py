"""A theme at a size: what widgets paint with. Fonts and colours are made once per look, not once per paint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette

from station.assets import asset
from station.errors import Defect
from ui.theme.metrics import TYPE, Metrics, Role
from ui.theme.tokens import Theme

FONT_FILES = ("Inter-Regular.ttf", "Inter-SemiBold.ttf", "Inter-Bold.ttf", "InterDisplay-Bold.ttf")


@dataclass(frozen=True, slots=True)
class Lines:
    """A text broken for one width."""

    rows: tuple[str, ...]
    height: int
    cut: bool
    """Something was left out at the end (an ellipsis stands for it)."""


class Look:
    """Theme and metrics with everything that follows from them."""

    def __init__(self, theme: Theme, metrics: Metrics) -> None:
        load_fonts()
        self.theme = theme
        self.metrics = metrics
        self._fonts: dict[tuple[Role, int], QFont] = {}
        self._measures: dict[tuple[Role, int], QFontMetricsF] = {}
        self._colours: dict[str, QColor] = {}
        self._lines: dict[tuple[str, Role, int, int, int], Lines] = {}

    def colour(self, name: str) -> QColor:
        """A token's name (``text``) or a plain ``#RRGGBB``."""
        found = self._colours.get(name)
        if found is None:
            found = QColor(name if name.startswith("#") else getattr(self.theme, name))
            self._colours[name] = found
        return found

    def font(self, role: Role, percent: int = 100) -> QFont:
        """The font of a role, at ``percent`` of its size, with tabular numbers."""
        key = (role, percent)
        font = self._fonts.get(key)
        if font is None:
            size = TYPE[role]
            font = QFont(size.family)
            font.setPixelSize(max(1, self.metrics.font_px(role) * percent // 100))
            font.setWeight(QFont.Weight(size.weight))
            font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, size.spacing)
            font.setFeature(QFont.Tag("tnum"), 1)
            font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
            self._fonts[key] = font
        return font

    def measure(self, role: Role, percent: int = 100) -> QFontMetricsF:
        """The metrics of a role's font."""
        key = (role, percent)
        found = self._measures.get(key)
        if found is None:
            found = QFontMetricsF(self.font(role, percent))
            self._measures[key] = found
        return found

    def width(self, text: str, role: Role, percent: int = 100) -> float:
        """How wide a text runs on one line."""
        return self.measure(role, percent).horizontalAdvance(text)

    def line_height(self, role: Role, percent: int = 100) -> int:
        """Height of one line, whole pixels."""
        return round(self.measure(role, percent).lineSpacing())

    def lines(self, text: str, role: Role, width: float, most: int = 1, percent: int = 100) -> Lines:
        """Break a text at spaces (inside a word only where it is wider than the line) into at most ``most`` rows."""
        key = (text, role, int(width), most, percent)
        found = self._lines.get(key)
        if found is None:
            if len(self._lines) > 2000:
                self._lines.clear()
            rows, cut = _break(text, self.measure(role, percent), width, most)
            found = Lines(rows, len(rows) * self.line_height(role, percent), cut)
            self._lines[key] = found
        return found

    def fitting(self, text: str, role: Role, width: float) -> int:
        """The size in percent at which a text stands on one line; 100 where none that can be read does."""
        least = self.metrics.least_percent(role)
        percent = 100
        while percent >= least:
            if self.width(text, role, percent) <= width:
                return percent
            percent -= 4
        return 100

    def palette(self) -> QPalette:
        """For the few things that Qt paints by itself."""
        palette = QPalette()
        for role, name in (
            (QPalette.ColorRole.Window, "ground"),
            (QPalette.ColorRole.Base, "surface"),
            (QPalette.ColorRole.Button, "raised"),
            (QPalette.ColorRole.WindowText, "text"),
            (QPalette.ColorRole.Text, "text"),
            (QPalette.ColorRole.ButtonText, "text"),
            (QPalette.ColorRole.Highlight, "accent"),
            (QPalette.ColorRole.HighlightedText, "on_accent"),
            (QPalette.ColorRole.PlaceholderText, "muted"),
        ):
            palette.setColor(role, self.colour(name))
        return palette


def _break(text: str, measure: QFontMetricsF, width: float, most: int) -> tuple[tuple[str, ...], bool]:
    if measure.horizontalAdvance(text) <= width:
        return (text,), False
    rows: list[str] = []
    current = ""
    words = [piece for word in text.split() for piece in _pieces(word, measure, width)]
    for index, word in enumerate(words):
        wider = f"{current} {word}" if current else word
        if measure.horizontalAdvance(wider) <= width:
            current = wider
        elif len(rows) + 1 < most:
            rows.append(current)
            current = word
        else:
            rest = " ".join([current, *words[index:]]) if current else " ".join(words[index:])
            return (*rows, _elide(rest, measure, width)), True
    return (*rows, current), False


def _pieces(word: str, measure: QFontMetricsF, width: float) -> list[str]:
    """A word, or its parts where it is wider than a whole line."""
    pieces = []
    while len(word) > 1 and measure.horizontalAdvance(word) > width:
        fits = next((n for n in range(len(word) - 1, 1, -1) if measure.horizontalAdvance(word[:n]) <= width), 1)
        pieces.append(word[:fits])
        word = word[fits:]
    return [*pieces, word]


def _elide(text: str, measure: QFontMetricsF, width: float) -> str:
    while text and measure.horizontalAdvance(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


@cache
def load_fonts() -> None:
    """Give the bundled fonts to Qt, once per process.

    Raises:
        Defect: there is no QGuiApplication yet, or a bundled font cannot be read.
    """
    if QCoreApplication.instance() is None:
        raise Defect("fonts can only be loaded after the QApplication exists")
    for name in FONT_FILES:
        if QFontDatabase.addApplicationFont(str(asset("fonts", name))) < 0:
            raise Defect(f"Qt cannot read the bundled font {name!r}")

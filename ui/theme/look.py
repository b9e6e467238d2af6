"""A theme at a size: what widgets paint with. Fonts and colours are made once per look, not once per paint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette, QStaticText, QTransform

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


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Look:
    """Theme and metrics with everything that follows from them."""

    def __init__(self, theme: Theme, metrics: Metrics) -> None:
        load_fonts()
        self.theme = theme
        self.metrics = metrics
        self._fonts: dict[tuple[Role, int], QFont] = {}
        self._measures: dict[tuple[Role, int], QFontMetricsF] = {}
        self._colours: dict[str, QColor] = {}
        self._widths: dict[tuple[str, Role, int], float] = {}
        self._laid: dict[tuple[str, Role, int], tuple[tuple[float, QStaticText], ...]] = {}
        self._lengths: dict[tuple[float, float], int] = {}
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
        key = (text, role, percent)
        found = self._widths.get(key)
        if found is None:
            _make_room(self._widths)
            found = self.measure(role, percent).horizontalAdvance(text)
            self._widths[key] = found
        return found

    def laid_out(self, row: str, role: Role, percent: int) -> tuple[tuple[float, QStaticText], ...]:
        """One row of text with its glyphs placed, as (x offset, text) parts to draw.

        Shaping costs more than drawing, and most rows come again. Glyphs of 64 px and more are not cached by Qt but
        filled as one path, whose cost grows with the square of the row (30 letters: 3.6 ms; letter by letter 0.6 ms).
        """
        key = (row, role, percent)
        found = self._laid.get(key)
        if found is None:
            _make_room(self._laid)
            font, measure = self.font(role, percent), self.measure(role, percent)
            if font.pixelSize() >= _PATH_PX and row.isascii():
                # A letter begins where the row up to and with it ends, less the letter: kerning is kept.
                found = tuple(
                    (measure.horizontalAdvance(row[: i + 1]) - measure.horizontalAdvance(letter), _laid(letter, font))
                    for i, letter in enumerate(row)
                    if letter != " "
                )
            else:
                found = ((0.0, _laid(row, font)),)
            self._laid[key] = found
        return found

    def px(self, drawn: float, floor_mm: float = 0.0) -> int:
        """A length of the drawings in pixels of this screen."""
        key = (drawn, floor_mm)
        found = self._lengths.get(key)
        if found is None:
            found = self._lengths[key] = self.metrics.drawn(drawn, floor_mm)
        return found

    def line_height(self, role: Role, percent: int = 100) -> int:
        """Height of one line, whole pixels."""
        return round(self.measure(role, percent).lineSpacing())

    def lines(self, text: str, role: Role, width: float, most: int = 1, percent: int = 100) -> Lines:
        """Break a text at spaces (inside a word only where it is wider than the line) into at most ``most`` rows."""
        key = (text, role, int(width), most, percent)
        found = self._lines.get(key)
        if found is None:
            _make_room(self._lines)
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


_KEPT = 2000
_PATH_PX = 64


def _laid(text: str, font: QFont) -> QStaticText:
    laid = QStaticText(text)
    laid.setTextFormat(Qt.TextFormat.PlainText)
    laid.prepare(QTransform(), font)
    return laid


def _make_room(cache: dict[_Key, _Value]) -> None:
    """Codes and titles never stop coming: a full cache starts anew."""
    if len(cache) >= _KEPT:
        cache.clear()


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

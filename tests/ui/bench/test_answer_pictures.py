"""The drawings of the answers: safe to read, visible in every theme, told apart at a glance, and where they belong."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from station.assets import asset
from station.decision.rules import load_rules
from station.inspection.answer_pictures import MARK, recoloured
from ui.bench.gallery import make_window, write_pictures
from ui.bench.gallery_views import VIEWS
from ui.bench.placement import CHOICES
from ui.theme.tokens import THEMES, Theme
from ui.widgets.pictures import Pictures, drawing

FILES = sorted(asset("pictures").glob("*.svg"))
TAGS = {"svg", "g", "path", "rect", "circle"}
ATTRIBUTES = {
    "width", "height", "viewBox", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin",
    "stroke-dasharray", "fill-opacity", "opacity", "transform", "d", "x", "y", "rx", "cx", "cy", "r",
}  # fmt: skip
COLOURS = {"none", "currentColor", MARK}
ALIKE = 0.12
"""Share of the drawn places in which two drawings must at least differ."""
RULES = load_rules()
QUESTIONS = [(protocol.id, question) for protocol in RULES.latest for question in protocol.questions]


def painted(path: Path, theme: Theme, width: int = 192, height: int = 128) -> NDArray[numpy.int16]:
    """What is on a button: ``(height, width, 3)`` BGR."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.fillRect(image.rect(), theme.raised)
    found = drawing(recoloured(path.read_bytes(), theme.text, theme.attention))
    size = QSize(width, height)
    aspect, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    painter.drawImage(QPointF(0, 0), found.scaled(size, aspect, smooth))
    painter.end()
    flat = numpy.frombuffer(image.constBits(), numpy.uint8)
    return flat.reshape(height, image.bytesPerLine() // 4, 4)[:, :width, :3].astype(numpy.int16)


def inked(picture: NDArray[numpy.int16]) -> NDArray[numpy.bool_]:
    """Where something is drawn: away from the ground, which is in the corner."""
    return numpy.asarray(numpy.abs(picture - picture[0, 0]).max(axis=2) > 40)


def difference(one: NDArray[numpy.bool_], other: NDArray[numpy.bool_]) -> float:
    """1 − overlap: share of the places drawn in either that are not drawn in both."""
    return 1 - float((one & other).sum()) / max(1, int((one | other).sum()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_drawing_is_plain_shapes_in_two_colours(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) < 4_000
    assert not re.search(r"<!|<\?|href|url\(|style|script|[\s\"']on\w+=", text)
    root = ElementTree.fromstring(text)
    assert root.get("viewBox") == "0 0 96 64"
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in TAGS
        assert set(element.attrib) <= ATTRIBUTES, path.stem
        assert {element.get("fill", "none"), element.get("stroke", "none")} <= COLOURS


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_drawing_is_seen_in_every_theme(qtbot: QtBot, theme: Theme) -> None:
    for path in FILES:
        seen = inked(painted(path, theme))
        assert 0.02 < seen.mean() < 0.6, path.stem
        rows, columns = numpy.where(seen)
        assert columns.max() - columns.min() > 60 or rows.max() - rows.min() > 90, path.stem


def test_no_two_drawings_look_alike(qtbot: QtBot) -> None:
    theme = THEMES["light"]
    seen = {path.stem: inked(painted(path, theme, 96, 64)) for path in FILES}
    near = [(a, b) for a, b in combinations(seen, 2) if difference(seen[a], seen[b]) < ALIKE]
    assert near == []
    twin = numpy.roll(seen["box_sealed"], 0)
    assert difference(seen["box_sealed"], twin) < ALIKE, "a copy would be found"


@pytest.mark.parametrize(("protocol", "question"), QUESTIONS, ids=lambda one: getattr(one, "id", one))
def test_the_answers_of_a_question_have_different_drawings(protocol: str, question) -> None:
    names = [choice.picture for choice in question.buttons]
    assert None not in names
    assert len(set(names)) == len(names), protocol
    assert set(names) <= {path.stem for path in FILES}


def test_no_drawing_lies_about_unused() -> None:
    used = {choice.picture for _, question in QUESTIONS for choice in question.choices}
    assert {path.stem for path in FILES} == used


def test_every_question_is_shown_with_its_drawings_and_all_words(qtbot: QtBot, tmp_path: Path) -> None:
    write_pictures(tmp_path)
    window = make_window(THEMES["light"], 1366, 768, 1.0, tmp_path)
    qtbot.addWidget(window)
    window.show()
    asked = VIEWS["14-question-five"]
    for protocol, question in QUESTIONS:
        rest = tuple(command for command in asked.actions if command not in CHOICES)
        view = replace(asked, question=question, actions=(*CHOICES[: len(question.buttons)], *rest))
        window.show_view(view)
        places = [window.page.buttons[command].geometry() for command in CHOICES[: len(question.buttons)]]
        assert window.pictures.wait()
        qtbot.waitUntil(partial(shown, window, question), timeout=5000)
        window.grab()
        now = [window.page.buttons[command].geometry() for command in CHOICES[: len(question.buttons)]]
        assert now == places, f"{protocol} {question.id}: a button moved when its picture came"
        cut = {button.objectName(): button.overflow for button in window.page.buttons.values() if button.isVisible()}
        assert {name: words for name, words in cut.items() if words} == {}, f"{protocol} {question.id}"
    assert window.pictures.wait()
    window.close()


def shown(window, question) -> bool:
    buttons = [window.page.buttons[command] for command in CHOICES[: len(question.buttons)]]
    return all(button.tiled and button.picture is not None for button in buttons)


def test_a_drawing_that_is_not_there_leaves_the_words(qtbot: QtBot, tmp_path: Path) -> None:
    pictures = Pictures(None, None)
    pictures.answer_folders = (tmp_path,)
    assert pictures.has_answer("gone"), "room is kept until it is known"
    with qtbot.waitSignal(pictures.arrived):
        assert pictures.answer("gone") is None
    assert not pictures.has_answer("gone")
    assert not pictures.has_answer("../gone")
    assert not pictures.has_answer(None)


def test_another_theme_draws_anew(qtbot: QtBot) -> None:
    pictures = Pictures(None, None)
    colours = []
    for theme in (THEMES["dark"], THEMES["light"]):
        pictures.colour_answers(theme.text, theme.attention)
        with qtbot.waitSignal(pictures.arrived):
            assert pictures.answer("box_sealed") is None
        found = pictures.answer("box_sealed")
        assert found is not None
        colours.append(found.toImage())
    assert colours[0] != colours[1]

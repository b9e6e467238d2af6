"""Numbers, texts and codes as answers: typed without a mouse, large, and never mixed up with commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest

from station.identify.commands import Command
from ui.bench.gallery_views import VIEWS
from ui.bench.window import BenchWindow

NUMBER, SCAN, TEXT = VIEWS["22-number"], VIEWS["23-scan"], VIEWS["24-text"]


@pytest.fixture
def entered(window: BenchWindow) -> list[tuple[str, str]]:
    listed: list[tuple[str, str]] = []
    window.value_entered.connect(lambda typed, by: listed.append((typed, by)))
    return listed


@pytest.fixture
def given(window: BenchWindow) -> list[Command]:
    listed: list[Command] = []
    window.command_given.connect(lambda command, by: listed.append(command))
    return listed


def test_a_number_is_typed_and_taken_by_enter(window: BenchWindow, entered: list[tuple[str, str]]) -> None:
    window.show_view(NUMBER)
    QTest.keyClicks(window, "857")
    QTest.keyClick(window, Qt.Key.Key_Backspace)
    assert window.page.ask.typed == "85"
    assert window.page.ask.accessibleDescription() == "85"
    assert entered == []
    QTest.keyClick(window, Qt.Key.Key_Return)
    QTest.keyClick(window, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    assert entered == [("85", "key"), ("85", "key")]


def test_confirm_hands_over_what_was_typed(
    window: BenchWindow, entered: list[tuple[str, str]], given: list[Command]
) -> None:
    """F11, its button and its barcode go to the desk; the desk asks the window for the field."""
    window.show_view(NUMBER)
    QTest.keyClicks(window, "85")
    QTest.keyClick(window, Qt.Key.Key_F11)
    QTest.mouseClick(window.page.buttons[Command.CONFIRM], Qt.MouseButton.LeftButton)
    assert given == [Command.CONFIRM, Command.CONFIRM]
    window.give_entry()
    assert entered == [("85", "key")]


def test_escape_empties_the_field_first(window: BenchWindow, given: list[Command]) -> None:
    window.show_view(TEXT)
    QTest.keyClicks(window, "the hinge")
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert (window.page.ask.typed, given) == ("", [])
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert given == [Command.BACK]


def test_a_refusal_leaves_what_was_typed_and_the_next_question_begins_empty(window: BenchWindow) -> None:
    window.show_view(NUMBER)
    QTest.keyClicks(window, "250")
    window.show_view(VIEWS["26-entry-refused"])
    assert window.page.ask.typed == "250"
    window.show_view(TEXT)
    assert window.page.ask.typed == ""


@pytest.mark.parametrize("name", ["12-question", "25-rework", "11-photos", "16-confirm"])
def test_elsewhere_letters_and_enter_do_nothing(
    window: BenchWindow, entered: list[tuple[str, str]], given: list[Command], name: str
) -> None:
    window.show_view(NUMBER)
    window.show_view(VIEWS[name])
    QTest.keyClicks(window, "85")
    QTest.keyClick(window, Qt.Key.Key_Return)
    window.give_entry()
    assert (entered, given) == ([], [])


def test_an_endless_entry_stays_readable(window: BenchWindow) -> None:
    window.show_view(TEXT)
    QTest.keyClicks(window, "wide letters WWW " * 20)
    window.grab()
    assert len(window.page.ask.typed) == 200
    assert window.page.ask.overflow == []


@pytest.mark.parametrize("view", [NUMBER, SCAN, TEXT], ids=["number", "scan", "text"])
def test_the_field_says_what_it_wants(window: BenchWindow, view) -> None:
    window.show_view(view)
    image = window.grab().toImage()
    window.page.ask.type_text("7")
    assert window.grab().toImage() != image, "what is typed is seen"


@pytest.fixture
def german() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale("de_DE"))
    yield
    QLocale.setDefault(before)


TEXTS = {"de": {"How much does the battery hold?": "Wie viel hält der Akku?", "Not shown": "Nicht angezeigt"}}


def test_a_protocols_own_words_are_shown_in_the_language_of_the_bench(german: None, window: BenchWindow) -> None:
    window.show_view(replace(NUMBER, texts=TEXTS))
    assert window.page.band.shown[2] == "Wie viel hält der Akku?"
    assert "Nicht angezeigt" in window.page.buttons[Command.CHOICE_1].accessibleName()
    window.show_view(NUMBER)
    assert window.page.band.shown[2] == "How much does the battery hold?"


def test_negative_control_a_language_that_is_not_there_stays_english(window: BenchWindow) -> None:
    window.show_view(replace(NUMBER, texts=TEXTS))
    assert window.page.band.shown[2] == "How much does the battery hold?"

"""The wedge on real windows: real key events with the system's times, focused buttons and fields, shortcuts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QPushButton, QSpinBox, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from devices.ports import Light, LightChanged, Refused, ScanArrived
from devices.scanner import DuplicateGuard
from station.errors import InvalidInput
from station.identify.commands import Command
from ui.bench.window import BenchIdentity, BenchWindow
from ui.theme.tokens import THEMES
from ui.wedge import KeyboardWedge, parse_prefix
from ui.wedge_layout import LABEL, diagnose_layout, typed_on

K = Qt.Key
M = Qt.KeyboardModifier
CODE = "]C1RMA-10442"

# the offscreen platform says so of every window with a layout
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


class Bench(QWidget):
    """A window with a button that has the focus, as on any dialog, and fields to type in."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton("Refund", self)
        self.line = QLineEdit(self)
        self.notes = QPlainTextEdit(self)
        self.number = QSpinBox(self)
        box = QVBoxLayout(self)
        for widget in (self.button, self.line, self.notes, self.number):
            box.addWidget(widget)
        self.pressed = 0
        self.button.setAutoDefault(True)
        self.button.clicked.connect(self._count)
        self.keys: list[int] = []

    def _count(self) -> None:
        self.pressed += 1

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keys.append(event.key())
        event.accept()


class Keyboard:
    """Sends presses and releases to a window as the system does: one by one, each with its time."""

    def __init__(self, bench: QWidget) -> None:
        self._window = bench.windowHandle()
        self.at_ms = 100_000

    def key(self, key: int, text: str = "", mods: Qt.KeyboardModifier = M.NoModifier, *, after_ms: int = 5) -> None:
        self.at_ms += after_ms
        self.down(key, text, mods)
        self.up(key, text, mods)

    def down(self, key: int, text: str = "", mods: Qt.KeyboardModifier = M.NoModifier) -> None:
        for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            self._send(kind, key, text, mods)

    def up(self, key: int, text: str = "", mods: Qt.KeyboardModifier = M.NoModifier) -> None:
        self._send(QEvent.Type.KeyRelease, key, text, mods)

    def scan(self, text: str, *, per_key_ms: int = 5, end: int | None = int(K.Key_Return)) -> None:
        self.at_ms += 2000
        for character in text:
            mods = M.ShiftModifier if character.isupper() else M.NoModifier
            self.key(ord(character.upper()[-1]), character, mods, after_ms=per_key_ms)
        if end is not None:
            self.key(end, "\r", after_ms=per_key_ms)

    def _send(self, kind: QEvent.Type, key: int, text: str, mods: Qt.KeyboardModifier) -> None:
        event = QKeyEvent(kind, key, mods, text)
        event.setTimestamp(self.at_ms)
        event.ignore() if kind is QEvent.Type.ShortcutOverride else event.accept()
        QCoreApplication.sendEvent(self._window, event)


class Heard:
    def __init__(self, wedge: KeyboardWedge) -> None:
        self.events: list[object] = []
        wedge.happened.connect(self.events.append)

    @property
    def scans(self) -> list[bytes]:
        return [event.scan.data for event in self.events if isinstance(event, ScanArrived)]

    @property
    def refused(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, Refused)]


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    bench = Bench()
    qtbot.addWidget(bench)
    bench.show()
    bench.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWindow() is bench.windowHandle())
    bench.button.setFocus()
    return bench


@pytest.fixture
def wedge(bench: Bench) -> Iterator[KeyboardWedge]:
    wedge = KeyboardWedge()
    wedge.start()
    yield wedge
    wedge.stop()


@pytest.mark.parametrize("per_key_ms", [1, 5, 20, 60, 110])
@pytest.mark.parametrize("end", [K.Key_Return, K.Key_Enter, K.Key_Tab])
def test_a_scan_arrives_and_the_focused_button_is_not_pressed(
    bench: Bench, wedge: KeyboardWedge, per_key_ms: int, end: Qt.Key
) -> None:
    heard = Heard(wedge)
    Keyboard(bench).scan("]C1 RMA 10442", per_key_ms=per_key_ms, end=int(end))
    assert heard.scans == [b"]C1 RMA 10442"]
    assert bench.pressed == 0
    assert bench.keys == []
    assert bench.button.hasFocus()
    (scan,) = [event.scan for event in heard.events if isinstance(event, ScanArrived)]
    assert scan.source == "wedge"


def test_without_the_wedge_the_scanner_presses_the_button(bench: Bench) -> None:
    """The control."""
    Keyboard(bench).scan("]C1 RMA 10442")
    assert bench.pressed >= 1


def test_a_person_still_presses_the_button(bench: Bench, wedge: KeyboardWedge, qtbot: QtBot) -> None:
    keyboard = Keyboard(bench)
    keyboard.key(K.Key_Return, "\r", after_ms=2000)
    assert bench.pressed == 1
    keyboard.key(K.Key_Space, " ", after_ms=2000)  # may begin a code: a moment later
    qtbot.waitUntil(lambda: bench.pressed == 2)
    assert not bench.button.isDown()


@pytest.mark.parametrize("field", ["line", "notes", "number"])
def test_a_text_field_gets_a_scan_as_typed(bench: Bench, wedge: KeyboardWedge, field: str) -> None:
    heard = Heard(wedge)
    widget = getattr(bench, field)
    widget.setFocus()
    Keyboard(bench).scan("10442", end=None)
    assert heard.events == []
    if isinstance(widget, QLineEdit):
        assert widget.text() == "10442"
    elif isinstance(widget, QPlainTextEdit):
        assert widget.toPlainText() == "10442"


def test_a_field_that_cannot_be_typed_in_takes_no_scan(bench: Bench, wedge: KeyboardWedge) -> None:
    heard = Heard(wedge)
    bench.line.setReadOnly(True)
    bench.line.setFocus()
    Keyboard(bench).scan(CODE)
    assert heard.scans == [CODE.encode()]


def test_the_focus_leaves_the_field_in_the_middle(bench: Bench, wedge: KeyboardWedge) -> None:
    heard = Heard(wedge)
    bench.line.setFocus()
    bench.line.textChanged.connect(lambda text: bench.button.setFocus() if len(text) == 6 else None)
    Keyboard(bench).scan(CODE)
    assert bench.pressed == 0
    assert bench.line.text() == CODE[:6]
    assert heard.scans == []
    assert len(heard.refused) == 1


def test_keys_that_no_code_begins_with_pass_at_once(bench: Bench, wedge: KeyboardWedge) -> None:
    keyboard = Keyboard(bench)
    for key, mods in ((K.Key_F8, M.NoModifier), (K.Key_Escape, M.NoModifier), (K.Key_Z, M.ControlModifier)):
        keyboard.key(key, "", mods, after_ms=1000)
    assert bench.keys == [K.Key_F8, K.Key_Escape, K.Key_Z]


def test_a_typed_character_comes_a_moment_later_in_order(bench: Bench, wedge: KeyboardWedge, qtbot: QtBot) -> None:
    keyboard = Keyboard(bench)
    keyboard.key(K.Key_A, "a", after_ms=1000)
    keyboard.key(K.Key_B, "b", after_ms=90)
    assert bench.keys in ([], [K.Key_A])
    qtbot.waitUntil(lambda: bench.keys == [K.Key_A, K.Key_B])


def test_shortcuts_work_and_never_fire_on_a_scanners_keys(bench: Bench, wedge: KeyboardWedge) -> None:
    fired: list[str] = []
    for name in ("F8", "Ctrl+]", "Ctrl+J", "Ctrl+P"):
        QShortcut(QKeySequence(name), bench).activated.connect(lambda name=name: fired.append(name))
    window = bench.windowHandle()
    heard = Heard(wedge)
    QTest.keyClick(window, K.Key_F8)  # through the platform, where shortcuts live
    QTest.keyClick(window, K.Key_P, M.ControlModifier)
    assert fired == ["F8", "Ctrl+P"]
    fired.clear()
    for character in "]d2010426012345678921HD7":
        QTest.keyClick(window, character)
    QTest.keyClick(window, K.Key_F8)
    for character in "10A":
        QTest.keyClick(window, character)
    QTest.keyClick(window, K.Key_BracketRight, M.ControlModifier)
    for character in "17":
        QTest.keyClick(window, character)
    QTest.keyClick(window, K.Key_Return)
    QTest.keyClick(window, K.Key_J, M.ControlModifier)
    assert fired == []
    assert heard.scans == [b"]d2010426012345678921HD7\x1d10A\x1d17"]


def test_a_separator_as_alt_and_numbers(bench: Bench, wedge: KeyboardWedge) -> None:
    heard = Heard(wedge)
    keyboard = Keyboard(bench)
    keyboard.scan("21HD7", end=None)
    keyboard.down(K.Key_Alt, "", M.AltModifier)
    for digit in "029":
        keyboard.key(ord(digit), digit, M.AltModifier | M.KeypadModifier)
    keyboard.up(K.Key_Alt)
    for character in "10A":
        keyboard.key(ord(character), character)
    keyboard.key(K.Key_Return, "\r")
    assert heard.scans == [b"21HD7\x1d10A"]


def test_alt_gr_characters_of_other_keyboards(bench: Bench, wedge: KeyboardWedge) -> None:
    heard = Heard(wedge)
    keyboard = Keyboard(bench)
    keyboard.key(K.Key_BracketRight, "]", M.ControlModifier | M.AltModifier, after_ms=2000)
    for character in "C1RMA-1":
        keyboard.key(ord(character), character, M.ShiftModifier if character.isalpha() else M.NoModifier)
    keyboard.key(K.Key_Return, "\r")
    assert heard.scans == [b"]C1RMA-1"]


def test_a_dead_key_is_a_lost_character(bench: Bench, wedge: KeyboardWedge) -> None:
    heard = Heard(wedge)
    keyboard = Keyboard(bench)
    keyboard.scan("RMA", end=None)
    keyboard.key(K.Key_Dead_Acute)
    for character in "10442":
        keyboard.key(ord(character), character)
    keyboard.key(K.Key_Return, "\r")
    assert heard.scans == []
    assert "keyboard country" in heard.refused[0]
    assert bench.pressed == 0


def test_a_finger_on_the_keyboard_during_a_scan(bench: Bench, wedge: KeyboardWedge) -> None:
    heard = Heard(wedge)
    keyboard = Keyboard(bench)
    keyboard.scan("RMA-1", end=None)
    keyboard.down(K.Key_X, "x")
    for character in "0442":
        keyboard.key(ord(character), character)
    keyboard.up(K.Key_X, "x")
    keyboard.key(K.Key_Return, "\r")
    assert heard.scans == []
    assert heard.refused == ["a key was pressed during the scan; scan again"]
    assert bench.pressed == 0


def test_held_releases_stay_in_order_and_none_is_left_over(bench: Bench, wedge: KeyboardWedge, qtbot: QtBot) -> None:
    keyboard = Keyboard(bench)
    keyboard.at_ms += 1000
    keyboard.down(K.Key_Space, " ")
    qtbot.waitUntil(bench.button.isDown)  # given back while it is still down
    keyboard.at_ms += 200
    keyboard.up(K.Key_Space, " ")
    assert bench.pressed == 1


def test_a_prefix_key(bench: Bench, wedge: KeyboardWedge, qtbot: QtBot) -> None:
    wedge.stop()
    prefixed = KeyboardWedge(prefix="F9")
    prefixed.start()
    heard = Heard(prefixed)
    keyboard = Keyboard(bench)
    keyboard.key(K.Key_F9, after_ms=1000)
    keyboard.at_ms -= 1990
    keyboard.scan("7", per_key_ms=110)
    assert heard.scans == [b"7"]
    assert bench.keys == []
    keyboard.key(K.Key_F9, after_ms=1000)
    qtbot.waitUntil(lambda: bench.keys == [K.Key_F9])
    keyboard.key(K.Key_Return, "\r", after_ms=1000)
    assert bench.pressed == 1
    prefixed.stop()


def test_what_is_no_key_is_no_prefix() -> None:
    for text in ("F99", "two words", "F9, F10"):
        with pytest.raises(InvalidInput, match="F9 or Ctrl"):
            parse_prefix(text)


def test_keys_that_wait_behind_a_busy_window_are_still_one_scan(bench: Bench, wedge: KeyboardWedge) -> None:
    heard = Heard(wedge)
    keyboard = Keyboard(bench)
    keyboard.scan(CODE[:6], end=None)
    QTest.qSleep(300)  # the window paints, or waits for a disk; the scanner has gone on typing
    QCoreApplication.processEvents()
    for character in CODE[6:]:
        keyboard.key(ord(character), character)
    keyboard.key(K.Key_Return, "\r")
    assert heard.scans == [CODE.encode()]
    assert bench.pressed == 0


def test_at_the_bench_a_scan_is_no_command_and_a_key_is_one_at_once(qtbot: QtBot) -> None:
    window = BenchWindow(BenchIdentity("Bench 1", "Hall", "Anna"), THEMES["dark"])
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWindow() is window.windowHandle())
    given: list[object] = []
    window.command_given.connect(lambda command, by: given.append((command, by)))
    wedge = KeyboardWedge()
    wedge.start()
    heard = Heard(wedge)
    keyboard = Keyboard(window)
    keyboard.scan("21HD7", end=None)
    keyboard.key(K.Key_F8)  # how some scanners send GS; by itself it is SKIP
    keyboard.key(K.Key_Return, "\r")
    assert heard.scans == [b"21HD7\x1d"]
    assert given == []
    keyboard.key(K.Key_F8, after_ms=2000)
    keyboard.key(K.Key_F11, after_ms=2000)
    assert given == [(Command.SKIP, "key"), (Command.CONFIRM, "key")]
    wedge.stop()
    window.close()


def test_the_badge_and_the_light(bench: Bench) -> None:
    wedge = KeyboardWedge()
    heard = Heard(wedge)
    assert wedge.badge == ""
    wedge.start()
    wedge.start()
    assert wedge.badge == "wedge"
    (light,) = heard.events
    assert isinstance(light, LightChanged)
    assert light.light is Light.WORKING
    wedge.stop()
    wedge.stop()
    assert wedge.badge == ""
    Keyboard(bench).scan(CODE)
    assert heard.scans == []


def test_another_window_is_watched_when_it_gets_the_keyboard(bench: Bench, wedge: KeyboardWedge, qtbot: QtBot) -> None:
    heard = Heard(wedge)
    other = Bench()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWindow() is other.windowHandle())
    other.button.setFocus()
    Keyboard(other).scan(CODE)
    assert heard.scans == [CODE.encode()]
    assert other.pressed == 0
    other.close()


def test_the_duplicate_guard_is_the_benchs(bench: Bench, wedge: KeyboardWedge) -> None:
    wedge.stop()
    guard = DuplicateGuard()
    guarded = KeyboardWedge(guard=guard, duplicate_s=600.0)
    guarded.start()
    heard = Heard(guarded)
    keyboard = Keyboard(bench)
    keyboard.scan(CODE)
    keyboard.scan(CODE)
    assert heard.scans == [CODE.encode()]
    assert "counted once" in heard.refused[0]
    guarded.stop()


def test_the_layout_label_and_the_repair(bench: Bench, wedge: KeyboardWedge) -> None:
    heard = Heard(wedge)
    verdicts: list[object] = []
    wedge.layout_tested.connect(verdicts.append)
    Keyboard(bench).scan(typed_on("de", LABEL))
    assert heard.scans == []
    assert verdicts == [diagnose_layout(typed_on("de", LABEL))]
    wedge.stop()
    repairing = KeyboardWedge(repair=diagnose_layout(typed_on("de", LABEL)).repair)
    repairing.start()
    heard = Heard(repairing)
    Keyboard(bench).scan(typed_on("de", "]C1RMA-10442/YZ"))
    assert heard.scans == [b"]C1RMA-10442/YZ"]
    repairing.stop()

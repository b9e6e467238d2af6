"""The window from outside: what it shows, what it reports, and what never happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from station.identify.commands import COMMANDS, Command, CommandSpec
from station.inspection.view import Band, BenchView, Notice
from ui.bench.gallery import as_array, sketch
from ui.bench.gallery_views import VIEWS
from ui.bench.window import BenchWindow
from ui.theme.tokens import CONTRAST, DARK, LIGHT

Given = list[tuple[Command, str]]


def _given(window: BenchWindow) -> Given:
    given: Given = []
    window.command_given.connect(lambda command, by: given.append((command, by)))
    return given


def _shown(window: BenchWindow) -> dict[str, QAbstractButton]:
    return {b.objectName(): b for b in window.findChildren(QAbstractButton) if b.isVisible()}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_each_action_of_each_state_can_be_touched(window: BenchWindow, view: BenchView) -> None:
    window.show_view(view)
    given = _given(window)
    shown = _shown(window)
    assert set(shown) == {f"action.{command.value}" for command in {*view.actions, Command.HELP}}
    for command in view.actions:
        QTest.mouseClick(shown[f"action.{command.value}"], Qt.MouseButton.LeftButton)
    assert given == [(command, "touch") for command in view.actions]


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.command.value)
@pytest.mark.parametrize("name", ["01-idle", "11-photos", "17-done"])
def test_each_row_of_the_table_is_a_key_in_every_state(window: BenchWindow, name: str, spec: CommandSpec) -> None:
    window.show_view(VIEWS[name])
    given = _given(window)
    combination = QKeySequence.fromString(spec.key, QKeySequence.SequenceFormat.PortableText)[0]
    QTest.keyClick(window, combination.key(), combination.keyboardModifiers())
    assert given == [(spec.command, "key")]


def test_the_tables_keys_are_unique_and_no_letter() -> None:
    keys = [spec.key for spec in COMMANDS]
    assert len(keys) == len(set(keys))
    assert not [key for key in keys if len(key) == 1]


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_enter_space_and_typed_letters_press_nothing(window: BenchWindow, view: BenchView) -> None:
    """What a keyboard-wedge scanner types, its Enter included, with the focus wherever it may be."""
    window.show_view(view)
    given = _given(window)
    widgets: list[QWidget] = [window, *window.findChildren(QWidget)]
    for widget in widgets:
        if widget.isVisible():
            assert widget.focusPolicy() is Qt.FocusPolicy.NoFocus or widget is window, widget
            for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Select):
                QTest.keyClick(widget, key)
    QTest.keyClicks(window, "RMA-2026-004711 NO LABEL 4006381333931")
    assert given == []


def test_negative_control_an_ordinary_button_is_pressed_by_space(window: BenchWindow, qtbot: QtBot) -> None:
    """The test above would see a press: Qt's own button obeys Space."""
    from PySide6.QtWidgets import QPushButton

    ordinary = QPushButton("Grade A", window)
    pressed: list[bool] = []
    ordinary.clicked.connect(lambda: pressed.append(True))
    ordinary.show()
    QTest.keyClick(ordinary, Qt.Key.Key_Space)
    assert pressed == [True]


def test_a_held_key_is_given_once(window: BenchWindow) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    window.show_view(VIEWS["16-confirm"])
    given = _given(window)
    for repeated in (False, True, True):
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_F11, Qt.KeyboardModifier.NoModifier, "", repeated)
        QApplication.sendEvent(window, event)
    assert given == [(Command.CONFIRM, "key")]


def test_painted_names_the_view_that_is_on_the_screen(window: BenchWindow, qtbot: QtBot) -> None:
    numbers: list[int] = []
    window.painted.connect(numbers.append)
    first = window.show_view(VIEWS["01-idle"])
    qtbot.waitUntil(lambda: first in numbers)
    again = window.show_view(VIEWS["01-idle"])
    assert again == first + 1
    qtbot.waitUntil(lambda: again in numbers, timeout=2000)
    assert numbers == sorted(numbers)


def test_two_views_in_a_row_end_with_the_second(window: BenchWindow, qtbot: QtBot) -> None:
    numbers: list[int] = []
    window.painted.connect(numbers.append)
    window.show_view(VIEWS["04-item"])
    second = window.show_view(VIEWS["11-photos"])
    qtbot.waitUntil(lambda: second in numbers)
    assert window.page.live.isVisible()
    assert not window.page.ready.isVisible()


def test_touched_by_key_by_button_and_by_the_empty_screen(window: BenchWindow) -> None:
    window.show_view(VIEWS["01-idle"])
    touched: list[bool] = []
    window.touched.connect(lambda: touched.append(True))
    QTest.keyClick(window, Qt.Key.Key_Shift)
    assert len(touched) == 1
    QTest.mouseClick(window.page.ready, Qt.MouseButton.LeftButton)
    assert len(touched) == 2
    QTest.mouseClick(window.page.buttons[Command.NO_LABEL], Qt.MouseButton.LeftButton)
    assert len(touched) == 3


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_everything_that_is_shown_has_a_name(window: BenchWindow, view: BenchView, qtbot: QtBot) -> None:
    window.show_view(view)
    unnamed = []
    for widget in window.page.findChildren(QWidget):
        if not widget.isVisible() or widget is window.page.mark:
            continue
        assert widget.objectName(), widget
        interface = QAccessible.queryAccessibleInterface(widget)
        if not interface.text(QAccessible.Text.Name) and widget.objectName() not in ("live_stage", "ask_stage"):
            unnamed.append(widget.objectName())
    assert unnamed == []


def test_a_button_is_called_by_label_and_key(window: BenchWindow) -> None:
    window.show_view(VIEWS["12-question"])
    interface = QAccessible.queryAccessibleInterface(window.page.buttons[Command.CHOICE_2])
    assert interface.text(QAccessible.Text.Name) == "Broken or missing (F2)"
    assert interface.text(QAccessible.Text.Description) == "film torn, opened or gone"


def test_the_band_says_what_the_desk_said_and_stays(window: BenchWindow, qtbot: QtBot) -> None:
    window.show_view(VIEWS["06-wrong-item"])
    band, icon, title, detail = window.page.band.shown
    assert (band, icon, title) == (Band.REJECT, "octagon-x", "Not the item on this return")
    assert "4006381333931" in detail
    assert "4260123456788" in detail
    assert "WRONG ITEM" in detail
    window.show_indication(12_000, "motion", False)
    window.show_sync("offline", 3, 0, None, 0)
    window.show_frame(as_array(sketch("item", 320, 180)), 0.4, "hold still")
    assert window.page.band.shown == (band, icon, title, detail)


def test_help_lies_over_the_page_and_waits_for_nobody(window: BenchWindow) -> None:
    window.show_view(VIEWS["12-question"])
    given = _given(window)
    window.toggle_help()
    assert window.page.help.isVisible()
    QTest.keyClick(window, Qt.Key.Key_F2)
    assert given == [(Command.CHOICE_2, "key")]
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.page.help.isVisible()
    assert given == [(Command.CHOICE_2, "key")]
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert given[-1] == (Command.BACK, "key")


def test_help_goes_when_something_happens(window: BenchWindow) -> None:
    window.show_view(VIEWS["11-photos"])
    window.show_help(True)
    window.show_view(VIEWS["11-photos"])
    assert window.page.help.isVisible()
    window.show_view(VIEWS["12-question"])
    assert not window.page.help.isVisible()


def test_a_banner_moves_the_page_and_clears(window: BenchWindow) -> None:
    window.show_view(VIEWS["11-photos"])
    before = window.page.item.geometry()
    window.show_banner("The disk is almost full")
    assert window.page.banner.isVisible()
    assert window.page.item.geometry().top() > window.page.banner.geometry().bottom()
    window.show_banner(None)
    assert not window.page.banner.isVisible()
    assert window.page.item.geometry() == before


@pytest.mark.parametrize(
    ("arguments", "icon", "said"),
    [
        (("online", 0, 0, None, 0), "cloud", "all sent"),
        (("online", 12, 3, datetime(2026, 3, 12, 9, 42, tzinfo=UTC), 0), "cloud", "12 waiting since"),
        (("online", 0, 5, None, 0), "cloud", "5 photos"),
        (("online", 0, 1, None, 0), "cloud", "1 photo"),
        (("offline", 12, 0, None, 0), "cloud-off", "offline · 12 waiting"),
        (("paused", 2, 0, None, 0), "cloud-alert", "the server refuses · 2 waiting"),
        (("revoked", 2, 0, None, 0), "cloud-alert", "shut out – call IT · 2 waiting"),
        (("online", 0, 0, None, 1), "cloud-alert", "1 set aside"),
    ],
)
def test_the_sync_state_is_always_said(
    window: BenchWindow, arguments: tuple[str, int, int, datetime | None, int], icon: str, said: str
) -> None:
    window.show_sync(*arguments)
    shown_icon, shown = window.page.top_bar.sync_words
    assert shown_icon == icon
    assert said in shown
    assert "1 photos" not in shown


def test_a_device_that_is_not_well_has_a_word(window: BenchWindow) -> None:
    bar = window.page.top_bar
    window.show_light("scale", "working", "")
    assert bar.light_words("scale") == ""
    window.show_light("scale", "gone", "The scale is gone: check its cable and its power supply")
    assert bar.light_words("scale") == "unplugged"
    assert "check its cable" in bar.accessibleDescription()
    window.show_light("scale", "silent", "")
    assert bar.light_words("scale") == "no answer"


def test_a_frame_is_drawn_where_the_picture_is(window: BenchWindow, qtbot: QtBot) -> None:
    window.show_view(VIEWS["11-photos"])
    frame = as_array(sketch("item", 960, 540))
    frame[:] = (200, 30, 30, 255)
    window.show_frame(frame, 0.0, "")
    picture = window.page.live.picture
    colour = picture.grab().toImage().pixelColor(picture.width() // 2, picture.height() // 2)
    assert (colour.red(), colour.green(), colour.blue()) == (30, 30, 200)
    window.show_light("camera", "gone", "")
    colour = picture.grab().toImage().pixelColor(picture.width() // 2, picture.height() - 20)
    assert colour.name().upper() == DARK.raised


def test_frames_repaint_only_the_picture(window: BenchWindow, qtbot: QtBot) -> None:
    window.show_view(VIEWS["11-photos"])
    window.grab()
    painted: list[str] = []

    class Watch(QWidget):
        pass

    from PySide6.QtCore import QEvent, QObject

    class Filter(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() in (QEvent.Type.Paint, QEvent.Type.LayoutRequest, QEvent.Type.Resize):
                painted.append(watched.objectName())
            return False

    watcher = Filter()
    for widget in window.findChildren(QWidget):
        widget.installEventFilter(watcher)

    def only_the_picture() -> None:
        """Thumbnails and the clock may still come in by themselves: a frame is judged once all is quiet."""
        QApplication.processEvents()
        painted.clear()
        for _ in range(3):
            window.show_frame(as_array(sketch("item", 320, 180)), 0.5, "hold still")
            QApplication.processEvents()
        assert set(painted) == {"live_picture"}

    qtbot.waitUntil(only_the_picture, timeout=5_000)


def test_thumbnails_come_from_the_loader_or_by_hand(window: BenchWindow, qtbot: QtBot) -> None:
    view = VIEWS["12-question"]
    photo = view.shots[0].photo
    assert photo is not None
    window.show_view(view)
    window.grab()
    qtbot.waitUntil(lambda: window.pictures.photo(photo.sha256) is not None)
    image = QImage(64, 40, QImage.Format.Format_RGB32)
    image.fill(0xFF00FF)
    window.show_thumbnail(photo.sha256, image)
    pixmap = window.pictures.photo(photo.sha256)
    assert pixmap is not None
    assert pixmap.size() == image.size()


def test_a_theme_is_changed_live(window: BenchWindow) -> None:
    window.show_view(VIEWS["17-done"])

    def corner() -> str:
        return window.grab().toImage().pixelColor(QPoint(4, 700)).name().upper()

    seen = [corner()]
    for theme in (LIGHT, CONTRAST):
        window.set_theme(theme)
        seen.append(corner())
    assert seen == [DARK.ground, LIGHT.ground, CONTRAST.ground]


def test_the_same_view_gives_the_same_picture(window: BenchWindow, qtbot: QtBot) -> None:
    for view in VIEWS.values():
        window.show_view(view)
        window.grab()
        window.pictures.wait()
        QApplication.processEvents()
    pictures = {}
    for name, view in VIEWS.items():
        window.show_view(view)
        pictures[name] = window.grab().toImage()
    for name, view in reversed(VIEWS.items()):
        window.show_view(view)
        assert window.grab().toImage() == pictures[name], name


def test_a_notice_of_a_newer_desk_still_reads(window: BenchWindow) -> None:
    window.show_view(replace(VIEWS["01-idle"], notice=Notice(Band.HOLD, "tote_is_full", {"tote": "R-14"})))
    assert window.page.band.shown == (Band.HOLD, "triangle-alert", "Tote is full", "R-14")


def test_a_hostile_picture_name_opens_nothing(window: BenchWindow) -> None:
    item = VIEWS["04-item"].item
    assert item is not None
    for name in ("../../etc/passwd", "/etc/passwd", "a/b.png", ""):
        assert window.pictures.catalogue(name) is None
    assert window.pictures.wait()

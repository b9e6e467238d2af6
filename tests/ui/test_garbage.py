"""Dead Qt objects are destroyed on the GUI thread, whatever the other threads allocate."""

from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from ui.garbage import CycleCollector


class Cycle(QObject):
    """An object that only the cycle collector can free."""

    def __init__(self, died_on: list[threading.Thread]) -> None:
        super().__init__()
        self.me = self
        weakref.finalize(self, lambda: died_on.append(threading.current_thread()))


def allocate_much() -> None:
    """Enough new containers to make Python collect several times, if it were allowed to."""
    kept = [[number] for number in range(50_000)]
    assert kept


def in_another_thread() -> None:
    thread = threading.Thread(target=allocate_much)
    thread.start()
    thread.join()


def test_cycles_are_freed_on_the_gui_thread(qtbot: QtBot) -> None:
    collector = CycleCollector()
    died_on: list[threading.Thread] = []
    Cycle(died_on)
    in_another_thread()
    assert died_on == []
    kept = [[number] for number in range(50_000)]
    qtbot.waitUntil(lambda: bool(died_on), timeout=5_000)
    collector.stop()
    assert kept
    assert died_on == [threading.main_thread()]
    assert gc.isenabled()


def test_negative_control_without_it_another_thread_frees_them(qtbot: QtBot) -> None:
    gc.collect()
    gc.enable()
    died_on: list[threading.Thread] = []
    holder = type("Plain", (), {})()
    holder.me = holder
    weakref.finalize(holder, lambda: died_on.append(threading.current_thread()))
    del holder
    in_another_thread()
    assert died_on
    assert died_on[0] is not threading.main_thread()

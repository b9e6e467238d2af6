"""The three kinds of thread of the desktop app (STYLE §8) and nothing else.

GUI: all widgets. ``LoopThread``: one per device or line, runs a plain loop that blocks with time-outs and emits values.
``DeskThread``: the one worker that owns the desk; what happens at the bench is handled there strictly in order, so
neither a slow disk nor a slow look-up ever blocks a screen. Signals cross threads only to methods of QObjects.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QObject, QThread, Signal

from station.errors import StationError
from station.inspection.view import Outcome

if TYPE_CHECKING:
    # The desk brings the rules along; they load on its own thread, behind the painted window.
    from station.inspection.desk import Desk

logger = logging.getLogger(__name__)

Loop: TypeAlias = Callable[[Callable[[], bool], Callable[[object], None]], None]
"""``loop(should_stop, emit)``: returns soon after ``should_stop()`` turns true."""

STOP_WITHIN_MS = 5_000


class LoopThread(QThread):
    """Owner of one device: runs its loop and passes its events on."""

    happened = Signal(object)  # whatever the loop emits: a frozen value
    crashed = Signal(str, str)  # name, text: a Defect in the loop; the rest of the bench goes on

    def __init__(self, name: str, loop: Loop, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._loop = loop

    def stop(self) -> bool:
        """Ask the loop to end and wait; False = it did not within five seconds."""
        self.requestInterruption()
        return bool(self.wait(STOP_WITHIN_MS))

    def run(self) -> None:
        threading.current_thread().name = self.objectName()  # what the log shows
        try:
            self._loop(self.isInterruptionRequested, self.happened.emit)
        except Exception as error:
            logger.critical("the loop of %s ended by a defect", self.objectName(), exc_info=True)
            self.crashed.emit(self.objectName(), str(error))


@dataclass(frozen=True, slots=True)
class Handled:
    """One thing the desk has dealt with."""

    what: str
    """``scan``, ``command``, ``weight``, ``photo``, ``labels``, ``minute`` or ``start``."""
    outcome: Outcome
    born: float
    """Monotonic time at which the event was complete (last byte of a scan, key press)."""
    took_s: float
    """Time the desk needed, the durable write included."""
    source: str = ""
    """The device that a scan came from."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The desk could not do it; nothing was changed."""

    error: StationError
    born: float
    source: str = ""


Task: TypeAlias = "Callable[[Desk], Outcome | None]"


class DeskThread(QThread):
    """Owns the desk. Tasks wait in a queue from the first moment, so a scan during the start is not lost."""

    handled = Signal(object)  # Handled
    failed = Signal(object)  # Failed
    crashed = Signal(str)

    def __init__(
        self, open_desk: Callable[[], Desk], close_desk: Callable[[], None], warm_up: Callable[[], None]
    ) -> None:
        """
        Args:
            open_desk: opens the store and makes the desk, on this thread.
            close_desk: closes the store, on this thread.
            warm_up: loads what the first scan will need, once the first view is out.
        """
        super().__init__()
        self.setObjectName("desk")
        self._open_desk = open_desk
        self._warm_up = warm_up
        self._close_desk = close_desk
        self._tasks: queue.SimpleQueue[tuple[str, Task, float, str] | None] = queue.SimpleQueue()

    def submit(self, what: str, task: Task, born: float | None = None, source: str = "") -> None:
        """Queue something that happened; never blocks."""
        self._tasks.put((what, task, time.monotonic() if born is None else born, source))

    def stop(self) -> bool:
        """Finish what is queued, close the store, end."""
        self._tasks.put(None)
        return bool(self.wait(STOP_WITHIN_MS * 4))

    def run(self) -> None:
        threading.current_thread().name = self.objectName()
        try:
            desk = self._open_desk()
        except StationError as error:
            self.failed.emit(Failed(error, time.monotonic()))
            return
        except Exception as error:
            logger.critical("the desk could not be opened", exc_info=True)
            self.crashed.emit(str(error))
            return
        self._handle(desk, "start", lambda desk: desk.resume(), time.monotonic(), "")
        self._warm_up()
        while (item := self._tasks.get()) is not None:
            self._handle(desk, *item)
        self._close_desk()

    def _handle(self, desk: Desk, what: str, task: Task, born: float, source: str) -> None:
        started = time.monotonic()
        try:
            outcome = task(desk)
        except StationError as error:
            logger.warning("not done: %s", error)
            self.failed.emit(Failed(error, born, source))
        except Exception as error:
            logger.critical("defect in the desk", exc_info=True)
            self.crashed.emit(str(error))
        else:
            if outcome is not None:
                self.handled.emit(Handled(what, outcome, born, time.monotonic() - started, source))

"""The PySide6 build in this environment does not destroy Python's own objects.

PySide6 6.12.0 on Python before 3.12 gives back a reference to ``None`` on every call that returns nothing and one to
``True`` on every emitted signal; after some five thousand calls the interpreter aborts (FLOOR §2.1). pyproject.toml
keeps it out; this test says so loudly, before a bench dies of it.
"""

from __future__ import annotations

import sys

import PySide6
import pytest
from PySide6.QtCore import QObject, Signal

CALLS = 1000
TOLERANCE = 50
"""References that other parts of the interpreter may take or give back meanwhile."""


class Emitter(QObject):
    happened = Signal(bool)


def references_lost(what: object, call: object, times: int) -> int:
    """How many references to an object are gone after calling something many times."""
    assert callable(call)
    before = sys.getrefcount(what)
    for _ in range(times):
        call()
    return before - sys.getrefcount(what)


def test_calls_that_return_nothing_leave_none_alone() -> None:
    thing = QObject()
    assert references_lost(None, lambda: thing.setObjectName("x"), CALLS) < TOLERANCE


def test_signals_leave_true_alone() -> None:
    emitter = Emitter()
    heard: list[bool] = []
    emitter.happened.connect(heard.append)
    assert references_lost(True, lambda: emitter.happened.emit(True), CALLS) < TOLERANCE
    assert len(heard) == CALLS


def test_the_measure_notices_lost_references() -> None:
    victim = object()
    kept = [victim] * CALLS
    assert references_lost(victim, kept.pop, CALLS) == CALLS


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_the_bad_release_is_not_installed() -> None:
    assert PySide6.__version_info__[:2] != (6, 12)

"""The line before the writers: what is small goes first, nothing is lost, nothing overtakes within its own line."""

from __future__ import annotations

import threading

import pytest

from sync.server.line import PATIENCE_S, Line


class Gate:
    """Holds a line's thread until it is opened."""

    def __init__(self, line: Line) -> None:
        self._entered, self._open = threading.Event(), threading.Event()
        line.submit(self._hold, backlog=True)
        assert self._entered.wait(10)

    def _hold(self) -> None:
        self._entered.set()
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


def test_small_things_go_ahead_of_backlogs() -> None:
    line, done = Line(1, "test"), list[str]()
    gate = Gate(line)
    for number in range(3):
        line.submit(lambda number=number: done.append(f"backlog {number}"), backlog=True)
    for number in range(3):
        line.submit(lambda number=number: done.append(f"small {number}"))
    assert line.backlogs == 3
    gate.open()
    line.shutdown()
    assert done == ["small 0", "small 1", "small 2", "backlog 0", "backlog 1", "backlog 2"]


def test_the_wait_goes_by_how_long_the_last_backlogs_took() -> None:
    line = Line(1, "test")
    gate = Gate(line)
    assert line.wait_s == 0.0
    for _ in range(500):
        line.submit(lambda: None, backlog=True)
    assert line.wait_s > PATIENCE_S
    gate.open()
    line.shutdown()
    assert line.wait_s == 0.0


def test_an_error_is_the_callers_and_the_thread_goes_on() -> None:
    line = Line(1, "test")
    bad, good = line.submit(lambda: 1 // 0), line.submit(lambda: 7, backlog=True)
    with pytest.raises(ZeroDivisionError):
        bad.result(10)
    assert good.result(10) == 7
    line.shutdown()
    with pytest.raises(RuntimeError, match="closed"):
        line.submit(lambda: None)

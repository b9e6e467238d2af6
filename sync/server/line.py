"""The line before the writers: what a bench sends at work goes ahead of what it had gathered.

Context: after an outage hundreds of benches send their backlogs at once, some hundred entries a request, while others
simply work; a bench at work must have its answer within a second. Decision: two lines before the same threads; a
thread takes from the line of small things as long as there are any. A bench has two batches of a backlog under way
at most; one that gets ahead of the other is waited for by the journal, or sent again, so no chain breaks. A backlog is
let in while the line before it takes ``PATIENCE_S`` at most, as the last ones went: longer, and benches would give up
waiting and send everything again. Price: under a flood of small things a backlog waits; it is the small ones that are
bounded by number.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple, TypeVar

_T = TypeVar("_T")

PATIENCE_S: Final = 8.0
"""A bench gives up after 15 s."""
_FIRST_PACE_S: Final = 0.05
_MEMORY: Final = 0.1
"""Weight of the newest backlog in the moving average."""


class _Job(NamedTuple):
    work: Callable[[], Any]
    future: Future[Any]


class Line:
    """Threads that do one thing after the other, the small ones first."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        self._changed = threading.Condition()
        self._small: deque[_Job] = deque()
        self._backlogs: deque[_Job] = deque()
        self._ended = False
        self._pace_s = _FIRST_PACE_S
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], _T], *, backlog: bool = False) -> Future[_T]:
        """Stand in line."""
        future: Future[_T] = Future()
        with self._changed:
            if self._ended:
                raise RuntimeError("the line is closed")
            (self._backlogs if backlog else self._small).append(_Job(work, future))
            self._changed.notify()
        return future

    @property
    def backlogs(self) -> int:
        """How many backlogs wait."""
        return len(self._backlogs)

    @property
    def wait_s(self) -> float:
        """How long one more backlog would wait."""
        return len(self._backlogs) * self._pace_s / len(self._threads)

    def shutdown(self) -> None:
        """Do what stands in line, and end."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._small or self._backlogs or self._ended):
                    self._changed.wait()
                if not (self._small or self._backlogs):
                    return
                is_backlog = not self._small
                job = (self._small or self._backlogs).popleft()
            if not job.future.set_running_or_notify_cancel():
                continue
            started = time.monotonic()
            try:
                job.future.set_result(job.work())
            except BaseException as error:
                job.future.set_exception(error)
            if is_backlog:
                self._pace_s += _MEMORY * (time.monotonic() - started - self._pace_s)
            del job  # what it holds may be large; the next one may be long in coming

"""Several server processes on one listening socket: started, watched, replaced, ended together.

Context: uvicorn's own supervisor starts its workers anew from an import string and says when they are started, not when
they answer. Decision: the parent binds, forks before it has a thread, and only watches; a worker that dies is replaced
after a pause; what a worker says about its start goes through a pipe. Price: POSIX only (``run.check_workers``).
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Final, TypeAlias

from station.errors import EnvironmentFault, StationError

logger = logging.getLogger(__name__)

_READY: Final = b"."
_START_S: Final = 60.0
_PAUSE_S: Final = 1.0
"""Before a dead worker is replaced."""
_END_S: Final = 15.0

Work: TypeAlias = "Callable[[Callable[[], None], threading.Event | None], None]"
"""``work(ready, stop)`` serves until SIGTERM or ``stop``."""


def run_workers(count: int, work: Work, ready: Callable[[], None], stop: threading.Event | None = None) -> None:
    """Run ``work`` in so many processes until SIGTERM or SIGINT.

    Args:
        ready: called once, when all answer.
        stop: ends them too.

    Raises:
        EnvironmentFault: a worker could not start; the text is its own.
    """
    crew = _Crew(work)
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for _ in range(count):
            crew.start()
        crew.wait_until_ready(ended)
        if not ended.is_set():
            ready()
        while not (ended.wait(0.1) or (stop is not None and stop.is_set())):
            crew.replace_the_dead()
    finally:
        crew.end()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Crew:
    """The workers that live."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._pipes: dict[int, int] = {}
        """Process id → the end on which it says that it is ready, or why not."""
        self._replace_at: list[float] = []

    def start(self) -> None:
        """Fork one; in the child this does not return."""
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            os.close(reading)
            os._exit(_be_a_worker(self._work, writing, parent))
        os.close(writing)
        self._pipes[child] = reading
        logger.info("worker started", extra={"worker": child})

    def wait_until_ready(self, ended: threading.Event) -> None:
        """Return when each has said that it answers.

        Raises:
            EnvironmentFault: one could not start.
        """
        until = time.monotonic() + _START_S
        for child, pipe in self._pipes.items():
            while not ended.is_set():
                if select.select([pipe], [], [], 0.1)[0]:
                    said = os.read(pipe, 4096)
                    if said != _READY:
                        raise EnvironmentFault(said.decode(errors="replace") or f"worker {child} died at its start")
                    break
                if time.monotonic() > until:
                    raise EnvironmentFault(f"worker {child} was not ready within {_START_S:.0f} s")

    def replace_the_dead(self) -> None:
        """Note who died and start others, not too fast."""
        for child in list(self._pipes):
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                os.close(self._pipes.pop(child))
                logger.error("worker died", extra={"worker": child, "code": os.waitstatus_to_exitcode(status)})
                self._replace_at.append(time.monotonic() + _PAUSE_S)
        while self._replace_at and self._replace_at[0] <= time.monotonic():
            self._replace_at.pop(0)
            self.start()

    def end(self) -> None:
        """Ask all to finish what is under way; kill those that do not."""
        for child in self._pipes:
            _send(child, signal.SIGTERM)
        until = time.monotonic() + _END_S
        for child, pipe in self._pipes.items():
            while os.waitpid(child, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    _send(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    break
                time.sleep(0.02)
            os.close(pipe)
        self._pipes.clear()


def _be_a_worker(work: Work, pipe: int, parent: int) -> int:
    """Serve; the exit code of this process. Nothing may escape: behind it lies the parent's stack."""
    orphaned = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        orphaned.set()

    threading.Thread(target=watch, name="parent", daemon=True).start()
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent says when to end
        work(lambda: _say(pipe, _READY), orphaned)
    except StationError as error:
        _say(pipe, str(error).encode())
        return error.exit_code
    except BaseException as error:
        _say(pipe, f"{type(error).__name__}: {error}".encode())
        traceback.print_exc()
        return 70
    return 0


def _say(pipe: int, what: bytes) -> None:
    os.write(pipe, what[:4096])


def _send(child: int, number: int) -> None:
    try:
        os.kill(child, number)
    except ProcessLookupError:
        logger.debug("worker %s has gone already", child)

"""The bench's four sounds, without QtMultimedia: distinct by rhythm, started at once, never waited for."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, QProcess, QThreadPool

from station.assets import asset
from station.inspection.view import Tone

logger = logging.getLogger(__name__)

_PLAYERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pw-play", ()),
    ("paplay", ()),
    ("aplay", ("-q",)),
    ("afplay", ()),
)

Starter = Callable[[str, Sequence[str]], object]


def _start_detached(program: str, arguments: Sequence[str]) -> object:
    return QProcess.startDetached(program, list(arguments))


class SoundPlayer(QObject):
    """Plays a tone with the machine's own player. Without one it is silent and says so once in the log."""

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        find: Callable[[str], str | None] = shutil.which,
        start: Starter = _start_detached,
    ) -> None:
        super().__init__(parent)
        self.muted = False
        self._start = start
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._player = _winsound if sys.platform == "win32" else self._find(find)
        if self._player is None:
            logger.info("no sound player (%s): the bench stays silent", ", ".join(name for name, _ in _PLAYERS))

    @property
    def can_play(self) -> bool:
        return self._player is not None

    def play(self, tone: Tone) -> None:
        """Start a tone and return at once; starting a process is left to a worker."""
        player = self._player
        if player is not None and not self.muted:
            path = str(asset("sounds", f"{tone.value}.wav"))
            self._pool.start(lambda: player(path))

    def wait(self, timeout_ms: int = 2000) -> bool:
        """Let started tones reach their player."""
        return self._pool.waitForDone(timeout_ms)

    def _find(self, find: Callable[[str], str | None]) -> Callable[[str], None] | None:
        for name, options in _PLAYERS:
            program = find(name)
            if program is not None:
                return partial(self._run, program, options)
        return None

    def _run(self, program: str, options: tuple[str, ...], path: str) -> None:
        self._start(program, (*options, path))


def _winsound(path: str) -> None:
    if sys.platform == "win32":
        import winsound

        winsound.PlaySound(path, winsound.SND_FILENAME | winsound.SND_ASYNC | winsound.SND_NODEFAULT)

"""One program per port, and who that is.

Three locks, because each has a hole: pyserial's ``flock`` keeps out programs that ask for it, TIOCEXCL (set by
``transport.py``) every later open but root's, and neither tells who holds the port. So each port that this program
opens also has a lock file with the process and its name, locked itself: the kernel lets go of it when the process ends,
however it ends, so a stale one is taken over without a question.

Source: DEVICES §6.1. Windows opens ports exclusively; there the file only tells who. Not yet checked on Windows.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from station.errors import DeviceFault

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

logger = logging.getLogger(__name__)

_LOCKED_BYTE = 1 << 20
"""Windows refuses to read a locked byte, so the one that is locked lies behind the text."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open."""

    pid: int
    program: str

    def __str__(self) -> str:
        """
        >>> str(Holder(4711, "minicom"))
        'minicom (process 4711)'
        """
        if self.pid == os.getpid():
            return "this program itself, for another device"
        return f"{self.program or 'another program'} (process {self.pid})"


class PortLock:
    """Held while this process has a port open."""

    def __init__(self, path: str, folder: Path | None = None) -> None:
        """
        Args:
            path: a device path or ``COM3``; a link counts as what it leads to.
            folder: where lock files are, common to all programs of the machine; tests have their own.
        """
        self._port = path
        self._file = _lock_file(path, folder)
        self._descriptor = -1

    def acquire(self) -> None:
        """Take the port.

        Raises:
            DeviceFault: another process, or another device of this one, has it.
        """
        try:
            self._file.parent.mkdir(exist_ok=True)
            with contextlib.suppress(OSError):
                self._file.parent.chmod(0o1777)  # common to all users of the machine
            descriptor = _open(self._file)
        except OSError as error:
            # the kernel's locks still hold; only the name of the holder is missing
            logger.info("no lock file for %s: %s", self._port, error)
            return
        try:
            _lock(descriptor)
        except OSError as error:
            who = _read_holder(descriptor)
            os.close(descriptor)
            raise DeviceFault(
                f"{self._port!r} is in use by {who or 'another program'}; close that program first"
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n{_this_program()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Idempotent. The file stays: removing it would open a gap in which two processes hold one each."""
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def holder(path: str, folder: Path | None = None, proc: Path = Path("/proc")) -> Holder | None:
    """Who has a port open: by its lock file, or by looking at what every process has open (only root sees all)."""
    return _by_lock_file(_lock_file(path, folder)) or _by_open_files(path, proc)


def _by_lock_file(file: Path) -> Holder | None:
    try:
        descriptor = os.open(file, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    try:
        found = _read_holder(descriptor)
        if found is not None:  # let go of in order: not even tried, so that nobody who takes it now is disturbed
            _lock(descriptor)
    except OSError:
        return found
    finally:
        os.close(descriptor)
    return None


def _by_open_files(path: str, proc: Path) -> Holder | None:
    if sys.platform != "linux":
        return None
    real = os.path.realpath(path)
    for process in proc.glob("[0-9]*"):
        try:
            if any(str(entry.readlink()) == real for entry in (process / "fd").iterdir()):
                return Holder(int(process.name), (process / "comm").read_text().strip())
        except OSError:
            continue  # not ours to look into, or gone
    return None


def _lock_file(path: str, folder: Path | None) -> Path:
    real = os.path.realpath(path) if path.startswith("/") else path.upper()
    name = re.sub(r"[^A-Za-z0-9.]+", "-", real).strip("-")
    return (folder or _common_folder()) / f"{name}.lock"


def _common_folder() -> Path:
    system = Path("/run/lock")
    parent = system if os.access(system, os.W_OK) else Path(tempfile.gettempdir())
    return parent / "returns-station"


def _open(file: Path) -> int:
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        # without O_CREAT first: Linux refuses it on another user's file in a folder that everybody may write
        return os.open(file, flags)
    except FileNotFoundError:
        descriptor = os.open(file, flags | os.O_CREAT, 0o666)
        with contextlib.suppress(OSError):
            file.chmod(0o666)
        return descriptor


def _read_holder(descriptor: int) -> Holder | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    pid, _, program = os.read(descriptor, 256).decode("utf-8", "replace").strip().partition("\n")
    return Holder(int(pid), program) if pid.isdigit() else None


def _this_program() -> str:
    called = Path(sys.argv[0] or "python").name
    if called not in ("station", "station.exe", "__main__.py"):
        return called
    words = [word for word in sys.argv[1:] if re.fullmatch("[a-z-]+", word) and not word.startswith("-")]
    return " ".join(["station", *words[:2]])


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
else:

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""Files that survive a pulled plug, and the lock that keeps a second program out."""

from __future__ import annotations

import errno
import os
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from station.errors import StoreFault

_HELD: Final = frozenset({errno.EACCES, errno.EBUSY, errno.EPERM})
_HELD_TRIES: Final = 8
_HELD_FIRST_S: Final = 0.01


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Windows has no such call; NTFS journals its names itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the bytes of an existing file durable."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes) -> None:
    """Write a whole file so that after any crash the name holds either the old bytes or the new ones, never a part.

    Raises:
        OSError: disk full or broken; the temporary file is gone.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        replace_patiently(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replace_patiently(
    old: Path,
    new: Path,
    *,
    rename: Callable[[Path, Path], object] = os.replace,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Rename over what is there; on Windows a virus scanner or a backup may hold either file for a moment.

    Args:
        rename: for tests; the operating system's.
        pause: takes seconds; in all some 1.3 s before it gives up.

    Raises:
        OSError: still held after that, or another trouble (at once).
    """
    for attempt in range(_HELD_TRIES):
        try:
            rename(old, new)
        except OSError as error:
            if error.errno not in _HELD or attempt == _HELD_TRIES - 1:
                raise
            pause(_HELD_FIRST_S * 2**attempt)
        else:
            return


def make_folder(folder: Path) -> None:
    """Create a folder (and its parents) durably; an existing one is fine."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


class HomeLock:
    """Held while a program has the home open; the kernel releases it when the process dies, however it dies."""

    def __init__(self, home: Path) -> None:
        self.path = home / "station.lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            StoreFault: another program has this home open.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor)
        except OSError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise StoreFault(
                f"{str(self.path.parent)!r} is already open in another station program{holder}. "
                "Use that window, or close it first; to run a second station give it its own --home."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b" " + str(os.getpid()).encode(), 0) if os.name != "nt" else None
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _holder(descriptor: int) -> str:
    try:
        pid = os.read(descriptor, 32).decode("ascii", "replace").strip()
    except OSError:  # Windows refuses to read a locked byte
        return ""
    return f" (process {pid})" if pid else ""


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""Files that only this user may read: keys and the like. Never in the database, a backup of it, or a log."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from station.errors import StoreFault


def make_private_folder(folder: Path) -> None:
    """Make a folder 0700, or narrow one that is there.

    Raises:
        StoreFault: it cannot be made or narrowed.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name != "nt" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise StoreFault(f"the folder for secrets {str(folder)!r} cannot be used: {error.strerror}") from error


def write_private(path: Path, content: bytes, *, replace: bool = True) -> bool:
    """Write a whole file 0600, durably: after any crash the name holds all of the old bytes or all of the new.

    Args:
        replace: False = leave a file that is there alone (another process was first).

    Returns:
        Whether it was written.

    Raises:
        StoreFault: the disk does not take it.
    """
    make_private_folder(path.parent)
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        if replace:
            partial.replace(path)
        else:
            try:
                os.link(partial, path)
            except FileExistsError:
                return False
        if os.name != "nt":
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise StoreFault(f"the secret {str(path)!r} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    return True


def read_private(path: Path) -> bytes | None:
    """The file's bytes; None = there is none. A file that others may read is narrowed first.

    Raises:
        StoreFault: it is there and cannot be read.
    """
    try:
        if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreFault(f"the secret {str(path)!r} cannot be read: {error.strerror}; check its owner") from error

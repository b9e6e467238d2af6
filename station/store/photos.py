"""Photographs as files named by their own SHA-256: ``photos/ab/abcdef….jpg``.

A photo is hashed, fsynced and renamed into place when it is *taken*, so that CONFIRM only appends to the journal, and
an entry can never name a photo that is not there.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from station.errors import InvalidInput, StoreFault
from station.store.durable import make_folder, sync_file, sync_folder, write_durably
from station.store.outbox import PhotoUnreadable

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo that survives a power cut."""

    sha256: str
    size: int
    """Bytes."""


class PhotoStore:
    """The folder of photos. Every method may be called from any thread; none touches the database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        """The sweep must not remove a file between ``keep`` finding it and its entry naming it."""

    def keep(self, jpeg: bytes) -> StoredPhoto:
        """Store a photo durably; the same bytes again change nothing.

        Raises:
            InvalidInput: no bytes at all.
            StoreFault: disk full or broken; nothing of the photo remains.
        """
        if not jpeg:
            raise InvalidInput("the camera gave an empty picture (0 bytes); take it again")
        sha256 = hashlib.sha256(jpeg).hexdigest()
        path = self.path(sha256)
        try:
            with self._lock:
                make_folder(path.parent)
                if _same(path, jpeg):
                    # It may stem from a process that died before its fsync: found is not yet durable.
                    os.utime(path)
                    sync_file(path)
                    sync_folder(path.parent)
                else:
                    write_durably(path, jpeg)
        except OSError as error:
            raise StoreFault(
                f"the photo could not be saved to {str(path)!r}: {error.strerror or error}. "
                "Free disk space or call IT, then take the photo again."
            ) from error
        return StoredPhoto(sha256, len(jpeg))

    def path(self, sha256: str) -> Path:
        """Where a photo lies or would lie.

        Raises:
            InvalidInput: not 64 hexadecimal digits.
        """
        if not _HEX.fullmatch(sha256):
            raise InvalidInput(f"{sha256!r} is not a photo's name: expected 64 lower-case hexadecimal digits")
        return self.folder / sha256[:2] / f"{sha256}.jpg"

    def read(self, sha256: str) -> bytes:
        """The photo's bytes, checked against its name.

        Raises:
            PhotoUnreadable: it is there, but cannot be read just now.
            StoreFault: gone or changed on disk; the text names the file.
        """
        path = self.path(sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise StoreFault(f"photo {str(path)!r} is gone from the disk; restore it from a backup") from error
        except OSError as error:
            raise PhotoUnreadable(f"photo {str(path)!r} cannot be read: {error.strerror or error}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise StoreFault(
                f"photo {str(path)!r} has changed on disk: its {len(content)} bytes hash to {found!r}, not to its "
                "name; restore it from a backup"
            )
        return content

    def remove(self, sha256: str) -> None:
        """Remove a photo that must be forgotten; one that is not there is removed already.

        Raises:
            StoreFault: the disk failed; the sweep tries again.
        """
        path = self.path(sha256)
        try:
            with self._lock:
                path.unlink(missing_ok=True)
                if path.parent.is_dir():
                    sync_folder(path.parent)
        except OSError as error:
            raise StoreFault(f"photo {str(path)!r} cannot be removed: {error.strerror or error}") from error

    def sweep(
        self,
        is_needed: Callable[[str], bool],
        *,
        older_than: timedelta,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> tuple[str, ...]:
        """Remove photos that nothing names, and left-over temporary files, once they are old enough.

        Args:
            is_needed: says whether an entry or a draft names this hash.
            older_than: younger files stay, named or not.
            should_stop: asked before each file; true ends the sweep where it is.

        Returns:
            Names of the files removed.
        """
        # File times come from the machine's clock, so the injected one has no say here.
        limit = time.time() - older_than.total_seconds()
        removed = []
        for path in tuple(self._files()):
            if should_stop():
                break
            with self._lock:
                try:
                    if path.stat().st_mtime > limit:
                        continue
                    if _HEX.fullmatch(path.stem) and path.suffix == ".jpg" and is_needed(path.stem):
                        continue
                    path.unlink()
                except FileNotFoundError:
                    continue
            removed.append(path.name)
        return tuple(removed)

    def _files(self) -> Iterator[Path]:
        if self.folder.is_dir():
            for shard in sorted(self.folder.iterdir()):
                if shard.is_dir() and len(shard.name) == 2:
                    yield from sorted(path for path in shard.iterdir() if path.suffix in {".jpg", ".tmp"})


def _same(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False

"""Photos as files of one folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, Final

from station.errors import StoreFault
from station.ids import uuid7
from sync.server.photos.ports import PhotoMissing, Upload, Verifier, checked_name

_ABANDONED_S: Final = 3600.0


class PhotoFolder:
    """``ab/abcd….jpg`` under one folder; ``incoming/`` holds what is not verified yet."""

    def __init__(self, folder: Path) -> None:
        """Make the folders and clear away uploads that a kill cut short.

        Raises:
            StoreFault: the folder cannot be written.
        """
        self.name = str(folder)
        self._folder = folder
        self._incoming = folder / "incoming"
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            for leftover in self._incoming.glob("*.part"):
                if time.time() - leftover.stat().st_mtime > _ABANDONED_S:  # younger ones may be another worker's
                    leftover.unlink(missing_ok=True)
        except OSError as error:
            raise StoreFault(f"the photo folder {str(folder)!r} cannot be used: {error.strerror}") from error

    def path(self, sha256: str) -> Path:
        """The one place of a photo.

        Raises:
            InvalidInput: not a SHA-256, so it must never become part of a path.
        """
        return self._folder / checked_name(sha256)[:2] / f"{sha256}.jpg"

    def holds(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def held(self, hashes: Collection[str]) -> set[str]:
        return {sha256 for sha256 in hashes if self.holds(sha256)}

    def receive(self, sha256: str) -> Upload:
        target = self.path(sha256)
        try:
            return _FileUpload(self._incoming / f"{uuid7()}.part", target, sha256)
        except OSError as error:
            raise _disk(error) from error

    def read(self, sha256: str) -> bytes:
        path = self.path(sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise PhotoMissing(f"there is no photo {sha256} in the folder") from error
        except OSError as error:
            raise StoreFault(f"the photo {sha256} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreFault(f"the photo {sha256} has changed on the server's disk; restore it from a backup")
        return content

    def delete(self, sha256: str) -> None:
        path = self.path(sha256)
        try:
            path.unlink()
            fsync_folder(path.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreFault(f"the photo {sha256} cannot be removed: {error.strerror}") from error


class _FileUpload:
    """tmp → fsync → rename → fsync of the folder."""

    def __init__(self, part: Path, target: Path, sha256: str) -> None:
        self.size = 0
        self._part = part
        self._target = target
        self._verifier = Verifier(sha256)
        self._file: BinaryIO | None = part.open("xb")

    def write(self, chunk: bytes) -> None:
        assert self._file is not None
        self.size += len(chunk)
        self._verifier.update(chunk)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _disk(error) from error

    def keep(self) -> None:
        assert self._file is not None
        self._verifier.check()
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._target.parent.mkdir(exist_ok=True)
            self._part.replace(self._target)
            fsync_folder(self._target.parent)
            fsync_folder(self._target.parent.parent)
        except OSError as error:
            raise _disk(error) from error
        self._file = None

    def abandon(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # what is still in its buffer may not fit on the disk either
                self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    if os.name == "nt":  # Windows has no handle for a folder; NTFS journals the rename
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk(error: OSError) -> StoreFault:
    return StoreFault(f"the photo folder cannot be written: {error.strerror}")

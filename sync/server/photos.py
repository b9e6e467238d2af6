"""Photos by their hash: in a folder, verified on arrival, durable before they are answered."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from urllib.parse import unquote, urlsplit

from sqlalchemy import select

from station.errors import InvalidInput, StoreFault
from station.ids import uuid7
from sync.server.storage import Database
from sync.server.storage.rows import photos

logger = logging.getLogger(__name__)

_JPEG: Final = b"\xff\xd8\xff"
_ABANDONED_S: Final = 3600.0
_NAME: Final = re.compile(r"[0-9a-f]{64}")


class PhotoStore(Protocol):
    """Where photos lie; an object store comes through this door."""

    def holds(self, sha256: str) -> bool: ...

    def receive(self, sha256: str) -> Upload:
        """Begin to take one photo.

        Raises:
            StoreFault: disk full or broken.
        """
        ...


class Upload(Protocol):
    """One photo on its way in. ``abandon`` after ``keep`` does nothing."""

    size: int

    def write(self, chunk: bytes) -> None: ...

    def keep(self) -> None:
        """Verify and make durable under its name.

        Raises:
            InvalidInput: the bytes are not a JPEG, or not the one the name says.
            StoreFault: disk full or broken.
        """
        ...

    def abandon(self) -> None: ...


def photo_folder(text: str) -> Path:
    """Read ``--photos``.

    Raises:
        InvalidInput: an object store's URL, which comes later, or a URL that names no folder.

    >>> str(photo_folder("file:///srv/photos"))
    '/srv/photos'
    """
    scheme = urlsplit(text).scheme
    if scheme in {"s3", "gs", "az", "http", "https"}:
        raise InvalidInput(
            f"--photos: object stores ({scheme}:) come with the next release of the server; give a folder"
        )
    if scheme == "file":
        return Path(unquote(urlsplit(text).path))
    return Path(text)


class PhotoFolder:
    """``ab/abcd….jpg`` under one folder; ``incoming/`` holds what is not verified yet."""

    def __init__(self, folder: Path) -> None:
        """Make the folders and clear away uploads that a kill cut short.

        Raises:
            StoreFault: the folder cannot be written.
        """
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
        if not _NAME.fullmatch(sha256):
            raise InvalidInput(f"{sha256[:80]!r} is not a SHA-256: expected 64 hex digits in lower case")
        return self._folder / sha256[:2] / f"{sha256}.jpg"

    def holds(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def receive(self, sha256: str) -> Upload:
        target = self.path(sha256)
        try:
            return _FileUpload(self._incoming / f"{uuid7()}.part", target, sha256)
        except OSError as error:
            raise _disk(error) from error


class _FileUpload:
    """tmp → fsync → rename → fsync of the folder."""

    def __init__(self, part: Path, target: Path, sha256: str) -> None:
        self.size = 0
        self._part = part
        self._target = target
        self._sha256 = sha256
        self._hash = hashlib.sha256()
        self._head = b""
        self._file: BinaryIO | None = part.open("xb")

    def write(self, chunk: bytes) -> None:
        assert self._file is not None
        if len(self._head) < len(_JPEG):
            self._head += chunk[: len(_JPEG)]
        self.size += len(chunk)
        self._hash.update(chunk)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _disk(error) from error

    def keep(self) -> None:
        assert self._file is not None
        if not self._head.startswith(_JPEG):
            raise InvalidInput("the bytes are not a JPEG (it begins with FF D8 FF)")
        if self._hash.hexdigest() != self._sha256:
            raise InvalidInput(f"the bytes hash to {self._hash.hexdigest()}, not to the name {self._sha256}")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._target.parent.mkdir(exist_ok=True)
            self._part.replace(self._target)
            _fsync_folder(self._target.parent)
            _fsync_folder(self._target.parent.parent)
        except OSError as error:
            raise _disk(error) from error
        self._file = None

    def abandon(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)


def _fsync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle for a folder; NTFS journals the rename
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk(error: OSError) -> StoreFault:
    return StoreFault(f"the photo folder cannot be written: {error.strerror}")


class PhotoRegister:
    """Which photos are here: the rows beside the folder."""

    def __init__(self, database: Database, store: PhotoStore) -> None:
        self._database = database
        self.store = store

    def held(self, site_id: str, hashes: Iterable[str]) -> set[str]:
        """Those that have both a row and their bytes."""
        wanted = set(hashes)
        with self._database.reading() as connection:
            known = set(
                connection.scalars(
                    select(photos.c.sha256).where(photos.c.site_id == site_id, photos.c.sha256.in_(wanted))
                )
            )
        return {sha256 for sha256 in known if self.store.holds(sha256)}

    def note(self, site_id: str, sha256: str, size: int, at: datetime) -> None:
        """Write the row of a photo whose bytes are durable."""
        with self._database.writing() as connection:
            connection.execute(
                self._database.insert_new(photos),
                {"site_id": site_id, "sha256": sha256, "size": size, "received_at": at},
            )

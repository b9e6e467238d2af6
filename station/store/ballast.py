"""A file that keeps room on the disk, given up so that the parcel on the bench can still be finished.

SQLite cannot free space from inside when the disk is full: DELETE and even a checkpoint need room (SYNC.md §2.5).
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from station.store.durable import sync_folder

logger = logging.getLogger(__name__)


class Ballast:
    """Room kept in reserve beside the database."""

    def __init__(self, home: Path, size: int) -> None:
        self.path = home / "ballast"
        self.size = size
        """Bytes; 0 = none is kept."""

    @property
    def is_there(self) -> bool:
        return self.size == 0 or self.path.exists()

    @property
    def free_bytes(self) -> int:
        """Free bytes on the disk, the ballast not counted."""
        return shutil.disk_usage(self.path.parent).free

    def restore(self) -> bool:
        """Make the ballast again if twice its size is free; say whether it is there."""
        if self.is_there:
            return True
        try:
            if self.free_bytes < 2 * self.size:
                return False
            partial = self.path.with_suffix(".tmp")
            with partial.open("wb") as file:
                _allocate(file.fileno(), self.size)
                os.fsync(file.fileno())
            partial.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            logger.warning("no room is kept in reserve at %s: %s", self.path, error)
            self.path.with_suffix(".tmp").unlink(missing_ok=True)
            return False
        return True

    def release(self) -> bool:
        """Give the room back; say whether there was any to give."""
        if not self.path.exists():
            return False
        self.path.unlink()
        sync_folder(self.path.parent)
        logger.warning("the disk is full: gave up the %d bytes kept in reserve at %s", self.size, self.path)
        return True


def _allocate(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    block = bytes(1 << 20)
    for start in range(0, size, len(block)):
        os.write(descriptor, block[: size - start])

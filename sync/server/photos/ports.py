"""What every place for photos can do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from typing import Final, Protocol

from station.errors import InvalidInput, StationError

_NAME: Final = re.compile(r"[0-9a-f]{64}")
JPEG: Final = b"\xff\xd8\xff"
"""How every JPEG begins."""


class PhotoMissing(StationError):
    """There is no photo of this name (any more)."""


class PhotoStore(Protocol):
    """Where photos lie. Thread-safe."""

    name: str
    """For people and logs; no secret."""

    def holds(self, sha256: str) -> bool: ...

    def held(self, hashes: Collection[str]) -> set[str]:
        """Those of many that are here.

        Raises:
            StoreFault: the store cannot be asked; what is not known is not guessed.
        """
        ...

    def receive(self, sha256: str) -> Upload:
        """Begin to take one photo.

        Raises:
            StoreFault: disk full or broken.
        """
        ...

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against the name.

        Raises:
            PhotoMissing: not here.
            StoreFault: the store failed, or the bytes are not the ones of this name any more.
        """
        ...

    def delete(self, sha256: str) -> None:
        """Remove a photo for good; one that is not here is removed already.

        Raises:
            StoreFault: the store failed.
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


def checked_name(sha256: str) -> str:
    """A photo's name, safe to become part of a path.

    Raises:
        InvalidInput: not a SHA-256.
    """
    if not _NAME.fullmatch(sha256):
        raise InvalidInput(f"{sha256[:80]!r} is not a SHA-256: expected 64 hex digits in lower case")
    return sha256


class Verifier:
    """Hashes a photo as it comes."""

    def __init__(self, sha256: str) -> None:
        self._sha256 = checked_name(sha256)
        self._hash = hashlib.sha256()
        self._head = b""

    def update(self, chunk: bytes) -> None:
        if len(self._head) < len(JPEG):
            self._head += chunk[: len(JPEG)]
        self._hash.update(chunk)

    def check(self) -> None:
        """Say whether all that came is the photo of this name.

        Raises:
            InvalidInput: it is not.
        """
        if not self._head.startswith(JPEG):
            raise InvalidInput("the bytes are not a JPEG (it begins with FF D8 FF)")
        if self._hash.hexdigest() != self._sha256:
            raise InvalidInput(f"the bytes hash to {self._hash.hexdigest()}, not to the name {self._sha256}")

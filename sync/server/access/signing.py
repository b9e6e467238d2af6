"""The server's own key: made at the first start, in a file of its own beside the database, 0600.

It lies outside the database, so that a stolen copy or backup of that cannot sign. Its public half is in the database,
so that what it signed stays provable when the file is gone. Several servers on one database share the file.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from station.errors import StoreFault
from station.journal.seal import key_id, successor_statement, to_base64
from station.private_file import read_private, write_private

logger = logging.getLogger(__name__)

KEYS: Final = "keys"
"""Folder in the server's home."""
KEY_FILE: Final = "server-signing.pem"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key in memory. Its ``repr`` shows only the id."""

    private: Ed25519PrivateKey
    public: bytes

    @property
    def id(self) -> str:
        return key_id(self.public)

    def sign(self, statement: bytes) -> str:
        """Base64url of the Ed25519 signature."""
        return to_base64(self.private.sign(statement))

    def __repr__(self) -> str:
        return f"SigningKey({self.id})"


def load_key(folder: Path) -> SigningKey:
    """The server's key; made if there is none yet. Safe when several workers start at once.

    Raises:
        StoreFault: the file is damaged, or the disk fails.
    """
    path = folder / KEY_FILE
    found = read_private(path)
    if found is None:
        if write_private(path, _pem(Ed25519PrivateKey.generate()), replace=False):
            logger.info("made the server's signing key: keep a copy of %s apart from the database", path)
        found = read_private(path)
    return _from_pem(found or b"", path)


def pass_on_key(folder: Path, server: str) -> tuple[SigningKey, SigningKey, str]:
    """Put a new key in the place of the old one, which stays beside it under its id.

    Returns:
        Old key, new key, and the old one's signature over the new one.

    Raises:
        StoreFault: there is no key yet, or the disk fails; the old key counts.
    """
    path = folder / KEY_FILE
    pem = read_private(path)
    if pem is None:
        raise StoreFault(f"there is no signing key in {str(folder)!r} yet: start the server once")
    old = _from_pem(pem, path)
    fresh = Ed25519PrivateKey.generate()
    new = SigningKey(fresh, fresh.public_key().public_bytes_raw())
    write_private(folder / f"server-signing-{old.id}.pem", pem)
    write_private(path, _pem(fresh))
    return old, new, old.sign(successor_statement(f"server {server}", old.public, new.public))


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _from_pem(pem: bytes, path: Path) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except ValueError as error:
        raise StoreFault(
            f"the server's signing key {str(path)!r} is damaged; put its copy back, or move it away to have a new one"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StoreFault(f"the server's signing key {str(path)!r} is not an Ed25519 key; put the right one back")
    return SigningKey(key, key.public_key().public_bytes_raw())

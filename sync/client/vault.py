"""Where a bench's secrets lie: the system's key store if it works, else files of this user's alone. The rung is told.

A headless machine has no key store (``keyring`` answers with its ``fail`` backend); some have one that does not answer,
or forgets. So a store counts as working only when it gives back what it was given.
"""

from __future__ import annotations

import logging
import re
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from station.errors import StoreFault
from station.private_file import read_private, write_private
from station.store.durable import sync_folder

logger = logging.getLogger(__name__)

SECRETS: Final = "secrets"
"""Folder in the home, 0700. Not part of a backup of the database."""
_SERVICE: Final = "returns-station"
_NAME: Final = re.compile("[a-z0-9-]{1,40}")


class Rung(StrEnum):
    """How well a secret is kept."""

    KEYRING = "keyring"
    FILE = "file"

    @property
    def text(self) -> str:
        """For the administrator."""
        if self is Rung.KEYRING:
            return "in the system's key store"
        return "in a file that only this user may read (this system has no working key store)"


class KeyStore(Protocol):
    """What is used of the ``keyring`` package."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class Vault:
    """The secrets of one home folder."""

    def __init__(self, home: Path, store: KeyStore | None = None) -> None:
        """
        Args:
            store: the system's key store; None = whatever this system has.
        """
        self._folder = home / SECRETS
        self._home = str(home.resolve())
        self._store = store

    def keep(self, name: str, secret: str) -> Rung:
        """Keep a secret, on the best rung there is; an earlier one of this name is gone from every other.

        Args:
            name: lower-case letters, digits and ``-``.
            secret: printable ASCII.

        Raises:
            StoreFault: not even a file can be written.
        """
        path = self._path(name)
        if self._keep_in_store(name, secret):
            if path.exists():
                path.unlink()
                sync_folder(path.parent)
            return Rung.KEYRING
        write_private(path, secret.encode())
        return Rung.FILE

    def read(self, name: str) -> tuple[str, Rung] | None:
        """A secret and where it lay; None = there is none.

        Raises:
            StoreFault: its file cannot be read.
        """
        path = self._path(name)
        found = read_private(path)
        if found is not None:  # written because the store did not work then: it counts
            return found.decode(errors="replace"), Rung.FILE
        store = self._working_store()
        kept = _ask(store, self._account(name)) if store is not None else None
        return (kept, Rung.KEYRING) if kept is not None else None

    def forget(self, name: str) -> None:
        """Remove a secret wherever it lies. Again: nothing."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreFault(f"the secret {str(path)!r} cannot be removed: {error.strerror}") from error
        store = self._working_store()
        account = self._account(name)
        if store is not None and _ask(store, account) is not None:
            try:
                store.delete_password(_SERVICE, account)
            except Exception as error:  # a key store is foreign code: it may raise anything
                logger.warning("the system's key store does not forget a secret: %s", type(error).__name__)

    def _keep_in_store(self, name: str, secret: str) -> bool:
        store = self._working_store()
        if store is None:
            return False
        account = self._account(name)
        try:
            store.set_password(_SERVICE, account, secret)
        except Exception as error:  # as above; its text may hold anything, so only its kind is told
            logger.warning("the system's key store does not work: %s", type(error).__name__)
            return False
        kept = _ask(store, account)
        return kept is not None and secrets.compare_digest(kept.encode(), secret.encode())

    def _working_store(self) -> KeyStore | None:
        if self._store is not None:
            return self._store
        try:
            import keyring

            backend = keyring.get_keyring()
            # 1 and more are the systems' own; below are "none", "fails always" and plain text files
            return backend if backend.priority >= 1 else None
        except Exception as error:  # as above
            logger.warning("the system's key store cannot be loaded: %s", type(error).__name__)
            return None

    def _account(self, name: str) -> str:
        """Two homes of one user have secrets of their own."""
        return f"{name} {self._home}"

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a secret: expected lower-case letters, digits and -")
        return self._folder / name


def _ask(store: KeyStore, account: str) -> str | None:
    try:
        return store.get_password(_SERVICE, account)
    except Exception as error:  # as above
        logger.warning("the system's key store does not answer: %s", type(error).__name__)
        return None

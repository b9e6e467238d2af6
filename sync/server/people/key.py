"""The server's key for people, in no database: badges and PINs of a stolen database cannot be tried without it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select

from station.errors import EnvironmentFault, InvalidInput
from station.people import SiteKey
from sync.server.storage import Database
from sync.server.storage.rows import server_facts

KEY_VARIABLE: Final = "STATION_SERVER_KEY"
"""64 hex digits; the same at every process that shares a database."""
_SITE: Final = "main"
_CHECK: Final = "people_key_check"


class PeopleKey:
    """Derives what each site needs."""

    def __init__(self, key: bytes) -> None:
        """
        Args:
            key: 32 random bytes.

        Raises:
            InvalidInput: another length.
        """
        if len(key) != 32:
            raise InvalidInput(f"the server's key has {len(key)} bytes: expected 32, as 64 hexadecimal digits")
        self._key = key

    def site(self, site_id: str) -> SiteKey:
        """What the benches of a site share with the server."""
        return SiteKey(self._derive("people of a site", site_id))

    def account(self, site_id: str, typed: str) -> str:
        """Stands for what somebody typed as a name: people type passwords there."""
        return hmac.new(
            self._derive("typed names", site_id), typed.encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()

    def check(self, database: Database) -> None:
        """Refuse to start with another key than this database's people were written with.

        Raises:
            InvalidInput: another one.
        """
        mark = hmac.new(self._key, b"people key check", hashlib.sha256).hexdigest()
        here = (server_facts.c.site_id == _SITE, server_facts.c.name == _CHECK)
        with database.writing() as connection:
            row = {"site_id": _SITE, "name": _CHECK, "value": mark}
            database.insert_all(connection, server_facts, [row])
            kept = connection.scalar(select(server_facts.c.value).where(*here))
        if kept != mark:
            raise InvalidInput(
                "the people of this database were written with another key, so no badge and no PIN would be known: "
                f"set {KEY_VARIABLE} to that key, or put people.key of the server's folder back"
            )

    def _derive(self, what: str, site_id: str) -> bytes:
        return HKDF(hashes.SHA256(), 32, salt=site_id.encode(), info=f"returns-station {what}".encode()).derive(
            self._key
        )


def load_people_key(folder: Path, environment: Mapping[str, str] = os.environ) -> PeopleKey:
    """The key from the environment, or from ``people.key`` in this folder, which is made when there is none.

    Raises:
        InvalidInput: not 64 hexadecimal digits.
        EnvironmentFault: the file cannot be made or read.
    """
    given = environment.get(KEY_VARIABLE)
    if given:
        return _parse(given, KEY_VARIABLE)
    path = folder / "people.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_new(path, secrets.token_hex(32))
        return _parse(path.read_text("ascii"), repr(str(path)))
    except (OSError, UnicodeError) as error:
        raise EnvironmentFault(f"the server's key {str(path)!r} cannot be used: {error}") from error


def _write_new(path: Path, text: str) -> None:
    """Appears whole, for this user only, and never in the place of another worker's."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            if os.name == "nt":
                part.rename(path)
            else:
                os.link(part, path)
        except FileExistsError:
            return
    finally:
        part.unlink(missing_ok=True)


def _parse(text: str, where: str) -> PeopleKey:
    try:
        return PeopleKey(bytes.fromhex(text.strip()))
    except ValueError as error:
        raise InvalidInput(f"{where} is no key: expected 64 hexadecimal digits") from error

"""Passwords of leads and IT: Argon2id, a few at a time, on threads of their own.

Each costs 64 MiB for 0.2 s: two at once per process and a short queue, so that sign-ins cannot take the memory or the
threads that benches need. Someone unknown costs exactly as much as someone known.
Source: OWASP ASVS 5.0, 6.2.1–6.2.9, 11.4.2; RFC 9106 §4.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from station.errors import InvalidInput
from station.people import RFC9106_LOW_MEMORY, Cost
from sync.server.errors import ApiError

SHORTEST: Final = 12
LONGEST: Final = 256
_AT_ONCE: Final = 2
_QUEUE: Final = 16


def check_password(password: str, *known: str) -> str:
    """Take a new password, or say why not. Length is what counts: no rules about kinds of characters.

    Args:
        known: what must not be the password: name, login.

    Raises:
        InvalidInput: too short or long, or guessable at once. It is not quoted.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"a password has {SHORTEST} to {LONGEST} characters; three or four words are a good one")
    if len(set(password)) < 5 or password.casefold() in {text.casefold() for text in known}:
        raise InvalidInput("this password is guessed at once (a repetition, or the name); choose another")
    return password


class Hasher:
    """Makes and checks hashes."""

    def __init__(self, cost: Cost = RFC9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0
        self._nobody: str | None = None
        self._nobody_lock = threading.Lock()

    def hash(self, password: str) -> str:
        """A PHC string."""
        return self._hasher.hash(password)

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the password; ``kept`` None (nobody, or none set) takes as long and is never right."""
        try:
            self._hasher.verify(kept or self._nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Made at another cost than today's."""
        return self._hasher.check_needs_rehash(kept)

    async def verify_soon(self, kept: str | None, password: str) -> bool:
        """As ``verify``, on a thread.

        Raises:
            ApiError: 503, too many wait.
        """
        if self._waiting >= _QUEUE:
            raise ApiError(503, "busy", "too many sign in at once", "try again in a moment", {"Retry-After": "2"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self.verify, kept, password)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown()

    def _nobodys(self) -> str:
        with self._nobody_lock:
            if self._nobody is None:
                self._nobody = self._hasher.hash(secrets.token_hex(16))
            return self._nobody

"""The two secrets behind badges and PINs: the site's, which all its benches share, and the bench's own."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from station.errors import InvalidInput
from station.people.badges import BadgeCode

_SIZE = 32


@dataclass(frozen=True, slots=True)
class SiteKey:
    """Known to the server and to the enrolled benches of one site; in no database.

    Raises:
        InvalidInput: not 32 bytes.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check(self.key, "the site key")

    def badge(self, code: BadgeCode) -> str:
        """What stands for a badge everywhere: hex HMAC-SHA-256."""
        return _mac(self.key, b"station badge 1", code.encode()).hex()

    def pin(self, person_id: str, pin: str) -> bytes:
        """What goes into Argon2id instead of the PIN: without the site key a verifier cannot be tried at all."""
        return _mac(self.key, b"station pin 1", person_id.encode(), pin.encode())


@dataclass(frozen=True, slots=True)
class BenchKeys:
    """What a bench needs to know its people. Keep it in the system's key store, never beside the database.

    Raises:
        InvalidInput: the pepper is not 32 bytes.
    """

    site: SiteKey
    pepper: bytes = field(repr=False)
    """Made at this bench (``secrets.token_bytes(32)``); leaves it never."""

    def __post_init__(self) -> None:
        _check(self.pepper, "the bench's pepper")

    @property
    def mark(self) -> str:
        """Names this pair of keys and tells nothing of them: what was sealed under another mark is not known here."""
        return self.seal(b"these keys", self.site.key)[:16]

    def seal(self, what: bytes, value: bytes) -> str:
        """Hex HMAC under the pepper, one namespace for each ``what``."""
        return _mac(self.pepper, b"station seal 1", what, value).hex()


def _mac(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over parts whose borders cannot be moved."""
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(key, framed, hashlib.sha256).digest()


def _check(key: bytes, name: str) -> None:
    if len(key) != _SIZE:
        raise InvalidInput(f"{name} has {len(key)} bytes: expected {_SIZE}")

"""Webhook signatures, and secrets that are in no database.

The secret of an endpoint is derived from the server's key and the number of its rotation, so neither the database nor
a backup of it gives one away. Price: with the key lost, or another one, receivers need new secrets; ``key_check`` says
so before anything is sent with a wrong one.
Source: Standard Webhooks specification, "Signature scheme" and "Webhook headers"; RFC 5869 (HKDF).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from station.errors import InvalidInput
from station.private_file import read_private, write_private

KEY_VARIABLE: Final = "STATION_SERVER_KEY"
"""Environment variable with the server's key as 64 hexadecimal digits, the same for every process that shares a
database."""
_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32


class WebhookKey:
    """The server's key for webhooks."""

    def __init__(self, key: bytes) -> None:
        """
        Args:
            key: 32 random bytes.
        """
        if len(key) != 32:
            raise InvalidInput(f"the webhook key has {len(key)} bytes, expected 32")
        self._key = key
        self.check = hmac.new(key, b"returns-station webhook key", hashlib.sha256).hexdigest()[:16]
        """Tells this key from another without giving it away."""

    def secret(self, site_id: str, endpoint_id: str, version: int) -> str:
        """The secret of an endpoint, ``whsec_…`` with 32 bytes."""
        info = f"webhook {endpoint_id} {version}".encode()
        derived = HKDF(hashes.SHA256(), _SECRET_BYTES, salt=site_id.encode(), info=info).derive(self._key)
        return _PREFIX + base64.b64encode(derived).decode()


def load_key(folder: Path) -> WebhookKey:
    """The key from the environment, or from a file in this folder that is made when there is none.

    Raises:
        InvalidInput: it is not 64 hexadecimal digits.
        StoreFault: the file cannot be made or read.
    """
    given = os.environ.get(KEY_VARIABLE)
    if given is not None:
        return _parse(given, KEY_VARIABLE)
    path = folder / "webhook.key"
    found = read_private(path)
    if found is None:
        write_private(path, secrets.token_hex(32).encode(), replace=False)
        found = read_private(path) or b""  # perhaps another worker's, which was first
    return _parse(found.decode("ascii", "replace"), repr(str(path)))


def _parse(text: str, where: str) -> WebhookKey:
    try:
        return WebhookKey(bytes.fromhex(text.strip()))
    except (ValueError, InvalidInput) as error:
        raise InvalidInput(f"{where} is not a key: expected 64 hexadecimal digits") from error


def sign(event_id: str, timestamp: int, body: bytes, keys: Sequence[str]) -> str:
    """The ``webhook-signature`` header: one signature per secret, so that a receiver may have the old or the new one.

    Args:
        timestamp: seconds since 1970, of this try.
        keys: ``whsec_…`` each.

    Raises:
        InvalidInput: a secret is not one.

    >>> sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}',
    ...      ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{event_id}.{timestamp}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.new(_raw(key), signed, hashlib.sha256).digest()).decode() for key in keys
    )


def _raw(key: str) -> bytes:
    try:
        raw = base64.b64decode(key.removeprefix(_PREFIX), validate=True)
    except ValueError as error:
        raise InvalidInput("a webhook secret is not base64") from error
    if not key.startswith(_PREFIX) or not 24 <= len(raw) <= 64:
        raise InvalidInput(f"a webhook secret has {len(raw)} bytes; expected whsec_ and 24 to 64 bytes as base64")
    return raw

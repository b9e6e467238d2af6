"""Who this bench is to the server: its key, the tokens it makes with it, and the signature under each push."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

import msgspec

from station.clock import Clock
from station.errors import InvalidInput, StoreFault
from station.journal.entry import Entry
from station.journal.seal import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    from_base64,
    is_signed,
    key_id,
    push_statement,
    successor_statement,
    tips_of,
    to_base64,
)
from station.store.durable import write_durably
from sync.client.vault import Rung, Vault
from sync.protocol import TOKEN_SECONDS, ServerKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

logger = logging.getLogger(__name__)

ENROLMENT: Final = "enrolment.json"
"""In the home folder; nothing in it is secret."""
KEY: Final = "station-key"
NEXT_KEY: Final = "next-key"
_FRESH_S: Final = 60
"""A token is made anew when it would be good for less than this."""


class Enrolment(msgspec.Struct, frozen=True):
    """What a bench knows of itself and of its server since it joined."""

    station: str
    site: str
    server: str
    """The server's id."""
    url: str
    key: str
    """Id of the bench's own key."""
    server_key: str
    """Public; the only one whose countersignatures count."""
    enrolled_at: str


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key in memory; its ``repr`` shows only the id."""

    private: Ed25519PrivateKey
    public: bytes

    @property
    def id(self) -> str:
        return key_id(self.public)

    def sign(self, statement: bytes) -> str:
        return to_base64(self.private.sign(statement))

    def secret(self) -> str:
        """Base64url of the 32 bytes, for the vault alone."""
        return to_base64(self.private.private_bytes_raw())

    def __repr__(self) -> str:
        return f"PrivateKey({self.id})"


def make_key() -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # only where a bench is enrolled

    private = Ed25519PrivateKey.generate()
    return PrivateKey(private, private.public_key().public_bytes_raw())


def key_from(secret: str) -> PrivateKey:
    """The key that :meth:`PrivateKey.secret` wrote.

    Raises:
        InvalidInput: it is damaged. Nothing of it is quoted.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        raw = from_base64(secret.strip(), KEY_BYTES)
    except InvalidInput as error:
        raise InvalidInput("the bench's key is damaged; enrol the bench again with a code of IT") from error.__cause__
    private = Ed25519PrivateKey.from_private_bytes(raw)
    return PrivateKey(private, private.public_key().public_bytes_raw())


class Identity:
    """An enrolled bench. Thread-safe."""

    def __init__(self, home: Path, enrolment: Enrolment, key: PrivateKey, rung: Rung, clock: Clock) -> None:
        """Use :func:`load_identity`."""
        self._home = home
        self._clock = clock
        self._key = key
        self._lock = Lock()
        self._token = ""
        self._token_until = 0.0
        self._ahead_s = clock.now().timestamp() - clock.monotonic()
        """Server's time less our monotonic clock; our own wall clock is believed only until the server said its."""
        self.enrolment = enrolment
        self.rung = rung

    @property
    def station(self) -> str:
        return self.enrolment.station

    @property
    def key_id(self) -> str:
        return self._key.id

    def token(self) -> str:
        """A token for the next request; the same one for a few minutes."""
        import jwt

        with self._lock:
            now = self._clock.monotonic()
            if now >= self._token_until:
                issued = int(now + self._ahead_s)
                claims = {
                    "iss": self.enrolment.station,
                    "site": self.enrolment.site,
                    "aud": self.enrolment.server,
                    "iat": issued,
                    "exp": issued + TOKEN_SECONDS,
                }
                self._token = jwt.encode(claims, self._key.private, algorithm="EdDSA", headers={"kid": self._key.id})
                self._token_until = now + TOKEN_SECONDS - _FRESH_S
            return self._token

    def meet_time(self, server_time: datetime) -> None:
        """Go by the server's clock from now on; the bench's own may be wrong by years or jump."""
        with self._lock:
            ahead_s = server_time.timestamp() - self._clock.monotonic()
            if abs(ahead_s - self._ahead_s) > 1.0:
                logger.info("tokens go by the server's clock", extra={"seconds": round(ahead_s - self._ahead_s)})
                self._ahead_s = ahead_s
                self._token_until = 0.0

    @property
    def clock_is_off_by(self) -> timedelta:
        """How far this machine's clock is behind the server's (negative: ahead), as far as is known."""
        by_server = datetime.fromtimestamp(self._clock.monotonic() + self._ahead_s, UTC)
        return by_server - self._clock.now()

    def seal(self, body: bytes, entries: Sequence[Entry]) -> str:
        """The ``Station-Seal`` header of a push.

        Args:
            body: as it travels.
            entries: what is in it.
        """
        tips = tips_of((entry.generation, entry.seq, entry.hash) for entry in entries)
        statement = push_statement(self.station, hashlib.sha256(body).hexdigest(), tips)
        with self._lock:
            return f"{self._key.id} {self._key.sign(statement)}"

    def succeed(self, new: PrivateKey) -> tuple[str, str]:
        """Signatures of the key in use and of the next one over their succession."""
        statement = successor_statement(f"station {self.station}", self._key.public, new.public)
        return self._key.sign(statement), new.sign(statement)

    def use(self, new: PrivateKey, rung: Rung) -> None:
        """Go on with the next key, which the server took."""
        with self._lock:
            self.enrolment = replace_enrolment(self._home, self.enrolment, key=new.id)
            self._key, self.rung = new, rung
            self._token_until = 0.0

    def meet_server_key(self, told: ServerKey) -> bool:
        """Learn the server's key: the pinned one, or one that the pinned one signed.

        Returns:
            False = another one, which nobody vouches for: its countersignatures do not count here.
        """
        pinned = self.enrolment.server_key
        if told.public_key == pinned:
            return True
        if told.follows != pinned or told.endorsement is None:
            return False
        old, new = from_base64(pinned, KEY_BYTES), from_base64(told.public_key, KEY_BYTES)
        statement = successor_statement(f"server {self.enrolment.server}", old, new)
        if not is_signed(old, statement, from_base64(told.endorsement, SIGNATURE_BYTES)):
            return False
        self.enrolment = replace_enrolment(self._home, self.enrolment, server_key=told.public_key)
        logger.info("the server's key was passed on: %s to %s", key_id(old), key_id(new))
        return True


def read_enrolment(home: Path) -> Enrolment | None:
    """Whether this bench joined a server; needs no key and no network.

    Raises:
        StoreFault: the file is there and cannot be used.
    """
    path = home / ENROLMENT
    try:
        return msgspec.json.decode(path.read_bytes(), type=Enrolment)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreFault(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise StoreFault(f"{str(path)!r} is damaged ({error}); enrol the bench again with a code of IT") from error


def write_enrolment(home: Path, enrolment: Enrolment) -> None:
    """Keep it durably.

    Raises:
        StoreFault: the disk does not take it.
    """
    try:
        write_durably(home / ENROLMENT, msgspec.json.format(msgspec.json.encode(enrolment)) + b"\n")
    except OSError as error:
        raise StoreFault(f"{str(home / ENROLMENT)!r} cannot be written: {error.strerror}") from error


def replace_enrolment(home: Path, enrolment: Enrolment, **changes: str) -> Enrolment:
    """Keep it with changes."""
    changed = msgspec.structs.replace(enrolment, **changes)
    write_enrolment(home, changed)
    return changed


def load_identity(home: Path, clock: Clock, vault: Vault | None = None) -> Identity | None:
    """This bench's identity; None = it never joined a server (simple mode).

    Raises:
        StoreFault: it joined, but its key is gone; the text says what to do.
        InvalidInput: the key is damaged.
    """
    enrolment = read_enrolment(home)
    if enrolment is None:
        return None
    vault = vault or Vault(home)
    for name in (KEY, NEXT_KEY):  # the second: killed between the server's yes and the change
        found = vault.read(name)
        if found is not None:
            key = key_from(found[0])
            if key.id == enrolment.key:
                return Identity(home, enrolment, key, found[1], clock)
    raise StoreFault(
        f"the key of station {enrolment.station!r} is not on this machine (another user, or a copied folder?); "
        "nothing recorded is lost: enrol the bench again with a code of IT"
    )

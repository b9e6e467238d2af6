"""What a push must prove before anything of it is stored, and what the centre signs in return.

Both happen in the transaction of the push: the station's row is locked (shared), so that a revocation is answered
either before anything of this push is stored or after all of it; and what is signed is what the same transaction holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, update

from station.errors import InvalidInput
from station.journal.seal import (
    SIGNATURE_BYTES,
    Tip,
    from_base64,
    head_statement,
    is_signed,
    push_statement,
    tips_of,
    to_base64,
)
from sync.protocol import BAD_SEAL, Countersigned, Head
from sync.server.access.register import Register
from sync.server.access.signing import SigningKey
from sync.server.access.tokens import revoked
from sync.server.auth import Caller
from sync.server.errors import ApiError
from sync.server.judge import Judged
from sync.server.storage import Database
from sync.server.storage.database import NewInsert
from sync.server.storage.rows_access import batch_seals, countersigned


class _Hash(msgspec.Struct):
    """All that is read of an entry that is otherwise unreadable."""

    hash: str = ""


_HASH = msgspec.json.Decoder(_Hash)
_NEWER = (
    update(countersigned)
    .where(
        countersigned.c.site_id == bindparam("of_site"),
        countersigned.c.station == bindparam("of_station"),
        countersigned.c.generation == bindparam("of_generation"),
    )
    .values({name: bindparam(name) for name in ("seq", "hash", "epoch", "at", "key_id", "signature")})
)
"""Made once, as putting a statement together costs as much as running it."""


@dataclass(frozen=True, slots=True)
class _Proof:
    """A signature that was found good."""

    key_id: str
    statement: bytes
    signature: str
    tips: tuple[Tip, ...]


class Sealing:
    """Makes the two ends of every push's transaction. Thread-safe."""

    def __init__(self, database: Database, register: Register, key: SigningKey) -> None:
        self._database = database
        self._register = register
        self._key = key
        self._keep = database.insert_new(batch_seals)

    def of_push(
        self, caller: Caller, station: str, body: bytes, seal: str | None, judged: Sequence[Judged]
    ) -> PushSeal:
        """Get ready for one push.

        Args:
            body: as it came, before it was unpacked.
            seal: the ``Station-Seal`` header.
        """
        return PushSeal(self._database, self._register, self._key, self._keep, caller, station, body, seal, judged)


class PushSeal:
    """One push's (``sync.server.journal.Witness``)."""

    def __init__(
        self, database: Database, register: Register, key: SigningKey, keep: NewInsert, caller: Caller,
        station: str, body: bytes, seal: str | None, judged: Sequence[Judged],
    ) -> None:  # fmt: skip
        self._database = database
        self._register = register
        self._key = key
        self._keep = keep
        self._caller = caller
        self._station = station
        self._body = body
        self._seal = seal
        self._judged = judged
        self._proof: _Proof | None = None

    def admit(self, connection: Connection) -> None:
        """First in the transaction: may this be taken?

        Raises:
            ApiError: 403 revoked, or an enrolled station that comes without its own token; 422 the signature is missing
                or does not fit what came.
        """
        known = self._register.known(connection, self._caller.site_id, self._station, lock=True)
        if known is None:
            return
        if known.revoked_at is not None:
            raise revoked(self._station)
        if known.public_key is None or known.key_id is None:
            return
        if not self._caller.is_proven:
            raise ApiError(
                403, "enrolled", f"station {self._station!r} is enrolled: only its own key may write for it",
                "run the bench with its own key, or enrol it again with a code of IT",
            )  # fmt: skip
        self._proof = self._check(known.key_id, known.public_key)

    def _check(self, current: str, public_key: bytes) -> _Proof:
        kid, _, signature = (self._seal or "").partition(" ")
        if not signature:
            raise _bad_seal("the push is not signed")
        if kid != current:
            raise _bad_seal(f"the push is signed with key {kid[:16]!r}, which does not count now")
        tips = tips_of((entry.generation, entry.seq, entry.hash or _hash_in(entry.raw)) for entry in self._judged)
        statement = push_statement(self._station, hashlib.sha256(self._body).hexdigest(), tips)
        try:
            raw = from_base64(signature, SIGNATURE_BYTES)
        except InvalidInput as error:
            raise _bad_seal(str(error)) from error
        if not is_signed(public_key, statement, raw):
            raise _bad_seal("the signature is not over what came: it was changed on the way, or is for other bytes")
        return _Proof(kid, statement, signature, tips)

    def close(self, connection: Connection, held: Sequence[Head], at: datetime) -> list[Countersigned]:
        """Last in the transaction: keep who signed what, and sign how far each generation is held."""
        site_id = self._caller.site_id
        if self._proof is not None:
            _domain, _, statement = self._proof.statement.partition(b"\x00")
            connection.execute(
                self._keep,
                [
                    {
                        "site_id": site_id, "station": self._station, "generation": tip.generation, "seq": tip.seq,
                        "hash": tip.hash, "key_id": self._proof.key_id, "statement": statement.decode(),
                        "signature": self._proof.signature, "received_at": at,
                    }
                    for tip in self._proof.tips
                ],
            )  # fmt: skip
        return [self._countersign(connection, head, head.hash, at) for head in held if head.hash is not None]

    def _countersign(self, connection: Connection, head: Head, digest: str, at: datetime) -> Countersigned:
        site_id = self._caller.site_id
        said_at = at.isoformat(timespec="seconds").replace("+00:00", "Z")
        statement = head_statement(
            server=self._register.server_id, epoch=self._database.epoch, site=site_id, station=self._station,
            generation=head.generation, seq=head.seq, hash=digest, at=said_at,
        )  # fmt: skip
        signature = self._key.sign(statement)
        values = {
            "seq": head.seq, "hash": digest, "epoch": self._database.epoch, "at": said_at, "key_id": self._key.id,
            "signature": signature,
        }  # fmt: skip
        place = {"of_site": site_id, "of_station": self._station, "of_generation": head.generation}
        changed = connection.execute(_NEWER, {**place, **values})
        if not changed.rowcount:
            connection.execute(
                countersigned.insert(),
                {"site_id": site_id, "station": self._station, "generation": head.generation, **values},
            )
        return Countersigned(
            self._register.server_id, self._database.epoch, site_id, self._station, head.generation, head.seq, digest,
            said_at, to_base64(self._key.public), signature,
        )  # fmt: skip


def _hash_in(raw: bytes) -> str:
    try:
        return _HASH.decode(raw).hash
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""


def _bad_seal(why: str) -> ApiError:
    return ApiError(422, BAD_SEAL, why, "send it again with a signature over this body (see sync.protocol.access)")

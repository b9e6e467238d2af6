"""How a bench joins, proves who it is, and is told how far the centre holds its journal.

A bench that joined sends with every request ``Authorization: Bearer TOKEN``: a JWT (RFC 7519) that it makes itself,
signed with its own Ed25519 key (``alg: EdDSA``, ``kid`` = the first 16 hex digits of the SHA-256 of the raw public
key), with the claims ``iss`` = station, ``aud`` = the server's id, ``iat`` and ``exp`` at most five minutes apart. A
token whose times do not fit is refused with 401 ``token_time``; the answer's ``Date`` says the server's time, so that a
bench whose clock is wrong makes the next token by the server's.

A push of such a bench also carries ``Station-Seal: KID SIGNATURE`` over ``station.journal.seal.push_statement``.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from sync.protocol.common import Name

SEAL_HEADER: Final = "Station-Seal"
"""``KID SIGNATURE``: which key, and its Ed25519 signature in base64url, over the push's statement."""

TOKEN_TIME: Final = "token_time"
"""Code of the 401 that a wrong clock gets."""
DEVICE_REVOKED: Final = "device_revoked"
"""Code of the 403 that a revoked station gets, at once and for every request."""
BAD_SEAL: Final = "bad_seal"
"""Code of the 422 for a push whose signature is missing or does not fit what came."""
TOKEN_SECONDS: Final = 300
"""The longest a token may be good for."""
SKEW_SECONDS: Final = 120
"""How far clocks may be apart."""

PublicKey = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{43}$")]
"""32 raw bytes in base64url without padding."""
Signature = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{86}$")]
"""64 bytes in base64url without padding."""


class EnrolRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """``POST /v1/enrol``; needs no token, the code is the credential."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """As it was typed or scanned."""
    public_key: PublicKey
    station: Name | None = None
    """The code must be for this station, or it is refused and stays good; absent = whichever it is for."""


class ServerKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key with which the server countersigns."""

    public_key: PublicKey
    follows: PublicKey | None = None
    """The key before it."""
    endorsement: Signature | None = None
    """The key before it signed this one (``successor_statement("server ID", …)``); absent = the old one was lost."""


class EnrolAnswer(msgspec.Struct, frozen=True):
    """Who the bench is from now on, and who the server is."""

    station: str
    site: str
    server: str
    """The server's id: the audience of every token."""
    epoch: str
    server_key: ServerKey
    server_time: str


class RotateRequest(msgspec.Struct, frozen=True):
    """``POST /v1/station/key``: the next key, signed by the one in use and by itself."""

    public_key: PublicKey
    endorsement: Signature
    """The old key's, over ``successor_statement("station NAME", old, new)``."""
    possession: Signature
    """The new key's, over the same."""


class RotateAnswer(msgspec.Struct, frozen=True):
    station: str
    key: str
    """Id of the key that counts from now on."""


class Countersigned(msgspec.Struct, frozen=True):
    """The centre's signed word that it holds a generation up to here (``station.journal.seal.head_statement``)."""

    server: str
    epoch: str
    site: str
    station: str
    generation: int
    seq: int
    hash: str
    at: str
    key: str
    signature: str


class CodeRequest(msgspec.Struct, frozen=True):
    """``POST /v1/stations/{station}/codes``, by IT."""

    minutes: Annotated[int, msgspec.Meta(ge=1, le=24 * 60)] = 15


class CodeAnswer(msgspec.Struct, frozen=True):
    station: Name
    code: str
    """Shown once; only its hash is kept. The text is also the content of a Code 128 barcode."""
    expires_at: str


class StationSummary(msgspec.Struct, frozen=True):
    """One bench as IT sees it."""

    station: str
    site: str
    key: str | None
    """Id of the key in use; None = waits for its code."""
    enrolled_at: str | None
    revoked_at: str | None
    last_seen: str | None
    entries: int
    """How many the server holds."""
    unsent: int | None = None
    """Records that wait at the bench, as it last said; null = it never did."""
    unsent_photos: int | None = None
    unsent_since: str | None = None
    """When the oldest of them was made, by the bench's clock."""
    told_at: str | None = None
    """When the bench said so."""


class StationsAnswer(msgspec.Struct, frozen=True):
    stations: list[StationSummary]

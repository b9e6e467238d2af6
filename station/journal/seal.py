"""What benches and the centre sign, and how a signature is checked. Pure: no key is kept here.

Three statements, each its own domain, so that no signature can be passed off as another kind:

* a bench signs every **push**: the digest of the body and, per generation, the last entry in it. Through the chain the
  last entry's hash covers all before it, so one signature proves every earlier entry of its generation as well;
* the centre **countersigns** how far it holds a generation. The bench keeps the newest of these: a journal that is
  shorter than it, or different at its place, was cut or rewritten (a chain alone does not show that);
* a **key is passed on** by a signature of the old one over the new one.

All are canonical JSON (``station.canonical``) behind a domain and a NUL, signed with Ed25519 (RFC 8032). A third party
needs these bytes, the signature and the public key, and none of our programs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from station.canonical import canonical_json
from station.errors import InvalidInput

_PUSH = b"returns-station push v1\x00"
_HEAD = b"returns-station held v1\x00"
_SUCCESSOR = b"returns-station successor v1\x00"

_HASH = re.compile("[0-9a-f]{64}")

KEY_BYTES = 32
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Tip:
    """The last entry of one generation in a push."""

    generation: int
    seq: int
    hash: str
    """As the entry says; the server checks separately that it is the entry's hash."""


@dataclass(frozen=True, slots=True)
class CountersignedHead:
    """The centre's word that it holds a generation up to here."""

    server: str
    """The server's id."""
    epoch: str
    site: str
    station: str
    generation: int
    seq: int
    hash: str
    at: str
    """UTC, when it said so, ISO 8601 with ``Z``."""
    key: str
    """The public key, base64; whether it is the server's is another question."""
    signature: str
    """Base64, over :func:`head_statement`."""


def tips_of(places: Iterable[tuple[int, int, str]]) -> tuple[Tip, ...]:
    """The last entry of each generation, ascending.

    Args:
        places: generation, seq and hash of every entry in the push; a hash that is none (damaged) counts as empty.

    >>> tips_of([(1, 4, "ab"), (2, 1, "c" * 64), (1, 3, "d" * 64)])[0]
    Tip(generation=1, seq=4, hash='')
    """
    last: dict[int, tuple[int, str]] = {}
    for generation, seq, digest in places:
        before = last.get(generation)
        if before is None or seq >= before[0]:
            last[generation] = (seq, digest)
    return tuple(
        Tip(generation, seq, digest if _HASH.fullmatch(digest) else "")
        for generation, (seq, digest) in sorted(last.items())
    )


def push_statement(station: str, body_sha256: str, tips: Sequence[Tip]) -> bytes:
    """What a bench signs of a push.

    Args:
        body_sha256: of the request's body as it travels (after compression), lower-case hex.
        tips: one per generation in the push, ascending.
    """
    plain = {
        "body_sha256": body_sha256,
        "heads": [[tip.generation, tip.seq, tip.hash] for tip in sorted(tips, key=lambda tip: tip.generation)],
        "station": station,
    }
    return _PUSH + canonical_json(plain)


def head_statement(
    *, server: str, epoch: str, site: str, station: str, generation: int, seq: int, hash: str, at: str
) -> bytes:
    """What the centre signs of a head it holds."""
    plain = {
        "at": at, "epoch": epoch, "generation": generation, "hash": hash, "seq": seq, "server": server, "site": site,
        "station": station,
    }  # fmt: skip
    return _HEAD + canonical_json(plain)


def successor_statement(owner: str, old_key: bytes, new_key: bytes) -> bytes:
    """What an old key signs of the one that follows it.

    Args:
        owner: whose keys they are: ``station NAME`` or ``server ID``.
    """
    return _SUCCESSOR + canonical_json({"new": to_base64(new_key), "old": to_base64(old_key), "owner": owner})


def is_countersigned(head: CountersignedHead) -> bool:
    """Whether the signature is that of the key it names."""
    statement = head_statement(
        server=head.server, epoch=head.epoch, site=head.site, station=head.station, generation=head.generation,
        seq=head.seq, hash=head.hash, at=head.at,
    )  # fmt: skip
    try:
        return is_signed(from_base64(head.key, KEY_BYTES), statement, from_base64(head.signature, SIGNATURE_BYTES))
    except InvalidInput:
        return False


def is_signed(public_key: bytes, statement: bytes, signature: bytes) -> bool:
    """Whether this key signed these bytes (Ed25519).

    Args:
        public_key: 32 raw bytes; what is no point on the curve has signed nothing.
    """
    from cryptography.exceptions import InvalidSignature  # 30 ms that a bench without a server need not spend
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public_key: bytes) -> str:
    """A short name of a key for people, headers and logs: the first 64 bits of its SHA-256, hex."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def to_base64(raw: bytes) -> str:
    """Base64url without padding (RFC 4648 §5), as in JWT.

    >>> to_base64(bytes(3))
    'AAAA'
    """
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64(text: str, size: int) -> bytes:
    """The bytes again, in exactly this many.

    Raises:
        InvalidInput: not base64url, or another length.

    >>> from_base64("AAAA", 3)
    b'\\x00\\x00\\x00'
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{text[:60]!r} is not base64url of {size} bytes: {error}") from error
    if len(raw) != size:
        raise InvalidInput(f"{text[:60]!r} has {len(raw)} bytes, expected {size}")
    return raw

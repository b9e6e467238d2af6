"""Judge one entry by itself: are its bytes what its hashes say, and can its payload be applied? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from station.canonical import check_portable
from station.errors import InvalidInput
from station.journal.entry import entry_hash, payload_hash
from sync.protocol import Code, Place, WireEntry
from sync.server.facts import KINDS, NARROW

_DECODERS: Final[dict[tuple[str, int], msgspec.json.Decoder[object]]] = {
    key: msgspec.json.Decoder(kind) for key, kind in KINDS.items()
}
_KNOWN_KINDS: Final = frozenset(kind for kind, _ in KINDS)
_ENTRY: Final = msgspec.json.Decoder(WireEntry)
_PLACE: Final = msgspec.json.Decoder(Place)
_NUL: Final = rb"\u0000"
_LONG: Final = b"0" * 19
"""Together with ``_NUL`` the cheap signs of what not every database can store; only then the slow check looks."""
_DIGITS: Final = bytes(48 if 48 <= code <= 57 else code for code in range(256))


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry with the verdict on it alone; the chain is judged against the database."""

    generation: int
    seq: int
    id: str
    kind: str
    schema: int
    recorded_at: str
    actor: str
    payload: bytes | None
    payload_sha256: str
    prev_hash: str
    hash: str
    raw: bytes
    """The entry's JSON as received."""
    given_id: str
    """The id as it came, for the answer (a malformed entry is stored under an id of ours)."""
    code: Code | None = None
    """None = sound."""
    detail: str = ""
    fact: object | None = None
    """What there is to apply."""

    @property
    def link_is_sound(self) -> bool:
        """Whether ``hash`` really covers this header, so that the next entry can be checked against it."""
        return self.code not in (Code.HASH_MISMATCH, Code.MALFORMED)


def judge(station: str, raw: bytes) -> Judged:
    """Read and judge one entry.

    Args:
        station: whose journal it is.
        raw: the entry's JSON, a :class:`WireEntry`.

    Returns:
        The entry with the verdict. A malformed one keeps its place and all its bytes.

    Raises:
        InvalidInput: not even generation and seq can be read, so it has no place.
    """
    try:
        wire = _ENTRY.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return _malformed(raw, str(error))
    payload = wire.payload.encode() if wire.payload is not None else None
    try:
        code, detail, fact = _verdict(station, wire, payload)
    except InvalidInput as error:  # a header that cannot be hashed, nor stored in every database
        return _malformed(raw, str(error))
    return Judged(
        wire.generation, wire.seq, wire.id, wire.kind, wire.schema, wire.recorded_at, wire.actor, payload,
        wire.payload_sha256, wire.prev_hash, wire.hash, raw, wire.id, code, detail, fact,
    )  # fmt: skip


def _verdict(station: str, wire: WireEntry, payload: bytes | None) -> tuple[Code | None, str, object | None]:
    # first of all: a header that not every database can store raises here, whatever else is wrong with it
    expected = entry_hash(
        station=station, generation=wire.generation, seq=wire.seq, id=wire.id, kind=wire.kind, schema=wire.schema,
        recorded_at=wire.recorded_at, actor=wire.actor, payload_sha256=wire.payload_sha256,
        prev_hash=wire.prev_hash,
    )  # fmt: skip
    if payload is not None and payload_hash(payload) != wire.payload_sha256:
        return Code.HASH_MISMATCH, "the payload's SHA-256 is not payload_sha256", None
    if expected != wire.hash:
        return Code.HASH_MISMATCH, f"the header hashes to {expected}, not to hash", None
    if wire.withheld is not None:
        return Code.WITHHELD, _storable(wire.withheld), None
    if payload is None:
        return None, "", None  # erased at the bench before it was sent; its hash stays
    return judge_payload(wire.kind, wire.schema, payload)


def judge_payload(kind: str, schema: int, payload: bytes) -> tuple[Code | None, str, object | None]:
    """Read a payload by its kind and schema.

    That it is what the bench recorded is proved by its hash; here it only has to be readable, and storable in every
    database. Fields that this version does not know are passed over: they stay in the bytes.

    Returns:
        (code, detail, fact): code None and the fact if it can be applied.
    """
    decoder = _DECODERS.get((kind, schema))
    if decoder is None:
        if kind in _KNOWN_KINDS:
            return Code.UNKNOWN_SCHEMA, f"{kind} in schema {schema} is newer than this server", None
        return Code.UNKNOWN_KIND, f"this server does not know {kind!r}", None
    try:
        fact = decoder.decode(payload)
        if _NUL in payload or (not isinstance(fact, NARROW) and _LONG in payload.translate(_DIGITS)):
            check_portable(msgspec.to_builtins(fact, enc_hook=_unread))
    except (msgspec.MsgspecError, InvalidInput, UnicodeError, RecursionError, ValueError, OverflowError) as error:
        return Code.BAD_PAYLOAD, _storable(str(error)), None
    return None, "", fact


def _unread(_value: object) -> None:
    """What is passed over unread (``msgspec.Raw``) goes into no column."""


def _malformed(raw: bytes, why: str) -> Judged:
    try:
        place = _PLACE.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"an entry whose generation and seq cannot be read: {error}") from error
    digest = payload_hash(raw)
    return Judged(
        place.generation, place.seq, f"malformed:{digest[:40]}", "malformed", 0, "", "", raw, digest, "", "", raw,
        _text(place.id), Code.MALFORMED, _storable(why),
    )  # fmt: skip


def _text(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""


def _storable(detail: str) -> str:
    """Words for a column of every database; what is wrong may be quoted in them."""
    return detail[:500].replace("\x00", "�")

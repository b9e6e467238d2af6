"""A journal as JSON lines, one entry each, for keeping elsewhere and for reading back: exact bytes, hashes and all.

The fields are the entry's; ``payload`` is the exact canonical text as one JSON string, absent where it was erased.
``write_lines`` and ``read_lines`` are for whole journals and prove every link; a single line (``line_of``,
``entry_of``) is also what the file of unsent entries is made of, where entries between may be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import msgspec

from station.errors import InvalidInput
from station.journal.chain import check_link, recomputed_hash
from station.journal.entry import GENESIS, Entry, payload_hash

_LONGEST_LINE: Final = 32 * 1024 * 1024


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    station: str
    generation: int
    seq: int
    id: str
    kind: str
    schema: int
    recorded_at: str
    actor: str
    payload_sha256: str
    prev_hash: str
    hash: str
    payload: str | None = None
    withheld: str | None = None
    """Why the payload is not here although nobody erased it."""


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Line)


def line_of(entry: Entry, *, rescuing: bool = False) -> bytes:
    """One entry as its line, with the line feed.

    Args:
        rescuing: a damaged payload is left out and the line says so; else it is refused.

    Raises:
        InvalidInput: the payload is not UTF-8 (then the entry was damaged).
    """
    payload = withheld = None
    try:
        payload = entry.payload.decode() if entry.payload is not None else None
    except UnicodeDecodeError as error:
        if not rescuing:
            raise InvalidInput(f"entry {entry.generation}/{entry.seq}: its payload is not UTF-8: {error}") from error
        withheld = "the payload on the bench's disk is not UTF-8 any more"
    line = _Line(
        entry.station, entry.generation, entry.seq, entry.id, entry.kind, entry.schema, entry.recorded_at, entry.actor,
        entry.payload_sha256, entry.prev_hash, entry.hash, payload, withheld,
    )  # fmt: skip
    return _ENCODER.encode(line) + b"\n"


def entry_of(line: bytes) -> Entry:
    """Read one line and prove the entry by itself.

    Raises:
        InvalidInput: not such a line, or the entry is not what its hashes say.
    """
    entry = _read(line)
    if recomputed_hash(entry) != entry.hash or (
        entry.payload is not None and payload_hash(entry.payload) != entry.payload_sha256
    ):
        raise InvalidInput(f"entry {entry.generation}/{entry.seq} does not fit its hash")
    return entry


def _read(line: bytes) -> Entry:
    try:
        read = _DECODER.decode(line)
        payload = read.payload.encode() if read.payload is not None else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"not an entry of a journal: {error}") from error
    return Entry(
        read.station, read.generation, read.seq, read.id, read.kind, read.schema, read.recorded_at, read.actor, payload,
        read.payload_sha256, read.prev_hash, read.hash,
    )  # fmt: skip


def write_lines(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The file in pieces."""
    for entry in entries:
        yield line_of(entry)


def read_lines(file: BinaryIO) -> Iterator[Entry]:
    """The entries of a file, each proven against the one before.

    Raises:
        InvalidInput: a line is none, or an entry or a link is not what its hashes say; the text names the line.
    """
    ends: dict[int, tuple[int, str]] = {}
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        try:
            entry = _read(line)
            seq, prev_hash = ends.get(entry.generation, (0, GENESIS))
            problem = next(check_link(entry, expected_seq=seq + 1, prev_hash=prev_hash), None)
        except InvalidInput as error:
            raise InvalidInput(f"line {number}: {error}") from error
        if problem is not None:
            raise InvalidInput(f"line {number}: {problem.text}")
        ends[entry.generation] = (entry.seq, entry.hash)
        yield entry

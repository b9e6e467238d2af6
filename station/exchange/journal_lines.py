"""A journal as JSON lines, one entry each, for keeping elsewhere and for reading back: exact bytes, hashes and all.

The fields are the entry's; ``payload`` is the exact canonical text as one JSON string, absent where it was erased.
Reading back proves every entry by itself and its link to the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import msgspec

from station.errors import InvalidInput
from station.journal.chain import check_link
from station.journal.entry import GENESIS, Entry

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


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Line)


def line_of(entry: Entry) -> bytes:
    """One entry as its line, with the line feed.

    Raises:
        InvalidInput: the payload is not UTF-8 (then the entry was damaged).
    """
    try:
        payload = entry.payload.decode() if entry.payload is not None else None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"entry {entry.generation}/{entry.seq}: its payload is not UTF-8: {error}") from error
    line = _Line(
        entry.station, entry.generation, entry.seq, entry.id, entry.kind, entry.schema, entry.recorded_at, entry.actor,
        entry.payload_sha256, entry.prev_hash, entry.hash, payload,
    )  # fmt: skip
    return _ENCODER.encode(line) + b"\n"


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
            read = _DECODER.decode(line)
            entry = Entry(
                read.station, read.generation, read.seq, read.id, read.kind, read.schema, read.recorded_at, read.actor,
                read.payload.encode() if read.payload is not None else None, read.payload_sha256, read.prev_hash,
                read.hash,
            )  # fmt: skip
            seq, prev_hash = ends.get(entry.generation, (0, GENESIS))
            problem = next(check_link(entry, expected_seq=seq + 1, prev_hash=prev_hash), None)
        except (msgspec.MsgspecError, InvalidInput, UnicodeError) as error:
            raise InvalidInput(f"line {number} is not an entry of a journal: {error}") from error
        if problem is not None:
            raise InvalidInput(f"line {number}: {problem.text}")
        ends[entry.generation] = (entry.seq, entry.hash)
        yield entry

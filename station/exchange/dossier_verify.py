"""Checking a dossier: every object by itself, then the whole file made again and compared byte by byte.

Members are read one behind the other by their local headers, so that damage to one does not hide the others, as it
would behind a ZIP library that gives up at a wrong checksum.
Source: PKWARE APPNOTE 6.3 §4.3.7 (local file header).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import msgspec

from station.errors import InvalidInput, StationError
from station.exchange.dossier import (
    HEADS,
    PAGE,
    README,
    SCRIPT,
    SUMS,
    Evidence,
    Header,
    build_objects,
    entry_name,
    pack,
)
from station.journal.chain import check_link
from station.journal.entry import Entry
from station.journal.seal import CountersignedHead, is_countersigned

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_LOCAL_MAGIC: Final = b"PK\x03\x04"
_CENTRAL_MAGIC: Final = b"PK\x01\x02"
_MOST: Final = 100_000
LARGEST: Final = 2 << 30
"""Bytes of a file that is looked at."""

_HEADER: Final = msgspec.json.Decoder(Header)
_HEADS: Final = msgspec.json.Decoder(tuple[CountersignedHead, ...])


@dataclass(frozen=True, slots=True)
class DossierProblem:
    """One thing that is wrong."""

    object: str
    """Name of the object in the file, or ``container`` for what holds them together."""
    text: str


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain in the dossier ends: what to compare with somebody else's copy."""

    generation: int
    first: int
    seq: int
    hash: str
    signed: tuple[CountersignedHead, ...]
    """Signatures of the server over an entry of this chain, all of them proven. Whether the keys are the server's must
    be asked of its owner."""


@dataclass(frozen=True, slots=True)
class DossierReport:
    """What was proven of a dossier."""

    ok: bool
    objects: int
    entries: int
    photos: int
    ends: tuple[End, ...]
    problems: tuple[DossierProblem, ...]


def verify_dossier(content: bytes) -> DossierReport:
    """Check a dossier.

    Args:
        content: the whole file.

    Raises:
        InvalidInput: this was never a dossier.
    """
    problems: list[DossierProblem] = []
    objects = _objects(content, problems)
    if README not in objects and SUMS not in objects:
        raise InvalidInput("this is not a dossier: expected a file made by 'station export dossier'")
    problems += _check_sums(objects)
    inside: list[DossierProblem] = []
    headers = tuple(_headers(objects, inside))
    ends = tuple(_check_chains(headers, objects, inside))
    inside += _check_photos(objects)
    if not (problems or inside):
        inside += _check_whole(content, objects, headers)
    if all(problem.object == SUMS for problem in problems):
        problems += inside  # otherwise the sums have named the object, and what hangs on it would be accused too
    kinds = [name.partition("/")[0] for name in objects]
    unique = tuple(dict.fromkeys(problems))
    return DossierReport(not unique, len(objects), kinds.count("entries"), kinds.count("photos"), ends, unique)


def members(content: bytes) -> dict[str, bytes]:
    """The members by name; of a file that was verified."""
    return _objects(content, [])


def _objects(content: bytes, problems: list[DossierProblem]) -> dict[str, bytes]:
    """The members in their order, as far as the container can be followed."""
    objects: dict[str, bytes] = {}
    at, last = 0, "the beginning"
    while len(objects) < _MOST and content[at : at + 4] != _CENTRAL_MAGIC:
        if content[at : at + 4] != _LOCAL_MAGIC or len(content) < at + _LOCAL.size:
            problems.append(DossierProblem("container", f"the object behind {last} has a damaged head at byte {at}"))
            break
        fields = _LOCAL.unpack_from(content, at)
        method, size, name_size, extra_size = fields[3], fields[8], fields[9], fields[10]
        start = at + _LOCAL.size
        body = start + name_size + extra_size
        name = content[start : start + name_size].decode("utf-8", "replace")
        if method != 0 or size != fields[7] or body + size > len(content) or name in objects:
            problems.append(DossierProblem("container", f"the head of {name!r} behind {last} is damaged at byte {at}"))
            break
        objects[name] = content[body : body + size]
        at, last = body + size, name
    return objects


def _check_sums(objects: Mapping[str, bytes]) -> Iterator[DossierProblem]:
    sums = objects.get(SUMS)
    if sums is None:
        yield DossierProblem(SUMS, "is missing")
        return
    body, _, last = sums.removesuffix(b"\n").rpartition(b"\n")
    if last != b"# " + hashlib.sha256(body + b"\n").hexdigest().encode():
        yield DossierProblem(SUMS, "was changed: its last line is not the sum of the lines above")
        return  # nobody else is accused on its word
    listed: dict[str, str] = {}
    for line in body.decode("utf-8", "replace").splitlines():
        listed[line[66:]] = line[:64]
    for name, digest in listed.items():
        if name not in objects:
            yield DossierProblem(name, "is missing")
        elif hashlib.sha256(objects[name]).hexdigest() != digest:
            yield DossierProblem(name, "was changed: its bytes do not have the sum that SHA256SUMS tells")
    for name in objects:
        if name not in listed and name != SUMS:
            yield DossierProblem(name, "does not belong here: SHA256SUMS does not list it")


def _headers(objects: Mapping[str, bytes], problems: list[DossierProblem]) -> Iterator[Header]:
    for name, content in objects.items():
        if not name.startswith("chain/"):
            continue
        for number, line in enumerate(content.splitlines(), 1):
            try:
                yield _HEADER.decode(line)
            except (msgspec.MsgspecError, UnicodeError) as error:
                problems.append(DossierProblem(name, f"line {number} is no header: {error}"))


def _check_chains(
    headers: tuple[Header, ...], objects: Mapping[str, bytes], problems: list[DossierProblem]
) -> Iterator[End]:
    heads = _read_heads(objects, problems)
    hashes = {(header.generation, header.seq): header.hash for header in headers}
    expected_names = set()
    for generation, group in groupby(headers, key=lambda header: header.generation):
        chain = list(group)
        name = f"chain/{generation}.jsonl"
        seq, prev_hash = chain[0].seq, chain[0].prev_hash
        for header in chain:
            own = entry_name(header.generation, header.seq, header.kind)
            expected_names.add(own)
            payload = objects.get(own)
            if payload is not None and hashlib.sha256(payload).hexdigest() != header.payload_sha256:
                problems.append(DossierProblem(own, "was changed: the journal recorded another content"))
            try:
                found = list(check_link(_entry(header), expected_seq=seq, prev_hash=prev_hash))
            except StationError as error:
                problems.append(DossierProblem(name, f"entry {header.seq}: {error}"))
                found = []
            problems += [DossierProblem(name, problem.text) for problem in found]
            seq, prev_hash = header.seq + 1, header.hash
        signed = tuple(head for head in heads if head.generation == generation)
        for head in signed:
            if hashes.get((head.generation, head.seq)) != head.hash:
                text = f"the server signed for another entry {head.generation}/{head.seq} than the one here"
                problems.append(DossierProblem(HEADS, text))
        yield End(generation, chain[0].seq, chain[-1].seq, chain[-1].hash, signed)
    for name in objects:
        if name.startswith("entries/") and name not in expected_names:
            problems.append(DossierProblem(name, "belongs to no entry of the chain"))


def _read_heads(objects: Mapping[str, bytes], problems: list[DossierProblem]) -> tuple[CountersignedHead, ...]:
    if HEADS not in objects:
        return ()
    try:
        heads = _HEADS.decode(objects[HEADS])
    except (msgspec.MsgspecError, UnicodeError) as error:
        problems.append(DossierProblem(HEADS, f"cannot be read: {error}"))
        return ()
    good = tuple(head for head in heads if _is_good(head))
    for head in heads:
        if head not in good:
            problems.append(DossierProblem(HEADS, f"the signature of {head.at!r} is not that of its key"))
    return good


def _is_good(head: CountersignedHead) -> bool:
    try:
        return is_countersigned(head)
    except StationError:
        return False


def _check_photos(objects: Mapping[str, bytes]) -> Iterator[DossierProblem]:
    for name, content in objects.items():
        if name.startswith("photos/") and name != f"photos/{hashlib.sha256(content).hexdigest()}.jpg":
            yield DossierProblem(name, "was changed: its bytes do not hash to its name")


def _check_whole(content: bytes, objects: Mapping[str, bytes], headers: tuple[Header, ...]) -> Iterator[DossierProblem]:
    """Make the file again from its evidence alone: nothing else may be in it, and nothing may read differently."""
    payloads = {
        (header.generation, header.seq): objects[name]
        for header in headers
        if (name := entry_name(header.generation, header.seq, header.kind)) in objects
    }
    photos = {name[7:-4]: body for name, body in objects.items() if name.startswith("photos/")}
    heads = _HEADS.decode(objects[HEADS]) if HEADS in objects else ()
    evidence = Evidence(headers, payloads, photos, heads)
    made = build_objects(evidence)
    if made != objects:
        for name in sorted(made.keys() | objects.keys()):
            if made.get(name) != objects.get(name) and name != SUMS:
                yield DossierProblem(name, _REASONS.get(name, "is not what the evidence in this file gives"))
        return
    again = pack(evidence)
    if again != content:
        place = next(
            (index for index, (one, other) in enumerate(zip(again, content, strict=False)) if one != other),
            min(len(again), len(content)),
        )
        yield DossierProblem("container", f"what holds the objects together was changed at byte {place}")


_REASONS: Final = {
    PAGE: "tells another story than the entries, or was made by another version of this program",
    README: "is not this version's text",
    SCRIPT: "is not this version's script: do not run it",
}


def _entry(header: Header) -> Entry:
    return Entry(
        header.station, header.generation, header.seq, header.id, header.kind, header.schema, header.recorded_at,
        header.actor, None, header.payload_sha256, header.prev_hash, header.hash,
    )  # fmt: skip

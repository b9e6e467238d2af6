"""The evidence dossier of one unit: a single file that a third party can read and check without us.

Decision: a ZIP whose members are stored, in a fixed order, with fixed times: the same journal gives the same bytes.
Everything in it that is not evidence (page, explanations, sums) is made of what is, so that verifying makes the whole
file again and compares every byte; a page that tells another story than its entries is found. The sums are in the
format of ``sha256sum -c``. The chain comes as headers only, from the unit's first entry to the first head that the
server countersigned, or to the end. A single HTML page would open with one click less, but nobody could check its
parts with tools of their own.
Price: headers between name their actors' badges, because the hashes cover them.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from station.assets import asset
from station.canonical import canonical_json
from station.errors import InvalidInput, StoreFault
from station.exchange.dossier_page import page
from station.inspection.record import INSPECTION_CONFIRMED
from station.journal.entry import Entry
from station.journal.seal import CountersignedHead

SUMS: Final = "SHA256SUMS"
README: Final = "README.txt"
PAGE: Final = "index.html"
SCRIPT: Final = "verify.py"
HEADS: Final = "countersigned.json"
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link of the chain without what it covers; the fields in the order of canonical JSON."""

    actor: str
    generation: int
    hash: str
    id: str
    kind: str
    payload_sha256: str
    prev_hash: str
    recorded_at: str
    schema: int
    seq: int
    station: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a dossier is made of; all else follows from it."""

    headers: tuple[Header, ...]
    """By generation and seq; each generation without gaps."""
    payloads: Mapping[tuple[int, int], bytes]
    """Generation and seq → exact bytes, of the unit's own entries."""
    photos: Mapping[str, bytes]
    """By SHA-256; those that are still there."""
    heads: tuple[CountersignedHead, ...]


class _Named(msgspec.Struct, frozen=True):
    """What an entry may say of whom it concerns."""

    unit_id: str | None = None
    inspection_id: str | None = None
    lpn: str | None = None
    parcel_id: str | None = None


class _Photo(msgspec.Struct, frozen=True):
    sha256: str


class _Photos(msgspec.Struct, frozen=True):
    photos: tuple[_Photo, ...] = ()


_NAMED: Final = msgspec.json.Decoder(_Named)
_PHOTOS: Final = msgspec.json.Decoder(_Photos)


def collect(
    entries: Sequence[Entry], unit: str, read_photo: Callable[[str], bytes], heads: Iterable[CountersignedHead]
) -> Evidence:
    """Find what belongs to a unit.

    Args:
        entries: the whole journal in its order.
        unit: a licence plate or a unit's id.
        read_photo: gives a photo's bytes by hash; raises StoreFault where it is gone.
        heads: what the server has countersigned.

    Raises:
        InvalidInput: nobody inspected such a unit here.
        StoreFault: a photo that an entry names has changed on the disk.
    """
    named = [(entry, _named(entry)) for entry in entries]
    inspected = [
        (entry, who) for entry, who in named if entry.kind == INSPECTION_CONFIRMED and unit in (who.unit_id, who.lpn)
    ]
    if not inspected:
        raise InvalidInput(f"no inspection of {unit!r} is in this journal; expected a licence plate or a unit's id")
    units = {who.unit_id for _, who in inspected}
    plates = {who.lpn for _, who in inspected}
    ids = {who.inspection_id for _, who in inspected}
    parcels = {who.parcel_id for _, who in inspected}
    mine = [
        entry
        for entry, who in named
        if (who.unit_id is not None and who.unit_id in units)
        or (who.unit_id is None and who.inspection_id is not None and who.inspection_id in ids)
        or (who.unit_id is None and who.inspection_id is None and who.lpn is not None and who.lpn in plates)
        or (entry.kind.startswith("parcel.") and who.parcel_id in parcels)
    ]
    signed = tuple(sorted(heads, key=lambda head: head.generation))
    headers: list[Header] = []
    used: list[CountersignedHead] = []
    for generation in sorted({entry.generation for entry in mine}):
        places = [entry.seq for entry in mine if entry.generation == generation]
        covering = [head for head in signed if head.generation == generation and head.seq >= max(places)]
        end = min((head.seq for head in covering), default=None)
        used += covering
        headers += [
            _header(entry)
            for entry in entries
            if entry.generation == generation and entry.seq >= min(places) and (end is None or entry.seq <= end)
        ]
    payloads = {(entry.generation, entry.seq): entry.payload for entry in mine if entry.payload is not None}
    photos: dict[str, bytes] = {}
    for name in photos_named(payloads.values()):
        try:
            photos[name] = read_photo(name)
        except FileNotFoundError:
            continue  # erased, or only at the server: the page says so
    return Evidence(tuple(headers), payloads, photos, tuple(used))


def pack(evidence: Evidence) -> bytes:
    """The file. The same evidence gives the same bytes."""
    objects = build_objects(evidence)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as file:
        for name, content in objects.items():
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system = _UNIX  # otherwise the bytes would tell on which system it was made
            info.external_attr = 0o644 << 16
            file.writestr(info, content)
    return packed.getvalue()


def build_objects(evidence: Evidence) -> dict[str, bytes]:
    """Every member by name, in the order of the file."""
    folder = asset() / "dossier"
    kinds = {(header.generation, header.seq): header.kind for header in evidence.headers}
    objects = {README: (folder / "README.txt").read_bytes(), PAGE: page(evidence.headers, evidence.payloads,
                                                                      evidence.photos, evidence.heads)}  # fmt: skip
    for place in sorted(evidence.payloads):
        objects[entry_name(*place, kinds[place])] = evidence.payloads[place]
    for name in sorted(evidence.photos):
        objects[f"photos/{name}.jpg"] = evidence.photos[name]
    for generation in sorted({header.generation for header in evidence.headers}):
        lines = [msgspec.json.encode(header) for header in evidence.headers if header.generation == generation]
        objects[f"chain/{generation}.jsonl"] = b"\n".join(lines) + b"\n"
    if evidence.heads:
        objects[HEADS] = canonical_json(list(evidence.heads)) + b"\n"
    objects[SCRIPT] = (folder / "verify.py.txt").read_bytes()
    objects[SUMS] = sums_of(objects)
    return objects


def sums_of(objects: Mapping[str, bytes]) -> bytes:
    """The list of sums; its last line is the sum of the lines above."""
    body = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in objects.items()).encode()
    return body + f"# {hashlib.sha256(body).hexdigest()}\n".encode()


def entry_name(generation: int, seq: int, kind: str) -> str:
    """Where an entry's payload lies.

    >>> entry_name(1, 7, "inspection.confirmed")
    'entries/1-7-inspection.confirmed.json'
    """
    return f"entries/{generation}-{seq}-{kind}.json"


def photos_named(payloads: Iterable[bytes]) -> list[str]:
    """The photos that entries name, each once."""
    found: dict[str, None] = {}
    for payload in payloads:
        try:
            for photo in _PHOTOS.decode(payload).photos:
                found[photo.sha256] = None
        except (msgspec.MsgspecError, UnicodeError):
            continue  # of a kind that has something else under this word
    return list(found)


def _named(entry: Entry) -> _Named:
    if entry.payload is None:
        return _Named()
    try:
        return _NAMED.decode(entry.payload)
    except (msgspec.MsgspecError, UnicodeError):
        return _Named()


def _header(entry: Entry) -> Header:
    if "/" in entry.kind or "\\" in entry.kind:
        raise StoreFault(
            f"entry {entry.generation}/{entry.seq} has the kind {entry.kind!r}; run 'station journal verify'"
        )
    return Header(
        entry.actor, entry.generation, entry.hash, entry.id, entry.kind, entry.payload_sha256, entry.prev_hash,
        entry.recorded_at, entry.schema, entry.seq, entry.station,
    )  # fmt: skip

"""What names a unit outside of its inspections goes with it: bytes that were kept without being applied.

========================================  ==========================================================================
where                                     what goes
========================================  ==========================================================================
quarantined entries                       the payload of those that name the unit, however damaged
``disputes``                              the payload inside of the entry that was kept; hashes and place stay
``agreement.planted`` of the unit         the payload; with it all that was recorded of the unit when it went round
and ``blind.*`` entries                   again under another return (those benches are told as well)
========================================  ==========================================================================

Such bytes are looked through as bytes, since some of them nobody can read: what has the unit's id, its plate or an id
of its inspections between quotation marks names it. Payloads in JSON that is kept whole have those marks escaped. The
cost is that of reading what is kept: a site has few of those entries, and an index of its own finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from station.inspection.record import INSPECTION_CONFIRMED
from station.review.agreement.planted import GOLDEN, KINDS, PLANTED, PREFIX, Golden, Planted
from sync.server.storage.rows import OF_AGREEMENT, disputes, entries, inspections, quarantine

_PAGE: Final = 200
_e, _d = entries.c, disputes.c


class _Blind(msgspec.Struct, frozen=True):
    """What is read of a unit that went round again."""

    inspection_id: str = ""
    unit_id: str = ""
    lpn: str = ""
    parcel_id: str = ""
    merchant_id: str | None = None
    rma: str | None = None


_BLIND: Final = msgspec.json.Decoder(_Blind)
_PLANTED: Final = msgspec.json.Decoder(Planted)
_GOLDEN: Final = msgspec.json.Decoder(Golden)


def erase_kept(connection: Connection, site_id: str, unit_ids: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """Erase it, in the caller's transaction, before what the units' inspections say is changed.

    Returns:
        How many payloads went; and the ids under which units went round again.
    """
    names = set(unit_ids)
    c = inspections.c
    for row in connection.execute(select(c.inspection_id, c.lpn).where(c.site_id == site_id, c.unit_id.in_(unit_ids))):
        names |= {row.inspection_id, row.lpn}
    emptied, again = _rounds(connection, site_id, names)
    names |= again.names
    marks = sorted(f'"{name}"'.encode() for name in names)
    emptied += _empty(connection, site_id, _quarantined(connection, site_id, marks))
    emptied += _disputed(connection, site_id, marks)
    return emptied, tuple(sorted(again.units))


class _Again:
    """Units that went round again."""

    def __init__(self) -> None:
        self.units: set[str] = set()
        self.names: set[str] = set()


def _rounds(connection: Connection, site_id: str, names: set[str]) -> tuple[int, _Again]:
    """Empty what was recorded of a unit when it went round again."""
    again = _Again()
    rounds: set[tuple[str | None, str | None]] = set()
    gone: list[ColumnElement[bool]] = []
    for row in _kinds(connection, site_id, (PLANTED, GOLDEN)):
        try:
            if row.kind == GOLDEN:
                subject = _GOLDEN.decode(row.payload).inspection_id
            else:
                planted = _PLANTED.decode(row.payload)
                subject = planted.subject
                if subject in names:
                    rounds.add((planted.merchant_id, planted.rma))
        except (msgspec.MsgspecError, UnicodeError):
            continue
        if subject in names:
            gone.append(_place(row))
    blind: list[tuple[Any, _Blind]] = []
    for row in _kinds(connection, site_id, [kind for kind in KINDS if kind.startswith(PREFIX)]):
        try:
            blind.append((row, _BLIND.decode(row.payload)))
        except (msgspec.MsgspecError, UnicodeError):
            continue
    parcels: set[str] = set()
    for row, said in blind:
        is_asked = not names.isdisjoint({said.unit_id, said.lpn, said.inspection_id})
        if is_asked or (said.rma is not None and (said.merchant_id, said.rma) in rounds):
            parcels.add(said.parcel_id)
            if row.kind == PREFIX + INSPECTION_CONFIRMED:
                again.units.add(said.unit_id)
                again.names |= {said.unit_id, said.inspection_id, said.lpn}
    parcels.discard("")
    for row, said in blind:
        if said.parcel_id in parcels or not (again.names | names).isdisjoint({said.inspection_id, said.lpn}):
            gone.append(_place(row))
    return _empty(connection, site_id, gone), again


def _kinds(connection: Connection, site_id: str, kinds: Iterable[str]) -> Sequence[Any]:
    here = (_e.site_id == site_id, _e.kind.in_(list(kinds)), _e.payload.is_not(None), OF_AGREEMENT)
    return connection.execute(select(_e.station, _e.generation, _e.seq, _e.kind, _e.payload).where(*here)).all()


def _quarantined(connection: Connection, site_id: str, marks: Sequence[bytes]) -> Iterator[ColumnElement[bool]]:
    q = quarantine.c
    there = and_(_e.site_id == q.site_id, _e.station == q.station, _e.generation == q.generation, _e.seq == q.seq)
    found = connection.execute(
        select(_e.station, _e.generation, _e.seq, _e.payload)
        .join(quarantine, there)
        .where(q.site_id == site_id, _e.payload.is_not(None))
        .execution_options(yield_per=_PAGE)
    )
    yield from [_place(row) for row in found if _names(row.payload, marks)]


def _disputed(connection: Connection, site_id: str, marks: Sequence[bytes]) -> int:
    found = connection.execute(
        select(_d.station, _d.generation, _d.seq, _d.hash, _d.entry)
        .where(_d.site_id == site_id)
        .execution_options(yield_per=_PAGE)
    )
    gone = [row for row in found if _names(row.entry, marks)]
    for row in gone:
        connection.execute(
            update(disputes)
            .where(
                _d.site_id == site_id, _d.station == row.station, _d.generation == row.generation,
                _d.seq == row.seq, _d.hash == row.hash,
            )
            .values(entry=_without_payload(row.entry))
        )  # fmt: skip
    return len(gone)


def _without_payload(raw: bytes) -> bytes:
    """An entry as it was kept, without what it says; one that nobody can read goes whole."""
    try:
        entry = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return b""
    kept = ("generation", "seq", "id", "kind", "schema", "recorded_at", "payload_sha256", "prev_hash", "hash")
    return (
        msgspec.json.encode({name: entry[name] for name in kept if name in entry}) if isinstance(entry, dict) else b""
    )


def _names(payload: bytes, marks: Sequence[bytes]) -> bool:
    plain = payload.replace(b'\\"', b'"')
    return any(mark in plain for mark in marks)


def _place(row: Any) -> ColumnElement[bool]:
    return and_(_e.station == row.station, _e.generation == row.generation, _e.seq == row.seq)


def _empty(connection: Connection, site_id: str, places: Iterable[ColumnElement[bool]]) -> int:
    count, listed = 0, list(places)
    for first in range(0, len(listed), _PAGE):
        count += connection.execute(
            update(entries)
            .where(_e.site_id == site_id, or_(*listed[first : first + _PAGE]), _e.payload.is_not(None))
            .values(payload=None)
        ).rowcount
    return count

"""What else leads from a unit to its customer goes with it: the return as asked for, its parcel, what leads wrote.

A return and a parcel belong to several units. They go with the last of them: while another unit of the same return is
kept, so is what it came with. Hashes stay: of a request to authorise the fingerprint of its body (the same key sent
again is told that it was erased), of journal entries all of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, select, update

from station.inspection.record import INSPECTION_CONFIRMED, PARCEL_CLOSED, PARCEL_OPENED, PARCEL_PARKED
from station.returns.keys import pair_key
from sync.protocol import ErrorAnswer, ErrorBody, Topic
from sync.server.feed import Change, Feed
from sync.server.storage.rows import entries, inspections
from sync.server.storage.rows_downstream import unit_changes
from sync.server.storage.rows_units import authorisations, return_requests, unit_decisions, unit_lines, units

_GONE: Final = 410
_ERASED: Final = "erased"
_AROUND: Final = 500
"""Entries of a chain before and behind an inspection, among which those of its parcel are looked for."""
_FAR: Final = 20_000
"""As many before it where the parcel's opening is not among them: it was parked for long."""
_PARCEL_KINDS: Final = (PARCEL_OPENED, PARCEL_PARKED, PARCEL_CLOSED)


class _OfParcel(msgspec.Struct, frozen=True):
    parcel_id: str = ""
    unit_id: str = ""


_READ: Final = msgspec.json.Decoder(_OfParcel)


def erase_around(connection: Connection, feed: Feed, site_id: str, unit_ids: Sequence[str], at: datetime) -> int:
    """Erase what leads to the customers of these units, in the caller's transaction, before their own rows are changed.

    Returns:
        How many journal entries were emptied.
    """
    c = inspections.c
    mine = connection.execute(
        select(c.station, c.generation, c.seq, c.unit_id, c.lpn, c.parcel_id, c.merchant_id, c.rma).where(
            c.site_id == site_id, c.unit_id.in_(unit_ids)
        )
    ).all()
    plates = sorted({row.lpn for row in mine})
    emptied = _decisions(connection, feed, site_id, plates, at)
    for row in mine:
        emptied += _parcel(connection, site_id, row.station, row.generation, row.seq, row.parcel_id, set(unit_ids))
    for merchant_id, rma in sorted({(row.merchant_id, row.rma) for row in mine if row.merchant_id and row.rma}):
        _return(connection, feed, site_id, merchant_id, rma, set(unit_ids), at)
    connection.execute(
        delete(unit_changes).where(unit_changes.c.site_id == site_id, unit_changes.c.unit_id.in_(unit_ids))
    )
    return emptied


def _decisions(connection: Connection, feed: Feed, site_id: str, plates: Sequence[str], at: datetime) -> int:
    """What leads wrote about the units, in their words; what they decided stays."""
    here = (unit_decisions.c.site_id == site_id, unit_decisions.c.lpn.in_(plates))
    names = list(connection.scalars(select(unit_decisions.c.entry_id).where(*here)))
    if not names:
        return 0
    connection.execute(update(unit_decisions).where(*here).values(reason=_ERASED))
    feed.put(connection, site_id, Topic.DECISIONS, [Change(lpn, None) for lpn in plates], at)
    theirs = (entries.c.site_id == site_id, entries.c.id.in_(names), entries.c.payload.is_not(None))
    return connection.execute(update(entries).where(*theirs).values(payload=None)).rowcount


def _parcel(
    connection: Connection, site_id: str, station: str, generation: int, seq: int, parcel_id: str, going: set[str]
) -> int:
    for before in (_AROUND, _FAR):
        found, is_shared = _of_parcel(
            connection, site_id, station, generation, seq - before, seq + _AROUND, parcel_id, going
        )
        if is_shared:
            return 0
        if any(kind == PARCEL_OPENED for kind, _ in found):
            break
    places = [place for _, place in found]
    if not places:
        return 0
    chain = (entries.c.site_id == site_id, entries.c.station == station, entries.c.generation == generation)
    return connection.execute(
        update(entries).where(*chain, entries.c.seq.in_(places), entries.c.payload.is_not(None)).values(payload=None)
    ).rowcount


def _of_parcel(
    connection: Connection, site_id: str, station: str, generation: int, first: int, last: int, parcel_id: str,
    going: set[str],
) -> tuple[list[tuple[str, int]], bool]:  # fmt: skip
    """Entries of a parcel (kind, seq), and whether a unit that stays came in it."""
    quoted = f'"{parcel_id}"'.encode()
    found: list[tuple[str, int]] = []
    for kind, seq, payload in connection.execute(
        select(entries.c.kind, entries.c.seq, entries.c.payload).where(
            entries.c.site_id == site_id, entries.c.station == station, entries.c.generation == generation,
            entries.c.seq.between(first, last), entries.c.kind.in_((*_PARCEL_KINDS, INSPECTION_CONFIRMED)),
            entries.c.payload.is_not(None),
        )
    ):  # fmt: skip
        if quoted not in payload:
            continue
        try:
            said = _READ.decode(payload)
        except msgspec.DecodeError:
            continue
        if said.parcel_id != parcel_id:
            continue
        if kind != INSPECTION_CONFIRMED:
            found.append((kind, seq))
        elif said.unit_id not in going:
            return [], True
    return found, False


def _return(
    connection: Connection, feed: Feed, site_id: str, merchant_id: str, rma: str, going: set[str], at: datetime
) -> None:
    lines = (unit_lines.c.site_id == site_id, unit_lines.c.merchant_id == merchant_id, unit_lines.c.rma == rma)
    plates = {
        lpn
        for text in connection.scalars(select(unit_lines.c.lpns).where(*lines))
        for lpn in msgspec.json.decode(text, type=list[str])
    }
    stays = connection.scalars(
        select(units.c.unit_id).where(
            units.c.site_id == site_id, units.c.lpn.in_(plates), units.c.rma == rma, units.c.unit_id.not_in(going)
        )
    ).first()
    if stays is not None:
        return
    connection.execute(delete(unit_lines).where(*lines))
    feed.put(connection, site_id, Topic.RETURNS, [Change(pair_key(merchant_id, rma), None)], at)
    here = (
        authorisations.c.site_id == site_id, authorisations.c.merchant_id == merchant_id, authorisations.c.rma == rma,
    )  # fmt: skip
    row = connection.execute(
        select(authorisations.c.return_id, authorisations.c.received_at).where(*here)
    ).one_or_none()
    if row is None:
        return
    connection.execute(delete(authorisations).where(*here))
    gone = ErrorAnswer(
        ErrorBody(_ERASED, "this return was erased", "ask again with another Idempotency-Key if it is a new one")
    )
    connection.execute(
        update(return_requests)
        .where(
            return_requests.c.site_id == site_id, return_requests.c.merchant_id == merchant_id,
            return_requests.c.at == row.received_at,
            return_requests.c.answer.contains(row.return_id, autoescape=True),
        )
        .values(status=_GONE, answer=msgspec.json.encode(gone).decode())
    )  # fmt: skip

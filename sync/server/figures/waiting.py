"""What waits for a lead: open items of ``queue_items``, kept in step with the inspections and parcels they are about.

``second_look`` and ``quarantined`` follow from an inspection alone: it stands, and asks for it. ``parked`` follows from
the order of a bench's entries: set aside, and nothing of the same parcel came after it. Who answers an item settles it
(:func:`settle`, ``answering.py``); that is kept apart, so that a rebuild does not open it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, delete, exists, or_, select

from station.inspection.record import INSPECTION_CONFIRMED, PARCEL_CLOSED, PARCEL_OPENED, ParcelOpened, ParcelParked
from sync.protocol import QueueKind
from sync.server.figures.builds import lock_shared, read_builds
from sync.server.figures.counting import State
from sync.server.figures.unit import DAY_US, micros, name_of
from sync.server.storage import Database
from sync.server.storage.rows import entries
from sync.server.storage.rows_figures import queue_items, queue_settled

Item = dict[str, object]

_PAGE: Final = 500


class _OfParcel(msgspec.Struct, frozen=True):
    parcel_id: str


_OF_PARCEL: Final = msgspec.json.Decoder(_OfParcel)
_OPENED: Final = msgspec.json.Decoder(ParcelOpened)


@dataclass(slots=True)
class Changes:
    """What enters and leaves."""

    gone: set[tuple[str, str]] = field(default_factory=set)
    come: dict[tuple[str, str], Item] = field(default_factory=dict)

    def change(self, inspection_id: str, before: State, after: State) -> None:
        """Replace what one inspection puts into the queue."""
        for kind, _ in _kinds(before):
            self.gone.add((kind, inspection_id))
        for kind, reason in _kinds(after):
            self.come[kind, inspection_id] = _item(kind, reason, inspection_id, after)


def _kinds(state: State) -> Iterator[tuple[str, str]]:
    if state.unit is None or not state.stands:
        return
    if state.unit.looks:
        yield QueueKind.SECOND_LOOK.value, state.unit.looks.partition("\n")[0]
    if state.unit.disposition == "quarantine":
        yield QueueKind.QUARANTINED.value, state.unit.identity


def _item(kind: str, reason: str, inspection_id: str, state: State) -> Item:
    unit = state.unit
    assert unit is not None
    return {
        "kind": kind, "item_id": inspection_id, "since_us": unit.confirmed_us, "station": unit.station,
        "generation": 0, "seq": 0, "merchant": unit.merchant, "reason": reason, "unit_id": unit.unit_id,
        "lpn": unit.lpn, "rma": unit.rma, "sku": unit.sku, "disposition": unit.disposition,
        "value_minor": unit.refund_minor or 0, "currency": unit.currency,
    }  # fmt: skip


def write(database: Database, connection: Connection, site_id: str, build: int, changes: Changes) -> None:
    """Take out what left, put in what came and is not settled yet."""
    gone = sorted(changes.gone)
    if gone:
        _remove(connection, site_id, build, gone)
    if not changes.come:
        return
    table = queue_settled.c
    names = sorted({item_id for _, item_id in changes.come})
    settled = {
        (kind, item_id)
        for kind, item_id in connection.execute(
            select(table.kind, table.item_id).where(table.site_id == site_id, table.item_id.in_(names))
        )
    }
    rows = [
        {"site_id": site_id, "build": build, **item}
        for key, item in sorted(changes.come.items())
        if key not in settled
    ]  # fmt: skip
    if rows:
        database.insert_all(connection, queue_items, rows)


def _remove(connection: Connection, site_id: str, build: int, keys: Iterable[tuple[str, str]]) -> None:
    by_kind: dict[str, list[str]] = {}
    for kind, item_id in keys:
        by_kind.setdefault(kind, []).append(item_id)
    table = queue_items.c
    for kind, names in sorted(by_kind.items()):
        connection.execute(
            delete(queue_items).where(
                table.site_id == site_id, table.build == build, table.kind == kind, table.item_id.in_(names)
            )
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in its bench's journal."""

    generation: int
    seq: int


@dataclass(slots=True)
class Parcels:
    """What one push says about parcels."""

    parked: list[tuple[Place, ParcelParked]] = field(default_factory=list)
    moved: dict[str, Place] = field(default_factory=dict)
    """Parcel → the last entry that shows it at work."""
    opened: dict[str, ParcelOpened] = field(default_factory=dict)

    def move(self, parcel_id: str, place: Place) -> None:
        """Something happened to a parcel; entries come in their order."""
        self.moved[parcel_id] = place


def clear_settled(connection: Connection, site_id: str, build: int) -> None:
    """Take out what was settled while a build was made. The caller holds the lock alone."""
    table, done = queue_items.c, queue_settled.c
    is_settled = exists().where(done.site_id == table.site_id, done.kind == table.kind, done.item_id == table.item_id)
    connection.execute(delete(queue_items).where(table.site_id == site_id, table.build == build, is_settled))


def write_parcels(
    database: Database, connection: Connection, site_id: str, station: str, build: int, parcels: Parcels
) -> None:
    """Keep the parked parcels of one bench. The caller holds the heads of the bench's chains."""
    table = queue_items.c
    here = and_(
        table.site_id == site_id, table.build == build, table.kind == QueueKind.PARKED.value, table.station == station
    )
    touched = parcels.moved.keys() | parcels.opened.keys()
    if touched:
        # a bench has a handful parked: fewer than the parcels of a push
        known = connection.execute(select(table.item_id, table.generation, table.seq).where(here)).all()
        for parcel_id, generation, seq in known:
            if parcel_id not in touched:
                continue
            moved, opened = parcels.moved.get(parcel_id), parcels.opened.get(parcel_id)
            if moved is not None and (moved.generation, moved.seq) > (generation, seq):
                connection.execute(delete(queue_items).where(here, table.item_id == parcel_id))
            elif opened is not None:
                named = {"merchant": name_of(opened.merchant_id), "rma": opened.rma and name_of(opened.rma)}
                connection.execute(queue_items.update().where(here, table.item_id == parcel_id).values(named))
    for place, parked in parcels.parked:
        if _moved_later(connection, site_id, station, place, parked.parcel_id):
            continue
        item_id = parked.parcel_id[:64]
        opened = parcels.opened.get(item_id) or _opening(
            connection, site_id, station, place, parked.parcel_id
        )  # fmt: skip
        item: Item = {
            "kind": QueueKind.PARKED.value, "item_id": item_id, "since_us": micros(parked.at),
            "station": station, "generation": place.generation, "seq": place.seq,
            "merchant": name_of(opened.merchant_id) if opened is not None else "", "reason": name_of(parked.reason),
            "unit_id": None, "lpn": None, "rma": name_of(opened.rma) if opened is not None and opened.rma else None,
            "sku": None, "disposition": None, "value_minor": 0, "currency": "",
        }  # fmt: skip
        key = (QueueKind.PARKED.value, item_id)
        write(database, connection, site_id, build, Changes(gone={key}, come={key: item}))


def _moved_later(connection: Connection, site_id: str, station: str, place: Place, parcel_id: str) -> bool:
    """Whether an entry behind this one shows the parcel at work: the journal itself is asked, so that it does not
    matter in which order entries were applied. As a rule nothing is behind it yet."""
    kinds = (INSPECTION_CONFIRMED, PARCEL_CLOSED, "parcel.parked")
    behind = or_(
        entries.c.generation > place.generation,
        and_(entries.c.generation == place.generation, entries.c.seq > place.seq),
    )
    quoted = f'"{parcel_id}"'.encode()
    found = connection.execute(
        select(entries.c.payload)
        .where(
            entries.c.site_id == site_id, entries.c.station == station, behind, entries.c.kind.in_(kinds),
            entries.c.code.is_(None), entries.c.payload.is_not(None),
        )
        .order_by(entries.c.generation, entries.c.seq)
        .execution_options(yield_per=_PAGE)
    )  # fmt: skip
    try:
        return any(quoted in payload and _OF_PARCEL.decode(payload).parcel_id == parcel_id for (payload,) in found)
    finally:
        found.close()


def _opening(connection: Connection, site_id: str, station: str, place: Place, parcel_id: str) -> ParcelOpened | None:
    quoted = f'"{parcel_id}"'.encode()
    found = connection.execute(
        select(entries.c.payload)
        .where(
            entries.c.site_id == site_id, entries.c.station == station, entries.c.generation <= place.generation,
            entries.c.kind == PARCEL_OPENED, entries.c.code.is_(None), entries.c.payload.is_not(None),
        )
        .order_by(entries.c.generation.desc(), entries.c.seq.desc())
        .execution_options(yield_per=_PAGE)
    )  # fmt: skip
    try:
        for (payload,) in found:
            if quoted in payload and (opened := _OPENED.decode(payload)).parcel_id == parcel_id:
                return opened
    finally:
        found.close()
    return None


def settle(
    database: Database, connection: Connection, site_id: str, kind: QueueKind, item_id: str, *, by: str, outcome: str,
    at: datetime,
) -> bool:  # fmt: skip
    """Somebody has settled an item: it leaves the queue and counts in the review turnaround.

    Returns:
        False = it was not open (settled already, or never there); nothing changes.
    """
    lock_shared(connection, site_id)  # a rebuild under way may put it back; it looks again before it is read
    builds = read_builds(connection, site_id)
    table = queue_items.c
    this = and_(table.site_id == site_id, table.kind == kind.value, table.item_id == item_id)
    since = connection.scalar(select(table.since_us).where(this, table.build == builds.live))
    if since is None:
        return False
    now = micros(at)
    row: Mapping[str, object] = {
        "site_id": site_id, "kind": kind.value, "item_id": item_id, "day": now // DAY_US, "settled_us": now,
        "waited_ms": max(0, now - since) // 1000, "by": name_of(by), "outcome": name_of(outcome),
    }  # fmt: skip
    rows: Sequence[Mapping[str, object]] = [row]
    database.insert_all(connection, queue_settled, rows)
    connection.execute(delete(queue_items).where(this))
    return True

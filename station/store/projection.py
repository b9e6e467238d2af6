"""Entry → rows. The one function that makes projection rows: at commit, and again when they are rebuilt.

It must be a function of the entries alone: no clock, no local state, no table outside ``rows.PROJECTION``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as upsert

from station.errors import InvalidInput
from station.inspection import record
from station.inspection.weight.in_order import is_in_order
from station.journal.entry import Entry
from station.review.agreement.planted import PREFIX
from station.store.rows import InspectionRow, LabelRow, ParcelRow, PhotoRow, table

_T = TypeVar("_T")

BLIND_CONFIRMED = PREFIX + record.INSPECTION_CONFIRMED
_SECOND = timedelta(seconds=1)
_parcels, _inspections = table(ParcelRow), table(InspectionRow)


def project(connection: sa.Connection, entry: Entry) -> bool:
    """Apply one entry to the projection rows.

    Returns:
        False where there is nothing to apply: an unknown kind or schema (kept in the journal for those who know it), or
        an erased payload.

    Raises:
        InvalidInput: the payload is not what its kind and schema promise.
    """
    apply = _APPLY.get((entry.kind, entry.schema))
    if apply is None or entry.payload is None:
        return False
    apply(connection, entry, entry.payload)
    return True


def _decode(type_: type[_T], entry: Entry, payload: bytes) -> _T:
    try:
        return msgspec.json.decode(payload, type=type_)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"payload of {entry.kind!r} schema {entry.schema} is not valid: {error}") from error


def _parcel_opened(connection: sa.Connection, entry: Entry, payload: bytes) -> None:
    fact = _decode(record.ParcelOpened, entry, payload)
    connection.execute(
        _OPEN_PARCEL,
        {
            "parcel_id": fact.parcel_id,
            "generation": entry.generation,
            "seq": entry.seq,
            "arrival": fact.arrival.value,
            "scanned": fact.scan.data,
            "rma": fact.rma,
            "merchant_id": fact.merchant_id,
            "state": "open",
            "parked_reason": None,
            "opened_at": fact.opened_at,
            "closed_at": None,
            "units": None,
        },
    )


def _parcel_parked(connection: sa.Connection, entry: Entry, payload: bytes) -> None:
    fact = _decode(record.ParcelParked, entry, payload)
    connection.execute(_PARK_PARCEL, {"key": fact.parcel_id, "reason": fact.reason})


def _parcel_closed(connection: sa.Connection, entry: Entry, payload: bytes) -> None:
    fact = _decode(record.ParcelClosed, entry, payload)
    connection.execute(_CLOSE_PARCEL, {"key": fact.parcel_id, "at": fact.at, "count": fact.units})


def _inspection_confirmed(connection: sa.Connection, entry: Entry, payload: bytes) -> None:
    fact = _decode(record.Inspection, entry, payload)
    decision, refund = fact.decision, fact.decision.refund.amount
    connection.execute(
        _INSERT_INSPECTION,
        {
            "inspection_id": fact.inspection_id,
            "generation": entry.generation,
            "seq": entry.seq,
            "actor": entry.actor,
            "unit_id": fact.unit_id,
            "lpn": fact.lpn,
            "parcel_id": fact.parcel_id,
            "rma": fact.rma,
            "merchant_id": fact.merchant_id,
            "line": fact.line,
            "sku": fact.sku,
            "gtin": fact.gtin,
            "title": fact.title,
            "category": fact.category,
            "identity": fact.identity.value,
            "grade": decision.grade.code if decision.grade is not None else None,
            "disposition": decision.disposition.value,
            "tote": decision.tote,
            "second_look": bool(decision.second_look),
            "refund_decision": decision.refund.decision,
            "refund_minor": refund.minor if refund is not None else None,
            "refund_currency": refund.currency if refund is not None else None,
            "gross_mg": fact.weight.gross_mg if fact.weight is not None else None,
            "corrects": fact.corrects,
            "started_at": fact.started_at,
            "confirmed_at": fact.confirmed_at,
            "voided_at": None,
            "stands": True,
            "unit_seconds": unit_seconds(fact.started_at, fact.confirmed_at),
            "in_order": is_in_order(fact),
            "serial": fact.serial_found,
        },
    )
    # Work on a parked parcel has gone on.
    connection.execute(_RESUME_PARCEL, {"key": fact.parcel_id})
    if fact.corrects is not None:
        connection.execute(_SETTLE, {"key": fact.corrects})
    _photos_named(connection, entry, fact)


def _photos_named(connection: sa.Connection, entry: Entry, fact: record.Inspection) -> None:
    if fact.photos:
        connection.execute(
            _INSERT_PHOTO,
            [
                {
                    "sha256": photo.sha256,
                    "size": photo.size,
                    "generation": entry.generation,
                    "seq": entry.seq,
                    "position": position,
                }
                for position, photo in enumerate(fact.photos)
            ],
        )


def _blind_inspection(connection: sa.Connection, entry: Entry, payload: bytes) -> None:
    """A planted unit's photos are kept and sent; nothing else of it becomes a row, so that it counts nowhere."""
    _photos_named(connection, entry, _decode(record.Inspection, entry, payload))


def unit_seconds(started_at: datetime, confirmed_at: datetime) -> int:
    """Whole seconds that a unit took; never negative, even when the clock was set back meanwhile."""
    return max(0, (confirmed_at - started_at) // _SECOND)


def _inspection_voided(connection: sa.Connection, entry: Entry, payload: bytes) -> None:
    fact = _decode(record.InspectionVoided, entry, payload)
    corrected = connection.execute(_VOID, {"key": fact.inspection_id, "at": fact.at}).scalar_one_or_none()
    if corrected is not None:
        connection.execute(_SETTLE, {"key": corrected})


def _label_printed(connection: sa.Connection, entry: Entry, payload: bytes) -> None:
    fact = _decode(record.LabelPrinted, entry, payload)
    connection.execute(
        _INSERT_LABEL,
        {
            "generation": entry.generation,
            "seq": entry.seq,
            "job_id": fact.job_id,
            "lpn": fact.lpn,
            "copy": fact.copy,
            "printed_at": fact.at,
        },
    )


_KEY: sa.BindParameter[str] = sa.bindparam("key")

_opening = upsert(_parcels)
_OPEN_PARCEL = _opening.on_conflict_do_update(
    index_elements=["parcel_id"], set_={"state": "open", "parked_reason": None, "closed_at": None, "units": None}
)
_of_parcel = sa.update(_parcels).where(_parcels.c.parcel_id == _KEY)
_PARK_PARCEL = _of_parcel.values(state="parked", parked_reason=sa.bindparam("reason"))
_CLOSE_PARCEL = _of_parcel.values(
    state="closed", parked_reason=None, closed_at=sa.bindparam("at", type_=_parcels.c.closed_at.type),
    units=sa.bindparam("count"),
)  # fmt: skip
_RESUME_PARCEL = _of_parcel.where(_parcels.c.state == "parked").values(state="open", parked_reason=None)
_INSERT_INSPECTION = sa.insert(_inspections)
_INSERT_LABEL = sa.insert(table(LabelRow))
_INSERT_PHOTO = upsert(table(PhotoRow)).on_conflict_do_nothing()
_VOID = (
    sa.update(_inspections)
    .where(_inspections.c.inspection_id == _KEY)
    .values(
        voided_at=sa.func.coalesce(_inspections.c.voided_at, sa.bindparam("at", type_=_inspections.c.voided_at.type)),
        stands=False,
    )
    .returning(_inspections.c.corrects)
)
_later = _inspections.alias("later")
_SETTLE = (
    sa.update(_inspections)
    .where(_inspections.c.inspection_id == _KEY)
    .values(
        stands=sa.and_(
            _inspections.c.voided_at.is_(None),
            ~sa.exists(sa.select(1).where(_later.c.corrects == _KEY, _later.c.voided_at.is_(None))),
        )
    )
)

_APPLY: dict[tuple[str, int], Callable[[sa.Connection, Entry, bytes], None]] = {
    (record.PARCEL_OPENED, 1): _parcel_opened,
    (record.PARCEL_PARKED, 1): _parcel_parked,
    (record.PARCEL_CLOSED, 1): _parcel_closed,
    (record.INSPECTION_CONFIRMED, 1): _inspection_confirmed,
    (record.INSPECTION_VOIDED, 1): _inspection_voided,
    (record.LABEL_PRINTED, 1): _label_printed,
    (BLIND_CONFIRMED, 1): _blind_inspection,
}

"""What is known of earlier units that bears on the one on the bench: four questions, each answered by an index.

A planted unit has no row (``projection``), so it is nobody's past; and of a planted unit nothing is asked
(``station.review.agreement.blind_store``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from station.inspection.facts import IdentityOutcome
from station.inspection.ports import Sought
from station.review.signals import Past
from station.store.rows import InspectionRow, ParcelRow, SoldSerialRow, table

TAKEN_UP_AGAIN: Final = timedelta(hours=24)
"""A parcel that was closed so short a time before is the same one, scanned again for what was left in it."""

_inspections, _parcels, _sold = table(InspectionRow), table(ParcelRow), table(SoldSerialRow)
_MISSING: Final = IdentityOutcome.MISSING.value
_MERCHANT: sa.BindParameter[str] = sa.bindparam("merchant")
_SKU: sa.BindParameter[str] = sa.bindparam("article")
_SERIAL: sa.BindParameter[str] = sa.bindparam("number")

# Inspected again for the same return is the same coming back.
_ANOTHER = sa.and_(
    _inspections.c.unit_id != sa.bindparam("unit"),
    _inspections.c.identity != _MISSING,
    _inspections.c.rma.is_distinct_from(sa.bindparam("return")),
)
# Conditions as text are those of the partial indexes, so that SQLite recognises them.
_BY_SERIAL = sa.select(sa.func.max(_inspections.c.confirmed_at)).where(
    sa.text("inspections.stands = 1 AND inspections.serial IS NOT NULL"),
    _inspections.c.merchant_id == _MERCHANT,
    _inspections.c.sku == _SKU,
    _inspections.c.serial == _SERIAL,
    _ANOTHER,
)
_BY_PLATE = sa.select(sa.func.max(_inspections.c.confirmed_at)).where(
    _inspections.c.lpn == sa.bindparam("plate"), sa.text("inspections.stands = 1"), _ANOTHER
)
_SOLD_AT = sa.select(_sold.c.serial, _sold.c.sold_at).where(
    _sold.c.merchant_id == _MERCHANT, _sold.c.sku == _SKU, _sold.c.serial.in_([_SERIAL, sa.bindparam("unnamed")])
)
_ANY_SOLD = sa.select(1).where(_sold.c.merchant_id == _MERCHANT, _sold.c.sku == _SKU).limit(1)
_mine = _parcels.alias("mine")
_BY_TRACKING = sa.select(sa.func.max(_parcels.c.closed_at)).where(
    sa.text("parcels.state = 'closed'"),
    _parcels.c.scanned
    == sa.select(_mine.c.scanned).where(_mine.c.parcel_id == sa.bindparam("parcel")).scalar_subquery(),
    _parcels.c.parcel_id != sa.bindparam("parcel"),
    _parcels.c.closed_at < sa.bindparam("before", type_=_parcels.c.closed_at.type),
)
_OPENED = sa.select(_parcels.c.opened_at).where(_parcels.c.parcel_id == sa.bindparam("parcel"))
_OF_LINE = sa.select(_inspections.c.unit_id, _inspections.c.identity).where(
    sa.text("inspections.stands = 1"),
    _inspections.c.merchant_id == _MERCHANT,
    _inspections.c.rma == sa.bindparam("return"),
    _inspections.c.line == sa.bindparam("line"),
    _inspections.c.unit_id != sa.bindparam("unit"),
)

QUESTIONS: Final = {
    "serial": _BY_SERIAL, "plate": _BY_PLATE, "sold": _SOLD_AT, "any_sold": _ANY_SOLD, "tracking": _BY_TRACKING,
    "line": _OF_LINE,
}  # fmt: skip
"""All statements, for the test that each is answered by an index."""


def past_of(connection: sa.Connection, sought: Sought) -> Past:
    """Look up what is known; whatever cannot be known stays None."""
    values: dict[str, object] = {
        "unit": sought.unit_id, "plate": sought.lpn, "parcel": sought.parcel_id, "merchant": sought.merchant_id,
        "return": sought.rma, "line": sought.line, "article": sought.sku, "number": sought.serial, "unnamed": "",
    }  # fmt: skip
    came = [connection.execute(_BY_PLATE, values).scalar_one()]
    sold: bool | None = None
    sold_at: datetime | None = None
    if sought.serial is not None and sought.sku is not None and sought.merchant_id is not None:
        came.append(connection.execute(_BY_SERIAL, values).scalar_one())
        listed = {serial: at for serial, at in connection.execute(_SOLD_AT, values)}
        sold_at = listed.get(sought.serial)
        complete = "" not in listed and connection.execute(_ANY_SOLD, values).first() is not None
        sold = True if sold_at is not None else False if complete else None
    before = max((moment for moment in came if moment is not None), default=None)
    if before is not None and sold_at is not None and sold_at > before:
        before = None  # it was sold since
    return Past(
        serial_sold=sold,
        returned_before=before,
        tracking_before=_tracking_before(connection, values) if sought.by_tracking else None,
        arrived=_arrived(connection, values) if sought.line is not None else None,
    )


def _tracking_before(connection: sa.Connection, values: dict[str, object]) -> datetime | None:
    opened = connection.execute(_OPENED, values).scalar_one_or_none()
    if opened is None:
        return None
    before: datetime | None = connection.execute(
        _BY_TRACKING, {**values, "before": opened - TAKEN_UP_AGAIN}
    ).scalar_one()
    return before


def _arrived(connection: sa.Connection, values: dict[str, object]) -> int | None:
    """Other units of the line that came; None = nobody has said that one of them did not, so more may be coming."""
    found = connection.execute(_OF_LINE, values).all()
    there = {unit_id for unit_id, identity in found if identity != _MISSING}
    return len(there) if len(there) < len({unit_id for unit_id, _ in found}) else None

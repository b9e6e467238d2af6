"""What units of an article weighed that were found in order, as far as this bench knows.

Nothing is kept twice: the history is counted from the inspections that stand, so a void or a correction takes its mass
back by itself, and rebuilding the rows rebuilds what was learned. One partial index answers it without reading a row.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from station.inspection.weight.learned import KEPT_WEEKS, MassHistory, bin_of
from station.store.rows import InspectionRow, table

_NEWEST: Final = 2_048
"""Units that are looked at: more would tell nothing more."""
_DAY_US: Final = 86_400_000_000
_DAY_0: Final = 719_163
"""``date(1970, 1, 1).toordinal()``."""

_inspections = table(InspectionRow)
_newest = (
    sa.select(_inspections.c.confirmed_at, _inspections.c.gross_mg)
    .where(
        # Written as text so that SQLite recognises the partial index.
        sa.text("inspections.stands = 1 AND inspections.in_order = 1"),
        _inspections.c.merchant_id == sa.bindparam("merchant"),
        _inspections.c.sku == sa.bindparam("key"),
    )
    .order_by(_inspections.c.confirmed_at.desc())
    .limit(_NEWEST)
    .subquery()
)
_week = (sa.type_coerce(_newest.c.confirmed_at, sa.BigInteger) // _DAY_US + _DAY_0) // 7
_HISTORY = sa.select(_week.label("week"), _newest.c.gross_mg, sa.func.count().label("units")).group_by(
    "week", "gross_mg"
)


def mass_history(connection: sa.Connection, merchant_id: str, sku: str) -> MassHistory:
    """Count the masses of an article by week; weeks that are too old are left out."""
    rows = connection.execute(_HISTORY, {"merchant": merchant_id, "key": sku}).all()
    latest = max((row.week for row in rows), default=0)
    weeks: dict[int, dict[int, int]] = {}
    for week, gross_mg, units in rows:
        if week > latest - KEPT_WEEKS:
            bins = weeks.setdefault(week, {})
            middle = bin_of(gross_mg)
            bins[middle] = bins.get(middle, 0) + units
    return MassHistory(weeks)

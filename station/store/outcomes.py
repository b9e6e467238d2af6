"""What units really brought: one row a unit, importing twice changes nothing, and counted into cells when it is asked.

The row, not the sum, is what is kept: an outcome that is corrected later replaces the one before, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as upsert

from station.decision.model import Disposition
from station.decision.recovery import Cell, UnitOutcome
from station.store.imports import Counts, put_all
from station.store.rows import OutcomeRow, table
from station.store.writer import Writer

_LOOKED_UP: Final = 400
"""Keys in one question: two values each."""

_outcomes = table(OutcomeRow)
_KEY: Final = ("merchant_id", "lpn")
_key = sa.tuple_(*(_outcomes.c[name] for name in _KEY))
_insert = upsert(_outcomes)
_PUT = _insert.on_conflict_do_update(
    index_elements=list(_KEY),
    set_={column.name: _insert.excluded[column.name] for column in _outcomes.c if column.name not in _KEY},
)
_COUNTED: Final = ("category", "merchant_id", "sku", "scheme", "grade", "route")
_CELLS = (
    sa.select(
        *(_outcomes.c[name] for name in _COUNTED),
        sa.func.count().label("n"),
        sa.func.sum(_outcomes.c.share_bp).label("total"),
        sa.func.sum(_outcomes.c.share_bp * _outcomes.c.share_bp).label("squares"),
    )
    .group_by(*_COUNTED)
    .order_by(*_COUNTED)
)


def put_outcomes(writer: Writer, found: Iterable[UnitOutcome]) -> Counts:
    """Add or replace outcomes by merchant and plate; one transaction per batch."""
    return put_all(writer, found, _put, "importing outcomes")


def _put(batch: Sequence[UnitOutcome]) -> Callable[[sa.Connection], Counts]:
    # Within a batch the last outcome of a unit wins.
    rows = {(one.outcome.merchant_id, one.lpn): _row(one) for one in batch}

    def work(connection: sa.Connection) -> Counts:
        known = _known(connection, list(rows))
        fresh = [row for key, row in rows.items() if key not in known]
        changed = [row for key, row in rows.items() if key in known and known[key] != row]
        if fresh or changed:
            connection.execute(_PUT, fresh + changed)
        return Counts(len(fresh), len(changed), len(rows) - len(fresh) - len(changed))

    return work


def _known(connection: sa.Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for start in range(0, len(keys), _LOOKED_UP):
        statement = sa.select(_outcomes).where(_key.in_(keys[start : start + _LOOKED_UP]))
        for row in connection.execute(statement).mappings():
            found[row["merchant_id"], row["lpn"]] = dict(row)
    return found


def _row(one: UnitOutcome) -> dict[str, Any]:
    outcome = one.outcome
    return {
        "merchant_id": outcome.merchant_id,
        "lpn": one.lpn,
        "sku": outcome.sku,
        "category": outcome.category,
        "scheme": outcome.scheme,
        "grade": outcome.grade,
        "route": outcome.route.value,
        "price_minor": outcome.price.minor,
        "brought_minor": outcome.brought.minor,
        "currency": outcome.price.currency,
        "share_bp": outcome.share_bp,
    }


def outcome_cells(connection: sa.Connection) -> tuple[Cell, ...]:
    """All outcomes, counted by article, grade and way, in a fixed order."""
    return tuple(
        Cell(
            category=row.category, merchant=row.merchant_id, sku=row.sku, scheme=row.scheme, grade=row.grade,
            route=Disposition(row.route), n=row.n, total=row.total, squares=row.squares,
        )
        for row in connection.execute(_CELLS)
    )  # fmt: skip

"""Units as leads see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from sync.protocol import MoneyBody, UnitAnswer, UnitDecision, UnitInspection, UnitList
from sync.server.storage import Database
from sync.server.storage.rows import inspections
from sync.server.storage.rows_units import unit_decisions, units
from sync.server.units.knowing import Known
from sync.server.units.state import standing_of


def list_units(
    database: Database, site_id: str, state: str | None, after: str, limit: int, merchant: str | None = None
) -> UnitList:
    """A page of units by licence plate; with a merchant only its own."""
    query = select(units).where(units.c.site_id == site_id, units.c.lpn > after).order_by(units.c.lpn).limit(limit + 1)
    if state is not None:
        query = query.where(units.c.state == state)
    if merchant is not None:
        query = query.where(units.c.merchant_id == merchant)
    with database.reading() as connection:
        rows = connection.execute(query).all()
    found = [_answer(row, [], []) for row in rows[:limit]]
    return UnitList(found, found[-1].lpn if len(rows) > limit else None)


def read_unit(database: Database, site_id: str, lpn: str, merchant: str | None = None) -> UnitAnswer | None:
    """One unit with its inspections and decisions; None = nobody has inspected it, or it is another merchant's."""
    with database.reading() as connection:
        row = connection.execute(select(units).where(units.c.site_id == site_id, units.c.lpn == lpn)).one_or_none()
        if row is None or (merchant is not None and row.merchant_id != merchant):
            return None
        return _answer(row, _inspections(connection, site_id, row, merchant), _decisions(connection, site_id, lpn))


def _inspections(connection: Connection, site_id: str, unit: Row[Any], merchant: str | None) -> list[UnitInspection]:
    claims = Known(connection, site_id, [unit.lpn], lock=False).claims(unit)
    numbers = {claim.inspection_id: claim.number for claim in claims}
    standing = {claim.inspection_id for claim in standing_of(claims)}
    rows = connection.execute(
        select(inspections).where(inspections.c.site_id == site_id, inspections.c.inspection_id.in_(list(numbers)))
    )
    found = [
        UnitInspection(
            row.inspection_id, numbers[row.inspection_id], row.station, row.actor, row.confirmed_at, row.disposition,
            row.grade, row.refund_decision, _money(row), row.inspection_id in standing,
        )
        for row in rows
        if merchant in (None, row.merchant_id)
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.number)


def _decisions(connection: Connection, site_id: str, lpn: str) -> list[UnitDecision]:
    rows = connection.execute(
        select(unit_decisions)
        .where(unit_decisions.c.site_id == site_id, unit_decisions.c.lpn == lpn)
        .order_by(unit_decisions.c.number)
    )
    return [
        UnitDecision(
            row.entry_id, row.outcome, row.station, row.actor, row.base_version, row.disposition, row.reason,
            row.decided_at,
        )
        for row in rows
    ]  # fmt: skip


def _money(row: Row[Any]) -> MoneyBody | None:
    return MoneyBody(row.refund_minor, row.refund_currency) if row.refund_minor is not None else None


def _answer(row: Row[Any], inspected: Sequence[UnitInspection], decided: Sequence[UnitDecision]) -> UnitAnswer:
    return UnitAnswer(
        row.lpn, row.version, row.state, row.because, row.merchant_id, row.rma, row.line, row.sku, row.owner,
        row.disposition, row.refund_decision, _money(row), row.updated_at, list(inspected), list(decided),
    )  # fmt: skip

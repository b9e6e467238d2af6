"""What goods brought in the end: one row is one unit that was sold, refurbished or sent to its vendor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from station.decision.model import Disposition
from station.decision.recovery import Outcome, UnitOutcome
from station.errors import InvalidInput
from station.exchange import cells
from station.exchange.refused import CellRefused, RefusedLine
from station.exchange.table import Layout, Row, Table

OUTCOME_COLUMNS: Final = {
    "lpn": "licence plate of the unit; needed by station import outcomes, so that the same news twice counts once",
    "merchant": "who owns it",
    "sku": "article",
    "category": "its category, as in the catalogue",
    "scheme": "grading scheme; empty = standard",
    "grade": "grade that was given",
    "disposition": "way that it went, e.g. liquidate",
    "price": "price as new when it was decided",
    "brought": "what the buyer paid, before our costs; 0 = nothing",
    "currency": "of both amounts",
}
_NEEDED: Final = frozenset(OUTCOME_COLUMNS) - {"scheme", "merchant", "currency", "lpn"}
_ALIASES: Final = {"merchantid": "merchant", "licenceplate": "lpn", "unit": "lpn", "way": "disposition"}
OUTCOMES: Final = Layout("outcomes", tuple(OUTCOME_COLUMNS), _NEEDED, _ALIASES)
UNIT_OUTCOMES: Final = Layout("outcomes of units", tuple(OUTCOME_COLUMNS), _NEEDED | {"lpn"}, _ALIASES)


def outcome_records(table: Table, merchant: str | None, currency: str) -> Iterator[Outcome | RefusedLine]:
    """Read a table whose layout is ``OUTCOMES``. Every row counts: two units may be alike.

    Args:
        table: the file.
        merchant: where the column is absent or empty.
        currency: where the column is absent or empty.
    """
    for row in table.rows():
        if isinstance(row, RefusedLine):
            yield row
            continue
        try:
            yield _outcome(row, merchant, currency)
        except CellRefused as refused:
            yield refused.at(row.line)


def unit_outcome_records(table: Table, merchant: str | None, currency: str) -> Iterator[UnitOutcome | RefusedLine]:
    """Read a table whose layout is ``UNIT_OUTCOMES``: one row for each unit; arguments as above."""
    seen: dict[tuple[str, str], int] = {}
    for row in table.rows():
        if isinstance(row, RefusedLine):
            yield row
            continue
        try:
            lpn = cells.required(row.cells[0], "lpn", 64)
            outcome = _outcome(row, merchant, currency)
            first = seen.setdefault((outcome.merchant_id, lpn), row.line)
            if first != row.line:
                raise CellRefused("lpn", lpn, f"one row for each unit: line {first} has it already")
            yield UnitOutcome(lpn, outcome)
        except CellRefused as refused:
            yield refused.at(row.line)


def _outcome(row: Row, merchant: str | None, currency: str) -> Outcome:
    _, owner, sku, category, scheme, grade, way, price, brought, code = row.cells
    unit = cells.currency(code, "currency", currency)
    new, got = cells.amount(price, "price", unit), cells.amount(brought, "brought", unit)
    if new is None or got is None:
        raise CellRefused("price" if new is None else "brought", "", "an amount")
    try:
        route = Disposition(way)
    except ValueError:
        raise CellRefused("disposition", way, f"one of {', '.join(Disposition)}") from None
    outcome = Outcome(
        merchant_id=cells.required(owner or merchant or "", "merchant"),
        sku=cells.required(sku, "sku"),
        category=cells.required(category, "category"),
        scheme=scheme or "standard",
        grade=cells.required(grade, "grade", 24),
        route=route,
        price=new,
        brought=got,
    )
    try:
        outcome.share_bp  # noqa: B018 (it is computed to be refused here, with the line)
    except InvalidInput as error:
        raise CellRefused("brought", brought, str(error)) from error
    return outcome

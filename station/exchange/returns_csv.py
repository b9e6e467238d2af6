"""Our own file of returns: one row is one line of a return (columns: ``layouts.RETURN_COLUMNS``)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from station.exchange import cells
from station.exchange.dates import DateOrder, parse_when
from station.exchange.grouping import Groups
from station.exchange.reasons import declared
from station.exchange.refused import CellRefused, RefusedLine
from station.exchange.survey import survey
from station.exchange.table import Row, Table
from station.returns.model import ReturnAuthorisation, ReturnLine

_DATES = ("ordered_at", "delivered_at", "authorised_at")
_MERCHANT, _RMA = 1, 0


class _Part(NamedTuple):
    """One row, read."""

    row: Row
    rma: str
    merchant: str
    order_id: str | None
    line: ReturnLine
    tracking: tuple[str, ...]
    dates: tuple[datetime | None, ...]
    lpns: tuple[str, ...]


def return_records(table: Table, merchant: str | None, currency: str) -> Iterator[ReturnAuthorisation | RefusedLine]:
    """Read a table whose layout is ``RETURNS``; a return comes out when its last row was read."""
    known = survey(table, _DATES, _key)
    groups: Groups[_Part] = Groups(known.scattered)
    for row in table.rows():
        if isinstance(row, RefusedLine):
            yield row
            continue
        for parts in groups.enter(_key(row)):
            yield _return(parts)
        try:
            before = groups.parts()
            part = _part(row, len(before) + 1, merchant, currency, known.orders)
            _check_against(part, before)
        except CellRefused as refused:
            yield refused.at(row.line)
            continue
        groups.add(part)
    for parts in groups.finish():
        yield _return(parts)


def _key(row: Row) -> str:
    return f"{row.cells[_MERCHANT]}\0{row.cells[_RMA].upper()}"


def _part(row: Row, number: int, merchant: str | None, currency: str, orders: dict[str, DateOrder]) -> _Part:
    (rma, owner, order_id, sku, quantity, reason, comment, serial, paid, code, tracking, ordered, delivered, authorised,
     lpn) = row.cells  # fmt: skip
    units = cells.quantity(quantity, "quantity")
    if serial and units != 1:
        expected = f"one row for each serial number, found quantity {units} with one serial number"
        raise CellRefused("serial", serial, expected)
    dates = zip(_DATES, (ordered, delivered, authorised), strict=True)
    return _Part(
        row=row,
        rma=cells.required(rma, "rma", 64),
        merchant=cells.required(owner or merchant or "", "merchant"),
        order_id=cells.optional(order_id, "order_id"),
        line=ReturnLine(
            line=number,
            sku=cells.required(sku, "sku"),
            quantity=units,
            declared_reason=declared(reason, "reason"),
            comment=cells.optional(comment, "comment", 4000, lines=True),
            serial=cells.optional(serial, "serial"),
            paid=cells.amount(paid, "paid", cells.currency(code, "currency", currency)),
        ),
        tracking=cells.tracking(tracking, "tracking"),
        dates=tuple(parse_when(text, name, orders.get(name, DateOrder.UNDECIDED)) for name, text in dates),
        lpns=cells.several(lpn, "lpn", 64),
    )


def _check_against(part: _Part, before: list[_Part]) -> None:
    for other in before:
        if other.row.cells == part.row.cells:
            expected = f"the same row as line {other.row.line}; raise its quantity if it means a second unit"
            raise CellRefused(None, ",".join(part.row.cells), expected)
        if part.line.serial is not None and (other.line.sku, other.line.serial) == (part.line.sku, part.line.serial):
            raise CellRefused("serial", part.line.serial, f"already on line {other.row.line} of this return")
        if part.order_id is not None and other.order_id is not None and part.order_id != other.order_id:
            expected = f"line {other.row.line} says {other.order_id!r} for the same RMA {part.rma!r}"
            raise CellRefused("order_id", part.order_id, expected)


def _return(parts: list[_Part]) -> ReturnAuthorisation:
    first = parts[0]
    if len(parts) == 1:
        ordered, delivered, authorised = first.dates
        tracking, lpns, order_id = first.tracking, first.lpns, first.order_id
    else:
        ordered, _, authorised = (min(filter(None, days), default=None) for days in zip(*_days(parts), strict=True))
        # The window of a return counts from the delivery of its last article.
        delivered = max(filter(None, (part.dates[1] for part in parts)), default=None)
        tracking = tuple(dict.fromkeys(number for part in parts for number in part.tracking))
        lpns = tuple(dict.fromkeys(plate for part in parts for plate in part.lpns))
        order_id = next((part.order_id for part in parts if part.order_id is not None), None)
    return ReturnAuthorisation(
        id=first.rma,
        merchant_id=first.merchant,
        order_id=order_id,
        lines=tuple([part.line for part in parts]),
        tracking=tracking,
        ordered_at=ordered,
        delivered_at=delivered,
        authorised_at=authorised,
        lpns=lpns,
    )


def _days(parts: list[_Part]) -> list[tuple[datetime | None, ...]]:
    return [part.dates for part in parts]

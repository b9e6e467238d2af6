"""Amazon's FBA customer-returns report: one row is one unit that a fulfilment centre took back.

An order becomes one return whose RMA is the order id (the report knows no other; a row without one is filed under its
licence plate). Amazon's reason, disposition and status are kept in the line's comment, because only the reason has a
place of its own, and that in our words.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from station.exchange import cells
from station.exchange.dates import DateOrder, parse_when
from station.exchange.grouping import Groups
from station.exchange.reasons import from_amazon
from station.exchange.refused import CellRefused, RefusedLine
from station.exchange.survey import survey
from station.exchange.table import Row, Table
from station.returns.model import CatalogueItem, ReturnAuthorisation, ReturnLine

_DATE = "return-date"
_ORDER, _PLATE = 1, 11


class _Part(NamedTuple):
    """One row, read."""

    row: Row
    order: str
    line: ReturnLine
    returned_at: datetime
    plate: str | None
    item: CatalogueItem


def amazon_records(table: Table, merchant: str) -> Iterator[ReturnAuthorisation | CatalogueItem | RefusedLine]:
    """Read a table whose layout is ``AMAZON``. An article comes out before the first return that names it."""
    known = survey(table, (_DATE,), _key)
    order = known.orders.get(_DATE, DateOrder.UNDECIDED)
    groups: Groups[_Part] = Groups(known.scattered)
    articles: dict[str, CatalogueItem] = {}
    for row in table.rows():
        if isinstance(row, RefusedLine):
            yield row
            continue
        for parts in groups.enter(_key(row)):
            yield _return(parts, merchant)
        try:
            before = groups.parts()
            part = _part(row, len(before) + 1, merchant, order)
            _check_against(part, before)
        except CellRefused as refused:
            yield refused.at(row.line)
            continue
        groups.add(part)
        item = _merged(articles.get(part.item.sku), part.item)
        if item is not articles.get(part.item.sku):
            articles[item.sku] = item
            yield item
    for parts in groups.finish():
        yield _return(parts, merchant)


def _key(row: Row) -> str:
    return (row.cells[_ORDER] or row.cells[_PLATE]).upper()


def _part(row: Row, number: int, merchant: str, order: DateOrder) -> _Part:
    (date, order_id, sku, asin, fnsku, title, quantity, _centre, disposition, reason, status, plate,
     comment) = row.cells  # fmt: skip
    returned_at = parse_when(date, _DATE, order)
    if returned_at is None:
        raise CellRefused(_DATE, date, "must not be empty")
    if not order_id and not plate:
        raise CellRefused("order-id", order_id, "must not be empty where license-plate-number is empty too")
    sku = cells.required(sku, "sku")
    original = ", ".join(filter(None, (reason, disposition, status)))
    words = [cells.text(comment, "customer-comments", 4000, lines=True)] if comment else []
    if original:
        words.append(f"Amazon: {cells.text(original, 'reason', 300)}")
    codes = (cells.text(code, name, 32) for code, name in ((fnsku, "fnsku"), (asin, "asin")) if code)
    return _Part(
        row=row,
        order=cells.required(order_id or plate, "order-id", 64),
        line=ReturnLine(
            line=number,
            sku=sku,
            quantity=cells.quantity(quantity, "quantity"),
            declared_reason=from_amazon(reason),
            comment=" — ".join(words) or None,
        ),
        returned_at=returned_at,
        plate=cells.optional(plate, "license-plate-number", 64),
        item=CatalogueItem(
            merchant_id=merchant,
            sku=sku,
            title=cells.optional(cells.one_line(title), "product-name", 1000) or sku,
            category=None,
            codes=tuple(code for code in dict.fromkeys(codes) if code != sku),
        ),
    )


def _merged(before: CatalogueItem | None, item: CatalogueItem) -> CatalogueItem:
    """The article with all codes seen so far; the same object where there is nothing new."""
    if before is None:
        return item
    return with_codes(before, item.codes)


def with_codes(item: CatalogueItem, codes: tuple[str, ...]) -> CatalogueItem:
    """An article that also carries these codes; the same object if it does already."""
    fresh = tuple(code for code in codes if code not in item.codes and code != item.sku)
    if not fresh:
        return item
    return CatalogueItem(
        merchant_id=item.merchant_id,
        sku=item.sku,
        title=item.title,
        category=item.category,
        gtins=item.gtins,
        codes=item.codes + fresh,
        price=item.price,
        mass_mg=item.mass_mg,
        mass_tolerance_mg=item.mass_tolerance_mg,
        accessories=item.accessories,
        traits=item.traits,
        picture=item.picture,
        serialised=item.serialised,
    )


def _check_against(part: _Part, before: list[_Part]) -> None:
    for other in before:
        if other.row.cells == part.row.cells:
            raise CellRefused(None, ",".join(part.row.cells), f"the same row as line {other.row.line}, which was read")
        if part.plate is not None and part.plate == other.plate:
            expected = f"the unit with this licence plate is already on line {other.row.line}"
            raise CellRefused("license-plate-number", part.plate, expected)


def _return(parts: list[_Part], merchant: str) -> ReturnAuthorisation:
    first = parts[0]
    return ReturnAuthorisation(
        id=first.order,
        merchant_id=merchant,
        order_id=first.row.cells[_ORDER] or None,
        lines=tuple([part.line for part in parts]),
        authorised_at=min(part.returned_at for part in parts),
        lpns=tuple(part.plate for part in parts if part.plate is not None),
    )

"""Our own file of sales: one row is one article of one order (columns: ``layouts.SALES_COLUMNS``)."""

from __future__ import annotations

from collections.abc import Iterator

from station.exchange import cells
from station.exchange.dates import DateOrder, parse_when
from station.exchange.refused import CellRefused, RefusedLine
from station.exchange.survey import survey
from station.exchange.table import Row, Table
from station.returns.sale import Sale

_ORDER, _MERCHANT, _SKU, _SOLD_AT, _LOT = 0, 1, 2, 4, 10


def sale_records(table: Table, merchant: str | None, currency: str) -> Iterator[Sale | RefusedLine]:
    """Read a table whose layout is ``SALES``; of two rows for one article, order and lot the first is taken."""
    known = survey(table, ("sold_at",), _key)
    taken: dict[str, int] = {}
    last: tuple[str, int] | None = None
    for row in table.rows():
        if isinstance(row, RefusedLine):
            yield row
            continue
        key = _key(row)
        try:
            before = last[1] if last is not None and last[0] == key else taken.get(key)
            if before is not None:
                expected = (
                    f"this article of this order is already on line {before}; put their quantities together, or tell "
                    "them apart by lot"
                )
                raise CellRefused("sku", row.cells[_SKU], expected)
            sale = _sale(row, merchant, currency, known.orders.get("sold_at", DateOrder.UNDECIDED))
        except CellRefused as refused:
            yield refused.at(row.line)
            continue
        last = key, row.line
        if key in known.scattered:
            taken[key] = row.line
        yield sale


def _key(row: Row) -> str:
    return "\0".join(row.cells[place] for place in (_MERCHANT, _ORDER, _SKU, _LOT))


def _sale(row: Row, merchant: str | None, currency: str, order: DateOrder) -> Sale:
    (order_id, owner, sku, quantity, sold_at, price, code, channel, listing, supplier, lot, serials) = row.cells
    when = parse_when(sold_at, "sold_at", order)
    if when is None:
        raise CellRefused("sold_at", sold_at, "must not be empty; write it as 2026-11-22")
    return Sale(
        merchant_id=cells.required(owner or merchant or "", "merchant"),
        order_id=cells.required(order_id, "order_id"),
        sku=cells.required(sku, "sku"),
        quantity=cells.quantity(quantity, "quantity"),
        sold_at=when,
        price=cells.amount(price, "price", cells.currency(code, "currency", currency)),
        channel=cells.text(channel, "channel", 128),
        listing=cells.text(listing, "listing", 128),
        supplier=cells.text(supplier, "supplier", 128),
        lot=cells.text(lot, "lot", 128),
        serials=cells.several(serials, "serials"),
    )

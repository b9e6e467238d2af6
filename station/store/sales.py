"""What was sold: written in batches, importing twice changes nothing, and read whole for the analyses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as upsert

from station.quantities import Money
from station.returns.sale import Sale
from station.store.directory import folded
from station.store.imports import Counts, put_all
from station.store.rows import ReturnRow, SaleRow, SoldSerialRow, table
from station.store.writer import Writer

_LOOKED_UP: Final = 200
"""Keys in one question: four values each."""

_sales, _serials = table(SaleRow), table(SoldSerialRow)
_returns = table(ReturnRow)
_KEY: Final = ("merchant_id", "order_id", "sku", "lot")
_key = sa.tuple_(*(_sales.c[name] for name in _KEY))
_insert = upsert(_sales)
_PUT = _insert.on_conflict_do_update(
    index_elements=list(_KEY),
    set_={column.name: _insert.excluded[column.name] for column in _sales.c if column.name not in _KEY},
)
_Row = dict[str, Any]
_insert_serial = upsert(_serials)
_PUT_SERIAL = _insert_serial.on_conflict_do_update(
    index_elements=["merchant_id", "sku", "serial"],
    set_={"sold_at": sa.func.max(_serials.c.sold_at, _insert_serial.excluded.sold_at)},
)


class _Ordered(msgspec.Struct, frozen=True):
    """The part of a return that says which order it belongs to."""

    order_id: str | None = None


_ORDERED: Final = msgspec.json.Decoder(_Ordered)


def put_sales(writer: Writer, sales: Iterable[Sale]) -> Counts:
    """Add or replace sales by merchant, order, article and lot; one transaction per batch."""
    return put_all(writer, sales, _put, "importing sales")


def _put(batch: Sequence[Sale]) -> Callable[[sa.Connection], Counts]:
    # Within a batch the last sale of a key wins.
    rows = {(sale.merchant_id, sale.order_id, sale.sku, sale.lot): _row(sale) for sale in batch}
    numbers = _numbers(batch)

    def work(connection: sa.Connection) -> Counts:
        known = _known(connection, list(rows))
        fresh = [row for key, row in rows.items() if key not in known]
        changed = [row for key, row in rows.items() if key in known and known[key] != row]
        if fresh or changed:
            connection.execute(_PUT, fresh + changed)
        if numbers:
            connection.execute(_PUT_SERIAL, numbers)
        return Counts(len(fresh), len(changed), len(rows) - len(fresh) - len(changed))

    return work


def _known(connection: sa.Connection, keys: list[tuple[str, str, str, str]]) -> dict[tuple[str, str, str, str], _Row]:
    found: dict[tuple[str, str, str, str], _Row] = {}
    for start in range(0, len(keys), _LOOKED_UP):
        statement = sa.select(_sales).where(_key.in_(keys[start : start + _LOOKED_UP]))
        for row in connection.execute(statement).mappings():
            found[row["merchant_id"], row["order_id"], row["sku"], row["lot"]] = dict(row)
    return found


def _numbers(batch: Sequence[Sale]) -> list[_Row]:
    """Serial numbers with their last sale; an empty one for articles with units whose number is not known."""
    last: dict[tuple[str, str, str], datetime] = {}
    for sale in batch:
        unnamed = ("",) if len(set(sale.serials)) < sale.quantity else ()
        for serial in (*sale.serials, *unnamed):
            key = sale.merchant_id, sale.sku, serial
            last[key] = max(last.get(key, sale.sold_at), sale.sold_at)
    return [
        {"merchant_id": merchant_id, "sku": sku, "serial": serial, "sold_at": at}
        for (merchant_id, sku, serial), at in last.items()
    ]


def _row(sale: Sale) -> _Row:
    return {
        "merchant_id": sale.merchant_id,
        "order_id": sale.order_id,
        "sku": sale.sku,
        "lot": sale.lot,
        "quantity": sale.quantity,
        "sold_at": sale.sold_at,
        "price_minor": sale.price.minor if sale.price is not None else None,
        "currency": sale.price.currency if sale.price is not None else None,
        "channel": sale.channel,
        "listing": sale.listing,
        "supplier": sale.supplier,
    }


def all_sales(connection: sa.Connection, merchant_id: str | None = None) -> Iterator[Sale]:
    """Every sale, or every one of a merchant, by key; none where the file is older than sales are."""
    if not sa.inspect(connection).has_table(_sales.name):
        return
    statement = sa.select(_sales).order_by(*(_sales.c[name] for name in _KEY))
    if merchant_id is not None:
        statement = statement.where(_sales.c.merchant_id == merchant_id)
    for row in connection.execute(statement):
        price = Money(row.price_minor, row.currency) if row.price_minor is not None else None
        yield Sale(
            row.merchant_id, row.order_id, row.sku, row.quantity, row.sold_at, price, row.channel, row.listing,
            row.supplier, row.lot,
        )  # fmt: skip


def orders_of_returns(connection: sa.Connection) -> dict[tuple[str, str], str]:
    """(merchant, RMA code in upper case) → order number, of all returns that name one."""
    found = {}
    for merchant_id, rma, body in connection.execute(
        sa.select(_returns.c.merchant_id, _returns.c.rma, _returns.c.body).order_by(_returns.c.number)
    ):
        order_id = _ORDERED.decode(body).order_id
        if order_id is not None:
            found[merchant_id, folded(rma)] = order_id
    return found

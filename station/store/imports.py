"""The directory's writing side: merchants, catalogue and returns in batches; importing twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import msgspec
import sqlalchemy as sa

from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from station.store.directory import folded
from station.store.writer import Writer

_T = TypeVar("_T")

_BATCH = 2_000
"""Rows per transaction: large enough that the flush does not matter, small enough that a CONFIRM waits ≤ 0.1 s."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Counts:
    """What an import did."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)


@dataclass(frozen=True, slots=True)
class _Kind(Generic[_T]):
    """How one kind of record lies in its tables: ``(number, name, owner, body)`` and keys that lead to the number."""

    type: type[_T]
    table: str
    name: str
    owner: str
    identity: Callable[[_T], tuple[str, str]]
    """(name, owner) of a record."""
    keys: Callable[[_T], set[tuple[str, ...]]]
    insert_key: str
    delete_key: str


def _item_keys(item: CatalogueItem) -> set[tuple[str, ...]]:
    # The SKU is found through its own index; as a code it would be found twice.
    return {(code,) for code in (*item.gtins, *item.codes) if code and code != item.sku}


def _return_keys(one: ReturnAuthorisation) -> set[tuple[str, ...]]:
    keys = {(folded(one.id), "rma")}
    keys |= {(folded(number), "tracking") for number in one.tracking if number}
    keys |= {(folded(plate), "lpn") for plate in one.lpns if plate}
    return set(keys)


_ITEM: _Kind[CatalogueItem] = _Kind(
    CatalogueItem,
    "items",
    "sku",
    "merchant_id",
    lambda item: (item.sku, item.merchant_id),
    _item_keys,
    "INSERT INTO item_codes (code, number) VALUES (?, ?)",
    "DELETE FROM item_codes WHERE code = ? AND number = ?",
)
_RETURN: _Kind[ReturnAuthorisation] = _Kind(
    ReturnAuthorisation,
    "returns",
    "rma",
    "merchant_id",
    lambda one: (one.id, one.merchant_id),
    _return_keys,
    "INSERT INTO return_keys (key, kind, number) VALUES (?, ?, ?)",
    "DELETE FROM return_keys WHERE key = ? AND kind = ? AND number = ?",
)


def put_items(writer: Writer, items: Iterable[CatalogueItem]) -> Counts:
    """Add or replace articles by merchant and SKU; one transaction per batch."""
    return put_all(writer, items, lambda batch: _put(_ITEM, batch), "importing the catalogue")


def put_returns(writer: Writer, returns: Iterable[ReturnAuthorisation]) -> Counts:
    """Add or replace returns by merchant and RMA code; one transaction per batch."""
    return put_all(writer, returns, lambda batch: _put(_RETURN, batch), "importing returns")


def put_merchants(writer: Writer, merchants: Iterable[Merchant]) -> Counts:
    """Add or replace merchants."""
    return put_all(writer, merchants, _put_merchants, "importing merchants")


def write_items(connection: sa.Connection, items: Sequence[CatalogueItem]) -> Counts:
    """As ``put_items``, in the caller's transaction."""
    return _put(_ITEM, items)(connection)


def write_returns(connection: sa.Connection, returns: Sequence[ReturnAuthorisation]) -> Counts:
    """As ``put_returns``, in the caller's transaction."""
    return _put(_RETURN, returns)(connection)


def write_merchants(connection: sa.Connection, merchants: Sequence[Merchant]) -> Counts:
    """As ``put_merchants``, in the caller's transaction."""
    return _put_merchants(merchants)(connection)


def drop_items(connection: sa.Connection, owned: Sequence[tuple[str, str]]) -> None:
    """Forget articles, named by (merchant, SKU); what is not there is passed over."""
    _drop(connection, _ITEM, owned)


def drop_returns(connection: sa.Connection, owned: Sequence[tuple[str, str]]) -> None:
    """Forget returns, named by (merchant, RMA code)."""
    _drop(connection, _RETURN, owned)


def drop_merchants(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Forget merchants."""
    _many(connection, "DELETE FROM merchants WHERE id = ?", [(one,) for one in ids])


def _drop(connection: sa.Connection, kind: _Kind[_T], owned: Sequence[tuple[str, str]]) -> None:
    known = _known(connection, kind, [(name, owner) for owner, name in owned]) if owned else {}
    keys: list[tuple[str | int, ...]] = []
    for number, body in known.values():
        keys.extend((*key, number) for key in kind.keys(msgspec.json.decode(body, type=kind.type)))
    _many(connection, kind.delete_key, keys)
    _many(connection, f"DELETE FROM {kind.table} WHERE number = ?", [(number,) for number, _ in known.values()])


def put_all(
    writer: Writer,
    records: Iterable[_T],
    work: Callable[[Sequence[_T]], Callable[[sa.Connection], Counts]],
    doing: str,
) -> Counts:
    """Write records a batch at a time; ``work`` makes of a batch what is done in its transaction."""
    total = Counts()
    for batch in _batches(records):
        total += writer.call(work(batch), doing=doing)
    return total


def _batches(records: Iterable[_T]) -> Iterator[Sequence[_T]]:
    iterator = iter(records)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _put(kind: _Kind[_T], batch: Sequence[_T]) -> Callable[[sa.Connection], Counts]:
    # Encoded in the caller's thread; within a batch the last record of a name wins.
    records = {kind.identity(record): record for record in batch}
    bodies = {identity: _encode(record) for identity, record in records.items()}

    def work(connection: sa.Connection) -> Counts:
        known = _known(connection, kind, tuple(records))
        number = _next_number(connection, kind.table)
        fresh: list[tuple[int, str, str, bytes]] = []
        changed: list[tuple[bytes, int]] = []
        add: list[tuple[str | int, ...]] = []
        drop: list[tuple[str | int, ...]] = []
        for identity, record in records.items():
            body, found = bodies[identity], known.get(identity)
            if found is None:
                fresh.append((number, *identity, body))
                add.extend((*key, number) for key in kind.keys(record))
                number += 1
            elif found[1] != body:
                changed.append((body, found[0]))
                before, after = kind.keys(msgspec.json.decode(found[1], type=kind.type)), kind.keys(record)
                drop.extend((*key, found[0]) for key in before - after)
                add.extend((*key, found[0]) for key in after - before)
        _many(
            connection, f"INSERT INTO {kind.table} (number, {kind.name}, {kind.owner}, body) VALUES (?, ?, ?, ?)", fresh
        )
        _many(connection, f"UPDATE {kind.table} SET body = ? WHERE number = ?", changed)
        _many(connection, kind.delete_key, drop)
        # In the order of the index, so that neighbouring keys meet in the same page.
        _many(connection, kind.insert_key, sorted(add))
        return Counts(len(fresh), len(changed), len(records) - len(fresh) - len(changed))

    return work


def _known(
    connection: sa.Connection, kind: _Kind[_T], identities: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[int, bytes]]:
    marks = ",".join(["(?,?)"] * len(identities))
    rows = connection.exec_driver_sql(
        f"WITH wanted(name, owner) AS (VALUES {marks}) SELECT t.{kind.name}, t.{kind.owner}, t.number, t.body "
        f"FROM wanted CROSS JOIN {kind.table} AS t ON t.{kind.name} = wanted.name AND t.{kind.owner} = wanted.owner",
        tuple(part for identity in identities for part in identity),
    ).all()
    return {(name, owner): (number, body) for name, owner, number, body in rows}


def _next_number(connection: sa.Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT coalesce(max(number), 0) + 1 FROM {table}").scalar_one())


def _many(connection: sa.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        connection.exec_driver_sql(statement, list(rows))


def _put_merchants(batch: Sequence[Merchant]) -> Callable[[sa.Connection], Counts]:
    bodies = {merchant.id: _encode(merchant) for merchant in batch}

    def work(connection: sa.Connection) -> Counts:
        known = {
            merchant_id: body
            for merchant_id, body in connection.exec_driver_sql("SELECT id, body FROM merchants")
            if merchant_id in bodies
        }
        fresh = [(one, body) for one, body in bodies.items() if one not in known]
        changed = [(body, one) for one, body in bodies.items() if one in known and known[one] != body]
        _many(connection, "INSERT INTO merchants (id, body) VALUES (?, ?)", fresh)
        _many(connection, "UPDATE merchants SET body = ? WHERE id = ?", changed)
        return Counts(len(fresh), len(changed), len(bodies) - len(fresh) - len(changed))

    return work

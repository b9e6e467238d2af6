"""What the station knows offline: each question is one indexed look-up on a reader's connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from station.errors import StoreFault
from station.identify.scan import CandidateKind
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from station.store.engine import faults
from station.store.rows import (
    InspectionRow,
    ItemCodeRow,
    ItemRow,
    LabelRow,
    MerchantRow,
    ReturnKeyRow,
    ReturnRow,
    table,
)

_T = TypeVar("_T")

_items, _codes, _returns, _keys = table(ItemRow), table(ItemCodeRow), table(ReturnRow), table(ReturnKeyRow)
_inspections, _labels, _merchants = table(InspectionRow), table(LabelRow), table(MerchantRow)

_KEY: sa.BindParameter[str] = sa.bindparam("key")

_ITEMS_BY_CODE = sa.union_all(
    sa.select(_items.c.number, _items.c.body)
    .join(_codes, _codes.c.number == _items.c.number)
    .where(_codes.c.code == _KEY),
    sa.select(_items.c.number, _items.c.body).where(_items.c.sku == _KEY),
)
_ITEM = sa.select(_items.c.body).where(_items.c.sku == _KEY, _items.c.merchant_id == sa.bindparam("merchant"))
_MERCHANT = sa.select(_merchants.c.body).where(_merchants.c.id == _KEY)
_RETURNS_BY_KEY = (
    sa.select(_returns.c.number, _returns.c.body)
    .join(_keys, _keys.c.number == _returns.c.number)
    .where(_keys.c.key == _KEY, _keys.c.kind == sa.bindparam("kind"))
)
_RETURNS_BY_UNIT = (
    sa.select(_returns.c.number, _returns.c.body)
    .join(
        _inspections,
        sa.and_(_inspections.c.rma == _returns.c.rma, _inspections.c.merchant_id == _returns.c.merchant_id),
    )
    .where(_inspections.c.lpn == sa.bindparam("plate"))
)
_INSPECTED = (
    sa.select(_inspections.c.line, sa.func.count(sa.distinct(_inspections.c.unit_id)))
    .where(
        # Written as text so that SQLite recognises the partial index.
        sa.text("inspections.stands = 1"),
        _inspections.c.merchant_id == sa.bindparam("merchant"),
        _inspections.c.rma == _KEY,
        _inspections.c.line.is_not(None),
    )
    .group_by(_inspections.c.line)
)
_LPN_USED = sa.select(
    sa.or_(
        sa.exists(sa.select(1).where(_inspections.c.lpn == _KEY)), sa.exists(sa.select(1).where(_labels.c.lpn == _KEY))
    )
)

_LOOKED_UP_AS = {
    CandidateKind.RMA: "rma",
    CandidateKind.TRACKING: "tracking",
    # A parcel's SSCC serves as its tracking number.
    CandidateKind.SSCC: "tracking",
    CandidateKind.LPN: "lpn",
}


def folded(key: str) -> str:
    """A return's key as it is compared: nobody tells ``rma-1`` from ``RMA-1`` on purpose."""
    return key.strip().upper()


class StoreDirectory:
    """Implements ``station.inspection.ports.Directory``. Safe to call from any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def returns_by(self, kind: CandidateKind, key: str) -> tuple[ReturnAuthorisation, ...]:
        """Returns that an RMA code, tracking number or LPN belongs to; open ones first, then by RMA code.

        A licence plate is also found through the inspection it was given at.
        """
        looked_up_as = _LOOKED_UP_AS.get(kind)
        if looked_up_as is None:
            return ()
        found: dict[int, ReturnAuthorisation] = {}
        with faults("looking up a return"), self._engine.connect() as connection, connection.begin():
            rows = list(connection.execute(_RETURNS_BY_KEY, {"key": folded(key), "kind": looked_up_as}))
            if kind is CandidateKind.LPN:
                rows += connection.execute(_RETURNS_BY_UNIT, {"plate": key})
        for number, body in rows:
            found[number] = _decode(ReturnAuthorisation, body)
        return tuple(sorted(found.values(), key=lambda one: (one.status != "open", one.id, one.merchant_id)))

    def items_by_code(self, key: str) -> tuple[CatalogueItem, ...]:
        """Articles that carry a code: GTIN-14, SKU, FNSKU, ASIN; by merchant and SKU."""
        with faults("looking up an article"), self._engine.connect() as connection, connection.begin():
            found = {number: body for number, body in connection.execute(_ITEMS_BY_CODE, {"key": key})}
        items = (_decode(CatalogueItem, body) for body in found.values())
        return tuple(sorted(items, key=lambda one: (one.merchant_id, one.sku)))

    def item(self, merchant_id: str, sku: str) -> CatalogueItem | None:
        """One merchant's article; None = not in the catalogue."""
        body = self._scalar(_ITEM, {"key": sku, "merchant": merchant_id}, "looking up an article")
        return _decode(CatalogueItem, body) if body is not None else None

    def merchant(self, merchant_id: str) -> Merchant | None:
        """A merchant; None = not known here."""
        body = self._scalar(_MERCHANT, {"key": merchant_id}, "looking up a merchant")
        return _decode(Merchant, body) if body is not None else None

    def inspected_units(self, merchant_id: str, rma: str) -> Mapping[int, int]:
        """Line number → units of it that already have an inspection that stands."""
        with faults("looking up inspections"), self._engine.connect() as connection, connection.begin():
            rows = connection.execute(_INSPECTED, {"key": rma, "merchant": merchant_id}).all()
        return {line: count for line, count in rows}

    def lpn_is_used(self, lpn: str) -> bool:
        """Whether an inspection (voided ones too: its label may be out there) or a label ever had this plate."""
        with faults("looking up a licence plate"), self._engine.connect() as connection, connection.begin():
            return bool(connection.execute(_LPN_USED, {"key": lpn}).scalar_one())

    def _scalar(self, statement: sa.Select[bytes], values: Mapping[str, str], doing: str) -> bytes | None:
        with faults(doing), self._engine.connect() as connection, connection.begin():
            return connection.execute(statement, values).scalar_one_or_none()


def _decode(type_: type[_T], body: bytes) -> _T:
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.MsgspecError as error:
        raise StoreFault(
            f"a {type_.__name__} in the directory is damaged ({error}): {body[:60]!r}; import it again"
        ) from error

"""Our own file of articles: one row is one article (columns: ``layouts.CATALOGUE_COLUMNS``)."""

from __future__ import annotations

from collections.abc import Iterator

from station.exchange import cells
from station.exchange.refused import CellRefused, RefusedLine
from station.exchange.survey import survey
from station.exchange.table import Row, Table
from station.returns.model import CatalogueItem

_MERCHANT, _SKU = 0, 1


def catalogue_records(table: Table, merchant: str | None, currency: str) -> Iterator[CatalogueItem | RefusedLine]:
    """Read a table whose layout is ``CATALOGUE``; of two rows for one article the first is taken."""
    scattered = survey(table, (), _key).scattered
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
                expected = f"this article is already on line {before}; keep one of the two"
                raise CellRefused("sku", row.cells[_SKU], expected)
            item = _item(row, merchant, currency)
        except CellRefused as refused:
            yield refused.at(row.line)
            continue
        last = key, row.line
        if key in scattered:
            taken[key] = row.line
        yield item


def _key(row: Row) -> str:
    return f"{row.cells[_MERCHANT]}\0{row.cells[_SKU]}"


def _item(row: Row, merchant: str | None, currency: str) -> CatalogueItem:
    (owner, sku, title, category, gtin, codes, price, code, mass, tolerance, parts, traits, picture,
     serialised) = row.cells  # fmt: skip
    mass_mg = cells.grams(mass, "mass_g")
    tolerance_mg = cells.grams(tolerance, "tolerance_g")
    if tolerance_mg is not None and mass_mg is None:
        raise CellRefused("tolerance_g", tolerance, "a tolerance needs mass_g")
    return CatalogueItem(
        merchant_id=cells.required(owner or merchant or "", "merchant"),
        sku=cells.required(sku, "sku"),
        title=cells.required(cells.one_line(title), "title", 1000),
        category=cells.optional(category, "category"),
        gtins=cells.gtins(gtin, "gtin"),
        codes=cells.several(codes, "codes", 64),
        price=cells.amount(price, "price", cells.currency(code, "currency", currency)),
        mass_mg=mass_mg,
        mass_tolerance_mg=tolerance_mg,
        accessories=cells.accessories(parts, "accessories"),
        traits=cells.traits(traits, "traits"),
        picture=cells.file_name(picture, "picture"),
        serialised=cells.yes_or_no(serialised, "serialised"),
    )

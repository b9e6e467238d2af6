"""The parts of an inspection's JSON about money beyond one line: the order, the border, the day on the floor."""

from __future__ import annotations

from typing import Final

from station.decision.json_table import Table, kind_of, word_of
from station.decision.model import Disposition, Floor
from station.errors import InvalidInput
from station.quantities import Money
from station.returns.order import Customs, Order, OrderLine, Promotion

ORDER_KEYS: Final = ("order", "customs", "floor")

_ORDER = (
    "currency", "lines", "discount", "promotion", "shipping", "duties", "refunded", "credited", "shipping_refunded",
    "released", "rate",
)  # fmt: skip
_LINE = ("sku", "quantity", "unit", "returned", "tax_bp")


def read_order(top: Table, currency: str) -> Order | None:
    """What was bought and paid.

    Raises:
        InvalidInput: names the place.
    """
    table = top.table("order", _ORDER)
    if table is None:
        return None
    own = table.text("currency", default=currency)
    given = table.get("lines")
    if not isinstance(given, list) or not given:
        raise InvalidInput(f"'order.lines' must be a list of articles, got {kind_of(given)}")
    promotion = table.table("promotion", ("off", "at_least"))
    return Order(
        lines=tuple(_line(Table(entry, f"order.lines[{n}]", _LINE), own) for n, entry in enumerate(given)),
        discount=table.money("discount", own),
        promotion=None
        if promotion is None
        else Promotion(_needed(promotion, "off", own), _needed(promotion, "at_least", own)),
        shipping=table.money("shipping", own),
        duties=table.money("duties", own),
        refunded=table.money("refunded", own),
        credited=table.money("credited", own),
        shipping_refunded=table.money("shipping_refunded", own),
        released=table.money("released", own),
        rate=_rate(table),
    )


def _line(table: Table, currency: str) -> OrderLine:
    return OrderLine(
        sku=table.text("sku", needed=True),
        quantity=table.number("quantity", 1),
        unit=_needed(table, "unit", currency),
        returned=table.number("returned", 0),
        tax_bp=table.number("tax_bp", 0),
    )


def _needed(table: Table, key: str, currency: str) -> Money:
    amount = table.money(key, currency)
    if amount is None:
        raise InvalidInput(f"{table.at(key)!r} is missing")
    return amount


def _rate(table: Table) -> tuple[int, int] | None:
    given = table.get("rate")
    if given is None:
        return None
    whole = isinstance(given, list) and all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in given)
    if not isinstance(given, list) or len(given) != 2 or not whole:
        raise InvalidInput(f"'order.rate' must be two whole numbers above 0 like [92, 100], got {kind_of(given)}")
    return given[0], given[1]


def read_customs(top: Table, currency: str) -> Customs | None:
    """The border that the goods crossed.

    Raises:
        InvalidInput: names the place.
    """
    table = top.table("customs", ("from", "to", "entry", "commodity", "duty"))
    if table is None:
        return None
    countries = [table.text(key, needed=True) for key in ("from", "to")]
    for key, code in zip(("from", "to"), countries, strict=True):
        if len(code) != 2 or not code.isascii() or not code.isupper():
            raise InvalidInput(f"'customs.{key}' = {code!r} is not a country: expected two capitals like DE")
    return Customs(
        exported_from=countries[0],
        imported_to=countries[1],
        entry=table.text("entry"),
        commodity=table.text("commodity"),
        duty=table.money("duty", currency),
    )


def read_floor(top: Table, currency: str) -> Floor:
    """What is known of the day.

    Raises:
        InvalidInput: names the place.
    """
    table = top.table("floor", ("taken", "places", "extra"))
    if table is None:
        return Floor()
    taken = Table(table.mapping("taken"), "floor.taken", tuple(Disposition))
    return Floor(
        taken=tuple((word_of(way, Disposition, "floor.taken"), taken.number(way, 0)) for way in table.mapping("taken")),
        places=_amounts(table, "places", currency),
        extra=_amounts(table, "extra", currency),
    )


def _amounts(table: Table, key: str, currency: str) -> tuple[tuple[Disposition, Money], ...]:
    inner = Table(table.mapping(key), table.at(key), tuple(Disposition))
    return tuple((word_of(way, Disposition, inner.path), _needed(inner, way, currency)) for way in table.mapping(key))

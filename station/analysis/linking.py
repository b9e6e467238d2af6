"""Which sale a returned unit came from: by merchant, order and article, and by batch where both know it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from station.analysis.basis import reasons_left_out
from station.analysis.unit import UnitSeen
from station.returns.sale import Sale


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A sale and what became of it."""

    sale: Sale
    units: tuple[UnitSeen, ...]
    """Units of it that came back and were inspected; never more than were sold."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Sales with their returns."""

    lines: tuple[SoldLine, ...]
    """By the time of the sale."""
    sale_of: Mapping[str, Sale]
    """Inspection id → sale."""
    left_out: tuple[tuple[str, int], ...]
    """Units that came from no known sale, and why."""


def link(sales: Iterable[Sale], units: Iterable[UnitSeen], orders: Mapping[tuple[str, str], str]) -> Linked:
    """Find the sale of each unit.

    Args:
        sales: as imported.
        units: those that stand.
        orders: (merchant, RMA code in upper case) → order number, of the returns that are known.
    """
    known = sorted(sales, key=lambda one: (one.sold_at, one.merchant_id, one.order_id, one.sku, one.lot))
    places: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for place, sale in enumerate(known):
        places[sale.merchant_id, sale.order_id, sale.sku].append(place)
    came: defaultdict[int, list[UnitSeen]] = defaultdict(list)
    sale_of: dict[str, Sale] = {}
    why: Counter[str] = Counter()
    for unit in units:
        order = orders.get((unit.merchant, unit.rma.strip().upper()))
        if unit.identity == "missing":
            why["it was announced and not in the parcel"] += 1
        elif order is None:
            why["its order is not known"] += 1
        elif not (found := places.get((unit.merchant, order, unit.sku))):
            why["no sale of this article in its order was imported"] += 1
        else:
            open_ = [place for place in found if len(came[place]) < known[place].quantity]
            if not open_:
                why["more units came back than the order had"] += 1
                continue
            place = min(open_, key=lambda one: (known[one].lot != unit.lot, one))
            came[place].append(unit)
            sale_of[unit.inspection_id] = known[place]
    lines = tuple(SoldLine(sale, tuple(came.get(place, ()))) for place, sale in enumerate(known))
    return Linked(lines, sale_of, reasons_left_out(why))

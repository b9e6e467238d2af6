"""How often what is sold comes back: by article, supplier, lot, listing …, each as sure as its numbers allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from station.analysis.basis import FULL_BP, Basis, bp, counted, percent, reasons_left_out, span
from station.analysis.beta import Beta, Prior, fit_beta
from station.analysis.linking import SoldLine
from station.returns.sale import Sale

METHOD: Final = "rates@1"
_LOW: Final = 0.025
_HIGH: Final = 0.975

DIMENSIONS: Final[dict[str, Callable[[Sale], str]]] = {
    "merchant": lambda sale: sale.merchant_id,
    "sku": lambda sale: sale.sku,
    "supplier": lambda sale: sale.supplier,
    "lot": lambda sale: sale.lot,
    "listing": lambda sale: sale.listing,
    "channel": lambda sale: sale.channel,
}


@dataclass(frozen=True, slots=True)
class Rate:
    """The return rate of one name."""

    value: str
    sold: int
    returned: int
    raw_bp: int
    """Returned ÷ sold, as counted."""
    rate_bp: int
    """Our estimate: the count drawn towards all others, the more the fewer were sold."""
    low_bp: int
    high_bp: int
    """The rate lies between with 95 %."""
    text: str


@dataclass(frozen=True, slots=True)
class RateTable:
    """The return rates of one dimension."""

    dimension: str
    rates: tuple[Rate, ...]
    """The highest lower bound first: what is surely high stands above what may be."""
    overall_bp: int
    prior_sold: int
    """Units that must be sold before a name's own count weighs as much as what is known of all; the more alike the
    names are, the more."""
    text: str


@dataclass(frozen=True, slots=True)
class Rates:
    """Return rates of what was sold."""

    sold: int
    returned: int
    rate_bp: int | None
    tables: tuple[RateTable, ...]
    text: tuple[str, ...]
    basis: Basis


def ripe(
    lines: Iterable[SoldLine], *, until: datetime | None = None, days: int = 30
) -> tuple[list[SoldLine], tuple[tuple[str, int], ...]]:
    """Sales whose time to come back is over; counting younger ones would make every rate too low.

    Args:
        lines: sales with their returns.
        until: when the last return that is known of came in; None = the last one among them.
        days: what a return takes from the sale to its inspection, at most.
    """
    known = list(lines)
    end = until or max((unit.confirmed_at for line in known for unit in line.units), default=None)
    if end is None:
        return [], reasons_left_out(Counter({"no unit that came back was inspected yet": len(known)}))
    edge = end - timedelta(days=days)
    old = [line for line in known if line.sale.sold_at <= edge]
    young = f"sold in the last {days} days before the last return: more may come back"
    return old, reasons_left_out(Counter({young: len(known) - len(old)}))


def return_rates(
    lines: Iterable[SoldLine],
    *,
    dimensions: Iterable[str] = tuple(DIMENSIONS),
    left_out: tuple[tuple[str, int], ...] = (),
) -> Rates:
    """Estimate return rates.

    Args:
        lines: ripe sales with their returns.
        dimensions: of ``DIMENSIONS``.
        left_out: what was left out before, for the basis.
    """
    known = list(lines)
    sold, returned = sum(line.sale.quantity for line in known), sum(len(line.units) for line in known)
    tables = tuple(filter(None, (_table(dimension, known) for dimension in dimensions)))
    first, last = span(line.sale.sold_at for line in known)
    overall = bp(returned, sold)
    text = (
        f"{returned} of {counted(sold, 'unit')} sold came back: {percent(overall)}."
        if sold
        else "No sales are known whose time to come back is over: station import sales FILE."
    )
    return Rates(
        sold,
        returned,
        overall,
        tables,
        (text, *(table.text for table in tables)),
        Basis(
            METHOD,
            (
                "Return rate: units that came back and were inspected ÷ units sold, by the sale they came from.",
                "Estimate: the count drawn towards the rate of all names of the dimension (beta-binomial, empirical "
                "Bayes); 95 % credible interval.",
            ),
            (),
            len(known),
            left_out,
            first,
            last,
        ),
    )


def _table(dimension: str, lines: list[SoldLine]) -> RateTable | None:
    of = DIMENSIONS[dimension]
    sold: Counter[str] = Counter()
    returned: Counter[str] = Counter()
    for line in lines:
        value = of(line.sale)
        if value:
            sold[value] += line.sale.quantity
            returned[value] += len(line.units)
    if not sold:
        return None
    prior = fit_beta((returned[value], many) for value, many in sold.items())
    rates = [_rate(value, sold[value], returned[value], prior) for value in sorted(sold)]
    rates.sort(key=lambda one: (-one.low_bp, -one.rate_bp, one.value))
    overall = bp(returned.total(), sold.total()) or 0
    if len(rates) < 3:
        text = f"{dimension}: {counted(len(rates), 'name')}, too few to learn from each other."
    else:
        most = Beta(prior.shape.mean * prior.differ, (1 - prior.shape.mean) * prior.differ)
        low, high = (percent(round(most.quantile(one) * FULL_BP)) for one in (_LOW, _HIGH))
        text = (
            f"{dimension}: of {len(rates)} names most lie between {low} and {high}. Surely high first: {rates[0].text}"
        )
    return RateTable(dimension, tuple(rates), overall, round(prior.differ), text)


def _rate(value: str, sold: int, returned: int, prior: Prior) -> Rate:
    known = prior.shape.after(returned, sold)
    rate, low, high = (round(one * FULL_BP) for one in (known.mean, known.quantile(_LOW), known.quantile(_HIGH)))
    raw = bp(returned, sold) or 0
    return Rate(
        value,
        sold,
        returned,
        raw,
        rate,
        low,
        high,
        f"{value}: {returned} of {sold} came back ({percent(raw)}); with what is known of all, {percent(rate)}, and "
        f"with 95 % between {percent(low)} and {percent(high)}.",
    )

"""One article of one order as it was sold: what returns are counted against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from station.quantities import Money


@dataclass(frozen=True, slots=True)
class Sale:
    """Units of one article in one order. An empty text = the file does not say."""

    merchant_id: str
    order_id: str
    sku: str
    quantity: int
    """Units, at least 1."""
    sold_at: datetime
    """When they were ordered or shipped, as the merchant's file has it; aware UTC."""
    price: Money | None = None
    """Paid for one unit; None = unknown."""
    channel: str = ""
    """Where it was sold: ``web``, ``marketplace`` …"""
    listing: str = ""
    """The offer it was bought from, e.g. an ASIN."""
    supplier: str = ""
    lot: str = ""
    """Batch that was shipped. One order may hold an article of two batches as two sales."""
    serials: tuple[str, ...] = ()
    """Serial numbers of its units. Fewer than its quantity = the list of this article's numbers is not complete."""

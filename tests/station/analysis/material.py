"""Units, sales and worlds with known truth for the analyses' tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from station.analysis.unit import UnitSeen
from station.quantities import Money
from station.returns.sale import Sale

START = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)
"""A Monday."""

_PLAIN = UnitSeen(
    inspection_id="i-0", parcel_id="p-0", merchant="m", rma="RMA-0", sku="MUG", category="homeware", declared="",
    found="", identity="match", disposition="restock", refunded=None, original=None, recovered=None, mass_mg=None,
    expected_mg=None, started_at=None, confirmed_at=START, inspector="ines", second_look=False, why="in_order",
)  # fmt: skip


def a_unit(number: int = 0, **changes: object) -> UnitSeen:
    """One unit, everything of it that is not said being plain."""
    plain = replace(
        _PLAIN,
        inspection_id=f"i-{number}",
        parcel_id=f"p-{number}",
        rma=f"RMA-{number}",
        confirmed_at=START + timedelta(minutes=number),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def a_sale(number: int = 0, sku: str = "MUG", **changes: object) -> Sale:
    """One sale."""
    plain = Sale("m", f"O-{number}", sku, 1, START + timedelta(minutes=number), Money(1490, "EUR"))
    return replace(plain, **changes)  # type: ignore[arg-type]

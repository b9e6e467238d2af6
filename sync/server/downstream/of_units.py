"""What a change of a unit tells other systems: refund, stock, what the customer sees. Pure.

These are about the *unit*, not about an inspection of it: a second bench that inspects the same unit moves no stock and
promises no money, and a lead's decision or a correction says by how much things are different now
(``sync.server.units.events``). Ids come from the entry that caused the change, so that pushing it again gives the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from sync.server.downstream.events import MOVED, REFUND, STATUS, Event, make_event
from sync.server.units.changes import Changed
from sync.server.units.events import InventoryMoved, RefundDecided, UnitEvent, unit_events


def of_change(change: Changed, source: str, time: datetime, *, plain: bool) -> Iterator[Event]:
    """Refund, stock movement and status, in this order, as far as they changed.

    Args:
        plain: the unit has one inspection, and it is the entry that caused the change.
    """
    # One entry may change several units: more came for a line than were announced, and one of them is voided.
    mark = "" if plain else f"_{hashlib.sha256(change.lpn.encode()).hexdigest()[:12]}"
    unit: dict[str, object] = {
        "inspection_id": change.after.owner,
        "unit_id": change.unit_id,
        "lpn": change.lpn,
        "merchant_id": change.merchant_id,
        "rma": change.rma,
        "sku": change.sku,
    }
    seen: set[str] = set()
    for one in unit_events(change.before, change.after):
        type, data = _said(one)
        again = "_2" if type in seen else ""  # money goes back in one currency and out in another
        seen.add(type)
        yield make_event(
            f"{change.cause}_{type.split('.')[1]}{mark}{again}", type, change.unit_id, source=source,
            subject=change.lpn, time=time, data=unit | data,
        )  # fmt: skip


def _said(event: UnitEvent) -> tuple[str, dict[str, object]]:
    if isinstance(event, RefundDecided):
        amount = {"minor": event.amount_minor, "currency": event.currency}
        change = {"minor": event.change_minor, "currency": event.currency}
        return REFUND, {"decision": event.decision, "amount": amount, "change": change}
    if isinstance(event, InventoryMoved):
        return MOVED, {"quantity": event.quantity, "from": event.from_place, "to": event.to_place}
    return STATUS, {"before": event.before.value if event.before is not None else None, "after": event.after.value}

"""What other systems are told of an entry: CloudEvents made of the narrow facts. Pure.

An event's id is the entry's id with the kind of event behind it: the same entry gives the same ids for ever, here,
after a replay and on a rebuilt server, so that a receiver can dedupe by it. No person is named.
Source: CloudEvents 1.0.2, JSON format; Standard Webhooks specification, "Payload structure".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec

from station.inspection.record import InspectionVoided
from sync.server.facts import Inspected

CONFIRMED: Final = "returns.inspection.confirmed"
CORRECTED: Final = "returns.inspection.corrected"
VOIDED: Final = "returns.inspection.voided"
REFUND: Final = "returns.refund.decided"
MOVED: Final = "returns.inventory.moved"

TYPES: Final = {
    CONFIRMED: "a unit was inspected; with grade and disposition",
    CORRECTED: "an inspection replaces an earlier one, named in data.corrects",
    VOIDED: "an inspection was taken back; refund and stock movement with it",
    REFUND: "what the customer gets back, in minor units",
    MOVED: "where the unit goes: one piece of a SKU to a disposition",
}
"""Every type of event and what it says."""

_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that other systems may want to know."""

    id: str
    type: str
    lane: str
    """Events with the same lane keep their order: the unit's id."""
    body: bytes
    """The CloudEvent as JSON."""


def make_event(
    id: str, type: str, lane: str, *, source: str, subject: str, time: datetime, data: dict[str, object]
) -> Event:
    """Put a CloudEvent together; also for events that do not come from an entry."""
    body = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "subject": subject,
        "time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
    return Event(id, type, lane, _ENCODER.encode(body))


def source_of(site_id: str, station: str) -> str:
    """The ``source`` of a station's events.

    >>> source_of("main", "bench 1")
    'urn:returns-station:main:bench%201'
    """
    return f"urn:returns-station:{quote(site_id, safe='')}:{quote(station, safe='')}"


def of_inspection(entry_id: str, source: str, fact: Inspected) -> Iterator[Event]:
    """An inspection, its refund and its stock movement, in this order."""
    unit: dict[str, object] = {
        "inspection_id": fact.inspection_id,
        "unit_id": fact.unit_id,
        "lpn": fact.lpn,
        "merchant_id": fact.merchant_id,
        "rma": fact.rma,
        "sku": fact.sku,
    }
    decision = fact.decision
    amount = decision.refund.amount
    more: dict[str, dict[str, object]] = {
        CORRECTED if fact.corrects else CONFIRMED: {
            "parcel_id": fact.parcel_id,
            "identity": fact.identity,
            "grade": decision.grade.code if decision.grade else None,
            "disposition": decision.disposition,
            "photos": [{"sha256": photo.sha256, "shot": photo.shot} for photo in fact.photos],
            "corrects": fact.corrects,
        },
        REFUND: {
            "decision": decision.refund.decision,
            "amount": {"minor": amount.minor, "currency": amount.currency} if amount else None,
            "replaces": fact.corrects,
        },
        MOVED: {
            "quantity": 0 if decision.disposition == "missing" else 1,
            "disposition": decision.disposition,
            "replaces": fact.corrects,
        },
    }
    for type, data in more.items():
        yield make_event(
            f"{entry_id}_{type.split('.')[1]}", type, fact.unit_id,
            source=source, subject=fact.lpn, time=fact.confirmed_at, data=unit | data,
        )  # fmt: skip


def of_void(entry_id: str, source: str, fact: InspectionVoided, unit_id: str | None, lpn: str | None) -> Event:
    """An inspection taken back.

    Args:
        unit_id: of the inspection; None = the inspection is not known here.
    """
    return make_event(
        f"{entry_id}_inspection", VOIDED, unit_id or fact.inspection_id, source=source,
        subject=lpn or fact.inspection_id, time=fact.at,
        data={"inspection_id": fact.inspection_id, "unit_id": unit_id, "lpn": lpn},
    )  # fmt: skip

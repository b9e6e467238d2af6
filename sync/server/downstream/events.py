"""What other systems are told of an entry: CloudEvents made of the narrow facts. Pure.

An event's id is the entry's id with the kind of event behind it: the same entry gives the same ids for ever, here,
after a replay and on a rebuilt server, so that a receiver can dedupe by it. No person is named.
Source: CloudEvents 1.0.2, JSON format; Standard Webhooks specification, "Payload structure".
"""

from __future__ import annotations

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
STATUS: Final = "returns.status.changed"

TYPES: Final = {
    CONFIRMED: "a unit was inspected; with grade and disposition",
    CORRECTED: "an inspection replaces an earlier one, named in data.corrects",
    VOIDED: "an inspection was taken back; what that changes of its unit comes as events of its own",
    REFUND: "what the customer gets back for a unit in all, and how much that is more or less than before, minor units",
    MOVED: "one piece of a SKU went from one disposition (or from inspection) to another one",
    STATUS: "what the customer of a unit is told: received, in_review, refund_decided, no_refund",
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


def of_inspection(entry_id: str, source: str, fact: Inspected) -> Event:
    """An inspection; what it means for refund, stock and customer is said of its unit (``of_units``)."""
    decision = fact.decision
    return make_event(
        f"{entry_id}_inspection", CORRECTED if fact.corrects else CONFIRMED, fact.unit_id,
        source=source, subject=fact.lpn, time=fact.confirmed_at,
        data={
            "inspection_id": fact.inspection_id,
            "unit_id": fact.unit_id,
            "lpn": fact.lpn,
            "merchant_id": fact.merchant_id,
            "rma": fact.rma,
            "sku": fact.sku,
            "parcel_id": fact.parcel_id,
            "identity": fact.identity,
            "grade": decision.grade.code if decision.grade else None,
            "disposition": decision.disposition,
            "photos": [{"sha256": photo.sha256, "shot": photo.shot} for photo in fact.photos],
            "corrects": fact.corrects,
        },
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

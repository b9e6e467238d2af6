"""What the centre derives from sound entries: inspections, what ended them, the photos they name. Append-only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Select, exists, func, select

from station.inspection.record import InspectionVoided
from sync.server.applying import Applying
from sync.server.facts import Inspected
from sync.server.judge import Judged
from sync.server.storage.rows import disputes, endings, entries, heads, inspections, photo_names, photos, quarantine


def project(work: Applying, applied: Sequence[Judged]) -> None:
    """Keep the inspections, what ended them, and the photos they name (an ``Applier``)."""
    database, connection, site_id = work.database, work.connection, work.site_id
    inspected: list[dict[str, object]] = []
    ended: list[dict[str, object]] = []
    named: dict[tuple[str, str], dict[str, object]] = {}
    for entry in applied:
        fact = entry.fact
        if isinstance(fact, Inspected):
            inspected.append(_inspection_row(site_id, work.station, entry, fact))
            if fact.corrects is not None:
                ended.append(_ending(site_id, fact.corrects, entry.id, "corrected"))
            for photo in fact.photos:
                named[photo.sha256, fact.inspection_id] = {
                    "site_id": site_id, "sha256": photo.sha256, "inspection_id": fact.inspection_id, "shot": photo.shot,
                }  # fmt: skip
        elif isinstance(fact, InspectionVoided):
            ended.append(_ending(site_id, fact.inspection_id, entry.id, "voided"))
    if inspected:
        database.insert_all(connection, inspections, inspected)
    if ended:
        database.insert_all(connection, endings, ended)
    if named:
        database.insert_all(connection, photo_names, list(named.values()))


def _ending(site_id: str, inspection_id: str, by_entry: str, how: str) -> dict[str, object]:
    return {"site_id": site_id, "inspection_id": inspection_id, "by_entry": by_entry, "how": how}


def _inspection_row(site_id: str, station: str, entry: Judged, fact: Inspected) -> dict[str, object]:
    refund = fact.decision.refund
    return {
        "site_id": site_id,
        "inspection_id": fact.inspection_id,
        "station": station,
        "generation": entry.generation,
        "seq": entry.seq,
        "unit_id": fact.unit_id,
        "lpn": fact.lpn,
        "parcel_id": fact.parcel_id,
        "merchant_id": fact.merchant_id,
        "rma": fact.rma,
        "sku": fact.sku,
        "identity": fact.identity,
        "grade": fact.decision.grade.code if fact.decision.grade else None,
        "disposition": fact.decision.disposition,
        "refund_decision": refund.decision,
        "refund_minor": refund.amount.minor if refund.amount else None,
        "refund_currency": refund.amount.currency if refund.amount else None,
        "actor": entry.actor,
        "confirmed_at": fact.confirmed_at,
    }


def counts(connection: Connection, site_id: str) -> dict[str, int]:
    """The figures of ``GET /v1/status``."""
    is_ended = exists().where(
        endings.c.site_id == inspections.c.site_id, endings.c.inspection_id == inspections.c.inspection_id
    )
    is_held = exists().where(photos.c.site_id == photo_names.c.site_id, photos.c.sha256 == photo_names.c.sha256)

    def count(query: Select[int]) -> int:
        return int(connection.scalar(query) or 0)  # PostgreSQL adds bigints up to a numeric

    here = select(func.count()).select_from(inspections).where(inspections.c.site_id == site_id)
    return {
        "entries": count(select(func.count()).select_from(entries).where(entries.c.site_id == site_id)),
        "inspections": count(here.where(~is_ended)),
        "inspections_received": count(here),
        "photos": count(select(func.count()).select_from(photos).where(photos.c.site_id == site_id)),
        "photos_missing": count(
            select(func.count(photo_names.c.sha256.distinct())).where(photo_names.c.site_id == site_id, ~is_held)
        ),
        "duplicates": count(select(func.sum(heads.c.duplicates)).where(heads.c.site_id == site_id)),
        "quarantined": count(select(func.count()).select_from(quarantine).where(quarantine.c.site_id == site_id)),
        "disputed": count(select(func.count()).select_from(disputes).where(disputes.c.site_id == site_id)),
        "stations": count(select(func.count(heads.c.station.distinct())).where(heads.c.site_id == site_id)),
    }

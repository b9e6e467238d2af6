"""The KPIs of DOMAIN.md computed the slow way: plain Python over the list of records. Knows nothing of the server."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor

from station.inspection.record import Inspection, InspectionVoided, ParcelClosed, ParcelParked


@dataclass(frozen=True)
class Received:
    """A sound entry at the centre."""

    station: str
    generation: int
    seq: int
    id: str
    actor: str
    record: object
    at: datetime
    """When its place first arrived."""


@dataclass(frozen=True)
class Seen:
    """An inspection as the records tell it."""

    inspection: Inspection
    by: Received
    voided: bool
    corrections: tuple[Inspection, ...]

    @property
    def stands(self) -> bool:
        return not self.voided and not self.corrections

    @property
    def day(self) -> date:
        return self.inspection.confirmed_at.astimezone(UTC).date()


def seen(received: Iterable[Received]) -> list[Seen]:
    received = list(received)
    named: dict[str, list[Received]] = defaultdict(list)
    for item in received:
        if isinstance(item.record, Inspection):
            named[item.record.inspection_id].append(item)
    voided = {item.record.inspection_id for item in received if isinstance(item.record, InspectionVoided)}
    found = []
    for name, items in named.items():
        first = min(items, key=lambda item: item.id)
        corrections = [
            item.record for item in received if isinstance(item.record, Inspection) and item.record.corrects == name
        ]
        found.append(Seen(first.record, first, name in voided, tuple(corrections)))
    return found


def half_up(part: int, whole: int) -> int | None:
    if whole == 0:
        return None
    return floor(Fraction(part * 10_000, whole) + Fraction(1, 2))


def nearest_rank(values: list[int], percent: int) -> int | None:
    if not values:
        return None
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[rank - 1]


def ms(begin: datetime, end: datetime) -> int | None:
    span = end - begin
    return None if span < timedelta(0) else span // timedelta(milliseconds=1)


def opened_at(parcel_id: str) -> datetime:
    """The time in a UUIDv7."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=uuid.UUID(parcel_id).int >> 80)


def cycle(one: Seen) -> int | None:
    return ms(one.inspection.started_at, one.inspection.confirmed_at)


def dock(one: Seen) -> int | None:
    return ms(opened_at(one.inspection.parcel_id), one.inspection.confirmed_at)


def sync(one: Seen) -> int | None:
    return ms(one.inspection.confirmed_at, one.by.at)


def share(standing: list[Seen], holds: Callable[[Seen], bool]) -> int | None:
    return half_up(sum(1 for one in standing if holds(one)), len(standing))


def kpis(everything: list[Seen]) -> dict[str, int | None]:
    """All figures that are exact, of one group."""
    standing = [one for one in everything if one.stands]
    refund = lambda inspection: inspection.decision.refund  # noqa: E731
    named = lambda inspection: (refund(inspection).decision, refund(inspection).amount)  # noqa: E731
    decided = [
        one for one in everything
        if refund(one.inspection).decision in ("full", "partial", "none") and (one.stands or one.corrections)
    ]  # fmt: skip
    wrong = [
        one for one in decided
        if any(
            named(other) != named(one.inspection)
            for other in one.corrections
        )
    ]  # fmt: skip
    both = [one for one in standing if one.inspection.declared_reason and one.inspection.decision.found_reason]
    weights = [one for one in standing if one.inspection.weight is not None]
    mass = sum(one.inspection.weight.gross_mg for one in weights)
    kept = sum(
        one.inspection.weight.gross_mg for one in weights
        if one.inspection.decision.disposition not in ("destroy", "missing")
    )  # fmt: skip
    people_hours = {(one.by.station, one.by.actor, one.day, one.inspection.confirmed_at.astimezone(UTC).hour)
                    for one in standing}  # fmt: skip
    found: dict[str, int | None] = {
        "units": len(standing),
        "units_per_hour": int(Fraction(len(standing) * 1000, len(people_hours)) + Fraction(1, 2))
        if people_hours
        else None,
        "override_rate": share(
            standing, lambda one: any(r.code == "override" for r in one.inspection.decision.reasons)
        ),
        "second_look_rate": share(standing, lambda one: bool(one.inspection.decision.second_look)),
        "reason_agreement": half_up(
            sum(one.inspection.declared_reason == one.inspection.decision.found_reason for one in both), len(both)
        ),
        "evidence_gaps": share(standing, lambda one: bool(one.inspection.skipped)),
        "skipped_weight": share(standing, lambda one: any(s.what == "weight" for s in one.inspection.skipped)),
        "skipped_photo": share(standing, lambda one: any(s.what.startswith("photo:") for s in one.inspection.skipped)),
        "weighed_mg": mass,
        "diverted": half_up(kept, mass),
        "refunds_decided": len(decided),
        "refunds_corrected": half_up(len(wrong), len(decided)),
        "voided": sum(one.voided for one in everything),
        "corrected": sum(bool(one.corrections) for one in everything),
        "handling_ms": sum(min(cycle(one) or 0, 3_600_000) for one in standing),
        "clock_doubtful": sum(time(one) is None for one in standing for time in (cycle, dock, sync)),
    }
    for name in ("restock", "refurbish", "quarantine", "destroy", "missing"):
        found[f"to_{name}"] = share(standing, lambda one, name=name: one.inspection.decision.disposition == name)
    for name in ("match", "wrong_item", "unknown"):
        found[f"is_{name}"] = share(standing, lambda one, name=name: one.inspection.identity == name)
    for name in ("plausible", "too_light", "empty"):
        found[f"weight_{name}"] = share(
            standing,
            lambda one, name=name: one.inspection.judgement is not None and one.inspection.judgement.verdict == name,
        )  # fmt: skip
    found["weight_none"] = share(standing, lambda one: one.inspection.judgement is None)
    for name in ("full", "partial", "none", "manual"):
        found[f"refund_{name}"] = share(standing, lambda one, name=name: refund(one.inspection).decision == name)
    return found


def times(everything: list[Seen]) -> dict[str, int | None]:
    """Exact percentiles, which the histogram's bucket must hold."""
    standing = [one for one in everything if one.stands]
    return {
        f"{name}_p{percent}": nearest_rank([t for one in standing if (t := time(one)) is not None], percent)
        for name, time in (("cycle", cycle), ("dock", dock), ("sync", sync))
        for percent in (50, 90)
    }


def money(everything: list[Seen]) -> dict[str, int | None]:
    """Sums of one currency."""
    standing = [one for one in everything if one.stands]
    refunded = original = recovered = priced = 0
    for one in standing:
        decision = one.inspection.decision
        paid = decision.refund.amount
        refunded += paid.minor if paid else 0
        worth = next((a.value for a in decision.alternatives if a.disposition == decision.disposition), None)
        if paid and worth and decision.refund.decision == "full" and paid.currency == worth.currency:
            priced += 1
            original += paid.minor
            recovered += worth.minor
    return {
        "units": len(standing), "refunded_minor": refunded, "priced": priced, "original_minor": original,
        "recovered_minor": recovered, "recovery_rate": half_up(recovered, original),
    }  # fmt: skip


def currency(one: Seen) -> str:
    decision = one.inspection.decision
    if decision.refund.amount:
        return decision.refund.amount.currency
    worth = next((a.value for a in decision.alternatives if a.disposition == decision.disposition), None)
    return worth.currency if worth else ""


def waiting(received: Iterable[Received]) -> set[tuple[str, str]]:
    """What a lead's queue holds."""
    received = list(received)
    found = set()
    for one in seen(received):
        if one.stands and one.inspection.decision.second_look:
            found.add(("second_look", one.inspection.inspection_id))
        if one.stands and one.inspection.decision.disposition == "quarantine":
            found.add(("quarantined", one.inspection.inspection_id))
    last: dict[tuple[str, str], Received] = {}
    for item in sorted(received, key=lambda item: (item.generation, item.seq)):
        if isinstance(item.record, (Inspection, ParcelClosed, ParcelParked)):
            last[item.station, item.record.parcel_id] = item
    found |= {("parked", name) for (_, name), item in last.items() if isinstance(item.record, ParcelParked)}
    return found

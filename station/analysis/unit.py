"""One inspected unit as the analyses see it, and which units count: those that stand.

An inspection stands unless it was voided, or corrected by one that was not voided (as ``station.store`` and the
centre's figures have it). Of the some 5 kB of a record these fields are read and the rest is passed over, which makes
a hundred thousand units a matter of seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from station.analysis.basis import reasons_left_out
from station.identify.gs1 import looks_like_gs1, read_gs1
from station.identify.text import GS1_AIMS
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, InspectionVoided
from station.journal.entry import Entry
from station.quantities import Money

KINDS: Final = (INSPECTION_CONFIRMED, INSPECTION_VOIDED)
"""Kinds of entries to hand to :func:`units_seen`."""

_HEAVIEST_MG: Final = 10**9
_DEAREST_MINOR: Final = 10**12
_LOT: Final = "10"
"""GS1 application identifier of the batch or lot number."""


@dataclass(frozen=True, slots=True)
class UnitSeen:
    """What one standing inspection says. An empty text = unknown."""

    inspection_id: str
    parcel_id: str
    merchant: str
    rma: str
    sku: str
    category: str
    declared: str
    """Reason code of the customer."""
    found: str
    """Reason code of the inspection; empty = nothing spoke against the goods."""
    identity: str
    disposition: str
    refunded: Money | None
    original: Money | None
    """What was paid; the record says it where all of it is refunded."""
    recovered: Money | None
    """Net value of the way decided."""
    mass_mg: int | None
    """Gross mass; None = not weighed, or more than a tonne."""
    expected_mg: int | None
    """Mass that the catalogue expected; None = none."""
    started_at: datetime | None
    confirmed_at: datetime
    inspector: str
    second_look: bool
    why: str
    """Code of the first reason of the disposition."""
    derogations: tuple[str, ...] = ()
    """Gates that a recorded permission passed."""
    lot: str = ""
    """Batch that a GS1 code on the unit named."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The units of a journal."""

    units: tuple[UnitSeen, ...]
    """In the order confirmed."""
    left_out: tuple[tuple[str, int], ...]


class _Refund(msgspec.Struct, frozen=True):
    decision: str
    amount: Money | None = None


class _Reason(msgspec.Struct, frozen=True):
    code: str


class _Way(msgspec.Struct, frozen=True):
    disposition: str
    value: Money | None = None


class _Gate(msgspec.Struct, frozen=True):
    id: str
    reason: _Reason


class _Decision(msgspec.Struct, frozen=True):
    disposition: str
    refund: _Refund
    found_reason: str | None = None
    second_look: list[_Reason] = []
    reasons: list[_Reason] = []
    alternatives: list[_Way] = []
    gates: list[_Gate] = []


class _Weight(msgspec.Struct, frozen=True):
    gross_mg: int


class _Judgement(msgspec.Struct, frozen=True):
    expected_mg: int | None = None


class _Scan(msgspec.Struct, frozen=True):
    data: bytes


class _Inspection(msgspec.Struct, frozen=True):
    """The part of ``station.inspection.record.Inspection`` that is read."""

    inspection_id: str
    parcel_id: str
    rma: str | None
    merchant_id: str | None
    sku: str | None
    identity: str
    decision: _Decision
    confirmed_at: datetime
    category: str | None = None
    declared_reason: str | None = None
    corrects: str | None = None
    weight: _Weight | None = None
    judgement: _Judgement | None = None
    started_at: datetime | None = None
    scans: list[_Scan] = []


_DECODE: Final = msgspec.json.Decoder(_Inspection)
_DECODE_VOID: Final = msgspec.json.Decoder(InspectionVoided)


def units_seen(
    entries: Iterable[Entry], *, begin: datetime | None = None, end: datetime | None = None, merchant: str | None = None
) -> Seen:
    """Read the units that stand.

    Args:
        entries: a journal, in any order; other kinds are passed over.
        begin: leave out what was confirmed before; aware.
        end: leave out what was confirmed at this moment or later.
        merchant: only this merchant's.
    """
    why: Counter[str] = Counter()
    made: dict[str, UnitSeen] = {}
    corrects: dict[str, str] = {}
    voided: set[str] = set()
    for entry in entries:
        if entry.kind not in KINDS:
            continue
        if entry.payload is None:
            why["its personal data was erased"] += entry.kind == INSPECTION_CONFIRMED
            continue
        try:
            if entry.kind == INSPECTION_VOIDED:
                voided.add(_DECODE_VOID.decode(entry.payload).inspection_id)
                continue
            fact = _DECODE.decode(entry.payload)
        except msgspec.MsgspecError:
            why["cannot be read by this version"] += 1
            continue
        made[fact.inspection_id] = _unit(fact, entry.actor)
        if fact.corrects is not None:
            corrects[fact.inspection_id] = fact.corrects
    corrected = {before for after, before in corrects.items() if after not in voided}
    units = []
    for unit in made.values():
        if unit.inspection_id in voided:
            why["voided"] += 1
        elif unit.inspection_id in corrected:
            why["corrected by a later inspection"] += 1
        elif (begin is not None and unit.confirmed_at < begin) or (end is not None and unit.confirmed_at >= end):
            why["outside the period"] += 1
        elif merchant is not None and unit.merchant != merchant:
            why["of other merchants"] += 1
        else:
            units.append(unit)
    units.sort(key=lambda unit: (unit.confirmed_at, unit.inspection_id))
    return Seen(tuple(units), reasons_left_out(why))


def _unit(fact: _Inspection, inspector: str) -> UnitSeen:
    decision, refund = fact.decision, fact.decision.refund
    paid = _sane(refund.amount)
    worth = next((way.value for way in decision.alternatives if way.disposition == decision.disposition), None)
    mass = fact.weight.gross_mg if fact.weight is not None else 0
    return UnitSeen(
        inspection_id=fact.inspection_id,
        parcel_id=fact.parcel_id,
        merchant=fact.merchant_id or "",
        rma=fact.rma or "",
        sku=fact.sku or "",
        category=fact.category or "",
        declared=fact.declared_reason or "",
        found=decision.found_reason or "",
        identity=fact.identity,
        disposition=decision.disposition,
        refunded=paid,
        original=paid if refund.decision == "full" else None,
        recovered=_sane(worth) if paid is None or worth is None or worth.currency == paid.currency else None,
        mass_mg=mass if 0 < mass <= _HEAVIEST_MG else None,
        expected_mg=fact.judgement.expected_mg if fact.judgement is not None else None,
        started_at=_aware(fact.started_at) if fact.started_at is not None else None,
        confirmed_at=_aware(fact.confirmed_at),
        inspector=inspector,
        second_look=bool(decision.second_look),
        why=decision.reasons[0].code if decision.reasons else "",
        derogations=tuple(gate.id for gate in decision.gates if gate.reason.code.endswith("_derogation")),
        lot=next(_lots(fact.scans), ""),
    )


def _sane(money: Money | None) -> Money | None:
    return money if money is not None and abs(money.minor) <= _DEAREST_MINOR else None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _lots(scans: Iterable[_Scan]) -> Iterator[str]:
    """Batch numbers in the GS1 codes of a unit."""
    for scan in scans:
        if _LOT.encode() not in scan.data:  # most codes are done with here; reading GS1 data takes long
            continue
        text = scan.data.decode("ascii", "replace").lstrip("\x02")
        aim = text[:3] if text.startswith("]") else None
        if aim is None and not looks_like_gs1(text, None):
            continue
        if aim is not None and aim not in GS1_AIMS:
            continue
        found = read_gs1(text[3:] if aim is not None else text, aim)
        if found is not None:
            yield from (value for ai, value in found.elements if ai == _LOT)

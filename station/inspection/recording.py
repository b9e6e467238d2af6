"""The draft of one unit → the case a decision is made from → the inspection that goes into the journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from station.decision.goods_dates import marked
from station.decision.model import Case, Decision, Earlier, Reason
from station.errors import Defect
from station.inspection.draft import Draft, LineState, Log, UnitDraft, step_times
from station.inspection.facts import IdentityOutcome
from station.inspection.protocol import ALWAYS, Protocol, Shot
from station.inspection.record import Basis, Inspection
from station.returns.model import CatalogueItem, Parcel, Trait

BARE_PROTOCOL = Protocol(
    id="hold",
    version=1,
    title="Goods without a protocol",
    categories=(),
    shots=(Shot("front", "Front", "Lay it flat, front up", ALWAYS),),
    questions=(),
)
"""For a unit that no protocol covers: it is weighed, photographed and held. Nobody is asked anything."""

ASKED_SECOND_LOOK = Reason("asked_by_inspector", "The inspector asked for a second look")
PHOTO_AGAIN = Reason("look_photo_again", "A photo shows the same as a photo of another unit")


def case_of(
    draft: Draft, unit: UnitDraft, protocol: Protocol, at: datetime, earlier: tuple[Earlier, ...] = (), market: str = ""
) -> Case:
    """Everything the decision may look at.

    Args:
        earlier: other inspections of this unit.
        market: where the site sells again; empty = not known.
    """
    parcel = draft.parcel
    line = draft.line(unit.line)
    on_pack = marked(unit.scans, at.date())
    return Case(
        at=parcel.opened_at if parcel is not None else at,
        identity=unit.identity,
        merchant=parcel.merchant if parcel is not None else None,
        item=unit.item,
        authorisation=parcel.authorisation if parcel is not None else None,
        line=line.line if line is not None else None,
        protocol=None if protocol is BARE_PROTOCOL else protocol,
        answers=unit.answers,
        weight=unit.judgement,
        skipped=unit.skipped,
        flags=tuple(_flags(unit)),
        serial_found=unit.serial_found,
        lot=on_pack.lot,
        made=on_pack.made,
        dates=on_pack.dates,
        derogations=unit.derogations,
        gate_acts=unit.gate_acts,
        earlier=earlier,
        market=market,
    )


def _flags(unit: UnitDraft) -> Iterator[Reason]:
    if unit.second_look_asked:
        yield ASKED_SECOND_LOOK
    if any(photo.resembles is not None for photo in unit.photos):
        yield PHOTO_AGAIN


def weighed_as(item: CatalogueItem | None, protocol: Protocol) -> CatalogueItem | None:
    """The article with the protocol's tolerance where the catalogue gives none of its own."""
    if item is None or item.mass_tolerance_mg is not None:
        return item
    tolerance = protocol.weighing.tolerance_mg(item.mass_mg)
    return item if tolerance is None else replace(item, mass_tolerance_mg=tolerance)


def traits_of(unit: UnitDraft) -> tuple[Trait, ...]:
    return unit.item.traits if unit.item is not None else ()


def declared_reason(line: LineState | None) -> str | None:
    return line.line.declared_reason if line is not None else None


def inspection_of(
    draft: Draft, log: Log, unit: UnitDraft, protocol: Protocol, decision: Decision, inspection_id: str, now: datetime,
    earlier: tuple[Earlier, ...] = (), market: str = "",
) -> Inspection:  # fmt: skip
    """Build the record of one confirmed unit."""
    parcel = draft.parcel
    if parcel is None:
        raise Defect("a unit was confirmed without a parcel")
    line = draft.line(unit.line)
    answered = unit.answered
    chosen = [
        choice
        for question in protocol.questions
        if (choice := question.choice(answered.get(question.id, ""))) is not None
    ]
    authorisation = parcel.authorisation
    return Inspection(
        inspection_id=inspection_id,
        unit_id=unit.unit_id,
        lpn=unit.lpn,
        parcel_id=parcel.id,
        rma=authorisation.id if authorisation is not None else None,
        merchant_id=parcel.merchant.id if parcel.merchant is not None else None,
        line=unit.line,
        sku=unit.item.sku if unit.item is not None else (line.line.sku if line is not None else None),
        gtin=unit.gtin,
        title=title_of(unit, line),
        category=unit.item.category if unit.item is not None else None,
        serial_declared=line.line.serial if line is not None else None,
        serial_found=unit.serial_found,
        identity=unit.identity,
        scans=unit.scans,
        weight=unit.weight,
        judgement=unit.judgement,
        photos=unit.photos,
        answers=unit.answers,
        defects=tuple(defect for choice in chosen for defect in choice.defects),
        declared_reason=declared_reason(line),
        decision=decision,
        skipped=unit.skipped,
        timings=step_times(log, unit.unit_id, now),
        corrects=log.corrects.get(unit.unit_id),
        started_at=unit.started_at,
        confirmed_at=now,
        serial_photo=unit.serial_photo,
        gate_acts=unit.gate_acts,
        derogations=unit.derogations,
        earlier=earlier,
        market=market,
        basis=basis_of(parcel, unit.item),
    )


def basis_of(parcel: Parcel, item: CatalogueItem | None) -> Basis:
    """What the decision was made from besides the unit itself."""
    order = parcel.authorisation
    if order is not None:
        lines = tuple(replace(line, comment=None) for line in order.lines)
        order = replace(order, lines=lines, tracking=(), lpns=())
    return Basis(parcel.opened_at, parcel.merchant, item, order)


def title_of(unit: UnitDraft, line: LineState | None) -> str:
    """The article's name, or the code that was scanned when nobody knows the article."""
    if unit.item is not None:
        return unit.item.title
    if line is not None and unit.identity in (IdentityOutcome.MATCH, IdentityOutcome.MISSING):
        return line.line.sku
    return unit.scans[-1].data.decode("utf-8", "replace")

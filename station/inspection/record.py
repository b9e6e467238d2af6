"""What goes into the journal, one dataclass per kind of entry. These shapes are for ever: change them by a new schema.

``bytes`` fields are written as base64, datetimes as ISO 8601, enums as their text (msgspec's JSON rules).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from station.decision.model import Decision, Derogation, Earlier, GateAct
from station.identify.scan import RawScan
from station.inspection.facts import (
    Answer,
    IdentityOutcome,
    Photo,
    Skipped,
    StepTime,
    WeightJudgement,
    WeightReading,
)
from station.returns.model import ArrivalKind, CatalogueItem, Merchant, ReturnAuthorisation
from station.review.draw import Draw

PARCEL_OPENED = "parcel.opened"
PARCEL_PARKED = "parcel.parked"
PARCEL_CLOSED = "parcel.closed"
INSPECTION_CONFIRMED = "inspection.confirmed"
INSPECTION_VOIDED = "inspection.voided"
LABEL_PRINTED = "label.printed"
JOURNAL_GENERATION = "journal.generation"


@dataclass(frozen=True, slots=True)
class ParcelOpened:
    """A parcel was put on the bench and its first code was read."""

    parcel_id: str
    arrival: ArrivalKind
    scan: RawScan
    rma: str | None
    merchant_id: str | None
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class ParcelParked:
    """A parcel was set aside unfinished; its draft stays on this bench."""

    parcel_id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ParcelClosed:
    """The last unit of a parcel is done, or the next parcel was opened."""

    parcel_id: str
    units: int
    missing_lines: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Basis:
    """What catalogue and order said when the unit was decided, so that it can be decided again without them.

    Customers' words, tracking numbers and plates are left out: no decision reads them.
    """

    at: datetime
    """The moment that windows and prices were counted to: when the parcel was opened."""
    merchant: Merchant | None
    item: CatalogueItem | None
    authorisation: ReturnAuthorisation | None


@dataclass(frozen=True, slots=True)
class Signalled:
    """What the signals said of a unit, so that what a second look finds can be counted for them."""

    signals: tuple[str, ...]
    """All that fired, heaviest first, also those that did not lead to a flag."""
    score_milli: int
    """Log-odds × 1000 that a second look finds something."""
    versions: tuple[tuple[str, str], ...]
    """(book, name, version and sha256) that they were asked by."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection of one unit; immutable once confirmed. A correction is a new one that names what it corrects."""

    inspection_id: str
    unit_id: str
    lpn: str
    parcel_id: str
    rma: str | None
    merchant_id: str | None
    line: int | None
    sku: str | None
    gtin: str | None
    title: str
    category: str | None
    serial_declared: str | None
    serial_found: str | None
    identity: IdentityOutcome
    scans: tuple[RawScan, ...]
    weight: WeightReading | None
    judgement: WeightJudgement | None
    photos: tuple[Photo, ...]
    answers: tuple[Answer, ...]
    defects: tuple[tuple[str, str], ...]
    declared_reason: str | None
    decision: Decision
    skipped: tuple[Skipped, ...]
    timings: tuple[StepTime, ...]
    corrects: str | None
    started_at: datetime
    confirmed_at: datetime
    serial_photo: str | None = None
    """SHA-256 of the photo that ``serial_found`` was read in; None = it was scanned, or is not known."""
    gate_acts: tuple[GateAct, ...] = ()
    """What people did to its gates besides answering, with who signed."""
    derogations: tuple[Derogation, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    """Other inspections of this unit as they were known: what they found counts."""
    market: str = ""
    """Where it would be sold again, e.g. ``DE``; empty = not known."""
    basis: Basis | None = None
    """None = recorded before this was kept."""
    audit: Draw | None = None
    """Whether it was drawn for the audit, under which plan; None = there was none."""
    signalled: Signalled | None = None
    """None = no signals were asked for, or it was recorded before this was kept."""


@dataclass(frozen=True, slots=True)
class InspectionVoided:
    """The compensating entry of an undo after CONFIRM."""

    inspection_id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LabelPrinted:
    """A label left for the printer; ``copy`` counts reprints (0 = the original)."""

    job_id: str
    lpn: str
    copy: int
    at: datetime


@dataclass(frozen=True, slots=True)
class GenerationBegun:
    """The first entry of a new chain: the one before cannot go on, because its disk was restored or copied."""

    before: int
    """The generation that ends here."""
    before_seq: int
    """Its last entry on this disk; 0 = it had none."""
    before_hash: str
    reason: str
    """A sentence for a person."""
    at: datetime

"""What the bench shows after each event: one frozen value, everything a screen needs and nothing it must look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from station.decision.model import Decision
from station.identify.commands import Command
from station.inspection.facts import IdentityOutcome, Photo, WeightJudgement, WeightReading
from station.inspection.ports import RecentUnit, ShiftFigures
from station.inspection.protocol import Question, Shortcut, Shot
from station.quantities import Money


class State(StrEnum):
    """Where the flow stands. The workflow table is the only place that knows what comes next."""

    IDLE = "idle"
    """Waiting for a parcel."""
    ITEM = "item"
    """A return is open; waiting for the item's code."""
    MISMATCH = "mismatch"
    """The scanned item is not the one announced; waiting for the right one or for WRONG ITEM."""
    WEIGHT = "weight"
    WEIGHT_CHECK = "weight_check"
    """The weight disagrees; the inspector looks and says what is so."""
    PHOTOS = "photos"
    QUESTIONS = "questions"
    CONFIRM = "confirm"
    """The decision is shown and needs an explicit CONFIRM."""
    DONE = "done"
    """Recorded. The result stays on the screen until the next scan."""


class Step(StrEnum):
    """The six steps at the bottom of the screen."""

    PARCEL = "parcel"
    ITEM = "item"
    WEIGHT = "weight"
    PHOTOS = "photos"
    QUESTIONS = "questions"
    DECISION = "decision"


class Band(StrEnum):
    """The only thing seen from two metres."""

    IDLE = "idle"
    ACCEPT = "accept"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Notice:
    """What the band says: a code and the facts to fill its sentence with. Stays until answered."""

    band: Band
    code: str
    """Key of the sentence, e.g. ``scan_parcel``; the screens hold the words in every language."""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemCard:
    """Left column: what it should be."""

    title: str
    picture: str | None
    sku: str | None
    gtin: str | None
    rma: str | None
    merchant: str | None
    declared_reason: str | None
    comment: str | None
    ordered_at: datetime | None
    delivered_at: datetime | None
    paid: Money | None
    policy: str | None
    """Policy profile's name."""
    policy_days: int | None
    """Days of the return window for this item; None = unknown."""
    serial: str | None
    position: int
    """This unit's number within the return, from 1."""
    of: int


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Expected and scanned, side by side."""

    outcome: IdentityOutcome
    expected: tuple[ItemCard, ...]
    scanned_text: str
    scanned_title: str | None
    scanned_picture: str | None


@dataclass(frozen=True, slots=True)
class ShotSlot:
    """One slot of the evidence column."""

    shot: Shot
    photo: Photo | None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class BenchView:
    """The whole bench."""

    state: State
    step: Step
    notice: Notice
    actions: tuple[Command, ...]
    """What can be done now, most useful first: the screen shows exactly these."""
    item: ItemCard | None = None
    others: tuple[ItemCard, ...] = ()
    """Further open units of the same return."""
    mismatch: Mismatch | None = None
    weight: WeightReading | None = None
    judgement: WeightJudgement | None = None
    expected_mg: int | None = None
    tolerance_mg: int | None = None
    shots: tuple[ShotSlot, ...] = ()
    current_shot: Shot | None = None
    question: Question | None = None
    question_number: int = 0
    question_count: int = 0
    shortcuts: tuple[Shortcut, ...] = ()
    decision: Decision | None = None
    lpn: str | None = None
    serial_found: str | None = None
    unit_seconds: int | None = None
    """Time this unit took, once done."""
    unit_started_at: datetime | None = None
    recent: tuple[RecentUnit, ...] = ()
    figures: ShiftFigures | None = None
    undo_depth: int = 0
    wants_weight: bool = False
    wants_photo: bool = False
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The protocol's translations: language → English text → text."""


class Tone(StrEnum):
    """Sound by outcome, distinct in rhythm."""

    ACCEPT = "accept"
    REJECT = "reject"
    ATTENTION = "attention"
    TICK = "tick"


@dataclass(frozen=True, slots=True)
class LabelJob:
    """One licence plate to print; the job is in the journal before it goes to the printer."""

    job_id: str
    lpn: str
    title: str
    grade: str | None
    disposition: str
    tote: str
    copy: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one event led to."""

    view: BenchView
    tone: Tone | None = None
    labels: tuple[LabelJob, ...] = ()
    asks: tuple[Command, ...] = ()
    """Actions that are the window's business, however they were given: PHOTO, HELP, and CONFIRM of what was typed."""

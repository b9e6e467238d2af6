"""The parcel in work, as a log of events that is saved before the screen changes.

A log holds one parcel from its first scan to the last unit; ``replay`` folds it into a ``Draft``. Undo drops the last
step from the log. The state after each event is stored with it (package docstring).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

import msgspec

from station.decision.model import Derogation, GateAct
from station.errors import InvalidInput
from station.identify.scan import RawScan
from station.inspection.facts import (
    Answer,
    IdentityOutcome,
    Photo,
    Skipped,
    StepTime,
    WeightJudgement,
    WeightReading,
    WeightVerdict,
)
from station.inspection.protocol import Protocol
from station.inspection.view import State
from station.inspection.workflow import Event
from station.returns.model import CatalogueItem, Parcel, ReturnLine

SCHEMA = 1


class LineState(msgspec.Struct, frozen=True):
    """One announced line with its article and how many of its units were done when the parcel was opened."""

    line: ReturnLine
    item: CatalogueItem | None
    done_before: int


class ParcelOpenedEvent(msgspec.Struct, frozen=True, tag="parcel_opened"):
    parcel: Parcel
    lines: tuple[LineState, ...]
    scan: RawScan
    given_lpn: str | None
    """Licence plate that was scanned to open it; the unit keeps it."""


class IdentifiedEvent(msgspec.Struct, frozen=True, tag="identified"):
    unit_id: str
    lpn: str
    new_lpn: bool
    """True = we made the plate, so a label must be printed."""
    identity: IdentityOutcome
    line: int | None
    item: CatalogueItem | None
    protocol_id: str
    protocol_version: int
    gtin: str | None
    serial_found: str | None
    scan: RawScan


class MismatchedEvent(msgspec.Struct, frozen=True, tag="mismatched"):
    outcome: IdentityOutcome
    scan: RawScan
    text: str
    item: CatalogueItem | None
    line: int | None
    serial_found: str | None
    gtin: str | None


class MismatchDroppedEvent(msgspec.Struct, frozen=True, tag="mismatch_dropped"):
    pass


class WeighedEvent(msgspec.Struct, frozen=True, tag="weighed"):
    reading: WeightReading
    judgement: WeightJudgement


class WeighAgainEvent(msgspec.Struct, frozen=True, tag="weigh_again"):
    pass


class WeightExplainedEvent(msgspec.Struct, frozen=True, tag="weight_explained"):
    answer: Answer


class PhotographedEvent(msgspec.Struct, frozen=True, tag="photographed"):
    photo: Photo


class AnsweredEvent(msgspec.Struct, frozen=True, tag="answered"):
    answers: tuple[Answer, ...]


class SkippedEvent(msgspec.Struct, frozen=True, tag="skipped"):
    skipped: Skipped


class SerialSeenEvent(msgspec.Struct, frozen=True, tag="serial_seen"):
    """A photo of this unit shows its serial number."""

    serial: str
    photo: str
    """SHA-256."""


class SecondLookEvent(msgspec.Struct, frozen=True, tag="second_look"):
    pass


class GateActedEvent(msgspec.Struct, frozen=True, tag="gate_acted"):
    act: GateAct


class PermittedEvent(msgspec.Struct, frozen=True, tag="permitted"):
    derogation: Derogation


class ConfirmedEvent(msgspec.Struct, frozen=True, tag="confirmed"):
    inspection_id: str
    line: int | None
    by_answer: bool
    """The last answer confirmed it; False = an explicit CONFIRM."""


DraftEvent: TypeAlias = (
    ParcelOpenedEvent
    | IdentifiedEvent
    | MismatchedEvent
    | MismatchDroppedEvent
    | WeighedEvent
    | WeighAgainEvent
    | WeightExplainedEvent
    | PhotographedEvent
    | AnsweredEvent
    | SkippedEvent
    | SerialSeenEvent
    | SecondLookEvent
    | GateActedEvent
    | PermittedEvent
    | ConfirmedEvent
)

_BY_DEVICE = (WeighedEvent, PhotographedEvent, SerialSeenEvent, ConfirmedEvent)
"""Undo passes over these: they come by themselves after what the inspector did."""


def event_of(event: DraftEvent) -> Event:
    """The workflow's name for a logged event."""
    return Event(str(event.__struct_config__.tag))


class Record(msgspec.Struct, frozen=True):
    """One event, when it happened and the state it led to."""

    event: DraftEvent
    at: datetime
    state: State


class Log(msgspec.Struct, frozen=True):
    """One parcel's events, and which inspections were taken back and must be named by their correction."""

    records: tuple[Record, ...] = ()
    corrects: dict[str, str] = {}
    """unit id → inspection that was voided."""
    protocols: dict[str, Protocol] = {}
    """``id@version`` → the protocol that a unit here was begun with: it goes on under it, whatever is published."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class UnitDraft:
    """The unit on the bench."""

    unit_id: str
    lpn: str
    new_lpn: bool
    identity: IdentityOutcome
    line: int | None
    item: CatalogueItem | None
    protocol_id: str
    protocol_version: int
    gtin: str | None
    serial_found: str | None
    started_at: datetime
    scans: tuple[RawScan, ...]
    weight: WeightReading | None = None
    judgement: WeightJudgement | None = None
    weight_explained: bool = False
    photos: tuple[Photo, ...] = ()
    answers: tuple[Answer, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    second_look_asked: bool = False
    serial_photo: str | None = None
    """SHA-256 of the photo that ``serial_found`` was read in; None = it was scanned, or is not known."""
    inspection_id: str | None = None
    """Set once confirmed."""
    gate_acts: tuple[GateAct, ...] = ()
    derogations: tuple[Derogation, ...] = ()

    @property
    def answered(self) -> Mapping[str, str]:
        return {answer.question: answer.choice for answer in self.answers}

    @property
    def weight_in_doubt(self) -> bool:
        """The weight disagrees and nobody has said why yet."""
        doubtful = (WeightVerdict.TOO_LIGHT, WeightVerdict.TOO_HEAVY, WeightVerdict.EMPTY)
        return self.judgement is not None and self.judgement.verdict in doubtful and not self.weight_explained


@dataclass(frozen=True, slots=True)
class Draft:
    """The parcel on the bench, folded from its log."""

    state: State = State.IDLE
    parcel: Parcel | None = None
    lines: tuple[LineState, ...] = ()
    unit: UnitDraft | None = None
    mismatch: MismatchedEvent | None = None
    given_lpn: str | None = None
    confirmed: tuple[tuple[str, int | None], ...] = ()
    """(inspection id, line) of units done in this session of the parcel."""

    def open_units(self, line: LineState) -> int:
        """Units of a line that still wait for their inspection."""
        done_here = sum(1 for _, number in self.confirmed if number == line.line.line)
        return line.line.quantity - line.done_before - done_here

    @property
    def open_lines(self) -> tuple[LineState, ...]:
        return tuple(line for line in self.lines if self.open_units(line) > 0)

    def line(self, number: int | None) -> LineState | None:
        return next((line for line in self.lines if line.line.line == number), None)


EMPTY = Draft()


def apply(draft: Draft, event: DraftEvent, at: datetime) -> Draft:
    """Fold one event into the draft; the state is set by the caller from the table."""
    match event:
        case ParcelOpenedEvent():
            return Draft(parcel=event.parcel, lines=event.lines, given_lpn=event.given_lpn)
        case IdentifiedEvent():
            return replace(draft, mismatch=None, unit=_new_unit(draft, event, at))
        case MismatchedEvent():
            return replace(draft, mismatch=event, unit=None)
        case MismatchDroppedEvent():
            return replace(draft, mismatch=None)
        case ConfirmedEvent():
            confirmed = (*draft.confirmed, (event.inspection_id, event.line))
            unit = replace(_unit(draft), inspection_id=event.inspection_id)
            return replace(draft, confirmed=confirmed, unit=unit, given_lpn=None)
        case _:
            return replace(draft, unit=_apply_to_unit(_unit(draft), event))


def _new_unit(draft: Draft, event: IdentifiedEvent, at: datetime) -> UnitDraft:
    earlier = (draft.mismatch.scan,) if draft.mismatch is not None else ()
    scans = earlier if event.scan in earlier else (*earlier, event.scan)
    return UnitDraft(
        unit_id=event.unit_id,
        lpn=event.lpn,
        new_lpn=event.new_lpn,
        identity=event.identity,
        line=event.line,
        item=event.item,
        protocol_id=event.protocol_id,
        protocol_version=event.protocol_version,
        gtin=event.gtin,
        serial_found=event.serial_found,
        started_at=at,
        scans=scans,
    )


def _apply_to_unit(unit: UnitDraft, event: DraftEvent) -> UnitDraft:
    match event:
        case WeighedEvent():
            return replace(unit, weight=event.reading, judgement=event.judgement, weight_explained=False)
        case WeighAgainEvent():
            return replace(unit, weight=None, judgement=None)
        case WeightExplainedEvent():
            return replace(unit, weight_explained=True, answers=(*unit.answers, event.answer))
        case PhotographedEvent():
            return replace(unit, photos=(*unit.photos, event.photo))
        case AnsweredEvent():
            return replace(unit, answers=(*unit.answers, *event.answers))
        case SkippedEvent():
            return replace(unit, skipped=(*unit.skipped, event.skipped))
        case SerialSeenEvent():
            return replace(unit, serial_found=event.serial, serial_photo=event.photo)
        case SecondLookEvent():
            return replace(unit, second_look_asked=True)
        case GateActedEvent():
            return replace(unit, gate_acts=(*unit.gate_acts, event.act))
        case PermittedEvent():
            return replace(unit, derogations=(*unit.derogations, event.derogation))
        case _:
            raise InvalidInput(f"event {event!r} does not belong to a unit")


def _unit(draft: Draft) -> UnitDraft:
    if draft.unit is None:
        raise InvalidInput("the saved draft has an event for a unit before any unit was identified")
    return draft.unit


def replay(log: Log) -> Draft:
    """Fold a whole log."""
    draft = EMPTY
    for record in log.records:
        draft = replace(apply(draft, record.event, record.at), state=record.state)
    return draft


def protocol_key(protocol_id: str, version: int) -> str:
    return f"{protocol_id}@{version}"


def with_protocol(log: Log, protocol: Protocol) -> Log:
    """The log with a protocol kept in it, once."""
    key = protocol_key(protocol.id, protocol.version)
    if key in log.protocols:
        return log
    return msgspec.structs.replace(log, protocols={**log.protocols, key: protocol})


def append(log: Log, event: DraftEvent, at: datetime, state: State) -> Log:
    return msgspec.structs.replace(log, records=(*log.records, Record(event, at, state)))


def without_last_step(log: Log) -> Log:
    """The log before the inspector's last act; what devices did by themselves after it goes too."""
    records = log.records
    if records and isinstance(records[-1].event, ConfirmedEvent) and not records[-1].event.by_answer:
        return msgspec.structs.replace(log, records=records[:-1])
    while records and isinstance(records[-1].event, _BY_DEVICE):
        records = records[:-1]
    return msgspec.structs.replace(log, records=records[:-1])


def step_times(log: Log, unit_id: str, now: datetime) -> tuple[StepTime, ...]:
    """Milliseconds spent waiting at each state since the unit was identified, in order of first visit."""
    spent: dict[str, int] = {}
    counting = False
    for index, record in enumerate(log.records):
        if isinstance(record.event, IdentifiedEvent):
            counting = record.event.unit_id == unit_id
        if not counting:
            continue
        until = log.records[index + 1].at if index + 1 < len(log.records) else now
        elapsed_ms = max(0, int((until - record.at).total_seconds() * 1000))
        spent[record.state.value] = spent.get(record.state.value, 0) + elapsed_ms
    return tuple(StepTime(step, milliseconds) for step, milliseconds in spent.items())


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Log)


def dump(log: Log) -> bytes:
    """Bytes to save."""
    return _encoder.encode(log)


def load(data: bytes) -> Log:
    """Read saved bytes.

    Raises:
        InvalidInput: damaged, or written by a newer program.
    """
    try:
        log = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"the saved draft cannot be read: {error}") from error
    if log.schema > SCHEMA:
        raise InvalidInput(f"the saved draft has schema {log.schema}, this program reads up to {SCHEMA}: update it")
    return log

"""Who said what of the same item: the first inspection, the blind ones, and what people agreed on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from station.analysis.basis import reasons_left_out
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, InspectionVoided
from station.journal.entry import Entry
from station.review.agreement.planted import GOLDEN, PLANTED, PREFIX, Golden, Planted

BLIND_CONFIRMED: Final = PREFIX + INSPECTION_CONFIRMED
BLIND_VOIDED: Final = PREFIX + INSPECTION_VOIDED
KINDS: Final = (INSPECTION_CONFIRMED, INSPECTION_VOIDED, BLIND_CONFIRMED, BLIND_VOIDED, PLANTED, GOLDEN)
"""Kinds of entries to hand to :func:`read_ratings`."""


class Origin(StrEnum):
    FIRST = "first"
    """The inspection of the real goods."""
    BLIND = "blind"
    AGREED = "agreed"
    """What several people agreed on looking together: the reference."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What one person said of one item."""

    inspection_id: str
    origin: Origin
    inspector: str
    """Empty for what was agreed on."""
    category: str
    protocol: str
    """``id@version``; answers of other versions may mean something else."""
    scheme: str
    """Grading scheme; empty = it got no grade."""
    grade: str
    answers: Mapping[str, str]
    defects: frozenset[str]
    """Kinds of defects that were found."""
    photos: tuple[tuple[str, str], ...]
    """(shot, SHA-256)."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One item and everything that was said of it, in the order said."""

    subject: str
    """Inspection that the item is known by."""
    ratings: tuple[Rating, ...]

    @property
    def people(self) -> tuple[Rating, ...]:
        """Without what was agreed on."""
        return tuple(rating for rating in self.ratings if rating.origin is not Origin.AGREED)

    def reference_for(self, inspector: str) -> Rating | None:
        """What a person's own rating is compared with: what was agreed on, else what the first other person said."""
        agreed = next((rating for rating in self.ratings if rating.origin is Origin.AGREED), None)
        return agreed or next((rating for rating in self.ratings if rating.inspector != inspector), None)


@dataclass(frozen=True, slots=True)
class Ratings:
    """The items that more than one person rated, or that were agreed on."""

    items: tuple[Item, ...]
    left_out: tuple[tuple[str, int], ...]

    def of(self, inspector: str) -> Iterator[tuple[Rating, Rating]]:
        """A person's ratings, each with its reference, in the order in which both were known."""
        pairs = [
            (own, reference)
            for item in self.items
            for own in item.people
            if own.inspector == inspector and (reference := item.reference_for(inspector)) is not None
        ]
        yield from sorted(pairs, key=lambda pair: (max(pair[0].at, pair[1].at), pair[0].inspection_id))

    @property
    def inspectors(self) -> tuple[str, ...]:
        """In alphabetical order: there is no other."""
        return tuple(sorted({rating.inspector for item in self.items for rating in item.people}))


class _Answer(msgspec.Struct, frozen=True):
    question: str
    choice: str


class _Photo(msgspec.Struct, frozen=True):
    sha256: str
    shot: str


class _Grade(msgspec.Struct, frozen=True):
    code: str
    scheme: str


class _Decision(msgspec.Struct, frozen=True):
    grade: _Grade | None = None
    versions: list[tuple[str, str]] = []


class _Inspection(msgspec.Struct, frozen=True):
    """The part of ``station.inspection.record.Inspection`` that is read."""

    inspection_id: str
    rma: str | None
    merchant_id: str | None
    category: str | None
    answers: list[_Answer]
    defects: list[tuple[str, str]]
    photos: list[_Photo]
    decision: _Decision
    confirmed_at: datetime


_READ: Final = msgspec.json.Decoder(_Inspection)
_READ_VOID: Final = msgspec.json.Decoder(InspectionVoided)
_READ_PLANTED: Final = msgspec.json.Decoder(Planted)
_READ_GOLDEN: Final = msgspec.json.Decoder(Golden)


def planted_in(entries: Iterable[Entry]) -> tuple[Planted, ...]:
    """What was planted so far."""
    found = (entry.payload for entry in entries if entry.kind == PLANTED and entry.payload is not None)
    return tuple(_READ_PLANTED.decode(payload) for payload in found)


def golden_in(entries: Iterable[Entry]) -> dict[str, Golden]:
    """What was agreed on, by the inspection it is about; the latest counts."""
    found = (entry.payload for entry in entries if entry.kind == GOLDEN and entry.payload is not None)
    return {golden.inspection_id: golden for golden in map(_READ_GOLDEN.decode, found)}


def read_ratings(entries: Sequence[Entry]) -> Ratings:
    """Put together what was said of the same item.

    Args:
        entries: journals, read twice; other kinds are passed over.
    """
    planted = {(one.merchant_id, one.rma): one for one in planted_in(entries)}
    golden = golden_in(entries)
    wanted = {one.subject for one in planted.values()} | golden.keys()
    why: Counter[str] = Counter()
    said: dict[str, list[Rating]] = defaultdict(list)
    for entry, fact in _inspections(entries, wanted, why):
        if entry.kind == INSPECTION_CONFIRMED:
            said[fact.inspection_id].append(_rating(fact, entry.actor, Origin.FIRST))
            continue
        plant = planted.get((fact.merchant_id or "", fact.rma or ""))
        if plant is None:
            why["of a return that nobody planted"] += 1
        elif entry.actor in plant.not_by:
            why["inspected again by somebody who had seen the unit before"] += 1
        else:
            said[plant.subject].append(_rating(fact, entry.actor, Origin.BLIND))
    for name, agreed in golden.items():
        model = next((rating for rating in said.get(name, ()) if rating.origin is Origin.FIRST), None)
        if model is None:
            why["golden items whose own inspection is not in this journal"] += 1
            continue
        said[name].append(_agreed(agreed, model))
    items = []
    for subject, ratings in sorted(said.items()):
        if len({(rating.origin is Origin.AGREED, rating.inspector) for rating in ratings}) > 1:
            items.append(Item(subject, tuple(sorted(ratings, key=lambda one: (one.at, one.inspection_id)))))
        else:
            why["waiting for a second person"] += 1
    return Ratings(tuple(items), reasons_left_out(why))


def _inspections(entries: Sequence[Entry], wanted: set[str], why: Counter[str]) -> Iterator[tuple[Entry, _Inspection]]:
    """Real inspections that are looked at again, and blind ones, those taken back left out."""
    voided = {
        _READ_VOID.decode(entry.payload).inspection_id
        for entry in entries
        if entry.kind in (INSPECTION_VOIDED, BLIND_VOIDED) and entry.payload is not None
    }
    for entry in entries:
        if entry.kind not in (INSPECTION_CONFIRMED, BLIND_CONFIRMED) or entry.payload is None:
            continue
        is_blind = entry.kind == BLIND_CONFIRMED
        # Of a hundred thousand inspections a few hundred are wanted: the id is found in the bytes first.
        if not is_blind and _id_in(entry.payload) not in wanted:
            continue
        try:
            fact = _READ.decode(entry.payload)
        except msgspec.MsgspecError:
            why["cannot be read by this version"] += 1
            continue
        if fact.inspection_id in voided:
            why["voided"] += 1
            continue
        yield entry, fact


class _Id(msgspec.Struct, frozen=True):
    inspection_id: str


_READ_ID: Final = msgspec.json.Decoder(_Id)


def _id_in(payload: bytes) -> str:
    try:
        return _READ_ID.decode(payload).inspection_id
    except msgspec.MsgspecError:
        return ""


def _rating(fact: _Inspection, inspector: str, origin: Origin) -> Rating:
    grade = fact.decision.grade
    protocol = next((text.partition(" ")[0] for what, text in fact.decision.versions if what == "protocol"), "")
    at = fact.confirmed_at
    return Rating(
        inspection_id=fact.inspection_id,
        origin=origin,
        inspector=inspector,
        category=fact.category or "",
        protocol=protocol,
        scheme=grade.scheme if grade is not None else "",
        grade=grade.code if grade is not None else "",
        answers={answer.question: answer.choice for answer in fact.answers},
        defects=frozenset(kind for kind, _ in fact.defects),
        photos=tuple((photo.shot, photo.sha256) for photo in fact.photos),
        at=at if at.tzinfo is not None else at.replace(tzinfo=UTC),
    )


def _agreed(golden: Golden, model: Rating) -> Rating:
    """The reference: the model's inspection with the answers that people agreed on; defects are not agreed on."""
    return Rating(
        inspection_id=golden.inspection_id,
        origin=Origin.AGREED,
        inspector="",
        category=model.category,
        protocol=model.protocol,
        scheme=model.scheme,
        grade=golden.grade or "",
        answers=golden.answers,
        defects=model.defects,
        photos=model.photos,
        at=golden.at,
    )

"""What a claim asks for, what of it is there, what lacks, and how long it can still be filed.

The programmes are data (``resources/review/claims.toml``), each with its source and the day it was read: they are other
people's rules and change. Nothing is filed from here, and nobody is told that a claim will be paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from station.assets import asset
from station.errors import InvalidInput
from station.inspection.facts import IdentityOutcome, WeightVerdict
from station.inspection.record import Inspection
from station.returns.policy import covers
from station.review.order import span_text
from station.toml_file import did_you_mean, read_toml, typed


class Found(StrEnum):
    """What was found that can be claimed."""

    DIFFERENT_ITEM = "different_item"
    EMPTY = "empty"
    PART_MISSING = "part_missing"
    DAMAGED = "damaged"
    DAMAGED_IN_TRANSIT = "damaged_in_transit"
    USED = "used"


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    PHOTO = "photo"
    WEIGHT = "weight"
    SERIAL = "serial"
    DOCUMENT = "document"


class Clock(StrEnum):
    """What a window counts from."""

    RECEIVED = "received"
    REFUNDED = "refunded"
    DELIVERED = "delivered"


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One piece that a programme asks for."""

    id: str
    kind: EvidenceKind
    title: str
    guide: str
    """What to do, in plain words."""
    shots: tuple[str, ...] = ()
    """Photos that can stand for it, by the shot's id."""
    when: tuple[Found, ...] = ()
    """Only in these cases; empty = always."""
    categories: tuple[str, ...] = ()
    """Only for goods of these; empty = for all."""


class Programme(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to claim."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    marketplace: str
    title: str
    findings: tuple[Found, ...]
    counts_from: Clock
    days: Annotated[int, msgspec.Meta(ge=0, le=3660)] = 0
    hours: Annotated[int, msgspec.Meta(ge=0, le=999)] = 0
    opens_days: Annotated[int, msgspec.Meta(ge=0, le=3660)] = 0
    """It cannot be filed before; 0 = at once."""
    source: str
    read_on: date
    """When the source was read."""
    note: str = ""
    evidence: tuple[Evidence, ...]

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours)


class ClaimBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    kind: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    notice: str
    claims: tuple[Programme, ...]
    sha256: str = ""

    @property
    def name(self) -> str:
        return f"claims@{self.version} {self.sha256}"

    @property
    def marketplaces(self) -> tuple[str, ...]:
        return tuple(sorted({claim.marketplace for claim in self.claims}))

    def of(self, marketplace: str) -> tuple[Programme, ...]:
        """All programmes of a marketplace or carrier.

        Raises:
            InvalidInput: none is known.
        """
        known = tuple(claim for claim in self.claims if claim.marketplace == marketplace)
        if not known:
            raise InvalidInput(
                f"no claims are known for {marketplace!r}: {did_you_mean(marketplace, self.marketplaces)}"
            )
        return known


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """What is known of one unit, for its claims."""

    found: tuple[Found, ...]
    shots: tuple[str, ...] = ()
    """Shots that there are photos of."""
    weighed: bool = False
    serial: str | None = None
    documents: tuple[str, ...] = ()
    """Ids of evidence of kind document that a person has laid by."""
    category: str = ""
    received: datetime | None = None
    refunded: datetime | None = None
    delivered: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a checklist."""

    evidence: Evidence
    by: str
    """What fulfils it, e.g. ``photo front``; "" = it lacks."""


@dataclass(frozen=True, slots=True)
class Checklist:
    """One claim as it stands."""

    programme: Programme
    items: tuple[Item, ...]
    opens: datetime | None
    ends: datetime | None
    """None = its clock is not known; then it may be running."""
    open_now: bool
    complete: bool
    text: str
    """In one sentence: how long is left, what lacks."""
    next: str
    """What to do next, in plain words; "" = nothing lacks or it is too late."""
    notice: str
    version: str

    @property
    def missing(self) -> tuple[Evidence, ...]:
        return tuple(item.evidence for item in self.items if not item.by)


def read_claims(path: Path | None = None) -> ClaimBook:
    """Read a book of claims.

    Args:
        path: None = the shipped one.

    Raises:
        InvalidInput: not such a file, a name twice, no window, no source, or a photo that no shot can fulfil.
    """
    path = path if path is not None else asset("review", "claims.toml")
    file = read_toml(path)
    book = msgspec.structs.replace(typed(file, ClaimBook), sha256=file.sha256)
    if book.kind != "claims":
        raise InvalidInput(f"{path}: kind is {book.kind!r}, expected 'claims'")
    names = [claim.id for claim in book.claims]
    for claim in book.claims:
        where = f"{path}: claim {claim.id!r}"
        if names.count(claim.id) > 1:
            raise InvalidInput(f"{where} is there twice")
        if claim.window <= timedelta(days=claim.opens_days):
            raise InvalidInput(f"{where}: its window ends before it opens")
        if not claim.source.strip() or not claim.evidence:
            raise InvalidInput(f"{where}: expected a source and some evidence")
        pieces = [piece.id for piece in claim.evidence]
        for piece in claim.evidence:
            if pieces.count(piece.id) > 1:
                raise InvalidInput(f"{where}: evidence {piece.id!r} is there twice")
            if (piece.kind is EvidenceKind.PHOTO) != bool(piece.shots):
                raise InvalidInput(f"{where}: evidence {piece.id!r}: a photo needs 'shots', and nothing else has any")
    return book


def claim_file(
    unit: Inspection,
    documents: Iterable[str] = (),
    *,
    refunded: datetime | None = None,
    delivered: datetime | None = None,
) -> ClaimFile:
    """What a record says for claims. What only others know is given beside it.

    Args:
        unit: the inspection.
        documents: ids of documents that somebody has.
        refunded: when the customer was refunded.
        delivered: when the carrier delivered the parcel.
    """
    return ClaimFile(
        found=found_in(unit),
        shots=tuple(dict.fromkeys(photo.shot for photo in unit.photos)),
        weighed=unit.weight is not None,
        serial=unit.serial_found,
        documents=tuple(documents),
        category=unit.category or "",
        received=unit.started_at,
        refunded=refunded,
        delivered=delivered,
    )


def found_in(unit: Inspection) -> tuple[Found, ...]:
    """What of an inspection can be claimed, in the order of :class:`Found`."""
    reason, judged = unit.decision.found_reason, unit.judgement
    light = judged is not None and judged.verdict is WeightVerdict.TOO_LIGHT and judged.missing_part is not None
    holds = {
        Found.DIFFERENT_ITEM: unit.identity in (IdentityOutcome.WRONG_ITEM, IdentityOutcome.WRONG_SERIAL),
        Found.EMPTY: judged is not None and judged.verdict is WeightVerdict.EMPTY,
        Found.PART_MISSING: light or reason == "missing_parts" or any("missing" in kind for kind, _ in unit.defects),
        Found.DAMAGED: any("missing" not in kind for kind, _ in unit.defects) and reason != "damaged_in_transit",
        Found.DAMAGED_IN_TRANSIT: reason == "damaged_in_transit",
        Found.USED: reason == "used",
    }
    return tuple(one for one, is_so in holds.items() if is_so)


def checklists(book: ClaimBook, marketplace: str, file: ClaimFile, at: datetime) -> tuple[Checklist, ...]:
    """The claims that what was found allows, the one that ends first before the others.

    Raises:
        InvalidInput: no claims are known for this marketplace.
    """
    fitting = [claim for claim in book.of(marketplace) if set(claim.findings) & set(file.found)]
    listed = [checklist(claim, file, at, book) for claim in fitting]
    return tuple(sorted(listed, key=lambda one: (not one.open_now, one.ends is None, one.ends or at, one.programme.id)))


def checklist(claim: Programme, file: ClaimFile, at: datetime, book: ClaimBook) -> Checklist:
    """One claim: what is there, what lacks, how long is left."""
    items = tuple(Item(piece, _by(piece, file)) for piece in claim.evidence if _asked(piece, file))
    missing = [item.evidence for item in items if not item.by]
    begins = {Clock.RECEIVED: file.received, Clock.REFUNDED: file.refunded, Clock.DELIVERED: file.delivered}
    start = begins[claim.counts_from]
    opens = start + timedelta(days=claim.opens_days) if start is not None else None
    ends = start + claim.window if start is not None else None
    over = ends is not None and at >= ends
    lacks = "nothing lacks" if not missing else f"lacks: {', '.join(piece.title.lower() for piece in missing)}"
    text = f"{_clock(claim, opens, ends, at)}; {lacks}"
    photos = [piece for piece in missing if piece.kind is EvidenceKind.PHOTO]
    first = next(iter(photos or missing), None)  # a photo first: the goods go away, documents stay
    return Checklist(
        programme=claim,
        items=items,
        opens=opens,
        ends=ends,
        open_now=not over,
        complete=not missing,
        text=text,
        next="" if first is None or over else first.guide,
        notice=f"{book.notice} (read on {claim.read_on})",
        version=book.name,
    )


def _asked(piece: Evidence, file: ClaimFile) -> bool:
    fits = not piece.when or bool(set(piece.when) & set(file.found))
    return fits and (not piece.categories or any(covers(one, file.category) for one in piece.categories))


def _by(piece: Evidence, file: ClaimFile) -> str:
    match piece.kind:
        case EvidenceKind.PHOTO:
            shot = next((shot for shot in piece.shots if shot in file.shots), None)
            return f"photo {shot}" if shot is not None else ""
        case EvidenceKind.WEIGHT:
            return "weight" if file.weighed else ""
        case EvidenceKind.SERIAL:
            return f"serial number {file.serial}" if file.serial else ""
        case EvidenceKind.DOCUMENT:
            return "document" if piece.id in file.documents else ""


def _clock(claim: Programme, opens: datetime | None, ends: datetime | None, at: datetime) -> str:
    if ends is None or opens is None:
        length = f"{claim.days} days" if claim.days else f"{claim.hours} hours"
        moment = {
            Clock.RECEIVED: "the parcel was received",
            Clock.REFUNDED: "the customer was refunded",
            Clock.DELIVERED: "the carrier delivered",
        }[claim.counts_from]
        return f"Ends {length} after {moment}, and that day is not known here: it may be running"
    if at >= ends:
        return f"Ended {span_text(at - ends)} ago"
    if at < opens:
        return f"Can be filed in {span_text(opens - at)}, until {ends:%Y-%m-%d}"
    return f"{span_text(ends - at)} left, until {ends:%Y-%m-%d %H:%M} UTC"

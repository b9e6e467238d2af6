"""Scan candidates → the return or article they stand for, as far as this bench knows offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from station.identify.match import match_item
from station.identify.scan import Candidate, CandidateKind, Check
from station.inspection.draft import LineState
from station.inspection.facts import IdentityOutcome
from station.inspection.ports import Directory
from station.returns.model import CatalogueItem, ReturnAuthorisation

_PARCEL_KINDS = (CandidateKind.RMA, CandidateKind.LPN, CandidateKind.TRACKING, CandidateKind.SSCC)
_ARTICLE_KINDS = (CandidateKind.GTIN, CandidateKind.SERIAL, CandidateKind.LPN)


@dataclass(frozen=True, slots=True)
class ParcelFound:
    """Which returns a parcel's code belongs to."""

    returns: tuple[ReturnAuthorisation, ...]
    lpn: str | None
    """The licence plate that was scanned, if it was one."""


@dataclass(frozen=True, slots=True)
class ItemFound:
    """What the item's code says, compared with the lines that are still open."""

    outcome: IdentityOutcome
    line: int | None
    item: CatalogueItem | None
    gtin: str | None
    serial: str | None


def usable(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Candidates whose check digit does not contradict them."""
    return tuple(candidate for candidate in candidates if candidate.check is not Check.BAD)


def find_parcel(candidates: Sequence[Candidate], text: str, directory: Directory) -> ParcelFound:
    """Look a parcel's code up: by each meaning in rank order, then as a merchant's own RMA text."""
    for candidate in usable(candidates):
        if candidate.kind in _PARCEL_KINDS:
            found = directory.returns_by(candidate.kind, candidate.key)
            if found:
                return ParcelFound(found, candidate.key if candidate.kind is CandidateKind.LPN else None)
    for kind in (CandidateKind.RMA, CandidateKind.TRACKING, CandidateKind.LPN):
        found = directory.returns_by(kind, text)
        if found:
            return ParcelFound(found, text if kind is CandidateKind.LPN else None)
    return ParcelFound((), None)


def find_item(
    candidates: Sequence[Candidate],
    text: str,
    open_lines: Sequence[LineState],
    merchant_id: str | None,
    directory: Directory,
    *,
    announced: bool,
) -> ItemFound:
    """Compare an item's code with the open lines; a mismatch is an outcome, not an error."""
    if open_lines:
        match = match_item(usable(candidates), [(state.line, state.item) for state in open_lines])
        if match.line is not None and match.outcome in (IdentityOutcome.MATCH, IdentityOutcome.WRONG_SERIAL):
            state = open_lines[match.line]
            return ItemFound(match.outcome, state.line.line, state.item, match.gtin, match.serial_found)
    gtin = next((found.key for found in usable(candidates) if found.kind is CandidateKind.GTIN), None)
    serial = next((found.key for found in usable(candidates) if found.kind is CandidateKind.SERIAL), None)
    item = _article(candidates, text, merchant_id, directory)
    if item is None:
        return ItemFound(IdentityOutcome.UNKNOWN, None, None, gtin, None)
    outcome = IdentityOutcome.WRONG_ITEM if announced else IdentityOutcome.UNEXPECTED
    return ItemFound(outcome, None, item, gtin, serial if serial != text else None)


def _article(
    candidates: Sequence[Candidate], text: str, merchant_id: str | None, directory: Directory
) -> CatalogueItem | None:
    keys = [candidate.key for candidate in usable(candidates) if candidate.kind in _ARTICLE_KINDS]
    for key in [*keys, text]:
        found = directory.items_by_code(key)
        own = [item for item in found if item.merchant_id == merchant_id]
        if own or found:
            return (own or list(found))[0]
    return None

"""Is the scanned thing one of the announced lines? Pure comparison; the caller knows the rest of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from station.identify.scan import Candidate, CandidateKind, Check
from station.inspection.facts import IdentityOutcome
from station.returns.model import CatalogueItem, ReturnLine

Line: TypeAlias = tuple[ReturnLine, CatalogueItem | None]


@dataclass(frozen=True, slots=True)
class ItemMatch:
    """What the comparison found."""

    outcome: IdentityOutcome
    """``MATCH``, ``WRONG_SERIAL``, or ``UNKNOWN`` = none of these lines (the caller's catalogue says whose it is)."""
    line: int | None
    """Index into the lines given, not the line's own number."""
    serial_found: str | None
    """Serial number that was read, as read."""
    gtin: str | None
    """GTIN-14 that was read."""
    reason: str
    """What was compared with what, in words."""


def match_item(candidates: Sequence[Candidate], lines: Sequence[Line]) -> ItemMatch:
    """Compare a scan's candidates with announced lines.

    Args:
        candidates: as ``interpret`` gave them; those with a wrong check digit are passed over.
        lines: what may still be in the parcel, with the catalogue's article where there is one.

    Returns:
        A line whose serial number was read wins over a line of the same article; a line of the right article that
        announces another serial number is ``WRONG_SERIAL``. A code that names only the article cannot contradict a
        serial number, so it matches and leaves ``serial_found`` None. Serial numbers are compared exactly, after
        trimming and folding ASCII case.
    """
    usable = [candidate for candidate in candidates if candidate.check is not Check.BAD]
    gtin = next((one.key for one in usable if one.kind is CandidateKind.GTIN), None)
    marked = _marked_serial(usable)
    of_article = [index for index, line in enumerate(lines) if _names_article(usable, line)]

    if of_article and marked is not None:
        return _compare_serial(marked, of_article, lines, gtin)
    if of_article:
        # Lines that announce no serial number first: a bare article code proves nothing about one.
        index = min(of_article, key=lambda found: lines[found][0].serial is not None)
        return ItemMatch(IdentityOutcome.MATCH, index, None, gtin, f"the code names {_sku(lines[index])}")
    # Beside a GTIN of something else, an equal serial number is a coincidence.
    found = _by_serial_alone([one for one in usable if gtin is None or not one.elements], lines)
    if found is not None:
        return found
    seen = f"GTIN {gtin}" if gtin is not None else ", ".join(sorted({one.key for one in usable})) or "nothing readable"
    wanted = ", ".join(_sku(line) for line in lines) or "nothing"
    return ItemMatch(IdentityOutcome.UNKNOWN, None, marked, gtin, f"read {seen}; announced is {wanted}")


def same_serial(left: str, right: str) -> bool:
    """Serial numbers are the same: exactly, after trimming and folding ASCII case; ``0`` and ``O`` stay different.

    >>> same_serial(" hd7-22941", "HD7-22941 "), same_serial("HD7-22941", "HD722941")
    (True, False)
    """
    return _fold(left) == _fold(right)


def _fold(text: str) -> str:
    return "".join(chr(ord(char) - 32) if "a" <= char <= "z" else char for char in text.strip())


def _sku(line: Line) -> str:
    return f"SKU {line[0].sku!r}"


def _marked_serial(candidates: Sequence[Candidate]) -> str | None:
    """A serial number that the code itself marks as one, of the same symbol as the article."""
    return next((one.key for one in candidates if one.kind is CandidateKind.SERIAL and one.elements), None)


def _names_article(candidates: Sequence[Candidate], line: Line) -> bool:
    announced, item = line
    codes = {_fold(announced.sku)}
    gtins: tuple[str, ...] = ()
    if item is not None:
        codes |= {_fold(code) for code in (item.sku, *item.codes)}
        gtins = item.gtins
    for one in candidates:
        if one.kind is CandidateKind.GTIN:
            if one.key in gtins or _fold(one.key) in codes or _fold(one.key.lstrip("0")) in codes:
                return True
        elif one.kind is CandidateKind.GS1:
            # 240 and 241: the maker's and the customer's own article numbers.
            if any(ai in ("240", "241") and _fold(value) in codes for ai, value in one.elements):
                return True
        elif not one.elements and one.kind is not CandidateKind.COMMAND and _fold(one.key) in codes:
            return True
    return False


def _compare_serial(serial: str, of_article: Sequence[int], lines: Sequence[Line], gtin: str | None) -> ItemMatch:
    for index in of_article:
        announced = lines[index][0].serial
        if announced is not None and same_serial(announced, serial):
            reason = f"article and serial number {serial!r} are those of {_sku(lines[index])}"
            return ItemMatch(IdentityOutcome.MATCH, index, serial, gtin, reason)
    for index in of_article:
        if lines[index][0].serial is None:
            reason = f"the article is {_sku(lines[index])}, for which no serial number was announced"
            return ItemMatch(IdentityOutcome.MATCH, index, serial, gtin, reason)
    index = of_article[0]
    reason = (
        f"the article is {_sku(lines[index])}, but its serial number is {serial!r} "
        f"where {lines[index][0].serial!r} was announced"
    )
    return ItemMatch(IdentityOutcome.WRONG_SERIAL, index, serial, gtin, reason)


def _by_serial_alone(candidates: Sequence[Candidate], lines: Sequence[Line]) -> ItemMatch | None:
    """A label that carries just the serial number: any reading of the code may be it, a wrong one proves nothing."""
    for one in candidates:
        if one.kind in (CandidateKind.COMMAND, CandidateKind.BADGE):
            continue
        for index, (announced, _) in enumerate(lines):
            if announced.serial is not None and same_serial(announced.serial, one.key):
                reason = f"serial number {one.key!r} is the one announced for {_sku(lines[index])}"
                return ItemMatch(IdentityOutcome.MATCH, index, one.key, None, reason)
    return None

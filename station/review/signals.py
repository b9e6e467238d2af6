"""What is unusual about a unit: facts → signals, each with what was seen, in plain words.

The rules are data (``resources/review/signals.toml``): the sentence, the group, the weight and where it comes from.
What makes a signal fire stands here, one function each. A sentence asks for a look and accuses nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

import msgspec

from station.assets import asset
from station.decision.findings import Findings
from station.decision.model import Case
from station.errors import InvalidInput
from station.inspection.facts import IdentityOutcome, WeightJudgement, WeightVerdict
from station.inspection.plausibility import weight_sentence
from station.toml_file import read_toml, typed

MILLI: Final = 1000
"""Weights are whole thousandths of a unit of natural log-odds, so that a record never holds a float."""


class Signal(StrEnum):
    """Each is one thing that can be seen."""

    WRONG_ITEM = "wrong_item"
    WRONG_SERIAL = "wrong_serial"
    SERIAL_NEVER_SOLD = "serial_never_sold"
    EMPTY_BOX = "empty_box"
    SWAPPED = "swapped"
    PART_MISSING = "part_missing"
    WEIGHT_OFF = "weight_off"
    USED = "used"
    QUANTITY = "quantity"
    PHOTO_TWICE = "photo_twice"
    UNIT_TWICE = "unit_twice"
    TRACKING_TWICE = "tracking_twice"
    REASON_DIFFERS = "reason_differs"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when the signals are asked. None and "" = not known, which never is a signal."""

    identity: IdentityOutcome
    weight: WeightJudgement | None = None
    serial_found: str | None = None
    serial_shipped: str | None = None
    serial_sold: bool | None = None
    """Whether a complete list of sold serial numbers has this one; None = there is no such list."""
    returned_before: datetime | None = None
    """When this very unit (serial number or licence plate) came back before without having been sold since."""
    tracking_before: datetime | None = None
    """When a parcel with this tracking number was received before and closed."""
    announced: int | None = None
    """Units of this article that were announced."""
    arrived: int | None = None
    """Units of it that came, once the parcel is finished."""
    photo_like: str | None = None
    """SHA-256 of an earlier photo, of another unit, that shows the same."""
    declared: str = ""
    """Reason in words as the customer gave it."""
    found: str = ""
    """Reason in words as it was found."""
    differs: bool = False
    """They differ beyond taste and fit (``station.decision.second_look.disagrees``)."""
    used: bool = False
    """It was used although the declared reason is that it was not wanted or did not fit."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the store or the centre knows of earlier units; everything unknown by default."""

    serial_sold: bool | None = None
    returned_before: datetime | None = None
    tracking_before: datetime | None = None
    arrived: int | None = None
    photo_like: str | None = None


@dataclass(frozen=True, slots=True)
class Fired:
    """One signal of one unit with what was seen."""

    signal: Signal
    evidence: str
    """A sentence with the figures, for the person who looks."""


Rate = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class SignalRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a signal weighs before anything was learned here."""

    id: Signal
    title: str
    group: str
    """Signals of one group tell the same thing twice: of each group only the heaviest counts."""
    weight_milli: Annotated[int, msgspec.Meta(ge=0, le=10_000)]
    """Log-odds × 1000 that it adds: the logarithm of how many times more often it is seen on units where a second
    look finds something than on others."""
    doubt_milli: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    """Standard deviation of that weight; the smaller, the longer it takes until outcomes move it."""
    source: str
    """Where the weight comes from; a guess says that it is one."""


class SignalBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    kind: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    base_bp: Annotated[int, msgspec.Meta(ge=1, le=9_999)]
    """Share of all units where a second look would find something, in 1/10 000."""
    base_source: str
    budget_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000)]
    """Share of all units that may be flagged by their score, in 1/10 000."""
    least_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000)]
    """No unit is flagged that is less likely than this to need the look, however much of the budget is left."""
    start_bp: Annotated[int, msgspec.Meta(ge=1, le=9_999)]
    """The same as long as no scores were counted here that the budget could be kept by."""
    signals: tuple[SignalRule, ...]
    sha256: str = ""

    def rule(self, signal: Signal) -> SignalRule:
        """The rule of a signal; a book that was read has one for each."""
        return _by_signal(self)[signal]

    @property
    def name(self) -> str:
        """As a record names it."""
        return f"signals@{self.version} {self.sha256}"


@lru_cache(16)
def _by_signal(book: SignalBook) -> dict[Signal, SignalRule]:
    return {rule.id: rule for rule in book.signals}


def read_signals(path: Path | None = None) -> SignalBook:
    """Read a book of signals.

    Args:
        path: None = the shipped one.

    Raises:
        InvalidInput: not such a file, a signal twice or not at all.
    """
    path = path if path is not None else asset("review", "signals.toml")
    file = read_toml(path)
    book = msgspec.structs.replace(typed(file, SignalBook), sha256=file.sha256)
    if book.kind != "signals":
        raise InvalidInput(f"{path}: kind is {book.kind!r}, expected 'signals'")
    named = [rule.id for rule in book.signals]
    for signal in Signal:
        if named.count(signal) != 1:
            raise InvalidInput(f"{path}: signal {signal.value!r} is there {named.count(signal)} times, expected once")
    for rule in book.signals:
        if not rule.source.strip() or not rule.title.strip():
            raise InvalidInput(f"{path}: signal {rule.id.value!r} needs a title and a source")
    return book


def facts_of(case: Case, findings: Findings, past: Past, *, declared: str, found: str, differs: bool) -> Facts:
    """What the signals look at, from a case.

    Args:
        case: as the decision sees it.
        findings: the answers, understood; for the reasons.
        past: what is known of earlier units.
        declared: the declared reason in words; "" = none.
        found: the found reason in words; "" = none.
        differs: whether the two differ (``disagrees``).
    """
    line = case.line
    return Facts(
        identity=case.identity,
        weight=case.weight,
        serial_found=case.serial_found,
        serial_shipped=line.serial if line is not None else None,
        serial_sold=past.serial_sold,
        returned_before=past.returned_before,
        tracking_before=past.tracking_before,
        announced=line.quantity if line is not None else None,
        arrived=past.arrived,
        photo_like=past.photo_like,
        declared=declared,
        found=found,
        differs=differs,
        used=findings.found_reason == "used" and findings.declared != "used",
    )


def fired(facts: Facts) -> tuple[Fired, ...]:
    """All signals of a unit, in the order of :class:`Signal`."""
    found = []
    for signal, ask in _ASK.items():
        evidence = ask(facts)
        if evidence is not None:
            found.append(Fired(signal, evidence))
    return tuple(found)


def _wrong_item(facts: Facts) -> str | None:
    return "Another article than the one announced" if facts.identity is IdentityOutcome.WRONG_ITEM else None


def _wrong_serial(facts: Facts) -> str | None:
    seen, shipped = facts.serial_found, facts.serial_shipped
    both = seen is not None and shipped is not None and seen.strip().upper() != shipped.strip().upper()
    if facts.identity is not IdentityOutcome.WRONG_SERIAL and not both:
        return None
    return f"Serial number {seen} here, {shipped} was shipped" if both else "Serial number differs from the order"


def _never_sold(facts: Facts) -> str | None:
    if facts.serial_found is None or facts.serial_sold is not False:
        return None
    return f"Serial number {facts.serial_found} is not among those sold"


def _weighs(facts: Facts, *verdicts: WeightVerdict) -> WeightJudgement | None:
    judged = facts.weight
    return judged if judged is not None and judged.verdict in verdicts else None


def _empty(facts: Facts) -> str | None:
    judged = _weighs(facts, WeightVerdict.EMPTY)
    return weight_sentence(judged) if judged is not None else None


def _swapped(facts: Facts) -> str | None:
    judged = _weighs(facts, WeightVerdict.TOO_LIGHT, WeightVerdict.TOO_HEAVY)
    return weight_sentence(judged) if judged is not None and judged.fits is not None else None


def _part(facts: Facts) -> str | None:
    judged = _weighs(facts, WeightVerdict.TOO_LIGHT)
    if judged is None or judged.fits is not None or judged.missing_part is None:
        return None
    return weight_sentence(judged)


def _weight_off(facts: Facts) -> str | None:
    judged = _weighs(facts, WeightVerdict.TOO_LIGHT, WeightVerdict.TOO_HEAVY)
    if judged is None or judged.fits is not None or (judged.missing_part is not None and _part(facts) is not None):
        return None
    return weight_sentence(judged)


def _used(facts: Facts) -> str | None:
    if not facts.used:
        return None
    return f"Looks used; the reason given is {facts.declared}" if facts.declared else "Looks used"


def _quantity(facts: Facts) -> str | None:
    if facts.announced is None or facts.arrived is None or facts.arrived >= facts.announced:
        return None
    return f"{facts.announced} announced, {facts.arrived} in the parcel"


def _photo(facts: Facts) -> str | None:
    return "A photo shows the same as a photo of another unit" if facts.photo_like is not None else None


def _unit_twice(facts: Facts) -> str | None:
    when = facts.returned_before
    return None if when is None else f"This unit came back before, on {when:%Y-%m-%d}, and no sale is known since"


def _tracking(facts: Facts) -> str | None:
    when = facts.tracking_before
    return None if when is None else f"A parcel with this tracking number was received on {when:%Y-%m-%d}"


def _reason(facts: Facts) -> str | None:
    if not facts.differs or not facts.declared or not facts.found:
        return None
    return f"Customer says {facts.declared}; found here: {facts.found}"


_ASK: Final[dict[Signal, Callable[[Facts], str | None]]] = {
    Signal.WRONG_ITEM: _wrong_item,
    Signal.WRONG_SERIAL: _wrong_serial,
    Signal.SERIAL_NEVER_SOLD: _never_sold,
    Signal.EMPTY_BOX: _empty,
    Signal.SWAPPED: _swapped,
    Signal.PART_MISSING: _part,
    Signal.WEIGHT_OFF: _weight_off,
    Signal.USED: _used,
    Signal.QUANTITY: _quantity,
    Signal.PHOTO_TWICE: _photo,
    Signal.UNIT_TWICE: _unit_twice,
    Signal.TRACKING_TWICE: _tracking,
    Signal.REASON_DIFFERS: _reason,
}

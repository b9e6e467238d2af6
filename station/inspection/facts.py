"""Facts that the bench collects about one unit, as they go into the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StableSource(StrEnum):
    """Who said that the indication has settled."""

    SCALE = "scale"
    """The scale itself declared it."""
    INFERRED = "inferred"
    """We saw equal indications from a scale that declares nothing; never recorded as the scale's own word."""


@dataclass(frozen=True, slots=True)
class WeightReading:
    """One accepted indication of a scale (names: OIML R 76)."""

    gross_mg: int
    """Gross mass in milligrams. Never a float, never 0 for 'unknown'."""
    stable_source: StableSource
    unit: str
    """Unit the scale sent, e.g. ``kg``."""
    interval_mg: int
    """Smallest step the scale's digits can show, milligrams."""
    raw: bytes
    """The deciding frame with its terminator."""
    device: str
    taken_at: datetime
    """UTC, when the last byte of the deciding frame arrived."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph, already durable on disk when this value exists."""

    sha256: str
    """Hex SHA-256 of the JPEG's bytes: its name on disk and at the server."""
    size: int
    """Bytes."""
    width: int
    height: int
    shot: str
    """Id of the protocol's shot, or ``extra``."""
    taken_at: datetime
    sharpness: int
    """Laplacian variance over local variance at half resolution, ×1000; −1 = no texture, cannot be judged."""
    brightness: int
    """Median luminance 0…255."""
    device: str
    resembles: str | None = None
    """SHA-256 of an earlier photo, of another unit, that shows the very same; None = there is none."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a photo looks like, for comparisons with others; never part of the record."""

    bits: int
    same_at_most: int
    """Two photos whose bits differ in no more places show the very same."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the inspector answered to one question."""

    question: str
    choice: str
    given_by: str
    """``scan``, ``key``, ``touch`` or ``shortcut:CODE``."""
    value: str | None = None
    """What was entered: a number as an integer in the question's smallest step, a text, a code; None = a button."""


class WeightVerdict(StrEnum):
    """What the weight says about the contents. The machine measures; it accuses nobody."""

    PLAUSIBLE = "plausible"
    TOO_LIGHT = "too_light"
    TOO_HEAVY = "too_heavy"
    EMPTY = "empty"
    CANNOT_TELL = "cannot_tell"
    """No expected mass is known, or the scale is too coarse for the question."""


@dataclass(frozen=True, slots=True)
class WeightJudgement:
    """A weight compared with what the catalogue expects."""

    verdict: WeightVerdict
    difference_mg: int | None
    """Measured minus expected."""
    expected_mg: int | None
    tolerance_mg: int | None
    missing_part: str | None
    """The accessory (or accessories, joined by "and") whose mass explains the difference, if it is clearly ahead."""
    fits: str | None = None
    """Another article of the same order that the weight fits clearly better: its SKU."""
    learned_from: int = 0
    """Units in order that the expected mass was learned from; 0 = it is the catalogue's."""


class IdentityOutcome(StrEnum):
    """Whether the thing in the parcel is the thing announced. A mismatch is an outcome, not an error."""

    MATCH = "match"
    WRONG_ITEM = "wrong_item"
    WRONG_SERIAL = "wrong_serial"
    UNEXPECTED = "unexpected"
    """Known article, but no return announced it."""
    UNKNOWN = "unknown"
    """Nobody knows the code."""
    MISSING = "missing"
    """Announced, but not in the parcel."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step that was left out because a device did not work, with the reason that was given."""

    what: str
    """``weight`` or ``photo:<shot>``."""
    reason: str


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long one step took."""

    step: str
    milliseconds: int

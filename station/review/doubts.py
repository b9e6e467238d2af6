"""By rule: when a second person looks although no signal speaks, because little is certain or the call is close.

Identity, weight, gates, value, skipped steps and differing reasons are asked for by the decision itself
(``station.decision.second_look``); here are the rules that need photos, or the finished decision. All thresholds are
data (``resources/review/doubts.toml``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from station.assets import asset
from station.decision.model import Case, Decision, Disposition, Lever, Reason
from station.errors import InvalidInput
from station.inspection.facts import IdentityOutcome, Photo, WeightVerdict
from station.inspection.plausibility import COMPLETE, WEIGHT_CHECK
from station.quantities import Money
from station.toml_file import read_toml, typed

CODES = (
    "look_doubt_photo_unclear",
    "look_doubt_no_photo",
    "look_doubt_serial_photo",
    "look_doubt_weight_answer",
    "look_doubt_close_call",
)
"""Codes of the reasons that these rules give."""

Figure = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class DoubtBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The thresholds."""

    kind: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    sharpness_from: Figure
    """Photos below are too blurred to be evidence (``Photo.sharpness``); those that cannot be judged pass."""
    brightness_from: Annotated[int, msgspec.Meta(ge=0, le=255)]
    brightness_to: Annotated[int, msgspec.Meta(ge=0, le=255)]
    least_photos: Figure
    """Fewer photos than this are no evidence; 0 = photos are not asked for."""
    serial_photo_from: dict[str, Figure]
    """Currency → value, minor units: from here a serial number that only a photo shows is read again."""
    close_call: dict[str, Figure]
    """Currency → minor units: another way that is worth so little less makes it a close call."""
    close_call_from: dict[str, Figure]
    """Currency → value, minor units: close calls of cheaper units are let go."""
    source: str
    sha256: str = ""

    @property
    def name(self) -> str:
        return f"doubts@{self.version} {self.sha256}"


def read_doubts(path: Path | None = None) -> DoubtBook:
    """Read the thresholds.

    Args:
        path: None = the shipped ones.

    Raises:
        InvalidInput: not such a file, or a band that ends before it begins.
    """
    path = path if path is not None else asset("review", "doubts.toml")
    file = read_toml(path)
    book = msgspec.structs.replace(typed(file, DoubtBook), sha256=file.sha256)
    if book.kind != "doubts":
        raise InvalidInput(f"{path}: kind is {book.kind!r}, expected 'doubts'")
    if book.brightness_from >= book.brightness_to:
        raise InvalidInput(
            f"{path}: brightness from {book.brightness_from} to {book.brightness_to}: expected the first to be lower"
        )
    return book


def doubts(case: Case, photos: Sequence[Photo], serial_photo: str | None, book: DoubtBook) -> tuple[Reason, ...]:
    """Rules over what was collected, for ``Case.flags``.

    Args:
        case: as it will be decided.
        photos: of the unit.
        serial_photo: photo that the serial number was read in; None = it was scanned, or there is none.
        book: the thresholds.
    """
    if case.identity is IdentityOutcome.MISSING:
        return ()
    found = []
    unclear = [photo for photo in photos if _unclear(photo, book)]
    if unclear:
        named = ", ".join(repr(photo.shot.replace("_", " ")) for photo in unclear)
        found.append(Reason("look_doubt_photo_unclear", f"Hard to see on the photo {named}"))
    skipped = any(one.what.startswith("photo:") for one in case.skipped)  # that is told already
    if len(photos) < book.least_photos and not skipped:
        found.append(Reason("look_doubt_no_photo", "There is no photo of it"))
    worth = _worth(case)
    if serial_photo is not None and worth is not None and _from(book.serial_photo_from, worth):
        found.append(
            Reason("look_doubt_serial_photo", f"The serial number was read from a photo, and it is worth {worth}")
        )
    weighed = case.weight.verdict if case.weight is not None else WeightVerdict.CANNOT_TELL
    answered = any(answer.question == WEIGHT_CHECK and answer.choice == COMPLETE for answer in case.answers)
    if answered and weighed in (WeightVerdict.TOO_LIGHT, WeightVerdict.EMPTY):
        found.append(
            Reason("look_doubt_weight_answer", "The scale shows less than expected; the answer is that all is there")
        )
    return tuple(found)


def close_call(case: Case, decision: Decision, book: DoubtBook) -> Reason | None:
    """Whether hardly anything would have sent a dear unit another way; None = it is clear, or too cheap to matter."""
    worth = _worth(case)
    if worth is None or decision.disposition is Disposition.QUARANTINE or not _from(book.close_call_from, worth):
        return None
    limit = book.close_call.get(worth.currency)
    near = [
        flip
        for flip in decision.flips
        if limit is not None and flip.lever is Lever.COST and abs(flip.change) <= limit
    ]  # fmt: skip
    if not near:
        return None
    least = min(near, key=lambda flip: (abs(flip.change), flip.to))
    cost, way = Money(abs(least.change), worth.currency), least.to.value.replace("_", " ")
    return Reason("look_doubt_close_call", f"A close call: with {cost} more cost it would be {way}")


def _unclear(photo: Photo, book: DoubtBook) -> bool:
    blurred = 0 <= photo.sharpness < book.sharpness_from
    return blurred or not book.brightness_from <= photo.brightness <= book.brightness_to


def _worth(case: Case) -> Money | None:
    paid = case.line.paid if case.line is not None else None
    return paid if paid is not None else case.item.price if case.item is not None else None


def _from(limits: dict[str, int], worth: Money) -> bool:
    limit = limits.get(worth.currency)
    return limit is not None and worth.minor >= limit

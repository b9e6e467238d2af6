"""A recorded item: what came, how it looked and weighed, and what people agreed is true of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec

from station.errors import InvalidInput
from station.inspection.record import INSPECTION_CONFIRMED, Inspection
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine
from station.toml_file import read_toml, typed

PLATE: Final = "TRAINING-"
_ORDERED_BEFORE: Final = timedelta(days=9)
_LARGEST_DOSSIER: Final = 200 << 20


@dataclass(frozen=True, slots=True)
class RecordedPhoto:
    """One photo of a recorded item."""

    shot: str
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One item to train with."""

    id: str
    merchant: Merchant
    item: CatalogueItem
    reason: str | None
    """What the customer declared."""
    comment: str | None
    serial: str | None
    gross_mg: int
    photos: tuple[RecordedPhoto, ...]
    answers: Mapping[str, str]
    """question id → choice id that people agreed on."""
    grade: str | None
    why: str
    """What to look at, one or two sentences."""

    def plate(self, number: int) -> str:
        """The licence plate of the ``number``-th item of a session."""
        return f"{PLATE}{number:03d}"

    def authorisation(self, number: int, now: datetime) -> ReturnAuthorisation:
        """Its return, as if it had been announced some days ago."""
        ordered = now - _ORDERED_BEFORE
        line = ReturnLine(1, self.item.sku, 1, self.reason, self.comment, self.serial, self.item.price)
        return ReturnAuthorisation(
            f"{PLATE}RETURN-{number:03d}", self.merchant.id, None, (line,), (), ordered, ordered + timedelta(days=2),
            ordered + timedelta(days=6), lpns=(self.plate(number),),
        )  # fmt: skip

    @property
    def scan(self) -> bytes:
        """The code on it: article and serial number in one symbol where it has a serial."""
        gtin = self.item.gtins[0] if self.item.gtins else ""
        if self.serial and gtin:
            return f"]d201{gtin}21{self.serial}".encode()
        return (gtin[1:] if gtin.startswith("0") else gtin or self.item.sku).encode()


class _Photo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shot: str
    file: str


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    merchant: str
    sku: str
    gross_g: Annotated[int, msgspec.Meta(gt=0)]
    photos: Annotated[tuple[_Photo, ...], msgspec.Meta(min_length=1)]
    answers: dict[str, str]
    why: Annotated[str, msgspec.Meta(min_length=10, max_length=200)]
    reason: str | None = None
    comment: str | None = None
    serial: str | None = None
    grade: str | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    items: tuple[_Item, ...]


def read_items(
    path: Path, merchants: Sequence[Merchant], catalogue: Sequence[CatalogueItem]
) -> tuple[TrainingItem, ...]:
    """Read a file of recorded items; the photos lie beside it.

    Raises:
        InvalidInput: unknown key, article or merchant, the same id twice, or a photo that is no JPEG or not there.
    """
    file = typed(read_toml(path), _File)
    by_id = {merchant.id: merchant for merchant in merchants}
    articles = {(item.merchant_id, item.sku): item for item in catalogue}
    found: dict[str, TrainingItem] = {}
    for one in file.items:
        merchant, item = by_id.get(one.merchant), articles.get((one.merchant, one.sku))
        if merchant is None or item is None:
            raise InvalidInput(f"{path}: item {one.id!r}: nobody sells {one.sku!r} of {one.merchant!r}")
        if one.id in found:
            raise InvalidInput(f"{path}: item {one.id!r} is there twice")
        photos = tuple(RecordedPhoto(photo.shot, _jpeg(path.parent / photo.file)) for photo in one.photos)
        found[one.id] = TrainingItem(
            one.id, merchant, item, one.reason, one.comment, one.serial, one.gross_g * 1000, photos, one.answers,
            one.grade, one.why,
        )  # fmt: skip
    return tuple(found.values())


def _jpeg(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"the photo {str(path)!r} cannot be read: {error.strerror or error}") from error
    if not content.startswith(b"\xff\xd8\xff"):
        raise InvalidInput(f"the photo {str(path)!r} is no JPEG")
    return content


def item_of_dossier(content: bytes, name: str) -> TrainingItem:
    """An item to train with from the dossier of a unit (``station export dossier``): its photos and what was decided.

    The decision of the record counts as agreed: take dossiers of units that a second person has looked at.

    Args:
        content: the whole file.
        name: for messages, and the item's id.

    Raises:
        InvalidInput: no dossier, too large, no inspection in it, not weighed, or none of its photos is there.
    """
    if len(content) > _LARGEST_DOSSIER:
        raise InvalidInput(f"{name!r} is larger than {_LARGEST_DOSSIER >> 20} MB: no dossier of one unit")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            if sum(info.file_size for info in file.infolist()) > _LARGEST_DOSSIER:
                raise InvalidInput(f"{name!r} unpacks to more than {_LARGEST_DOSSIER >> 20} MB: no dossier of one unit")
            records = sorted(inner for inner in file.namelist() if INSPECTION_CONFIRMED in inner)
            if not records:
                raise InvalidInput(f"{name!r} holds no inspection; expected a unit's dossier")
            fact = msgspec.json.decode(file.read(records[-1]), type=Inspection)
            photos = tuple(
                RecordedPhoto(photo.shot, file.read(member))
                for photo in fact.photos
                if (member := next((inner for inner in file.namelist() if photo.sha256 in inner), None)) is not None
            )
    except (zipfile.BadZipFile, msgspec.MsgspecError, NotImplementedError, RuntimeError) as error:
        raise InvalidInput(f"{name!r} is no dossier that this version can read: {error}") from error
    if fact.weight is None or not photos:
        raise InvalidInput(f"{name!r} cannot be trained with: its {'photos' if fact.weight else 'weight'} are missing")
    versions = {what: text.partition("@")[0] for what, text in fact.decision.versions}
    merchant = fact.merchant_id or "unknown"
    article = CatalogueItem(
        merchant, fact.sku or "unknown", fact.title, fact.category, (fact.gtin,) if fact.gtin else (),
        mass_mg=fact.judgement.expected_mg if fact.judgement is not None else None,
        mass_tolerance_mg=fact.judgement.tolerance_mg if fact.judgement is not None else None,
        serialised=fact.serial_declared is not None,
    )  # fmt: skip
    reasons = [reason.text.rstrip(".") for reason in fact.decision.reasons[:2]]
    return TrainingItem(
        id=name,
        merchant=Merchant(
            merchant, merchant, versions.get("policy", "small_brand"), versions.get("scheme", "standard")
        ),
        item=article,
        reason=fact.declared_reason,
        comment=None,
        serial=fact.serial_declared,
        gross_mg=fact.weight.gross_mg,
        photos=photos,
        answers={answer.question: answer.choice for answer in fact.answers},
        grade=fact.decision.grade.code if fact.decision.grade is not None else None,
        why="; ".join(reasons) or "As recorded",
    )

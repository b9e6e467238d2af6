"""What the centre reads of each record to keep its projections: a narrow view of the bench's shapes.

Decision: of 5 kB of an inspection the projections need some thirty fields; msgspec skips the rest in a tenth of the
time that building the whole record takes (7 instead of 73 µs). That a payload is what the bench recorded is proved by
its hash. Who needs all of it later (EPCIS, dossier) reads the bytes with the bench's own shapes
(``station.inspection.record``) and reports what cannot be read there.

Lengths and ranges are checked by the types; that no text has a NUL, which one of the databases could not store, is
checked over the whole payload by whoever decodes it (``judge.judge_payload``): a pattern for each of forty texts costs
as much as all of the reading. What only figures need of the ways that were *not* taken stays unread until they do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec

from station.inspection import record
from station.returns import decided
from station.review.agreement import planted
from station.review.settled import SETTLED

Text = str
Short = Annotated[str, msgspec.Meta(max_length=64)]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Money(msgspec.Struct, frozen=True, gc=False):
    minor: Int64
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Refund(msgspec.Struct, frozen=True, gc=False):
    decision: Short
    amount: Money | None = None


class Grade(msgspec.Struct, frozen=True, gc=False):
    code: Short


class Coded(msgspec.Struct, frozen=True, gc=False):
    code: Text


class Worth(msgspec.Struct, frozen=True, gc=False):
    """One way and what it is worth."""

    disposition: Short
    value: msgspec.Raw = msgspec.Raw(b"null")
    """``Money | None``; read of the way that was taken alone."""


class Decision(msgspec.Struct, frozen=True, gc=False):
    disposition: Short
    refund: Refund
    grade: Grade | None = None
    found_reason: Text | None = None
    second_look: list[Coded] = []
    reasons: list[Coded] = []
    alternatives: msgspec.Raw = msgspec.Raw(b"[]")
    """A list of :class:`Worth`; see :func:`worth_of`."""


class Weighed(msgspec.Struct, frozen=True, gc=False):
    gross_mg: Int64


class Judgement(msgspec.Struct, frozen=True, gc=False):
    verdict: Short


class Left(msgspec.Struct, frozen=True, gc=False):
    """A step that was left out."""

    what: Text


class NamedPhoto(msgspec.Struct, frozen=True, gc=False):
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    shot: Text


class Inspected(msgspec.Struct, frozen=True, gc=False):
    """``inspection.confirmed``."""

    inspection_id: Short
    unit_id: Short
    lpn: Short
    parcel_id: Short
    merchant_id: Short | None
    rma: Text | None
    sku: Text | None
    identity: Short
    confirmed_at: datetime
    decision: Decision
    photos: list[NamedPhoto]
    corrects: Short | None = None
    line: Int64 | None = None
    category: Text | None = None
    declared_reason: Text | None = None
    weight: Weighed | None = None
    judgement: Judgement | None = None
    skipped: list[Left] = []
    started_at: datetime | None = None


class Decided(msgspec.Struct, frozen=True, gc=False):
    """``unit.decided``: of a lead at the centre, or of a bench that was offline."""

    lpn: Short
    base_version: Int64
    disposition: Short
    inspection_id: Short | None
    refund_decision: Short | None
    refund: Money | None
    reason: Annotated[str, msgspec.Meta(pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$")]
    decided_at: datetime
    derogations: list[Derogated] = []
    gate_acts: list[Acted] = []


class Signed(msgspec.Struct, frozen=True, gc=False):
    """Who stands behind it, with the roles of that moment."""

    person: Text
    roles: list[Text] = []
    proven: bool = False


class Derogated(msgspec.Struct, frozen=True, gc=False):
    gate: Text
    reference: Text
    kind: Text | None = None
    """None = recorded before permissions named their kind and were signed."""
    signed: list[Signed] = []


class Acted(msgspec.Struct, frozen=True, gc=False):
    """What a lead did to a gate."""

    kind: Text
    subject: Text
    reference: Text = ""
    signed: list[Signed] = []


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A fact about how people agree (``station.review.agreement``): kept as it came; it is no goods and no money."""


_WAYS: Final = msgspec.json.Decoder(list[Worth])
_MONEY: Final = msgspec.json.Decoder(Money | None)


def worth_of(decision: Decision) -> Money | None:
    """What the way that was taken is worth, as the bench computed it; None where it does not say so readably."""
    try:
        ways = _WAYS.decode(decision.alternatives)
        return next((_MONEY.decode(way.value) for way in ways if way.disposition == decision.disposition), None)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


NARROW: Final = (Inspected, Decided)
"""Shapes of this module: numbers are in range by their types; the rest of the record is passed over unread."""

KINDS: Final[dict[tuple[str, int], type]] = {
    (record.PARCEL_OPENED, 1): record.ParcelOpened,
    (record.PARCEL_PARKED, 1): record.ParcelParked,
    (record.PARCEL_CLOSED, 1): record.ParcelClosed,
    (record.INSPECTION_CONFIRMED, 1): Inspected,
    (record.INSPECTION_VOIDED, 1): record.InspectionVoided,
    (record.LABEL_PRINTED, 1): record.LabelPrinted,
    (record.JOURNAL_GENERATION, 1): record.GenerationBegun,
    (decided.UNIT_DECIDED, 1): Decided,
    **{(kind, 1): Kept for kind in planted.KINDS},
    (SETTLED, 1): Kept,
}
"""Kind and schema of an entry → what is read of it."""

"""What IT asks: forget a unit, keep a unit's evidence."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern="^[^\\x00]*$")]
UnitId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[^\\x00]*$")]


class ErasureReason(StrEnum):
    """Why something is forgotten."""

    REQUEST = "request"
    """The person concerned asked for it (GDPR Art. 17)."""
    RETENTION = "retention"
    """Its time is over."""
    LEGAL = "legal"


class ErasureRequest(msgspec.Struct, frozen=True):
    unit_id: UnitId
    reason: ErasureReason = ErasureReason.REQUEST


class ErasureAnswer(msgspec.Struct, frozen=True):
    """One erasure: what was asked, and what went."""

    erasure_id: str
    subject: str
    """The unit, or what was over its time."""
    reason: str
    requested_by: str
    requested_at: str
    done_at: str | None
    """null = photos are still being deleted."""
    entries: int
    photos: int


class ErasuresAnswer(msgspec.Struct, frozen=True):
    """The newest first."""

    erasures: list[ErasureAnswer]


class HoldRequest(msgspec.Struct, frozen=True):
    reason: Reason
    until: Moment | None = None
    """null = until somebody lifts it."""


class HoldAnswer(msgspec.Struct, frozen=True):
    unit_id: str
    held: bool

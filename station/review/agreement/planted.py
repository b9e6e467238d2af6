"""What goes into the journal about blind looks: shapes that are for ever, as those of ``station.inspection.record``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from station.inspection import record

PREFIX: Final = "blind."
"""Before the kind of every fact that the bench records of a planted unit; its payload stays what it is."""
PLANTED: Final = "agreement.planted"
GOLDEN: Final = "agreement.golden"
KINDS: Final = (
    PLANTED,
    GOLDEN,
    *(
        PREFIX + kind
        for kind in (
            record.PARCEL_OPENED,
            record.PARCEL_PARKED,
            record.PARCEL_CLOSED,
            record.INSPECTION_CONFIRMED,
            record.INSPECTION_VOIDED,
            record.LABEL_PRINTED,
        )
    ),
)
"""Every kind of this room: no projection makes goods, stock, refunds or figures of them."""


class Why(StrEnum):
    """Why a unit is planted."""

    AGAIN = "again"
    """A unit that somebody else inspected."""
    GOLDEN = "golden"
    """A unit whose answers several people have agreed on."""


@dataclass(frozen=True, slots=True)
class Golden:
    """People looked at a unit together and agreed what is true of it."""

    inspection_id: str
    """The inspection that is the reference; its photos are the golden item's."""
    grade: str | None
    answers: dict[str, str]
    """question id → choice id."""
    agreed_by: tuple[str, ...]
    why: str
    """What they went by, in their own words."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Planted:
    """One unit goes round again under a fresh return."""

    merchant_id: str
    rma: str
    """The fresh return's code."""
    subject: str
    """The inspection that is looked at again."""
    why: Why
    rater: str
    """Who is to inspect it."""
    not_by: tuple[str, ...]
    """Who must not: they have said already what they see."""
    drawn: int
    """The draw that chose it, 64 bits as a signed number: an auditor who has the secret gets the same."""
    rule: str
    """Name and version of the rule that chose."""
    at: datetime

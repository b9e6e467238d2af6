"""Units as the centre knows them, and leads' decisions on them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from sync.protocol.common import ErrorBody

Amount = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Sentence = Annotated[str, msgspec.Meta(min_length=3, max_length=1000)]


class MoneyBody(msgspec.Struct, frozen=True):
    """Integer minor units: 54.90 EUR is 5490."""

    minor: Amount
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class UnitInspection(msgspec.Struct, frozen=True):
    """One inspection of a unit."""

    inspection_id: str
    number: int
    """1, 2, 3 … in the order in which the server took them."""
    station: str
    actor: str
    confirmed_at: datetime
    disposition: str
    grade: str | None
    refund_decision: str
    refund: MoneyBody | None
    stands: bool


class UnitDecision(msgspec.Struct, frozen=True):
    """One decision on a unit."""

    entry_id: str
    outcome: str
    """``in_force``, or why it took no effect: ``stale_version``, ``not_allowed``."""
    station: str
    actor: str
    base_version: int
    disposition: str
    reason: str
    decided_at: datetime


class UnitAnswer(msgspec.Struct, frozen=True):
    """One unit as it is now."""

    lpn: str
    version: int
    state: str
    """``inspected``, ``contested``, ``decided`` or ``voided``."""
    because: str | None
    """Why it is contested: ``inspected_twice`` or ``beyond_quantity``."""
    merchant_id: str | None
    rma: str | None
    line: int | None
    sku: str | None
    owner: str | None
    """The inspection that counts."""
    disposition: str | None
    refund_decision: str | None
    refund: MoneyBody | None
    updated_at: datetime
    inspections: list[UnitInspection] = []
    decisions: list[UnitDecision] = []


class UnitList(msgspec.Struct, frozen=True):
    """Units without their inspections, by licence plate."""

    units: list[UnitAnswer]
    after: str | None
    """For the next page; null = that was all."""


class Permission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the permission to pass a gate is recorded."""

    gate: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    reference: Annotated[str, msgspec.Meta(min_length=3, max_length=200)]
    kind: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """Which of the kinds that the gate's rule lists, e.g. ``beyond_repair``."""


class GateAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a lead does to a gate besides deciding."""

    kind: Literal["settled", "recall_confirmed", "recall_denied"]
    """``settled``: what an inspection had found and took back was wrong; the others: a notice was compared."""
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    """The gate; for a recall the notice's id."""


class SecondPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody else who agrees, at the same screen, with a name and password of their own."""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]

    def __repr__(self) -> str:
        return "SecondPerson(…)"


class DecisionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a lead decides, and on which version of the unit."""

    base_version: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    disposition: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    reason: Sentence
    inspection_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    """Which inspection counts; null = the one that owns the unit."""
    refund_decision: str | None = None
    """``full``, ``partial``, ``none`` (amount 0) or ``manual`` (no amount); null = as that inspection says."""
    refund: MoneyBody | None = None
    derogations: list[Permission] = []
    gate_acts: list[GateAction] = []
    second: SecondPerson | None = None
    """A permission to pass a gate needs a second lead."""


class DecisionConflict(msgspec.Struct, frozen=True):
    """409: the unit is another one now, or the decision may not be taken."""

    error: ErrorBody
    unit: UnitAnswer | None

"""Returns as shops and portals ask for them, merchants, and their catalogues."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from sync.protocol.common import Name
from sync.protocol.units import MoneyBody, Sentence

KEY_HEADER = "Idempotency-Key"
"""Header of ``POST /v1/returns``: the same key with the same body gets the same answer, however often it comes."""

Code64 = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[^\\x00-\\x1f]*$")]
Text300 = Annotated[str, msgspec.Meta(min_length=1, max_length=300, pattern="^[^\\x00]*$")]


class AskedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One article that the customer wants to send back."""

    sku: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern="^[^\\x00-\\x1f]*$")]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    reason: Code64 | None = None
    """Reason code that the customer gave."""
    comment: Annotated[str, msgspec.Meta(max_length=4000, pattern="^[^\\x00]*$")] | None = None
    serial: Text300 | None = None
    paid: MoneyBody | None = None
    """For one piece."""


class ReturnRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a shop asks for."""

    merchant_id: Name
    lines: Annotated[list[AskedLine], msgspec.Meta(min_length=1, max_length=200)]
    rma: Code64 | None = None
    """The shop's own number; null = the server gives one."""
    order_id: Text300 | None = None
    ordered_at: datetime | None = None
    delivered_at: datetime | None = None
    tracking: Annotated[list[Code64], msgspec.Meta(max_length=20)] = []


class ReasonBody(msgspec.Struct, frozen=True):
    """Why, for machines and for people."""

    code: str
    text: str


class LineAnswer(msgspec.Struct, frozen=True):
    """What was decided on one line."""

    line: int
    sku: str
    quantity: int
    outcome: str
    """``approved``, ``refused`` or ``manual``."""
    reasons: list[ReasonBody]


class ReturnAnswer(msgspec.Struct, frozen=True):
    """A return as it is now."""

    return_id: str
    merchant_id: str
    rma: str
    state: str
    """``approved``, ``refused``, ``manual`` (a person decides) or ``withdrawn``."""
    version: int
    keep: bool
    """Approved, and the goods need not come back."""
    way_back: str
    """Who pays it: ``merchant`` or ``customer``."""
    label: MoneyBody | None
    """What the way back costs the customer, off the refund."""
    lines: list[LineAnswer]
    policy: str
    """Name, version and hash of the policy that it was judged by."""
    received_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    """Who decided a manual one."""
    reason: str | None
    """Their words."""


class ReturnList(msgspec.Struct, frozen=True):
    """A page of returns, the oldest first."""

    returns: list[ReturnAnswer]
    after: str | None
    """For the next page; null = that was all."""


class ReturnDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lead decides what was left to a person, or takes back an approval."""

    base_version: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    approve: bool
    reason: Sentence


class MerchantBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant."""

    id: Name
    name: Text300
    policy: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$", max_length=64)]
    grading_scheme: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$", max_length=64)] = "standard"
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"


class Uploaded(msgspec.Struct, frozen=True):
    """What an upload changed."""

    changed: int
    unchanged: int

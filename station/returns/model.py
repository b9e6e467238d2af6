"""The nouns of a return: merchant, catalogue item, authorisation, parcel, unit. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from station.quantities import Money
from station.returns.order import Customs, Order


@dataclass(frozen=True, slots=True)
class Merchant:
    """Whose goods these are and under which policy they come back."""

    id: str
    name: str
    policy: str
    """Name of a policy profile, e.g. ``small_brand``."""
    grading_scheme: str = "standard"
    currency: str = "EUR"


class Trait(StrEnum):
    """What the gates need to know of a catalogue item."""

    LITHIUM = "lithium"
    DATA_BEARING = "data_bearing"
    HYGIENE = "hygiene"
    RECALLED = "recalled"
    DESTRUCTION_BAN = "destruction_ban"


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """One sellable article of one merchant."""

    merchant_id: str
    sku: str
    title: str
    category: str | None
    """Key that protocols apply to, e.g. ``electronics.audio``; None = unmapped, which falls to *hold*."""
    gtins: tuple[str, ...] = ()
    """GTINs as 14 digits."""
    codes: tuple[str, ...] = ()
    """Other codes printed on it: FNSKU, ASIN, the merchant's own."""
    price: Money | None = None
    """Price as new, for recovery values; None = unknown."""
    mass_mg: int | None = None
    """Expected gross mass with packaging, milligrams."""
    mass_tolerance_mg: int | None = None
    """Half width of the plausible range, milligrams."""
    accessories: tuple[tuple[str, int], ...] = ()
    """Parts that can be missing: (name, mass in milligrams)."""
    traits: tuple[Trait, ...] = ()
    picture: str | None = None
    """File name of the reference picture, if the station has one."""
    serialised: bool = False
    volume_cm3: int | None = None
    """Outer volume with packaging; None = unknown."""


class Wish(StrEnum):
    """What the customer asks for."""

    REFUND = "refund"
    EXCHANGE = "exchange"
    CREDIT = "credit"
    """Store credit."""


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """One article that the customer announced."""

    line: int
    sku: str
    quantity: int
    declared_reason: str | None = None
    """Reason code the customer gave (DOMAIN.md), kept apart from what is found."""
    comment: str | None = None
    """The customer's own words."""
    serial: str | None = None
    """Serial number that was shipped."""
    paid: Money | None = None
    """What was paid for one unit; None = unknown."""
    wish: Wish = Wish.REFUND


class ArrivalKind(StrEnum):
    """How a parcel came to us."""

    RMA = "rma"
    UNANNOUNCED = "unannounced"
    UNEXPECTED_ITEM = "unexpected_item"
    CARRIER_RTS = "carrier_rts"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class ReturnAuthorisation:
    """What was promised to whom: an RMA with its lines."""

    id: str
    """The RMA code as printed, e.g. ``RMA-2026-004711``; unique per merchant."""
    merchant_id: str
    order_id: str | None
    lines: tuple[ReturnLine, ...]
    tracking: tuple[str, ...] = ()
    """Normalised tracking numbers of the return labels."""
    ordered_at: datetime | None = None
    delivered_at: datetime | None = None
    """When the customer received it: the policy window counts from here."""
    authorised_at: datetime | None = None
    status: str = "open"
    """``open`` or ``closed``."""
    lpns: tuple[str, ...] = ()
    """Licence plates given before arrival (Amazon's report carries one per row)."""
    order: Order | None = None
    """What was bought and paid; None = unknown, so the line's own amount counts."""
    customs: Customs | None = None
    """None = no border was crossed, or nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel on the bench."""

    id: str
    """UUIDv7 made at the bench."""
    arrival: ArrivalKind
    opened_at: datetime
    scanned: str
    """Text of the scan that opened it."""
    authorisation: ReturnAuthorisation | None
    """The return as this station knew it at that moment; None = unannounced."""
    merchant: Merchant | None

"""A merchant's policy: everything that may differ between merchants is a field of one versioned file.

Three profiles ship in ``resources/policies``; a merchant writes a fourth by copying one. Money is given per currency in
minor units, shares in basis points (1/100 of a percent), so that no float appears anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from station.decision.model import Disposition

BasisPoints = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Days = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
MonthDay = Annotated[str, msgspec.Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Minor = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=160)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every table in a rule file: unknown keys are refused."""


class Payer(StrEnum):
    MERCHANT = "merchant"
    CUSTOMER = "customer"


class Release(StrEnum):
    """When the money leaves."""

    FIRST_SCAN = "first_scan"
    """At the carrier's first scan; clawed back if the inspection disagrees."""
    RECEIPT = "receipt"
    INSPECTION = "inspection"


class Extension(Part, frozen=True, kw_only=True):
    """Orders placed in a season may come back until a later day."""

    name: Line
    ordered_from: MonthDay
    ordered_to: MonthDay
    until: MonthDay
    """Last day, in the season's own year or the one after it."""


class Window(Part, frozen=True, kw_only=True):
    """How long a return is accepted."""

    days: Days
    categories: dict[str, Days] = msgspec.field(default_factory=dict)
    """Category prefix → days; the longest prefix wins."""
    counts_from: Literal["delivery", "order"] = "delivery"
    counts_until: Literal["announced", "received"] = "announced"
    """``announced``: the day the return was authorised counts, so that a slow carrier costs the customer nothing."""
    grace_days: Days = 0
    extensions: tuple[Extension, ...] = ()
    late: Literal["refuse", "manual", "credit"] = "refuse"
    """``credit``: store credit instead of the money."""


class Shipping(Part, frozen=True, kw_only=True):
    """Who pays for the way back."""

    paid_by: Payer
    by_reason: dict[str, Payer] = msgspec.field(default_factory=dict)
    free_on_exchange: bool = False
    label_cost: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units taken off the refund when the customer pays."""
    outbound: Literal["never", "our_error", "complete"] = "never"
    """When what was paid for the way to the customer is given back: never, a unit's share where the error is ours, or
    also whatever is left of it with the last unit of the order."""


class RefundRules(Part, frozen=True, kw_only=True):
    release: Release
    instant_up_to: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units: dearer units are not paid at the first scan but after the inspection; a currency that is
    not named has no limit."""
    claw_back: bool = False
    claw_back_from: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units: less is left to the customer."""
    exchange_first: bool = False
    generous_on_doubt: bool = False
    """Where something cannot be known, decide for the customer."""
    call_task: bool = False
    """A person calls the customer."""
    keep_it_below: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units: refunds up to this did not need the goods back."""
    keep_it_not: tuple[str, ...] = ()
    """Category prefixes that have to come back whatever they cost."""
    credit_bonus_bp: BasisPoints = 0
    """On top where the customer takes store credit."""
    promotions: Literal["hold", "take_back"] = "hold"
    """Whether a promotion stays where what the customer keeps no longer meets its condition."""
    duties: Literal["never", "our_error", "always"] = "our_error"
    """When import duties that the customer paid at checkout are given back."""
    refused_goods: Literal["ship_back", "hold"] = "ship_back"
    """What happens to goods whose refund is refused: they still belong to the customer."""


class Fees(Part, frozen=True, kw_only=True):
    restocking_bp: BasisPoints = 0
    categories: dict[str, BasisPoints] = msgspec.field(default_factory=dict)
    """Category prefix → basis points, instead of the general fee."""
    unless_reasons: tuple[str, ...] = ()
    most: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units that the fee never exceeds."""
    free_on_exchange: bool = False


class Deduction(Part, frozen=True, kw_only=True):
    """Diminished value: the written reason is part of the rule."""

    axis: str
    at_most: int
    """The deduction applies where the axis stands at this level or lower; the lowest matching one wins."""
    basis_points: BasisPoints
    reason: Line


class FinalSale(Part, frozen=True, kw_only=True):
    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    except_our_error: bool = True


class Attention(Part, frozen=True, kw_only=True):
    """When a second person looks, whatever the condition."""

    value_from: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units."""


class CustomsRules(Part, frozen=True, kw_only=True):
    """How the inspection answers "was it used?" for goods that crossed a border."""

    unused_needs: dict[str, int] = msgspec.field(default_factory=lambda: {"cosmetics": 8, "packaging": 3})
    """Axis → lowest level that goods never used still have."""
    used_reasons: tuple[str, ...] = ("used",)
    """Found reasons that say that it was used."""


class Policy(Part, frozen=True, kw_only=True, tag_field="kind", tag="policy"):
    """One policy profile. The same name and version always have the same content."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[int, msgspec.Meta(ge=1)]
    title: Line
    style: Line
    """How the merchant speaks to customers."""
    processing: Line
    """How the work is organised; shown to leads, decides nothing."""
    window: Window
    shipping: Shipping
    refund: RefundRules
    fees: Fees = Fees()
    deductions: tuple[Deduction, ...] = ()
    max_deduction_bp: BasisPoints = 10_000
    deduction_notice: Line = "Check that the law in force allows this deduction before it is sent"
    """Ends every written reason of a deduction."""
    customs: CustomsRules = CustomsRules()
    final_sale: FinalSale = FinalSale()
    second_look: Attention = Attention()
    routes: tuple[Disposition, ...]
    """Routes that this merchant offers; others stay forbidden."""
    sha256: str = ""

    def window_days(self, category: str | None) -> int | None:
        """Days of the return window for a category; the general one where the category is unknown."""
        if category is None:
            return self.window.days
        return longest_prefix(self.window.categories, category, self.window.days)

    def restocking_bp(self, category: str | None) -> int:
        if category is None:
            return self.fees.restocking_bp
        return longest_prefix(self.fees.categories, category, self.fees.restocking_bp)

    def must_come_back(self, category: str | None) -> bool:
        """Whether the goods are wanted back however little they cost."""
        return any(covers(prefix, category or "") for prefix in self.refund.keep_it_not)

    def is_final_sale(self, sku: str | None, category: str | None) -> bool:
        if sku is not None and sku in self.final_sale.skus:
            return True
        return category is not None and any(covers(prefix, category) for prefix in self.final_sale.categories)


def covers(prefix: str, category: str) -> bool:
    """Whether a category lies under a prefix, by whole words between dots.

    >>> covers("electronics", "electronics.audio"), covers("electro", "electronics"), covers("", "toys")
    (True, False, True)
    """
    return not prefix or category == prefix or category.startswith(prefix + ".")


def longest_prefix(table: Mapping[str, int], category: str, default: int) -> int:
    """The value whose key is the longest prefix of the category."""
    if not table:
        return default
    best = max((prefix for prefix in table if covers(prefix, category)), key=len, default=None)
    return default if best is None else table[best]

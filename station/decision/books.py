"""The small rule books: routes with their costs, return reasons, totes."""

from __future__ import annotations

from typing import Annotated

import msgspec

from station.decision.decay import Decay, Season
from station.decision.model import Disposition
from station.decision.scheme import Version
from station.errors import InvalidInput
from station.returns.policy import BasisPoints, Days, Line, Minor, Part, covers, longest_prefix

Grams = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=10**9)]


class Band(Part, frozen=True, kw_only=True):
    """One step of a freight table; a unit pays the first step that it fits."""

    up_to_g: Positive | None = None
    """Mass with packaging; None = any."""
    up_to_cm3: Positive | None = None
    """Outer volume; None = any."""
    cost: dict[str, Minor]
    """Currency → minor units for one unit."""


class Quota(Part, frozen=True, kw_only=True):
    """What somebody else takes off us."""

    units: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    """Allowance per period."""
    period_days: Positive
    minimum_batch: Positive = 1
    """Fewer are not collected: units wait until there are so many."""
    batch_freight: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units for a whole batch; a unit bears its share of a batch of the minimum size."""


class Route(Part, frozen=True, kw_only=True):
    """One way a unit can go, when it makes sense and what it costs."""

    disposition: Disposition
    title: Line
    needs: dict[str, int] = msgspec.field(default_factory=dict)
    """Axis → lowest level at which this way is possible."""
    needs_text: str = ""
    """Why it is not possible below that."""
    pointless_at: dict[str, int] = msgspec.field(default_factory=dict)
    """Axis → level; where all these axes stand at least there, this way has nothing to do."""
    pointless_text: str = ""
    cost: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units for handling one unit."""
    rework: bool = False
    """The work that the answers found is done on this way and charged to it."""
    only_found: tuple[str, ...] = ()
    """Only for units where one of these reasons was found; empty = for all."""
    only_found_text: str = ""
    only_refused: bool = False
    """Only for goods whose refund is refused: they still belong to the customer."""
    days_to_sell: Days = 0
    """Days until the money is there: the value falls until then."""
    fee_bp: BasisPoints = 0
    """Share of what the unit brings that whoever sells it keeps."""
    fee: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → fixed fee; a currency that is not named has none."""
    freight: tuple[Band, ...] = ()
    carbon_g: Grams = 0
    """CO2 equivalent of one unit on this way, in grams."""
    carbon_g_per_kg: Grams = 0
    capacity_per_day: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None = None
    """None = as many as come."""
    quota: Quota | None = None


class RouteBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="routes"):
    """All ways in rule order: the order decides where values cannot."""

    version: Version
    rework_per_minute: dict[str, Minor] = msgspec.field(default_factory=dict)
    carbon_per_tonne: dict[str, Minor] = msgspec.field(default_factory=dict)
    """Currency → minor units for a tonne of CO2 equivalent; a currency that is not named does not price it."""
    decays: tuple[Decay, ...] = ()
    seasons: tuple[Season, ...] = ()
    volume_cm3: dict[str, Positive] = msgspec.field(default_factory=dict)
    """Category prefix → outer volume where the catalogue does not say it."""
    routes: tuple[Route, ...]
    sha256: str = ""

    def route(self, disposition: Disposition) -> Route | None:
        return next((route for route in self.routes if route.disposition is disposition), None)

    def volume(self, category: str | None) -> int | None:
        """Outer volume by category, cm³; None = unknown."""
        return longest_prefix(self.volume_cm3, category, 0) or None if category is not None else None


class ReturnReason(Part, frozen=True, kw_only=True):
    """One return reason. Reasons are data: merchants bring their own."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    label: Line
    """As it stands inside a sentence: ``too small``."""
    group: str
    """Reasons of one group do not contradict each other."""
    soft: bool = False
    """A matter of taste or fit: nobody can find the opposite."""
    our_error: bool = False
    """No fee, and we pay the way back."""
    evidence: dict[str, int] = msgspec.field(default_factory=dict)
    """Axis → level; found at this level or lower on any of them, the reason is borne out."""
    customs: str = ""
    """The code that the merchant's broker uses for it; carried through, never interpreted."""


class ReasonBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="reasons"):
    version: Version
    reasons: tuple[ReturnReason, ...]
    sha256: str = ""

    def reason(self, code: str | None) -> ReturnReason | None:
        for reason in self.reasons:
            if reason.code == code:
                return reason
        return None

    def label(self, code: str) -> str:
        known = self.reason(code)
        return known.label if known is not None else code.replace("_", " ")


NEEDED_REASONS = ("wrong_item", "missing_parts", "no_fault_found", "right_item_found")
"""Reasons that the program itself finds; a merchant's book may word them, not leave them out."""


def check_reasons(book: ReasonBook, where: str) -> None:
    """Refuse a book without the reasons that the program finds, or with one twice.

    Raises:
        InvalidInput: names the reason.
    """
    codes = [reason.code for reason in book.reasons]
    for code in NEEDED_REASONS:
        if code not in codes:
            raise InvalidInput(f"{where}: reason {code!r} is missing; the program finds it by itself")
    if len(set(codes)) != len(codes):
        raise InvalidInput(f"{where}: a reason is there twice: {', '.join(codes)}")


class Tote(Part, frozen=True, kw_only=True):
    disposition: Disposition
    tote: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,2}-[0-9]{2,3}$")]
    title: Line
    category: str = ""
    """Category prefix; empty = all."""
    handling: str = ""
    """Special handling that a gate asks for, e.g. ``hazmat``; empty = none."""


class ToteBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="totes"):
    version: Version
    totes: tuple[Tote, ...]
    sha256: str = ""

    def tote(self, disposition: Disposition, category: str | None, handling: str = "") -> str:
        """Where to put a unit: the handling first, then the longest category; empty = nothing is put away.

        Special handling without a tote of its own falls back to the general one of the disposition.
        """
        fitting = [
            tote for tote in self.totes if tote.disposition is disposition and covers(tote.category, category or "")
        ]
        special = [tote for tote in fitting if tote.handling == handling]
        candidates = special or [tote for tote in fitting if not tote.handling]
        return max(candidates, key=lambda tote: len(tote.category)).tote if candidates else ""

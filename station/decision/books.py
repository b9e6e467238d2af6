"""The small rule books: routes with their costs, return reasons, totes."""

from __future__ import annotations

from typing import Annotated

import msgspec

from station.decision.model import Disposition
from station.decision.scheme import Version
from station.errors import InvalidInput
from station.returns.policy import Line, Minor, Part, covers


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


class RouteBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="routes"):
    """All ways in rule order: the order decides where values cannot."""

    version: Version
    rework_per_minute: dict[str, Minor] = msgspec.field(default_factory=dict)
    routes: tuple[Route, ...]
    sha256: str = ""


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


class ReasonBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="reasons"):
    version: Version
    reasons: tuple[ReturnReason, ...]
    sha256: str = ""

    def reason(self, code: str | None) -> ReturnReason | None:
        return next((reason for reason in self.reasons if reason.code == code), None)

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

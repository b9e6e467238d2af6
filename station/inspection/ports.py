"""What the desk needs from the store: reading what is known, and one way to write what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from station.decision.model import Disposition, Earlier
from station.identify.scan import CandidateKind
from station.inspection.weight.learned import MassHistory
from station.journal.entry import Entry, Fact
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from station.review.signals import Past


class Directory(Protocol):
    """What this station knows offline. Every method is one indexed look-up."""

    def returns_by(self, kind: CandidateKind, key: str) -> tuple[ReturnAuthorisation, ...]:
        """Returns that an RMA code, tracking number or LPN belongs to; open ones first."""
        ...

    def items_by_code(self, key: str) -> tuple[CatalogueItem, ...]:
        """Articles that carry a code: GTIN-14, SKU, FNSKU, ASIN."""
        ...

    def item(self, merchant_id: str, sku: str) -> CatalogueItem | None: ...

    def merchant(self, merchant_id: str) -> Merchant | None: ...

    def inspected_units(self, merchant_id: str, rma: str) -> Mapping[int, int]:
        """Line number → units of it that already have an inspection that stands (not voided)."""
        ...

    def lpn_is_used(self, lpn: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class RecentUnit:
    """One line of "just done"."""

    inspection_id: str
    title: str
    grade: str | None
    disposition: Disposition
    tote: str
    second_look: bool


@dataclass(frozen=True, slots=True)
class ShiftFigures:
    """The bench's own pace; no ranking of people."""

    units: int
    this_hour: int
    median_seconds: int | None
    parked: int


@dataclass(frozen=True, slots=True)
class Sought:
    """The unit whose past is looked up."""

    unit_id: str
    lpn: str
    parcel_id: str
    merchant_id: str | None
    rma: str | None
    line: int | None
    sku: str | None
    serial: str | None
    """As it was found."""
    by_tracking: bool
    """The parcel was opened by its tracking number; another code may rightly be scanned for several parcels."""


class DiskRoom(Protocol):
    """Whether there is room to take on more work."""

    @property
    def accepts_parcels(self) -> bool:
        """False = finish the parcel on the bench, open no new one."""
        ...

    @property
    def text(self) -> str | None:
        """What to do, for a person; None = nothing."""
        ...


class BenchStore(Protocol):
    """The store as the desk sees it."""

    @property
    def directory(self) -> Directory: ...

    @property
    def disk_state(self) -> DiskRoom: ...

    def commit(self, facts: Sequence[Fact], *, actor: str, drafts: Mapping[str, bytes | None]) -> tuple[Entry, ...]:
        """Write facts and drafts in one durable transaction.

        Args:
            facts: appended to the journal in this order and projected into rows.
            actor: badge or name of who did it.
            drafts: slot → bytes to keep, or None to delete the slot.

        Returns:
            The entries as they stand in the journal; on return they survive a power cut.

        Raises:
            StoreFault: disk full or broken; nothing of this call was written.
        """
        ...

    def draft(self, slot: str) -> bytes | None: ...

    def slots(self, prefix: str) -> tuple[str, ...]:
        """Names of draft slots that begin with ``prefix``, oldest first."""
        ...

    def photo_like(self, bits: int, unit_id: str, at_most: int) -> str | None:
        """SHA-256 of one of the last photos, of another unit, whose look differs in at most so many bits."""
        ...

    def remember_photo(self, sha256: str, unit_id: str, bits: int) -> None: ...

    def mass_history(self, merchant_id: str, sku: str) -> MassHistory:
        """What units of an article weighed whose inspections stand and found them in order."""
        ...

    def earlier_inspections(
        self, unit_id: str, lpn: str, merchant_id: str | None, rma: str | None, line: int | None
    ) -> tuple[Earlier, ...]:
        """Other inspections of this unit: taken back on its line or plate, or standing on its plate; oldest first."""
        ...

    def past(self, sought: Sought) -> Past:
        """What is known of earlier units that bears on this one; each question is one indexed look-up."""
        ...

    def recent(self, limit: int) -> tuple[RecentUnit, ...]: ...

    def figures(self, since: datetime, now: datetime) -> ShiftFigures: ...

"""The store as the bench sees it: what is decided becomes durable, and what is known offline is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from station.canonical import canonical_json
from station.decision.model import Earlier
from station.decision.recovery import Cell, UnitOutcome
from station.errors import Defect, InvalidInput
from station.inspection.ports import RecentUnit, ShiftFigures, Sought
from station.inspection.weight.learned import MassHistory
from station.journal.entry import Entry, Fact
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from station.returns.sale import Sale
from station.review.settled import Settled
from station.review.signals import Past
from station.store import bench, imports, looks, masses, outcomes, sales
from station.store.access import Access
from station.store.earlier import earlier_inspections
from station.store.entries import ENTRY_COLUMNS, JOURNAL, append
from station.store.imports import Counts
from station.store.looks import Looks, PastLook
from station.store.past import past_of
from station.store.projection import project
from station.store.settled import settled_looks


class BenchSide(Access):
    """Implements ``station.inspection.ports.BenchStore``."""

    _looks: Looks | None = None
    """The desk's own; read when it is first asked for."""

    def commit(self, facts: Sequence[Fact], *, actor: str, drafts: Mapping[str, bytes | None]) -> tuple[Entry, ...]:
        """Write facts and drafts in one durable transaction (``BenchStore.commit``).

        Raises:
            StoreFault: disk full or broken; nothing of this call was written.
            Defect: a payload that is not canonical JSON or not what its kind promises; nothing was written.
        """
        facts, drafts = tuple(facts), dict(drafts)
        for fact in facts:
            _check_canonical(fact)
        made: list[tuple[Entry, ...]] = []

        def work(connection: sa.Connection) -> tuple[Entry, ...]:
            entries = append(
                connection,
                facts,
                behind=self._head,
                station=self._station,
                actor=actor,
                clock=self._clock,
                ids=self._ids,
            )
            try:
                for entry in entries:
                    project(connection, entry)
            except InvalidInput as error:
                raise Defect(str(error)) from error
            bench.write_drafts(connection, drafts)
            made.append(entries)
            return entries

        def landed(connection: sa.Connection) -> tuple[Entry, ...] | None:
            return made[-1] if made and _is_there(connection, made[-1], drafts) else None

        return self._writer.call(work, doing="saving", landed=landed, committed=self._advance)

    def draft(self, slot: str) -> bytes | None:
        """The bytes kept in a slot; None = empty."""
        with self._reading("reading a draft") as connection:
            return bench.draft(connection, slot)

    def slots(self, prefix: str) -> tuple[str, ...]:
        """Filled slots that begin with ``prefix``, oldest first."""
        with self._reading("reading drafts") as connection:
            return bench.slots(connection, prefix)

    def photo_like(self, bits: int, unit_id: str, at_most: int) -> str | None:
        """An earlier photo of another unit that looks the same (``BenchStore.photo_like``)."""
        return self._the_looks().alike(bits, unit_id, at_most)

    def remember_photo(self, sha256: str, unit_id: str, bits: int) -> None:
        """Keep what a photo looks like, for later comparisons."""
        look = PastLook(sha256, unit_id, bits)
        self._the_looks().remember(look)
        self._write(lambda connection: looks.write(connection, look), "remembering a photo")

    def mass_history(self, merchant_id: str, sku: str) -> MassHistory:
        """What units of an article weighed that were in order (``BenchStore.mass_history``)."""
        with self._reading("reading what an article weighs") as connection:
            return masses.mass_history(connection, merchant_id, sku)

    def earlier_inspections(
        self, unit_id: str, lpn: str, merchant_id: str | None, rma: str | None, line: int | None
    ) -> tuple[Earlier, ...]:
        """Other inspections of a unit (``BenchStore.earlier_inspections``)."""
        with self._reading("reading earlier inspections") as connection:
            return earlier_inspections(connection, unit_id, lpn, merchant_id, rma, line)

    def past(self, sought: Sought) -> Past:
        """What is known of earlier units (``BenchStore.past``)."""
        with self._reading("reading what is known of earlier units") as connection:
            return past_of(connection, sought)

    def settled_looks(self) -> tuple[Settled, ...]:
        """Second looks that were settled at this bench, in their order."""
        with self._reading("reading second looks") as connection:
            return settled_looks(connection)

    def outcome_cells(self) -> tuple[Cell, ...]:
        """What goods brought, counted by article, grade and way."""
        with self._reading("reading what goods brought") as connection:
            return outcomes.outcome_cells(connection)

    def _the_looks(self) -> Looks:
        if self._looks is None:
            with self._reading("reading what photos looked like") as connection:
                self._looks = Looks(connection)
        return self._looks

    def recent(self, limit: int) -> tuple[RecentUnit, ...]:
        """The last inspections that stand, newest first."""
        with self._reading("reading recent units") as connection:
            return bench.recent(connection, limit)

    def figures(self, since: datetime, now: datetime) -> ShiftFigures:
        """The bench's own pace from ``since`` to ``now``."""
        with self._reading("reading the bench's figures") as connection:
            return bench.figures(connection, since, now)

    # The directory

    def put_merchants(self, merchants: Iterable[Merchant]) -> Counts:
        """Add or replace merchants by id; importing twice changes nothing."""
        return imports.put_merchants(self._writer, merchants)

    def put_items(self, items: Iterable[CatalogueItem]) -> Counts:
        """Add or replace articles by merchant and SKU, streaming, one transaction per batch."""
        return imports.put_items(self._writer, items)

    def put_returns(self, returns: Iterable[ReturnAuthorisation]) -> Counts:
        """Add or replace returns by merchant and RMA code, streaming, one transaction per batch."""
        return imports.put_returns(self._writer, returns)

    def put_sales(self, found: Iterable[Sale]) -> Counts:
        """Add or replace sales by merchant, order, article and lot, streaming, one transaction per batch."""
        return sales.put_sales(self._writer, found)

    def put_outcomes(self, found: Iterable[UnitOutcome]) -> Counts:
        """Add or replace what units brought, by merchant and plate, streaming, one transaction per batch."""
        return outcomes.put_outcomes(self._writer, found)


def _check_canonical(fact: Fact) -> None:
    """The payload is kept, hashed and sent for ever: what is not canonical must not get in."""
    try:
        value = msgspec.json.decode(fact.payload)
    except msgspec.MsgspecError as error:
        raise Defect(f"payload of {fact.kind!r} is not JSON ({error}): {fact.payload[:80]!r}") from error
    try:
        is_canonical = canonical_json(value) == fact.payload
    except InvalidInput as error:
        raise Defect(f"payload of {fact.kind!r} cannot be kept: {error}") from error
    if not is_canonical:
        raise Defect(f"payload of {fact.kind!r} is not canonical JSON: {fact.payload[:80]!r}; use canonical_json")


def _is_there(connection: sa.Connection, entries: Sequence[Entry], drafts: Mapping[str, bytes | None]) -> bool:
    for entry in entries:
        row = connection.execute(sa.select(*ENTRY_COLUMNS).where(JOURNAL.c.id == entry.id)).one_or_none()
        if row is None or Entry(*row) != entry:
            return False
    return all(bench.draft(connection, slot) == body for slot, body in drafts.items())

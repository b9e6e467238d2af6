"""From a reading into the store, in batches: new merchants, then articles, returns, sales and outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from station.decision.recovery import UnitOutcome
from station.exchange.amazon import with_codes
from station.exchange.reading import CatalogueRecord, OutcomesRecord, Reading, ReturnsRecord, SalesRecord
from station.exchange.refused import RefusedLine
from station.identify.scan import CandidateKind
from station.inspection.ports import Directory
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine
from station.returns.sale import Sale

BATCH = 2_000
"""Records; as many as the store writes in one transaction."""

KEPT_REFUSALS = 10_000
"""Refused lines that a report keeps; beyond it they are only counted."""


class Counted(Protocol):
    """What the store says it did."""

    @property
    def new(self) -> int: ...
    @property
    def changed(self) -> int: ...
    @property
    def unchanged(self) -> int: ...


class ImportStore(Protocol):
    """What an import needs of ``station.store.store.Store``."""

    @property
    def directory(self) -> Directory: ...
    def put_merchants(self, merchants: Iterable[Merchant]) -> Counted: ...
    def put_items(self, items: Iterable[CatalogueItem]) -> Counted: ...
    def put_returns(self, returns: Iterable[ReturnAuthorisation]) -> Counted: ...
    def put_sales(self, found: Iterable[Sale]) -> Counted: ...
    def put_outcomes(self, found: Iterable[UnitOutcome]) -> Counted: ...


@dataclass
class Tally:
    """Records of one kind, by what the store had to do."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def add(self, counted: Counted) -> None:
        self.new += counted.new
        self.changed += counted.changed
        self.unchanged += counted.unchanged

    @property
    def total(self) -> int:
        return self.new + self.changed + self.unchanged


@dataclass
class ImportReport:
    """What became of a file."""

    merchants: Tally = field(default_factory=Tally)
    articles: Tally = field(default_factory=Tally)
    returns: Tally = field(default_factory=Tally)
    sales: Tally = field(default_factory=Tally)
    outcomes: Tally = field(default_factory=Tally)
    lines: int = 0
    """Lines of the returns taken."""
    refused: list[RefusedLine] = field(default_factory=list)
    """At most ``KEPT_REFUSALS``."""
    refused_total: int = 0


def import_file(
    reading: Reading[ReturnsRecord] | Reading[CatalogueRecord] | Reading[SalesRecord] | Reading[OutcomesRecord],
    store: ImportStore,
    *,
    currency: str = "EUR",
    on_batch: Callable[[], None] = lambda: None,
    on_refused: Callable[[RefusedLine], None] = lambda line: None,
) -> ImportReport:
    """Read a file to its end and write what is good.

    Args:
        reading: from ``read_returns``, ``read_catalogue``, ``read_sales`` or ``read_outcomes``.
        store: where to.
        currency: of merchants that are not known yet.
        on_batch: called after each batch, for a progress display.
        on_refused: called with each refused line as it is met.

    Raises:
        StoreFault: the store failed; batches before are written, and importing again is harmless.
    """
    sink = _Sink(store, "marketplace" if reading.is_amazon else "small_brand", currency, reading.is_amazon)
    for record in reading:
        if isinstance(record, RefusedLine):
            sink.report.refused_total += 1
            if len(sink.report.refused) < KEPT_REFUSALS:
                sink.report.refused.append(record)
            on_refused(record)
        elif sink.add(record):
            on_batch()
    sink.flush()
    return sink.report


class _Sink:
    """Collects records and writes them a batch at a time."""

    def __init__(self, store: ImportStore, policy: str, currency: str, thin_articles: bool) -> None:
        self.report = ImportReport()
        self._store = store
        self._policy = policy
        self._currency = currency
        self._thin = thin_articles
        self._merchants: set[str] = set()
        self._fresh: set[str] = set()
        """Merchants made by this import: the store knows nothing else of theirs."""
        self._items: list[CatalogueItem] = []
        self._returns: list[ReturnAuthorisation] = []
        self._sales: list[Sale] = []
        self._outcomes: list[UnitOutcome] = []

    def add(self, record: CatalogueItem | ReturnAuthorisation | Sale | UnitOutcome) -> bool:
        """Keep a record; True if that filled a batch, which is written by then."""
        if isinstance(record, CatalogueItem):
            self._items.append(record)
        elif isinstance(record, Sale):
            self._sales.append(record)
        elif isinstance(record, UnitOutcome):
            self._outcomes.append(record)
        else:
            self._returns.append(record)
            self.report.lines += len(record.lines)
        full = len(self._items) + len(self._returns) + len(self._sales) + len(self._outcomes) >= BATCH
        if full:
            self.flush()
        return full

    def flush(self) -> None:
        """Write what is collected."""
        self._flush_merchants()
        if self._items:
            items = [self._completed(item) for item in self._last_of_each()] if self._thin else self._items
            self.report.articles.add(self._store.put_items(items))
        if self._returns:
            returns = [self._continued(one) for one in self._returns] if self._thin else self._returns
            self.report.returns.add(self._store.put_returns(returns))
        if self._sales:
            self.report.sales.add(self._store.put_sales(self._sales))
        if self._outcomes:
            self.report.outcomes.add(self._store.put_outcomes(self._outcomes))
        self._items, self._returns, self._sales, self._outcomes = [], [], [], []

    def _flush_merchants(self) -> None:
        named = {item.merchant_id for item in self._items} | {one.merchant_id for one in self._returns}
        named |= {sale.merchant_id for sale in self._sales}
        named |= {one.outcome.merchant_id for one in self._outcomes}
        named -= self._merchants
        unknown = [name for name in sorted(named) if self._store.directory.merchant(name) is None]
        if unknown:
            fresh = [Merchant(name, name, self._policy, currency=self._currency) for name in unknown]
            self.report.merchants.add(self._store.put_merchants(fresh))
            self._fresh.update(unknown)
        self._merchants |= named

    def _last_of_each(self) -> Iterable[CatalogueItem]:
        return {(item.merchant_id, item.sku): item for item in self._items}.values()

    def _continued(self, one: ReturnAuthorisation) -> ReturnAuthorisation:
        """A report covers some days: units of the order from an earlier report stay, and only new ones are added."""
        if one.merchant_id in self._fresh:
            return one
        for known in self._store.directory.returns_by(CandidateKind.RMA, one.id):
            if known.merchant_id == one.merchant_id and len(one.lpns) == len(one.lines):
                fresh = [
                    (line, plate) for line, plate in zip(one.lines, one.lpns, strict=True) if plate not in known.lpns
                ]
                if known.lpns:
                    return _extended(known, fresh)
        return one

    def _completed(self, item: CatalogueItem) -> CatalogueItem:
        """A report's article must not overwrite a catalogue's: it only adds codes to what is known."""
        known = self._store.directory.item(item.merchant_id, item.sku)
        return item if known is None else with_codes(known, item.codes)


def _extended(known: ReturnAuthorisation, fresh: list[tuple[ReturnLine, str]]) -> ReturnAuthorisation:
    if not fresh:
        return known
    numbered = enumerate((line for line, _ in fresh), start=len(known.lines) + 1)
    return replace(
        known,
        lines=(*known.lines, *(replace(line, line=number) for number, line in numbered)),
        lpns=(*known.lpns, *(plate for _, plate in fresh)),
    )

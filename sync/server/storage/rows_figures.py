"""Projections for figures and queues. Tables of their own (see ``rows.py``); ``sync.server.figures`` says why so."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from sync.server.storage.rows import metadata

_BIG: Final = ("handling_ms", "weighed_mg", "diverted_mg")

DISPOSITIONS: Final = (
    "restock", "repackage", "refurbish", "liquidate", "return_to_vendor", "donate", "recycle", "destroy", "quarantine",
    "missing", "ship_back", "other",
)  # fmt: skip
IDENTITIES: Final = ("match", "wrong_item", "wrong_serial", "unexpected", "unknown", "missing", "other")
VERDICTS: Final = ("plausible", "too_light", "too_heavy", "empty", "cannot_tell", "other", "none")
REFUNDS: Final = ("full", "partial", "none", "manual", "other")

_S, _MIN, _H = 1_000, 60_000, 3_600_000
CYCLE_EDGES: Final = tuple(
    s * _S for s in (5, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90, 120, 180, 240, 300, 480, 600, 1200)
)
DOCK_EDGES: Final = (
    *(m * _MIN for m in (5, 10, 20, 30, 45)),
    *(h * _H for h in (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 120, 168, 240, 336)),
)
SYNC_EDGES: Final = (
    *(ms for ms in (500, 1_000, 2_000, 5_000, 10_000, 30_000)),
    *(m * _MIN for m in (1, 5, 15)),
    *(h * _H for h in (1, 4, 24, 72)),
)
"""Upper edges of the histograms in milliseconds; a value at an edge lies below it, one more bucket holds the rest."""


DAYS: Final = 0
MONTHS: Final = 1
"""Grain of a cell: of one day, or of a whole month (then ``day`` is its first). Every sum is in both."""


def bucket_names(what: str, edges: tuple[int, ...]) -> tuple[str, ...]:
    """Columns of one histogram."""
    return tuple(f"{what}_{number:02d}" for number in range(len(edges) + 1))


CYCLE: Final = bucket_names("cycle", CYCLE_EDGES)
DOCK: Final = bucket_names("dock", DOCK_EDGES)
SYNC: Final = bucket_names("sync", SYNC_EDGES)
HOURS: Final = tuple(f"hour_{hour:02d}" for hour in range(24))

MEASURES: Final = (
    "units", "voided", "corrected", *_BIG, "overridden", "second_look", "reasons_known", "reasons_agree",
    "skipped", "skipped_weight", "skipped_photo", "refunds_decided", "refunds_corrected", "clock_doubtful",
    *(f"to_{name}" for name in DISPOSITIONS), *(f"is_{name}" for name in IDENTITIES),
    *(f"weight_{name}" for name in VERDICTS), *(f"refund_{name}" for name in REFUNDS), *CYCLE, *DOCK, *SYNC,
)  # fmt: skip
"""Sums that benches and merchants both have. ``units``, ``voided`` and ``corrected`` all 0 = all are 0."""
BENCH_MEASURES: Final = (*MEASURES, *HOURS)
LABEL_MEASURES: Final = ("units", "refunded_minor", "priced", "original_minor", "recovered_minor")


def measure_columns(names: tuple[str, ...]) -> list[Column[Any]]:
    """Counts in four bytes (PostgreSQL adds those up five times as fast as eight), sums of amounts in eight."""
    return [
        Column(name, BigInteger if name in _BIG or name.endswith("_minor") else Integer, nullable=False)
        for name in names
    ]


def _key(*columns: Column[Any]) -> list[Column[Any]]:
    return [
        Column("site_id", String(64), primary_key=True),
        Column("build", Integer, primary_key=True, autoincrement=False),
        *columns,
    ]


def _grain() -> Column[int]:
    return Column("grain", Integer, primary_key=True, autoincrement=False)


def _day() -> Column[int]:
    return Column("day", Integer, primary_key=True, autoincrement=False)


def _shard() -> Column[int]:
    return Column("shard", Integer, primary_key=True, autoincrement=False)


def _text_key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


FREQUENTLY_UPDATED: Final = {"fillfactor": "70"}
"""Room on each page of PostgreSQL, so that an update of a cell touches no index (HOT)."""

figure_builds = Table(
    "figure_builds",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("live", Integer, nullable=False),
    Column("building", Integer, nullable=True),
    Column("cursor", Text, nullable=True),
    Column("formula", Integer, nullable=False),
)
"""Which build of a site's figures is read, and which one is being made beside it. No row: build 1, complete."""

figure_cursors = Table(
    "figure_cursors",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)
"""How far figures and queue follow each chain: every sound entry up to ``seq`` is in them. No row: none is."""

figure_units = Table(
    "figure_units",
    metadata,
    *_key(Column("inspection_id", String(64), primary_key=True)),
    Column("entry_id", String(64), nullable=True),
    Column("ended", Integer, nullable=False),
    Column("corrections", Text, nullable=False),
    Column("station", String(64), nullable=True),
    Column("inspector", Text, nullable=True),
    Column("day", Integer, nullable=True),
    Column("confirmed_us", BigInteger, nullable=True),
    Column("merchant", Text, nullable=True),
    Column("category", Text, nullable=True),
    Column("sku", Text, nullable=True),
    Column("grade", Text, nullable=True),
    Column("disposition", Text, nullable=True),
    Column("identity", Text, nullable=True),
    Column("declared", Text, nullable=True),
    Column("found", Text, nullable=True),
    Column("refund", Text, nullable=True),
    Column("currency", Text, nullable=True),
    Column("refund_minor", BigInteger, nullable=True),
    Column("original_minor", BigInteger, nullable=True),
    Column("recovered_minor", BigInteger, nullable=True),
    Column("cycle_ms", BigInteger, nullable=True),
    Column("dock_ms", BigInteger, nullable=True),
    Column("sync_ms", BigInteger, nullable=True),
    Column("verdict", Text, nullable=True),
    Column("mass_mg", BigInteger, nullable=True),
    Column("overridden", Integer, nullable=True),
    Column("skipped", Text, nullable=True),
    Column("looks", Text, nullable=True),
    Column("unit_id", String(64), nullable=True),
    Column("lpn", String(64), nullable=True),
    Column("rma", Text, nullable=True),
    Index("figure_units_by_day", "site_id", "build", "day", "inspection_id"),
)
"""What the cells were made of, one row per inspection, so that it can be taken out of them exactly. ``entry_id`` null:
only its end has arrived so far."""

figure_benches = Table(
    "figure_benches",
    metadata,
    *_key(_grain(), _day(), Column("station", String(64), primary_key=True), _text_key("inspector")),
    *measure_columns(BENCH_MEASURES),
    sqlite_with_rowid=False,
    postgresql_with=FREQUENTLY_UPDATED,
)

figure_merchants = Table(
    "figure_merchants",
    metadata,
    *_key(_grain(), _day(), _text_key("merchant"), _text_key("category"), _shard()),
    *measure_columns(MEASURES),
    sqlite_with_rowid=False,
    postgresql_with=FREQUENTLY_UPDATED,
)  # fmt: skip

figure_labels = Table(
    "figure_labels",
    metadata,
    *_key(
        Column("kind", String(16), primary_key=True),
        _grain(),
        _day(),
        _text_key("merchant"),
        _text_key("a"),
        _text_key("b"),
        _text_key("currency"),
        _shard(),
    ),
    *measure_columns(LABEL_MEASURES),
    sqlite_with_rowid=False,
    postgresql_with=FREQUENTLY_UPDATED,
)
"""Sums by names that policies, protocols and catalogues make up: grades, reasons, articles."""

queue_items = Table(
    "queue_items",
    metadata,
    *_key(Column("kind", String(16), primary_key=True), Column("item_id", String(64), primary_key=True)),
    Column("since_us", BigInteger, nullable=False),
    Column("station", String(64), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("merchant", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("unit_id", String(64), nullable=True),
    Column("lpn", String(64), nullable=True),
    Column("rma", Text, nullable=True),
    Column("sku", Text, nullable=True),
    Column("disposition", Text, nullable=True),
    Column("value_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Index("queue_items_by_age", "site_id", "build", "kind", "since_us", "item_id"),
    Index("queue_items_by_value", "site_id", "build", "kind", "value_minor", "item_id"),
    Index("queue_items_by_merchant", "site_id", "build", "merchant", "kind", "since_us", "item_id"),
    Index("queue_items_by_lpn", "site_id", "build", "lpn"),
    Index("queue_items_by_rma", "site_id", "build", "rma"),
)
"""What waits for a lead: only what is open."""

queue_settled = Table(
    "queue_settled",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("item_id", String(64), primary_key=True),
    Column("day", Integer, nullable=False),
    Column("settled_us", BigInteger, nullable=False),
    Column("waited_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Index("queue_settled_by_day", "site_id", "day"),
)
"""What a lead has settled: a source, never rebuilt."""

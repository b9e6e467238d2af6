"""Projections for figures and queues."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = ("handling_ms", "weighed_mg", "diverted_mg")
_MEASURES = [
    "units", "voided", "corrected", "handling_ms", "weighed_mg", "diverted_mg", "overridden", "second_look",
    "reasons_known", "reasons_agree", "skipped", "skipped_weight", "skipped_photo", "refunds_decided",
    "refunds_corrected", "clock_doubtful", "to_restock", "to_repackage", "to_refurbish", "to_liquidate",
    "to_return_to_vendor", "to_donate", "to_recycle", "to_destroy", "to_quarantine", "to_missing", "to_ship_back",
    "to_other", "is_match", "is_wrong_item", "is_wrong_serial", "is_unexpected", "is_unknown", "is_missing",
    "is_other", "weight_plausible", "weight_too_light", "weight_too_heavy", "weight_empty", "weight_cannot_tell",
    "weight_other", "weight_none", "refund_full", "refund_partial", "refund_none", "refund_manual", "refund_other",
]  # fmt: skip
_MEASURES += [f"{what}_{n:02d}" for what, count in (("cycle", 21), ("dock", 22), ("sync", 14)) for n in range(count)]
_HOURS = [f"hour_{hour:02d}" for hour in range(24)]
_ROOM = {"fillfactor": "70"}


def upgrade() -> None:
    """Create the tables. A site that already has entries is marked: its figures want ``station server rebuild``."""
    op.create_table(
        "figure_builds",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("building", sa.Integer(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("formula", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id"),
    )
    op.execute(
        "INSERT INTO figure_builds (site_id, live, building, cursor, formula) "
        "SELECT DISTINCT site_id, 1, CAST(NULL AS INTEGER), NULL, 0 FROM heads"
    )
    op.create_table(
        "figure_units",
        *_key(_short("inspection_id")),
        sa.Column("entry_id", sa.String(length=64), nullable=True),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("corrections", sa.Text(), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=True),
        sa.Column("inspector", sa.Text(), nullable=True),
        sa.Column("day", sa.Integer(), nullable=True),
        sa.Column("confirmed_us", sa.BigInteger(), nullable=True),
        *_texts("merchant category sku grade disposition identity declared found refund currency"),
        *_bigs("refund_minor original_minor recovered_minor cycle_ms dock_ms sync_ms"),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("mass_mg", sa.BigInteger(), nullable=True),
        sa.Column("overridden", sa.Integer(), nullable=True),
        *_texts("skipped looks"),
        sa.Column("unit_id", sa.String(length=64), nullable=True),
        sa.Column("lpn", sa.String(length=64), nullable=True),
        sa.Column("rma", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "build", "inspection_id"),
    )
    op.create_index("figure_units_by_day", "figure_units", ["site_id", "build", "day", "inspection_id"])
    _cells(
        "figure_benches",
        [_number("grain"), _number("day"), _short("station"), _text("inspector")],
        [*_MEASURES, *_HOURS],
    )
    _cells(
        "figure_merchants",
        [_number("grain"), _number("day"), _text("merchant"), _text("category"), _number("shard")],
        _MEASURES,
    )
    _cells(
        "figure_labels",
        [
            sa.Column("kind", sa.String(length=16), nullable=False),
            _number("grain"), _number("day"), _text("merchant"), _text("a"), _text("b"), _text("currency"),
            _number("shard"),
        ],
        ["units", "refunded_minor", "priced", "original_minor", "recovered_minor"],
    )  # fmt: skip
    op.create_table(
        "queue_items",
        *_key(sa.Column("kind", sa.String(length=16), nullable=False), _short("item_id")),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        _short("station"),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        _text("merchant"),
        _text("reason"),
        sa.Column("unit_id", sa.String(length=64), nullable=True),
        sa.Column("lpn", sa.String(length=64), nullable=True),
        *_texts("rma sku disposition"),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        _text("currency"),
        sa.PrimaryKeyConstraint("site_id", "build", "kind", "item_id"),
    )
    op.create_index("queue_items_by_age", "queue_items", ["site_id", "build", "kind", "since_us", "item_id"])
    op.create_index(
        "queue_items_by_merchant", "queue_items", ["site_id", "build", "merchant", "kind", "since_us", "item_id"]
    )
    op.create_index("queue_items_by_lpn", "queue_items", ["site_id", "build", "lpn"])
    op.create_index("queue_items_by_rma", "queue_items", ["site_id", "build", "rma"])
    op.create_index("queue_items_by_value", "queue_items", ["site_id", "build", "kind", "value_minor", "item_id"])
    op.create_table(
        "queue_settled",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        _short("item_id"),
        _number("day"),
        sa.Column("settled_us", sa.BigInteger(), nullable=False),
        sa.Column("waited_ms", sa.BigInteger(), nullable=False),
        _text("by"),
        _text("outcome"),
        sa.PrimaryKeyConstraint("site_id", "kind", "item_id"),
    )
    op.create_index("queue_settled_by_day", "queue_settled", ["site_id", "day"])


def _cells(name: str, key: list[sa.Column[Any]], measures: list[str]) -> None:
    columns = [
        sa.Column(
            measure, sa.BigInteger() if measure in _BIG or measure.endswith("_minor") else sa.Integer(), nullable=False
        )
        for measure in measures
    ]
    op.create_table(
        name,
        *_key(*key),
        *columns,
        sa.PrimaryKeyConstraint("site_id", "build", *(column.name for column in key)),
        sqlite_with_rowid=False,
        postgresql_with=_ROOM,
    )


def _key(*columns: sa.Column[Any]) -> list[sa.Column[Any]]:
    return [_short("site_id"), _number("build"), *columns]


def _short(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=64), nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _texts(names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names.split()]


def _bigs(names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=True) for name in names.split()]

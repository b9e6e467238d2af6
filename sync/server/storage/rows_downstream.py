"""Tables of what leaves for other systems: who gets it, what is on its way, what needs a person."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from sync.server.storage.rows import UtcDateTime, metadata

endpoints = Table(
    "downstream_endpoints",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("endpoint_id", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("secret_version", Integer, nullable=False),
    Column("previous_until", UtcDateTime, nullable=True),
    Column("key_check", String(16), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("not_before", UtcDateTime, nullable=True),
    Column("last_success", UtcDateTime, nullable=True),
    Column("disabled_reason", Text, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
)
"""Who is told. ``types``: event types with spaces between, empty = all. No secret is here, only the number of the one
that the server's key gives (``downstream.signing``). ``failures``: in a row, over all units."""

_PENDING = text("state = 'pending'")
_SETTLED = text("settled_at IS NOT NULL")

deliveries = Table(
    "downstream_deliveries",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("endpoint_id", String(64), primary_key=True),
    Column("event_id", String(80), primary_key=True),
    Column("lane", String(64), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("type", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime, nullable=True),
    Column("status", Integer, nullable=True),
    Column("error", Text, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime, nullable=True),
    Index(
        "downstream_deliveries_due", "site_id", "endpoint_id", "next_at",
        sqlite_where=_PENDING, postgresql_where=_PENDING,
    ),
    Index(
        "downstream_deliveries_lane", "lane", "position",
        sqlite_where=_PENDING, postgresql_where=_PENDING,
    ),
    Index("downstream_deliveries_old", "settled_at", sqlite_where=_SETTLED, postgresql_where=_SETTLED),
)  # fmt: skip
"""One row per event and endpoint: the primary key is what exactly-once rests on. ``lane``: the unit; within it
``position`` is the order. ``state``: pending, delivered or failed. ``lease_until``: somebody is sending it."""

alerts = Table(
    "downstream_alerts",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("alert_id", String(64), primary_key=True),
    Column("endpoint_id", String(64), nullable=False),
    Column("event_id", String(80), nullable=True),
    Column("text", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""What a person should look at."""

unit_changes = Table(
    "downstream_unit_changes",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("event_id", String(80), primary_key=True),
    Column("unit_id", String(64), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("is_first", Boolean, nullable=False),
    Column("type", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("downstream_unit_changes_by_unit", "site_id", "unit_id"),
    Index("downstream_unit_changes_by_position", "site_id", "position"),
)
"""Events of units that are more than one plain inspection, whether anybody is told or not: what a lead, a correction or
a second bench changed depends on the order in which it came, so a replay reads it here. ``is_first``: nobody knew of
the unit before; then its first inspection alone says nothing about refund, stock and status."""

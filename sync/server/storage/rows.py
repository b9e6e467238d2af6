"""The central database's tables, in portable SQL: no type and no statement that only one database knows.

Every primary key begins with ``site_id``, so that tables can be distributed by site later (DESIGN §7).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from station.errors import Defect


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out; a naive datetime is a bug."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise Defect(f"naive datetime {value!r}: every time in the database is aware UTC")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

server_facts = Table(
    "server_facts",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""``epoch`` and such."""

heads = Table(
    "heads",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("generation", BigInteger, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=True),
    Column("duplicates", BigInteger, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
)
"""The end of each chain. Its row is locked by a push: one writer per station and generation."""

OF_AGREEMENT: Final = text("(substr(kind, 1, 6) = 'blind.' OR substr(kind, 1, 10) = 'agreement.')")
"""Entries about how people agree, as their index says it, so that both databases see that it fits."""

entries = Table(
    "entries",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("generation", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("id", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("schema", Integer, nullable=False),
    Column("recorded_at", String(64), nullable=False),
    Column("actor", Text, nullable=False),
    Column("payload", LargeBinary, nullable=True),
    Column("payload_sha256", String(64), nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("code", String(32), nullable=True),
    UniqueConstraint("site_id", "id", name="entries_id_once"),
    Index("entries_of_agreement", "site_id", "kind", sqlite_where=OF_AGREEMENT, postgresql_where=OF_AGREEMENT),
)
"""The journal as received. ``code``: null = applied, otherwise why it is quarantined."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("generation", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("code", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
"""Open cases of quarantined entries; the bytes are in ``entries``."""

disputes = Table(
    "disputes",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("generation", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("id", String(64), nullable=False),
    Column("code", String(32), nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
"""Entries that came for a place or an id that another one has: kept whole, applied never by themselves."""

inspections = Table(
    "inspections",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("inspection_id", String(64), primary_key=True),
    Column("station", String(64), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("unit_id", String(64), nullable=False),
    Column("lpn", String(64), nullable=False),
    Column("parcel_id", String(64), nullable=False),
    Column("merchant_id", String(64), nullable=True),
    Column("rma", Text, nullable=True),
    Column("sku", Text, nullable=True),
    Column("identity", String(32), nullable=False),
    Column("grade", String(32), nullable=True),
    Column("disposition", String(32), nullable=False),
    Column("refund_decision", String(32), nullable=False),
    Column("refund_minor", BigInteger, nullable=True),
    Column("refund_currency", String(8), nullable=True),
    Column("actor", Text, nullable=False),
    Column("confirmed_at", UtcDateTime, nullable=False),
    Index("inspections_by_unit", "site_id", "unit_id"),
)

endings = Table(
    "endings",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("inspection_id", String(64), primary_key=True),
    Column("by_entry", String(64), primary_key=True),
    Column("how", String(16), nullable=False),
)
"""Why an inspection no longer stands: ``voided`` or ``corrected``. Append-only: order is no matter."""

photo_names = Table(
    "photo_names",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("inspection_id", String(64), primary_key=True),
    Column("shot", Text, nullable=False),
)
"""Photos that inspections name."""

photos = Table(
    "photos",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
"""Photos that are in the folder."""

feed_heads = Table(
    "feed_heads",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("topic", String(32), primary_key=True),
    Column("rev", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("checksum", String(16), nullable=False),
    Column("horizon", BigInteger, nullable=False),
)
"""The newest revision of each topic; the writing transaction locks its row. ``horizon``: tombstones up to here may be
gone."""

feed_items = Table(
    "feed_items",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("topic", String(32), primary_key=True),
    Column("key", String(300), primary_key=True),
    Column("rev", BigInteger, nullable=False),
    Column("body", Text, nullable=True),
    Column("digest", String(64), nullable=True),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("feed_items_by_rev", "site_id", "topic", "rev", unique=True),
)
"""What benches are told; ``body`` null = a tombstone."""

"""Tables of moving, backing up and erasing."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from sync.server.storage.rows import UtcDateTime, metadata

transfers = Table(
    "transfers",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("table_name", String(64), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("last_key", Text, nullable=True),
    Column("rows", BigInteger, nullable=False),
    Column("digest", String(32), nullable=False),
)
"""How far a copy into this database has come; empty = none is under way. A server does not start on half a copy."""

erasures = Table(
    "erasures",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("erasure_id", String(64), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime, nullable=True),
    Column("entries", BigInteger, nullable=False),
    Column("photos", BigInteger, nullable=False),
    Index("erasures_open", "site_id", "done_at"),
)
"""The ``erased`` events: what was asked to go, why, by whom, and what went. Never what it said."""

erased_photos = Table(
    "erased_photos",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("erasure_id", String(64), nullable=False),
    Column("erased_at", UtcDateTime, nullable=True),
)
"""Photos that must not come back: a bench that offers one again is told that it is held. ``erased_at`` null = the bytes
are still to be deleted."""

claim_holds = Table(
    "claim_holds",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("unit_id", String(64), primary_key=True),
    Column("until", UtcDateTime, nullable=True),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)
"""Units whose evidence is kept for a claim; ``until`` null = until somebody lifts it."""

bench_backlogs = Table(
    "bench_backlogs",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("photos", BigInteger, nullable=False),
    Column("since", UtcDateTime, nullable=True),
    Column("told_at", UtcDateTime, nullable=False),
)
"""What each bench last said of its backlog. ``since``: when its oldest unsent record was made, by its own clock."""

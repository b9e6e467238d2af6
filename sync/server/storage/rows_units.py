"""Returns from shops, units and who owns them, leads' decisions. Tables of their own (see ``rows.py``)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from sync.server.storage.rows import UtcDateTime, metadata

units = Table(
    "units",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("lpn", String(64), primary_key=True),
    Column("unit_id", String(64), nullable=False),
    Column("merchant_id", String(64), nullable=True),
    Column("rma", Text, nullable=True),
    Column("line", BigInteger, nullable=True),
    Column("sku", Text, nullable=True),
    Column("first_inspection", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("because", String(32), nullable=True),
    Column("beyond", Boolean, nullable=False),
    Column("owner", String(64), nullable=True),
    Column("disposition", String(32), nullable=True),
    Column("refund_decision", String(32), nullable=True),
    Column("refund_minor", BigInteger, nullable=True),
    Column("refund_currency", String(8), nullable=True),
    Column("decided_by", String(64), nullable=True),
    Column("version", BigInteger, nullable=False),
    Column("flips", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("units_by_state", "site_id", "state"),
)
"""One physical unit: which inspection owns it and what became of it. ``beyond``: more came than the line announced;
``flips``: how often that changed."""

unit_claims = Table(
    "unit_claims",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("inspection_id", String(64), primary_key=True),
    Column("lpn", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("corrects", String(64), nullable=True),
    Index("unit_claims_by_lpn", "site_id", "lpn"),
    Index("unit_claims_by_corrects", "site_id", "corrects"),
)
"""Inspections of a unit behind the first one, in the server's order (2, 3 …). A first one that corrects another is here
too, as number 1."""

unit_lines = Table(
    "unit_lines",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("merchant_id", String(64), primary_key=True),
    Column("rma", String(200), primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("lpns", Text, nullable=False),
)
"""The units that came for one line of a return, as a JSON array in the server's order."""

unit_decisions = Table(
    "unit_decisions",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("entry_id", String(64), primary_key=True),
    Column("lpn", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("station", String(64), nullable=False),
    Column("actor", Text, nullable=False),
    Column("base_version", BigInteger, nullable=False),
    Column("inspection_id", String(64), nullable=True),
    Column("disposition", String(32), nullable=False),
    Column("refund_decision", String(32), nullable=True),
    Column("refund_minor", BigInteger, nullable=True),
    Column("refund_currency", String(8), nullable=True),
    Column("settles", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Index("unit_decisions_by_lpn", "site_id", "lpn"),
)
"""Decisions on units. ``outcome``: in_force, or why it took no effect. ``settles``: JSON array of what it knew of."""

authorisations = Table(
    "authorisations",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("return_id", String(64), primary_key=True),
    Column("merchant_id", String(64), nullable=False),
    Column("rma", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    UniqueConstraint("site_id", "merchant_id", "rma", name="authorisations_rma_once"),
    Index("authorisations_by_state", "site_id", "state", "received_at"),
)
"""Returns that shops asked for. ``record``: the answer as JSON."""

return_requests = Table(
    "return_requests",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("merchant_id", String(64), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""Idempotency keys and what was answered the first time."""

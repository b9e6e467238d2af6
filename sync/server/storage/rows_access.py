"""Benches: enrolment, keys, revocation, countersigned heads. Tables of their own (see ``rows.py``).

No private key and no code is here: of a code its hash, of a key its public half.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from sync.server.storage.rows import UtcDateTime, metadata

stations = Table(
    "stations",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("key_id", String(16), nullable=True),
    Column("enrolled_at", UtcDateTime, nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
)
"""Benches that IT knows. ``key_id``: the key that counts now; null = never enrolled. Its row is locked (shared) by a
push, so that nothing is taken after a revocation has been answered."""

station_keys = Table(
    "station_keys",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("key_id", String(16), primary_key=True),
    Column("public_key", String(43), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("follows", String(16), nullable=True),
    Column("endorsement", String(86), nullable=True),
)
"""Every key a bench ever had, for ever: old signatures stay provable. ``endorsement``: by the key before; null = by a
code."""

enrol_codes = Table(
    "enrol_codes",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
    Column("station", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=True),
    Column("key_id", String(16), nullable=True),
    Index("enrol_codes_by_hash", "code_hash"),
)
"""One-time codes, by their hash. ``key_id``: of the bench that used it."""

enrol_refusals = Table(
    "enrol_refusals",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("refusal_id", String(36), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("enrol_refusals_by_source", "site_id", "source", "at"),
)
"""Codes that were wrong, by network address: the rate limit survives a restart and holds for all workers."""

batch_seals = Table(
    "batch_seals",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("generation", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("key_id", String(16), nullable=False),
    Column("statement", Text, nullable=False),
    Column("signature", String(86), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
"""Which key signed a chain up to (generation, seq, hash). ``statement``: the JSON behind the domain, as signed."""

countersigned = Table(
    "countersigned",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("station", String(64), primary_key=True),
    Column("generation", BigInteger, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("epoch", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("signature", String(86), nullable=False),
)
"""The newest head of each generation that this server signed for; the bench has the same."""

server_keys = Table(
    "server_keys",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("key_id", String(16), primary_key=True),
    Column("public_key", String(43), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("follows", String(16), nullable=True),
    Column("endorsement", String(86), nullable=True),
)
"""Public halves of the keys this server signed with. ``endorsement``: by the key before; null = the first, or that was
lost."""

access_events = Table(
    "access_events",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", String(32), nullable=False),
    Column("station", String(64), nullable=False),
    Column("detail", Text, nullable=False),
)
"""Who let which bench in or out, and when. Append-only."""

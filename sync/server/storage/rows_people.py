"""People: roles, badges, PINs, sessions, lockouts. Tables of their own (see ``rows.py``)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from sync.server.storage.rows import UtcDateTime, metadata

people = Table(
    "people",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("login", String(64), nullable=True),
    Column("subject", String(300), nullable=True),
    Column("merchant_id", String(64), nullable=True),
    Column("active", Boolean, nullable=False),
    Column("badge", String(64), nullable=True),
    Column("pin", String(300), nullable=True),
    Column("password", String(300), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("site_id", "login", name="people_login_once"),
    UniqueConstraint("site_id", "subject", name="people_subject_once"),
    UniqueConstraint("site_id", "badge", name="people_badge_once"),
)
"""``subject``: who this is at the OIDC provider. ``merchant_id``: sees this merchant's goods only. ``badge``: HMAC;
``pin``: Argon2id of an HMAC; ``password``: Argon2id. People are never deleted: the record names them."""

person_roles = Table(
    "person_roles",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("person_id", String(64), primary_key=True),
    Column("role", String(32), primary_key=True),
    Column("since", UtcDateTime, primary_key=True),
    Column("until", UtcDateTime, nullable=True),
    Column("given_by", String(64), nullable=False),
    Column("ended_by", String(64), nullable=True),
)
"""Which role held from when to when. A row is ended, never changed otherwise: records are judged by it years later."""

sessions = Table(
    "sessions",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("person_id", String(64), nullable=False),
    Column("how", String(16), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Index("sessions_by_person", "site_id", "person_id"),
)
"""``digest``: SHA-256 of the cookie's secret. ``began_at``: the sign-in, also after a renewal."""

oidc_attempts = Table(
    "oidc_attempts",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("state", String(64), primary_key=True),
    Column("browser", String(64), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
"""Sign-ins under way at the provider; ``state`` and ``browser`` are SHA-256. A row is used once."""

buckets = Table(
    "buckets",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("milli", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""Token buckets: thousandths of tokens left at a time."""

sign_in_waits = Table(
    "sign_in_waits",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
"""Wrong passwords in a row, also for names that nobody has. ``account``: HMAC of what was typed."""

authority_flags = Table(
    "authority_flags",
    metadata,
    Column("site_id", String(64), primary_key=True),
    Column("entry_id", String(64), primary_key=True),
    Column("station", String(64), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", String(32), nullable=False),
    Column("code", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""Entries whose actor did not hold the role at the time: kept, and for a lead to look at."""

"""People: roles, badges, PINs, sessions, lockouts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Create the seven tables."""
    op.create_table(
        "people",
        _text("site_id", 64),
        _text("id", 64),
        _text("name", 120),
        _text("login", 64, nullable=True),
        _text("subject", 300, nullable=True),
        _text("merchant_id", 64, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        _text("badge", 64, nullable=True),
        _text("pin", 300, nullable=True),
        _text("password", 300, nullable=True),
        _time("created_at"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("site_id", "id"),
        sa.UniqueConstraint("site_id", "login", name="people_login_once"),
        sa.UniqueConstraint("site_id", "subject", name="people_subject_once"),
        sa.UniqueConstraint("site_id", "badge", name="people_badge_once"),
    )
    op.create_table(
        "person_roles",
        _text("site_id", 64),
        _text("person_id", 64),
        _text("role", 32),
        _time("since"),
        _time("until", nullable=True),
        _text("given_by", 64),
        _text("ended_by", 64, nullable=True),
        sa.PrimaryKeyConstraint("site_id", "person_id", "role", "since"),
    )
    op.create_table(
        "sessions",
        _text("site_id", 64),
        _text("digest", 64),
        _text("person_id", 64),
        _text("how", 16),
        _time("began_at"),
        _time("seen_at"),
        sa.PrimaryKeyConstraint("site_id", "digest"),
    )
    op.create_index("sessions_by_person", "sessions", ["site_id", "person_id"])
    op.create_table(
        "oidc_attempts",
        _text("site_id", 64),
        _text("state", 64),
        _text("browser", 64),
        _text("nonce", 64),
        _text("verifier", 128),
        _time("until"),
        sa.PrimaryKeyConstraint("site_id", "state"),
    )
    op.create_table(
        "buckets",
        _text("site_id", 64),
        _text("name", 100),
        sa.Column("milli", sa.BigInteger(), nullable=False),
        _time("at"),
        sa.PrimaryKeyConstraint("site_id", "name"),
    )
    op.create_table(
        "sign_in_waits",
        _text("site_id", 64),
        _text("account", 64),
        sa.Column("failures", sa.Integer(), nullable=False),
        _time("until"),
        sa.PrimaryKeyConstraint("site_id", "account"),
    )
    op.create_table(
        "authority_flags",
        _text("site_id", 64),
        _text("entry_id", 64),
        _text("station", 64),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _text("act", 32),
        _text("code", 32),
        _time("at"),
        sa.PrimaryKeyConstraint("site_id", "entry_id"),
    )

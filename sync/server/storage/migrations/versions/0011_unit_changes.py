"""What changed of units, for other systems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of unit events that do not follow from one entry."""
    op.create_table(
        "downstream_unit_changes",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=80), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "event_id"),
    )
    op.create_index("downstream_unit_changes_by_unit", "downstream_unit_changes", ["site_id", "unit_id"])
    op.create_index("downstream_unit_changes_by_position", "downstream_unit_changes", ["site_id", "position"])

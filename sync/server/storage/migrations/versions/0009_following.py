"""Figures follow the journal: how far they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the cursors. Until now figures were kept in the transaction of the push: they are at the heads."""
    op.create_table(
        "figure_cursors",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "station", "generation"),
    )
    op.execute(
        "INSERT INTO figure_cursors (site_id, station, generation, seq) "
        "SELECT site_id, station, generation, seq FROM heads"
    )

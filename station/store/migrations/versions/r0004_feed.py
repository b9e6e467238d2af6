"""What the centre's feed has told this bench, and how far each topic was read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "feed_topics",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("cursor", sa.Text, nullable=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("checksum", sa.Text, nullable=False),
        sa.Column("refetching", sa.Boolean, nullable=False),
        sa.Column("shadow_cursor", sa.Text, nullable=True),
        sa.Column("shadow_count", sa.Integer, nullable=False),
        sa.Column("shadow_checksum", sa.Text, nullable=False),
        sa.Column("complete_at", sa.BigInteger, nullable=True),
    )
    for name, empty in (("feed_items", True), ("feed_shadow", False)):
        op.create_table(
            name,
            sa.Column("topic", sa.Text, primary_key=True),
            sa.Column("key", sa.Text, primary_key=True),
            sa.Column("rev", sa.BigInteger, nullable=False),
            sa.Column("digest", sa.Text, nullable=False),
            sa.Column("body", sa.Text, nullable=empty),
            sqlite_with_rowid=False,
        )

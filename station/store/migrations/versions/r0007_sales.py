"""What was sold, so that returns can be counted against it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "sales",
        sa.Column("merchant_id", sa.Text, primary_key=True),
        sa.Column("order_id", sa.Text, primary_key=True),
        sa.Column("sku", sa.Text, primary_key=True),
        sa.Column("lot", sa.Text, primary_key=True),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("sold_at", sa.BigInteger, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=True),
        sa.Column("currency", sa.Text, nullable=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("listing", sa.Text, nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )

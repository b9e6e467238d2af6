"""What a bench asks of earlier units: serial numbers of inspections and of sales, and codes that opened a parcel."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SERIALS = """
    UPDATE inspections SET serial = found.serial FROM (
        SELECT generation, seq, CAST(payload AS TEXT) ->> '$.serial_found' AS serial
        FROM journal WHERE payload IS NOT NULL AND kind = 'inspection.confirmed'
    ) AS found
    WHERE found.generation = inspections.generation AND found.seq = inspections.seq AND found.serial IS NOT NULL
"""
_SOLD_BEFORE = """
    INSERT INTO sold_serials (merchant_id, sku, serial, sold_at)
    SELECT merchant_id, sku, '', max(sold_at) FROM sales GROUP BY merchant_id, sku
"""


def upgrade() -> None:
    op.add_column("inspections", sa.Column("serial", sa.Text, nullable=True))
    op.execute(_SERIALS)
    op.create_index(
        "inspections_serial",
        "inspections",
        ["merchant_id", "sku", "serial", "confirmed_at"],
        sqlite_where=sa.text("stands = 1 AND serial IS NOT NULL"),
    )
    op.create_index("parcels_scanned", "parcels", ["scanned", "closed_at"], sqlite_where=sa.text("state = 'closed'"))
    op.create_index("journal_settled", "journal", ["position"], sqlite_where=sa.text("kind = 'review.settled'"))
    op.create_table(
        "sold_serials",
        sa.Column("merchant_id", sa.Text, primary_key=True),
        sa.Column("sku", sa.Text, primary_key=True),
        sa.Column("serial", sa.Text, primary_key=True),
        sa.Column("sold_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(_SOLD_BEFORE)

"""What a station learns from: masses of units that were in order, findings that were taken back, what goods brought."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_LAST_WEIGHT_ANSWER = """
    SELECT given.value ->> '$.choice' FROM json_each(body.text, '$.answers') AS given
    WHERE given.value ->> '$.question' = 'weight_check' ORDER BY given.key DESC LIMIT 1
"""
_IN_ORDER = f"""
    WITH body (generation, seq, text) AS MATERIALIZED (
        SELECT j.generation, j.seq, CAST(j.payload AS TEXT)
        FROM inspections AS i JOIN journal AS j ON j.generation = i.generation AND j.seq = i.seq
        WHERE i.gross_mg > 0 AND i.identity = 'match' AND i.merchant_id IS NOT NULL AND i.sku IS NOT NULL
          AND j.payload IS NOT NULL
    )
    UPDATE inspections SET in_order = 1 WHERE (generation, seq) IN (
        SELECT generation, seq FROM body
        WHERE coalesce(({_LAST_WEIGHT_ANSWER}) = 'complete', text ->> '$.judgement.verdict' = 'plausible')
          AND NOT EXISTS (
              SELECT 1 FROM json_each(body.text, '$.defects') AS defect WHERE defect.value ->> '$[0]' = 'missing_part'
          )
    )
"""


def upgrade() -> None:
    op.add_column("inspections", sa.Column("in_order", sa.Boolean, nullable=False, server_default=sa.text("0")))
    op.execute(_IN_ORDER)
    op.create_index(
        "inspections_masses",
        "inspections",
        ["merchant_id", "sku", "confirmed_at", "gross_mg"],
        sqlite_where=sa.text("stands = 1 AND in_order = 1"),
    )
    op.create_index(
        "inspections_taken_back",
        "inspections",
        ["merchant_id", "rma", "line"],
        sqlite_where=sa.text("stands = 0"),
    )
    op.create_table(
        "outcomes",
        sa.Column("merchant_id", sa.Text, primary_key=True),
        sa.Column("lpn", sa.Text, primary_key=True),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("brought_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("share_bp", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )

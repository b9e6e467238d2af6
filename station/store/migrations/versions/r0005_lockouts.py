"""How long somebody waits after wrong PINs: survives a restart and a pulled plug."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "lockouts",
        sa.Column("person_id", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("owed_s", sa.Float, nullable=False),
        sa.Column("since_s", sa.Float, nullable=False),
        sa.Column("boot", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )

"""Entries about how people agree are found without reading the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_WHERE = "(substr(kind, 1, 6) = 'blind.' OR substr(kind, 1, 10) = 'agreement.')"


def upgrade() -> None:
    """Create an index that holds those few alone."""
    where = sa.text(_WHERE)
    op.create_index("entries_of_agreement", "entries", ["site_id", "kind"], sqlite_where=where, postgresql_where=where)

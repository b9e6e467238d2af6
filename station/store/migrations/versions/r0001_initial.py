"""The first shape: journal, projection, local state, directory."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TRIGGERS = (
    # The one change that an entry may see is the loss of its payload (erasure); the hash stays.
    """
    CREATE TRIGGER journal_is_append_only BEFORE UPDATE ON journal
    WHEN NOT (NEW.payload IS NULL AND OLD.payload IS NOT NULL
      AND NEW.position IS OLD.position AND NEW.station IS OLD.station AND NEW.generation IS OLD.generation
      AND NEW.seq IS OLD.seq AND NEW.id IS OLD.id AND NEW.kind IS OLD.kind AND NEW.schema IS OLD.schema
      AND NEW.recorded_at IS OLD.recorded_at AND NEW.actor IS OLD.actor
      AND NEW.payload_sha256 IS OLD.payload_sha256 AND NEW.prev_hash IS OLD.prev_hash AND NEW.hash IS OLD.hash)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
    """
    CREATE TRIGGER journal_is_never_deleted BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
    """
    CREATE TRIGGER journal_has_no_gaps BEFORE INSERT ON journal
    WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM journal WHERE generation = NEW.generation)
      OR NEW.prev_hash IS NOT coalesce(
        (SELECT hash FROM journal WHERE generation = NEW.generation AND seq = NEW.seq - 1),
        '0000000000000000000000000000000000000000000000000000000000000000')
    BEGIN SELECT RAISE(ABORT, 'the entry does not continue the chain'); END
    """,
)


def upgrade() -> None:
    op.execute("PRAGMA application_id = 1381192753")
    _record()
    _projection()
    _local()
    _directory()
    for trigger in _TRIGGERS:
        op.execute(trigger)


def _record() -> None:
    op.create_table(
        "generations",
        sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("acked_through", sa.Integer, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, sa.ForeignKey("generations.generation"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("schema", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("payload_sha256", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("generation", "seq"),
    )


def _projection() -> None:
    op.create_table(
        "parcels",
        sa.Column("parcel_id", sa.Text, primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("arrival", sa.Text, nullable=False),
        sa.Column("scanned", sa.LargeBinary, nullable=False),
        sa.Column("rma", sa.Text),
        sa.Column("merchant_id", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("parked_reason", sa.Text),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("units", sa.Integer),
    )
    op.create_index("parcels_parked", "parcels", ["state"], sqlite_where=sa.text("state = 'parked'"))
    op.create_table(
        "inspections",
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("inspection_id", sa.Text, nullable=False, unique=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("unit_id", sa.Text, nullable=False),
        sa.Column("lpn", sa.Text, nullable=False),
        sa.Column("parcel_id", sa.Text, nullable=False),
        sa.Column("rma", sa.Text),
        sa.Column("merchant_id", sa.Text),
        sa.Column("line", sa.Integer),
        sa.Column("sku", sa.Text),
        sa.Column("gtin", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("category", sa.Text),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("grade", sa.Text),
        sa.Column("disposition", sa.Text, nullable=False),
        sa.Column("tote", sa.Text, nullable=False),
        sa.Column("second_look", sa.Boolean, nullable=False),
        sa.Column("refund_decision", sa.Text, nullable=False),
        sa.Column("refund_minor", sa.Integer),
        sa.Column("refund_currency", sa.Text),
        sa.Column("gross_mg", sa.Integer),
        sa.Column("corrects", sa.Text),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger, nullable=False),
        sa.Column("voided_at", sa.BigInteger),
        sa.Column("stands", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("inspections_lpn", "inspections", ["lpn"])
    op.create_index("inspections_corrects", "inspections", ["corrects"], sqlite_where=sa.text("corrects IS NOT NULL"))
    op.create_index(
        "inspections_of_return",
        "inspections",
        ["merchant_id", "rma", "line", "unit_id"],
        sqlite_where=sa.text("stands = 1"),
    )
    op.create_table(
        "labels",
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("lpn", sa.Text, nullable=False),
        sa.Column("copy", sa.Integer, nullable=False),
        sa.Column("printed_at", sa.BigInteger, nullable=False),
    )
    op.create_index("labels_lpn", "labels", ["lpn"])
    op.create_table(
        "photos",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("lost_reason", sa.Text),
    )
    op.create_index(
        "photos_unsent",
        "photos",
        ["generation", "seq", "position"],
        sqlite_where=sa.text("sent_at IS NULL AND lost_reason IS NULL"),
    )


def _local() -> None:
    op.create_table(
        "drafts",
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("slot", sa.Text, nullable=False, unique=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("acknowledged_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "acknowledgements_quarantined",
        "acknowledgements",
        ["status"],
        sqlite_where=sa.text("status = 'quarantined'"),
    )
    op.create_table(
        "sync_values", sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )


def _directory() -> None:
    op.create_table(
        "merchants", sa.Column("id", sa.Text, primary_key=True), sa.Column("body", sa.LargeBinary, nullable=False)
    )
    op.create_table(
        "items",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("merchant_id", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("sku", "merchant_id"),
    )
    op.create_table(
        "item_codes",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "returns",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("rma", sa.Text, nullable=False),
        sa.Column("merchant_id", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("rma", "merchant_id"),
    )
    op.create_table(
        "return_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sqlite_with_rowid=False,
    )

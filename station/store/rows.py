"""The rows. They are not the domain: repositories turn them into the dataclasses of ``station`` and back.

Four sorts of table:

- *record*: ``generations``, ``journal``. Append-only, the only thing that cannot be rebuilt.
- *projection*: ``parcels``, ``inspections``, ``labels``, ``photos``. Made from entries by ``projection.project`` alone.
- *local*: ``drafts``, ``acknowledgements``, ``sync_values``, and two columns of ``photos``. This bench's own state.
- *directory*: ``merchants``, ``items``, ``item_codes``, ``returns``, ``return_keys``, ``sales``, ``outcomes``.
  Imported, replaced at will.
- *feed*: ``feed_topics``, ``feed_items``, ``feed_shadow``. What the centre told; can be fetched anew.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from station.errors import Defect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware moment as integer microseconds since 1970 UTC; a naive datetime is refused."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise Defect(f"naive datetime {value!r}: every moment in the store is aware UTC")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Row(DeclarativeBase):
    """Base of all rows."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way to set it
        datetime: UtcTime(),
        bytes: sa.LargeBinary(),
        str: sa.Text(),
    }


class GenerationRow(Row):
    """One unbroken chain. A new one begins where a chain can no longer be continued honestly."""

    __tablename__ = "generations"

    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    station: Mapped[str]
    started_at: Mapped[datetime]
    reason: Mapped[str]
    acked_through: Mapped[int]
    """Every entry up to this seq has an acknowledgement; a mark that saves counting from 1 each time."""


class JournalRow(Row):
    """One entry, exactly as it was linked."""

    __tablename__ = "journal"
    __table_args__ = (
        sa.UniqueConstraint("generation", "seq"),
        sa.Index("journal_settled", "position", sqlite_where=sa.text("kind = 'review.settled'")),
    )

    position: Mapped[int] = mapped_column(primary_key=True)
    """Order over all generations."""
    station: Mapped[str]
    generation: Mapped[int] = mapped_column(sa.ForeignKey("generations.generation"))
    seq: Mapped[int]
    id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    schema: Mapped[int]
    recorded_at: Mapped[str]
    actor: Mapped[str]
    payload: Mapped[bytes | None]
    payload_sha256: Mapped[str]
    prev_hash: Mapped[str]
    hash: Mapped[str]


class ParcelRow(Row):
    __tablename__ = "parcels"
    __table_args__ = (
        sa.Index("parcels_parked", "state", sqlite_where=sa.text("state = 'parked'")),
        sa.Index("parcels_scanned", "scanned", "closed_at", sqlite_where=sa.text("state = 'closed'")),
    )

    parcel_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int]
    seq: Mapped[int]
    """Entry that opened it."""
    arrival: Mapped[str]
    scanned: Mapped[bytes]
    rma: Mapped[str | None]
    merchant_id: Mapped[str | None]
    state: Mapped[str]
    """``open``, ``parked`` or ``closed``."""
    parked_reason: Mapped[str | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    units: Mapped[int | None]
    """Units counted when it was closed."""


class InspectionRow(Row):
    """What lists, look-ups and figures need of one inspection; the whole of it is the entry's payload."""

    __tablename__ = "inspections"
    __table_args__ = (
        sa.Index("inspections_lpn", "lpn"),
        sa.Index("inspections_corrects", "corrects", sqlite_where=sa.text("corrects IS NOT NULL")),
        sa.Index("inspections_of_return", "merchant_id", "rma", "line", "unit_id", sqlite_where=sa.text("stands = 1")),
        sa.Index("inspections_pace", "confirmed_at", "unit_seconds", sqlite_where=sa.text("stands = 1")),
        sa.Index(
            "inspections_masses",
            "merchant_id",
            "sku",
            "confirmed_at",
            "gross_mg",
            sqlite_where=sa.text("stands = 1 AND in_order = 1"),
        ),
        sa.Index(
            "inspections_serial",
            "merchant_id",
            "sku",
            "serial",
            "confirmed_at",
            sqlite_where=sa.text("stands = 1 AND serial IS NOT NULL"),
        ),
        sa.Index("inspections_taken_back", "merchant_id", "rma", "line", sqlite_where=sa.text("stands = 0")),
        # The table is its own index by place: one page less to flush at every CONFIRM.
        {"sqlite_with_rowid": False},
    )

    generation: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[str] = mapped_column(unique=True)
    actor: Mapped[str]
    unit_id: Mapped[str]
    lpn: Mapped[str]
    parcel_id: Mapped[str]
    rma: Mapped[str | None]
    merchant_id: Mapped[str | None]
    line: Mapped[int | None]
    sku: Mapped[str | None]
    gtin: Mapped[str | None]
    title: Mapped[str]
    category: Mapped[str | None]
    identity: Mapped[str]
    grade: Mapped[str | None]
    disposition: Mapped[str]
    tote: Mapped[str]
    second_look: Mapped[bool]
    refund_decision: Mapped[str]
    refund_minor: Mapped[int | None]
    refund_currency: Mapped[str | None]
    gross_mg: Mapped[int | None]
    corrects: Mapped[str | None]
    started_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    stands: Mapped[bool]
    """Not voided, and not corrected by one that is not voided."""
    unit_seconds: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """Whole seconds from start to CONFIRM."""
    in_order: Mapped[bool] = mapped_column(server_default=sa.text("0"))
    """Weighed and found in order: what the article weighs is learned from it while it stands."""
    serial: Mapped[str | None]
    """Serial number as it was found."""


class LabelRow(Row):
    __tablename__ = "labels"
    __table_args__ = (sa.Index("labels_lpn", "lpn"),)

    generation: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    lpn: Mapped[str]
    copy: Mapped[int]
    printed_at: Mapped[datetime]


_UNSENT = "sent_at IS NULL AND lost_reason IS NULL"


class PhotoRow(Row):
    """A photo that an entry names."""

    __tablename__ = "photos"
    __table_args__ = (sa.Index("photos_unsent", "generation", "seq", "position", sqlite_where=sa.text(_UNSENT)),)

    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    generation: Mapped[int]
    seq: Mapped[int]
    """First entry that names it."""
    position: Mapped[int]
    """Its place within that entry, from 0."""
    sent_at: Mapped[datetime | None]
    """Local: when the server had it."""
    lost_reason: Mapped[str | None]
    """Local: why it will never be sent."""


class DraftRow(Row):
    __tablename__ = "drafts"

    position: Mapped[int] = mapped_column(primary_key=True)
    """Order in which the slots were first filled."""
    slot: Mapped[str] = mapped_column(unique=True)
    body: Mapped[bytes]


class AcknowledgementRow(Row):
    __tablename__ = "acknowledgements"
    __table_args__ = (
        sa.Index("acknowledgements_quarantined", "status", sqlite_where=sa.text("status = 'quarantined'")),
        {"sqlite_with_rowid": False},
    )

    generation: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    code: Mapped[str | None]
    acknowledged_at: Mapped[datetime]


class SyncValueRow(Row):
    __tablename__ = "sync_values"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class MerchantRow(Row):
    __tablename__ = "merchants"

    id: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes]


class ItemRow(Row):
    __tablename__ = "items"
    # SKU first: the same index answers "this merchant's SKU" and "any merchant's article with this SKU".
    __table_args__ = (sa.UniqueConstraint("sku", "merchant_id"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    merchant_id: Mapped[str]
    body: Mapped[bytes]


class ItemCodeRow(Row):
    """GTINs and other codes of an article (its SKU is found through ``items``)."""

    __tablename__ = "item_codes"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    code: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


class ReturnRow(Row):
    __tablename__ = "returns"
    __table_args__ = (sa.UniqueConstraint("rma", "merchant_id"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    rma: Mapped[str]
    merchant_id: Mapped[str]
    body: Mapped[bytes]


class ReturnKeyRow(Row):
    """RMA code, tracking numbers and licence plates of a return, folded to upper case."""

    __tablename__ = "return_keys"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


class SaleRow(Row):
    """Units of one article sold in one order (``station.store.sales``). An empty text = the file did not say."""

    __tablename__ = "sales"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    merchant_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    lot: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    sold_at: Mapped[datetime]
    price_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    currency: Mapped[str | None]
    channel: Mapped[str]
    listing: Mapped[str]
    supplier: Mapped[str]


class SoldSerialRow(Row):
    """One unit that was sold, by its serial number. An empty number = units of this article were sold whose numbers
    the file does not give, so that a number that is not here may have been sold all the same."""

    __tablename__ = "sold_serials"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    merchant_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(primary_key=True)
    sold_at: Mapped[datetime]
    """The last time."""


class OutcomeRow(Row):
    """What one unit really brought (``station.store.outcomes``)."""

    __tablename__ = "outcomes"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    merchant_id: Mapped[str] = mapped_column(primary_key=True)
    lpn: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str]
    category: Mapped[str]
    scheme: Mapped[str]
    grade: Mapped[str]
    route: Mapped[str]
    price_minor: Mapped[int] = mapped_column(sa.BigInteger)
    brought_minor: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str]
    share_bp: Mapped[int]
    """What it brought as a share of its price as new, rounded half up."""


class PhotoLookRow(Row):
    """What one of the last photos looked like (``station.store.looks``)."""

    __tablename__ = "photo_looks"

    number: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    unit_id: Mapped[str]
    bits: Mapped[bytes]


class FeedTopicRow(Row):
    """How far one topic of the centre's feed was read (``station.store.feed``)."""

    __tablename__ = "feed_topics"

    topic: Mapped[str] = mapped_column(primary_key=True)
    cursor: Mapped[str | None]
    """Opaque; None = from the beginning."""
    count: Mapped[int]
    checksum: Mapped[str]
    """XOR of the digests of ``feed_items``, 16 hex digits."""
    refetching: Mapped[bool]
    """Everything is being fetched anew, into ``feed_shadow``."""
    shadow_cursor: Mapped[str | None]
    shadow_count: Mapped[int]
    shadow_checksum: Mapped[str]
    complete_at: Mapped[datetime | None]
    """When this was last proven to be what the centre has."""


class FeedItemRow(Row):
    """One item as the centre last told it."""

    __tablename__ = "feed_items"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    topic: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(sa.BigInteger)
    digest: Mapped[str]
    """First 16 hex digits."""
    body: Mapped[str | None]
    """Exact text; None = it lies in the directory's tables."""


class FeedShadowRow(Row):
    """As ``feed_items``, not yet in force."""

    __tablename__ = "feed_shadow"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    topic: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(sa.BigInteger)
    digest: Mapped[str]
    body: Mapped[str]


class LockoutRow(Row):
    """Wrong PINs of one person at this bench (``station.people.lockout``)."""

    __tablename__ = "lockouts"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    person_id: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    owed_s: Mapped[float] = mapped_column(sa.Float)
    """Wait still owed at ``since_s``."""
    since_s: Mapped[float] = mapped_column(sa.Float)
    """Monotonic time of ``boot``."""
    boot: Mapped[str]


def table(row: type[Row]) -> sa.Table:
    """The table of a row class, for statements that need no objects."""
    return Row.metadata.tables[row.__tablename__]


PROJECTION = tuple(Row.metadata.tables[name] for name in ("parcels", "inspections", "labels", "photos"))
"""Tables that ``journal rebuild`` makes anew."""

PHOTO_LOCAL = ("sent_at", "lost_reason")
"""Columns of ``photos`` that are the bench's own knowledge and survive a rebuild."""

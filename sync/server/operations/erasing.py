"""Forget what must be forgotten: photos and the content of records go, their hashes stay, the chain still verifies.

Two steps, so that a kill between them loses nothing. One transaction empties the payloads, notes which photos must go
and writes the erasure itself (the ``erased`` event: who asked, why, what went; never what it said). From then on the
photos count as held, so that no bench sends them again. Then the bytes are deleted, and noted one by one;
:meth:`Eraser.finish` does what is left, at the next run or after a crash.

Derived rows lose the return that they name, and deliveries that are done go; with the last unit of a return goes the
return itself, with that of a parcel the parcel's records (``erasing_returns``). What was kept without being applied, or
recorded when the unit went round again, goes as well (``erasing_kept``). Benches are told by the feed. Figures that are
rebuilt after an erasure no longer count the unit.

A unit under a claim hold keeps its evidence: retention passes it over, a request is refused until the hold is lifted.
A server restored from an older backup does not know of later erasures: ask again for those after it (the list of
erasures belongs in the hands of who asked for them); backups themselves age out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, or_, select, update

from station.errors import StoreFault
from station.ids import uuid7
from sync.protocol import ErasureAnswer, ErasureReason, ErasuresAnswer, HoldAnswer, Topic
from sync.server.errors import ApiError
from sync.server.feed import Change, Feed
from sync.server.figures.builds import lock_following
from sync.server.operations.erasing_kept import erase_kept
from sync.server.operations.erasing_returns import erase_around
from sync.server.photos import PhotoStore
from sync.server.storage import Database
from sync.server.storage.rows import entries, inspections, photo_names, photos, server_facts
from sync.server.storage.rows_downstream import deliveries
from sync.server.storage.rows_figures import figure_units, queue_items
from sync.server.storage.rows_operations import claim_holds, erased_photos, erasures
from sync.server.storage.rows_units import units as unit_rows

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 200
_NAMES_THE_RETURN: Final = (inspections, unit_rows, figure_units, queue_items)
"""What is derived from records and leads from a unit to the customer's return: ``rma`` by ``unit_id``."""
_LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is kept, counted from the confirmation of a unit's inspection."""

    photos: timedelta | None = timedelta(days=90)
    """None = for ever."""
    records: timedelta | None = timedelta(days=7 * 365)
    """The content of records; the journal's hashes stay for ever."""


class Eraser:
    """Erasures of one server."""

    def __init__(self, database: Database, store: PhotoStore) -> None:
        self._database = database
        self._store = store
        self._feed = Feed(database)

    def request(self, site_id: str, unit_id: str, reason: ErasureReason, who: str, at: datetime) -> ErasureAnswer:
        """Forget a unit: what its inspections say, and the photos that only they name.

        Raises:
            ApiError: 404 no such unit, 409 its evidence is kept for a claim.
        """
        with self._database.writing() as connection:
            of_unit = _inspections_of(connection, site_id, [unit_id])
            if not of_unit:
                raise ApiError(404, "no_unit", f"no inspection of unit {unit_id!r} is here", "look for it by its LPN")
            if _held(connection, site_id, [unit_id], at):
                raise ApiError(409, "held", f"unit {unit_id!r} is kept for a claim", "lift the hold first")
            erasure_id = self._erase(connection, site_id, [unit_id], unit_id, reason, who, at, with_records=True)
        self.finish(site_id, at)
        return self._one(site_id, erasure_id)

    def retain(self, site_id: str, policy: Retention, at: datetime) -> int:
        """Let go what is older than the policy says; how many units that were.

        Each batch is a transaction of its own.
        """
        count = 0
        for span, with_records in ((policy.records, True), (policy.photos, False)):
            while span is not None:
                with self._database.writing() as connection:
                    _one_at_a_time(connection)
                    units = self._due(connection, site_id, at - span, at, with_records=with_records)
                    if units:
                        what = "records" if with_records else "photos"
                        self._erase(
                            connection, site_id, units, f"{what} of {len(units)} units before {at - span:%Y-%m-%d}",
                            ErasureReason.RETENTION, "", at, with_records=with_records,
                        )  # fmt: skip
                count += len(units)
                if len(units) < _AT_ONCE:
                    break
        self.finish(site_id, at)
        return count

    def finish(self, site_id: str, at: datetime) -> int:
        """Delete the bytes of photos that were to go; how many went. What fails now goes at the next time."""
        gone = 0
        while True:
            with self._database.reading() as connection:
                open_photos = list(
                    connection.scalars(
                        select(erased_photos.c.sha256)
                        .where(erased_photos.c.site_id == site_id, erased_photos.c.erased_at.is_(None))
                        .limit(_AT_ONCE)
                    )
                )
                elsewhere = set(
                    connection.scalars(
                        select(photos.c.sha256).where(photos.c.sha256.in_(open_photos), photos.c.site_id != site_id)
                    )
                )
            if not open_photos:
                break
            try:
                for sha256 in open_photos:
                    if sha256 not in elsewhere:
                        self._store.delete(sha256)
            except StoreFault as error:
                logger.warning("photos could not be erased yet: %s", error)
                return gone
            with self._database.writing() as connection:
                these = (erased_photos.c.site_id == site_id, erased_photos.c.sha256.in_(open_photos))
                connection.execute(update(erased_photos).where(*these).values(erased_at=at))
                connection.execute(delete(photos).where(photos.c.site_id == site_id, photos.c.sha256.in_(open_photos)))
            gone += len(open_photos)
        still_open = exists().where(
            erased_photos.c.site_id == erasures.c.site_id, erased_photos.c.erasure_id == erasures.c.erasure_id,
            erased_photos.c.erased_at.is_(None),
        )  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(
                update(erasures)
                .where(erasures.c.site_id == site_id, erasures.c.done_at.is_(None), ~still_open)
                .values(done_at=at)
            )
        return gone

    def listed(self, site_id: str) -> ErasuresAnswer:
        """The newest erasures."""
        with self._database.reading() as connection:
            found = connection.execute(
                select(erasures).where(erasures.c.site_id == site_id)
                .order_by(erasures.c.requested_at.desc(), erasures.c.erasure_id.desc()).limit(_LISTED)
            ).all()  # fmt: skip
        return ErasuresAnswer([_answer(row._mapping) for row in found])

    def hold(
        self, site_id: str, unit_id: str, reason: str, who: str, until: datetime | None, at: datetime
    ) -> HoldAnswer:
        """Keep the evidence of a unit, whether it is here yet or not."""
        with self._database.writing() as connection:
            connection.execute(delete(claim_holds).where(*_hold_of(site_id, unit_id)))
            connection.execute(
                claim_holds.insert(),
                {
                    "site_id": site_id, "unit_id": unit_id, "until": until, "reason": reason, "set_by": who,
                    "set_at": at,
                },
            )  # fmt: skip
        return HoldAnswer(unit_id, True)

    def check_merchant(self, site_id: str, unit_id: str, merchant: str | None) -> None:
        """Go on only for a unit of this merchant; None = of whichever.

        Raises:
            ApiError: 404, it is another one's, or nobody knows it.
        """
        if merchant is None:
            return
        theirs = (inspections.c.site_id == site_id, inspections.c.unit_id == unit_id)
        with self._database.reading() as connection:
            found = set(connection.scalars(select(inspections.c.merchant_id).where(*theirs)))
        if found != {merchant}:
            raise ApiError(404, "no_unit", f"no inspection of unit {unit_id!r} is here", "look for it by its LPN")

    def lift(self, site_id: str, unit_id: str) -> HoldAnswer:
        """End a hold.

        Raises:
            ApiError: 404 there is none.
        """
        with self._database.writing() as connection:
            if not connection.execute(delete(claim_holds).where(*_hold_of(site_id, unit_id))).rowcount:
                raise ApiError(404, "no_hold", f"unit {unit_id!r} is not held", "see the list of holds")
        return HoldAnswer(unit_id, False)

    def _due(
        self, connection: Connection, site_id: str, before: datetime, at: datetime, *, with_records: bool
    ) -> list[str]:
        """Units whose newest inspection is old enough, that are not held and not erased yet."""
        is_held = exists().where(
            claim_holds.c.site_id == inspections.c.site_id, claim_holds.c.unit_id == inspections.c.unit_id,
            or_(claim_holds.c.until.is_(None), claim_holds.c.until > at),
        )  # fmt: skip
        if with_records:
            left = exists().where(_is_entry_of_inspection(), entries.c.payload.is_not(None))
        else:
            is_erased = exists().where(
                erased_photos.c.site_id == photo_names.c.site_id, erased_photos.c.sha256 == photo_names.c.sha256
            )
            left = exists().where(
                photo_names.c.site_id == inspections.c.site_id,
                photo_names.c.inspection_id == inspections.c.inspection_id, ~is_erased,
            )  # fmt: skip
        newer = inspections.alias()
        is_newer = exists().where(
            newer.c.site_id == inspections.c.site_id, newer.c.unit_id == inspections.c.unit_id,
            newer.c.confirmed_at >= before,
        )  # fmt: skip
        return list(
            connection.scalars(
                select(inspections.c.unit_id).distinct()
                .where(inspections.c.site_id == site_id, inspections.c.confirmed_at < before, ~is_held, left, ~is_newer)
                .limit(_AT_ONCE)
            )
        )  # fmt: skip

    def _erase(
        self, connection: Connection, site_id: str, units: Sequence[str], subject: str, reason: ErasureReason, who: str,
        at: datetime, *, with_records: bool,
    ) -> str:  # fmt: skip
        erasure_id = uuid7()
        lock_following(connection, site_id)  # what is counted just now may have read the return that is to go
        of_units = _inspections_of(connection, site_id, units)
        ids = [row.inspection_id for row in of_units]
        emptied = 0
        if with_records:
            kept, again = erase_kept(connection, site_id, units)
            emptied = kept + erase_around(connection, self._feed, site_id, units, at)
            if reason is not ErasureReason.RETENTION:  # benches let go by their own clock what is old
                told = [
                    Change(unit, {"unit_id": unit, "erasure_id": erasure_id, "asked_at": at})
                    for unit in (*units, *again)
                ]
                self._feed.put(connection, site_id, Topic.ERASURES, told, at)
            places = or_(
                *(
                    and_(
                        entries.c.station == row.station,
                        entries.c.generation == row.generation,
                        entries.c.seq == row.seq,
                    )
                    for row in of_units
                )
            )
            emptied += connection.execute(
                update(entries)
                .where(entries.c.site_id == site_id, places, entries.c.payload.is_not(None))
                .values(payload=None)
            ).rowcount
            for table in _NAMES_THE_RETURN:
                here = (table.c.site_id == site_id, table.c.unit_id.in_(units))
                connection.execute(update(table).where(*here).values(rma=None))
            settled = (deliveries.c.lane.in_(units), deliveries.c.state != "pending")
            connection.execute(delete(deliveries).where(deliveries.c.site_id == site_id, *settled))
        other = photo_names.alias()
        named_elsewhere = exists().where(
            other.c.site_id == photo_names.c.site_id, other.c.sha256 == photo_names.c.sha256,
            other.c.inspection_id.not_in(ids),
        )  # fmt: skip
        going = list(
            connection.scalars(
                select(photo_names.c.sha256).distinct().where(
                    photo_names.c.site_id == site_id, photo_names.c.inspection_id.in_(ids), ~named_elsewhere
                )
            )
        )  # fmt: skip
        rows = [{"site_id": site_id, "sha256": one, "erasure_id": erasure_id, "erased_at": None} for one in going]
        new = self._database.insert_all(connection, erased_photos, rows) if rows else 0
        connection.execute(
            erasures.insert(),
            {
                "site_id": site_id, "erasure_id": erasure_id, "subject": subject, "reason": reason.value,
                "requested_by": who, "requested_at": at, "done_at": None, "entries": emptied, "photos": new,
            },
        )  # fmt: skip
        logger.info("erased", extra={"erasure": erasure_id, "why": reason.value, "entries": emptied, "photos": new})
        return erasure_id

    def _one(self, site_id: str, erasure_id: str) -> ErasureAnswer:
        with self._database.reading() as connection:
            row = connection.execute(
                select(erasures).where(erasures.c.site_id == site_id, erasures.c.erasure_id == erasure_id)
            ).one()
        return _answer(row._mapping)


def _inspections_of(connection: Connection, site_id: str, units: Sequence[str]) -> Sequence[Row[str, str, int, int]]:
    return connection.execute(
        select(
            inspections.c.inspection_id, inspections.c.station, inspections.c.generation, inspections.c.seq
        ).where(inspections.c.site_id == site_id, inspections.c.unit_id.in_(units))
    ).all()  # fmt: skip


def _one_at_a_time(connection: Connection) -> None:
    """Two that tidy at once would write the same erasure twice."""
    connection.execute(select(server_facts.c.value).where(server_facts.c.name == "epoch").with_for_update())


def _is_entry_of_inspection() -> ColumnElement[bool]:
    return and_(
        entries.c.site_id == inspections.c.site_id, entries.c.station == inspections.c.station,
        entries.c.generation == inspections.c.generation, entries.c.seq == inspections.c.seq,
    )  # fmt: skip


def _hold_of(site_id: str, unit_id: str) -> tuple[ColumnElement[bool], ...]:
    return claim_holds.c.site_id == site_id, claim_holds.c.unit_id == unit_id


def _held(connection: Connection, site_id: str, units: Sequence[str], at: datetime) -> bool:
    query = select(claim_holds.c.unit_id).where(
        claim_holds.c.site_id == site_id, claim_holds.c.unit_id.in_(units),
        or_(claim_holds.c.until.is_(None), claim_holds.c.until > at),
    )  # fmt: skip
    return connection.execute(query).first() is not None


def _answer(row: Mapping[Any, Any]) -> ErasureAnswer:
    done: datetime | None = row["done_at"]
    return ErasureAnswer(
        row["erasure_id"], row["subject"], row["reason"], row["requested_by"], row["requested_at"].isoformat(),
        done.isoformat() if done is not None else None, row["entries"], row["photos"],
    )  # fmt: skip

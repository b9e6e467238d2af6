"""The outbox: events go in with the push that caused them, and out under a lease, in the order of each unit."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from station.inspection.record import InspectionVoided
from sync.server.applying import Applying
from sync.server.downstream.events import Event, of_inspection, of_void, source_of
from sync.server.downstream.of_units import of_change
from sync.server.facts import Inspected
from sync.server.judge import Judged
from sync.server.storage import Database
from sync.server.storage.rows import inspections
from sync.server.storage.rows_downstream import deliveries, endpoints, unit_changes
from sync.server.units.changes import Changed

PENDING: Final = "pending"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"

_IS_PENDING: Final[ColumnElement[str]] = literal_column("'pending'")
"""Written out, not bound: no database uses a partial index for a value that it does not see."""
_PER_LANE: Final = 5
"""Events of one unit in one lease."""
_KEEP_DELIVERED: Final = timedelta(days=7)
_KEEP_FAILED: Final = timedelta(days=90)
_KEEP_HELD: Final = timedelta(days=30)
"""Of endpoints that are switched off; the journal can give them again."""

_ACTIVE = select(endpoints.c.endpoint_id, endpoints.c.types).where(
    endpoints.c.site_id == bindparam("site"), endpoints.c.active
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    event_id: str
    lane: str
    body: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a delivery."""

    event_id: str
    state: str
    attempts: int
    next_at: datetime
    status: int | None
    error: str | None


class Outbox:
    """Events of all sites. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.filled = threading.Event()
        """Set when something was put in by this process: a hint to look, no promise."""

    def apply(self, work: Applying, applied: Sequence[Judged]) -> None:
        """Put in what accepted entries mean for others (an ``Applier``, behind those of inspections and of units)."""
        source = source_of(work.site_id, work.station)
        changed = self.keep_changes(work.connection, work.site_id, work.changes.judged, source, work.at)
        subscribed = self._subscribed(work.connection, work.site_id)
        if not subscribed:
            return
        events: list[Event] = []
        for entry in applied:
            fact = entry.fact
            if isinstance(fact, Inspected):
                events.append(of_inspection(entry.id, source, fact))
            elif isinstance(fact, InspectionVoided):
                unit = work.connection.execute(
                    select(inspections.c.unit_id, inspections.c.lpn).where(
                        inspections.c.site_id == work.site_id, inspections.c.inspection_id == fact.inspection_id
                    )
                ).one_or_none()
                events.append(of_void(entry.id, source, fact, *(unit or (None, None))))
        for change, fact in work.changes.fresh():
            events += of_change(change, source, fact.confirmed_at, plain=True)
        self._put(work.connection, work.site_id, [*events, *changed], subscribed, work.at)

    def keep_changes(
        self, connection: Connection, site_id: str, changes: Iterable[Changed], source: str, at: datetime
    ) -> list[Event]:
        """Write down what became of units that are more than one plain inspection; a replay reads it again."""
        found = [(change, event) for change in changes for event in of_change(change, source, at, plain=False)]
        first = self._position(connection, site_id, at) if found else 0
        rows = [
            {
                "site_id": site_id, "event_id": event.id, "unit_id": change.unit_id, "position": first + number,
                "is_first": change.before is None, "type": event.type, "body": event.body, "at": at,
            }
            for number, (change, event) in enumerate(found)
        ]  # fmt: skip
        if rows:
            self._database.insert_all(connection, unit_changes, rows)
        return [event for _, event in found]

    @staticmethod
    def _position(connection: Connection, site_id: str, at: datetime) -> int:
        latest = connection.scalar(select(func.max(unit_changes.c.position)).where(unit_changes.c.site_id == site_id))
        return max(_position(at), (latest or 0) + 1)

    def changes_since(
        self, connection: Connection, site_id: str, since: datetime, after: int, limit: int
    ) -> Sequence[Any]:
        """What :meth:`keep_changes` wrote down from a moment on, in its order, behind a position."""
        c = unit_changes.c
        query = select(c.event_id, c.type, c.unit_id, c.body, c.position).where(
            c.site_id == site_id, c.at >= since, c.position > after
        )
        return connection.execute(query.order_by(c.position).limit(limit)).all()

    def enqueue(self, connection: Connection, site_id: str, events: Iterable[Event], at: datetime) -> int:
        """Put in events that do not come from an entry, in the caller's transaction. Those that are there stay.

        Returns:
            How many deliveries are new.
        """
        return self._put(connection, site_id, list(events), self._subscribed(connection, site_id), at)

    def enqueue_for(
        self, connection: Connection, site_id: str, endpoint: str, events: list[Event], at: datetime
    ) -> int:
        """As ``enqueue``, for one endpoint alone: what a replay does."""
        subscribed = self._subscribed(connection, site_id)
        return self._put(connection, site_id, events, {k: v for k, v in subscribed.items() if k == endpoint}, at)

    def _subscribed(self, connection: Connection, site_id: str) -> dict[str, frozenset[str]]:
        # Asked in every push's transaction, not cached: an endpoint made at another worker counts from its answer on.
        found = connection.execute(_ACTIVE, {"site": site_id})
        return {endpoint: frozenset(types.split()) for endpoint, types in found}

    def _put(
        self, connection: Connection, site_id: str, events: list[Event], to: dict[str, frozenset[str]], at: datetime
    ) -> int:
        if not events or not to:
            return 0
        # Time gives the order, but never against what the same unit still waits with: the clock may step back.
        latest = connection.scalar(
            select(func.max(deliveries.c.position)).where(
                deliveries.c.site_id == site_id,
                deliveries.c.endpoint_id.in_(list(to)),
                deliveries.c.lane.in_({event.lane for event in events}),
                deliveries.c.state == _IS_PENDING,
            )
        )
        first = max(_position(at), (latest or 0) + 1)
        rows = [
            {
                "site_id": site_id, "endpoint_id": endpoint, "event_id": event.id, "lane": event.lane,
                "position": first + number, "type": event.type, "body": event.body, "state": PENDING, "attempts": 0,
                "next_at": at, "lease_until": None, "status": None, "error": None, "created_at": at,
                "settled_at": None,
            }
            for endpoint, types in to.items()
            for number, event in enumerate(events)
            if not types or event.type in types
        ]  # fmt: skip
        count = self._database.insert_all(connection, deliveries, rows) if rows else 0
        if count:
            self.filled.set()
        return count

    def lease(self, site_id: str, endpoint_id: str, now: datetime, until: datetime, lanes: int) -> list[list[Delivery]]:
        """Take what is due: of each unit the first unsettled event and the ones right behind it.

        Returns:
            One list per unit, in order. Nobody else gets these, nor anything behind them, before ``until``.
        """
        here = and_(
            deliveries.c.site_id == site_id, deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == _IS_PENDING
        )
        free = or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= now)
        earlier = deliveries.alias("earlier")
        # PostgreSQL without statistics takes the other index for this, and seconds for 3 000 events (measured). What is
        # compared as an expression is found by no index, so only that of the lane is left.
        first = (
            select(func.min(earlier.c.position))
            .where(
                earlier.c.lane == deliveries.c.lane, earlier.c.state == _IS_PENDING,
                earlier.c.endpoint_id + "" == endpoint_id, earlier.c.site_id + "" == site_id,
            )
            .scalar_subquery()
        )  # fmt: skip
        theirs = and_(
            deliveries.c.state == _IS_PENDING,
            deliveries.c.endpoint_id + "" == endpoint_id,
            deliveries.c.site_id + "" == site_id,
        )
        due = and_(here, free, deliveries.c.next_at <= now)
        with self._database.reading() as connection:  # an idle server writes nothing
            if connection.scalar(select(deliveries.c.event_id).where(due).limit(1)) is None:
                return []
        with self._database.writing() as connection:
            heads = connection.execute(
                select(deliveries.c.lane)
                .where(due, deliveries.c.position == first)
                .order_by(deliveries.c.next_at, deliveries.c.position)
                .limit(lanes)
                .with_for_update(skip_locked=True, of=deliveries)
            ).scalars()
            taken = list(heads)
            if not taken:
                return []
            rows = connection.execute(
                select(deliveries.c.lane, deliveries.c.event_id, deliveries.c.body, deliveries.c.attempts)
                .where(theirs, deliveries.c.lane.in_(taken))
                .order_by(deliveries.c.lane, deliveries.c.position)
            ).all()
            found: dict[str, list[Delivery]] = {}
            for row in rows:
                lane = found.setdefault(row.lane, [])
                if len(lane) < _PER_LANE:
                    lane.append(Delivery(row.event_id, row.lane, row.body, row.attempts))
            mine = [delivery.event_id for lane in found.values() for delivery in lane]
            connection.execute(
                update(deliveries).where(here, deliveries.c.event_id.in_(mine)).values(lease_until=until)
            )
        return list(found.values())

    def note(
        self, connection: Connection, site_id: str, endpoint_id: str, notes: Sequence[Note], now: datetime
    ) -> None:
        """Write down what became of deliveries; a settled one is never unsettled by a late note."""
        if not notes:
            return
        connection.execute(
            update(deliveries)
            .where(
                deliveries.c.site_id == site_id, deliveries.c.endpoint_id == endpoint_id,
                deliveries.c.event_id == bindparam("event"), deliveries.c.state == _IS_PENDING,
            )
            .values(
                state=bindparam("to"), attempts=bindparam("tries"), next_at=bindparam("when"), lease_until=None,
                status=bindparam("answer"), error=bindparam("why"), settled_at=bindparam("settled"),
            ),
            [
                {
                    "event": note.event_id, "to": note.state, "tries": note.attempts, "when": note.next_at,
                    "answer": note.status, "why": note.error,
                    "settled": None if note.state == PENDING else now,
                }
                for note in notes
            ],
        )  # fmt: skip

    def release(self, connection: Connection, site_id: str, endpoint_id: str, events: Sequence[str]) -> None:
        """Give back leases that were not used."""
        if events:
            connection.execute(
                update(deliveries)
                .where(
                    deliveries.c.site_id == site_id, deliveries.c.endpoint_id == endpoint_id,
                    deliveries.c.event_id.in_(events), deliveries.c.state == _IS_PENDING,
                )
                .values(lease_until=None)
            )  # fmt: skip

    def pending(self, site_id: str, endpoint_id: str) -> int:
        """How many are on their way."""
        with self._database.reading() as connection:
            return (
                connection.scalar(
                    select(func.count()).where(
                        deliveries.c.site_id == site_id, deliveries.c.endpoint_id == endpoint_id,
                        deliveries.c.state == _IS_PENDING,
                    )
                )
                or 0
            )  # fmt: skip

    def purge(self, now: datetime) -> int:
        """Remove what is old: the table stays bounded. The journal keeps everything."""
        off = exists().where(
            endpoints.c.site_id == deliveries.c.site_id, endpoints.c.endpoint_id == deliveries.c.endpoint_id,
            endpoints.c.active,
        )  # fmt: skip
        with self._database.writing() as connection:
            result = connection.execute(
                delete(deliveries).where(
                    or_(
                        and_(deliveries.c.state == DELIVERED, deliveries.c.settled_at < now - _KEEP_DELIVERED),
                        and_(deliveries.c.state == FAILED, deliveries.c.settled_at < now - _KEEP_FAILED),
                        and_(deliveries.c.state == _IS_PENDING, deliveries.c.created_at < now - _KEEP_HELD, ~off),
                    )
                )
            )
            return result.rowcount


def _position(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000

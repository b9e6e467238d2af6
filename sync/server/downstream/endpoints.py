"""Endpoints: made, changed, given new secrets, switched off with a reason, replayed."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, delete, exists, func, select, update

from station.errors import InvalidInput, OperatorError
from station.ids import uuid7
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, InspectionVoided
from sync.protocol.downstream import (
    Alert,
    DeliveryState,
    Endpoint,
    EndpointChange,
    EndpointSecret,
    NewEndpoint,
    Replay,
    Replayed,
)
from sync.server.downstream.addresses import Egress, check_url
from sync.server.downstream.events import TYPES, Event, of_inspection, of_void, source_of
from sync.server.downstream.of_units import of_change
from sync.server.downstream.outbox import PENDING, Outbox
from sync.server.downstream.signing import WebhookKey
from sync.server.facts import Inspected
from sync.server.judge import judge_payload
from sync.server.storage import Database
from sync.server.storage.rows import entries, inspections
from sync.server.storage.rows_downstream import alerts, deliveries, endpoints, unit_changes
from sync.server.storage.rows_units import units
from sync.server.units.changes import first_of

MOST: Final = 32
"""Endpoints of a site."""
ROTATION: Final = timedelta(hours=24)
"""How long the secret before counts beside a new one."""
_CHUNK: Final = 500


class NotThere(OperatorError):
    """No such endpoint."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """What the dispatcher needs of an endpoint."""

    site_id: str
    endpoint_id: str
    url: str
    keys: tuple[str, ...]
    """Secrets to sign with, the newest first; empty = the server's key is not the one they were made with."""
    failures: int
    not_before: datetime | None
    last_success: datetime | None


class Endpoints:
    """The endpoints of all sites. Thread-safe."""

    def __init__(self, database: Database, outbox: Outbox, key: WebhookKey, egress: Egress) -> None:
        self._database = database
        self._outbox = outbox
        self._key = key
        self._egress = egress

    def create(self, site_id: str, wanted: NewEndpoint, now: datetime) -> EndpointSecret:
        """Make one; its events begin with the next push.

        Raises:
            InvalidInput: an address that is refused, or a type that does not exist.
            OperatorError: there are as many as there may be.
        """
        check_url(wanted.url, self._egress)
        _check_types(wanted.types)
        endpoint_id = uuid7()
        with self._database.writing() as connection:
            count = connection.scalar(select(func.count()).where(endpoints.c.site_id == site_id)) or 0
            if count >= MOST:
                raise OperatorError(f"there are {count} endpoints, which is the most; delete one first")
            connection.execute(
                endpoints.insert(),
                {
                    "site_id": site_id, "endpoint_id": endpoint_id, "url": wanted.url,
                    "types": " ".join(dict.fromkeys(wanted.types)), "description": wanted.description, "active": True,
                    "secret_version": 1, "previous_until": None, "key_check": self._key.check, "failures": 0,
                    "not_before": None, "last_success": None, "disabled_reason": None, "created_at": now,
                },
            )  # fmt: skip
        return EndpointSecret(self.get(site_id, endpoint_id), self._key.secret(site_id, endpoint_id, 1))

    def all(self, site_id: str) -> list[Endpoint]:
        with self._database.reading() as connection:
            return self._read(connection, site_id, None)

    def get(self, site_id: str, endpoint_id: str) -> Endpoint:
        """One.

        Raises:
            NotThere: no such endpoint.
        """
        with self._database.reading() as connection:
            found = self._read(connection, site_id, endpoint_id)
        if not found:
            raise NotThere(f"there is no endpoint {endpoint_id!r}")
        return found[0]

    def change(self, site_id: str, endpoint_id: str, wanted: EndpointChange, now: datetime) -> Endpoint:
        """Change what is given.

        Raises:
            InvalidInput: as for a new one.
            NotThere: no such endpoint.
        """
        values: dict[str, object] = {}
        if wanted.url is not None:
            check_url(wanted.url, self._egress)
            values["url"] = wanted.url
        if wanted.types is not None:
            _check_types(wanted.types)
            values["types"] = " ".join(dict.fromkeys(wanted.types))
        if wanted.description is not None:
            values["description"] = wanted.description
        if wanted.active is not None:
            values |= {"active": wanted.active, "failures": 0, "not_before": None}
            values["disabled_reason"] = None if wanted.active else "switched off by an administrator"
        with self._database.writing() as connection:
            if values:
                connection.execute(update(endpoints).where(_one(site_id, endpoint_id)).values(**values))
            if wanted.active:
                waiting = and_(_theirs(site_id, endpoint_id), deliveries.c.state == PENDING)
                connection.execute(update(deliveries).where(waiting).values(next_at=now, attempts=0))
        self._outbox.filled.set()
        return self.get(site_id, endpoint_id)

    def delete(self, site_id: str, endpoint_id: str) -> None:
        """Remove one and all that waits for it.

        Raises:
            NotThere: no such endpoint.
        """
        with self._database.writing() as connection:
            if connection.execute(delete(endpoints).where(_one(site_id, endpoint_id))).rowcount == 0:
                raise NotThere(f"there is no endpoint {endpoint_id!r}")
            connection.execute(delete(deliveries).where(_theirs(site_id, endpoint_id)))

    def rotate(self, site_id: str, endpoint_id: str, now: datetime) -> EndpointSecret:
        """Make a new secret; both sign for a day.

        Raises:
            NotThere: no such endpoint.
        """
        with self._database.writing() as connection:
            query = select(endpoints.c.secret_version, endpoints.c.key_check).where(_one(site_id, endpoint_id))
            row = connection.execute(query.with_for_update()).one_or_none()
            if row is None:
                raise NotThere(f"there is no endpoint {endpoint_id!r}")
            # with another server key the old secret cannot be made any more
            until = now + ROTATION if row.key_check == self._key.check else None
            connection.execute(
                update(endpoints)
                .where(_one(site_id, endpoint_id))
                .values(secret_version=row.secret_version + 1, previous_until=until, key_check=self._key.check)
            )
        secret = self._key.secret(site_id, endpoint_id, row.secret_version + 1)
        return EndpointSecret(self.get(site_id, endpoint_id), secret)

    def deliveries(self, site_id: str, endpoint_id: str, state: str | None, limit: int) -> list[DeliveryState]:
        """The newest deliveries.

        Raises:
            NotThere: no such endpoint.
        """
        self.get(site_id, endpoint_id)
        query = select(deliveries).where(_theirs(site_id, endpoint_id))
        if state is not None:
            query = query.where(deliveries.c.state == state)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(deliveries.c.position.desc()).limit(limit)).all()
        return [
            DeliveryState(
                row.event_id, row.type, row.lane, row.state, row.attempts, row.status, row.error, row.created_at,
                row.next_at if row.state == PENDING else None, row.settled_at,
            )
            for row in rows
        ]  # fmt: skip

    def alerts(self, site_id: str, limit: int = 100) -> list[Alert]:
        """The newest alerts."""
        with self._database.reading() as connection:
            query = select(alerts).where(alerts.c.site_id == site_id).order_by(alerts.c.at.desc()).limit(limit)
            return [Alert(r.alert_id, r.endpoint_id, r.event_id, r.text, r.at) for r in connection.execute(query)]

    def replay(self, site_id: str, endpoint_id: str, wanted: Replay, now: datetime) -> Replayed:
        """Send again, under the same ids; from the journal what is not in the outbox any more.

        Raises:
            InvalidInput: neither events nor a moment, or both.
            NotThere: no such endpoint.
        """
        if bool(wanted.events) == (wanted.since is not None):
            raise InvalidInput("a replay names either events or since")
        self.get(site_id, endpoint_id)
        if wanted.since is None:
            with self._database.writing() as connection:
                again = self._again(connection, site_id, endpoint_id, wanted.events, now)
            self._outbox.filled.set()
            return Replayed(again, 0)
        again = new = 0
        after: tuple[str, int, int] | None = None
        while True:
            with self._database.writing() as connection:
                rows = self._journal(connection, site_id, wanted.since, after)
                facts = [judge_payload(row.kind, row.schema, row.payload)[2] for row in rows]
                plain = self._plain(connection, site_id, [fact for fact in facts if isinstance(fact, Inspected)])
                events = [
                    event
                    for row, fact in zip(rows, facts, strict=True)
                    for event in self._events(connection, site_id, row, fact, plain)
                ]
                again += self._again(connection, site_id, endpoint_id, [event.id for event in events], now)
                new += self._outbox.enqueue_for(connection, site_id, endpoint_id, events, now)
            if len(rows) < _CHUNK:
                break
            after = (rows[-1].station, rows[-1].generation, rows[-1].seq)
        position = 0
        while True:  # what changed a unit comes behind all that its first inspection said
            with self._database.writing() as connection:
                changed = self._outbox.changes_since(connection, site_id, wanted.since, position, _CHUNK)
                events = [Event(row.event_id, row.type, row.unit_id, row.body) for row in changed]
                again += self._again(connection, site_id, endpoint_id, [event.id for event in events], now)
                new += self._outbox.enqueue_for(connection, site_id, endpoint_id, events, now)
            if len(changed) < _CHUNK:
                return Replayed(again, new)
            position = changed[-1].position

    def receivers(self, now: datetime) -> list[Receiver]:
        """The active endpoints of all sites."""
        with self._database.reading() as connection:
            rows = connection.execute(select(endpoints).where(endpoints.c.active)).all()
        return [
            Receiver(
                row.site_id, row.endpoint_id, row.url, self._keys(row, now), row.failures, row.not_before,
                row.last_success,
            )
            for row in rows
        ]  # fmt: skip

    def disable(
        self, connection: Connection, site_id: str, endpoint_id: str, reason: str, event_id: str | None, now: datetime
    ) -> None:
        """Switch off and say why; an endpoint that is off already gets no second alert."""
        changed = connection.execute(
            update(endpoints)
            .where(_one(site_id, endpoint_id), endpoints.c.active)
            .values(active=False, disabled_reason=reason)
        )
        if changed.rowcount:
            self.alert(connection, site_id, endpoint_id, f"endpoint switched off: {reason}", event_id, now)

    @staticmethod
    def alert(
        connection: Connection, site_id: str, endpoint_id: str, text: str, event_id: str | None, now: datetime
    ) -> None:
        """Leave word for a person."""
        row = {"site_id": site_id, "alert_id": uuid7(), "endpoint_id": endpoint_id, "event_id": event_id}
        connection.execute(alerts.insert(), row | {"text": text, "at": now})

    def _keys(self, row: Row[Any], now: datetime) -> tuple[str, ...]:
        if row.key_check != self._key.check:
            return ()
        versions = [row.secret_version]
        if row.previous_until is not None and row.previous_until > now:
            versions.append(row.secret_version - 1)
        return tuple(self._key.secret(row.site_id, row.endpoint_id, version) for version in versions)

    def _read(self, connection: Connection, site_id: str, endpoint_id: str | None) -> list[Endpoint]:
        query = select(endpoints).where(endpoints.c.site_id == site_id).order_by(endpoints.c.created_at)
        if endpoint_id is not None:
            query = query.where(endpoints.c.endpoint_id == endpoint_id)
        waiting: dict[str, int] = dict(
            connection.execute(
                select(deliveries.c.endpoint_id, func.count())
                .where(deliveries.c.site_id == site_id, deliveries.c.state == PENDING)
                .group_by(deliveries.c.endpoint_id)
            ).all()
        )
        return [
            Endpoint(
                row.endpoint_id, row.url, row.types.split(), row.description, row.active, row.disabled_reason,
                row.failures, row.last_success, waiting.get(row.endpoint_id, 0), row.created_at,
            )
            for row in connection.execute(query)
        ]  # fmt: skip

    def _again(
        self, connection: Connection, site_id: str, endpoint_id: str, events: Sequence[str], now: datetime
    ) -> int:
        if not events:
            return 0
        settled = and_(_theirs(site_id, endpoint_id), deliveries.c.event_id.in_(events), deliveries.c.state != PENDING)
        values = {"state": PENDING, "attempts": 0, "next_at": now, "lease_until": None, "settled_at": None}
        return connection.execute(update(deliveries).where(settled).values(**values)).rowcount

    @staticmethod
    def _journal(
        connection: Connection, site_id: str, since: datetime, after: tuple[str, int, int] | None
    ) -> Sequence[Any]:  # rows; their type would repeat the columns
        place = (entries.c.station, entries.c.generation, entries.c.seq)
        query = select(*place, entries.c.id, entries.c.kind, entries.c.schema, entries.c.payload).where(
            entries.c.site_id == site_id, entries.c.received_at >= since, entries.c.code.is_(None),
            entries.c.payload.is_not(None), entries.c.kind.in_([INSPECTION_CONFIRMED, INSPECTION_VOIDED]),
        )  # fmt: skip
        if after is not None:
            station, generation, seq = after
            query = query.where(
                (entries.c.station > station)
                | ((entries.c.station == station) & (entries.c.generation > generation))
                | ((entries.c.station == station) & (entries.c.generation == generation) & (entries.c.seq > seq))
            )
        return connection.execute(query.order_by(*place).limit(_CHUNK)).all()

    @staticmethod
    def _plain(connection: Connection, site_id: str, facts: Sequence[Inspected]) -> frozenset[str]:
        """Those that were the first and alone of their unit when they came: its first events follow from them."""
        changed_at_once = exists().where(
            unit_changes.c.site_id == units.c.site_id, unit_changes.c.unit_id == units.c.unit_id,
            unit_changes.c.is_first,
        )  # fmt: skip
        return frozenset(
            connection.scalars(
                select(units.c.first_inspection).where(
                    units.c.site_id == site_id, units.c.lpn.in_({fact.lpn for fact in facts}), ~changed_at_once
                )
            )
        )

    @staticmethod
    def _events(connection: Connection, site_id: str, row: Any, fact: object, plain: Set[str]) -> list[Event]:
        source = source_of(site_id, row.station)
        if isinstance(fact, Inspected):
            events = [of_inspection(row.id, source, fact)]
            if fact.inspection_id in plain:
                events += of_change(first_of(row.id, fact), source, fact.confirmed_at, plain=True)
            return events
        if isinstance(fact, InspectionVoided):
            unit = connection.execute(
                select(inspections.c.unit_id, inspections.c.lpn).where(
                    inspections.c.site_id == site_id, inspections.c.inspection_id == fact.inspection_id
                )
            ).one_or_none()
            return [of_void(row.id, source, fact, *(unit or (None, None)))]
        return []


def _one(site_id: str, endpoint_id: str) -> Any:  # SQLAlchemy's own type for a condition
    return and_(endpoints.c.site_id == site_id, endpoints.c.endpoint_id == endpoint_id)


def _theirs(site_id: str, endpoint_id: str) -> Any:
    return and_(deliveries.c.site_id == site_id, deliveries.c.endpoint_id == endpoint_id)


def _check_types(types: Sequence[str]) -> None:
    for type in types:
        if type not in TYPES:
            raise InvalidInput(f"there is no event type {type!r}; expected some of {', '.join(TYPES)}")

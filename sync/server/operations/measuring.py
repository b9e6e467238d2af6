"""What of a running server is counted, and what is read from its database when somebody asks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from sqlalchemy import Connection, func, select

from sync.protocol import Status
from sync.server.figures.following import behind
from sync.server.operations.backlogs import backlogs
from sync.server.operations.metrics import Gauge, Metrics, Slots
from sync.server.storage import Database
from sync.server.storage.rows import disputes, feed_heads, heads, photos, quarantine

_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx", "none")


class ServerMetrics:
    """The counters of one server; the same series in every worker."""

    def __init__(self, slots: Slots | None = None) -> None:
        self.metrics = metrics = Metrics(slots)
        metrics.counter("station_pushes_total", "Pushes that were answered.")
        metrics.counter(
            "station_entries_total", "Entries by what became of them.", [{"status": one.value} for one in Status]
        )
        metrics.counter("station_photos_total", "Photos that were stored.")
        metrics.counter("station_photo_bytes_total", "Bytes of photos that were stored.")
        metrics.counter("station_feed_items_total", "Feed items that were sent.")
        metrics.histogram("station_push_seconds", "From the whole body of a push to its durable answer.")

    def add_routes(self, paths: Iterable[str]) -> None:
        """Name the series of each route."""
        known = [*sorted(set(paths)), "other"]
        self.metrics.counter(
            "station_requests_total", "Requests by route and class of status.",
            [{"route": path, "status": one} for path in known for one in _CLASSES],
        )  # fmt: skip
        self.metrics.histogram("station_request_seconds", "Requests, whole.", [{"route": path} for path in known])

    def measured(self, app: ASGIApp) -> ASGIApp:
        """The same application, every request counted and timed."""
        metrics = self.metrics

        async def measured(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            status = "none"

            async def sending(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = f"{message['status'] // 100}xx"
                await send(message)

            started = time.perf_counter()
            try:
                await app(scope, receive, sending)
            finally:
                route = scope.get("path_template") or "other"
                metrics.count("station_requests_total", route=route, status=status)
                metrics.observe("station_request_seconds", time.perf_counter() - started, route=route)

        return measured


def gauges(database: Database, waiting: int, now: datetime) -> list[Gauge]:
    """What is read when somebody asks. Grouped counts over indexes and small tables only."""
    used, opened = database.connections
    with database.reading() as connection:
        seen, held = _stations(connection, now)
        return [
            Gauge("station_waiting_pushes", "Pushes that wait for the writer, this worker.", [({}, waiting)]),
            Gauge("station_database_connections", "Connections of this worker to the database.",
                  [({"state": "used"}, used), ({"state": "open"}, opened)]),
            Gauge("station_bench_last_seen_seconds", "Since the last push of a bench.", seen),
            Gauge("station_bench_entries", "Entries held of a bench, over all generations.", held),
            *_backlogs(connection, now),
            *_figures(connection, now),
            Gauge("station_quarantined", "Entries that wait for a person or a newer server.",
                  [({}, _count(connection, quarantine.c.seq))]),
            Gauge("station_disputed", "Forks and id collisions that are kept.",
                  [({}, _count(connection, disputes.c.seq))]),
            Gauge("station_photos", "Photos that are held.", [({}, _count(connection, photos.c.sha256))]),
            Gauge("station_feed_revision", "Newest revision of a topic.",
                  [({"site": site, "topic": topic}, rev) for site, topic, rev in connection.execute(
                      select(feed_heads.c.site_id, feed_heads.c.topic, feed_heads.c.rev))]),
        ]  # fmt: skip


_Values = list[tuple[dict[str, str], float]]


def _stations(connection: Connection, now: datetime) -> tuple[_Values, _Values]:
    seen: _Values = []
    held: _Values = []
    for site, station, last, entries in connection.execute(
        select(heads.c.site_id, heads.c.station, func.max(heads.c.last_seen), func.sum(heads.c.seq))
        .group_by(heads.c.site_id, heads.c.station)
        .order_by(heads.c.site_id, heads.c.station)
    ):
        labels = {"site": site, "station": station}
        seen.append((labels, max(0.0, (now - last).total_seconds())))
        held.append((labels, float(entries)))
    return seen, held


def _figures(connection: Connection, now: datetime) -> list[Gauge]:
    entries, oldest = behind(connection)
    age_s = max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
    return [
        Gauge("station_figures_behind", "Entries that figures and the queue do not know yet.", [({}, entries)]),
        Gauge("station_figures_behind_seconds", "Since the oldest of those was received.", [({}, age_s)]),
    ]


def _backlogs(connection: Connection, now: datetime) -> list[Gauge]:
    entries: _Values = []
    photos: _Values = []
    ages: _Values = []
    for row in backlogs(connection):
        labels = {"site": row.site_id, "station": row.station}
        entries.append((labels, float(row.entries)))
        photos.append((labels, float(row.photos)))
        ages.append((labels, max(0.0, (now - row.since).total_seconds()) if row.entries and row.since else 0.0))
    return [
        Gauge("station_bench_unsent_entries", "Records that wait at a bench, as it last said.", entries),
        Gauge("station_bench_unsent_photos", "Photos that wait at a bench, as it last said.", photos),
        Gauge("station_bench_unsent_seconds", "Age of the oldest record that waits at a bench.", ages),
    ]


def _count(connection: Connection, column: object) -> int:
    return connection.scalar(select(func.count(column))) or 0  # type: ignore[arg-type]

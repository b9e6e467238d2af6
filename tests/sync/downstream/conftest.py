"""A database of each kind with an outbox on it, and a clock that stands still until a test moves it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL

from station.inspection.record import Inspection
from station.journal.entry import Entry, Fact
from sync.protocol import WireEntry
from sync.protocol.downstream import EndpointSecret, NewEndpoint
from sync.server.downstream.addresses import Egress
from sync.server.downstream.dispatcher import Dispatcher
from sync.server.downstream.endpoints import Endpoints
from sync.server.downstream.outbox import Outbox
from sync.server.downstream.signing import WebhookKey
from sync.server.feed import Feed
from sync.server.journal import Journal
from sync.server.judge import judge
from sync.server.projection import project
from sync.server.storage import Database, open_database
from sync.server.storage.rows_downstream import deliveries
from sync.server.units.applier import Units
from tests.sync.downstream.receiver import Receiver
from tests.sync.material import STATION, an_inspection, chain, fact

SITE = "main"
HERE = Egress((ipaddress.ip_network("127.0.0.0/8"),), frozenset({"127.0.0.1", "erp.example"}))
"""Receivers of these tests listen on this machine."""


class StillClock:
    """Wall and monotonic time move together, when a test says so."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def forward(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += max(0.0, seconds)


class Bench:
    """Everything one test needs of the room, over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = StillClock()
        self.key = WebhookKey(bytes(range(32)))
        self.outbox = Outbox(database)
        self.endpoints = Endpoints(database, self.outbox, self.key, HERE)
        units = Units(Feed(database), lambda: frozenset())
        self.journal = Journal(database, (project, units.apply, self.outbox.apply))
        self.last: Entry | None = None

    def dispatcher(self, egress: Egress = HERE, **more: object) -> Dispatcher:
        more = {"timeout_s": 5.0, "chance": lambda: 0.0, **more}
        return Dispatcher(self.database, self.outbox, self.endpoints, self.clock, egress, **more)

    def subscribe(self, receiver: Receiver, *types: str) -> EndpointSecret:
        return self.endpoints.create(SITE, NewEndpoint(receiver.url(), list(types)), self.clock.now())

    def push(self, facts: Sequence[Fact]) -> list[Entry]:
        """Facts become entries and are pushed; returns the entries."""
        made = chain(facts, after=self.last)
        self.last = made[-1]
        self.push_again(made)
        return made

    def push_again(self, made: Sequence[Entry]) -> None:
        judged = [judge(STATION, on_the_wire(entry)) for entry in made]
        self.journal.push(SITE, STATION, judged, self.clock.now())

    def inspect(self, count: int = 1) -> list[Inspection]:
        made = [an_inspection(number) for number in range(count)]
        self.push([fact(each) for each in made])
        return made

    def states(self) -> dict[str, str]:
        with self.database.reading() as connection:
            return dict(connection.execute(select(deliveries.c.event_id, deliveries.c.state)).all())


@pytest.fixture
def open_bench() -> Iterator[Callable[[URL], Bench]]:
    made: list[Bench] = []

    def make(url: URL) -> Bench:
        made.append(Bench(open_database(url)))
        return made[-1]

    yield make
    for bench in made:
        bench.database.close()


@pytest.fixture
def bench(either_database: URL, open_bench: Callable[[URL], Bench]) -> Bench:
    """On SQLite and on PostgreSQL."""
    return open_bench(either_database)


@pytest.fixture
def lite(tmp_path: Path, open_bench: Callable[[URL], Bench]) -> Bench:
    """On SQLite alone, for what does not depend on the database."""
    from sync.server.storage import database_url

    return open_bench(database_url(f"sqlite:///{tmp_path / 'server.sqlite3'}"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def resolve_here(_name: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def refused_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def on_the_wire(entry: Entry) -> bytes:
    return msgspec.json.encode(
        WireEntry(
            entry.generation, entry.seq, entry.id, entry.kind, entry.schema, entry.recorded_at, entry.actor,
            entry.payload_sha256, entry.prev_hash, entry.hash, entry.payload.decode() if entry.payload else None,
        )
    )  # fmt: skip

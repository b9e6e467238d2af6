"""A server with a door, benches that joined it, and IT at its command line."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL

from station.clock import SystemClock
from station.journal.entry import Entry
from station.store import Store
from sync.client.api import HttpApi
from sync.client.drain import drain
from sync.client.enrol import enrol
from sync.client.identity import Identity, load_identity
from sync.client.lineage import Lineage
from sync.client.loop import SyncLoop
from sync.client.states import SyncState
from sync.server.access.register import Register
from sync.server.run import ServerSettings, serve
from sync.server.storage import database_url, open_beside
from tests.sync.material import SWIFT, LocalServer, an_inspection, fact

TOKEN = "a-shared-secret-of-the-trial"


class ShiftedClock:
    """The machine's clock, set wrong by so much; monotonic time is right, as it is on a real machine."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def now(self) -> datetime:
        return SystemClock().now() + self.by

    def monotonic(self) -> float:
        return time.monotonic()


class DoorServer(LocalServer):
    """A server on a thread, on either database."""

    def __init__(self, home: Path, database: URL | None = None, token: str | None = TOKEN) -> None:
        self._url = database
        self._token = token
        super().__init__(home)

    @property
    def database_url(self) -> URL:
        return self._url or database_url(f"sqlite:///{self.database}")

    def start(self, listen: str) -> None:
        self._stop = threading.Event()
        self._ready = threading.Event()
        named = self._url.render_as_string(hide_password=False) if self._url else None
        settings = ServerSettings(self.home, listen, database=named, token=self._token)
        self._thread = threading.Thread(target=serve, args=(settings, self._listening, self._stop))
        self._thread.start()
        assert self._ready.wait(20)

    @contextmanager
    def register(self) -> Iterator[Register]:
        """What IT's commands use, beside the running server."""
        database = open_beside(self.database_url)
        try:
            yield Register(database, SystemClock())
        finally:
            database.close()

    def code(self, station: str = "bench-1", site: str = "main") -> str:
        with self.register() as register:
            return register.open_code(site, station, "test").code

    def revoke(self, station: str = "bench-1") -> None:
        with self.register() as register:
            assert register.revoke("main", station, "test", "lost")

    def unrevoke(self, station: str = "bench-1") -> None:
        with self.register() as register:
            assert register.restore("main", station, "test")

    def status_of(self, site: str) -> int:
        """Entries that are held of a site."""
        return self.table(f"SELECT count(*) FROM entries WHERE site_id = '{site}'")[0][0]

    def table(self, sql: str) -> list[tuple]:
        """Rows on either database."""
        database = open_beside(self.database_url)
        try:
            with database.reading() as connection:
                return [tuple(row) for row in connection.execute(text(sql))]
        finally:
            database.close()


@dataclass
class Bench:
    """A bench's folder with its store open, and who it is to the server."""

    home: Path
    store: Store
    identity: Identity
    api: HttpApi

    def record(self, count: int, first: int = 0) -> list[Entry]:
        made: list[Entry] = []
        for number in range(first, first + count):
            made += self.store.commit([fact(an_inspection(number))], actor="B-17", drafts={})
        return made

    def loop(self) -> SyncLoop:
        return SyncLoop(
            self.store, self.api, SystemClock(), random.Random(7), SWIFT, lineage=Lineage(self.store, self.identity)
        )

    def sync(self, within_s: float = 30.0, loop: SyncLoop | None = None) -> list[SyncState]:
        """Run the loop, or a new one, until it is online and nothing is unsent."""
        states: list[SyncState] = []
        loop = loop or self.loop()
        until = time.monotonic() + within_s

        def done() -> bool:
            assert time.monotonic() < until, states[-1] if states else "no state"
            return bool(states) and states[-1].state.value == "online" and not self.store.unsent().entries

        loop.run(done, states.append)
        return states

    def close(self) -> None:
        self.api.close()
        self.store.close()


def join(server: DoorServer, home: Path, station: str = "bench-1") -> Identity:
    """Enrol a folder."""
    api = HttpApi(server.url, token=None, clock=SystemClock())
    try:
        return enrol(home, server.url, server.code(station), api, SystemClock())
    finally:
        api.close()


def open_bench(server: DoorServer, home: Path) -> Bench:
    """Open an enrolled folder."""
    identity = load_identity(home, SystemClock())
    assert identity is not None
    store = Store.open(home, station=identity.station, clock=SystemClock(), ballast_bytes=0)
    return Bench(home, store, identity, HttpApi(server.url, token=None, clock=SystemClock(), identity=identity))


@contextmanager
def a_bench(server: DoorServer, home: Path, station: str = "bench-1") -> Iterator[Bench]:
    """A bench that just joined."""
    join(server, home, station)
    bench = open_bench(server, home)
    try:
        yield bench
    finally:
        bench.close()


def drained(bench: Bench) -> int:
    return drain(bench.store, bench.api, SystemClock(), random.Random(3), within_s=20, timing=SWIFT).entries

"""Servers that may be killed, on both databases, and benches to send to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from sync.server.storage import open_database
from tests.faults.invariants import Centre
from tests.faults.postgres import CrashingPostgres, running
from tests.faults.serving import ForkedServer
from tests.sync.material import FileOutbox


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server that may be crashed, and a migrated database to copy."""

    server: CrashingPostgres
    migrated: str

    def database(self) -> URL:
        return self.server.make(self.migrated)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        url = server.make(None)
        open_database(url).close()
        assert url.database is not None
        yield Postgres(server, url.database)


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ForkedServer]:
    """Not started yet: the test says how it is to die."""
    database = None if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    with ForkedServer(tmp_path / "centre", database) as made:
        yield made


@pytest.fixture
def centre(server: ForkedServer) -> Iterator[Centre]:
    """What the server's database holds, read from beside it."""
    made = Centre(server.database_url)
    yield made
    made.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[FileOutbox]:
    made = FileOutbox(tmp_path / "outbox.sqlite3")
    yield made
    made.close()

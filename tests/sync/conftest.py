"""A server process that several tests share, and outboxes of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from sync.server.storage import database_url, open_database
from tests.postgres import MakeFresh, MakePostgres, running_postgres
from tests.sync.material import FileOutbox, LocalServer, ServerProcess


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One ``station server`` for the tests of a module that do not hurt it."""
    with ServerProcess(tmp_path_factory.mktemp("server") / "home") as server:
        yield server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A ``station server`` that this test may kill."""
    with ServerProcess(tmp_path / "server-home") as server:
        yield server


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[FileOutbox]:
    made = FileOutbox(tmp_path / "outbox.sqlite3")
    yield made
    made.close()


@pytest.fixture
def local_server(tmp_path: Path) -> Iterator[LocalServer]:
    """A server of this test's own on a thread: real sockets, quick to start, nothing to kill."""
    with LocalServer(tmp_path / "server-home") as server:
        yield server


@pytest.fixture(scope="session")
def make_postgres() -> Iterator[MakePostgres]:
    """Makes PostgreSQL databases on one server."""
    with running_postgres() as make:
        yield make


@pytest.fixture(scope="session")
def fresh_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's database as its first start leaves it; a copy saves every test the migrations."""
    path = tmp_path_factory.mktemp("fresh") / "server.sqlite3"
    open_database(database_url(f"sqlite:///{path}")).close()
    return path


@pytest.fixture(scope="session")
def fresh_postgres(make_postgres: MakePostgres) -> MakeFresh:
    """Copies one that was brought up to date once."""
    migrated = make_postgres(None)
    open_database(migrated).close()
    return lambda: make_postgres(migrated.database)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """A fresh database of each kind."""
    if request.param == "postgresql":
        make: MakeFresh = request.getfixturevalue("fresh_postgres")
        return make()
    path = tmp_path / "server.sqlite3"
    shutil.copyfile(request.getfixturevalue("fresh_sqlite"), path)
    return database_url(f"sqlite:///{path}")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """A database of each kind in which nothing is yet."""
    if request.param == "sqlite":
        return database_url(f"sqlite:///{tmp_path / 'server.sqlite3'}")
    make: MakePostgres = request.getfixturevalue("make_postgres")
    return make(None)

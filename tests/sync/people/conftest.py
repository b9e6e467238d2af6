"""A server with people in it: real sockets, real database, Argon2id at its cheapest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from sync.server.storage import database_url, open_database
from tests.sync.people.material import PeopleServer

MakeServer = Callable[..., PeopleServer]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was brought up to date once; a copy is there in no time."""
    path = tmp_path_factory.mktemp("migrated") / "server.sqlite3"
    open_database(database_url(f"sqlite:///{path}")).close()
    return path


@pytest.fixture
def make_server(tmp_path: Path, migrated: Path) -> Iterator[MakeServer]:
    """Starts servers on threads; all end with the test. ``url``: None = SQLite."""
    made: list[PeopleServer] = []

    def make(url: URL | None = None, **settings: object) -> PeopleServer:
        if url is None:
            path = tmp_path / "people.sqlite3"
            shutil.copyfile(migrated, path)
            url = database_url(f"sqlite:///{path}")
        made.append(PeopleServer(url, tmp_path, **settings))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def server(make_server: MakeServer) -> PeopleServer:
    return make_server()


@pytest.fixture
def server_on_either(make_server: MakeServer, either_database: URL) -> PeopleServer:
    return make_server(either_database)

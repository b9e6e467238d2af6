"""A server with people in it: real sockets, real database, Argon2id at its cheapest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from sync.server.storage import database_url
from tests.sync.people.material import PeopleServer

MakeServer = Callable[..., PeopleServer]


@pytest.fixture
def make_server(tmp_path: Path, fresh_sqlite: Path) -> Iterator[MakeServer]:
    """Starts servers on threads; all end with the test. ``url``: None = SQLite."""
    made: list[PeopleServer] = []

    def make(url: URL | None = None, **settings: object) -> PeopleServer:
        if url is None:
            path = tmp_path / "people.sqlite3"
            shutil.copyfile(fresh_sqlite, path)
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

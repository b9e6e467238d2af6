"""One database of each kind for all tests here: each test has a site of its own in it."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator

import pytest

from sync.server.storage import Database, database_url, open_database
from tests.postgres import MakeFresh

_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("figures") / "server.sqlite3"
        shutil.copyfile(request.getfixturevalue("fresh_sqlite"), path)
        url = database_url(f"sqlite:///{path}")
    else:
        make: MakeFresh = request.getfixturevalue("fresh_postgres")
        url = make()
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def new_site() -> Callable[[], str]:
    return lambda: f"site-{next(_numbers)}"

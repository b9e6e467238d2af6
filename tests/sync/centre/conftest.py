"""One central server on each database for all tests here: every test has units and benches of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.server.storage import database_url
from tests.postgres import MakePostgres
from tests.sync.centre.house import House


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("centre")
    url = database_url(f"sqlite:///{folder / 'server.sqlite3'}")
    if request.param == "postgresql":
        make: MakePostgres = request.getfixturevalue("make_postgres")
        url = make(None)
    with pytest.MonkeyPatch.context() as patch:  # receivers of these tests listen on this machine
        patch.setenv("STATION_WEBHOOK_PRIVATE", "127.0.0.0/8")
        patch.setenv("STATION_WEBHOOK_PLAIN", "127.0.0.1")
        made = House(url, folder)
    yield made
    made.server.stop()

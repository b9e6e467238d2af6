"""A server process that several tests share, and outboxes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from tests.sync.access.material import Bench, DoorServer, a_bench


@pytest.fixture
def door(tmp_path: Path, fresh_sqlite: Path) -> Iterator[DoorServer]:
    """A server on SQLite that also knows a shared token."""
    folder = tmp_path / "server-home" / "server"
    folder.mkdir(parents=True)
    shutil.copy(fresh_sqlite, folder)
    with DoorServer(tmp_path / "server-home") as server:
        yield server


@pytest.fixture
def either_door(tmp_path: Path, either_database: URL) -> Iterator[DoorServer]:
    """The same on each database."""
    with DoorServer(tmp_path / "server-home", either_database) as server:
        yield server


@pytest.fixture
def bench(door: DoorServer, tmp_path: Path) -> Iterator[Bench]:
    """A bench that joined."""
    with a_bench(door, tmp_path / "bench") as made:
        yield made

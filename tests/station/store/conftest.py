"""Makes the store's laboratory importable for its tests, and opens stores for them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

for _name in ("store_lab", "disk_model"):
    if _name not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(f"{_name}.py"))
        assert _spec is not None
        assert _spec.loader is not None
        _module = importlib.util.module_from_spec(_spec)
        sys.modules[_name] = _module
        _spec.loader.exec_module(_module)

from store_lab import SteadyClock  # noqa: E402

from station.store import Store  # noqa: E402


@pytest.fixture
def clock() -> SteadyClock:
    return SteadyClock()


@pytest.fixture
def open_store(home: Path, clock: SteadyClock) -> Iterator[Callable[..., Store]]:
    """Opens the test's home, with a small reserve; closes it at the end of the test."""
    opened: list[Store] = []

    def open_it(folder: Path = home, station: str = "bench-1", ballast_bytes: int = 4096) -> Store:
        store = Store.open(folder, station=station, clock=clock, ballast_bytes=ballast_bytes)
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store()

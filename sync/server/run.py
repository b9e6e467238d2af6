"""Start and stop the server: settings, the listening socket, signals."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import cast

import uvicorn
from litestar.types import ASGIApp
from sqlalchemy.engine import URL

from station.clock import SystemClock
from station.errors import EnvironmentFault, InvalidInput, StationError
from sync.protocol import TOKEN_VARIABLE, Limits
from sync.server.access.signing import KEYS, load_key
from sync.server.app import build_app
from sync.server.auth import Authenticator, LoopbackOnly, SharedToken
from sync.server.downstream.composition import Downstream
from sync.server.guards import Guarded, PatientH11
from sync.server.operations.measuring import ServerMetrics
from sync.server.operations.metrics import Slots
from sync.server.operations.transfer import refuse_unfinished
from sync.server.people.setup import people_settings
from sync.server.photos import open_photos
from sync.server.service import Service
from sync.server.storage import database_url, open_database
from sync.server.workers import run_workers

logger = logging.getLogger(__name__)


_COLLECT_EVERY = 20_000
"""Objects: a push of some hundred entries makes as many that are gone with its answer, and none that are cyclic."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What ``station server`` was started with."""

    home: Path
    listen: str = "127.0.0.1:8480"
    """HOST:PORT; port 0 = any free one."""
    database: str | None = None
    """URL; None = SQLite in the home folder."""
    photos: str | None = None
    """Folder or s3://…; None = in the home folder."""
    workers: int = 1
    token: str | None = None


def serve(settings: ServerSettings, ready: Callable[[str], None], stop: threading.Event | None = None) -> None:
    """Run until SIGTERM or SIGINT; requests under way are finished.

    Args:
        ready: called once with the URL when requests are answered.
        stop: ends it too, for a server on a thread (where there are no signals).

    Raises:
        InvalidInput: a setting is wrong, or unsafe (open to the network without a token).
        OperatorError: another server uses the database.
        EnvironmentFault: the port is taken, the disk cannot be used.
    """
    host, port = parse_listen(settings.listen)
    authenticator = choose_authenticator(host, settings.token)
    folder = settings.home / "server"
    url = database_url(settings.database or f"sqlite:///{folder / 'server.sqlite3'}")
    check_workers(settings.workers, url)
    slots = Slots(settings.workers)
    with _bind(host, port) as listener:
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listener.getsockname()[1]}"

        def work(said_ready: Callable[[], None], ended: threading.Event | None) -> None:
            database = open_database(url)  # before the photos: SQLite's lock says that nobody else is uploading there
            try:
                refuse_unfinished(database)
                photos = open_photos(settings.photos, folder / "photos")
                clock, keys = SystemClock(), folder / KEYS
                downstream = Downstream.from_environment(database, clock, keys)
                service = Service(
                    database,
                    photos,
                    authenticator,
                    clock,
                    Limits(),
                    load_key(keys),
                    downstream,
                    ServerMetrics(slots),
                    people_settings(database, keys, folder),
                )
            except StationError:
                database.close()
                raise
            _run(service, listener, ended, said_ready)

        if settings.workers == 1:
            work(lambda: ready(address), stop)
        else:
            run_workers(settings.workers, work, lambda: ready(address), stop)


def check_workers(workers: int, url: URL) -> None:
    """Say whether this many processes can serve this database.

    Raises:
        InvalidInput: they cannot; the text says why.
    """
    if workers < 1:
        raise InvalidInput(f"--workers {workers}: expected 1 or more")
    if workers > 1 and url.drivername == "sqlite":
        raise InvalidInput(
            f"--workers {workers}: SQLite has one writer, so one worker; give --database postgresql://… for more"
        )
    if workers > 1 and not hasattr(os, "fork"):
        raise InvalidInput(
            f"--workers {workers}: this system cannot share one port between processes; start several servers "
            "on ports of their own behind a load balancer"
        )


def parse_listen(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``.

    Raises:
        InvalidInput: not that shape.

    >>> parse_listen("127.0.0.1:0"), parse_listen("[::1]:8480")
    (('127.0.0.1', 0), ('::1', 8480))
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise InvalidInput(f"--listen {text!r}: expected HOST:PORT, e.g. 127.0.0.1:8480 or 0.0.0.0:8480")
    return host, int(port)


def choose_authenticator(host: str, token: str | None) -> Authenticator:
    """With a token everybody must know it; without one only this machine may come.

    Raises:
        InvalidInput: no token, but the address can be reached from other machines.
    """
    if token:
        return SharedToken(token)
    if not _is_loopback(host):
        raise InvalidInput(
            f"refusing to listen on {host!r} without a token: anybody on the network could write records. "
            f"Set {TOKEN_VARIABLE} to the same secret here and at every bench, or listen on 127.0.0.1"
        )
    return LoopbackOnly()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio sets TCP_NODELAY only where it reads IPPROTO_TCP, and without it each answer
    # waits 40 ms for the other side's delayed acknowledgement (measured).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise EnvironmentFault(
            f"cannot listen on {host}:{port}: {error.strerror}; is another server running? "
            "Give another --listen HOST:PORT"
        ) from error
    return listener


class _Server(uvicorn.Server):
    """uvicorn that ends with exit code 0 on SIGTERM (its own way is to raise the signal again)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _run(service: Service, listener: socket.socket, stop: threading.Event | None, ready: Callable[[], None]) -> None:
    app = build_app(service)
    service.metrics.add_routes(str(route.path_format) for route in app.routes)
    config = uvicorn.Config(
        Guarded(service.metrics.measured(cast("ASGIApp", app))),
        http=PatientH11,
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=16 * 1024,
    )
    server = _Server(config)

    async def run() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        if server.started:
            service.downstream.start()
            service.figures.start()
            gc.freeze()  # what is there now stays; the collector need not walk it again and again
            gc.set_threshold(_COLLECT_EVERY, 20, 50)
            ready()
            logger.info("listening", extra={"port": listener.getsockname()[1]})
        while stop is not None and not serving.done():
            server.should_exit = server.should_exit or stop.is_set()
            await asyncio.sleep(0.02)
        await serving

    asyncio.run(run())
    logger.info("stopped")

"""The HTTP face of the server: thin handlers over journal, photos and counts.

Handlers are ``async`` only to read bodies under a cap; everything that touches disk runs on threads: as many for
writing as the database takes at once (SQLite: one), a few for the rest.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

import msgspec
from litestar import Litestar, Request, Response, get, post, put
from litestar.datastructures import ResponseHeader, State
from litestar.exceptions import HTTPException, InternalServerException
from litestar.handlers import HTTPRouteHandler
from sqlalchemy.exc import DBAPIError, TimeoutError

from station.clock import Clock
from station.errors import InvalidInput, StoreFault
from sync.protocol import (
    VERSION,
    VERSION_HEADER,
    ErrorAnswer,
    ErrorBody,
    HealthAnswer,
    HelloAnswer,
    Limits,
    MissingAnswer,
    MissingRequest,
    PhotoAnswer,
    PushAnswer,
    PushRequest,
    StatusAnswer,
)
from sync.server.auth import Authenticator, Caller, Unauthorised
from sync.server.bodies import read_capped, too_large, unpack
from sync.server.errors import ApiError
from sync.server.journal import Journal, Pushed
from sync.server.judge import judge
from sync.server.photos import PhotoFolder, PhotoRegister
from sync.server.projection import counts
from sync.server.storage import Database

logger = logging.getLogger(__name__)

HttpRequest = Request[Any, Any, State]  # the frameworks' own generics
_P = ParamSpec("_P")
_T = TypeVar("_T")

_NO_STORE = "no-store"
_CHUNK = 256 * 1024
_WAITING_PUSHES = 64
"""Pushes that may wait for the writer; beyond that 503 at once, with a jittered Retry-After."""


class Service:
    """Everything the handlers use, built once."""

    def __init__(
        self, database: Database, photos: PhotoFolder, authenticator: Authenticator, clock: Clock, limits: Limits
    ) -> None:
        self.database = database
        self.journal = Journal(database)
        self.photos = PhotoRegister(database, photos)
        self.authenticator = authenticator
        self.clock = clock
        self.limits = limits
        self._writer = ThreadPoolExecutor(database.writers, thread_name_prefix="journal-writer")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="server-reader")
        self._waiting = 0

    async def write(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run on the writer's thread, or refuse at once when too many wait."""
        if self._waiting >= _WAITING_PUSHES:
            raise _busy("too many benches are sending at once")
        self._waiting += 1
        try:
            return await self._run(self._writer, call, *args, **kwargs)
        finally:
            self._waiting -= 1

    async def read(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run on one of the other threads."""
        return await self._run(self._readers, call, *args, **kwargs)

    async def _run(self, pool: ThreadPoolExecutor, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(pool, lambda: call(*args, **kwargs))

    def now_text(self) -> str:
        return self.clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")

    def caller(self, request: HttpRequest) -> Caller:
        """Check version and identity; every handler but health begins with this."""
        spoken = request.headers.get(VERSION_HEADER, "")
        if spoken != str(VERSION):
            raise ApiError(
                426, "version", f"this server speaks version {VERSION} of the protocol, the request {spoken!r}",
                "update the older of the two; the bench keeps recording meanwhile",
            )  # fmt: skip
        return self.authenticator.authenticate(request.headers)

    def close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self.database.close()


def build_app(service: Service) -> Litestar:
    """Put the handlers over a service. The app closes it when it ends."""
    return Litestar(
        route_handlers=_handlers(service),
        on_shutdown=[service.close],
        exception_handlers={Exception: _answer_error},
        response_headers=[ResponseHeader(name="Cache-Control", value=_NO_STORE)],
        request_max_body_size=max(service.limits.body_bytes, service.limits.photo_bytes) + 1,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _handlers(service: Service) -> list[HTTPRouteHandler]:
    limits = service.limits

    @get("/v1/health")
    async def health() -> Response[HealthAnswer]:
        ready = await service.read(_is_ready, service.database)
        return Response(HealthAnswer(live=True, ready=ready), status_code=200 if ready else 503)

    @get("/v1/hello")
    async def hello(request: HttpRequest) -> HelloAnswer:
        caller = service.caller(request)
        station: str | None = request.query_params.get("station")
        if station is not None and not caller.may_write_for(station):
            raise _foreign(station)
        held = await service.read(service.journal.heads, caller.site_id, station) if station else ()
        return HelloAnswer(VERSION, service.database.epoch, service.now_text(), limits, list(held))

    @post("/v1/journal", status_code=200)
    async def push(request: HttpRequest) -> PushAnswer:
        caller = service.caller(request)
        body = await read_capped(_chunks(request), request.content_length, limits.body_bytes)
        encoding = request.headers.get("content-encoding", "").lower()
        started = time.perf_counter()
        station, pushed = await service.write(_push, service, caller, body, encoding)
        answers: dict[str, int] = {}
        for result in pushed.results:
            answers[result.status.value] = answers.get(result.status.value, 0) + 1
        took_ms = round((time.perf_counter() - started) * 1000, 1)
        logger.info("push", extra={"station": station, "bytes": len(body), "took_ms": took_ms, **answers})
        return PushAnswer(VERSION, service.database.epoch, list(pushed.results), list(pushed.heads), service.now_text())

    @post("/v1/photos/missing", status_code=200)
    async def missing(request: HttpRequest) -> MissingAnswer:
        caller = service.caller(request)
        body = await read_capped(_chunks(request), request.content_length, limits.body_bytes)
        asked = _decode(MissingRequest, unpack(body, request.headers.get("content-encoding", ""), limits.body_bytes))
        if len(asked.hashes) > limits.missing_hashes:
            raise ApiError(413, "too_many", f"{len(asked.hashes)} hashes", f"ask for {limits.missing_hashes} at most")
        held = await service.read(service.photos.held, caller.site_id, asked.hashes)
        return MissingAnswer([item for item in asked.hashes if item not in held], sorted(held))

    @put("/v1/photos/{sha256:str}", status_code=201)
    async def photo(request: HttpRequest) -> Response[PhotoAnswer]:
        caller = service.caller(request)
        sha256: str = request.path_params["sha256"]
        declared = request.content_length
        if declared is None:
            raise ApiError(411, "length", "the request has no Content-Length", "send the photo's size")
        if declared > limits.photo_bytes:
            raise too_large(limits.photo_bytes)
        if sha256 in await service.read(service.photos.held, caller.site_id, [sha256]):
            return Response(PhotoAnswer(sha256, declared, "duplicate"), status_code=200)
        size = await _receive(service, request, sha256, declared)
        await service.write(service.photos.note, caller.site_id, sha256, size, service.clock.now())
        logger.info("photo", extra={"sha256": sha256, "bytes": size})
        return Response(PhotoAnswer(sha256, size, "stored"), status_code=201)

    @get("/v1/status")
    async def status(request: HttpRequest) -> StatusAnswer:
        caller = service.caller(request)
        return await service.read(_status, service, caller.site_id)

    return [health, hello, push, missing, photo, status]


def _push(service: Service, caller: Caller, body: bytes, encoding: str) -> tuple[str, Pushed]:
    request = _decode(PushRequest, unpack(body, encoding, service.limits.body_bytes))
    if not caller.may_write_for(request.station):
        raise _foreign(request.station)
    if len(request.entries) > service.limits.batch_entries:
        raise ApiError(
            413, "too_many", f"{len(request.entries)} entries", f"send {service.limits.batch_entries} at most"
        )
    judged = [judge(request.station, bytes(raw)) for raw in request.entries]
    return request.station, service.journal.push(caller.site_id, request.station, judged, service.clock.now())


async def _receive(service: Service, request: HttpRequest, sha256: str, declared: int) -> int:
    upload = await service.read(service.photos.store.receive, sha256)
    try:
        buffer = bytearray()
        async for chunk in _chunks(request):
            buffer += chunk
            if upload.size + len(buffer) > service.limits.photo_bytes:
                raise too_large(service.limits.photo_bytes)
            if len(buffer) >= _CHUNK:
                await service.read(upload.write, bytes(buffer))
                buffer.clear()
        await service.read(upload.write, bytes(buffer))
        if upload.size != declared:
            raise ApiError(400, "cut", f"{upload.size} bytes came, {declared} were announced", "send it again")
        try:
            await service.read(upload.keep)
        except InvalidInput as error:
            raise ApiError(422, "not_this_photo", str(error), "read the file again and check its hash") from error
        return upload.size
    finally:
        upload.abandon()


async def _chunks(request: HttpRequest) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except InternalServerException as error:  # so says the framework when the other side goes away: no error of ours
        raise ApiError(400, "cut", "the sender went away before the end", "send it again") from error


def _status(service: Service, site_id: str) -> StatusAnswer:
    with service.database.reading() as connection:
        return StatusAnswer(epoch=service.database.epoch, **counts(connection, site_id))


def _is_ready(database: Database) -> bool:
    try:
        with database.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
    except DBAPIError:
        return False
    return True


def _decode(kind: type[_T], body: bytes) -> _T:
    with _as_bad_request():
        return msgspec.json.decode(body, type=kind)


@contextmanager
def _as_bad_request() -> Iterator[None]:
    try:
        yield
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ApiError(400, "malformed", f"the body cannot be read: {error}", "see sync/protocol.py") from error


def _foreign(station: str) -> ApiError:
    return ApiError(403, "foreign_station", f"this token may not speak for {station!r}", "enrol this bench anew")


def _busy(why: str) -> ApiError:
    # Jitter spreads the benches that come back; not a secret, so the plain generator will do.
    return ApiError(503, "busy", why, "try again later", {"Retry-After": str(random.randint(1, 5))})


def _answer_error(_request: Request[Any, Any, Any], error: Exception) -> Response[ErrorAnswer]:
    refusal = _as_refusal(error)
    if refusal.status >= 500 and refusal.status != 503:
        logger.error("request failed: %s", refusal.code, exc_info=error)
    elif refusal.status >= 500:
        logger.warning("request refused: %s", refusal.message)
    else:
        logger.info("request refused: %s %s", refusal.status, refusal.code)
    return Response(
        ErrorAnswer(ErrorBody(refusal.code, refusal.message, refusal.advice)),
        status_code=refusal.status,
        headers={"Cache-Control": _NO_STORE, **refusal.headers},
        media_type="application/json",
    )


def _as_refusal(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Unauthorised):
        return ApiError(
            401, "unauthorised", str(error), "set STATION_SERVER_TOKEN at both ends to the same value",
            {"WWW-Authenticate": "Bearer"},
        )  # fmt: skip
    if isinstance(error, InvalidInput):
        return ApiError(400, "invalid", str(error), "see sync/protocol.py")
    if isinstance(error, StoreFault):
        return ApiError(507, "storage", str(error), "free space on the server; the bench keeps its copy")
    if isinstance(error, (DBAPIError, TimeoutError)):
        logger.warning("database: %s", getattr(error, "orig", error))
        return ApiError(503, "database", "the database does not take it now", "try again later", {"Retry-After": "5"})
    if isinstance(error, HTTPException):
        return ApiError(
            error.status_code, "http", error.detail, "see sync/protocol.py", cast("dict[str, str]", error.headers)
        )
    return ApiError(500, "defect", "an error in the server; nothing of this request was kept", "see the server's log")

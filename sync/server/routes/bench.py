"""What benches ask: hello, journal, photos, counts. See ``sync/protocol``."""

from __future__ import annotations

import logging
import time

from litestar import Response, get, post, put
from litestar.handlers import HTTPRouteHandler
from sqlalchemy.exc import DBAPIError

from station.errors import InvalidInput
from sync.protocol import (
    FOLLOWS_HEADER,
    SEAL_HEADER,
    VERSION,
    HealthAnswer,
    HelloAnswer,
    MissingAnswer,
    MissingRequest,
    PhotoAnswer,
    PushAnswer,
    PushRequest,
    StatusAnswer,
)
from sync.server.auth import Caller, CallerKind
from sync.server.errors import ApiError
from sync.server.images import PhotoCheck
from sync.server.journal import Pushed
from sync.server.judge import judge
from sync.server.operations.backlogs import read_backlog
from sync.server.photos.ports import Upload
from sync.server.projection import counts
from sync.server.routes.bodies import chunks_of, decode, read_capped, read_json, too_large, unpack
from sync.server.service import HttpRequest, Service
from sync.server.storage import Database
from sync.server.units import CENTRE

logger = logging.getLogger(__name__)

_CHUNK = 256 * 1024
_LONGEST_NAME = 64


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of what benches ask."""
    limits = service.limits

    @get("/v1/health")
    async def health() -> Response[HealthAnswer]:
        ready = await service.read(is_ready, service.database)
        return Response(HealthAnswer(live=True, ready=ready), status_code=200 if ready else 503)

    @get("/v1/hello")
    async def hello(request: HttpRequest) -> HelloAnswer:
        caller = service.caller(request)
        station: str | None = request.query_params.get("station")
        if station is not None and not caller.may_write_for(station):
            raise _foreign(station)
        backlog = read_backlog(request.query_params)
        if station and backlog is not None and caller.kind is CallerKind.STATION and _is_name(station):
            now = service.clock.now()
            if service.backlogs.is_news(caller.site_id, station, backlog, now):
                await service.write(service.backlogs.note, caller.site_id, station, backlog, now)
        held = await service.read(service.journal.heads, caller.site_id, station) if station else ()
        access = service.access
        return HelloAnswer(
            VERSION, service.database.epoch, service.now_text(), limits, list(held),
            feed=await service.read(service.feed.heads, caller.site_id),
            server=access.server_id, server_key=access.server_key,
        )  # fmt: skip

    @post("/v1/journal", status_code=200)
    async def push(request: HttpRequest) -> PushAnswer:
        caller = service.caller(request)
        caller.require_station()
        body = await read_capped(chunks_of(request), request.content_length, limits.body_bytes)
        service.admit(len(body))
        encoding = request.headers.get("content-encoding", "").lower()
        started = time.perf_counter()
        seal = request.headers.get(SEAL_HEADER)
        follows = request.headers.get(FOLLOWS_HEADER) == "1"
        station, pushed = await service.write_push(len(body), _push, service, caller, body, encoding, seal, follows)
        service.figures.wake()
        answers: dict[str, int] = {}
        for result in pushed.results:
            answers[result.status.value] = answers.get(result.status.value, 0) + 1
            service.metrics.metrics.count("station_entries_total", status=result.status.value)
        took_s = time.perf_counter() - started
        service.metrics.metrics.count("station_pushes_total")
        service.metrics.metrics.observe("station_push_seconds", took_s)
        took_ms = round(took_s * 1000, 1)
        logger.info("push", extra={"station": station, "bytes": len(body), "took_ms": took_ms, **answers})
        return PushAnswer(
            VERSION, service.database.epoch, list(pushed.results), list(pushed.heads), service.now_text(),
            feed=await service.read(service.feed.heads, caller.site_id), countersigned=list(pushed.countersigned),
        )  # fmt: skip

    @post("/v1/photos/missing", status_code=200)
    async def missing(request: HttpRequest) -> MissingAnswer:
        caller = service.caller(request)
        caller.require_station()
        asked = await read_json(request, MissingRequest, limits.body_bytes)
        if len(asked.hashes) > limits.missing_hashes:
            raise ApiError(413, "too_many", f"{len(asked.hashes)} hashes", f"ask for {limits.missing_hashes} at most")
        held = await service.read(service.photos.held, caller.site_id, asked.hashes)
        return MissingAnswer([item for item in asked.hashes if item not in held], sorted(held))

    @put("/v1/photos/{sha256:str}", status_code=201)
    async def photo(request: HttpRequest) -> Response[PhotoAnswer]:
        caller = service.caller(request)
        caller.require_station()
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
        service.metrics.metrics.count("station_photos_total")
        service.metrics.metrics.count("station_photo_bytes_total", size)
        logger.info("photo", extra={"sha256": sha256, "bytes": size})
        return Response(PhotoAnswer(sha256, size, "stored"), status_code=201)

    @get("/v1/status")
    async def status(request: HttpRequest) -> StatusAnswer:
        caller = service.caller(request)
        return await service.read(_status, service, caller.site_id)

    return [health, hello, push, missing, photo, status]


def _push(
    service: Service, caller: Caller, body: bytes, encoding: str, seal: str | None, follows: bool
) -> tuple[str, Pushed]:
    request = decode(PushRequest, unpack(body, encoding, service.limits.body_bytes))
    if request.station == CENTRE or not caller.may_write_for(request.station):
        raise _foreign(request.station)
    if len(request.entries) > service.limits.batch_entries:
        raise ApiError(
            413, "too_many", f"{len(request.entries)} entries", f"send {service.limits.batch_entries} at most"
        )
    judged = [judge(request.station, bytes(raw)) for raw in request.entries]
    witness = service.access.sealing.of_push(caller, request.station, body, seal, judged)
    now = service.clock.now()
    return request.station, service.journal.push(caller.site_id, request.station, judged, now, witness, follows=follows)


async def _receive(service: Service, request: HttpRequest, sha256: str, declared: int) -> int:
    upload, check = await service.read(service.photos.store.receive, sha256), PhotoCheck()
    try:
        buffer = bytearray()
        async for chunk in chunks_of(request):
            buffer += chunk
            if upload.size + len(buffer) > service.limits.photo_bytes:
                raise too_large(service.limits.photo_bytes)
            if len(buffer) >= _CHUNK:
                await service.read(_take, upload, check, bytes(buffer))
                buffer.clear()
        await service.read(_take, upload, check, bytes(buffer))
        if upload.size != declared:
            raise ApiError(400, "cut", f"{upload.size} bytes came, {declared} were announced", "send it again")
        try:
            check.finish()
            await service.read(upload.keep)
        except InvalidInput as error:
            raise ApiError(422, "not_this_photo", str(error), "read the file again and check its hash") from error
        return upload.size
    finally:
        upload.abandon()


def _take(upload: Upload, check: PhotoCheck, piece: bytes) -> None:
    try:
        check.feed(piece)
    except InvalidInput as error:
        raise ApiError(422, "not_a_photo", str(error), "the bench keeps its file; a lead sees the reason") from error
    upload.write(piece)


def _status(service: Service, site_id: str) -> StatusAnswer:
    with service.database.reading() as connection:
        return StatusAnswer(epoch=service.database.epoch, **counts(connection, site_id))


def is_ready(database: Database) -> bool:
    """Whether the database answers."""
    try:
        with database.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
    except DBAPIError:
        return False
    return True


def _is_name(station: str) -> bool:
    return len(station) <= _LONGEST_NAME and station.isprintable()


def _foreign(station: str) -> ApiError:
    return ApiError(403, "foreign_station", f"this token may not speak for {station!r}", "enrol this bench anew")

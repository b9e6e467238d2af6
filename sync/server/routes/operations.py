"""What IT and its machines ask: health, metrics, the OpenAPI document, photos, what must be forgotten."""

from __future__ import annotations

from functools import cache

import msgspec
from litestar import Litestar, Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from sync.protocol import ErasureAnswer, ErasureRequest, ErasuresAnswer, HealthAnswer, HoldAnswer, HoldRequest
from sync.server.auth import CallerKind
from sync.server.errors import ApiError
from sync.server.operations.erasing import Eraser
from sync.server.operations.measuring import gauges
from sync.server.operations.metrics import MEDIA_TYPE
from sync.server.operations.openapi import described, document
from sync.server.photos import PhotoMissing
from sync.server.routes.bench import is_ready
from sync.server.routes.bodies import read_json
from sync.server.service import HttpRequest, Service

_ADMIN = "admin"
_LEAD = "lead"
_AUDITOR = "auditor"
_BODY_CAP = 64 * 1024


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of operations."""
    eraser = Eraser(service.database, service.photos.store)

    @get("/v1/health/live", opt=described(answers={200: HealthAnswer}, open=True))
    async def live() -> HealthAnswer:
        """The process answers."""
        return HealthAnswer(live=True, ready=True)

    @get("/v1/health/ready", opt=described(answers={200: HealthAnswer, 503: HealthAnswer}, open=True))
    async def ready() -> Response[HealthAnswer]:
        """The database answers: send requests here."""
        can = await service.read(is_ready, service.database)
        return Response(HealthAnswer(live=True, ready=can), status_code=200 if can else 503)

    @get("/v1/metrics", opt=described(answers={200: "text/plain"}, open=True, errors=(401, 503)))
    async def metrics(request: HttpRequest) -> Response[str]:
        """Prometheus' text format; with a token where the server has one."""
        service.authenticated(request)
        found = await service.read(gauges, service.database, service.waiting, service.clock.now())
        return Response(service.metrics.metrics.text(found), media_type=MEDIA_TYPE)

    @get("/v1/openapi.json", opt=described(answers={200: "application/json"}, open=True))
    async def openapi(request: HttpRequest) -> Response[bytes]:
        """This document."""
        return Response(_document(request.app), media_type="application/json")

    @get(
        "/v1/photos/{sha256:str}",
        opt=described(summary="One photo of this site.", answers={200: "image/jpeg"}, errors=(404, 507)),
    )
    async def photo(request: HttpRequest) -> Response[bytes]:
        caller = service.caller(request)
        if caller.kind is not CallerKind.STATION:
            caller.require_role(_LEAD, _AUDITOR)
        sha256: str = request.path_params["sha256"]
        try:
            if caller.merchant is not None:
                await service.read(service.photos.check_merchant, caller.site_id, sha256, caller.merchant)
            jpeg = await service.read(service.photos.read, caller.site_id, sha256)
        except PhotoMissing as error:
            raise ApiError(404, "no_photo", str(error), "it may not be here yet, or was erased") from error
        return Response(
            jpeg,
            media_type="image/jpeg",
            headers={
                "X-Content-Type-Options": "nosniff",
                "Content-Disposition": f'attachment; filename="{sha256}.jpg"',
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    @post(
        "/v1/erasures",
        status_code=202,
        opt=described(body=ErasureRequest, answers={202: ErasureAnswer}, errors=(404, 409, 413, 415)),
    )
    async def erase(request: HttpRequest) -> ErasureAnswer:
        """Ask that what was recorded of one unit be forgotten: photos and records; hashes stay."""
        caller = service.caller(request)
        caller.require_role(_ADMIN)
        asked = await read_json(request, ErasureRequest, _BODY_CAP)
        who = caller.person or ""
        return await service.write(
            eraser.request, caller.site_id, asked.unit_id, asked.reason, who, service.clock.now()
        )

    @get("/v1/erasures", opt=described(answers={200: ErasuresAnswer}))
    async def erasures(request: HttpRequest) -> ErasuresAnswer:
        """What was erased, and what is still to be."""
        caller = service.caller(request)
        caller.require_role(_ADMIN, _AUDITOR)
        return await service.read(eraser.listed, caller.site_id)

    @put("/v1/holds/{unit_id:str}", opt=described(body=HoldRequest, answers={200: HoldAnswer}, errors=(404, 413, 415)))
    async def hold(request: HttpRequest) -> HoldAnswer:
        """Keep the evidence of a unit for a claim."""
        caller = service.caller(request)
        caller.require_role(_ADMIN, _LEAD)
        asked = await read_json(request, HoldRequest, _BODY_CAP)
        unit_id: str = request.path_params["unit_id"]
        await service.read(eraser.check_merchant, caller.site_id, unit_id, caller.merchant)
        return await service.write(
            eraser.hold, caller.site_id, unit_id, asked.reason, caller.person or "", asked.until, service.clock.now()
        )

    @delete("/v1/holds/{unit_id:str}", status_code=200, opt=described(answers={200: HoldAnswer}, errors=(404,)))
    async def lift(request: HttpRequest) -> HoldAnswer:
        """The claim is settled."""
        caller = service.caller(request)
        caller.require_role(_ADMIN, _LEAD)
        unit_id: str = request.path_params["unit_id"]
        await service.read(eraser.check_merchant, caller.site_id, unit_id, caller.merchant)
        return await service.write(eraser.lift, caller.site_id, unit_id)

    return [live, ready, metrics, openapi, photo, erase, erasures, hold, lift]


@cache
def _document(app: Litestar) -> bytes:
    return msgspec.json.encode(document(app))

"""How a bench joins and changes its key, and how IT lets benches in and out."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from station.people.person import Role
from sync.protocol import (
    CodeAnswer,
    CodeRequest,
    EnrolAnswer,
    EnrolRequest,
    RotateAnswer,
    RotateRequest,
    StationsAnswer,
)
from sync.server.errors import ApiError
from sync.server.operations.openapi import described
from sync.server.routes.bodies import read_json
from sync.server.service import HttpRequest, Service

_BODY_CAP = 16 * 1024


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of the door."""
    register = service.access.register

    @post(
        "/v1/enrol", status_code=200,
        opt=described(body=EnrolRequest, answers={200: EnrolAnswer}, errors=(413, 415, 422, 429)),
    )  # fmt: skip
    async def enrol(request: HttpRequest) -> EnrolAnswer:
        service.check_version(request)
        asked = await read_json(request, EnrolRequest, _BODY_CAP)
        source = request.client.host if request.client else ""
        done = await service.write(register.enrol, asked.code, asked.public_key, source, asked.station)
        return EnrolAnswer(
            done.station, done.site_id, register.server_id, service.database.epoch, service.access.server_key,
            service.now_text(),
        )  # fmt: skip

    @post(
        "/v1/station/key", status_code=200,
        opt=described(body=RotateRequest, answers={200: RotateAnswer}, errors=(413, 415, 422)),
    )  # fmt: skip
    async def rotate(request: HttpRequest) -> RotateAnswer:
        caller = service.caller(request)
        if not caller.is_proven or caller.station is None:
            raise ApiError(403, "not_enrolled", "only an enrolled bench has a key to change", "enrol it with a code")
        asked = await read_json(request, RotateRequest, _BODY_CAP)
        key = await service.write(
            register.rotate, caller.site_id, caller.station, asked.public_key, asked.endorsement, asked.possession
        )
        return RotateAnswer(caller.station, key)

    @get("/v1/stations")
    async def stations(request: HttpRequest) -> StationsAnswer:
        caller = service.caller(request)
        caller.require_role(Role.ADMIN, Role.LEAD)
        return StationsAnswer(await service.read(register.summaries, caller.site_id))

    @post(
        "/v1/stations/{station:str}/codes", status_code=201,
        opt=described(body=CodeRequest, answers={201: CodeAnswer}, errors=(413, 415)),
    )  # fmt: skip
    async def code(request: HttpRequest) -> CodeAnswer:
        caller = service.caller(request)
        caller.require_role(Role.ADMIN)
        asked = await read_json(request, CodeRequest, _BODY_CAP)
        name: str = request.path_params["station"]
        made = await service.write(register.open_code, caller.site_id, name, caller.person or "", asked.minutes)
        return CodeAnswer(made.station, made.code, made.expires_at.isoformat().replace("+00:00", "Z"))

    @post("/v1/stations/{station:str}/revoke", status_code=204)
    async def revoke(request: HttpRequest) -> Response[None]:
        caller = service.caller(request)
        caller.require_role(Role.ADMIN)
        name: str = request.path_params["station"]
        await service.write(register.revoke, caller.site_id, name, caller.person or "")
        return Response(None, status_code=204)

    @post("/v1/stations/{station:str}/restore", status_code=204)
    async def restore(request: HttpRequest) -> Response[None]:
        caller = service.caller(request)
        caller.require_role(Role.ADMIN)
        name: str = request.path_params["station"]
        await service.write(register.restore, caller.site_id, name, caller.person or "")
        return Response(None, status_code=204)

    return [enrol, rotate, stations, code, revoke, restore]

"""Endpoints for deliveries, as administrators manage them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, TypeVar

from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler

from station.errors import InvalidInput, OperatorError
from sync.protocol.downstream import (
    AlertList,
    DeliveryList,
    Endpoint,
    EndpointChange,
    EndpointList,
    EndpointSecret,
    NewEndpoint,
    Replay,
    Replayed,
)
from sync.server.auth import Caller
from sync.server.downstream.endpoints import NotThere
from sync.server.downstream.events import TYPES
from sync.server.downstream.outbox import DELIVERED, FAILED, PENDING
from sync.server.errors import ApiError
from sync.server.routes.bodies import read_json
from sync.server.service import HttpRequest, Service

_BODY_BYTES: Final = 64 * 1024
_STATES: Final = (PENDING, DELIVERED, FAILED)
_PAGE: Final = 200
_ADMIN: Final = "admin"
_T = TypeVar("_T")


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of endpoints, deliveries and alerts. All of them need an administrator."""
    endpoints = service.downstream.endpoints

    def admin(request: HttpRequest) -> Caller:
        caller = service.caller(request)
        caller.require_role(_ADMIN)
        return caller

    @get("/v1/endpoints")
    async def every(request: HttpRequest) -> EndpointList:
        caller = admin(request)
        return EndpointList(await service.read(endpoints.all, caller.site_id), dict(TYPES))

    @post("/v1/endpoints", status_code=201)
    async def create(request: HttpRequest) -> EndpointSecret:
        caller = admin(request)
        wanted = await read_json(request, NewEndpoint, _BODY_BYTES)
        return await _answered(service.write(endpoints.create, caller.site_id, wanted, service.clock.now()))

    @patch("/v1/endpoints/{endpoint_id:str}")
    async def change(request: HttpRequest) -> Endpoint:
        caller = admin(request)
        wanted = await read_json(request, EndpointChange, _BODY_BYTES)
        there = _there(request)
        return await _answered(service.write(endpoints.change, caller.site_id, there, wanted, service.clock.now()))

    @delete("/v1/endpoints/{endpoint_id:str}", status_code=204)
    async def remove(request: HttpRequest) -> None:
        caller = admin(request)
        await _answered(service.write(endpoints.delete, caller.site_id, _there(request)))

    @post("/v1/endpoints/{endpoint_id:str}/secret", status_code=200)
    async def rotate(request: HttpRequest) -> EndpointSecret:
        caller = admin(request)
        return await _answered(service.write(endpoints.rotate, caller.site_id, _there(request), service.clock.now()))

    @get("/v1/endpoints/{endpoint_id:str}/deliveries")
    async def deliveries(request: HttpRequest) -> DeliveryList:
        caller = admin(request)
        state: str | None = request.query_params.get("state")
        if state is not None and state not in _STATES:
            raise ApiError(400, "state", f"state={state!r}", f"one of {', '.join(_STATES)}, or none for all")
        found = service.read(endpoints.deliveries, caller.site_id, _there(request), state, _PAGE)
        return DeliveryList(await _answered(found))

    @post("/v1/endpoints/{endpoint_id:str}/replay", status_code=200)
    async def replay(request: HttpRequest) -> Replayed:
        caller = admin(request)
        wanted = await read_json(request, Replay, _BODY_BYTES)
        there = _there(request)
        return await _answered(service.write(endpoints.replay, caller.site_id, there, wanted, service.clock.now()))

    @get("/v1/downstream/alerts")
    async def alerts(request: HttpRequest) -> AlertList:
        caller = admin(request)
        return AlertList(await service.read(endpoints.alerts, caller.site_id))

    return [every, create, change, remove, rotate, deliveries, replay, alerts]


def _there(request: HttpRequest) -> str:
    found: str = request.path_params["endpoint_id"]
    return found


async def _answered(result: Awaitable[_T]) -> _T:
    try:
        return await result
    except NotThere as error:
        raise ApiError(404, "endpoint", str(error), "GET /v1/endpoints lists them") from error
    except InvalidInput as error:
        raise ApiError(422, "invalid_endpoint", str(error), "see sync/protocol/downstream.py") from error
    except OperatorError as error:
        raise ApiError(409, "endpoint", str(error), "see the message") from error

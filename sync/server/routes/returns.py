"""Returns from shops and portals, merchants, catalogues."""

from __future__ import annotations

from typing import Final

from litestar import Response, get, post, put
from litestar.handlers import HTTPRouteHandler

from station.canonical import canonical_json
from station.returns.authorising import Answer
from station.returns.model import CatalogueItem, Merchant
from sync.protocol import (
    KEY_HEADER,
    MerchantBody,
    ReturnAnswer,
    ReturnDecision,
    ReturnList,
    ReturnRequest,
    Uploaded,
)
from sync.server.auth import SERVICE, Caller
from sync.server.errors import ApiError
from sync.server.returns.register import WITHDRAWN
from sync.server.routes.bodies import chunks_of, decode, read_capped, read_json, unpack
from sync.server.service import HttpRequest, Service
from sync.server.units.rights import LEAD, require

_PAGE: Final = 200
_BODY: Final = 512 * 1024
_ARTICLES: Final = 5_000
_STATES: Final = (*(answer.value for answer in Answer), WITHDRAWN)


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of returns and what they need."""

    async def seen(caller: Caller, return_id: str) -> ReturnAnswer:
        found = await service.read(service.returns.get, caller.site_id, return_id, caller.merchant)
        if found is None:
            raise ApiError(404, "return", f"no return {return_id[:64]!r}", "check the id")
        return found

    @post("/v1/returns", status_code=201)
    async def ask(request: HttpRequest) -> Response[bytes]:
        caller = service.caller(request)
        await service.read(require, service.database, caller, SERVICE, LEAD)
        key: str = request.headers.get(KEY_HEADER, "")
        if not 1 <= len(key) <= 200 or not key.isascii() or not key.isprintable():
            raise ApiError(
                400, "key", f"{KEY_HEADER}: {key[:80]!r}",
                "send 1 to 200 printable ASCII characters, another one for every new request",
            )  # fmt: skip
        body = await read_capped(chunks_of(request), request.content_length, _BODY)
        plain = unpack(body, request.headers.get("content-encoding", "").lower(), _BODY)
        asked = decode(ReturnRequest, plain)
        _only_own(caller, asked.merchant_id)
        canonical_json(asked)  # what one of the databases could not store is refused before anything is written
        replied = await service.write(service.returns.ask, caller.site_id, asked, key, plain, service.clock.now())
        return Response(replied.body, status_code=replied.status, media_type="application/json")

    @get("/v1/returns")
    async def listed(request: HttpRequest) -> ReturnList:
        caller = service.caller(request)
        await service.read(require, service.database, caller, SERVICE, LEAD)
        state: str | None = request.query_params.get("state")
        if state is not None and state not in _STATES:
            raise ApiError(400, "state", f"no state {state!r}", f"there are: {', '.join(_STATES)}")
        limit: str = request.query_params.get("limit", str(_PAGE))
        if not limit.isdecimal() or not 1 <= int(limit) <= _PAGE:
            raise ApiError(400, "limit", f"limit={limit!r}", f"ask for 1 to {_PAGE} returns")
        after: str | None = request.query_params.get("after")
        return await service.read(service.returns.list, caller.site_id, state, after, int(limit), caller.merchant)

    @get("/v1/returns/{return_id:str}")
    async def one(request: HttpRequest) -> ReturnAnswer:
        caller = service.caller(request)
        await service.read(require, service.database, caller, SERVICE, LEAD)
        return_id: str = request.path_params["return_id"]
        return await seen(caller, return_id)

    @post("/v1/returns/{return_id:str}/decision", status_code=200)
    async def decide(request: HttpRequest) -> ReturnAnswer:
        caller = service.caller(request)
        actor = await service.read(require, service.database, caller, LEAD)
        asked = await read_json(request, ReturnDecision, _BODY)
        if not asked.reason.strip():
            raise ApiError(400, "reason", "the reason is empty", "say why, in your own words")
        return_id: str = request.path_params["return_id"]
        await seen(caller, return_id)
        return await service.write(service.returns.decide, caller.site_id, return_id, asked, actor, service.clock.now())

    @put("/v1/merchants/{merchant_id:str}", status_code=200)
    async def merchant(request: HttpRequest) -> Uploaded:
        caller = service.caller(request)
        await service.read(require, service.database, caller, SERVICE, LEAD)
        body = await read_json(request, MerchantBody, _BODY)
        if body.id != request.path_params["merchant_id"]:
            raise ApiError(400, "id", f"the body is about {body.id!r}", "the same id in path and body")
        _only_own(caller, body.id)
        made = Merchant(body.id, body.name, body.policy, body.grading_scheme, body.currency)
        return await service.write(service.masters.put_merchant, caller.site_id, made, service.clock.now())

    @post("/v1/catalogue", status_code=200)
    async def catalogue(request: HttpRequest) -> Uploaded:
        caller = service.caller(request)
        await service.read(require, service.database, caller, SERVICE, LEAD)
        body = await read_capped(chunks_of(request), request.content_length, service.limits.body_bytes)
        encoding = request.headers.get("content-encoding", "").lower()
        items = decode(list[CatalogueItem], unpack(body, encoding, service.limits.body_bytes))
        if len(items) > _ARTICLES:
            raise ApiError(413, "too_many", f"{len(items)} articles", f"send {_ARTICLES} at most, then the next ones")
        for item in items:
            _check(item)
            _only_own(caller, item.merchant_id)
        return await service.write(service.masters.put_articles, caller.site_id, items, service.clock.now())

    return [ask, listed, one, decide, merchant, catalogue]


def _only_own(caller: Caller, merchant_id: str) -> None:
    """Another merchant is as unknown to who is limited to one as if it did not exist."""
    if caller.merchant not in (None, merchant_id):
        raise ApiError(422, "unknown_merchant", f"no merchant {merchant_id[:64]!r}", "name your own")


def _check(item: CatalogueItem) -> None:
    if not item.sku or not item.merchant_id or not item.title:
        raise ApiError(400, "article", f"article {item.sku!r} of {item.merchant_id!r}", "sku, merchant and title")
    if any(len(gtin) != 14 or not (gtin.isascii() and gtin.isdigit()) for gtin in item.gtins):
        raise ApiError(400, "gtin", f"article {item.sku!r}: {item.gtins!r}", "GTINs as 14 digits")
    for mass in (item.mass_mg, item.mass_tolerance_mg):
        if mass is not None and mass < 0:
            raise ApiError(400, "mass", f"article {item.sku!r}: {mass}", "milligrams, not negative")
    if item.price is not None and item.price.minor < 0:
        raise ApiError(400, "price", f"article {item.sku!r}: {item.price.minor}", "minor units, not negative")

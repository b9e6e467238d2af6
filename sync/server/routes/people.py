"""IT adds, changes and disables people; benches fetch what they need to know them."""

from __future__ import annotations

import msgspec
from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from station.people import Role
from station.people.person import Id
from sync.protocol.people import (
    AuthorityFlags,
    BadgeAnswer,
    PasswordRequest,
    PeopleAnswer,
    PersonAnswer,
    PersonRequest,
    PinRequest,
    SiteKeyAnswer,
)
from sync.server.auth import Caller
from sync.server.errors import ApiError
from sync.server.operations.openapi import Parameter, described
from sync.server.people.authority import list_flags
from sync.server.routes.bodies import read_json
from sync.server.service import HttpRequest, Service

_BODY = 4096
_PAGE = 200


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of people."""
    register = service.people.register

    def admin(request: HttpRequest) -> tuple[Caller, str]:
        """Who asks (IT of this site), and about whom."""
        caller = service.caller(request)
        caller.require_role(Role.ADMIN)
        if caller.merchant is not None:
            raise ApiError(403, "role", "this account sees one merchant only", "ask IT of the site")
        return caller, _id(request.path_params.get("person", "x"))

    @get("/v1/people")
    async def everybody(request: HttpRequest) -> PeopleAnswer:
        caller = service.caller(request)
        caller.require_role(Role.ADMIN, Role.AUDITOR)
        return PeopleAnswer(await service.read(register.everybody, caller.site_id))

    @get("/v1/people/{person:str}")
    async def one(request: HttpRequest) -> PersonAnswer:
        caller, person = admin(request)
        return await service.read(register.person, caller.site_id, person)

    @put("/v1/people/{person:str}", status_code=200)
    async def change(request: HttpRequest) -> Response[PersonAnswer]:
        caller, person = admin(request)
        wanted = await read_json(request, PersonRequest, _BODY)
        is_new = await service.write(register.put, caller.site_id, person, wanted, by=_by(caller))
        found = await service.read(register.person, caller.site_id, person)
        return Response(found, status_code=201 if is_new else 200)

    @put("/v1/people/{person:str}/roles/{role:str}", status_code=204)
    async def give(request: HttpRequest) -> None:
        caller, person = admin(request)
        await service.write(register.give, caller.site_id, person, _role(request), by=_by(caller))

    @delete("/v1/people/{person:str}/roles/{role:str}", status_code=204)
    async def end(request: HttpRequest) -> None:
        caller, person = admin(request)
        await service.write(register.end, caller.site_id, person, _role(request), by=_by(caller))

    @post("/v1/people/{person:str}/disable", status_code=204)
    async def disable(request: HttpRequest) -> None:
        caller, person = admin(request)
        await service.write(register.set_active, caller.site_id, person, False, by=_by(caller))

    @post("/v1/people/{person:str}/enable", status_code=204)
    async def enable(request: HttpRequest) -> None:
        caller, person = admin(request)
        await service.write(register.set_active, caller.site_id, person, True, by=_by(caller))

    @post("/v1/people/{person:str}/badge", status_code=201)
    async def badge(request: HttpRequest) -> BadgeAnswer:
        caller, person = admin(request)
        return BadgeAnswer(await service.write(register.issue_badge, caller.site_id, person, by=_by(caller)))

    @put("/v1/people/{person:str}/pin", status_code=204)
    async def pin(request: HttpRequest) -> None:
        caller, person = admin(request)
        asked = await read_json(request, PinRequest, _BODY)
        await service.read(register.set_pin, caller.site_id, person, asked.pin, by=_by(caller))

    @put("/v1/people/{person:str}/password", status_code=204)
    async def password(request: HttpRequest) -> None:
        caller, person = admin(request)
        asked = await read_json(request, PasswordRequest, _BODY)
        await service.read(register.set_password, caller.site_id, person, asked.password, by=_by(caller))

    @get(
        "/v1/authority-flags",
        opt=described(
            summary="Records whose actor might not do that then, the newest first.",
            answers={200: AuthorityFlags},
            query=[
                Parameter("after", {"type": "string"}, "From the page before."),
                Parameter("limit", {"type": "integer", "minimum": 1, "maximum": _PAGE}, "Most flags in the page."),
            ],
        ),
    )
    async def flags(request: HttpRequest) -> AuthorityFlags:
        caller = service.caller(request)
        caller.require_role(Role.LEAD, Role.ADMIN, Role.AUDITOR)
        limit: str = request.query_params.get("limit", str(_PAGE))
        if not (limit.isascii() and limit.isdecimal()) or not 1 <= int(limit[:6]) <= _PAGE:
            raise ApiError(400, "limit", f"limit={limit[:20]!r}", f"ask for 1 to {_PAGE} flags")
        after: str | None = request.query_params.get("after")
        if after is not None and ("\x00" in after or len(after) > 64):
            raise ApiError(400, "after", f"after={after[:80]!r}", "send what the page before gave")
        return await service.read(list_flags, service.database, caller.site_id, after, int(limit))

    @get("/v1/site-key")
    async def site_key(request: HttpRequest) -> SiteKeyAnswer:
        caller = service.caller(request)
        caller.require_station()
        return SiteKeyAnswer(register.site_key(caller.site_id))

    return [everybody, one, change, give, end, disable, enable, badge, pin, password, flags, site_key]


def _id(text: str) -> str:
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError as error:
        raise ApiError(
            404, "person", f"{text[:80]!r} is no person's id", "letters, digits, '.', '_' and '-', 64 at most"
        ) from error


def _role(request: HttpRequest) -> Role:
    text: str = request.path_params["role"]
    try:
        return Role(text)
    except ValueError as error:
        raise ApiError(404, "role", f"no role {text[:80]!r}", f"there are: {', '.join(Role)}") from error


def _by(caller: Caller) -> str:
    return caller.person or "service"

"""Leads and IT sign in and out."""

from __future__ import annotations

from datetime import timedelta
from html import escape

from litestar import Response, delete, get, post, put
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler

from sync.protocol.people import SESSION_COOKIE, NewPassword, SessionAnswer, SignInRequest
from sync.server.auth import Unauthorised
from sync.server.errors import ApiError
from sync.server.people.oidc import BROWSER_COOKIE, OidcSignIn
from sync.server.people.sessions import ABSOLUTE, IDLE, Session, session_token
from sync.server.people.sign_in import refused
from sync.server.routes.bodies import read_json
from sync.server.service import HttpRequest, Service

_BODY = 4096
"""Bytes of a request about a session."""


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of sessions."""
    people = service.people

    @post("/v1/session", status_code=201)
    async def sign_in(request: HttpRequest) -> Response[SessionAnswer]:
        asked = await read_json(request, SignInRequest, _BODY)
        tried = await service.write(people.sign_in.begin, asked.site, asked.login, address_of(request))
        right = await people.hasher.verify_soon(tried.password, asked.password)
        found = await service.write(people.sign_in.finish, tried, right, asked.password, session_token(request.headers))
        return _with_cookie(found, 201)

    @get("/v1/session")
    async def who(request: HttpRequest) -> SessionAnswer:
        service.caller(request)
        return _answer(await service.read(people.sessions.find, _token(request)))

    @post("/v1/session/renew", status_code=201)
    async def renew(request: HttpRequest) -> Response[SessionAnswer]:
        service.caller(request)
        return _with_cookie(await service.write(people.sessions.renew, _token(request)), 201)

    @delete("/v1/session", status_code=204)
    async def sign_out(request: HttpRequest) -> Response[None]:
        await service.write(people.sessions.end, _token(request))
        return Response(None, status_code=204, cookies=[_gone(SESSION_COOKIE)])

    @delete("/v1/sessions", status_code=204)
    async def sign_out_everywhere(request: HttpRequest) -> Response[None]:
        service.caller(request)
        found = await service.read(people.sessions.find, _token(request))
        await service.write(people.sessions.end_everywhere, found.site_id, found.person)
        return Response(None, status_code=204, cookies=[_gone(SESSION_COOKIE)])

    @put("/v1/session/password", status_code=204)
    async def change_password(request: HttpRequest) -> Response[None]:
        service.caller(request)
        found = await service.read(people.sessions.find, _token(request))
        asked = await read_json(request, NewPassword, _BODY)
        person = await service.read(people.register.person, found.site_id, found.person)
        if person.login is None:
            raise refused()
        tried = await service.write(people.sign_in.begin, found.site_id, person.login, address_of(request))
        if not await people.hasher.verify_soon(tried.password, asked.old):
            raise refused()
        set_password = people.register.set_password
        await service.read(set_password, found.site_id, found.person, asked.new, by=found.person)
        return Response(None, status_code=204, cookies=[_gone(SESSION_COOKIE)])

    @get("/v1/session/oidc", status_code=302)
    async def begin_oidc(request: HttpRequest) -> Response[None]:
        begun = await service.read(_configured(people.oidc).begin, address_of(request))
        # Lax, because it has to come along when the provider sends the browser back; it opens nothing by itself
        cookie = Cookie(
            BROWSER_COOKIE, value=begun.browser, path="/", secure=True, httponly=True, samesite="lax", max_age=600
        )
        return Response(None, status_code=302, headers={"Location": begun.url}, cookies=[cookie])

    @get("/v1/session/oidc/callback", status_code=200)
    async def end_oidc(request: HttpRequest) -> Response[bytes]:
        oidc = _configured(people.oidc)
        state, code = (request.query_params.get(name, "")[:2048] for name in ("state", "code"))
        browser = request.cookies.get(BROWSER_COOKIE, "")
        found = await service.read(
            oidc.finish, state, code, browser, address_of(request), session_token(request.headers)
        )  # fmt: skip
        # A page and no redirect: browsers leave strict cookies out of what another site's redirect leads to.
        page = f'<!doctype html><meta http-equiv="refresh" content="0; url=/"><p>{escape(found.name)}: signed in.'
        answer = Response(page.encode(), status_code=200, media_type="text/html; charset=utf-8")
        answer.cookies.extend([_cookie(found.token), _gone(BROWSER_COOKIE)])
        return answer

    return [sign_in, who, renew, sign_out, sign_out_everywhere, change_password, begin_oidc, end_oidc]


def _token(request: HttpRequest) -> str:
    token = session_token(request.headers)
    if not token:
        raise Unauthorised("you are not signed in: sign in first")
    return token


def address_of(request: HttpRequest) -> str:
    return request.client.host if request.client is not None else ""


def _configured(oidc: OidcSignIn | None) -> OidcSignIn:
    if oidc is None:
        raise ApiError(404, "no_oidc", "this server has no company sign-in", "sign in by name and password")
    return oidc


def _answer(found: Session) -> SessionAnswer:
    return SessionAnswer(
        found.person, found.name, found.site_id, sorted(found.roles), found.csrf, found.ends_at,
        round(IDLE.total_seconds()),
    )  # fmt: skip


def _with_cookie(found: Session, status: int) -> Response[SessionAnswer]:
    return Response(_answer(found), status_code=status, cookies=[_cookie(found.token)])


def _cookie(token: str) -> Cookie:
    return Cookie(
        SESSION_COOKIE, value=token, path="/", secure=True, httponly=True, samesite="strict",
        max_age=round(ABSOLUTE / timedelta(seconds=1)),
    )  # fmt: skip


def _gone(name: str) -> Cookie:
    return Cookie(name, value="", path="/", secure=True, httponly=True, samesite="strict", max_age=0)

"""Figures and the lead's queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Concatenate, Final, ParamSpec, TypeVar

from litestar import get
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import Connection

from station.errors import InvalidInput
from station.people import Role
from sync.protocol import FiguresAnswer, FiguresIndex, QueueKind, QueuePage, UnitsPage
from sync.server.auth import Caller, CallerKind
from sync.server.errors import ApiError
from sync.server.figures import listing, views
from sync.server.figures.definitions import REVIEW
from sync.server.service import HttpRequest, Service

_T = TypeVar("_T")
_P = ParamSpec("_P")
_READERS: Final = (Role.LEAD, Role.ADMIN, Role.AUDITOR)
_WORDS: Final = frozenset({"from", "to", "by", "after", "limit", "about", "kind", "sort", "text"})
"""Parameters that are no filters."""


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of figures and queue."""

    def question_of(request: HttpRequest, caller: Caller) -> views.Question:
        given = request.query_params
        until = _day("to", given["to"]) if "to" in given else service.clock.now().date()
        since = _day("from", given["from"]) if "from" in given else until
        return views.Question(
            request.path_params["view"], since, until, _plain("by", given.get("by", "total")), _filters(request, caller)
        )

    @get("/v1/figures")
    async def figures(request: HttpRequest) -> FiguresIndex:
        _reader(service, request)
        return views.index()

    @get("/v1/figures/{view:str}")
    async def figure(request: HttpRequest) -> FiguresAnswer:
        caller = _reader(service, request)
        question = question_of(request, caller)
        if caller.merchant is not None and question.view == REVIEW:
            raise ApiError(403, "other_merchants", "the review is about all merchants", "ask for another view")
        return await service.read(_read, service, views.answer, caller.site_id, question)

    @get("/v1/figures/{view:str}/units")
    async def behind(request: HttpRequest) -> UnitsPage:
        caller = _reader(service, request)
        question, given = question_of(request, caller), request.query_params
        return await service.read(
            _read, service, listing.units, caller.site_id, question, given.get("about"), given.get("after"),
            _limit(request),
        )  # fmt: skip

    @get("/v1/queue")
    async def queue(request: HttpRequest) -> QueuePage:
        caller, given = _reader(service, request), request.query_params
        question = listing.QueueQuestion(
            _kind(given.get("kind", QueueKind.SECOND_LOOK.value)),
            _filters(request, caller),
            _plain("text", given.get("text", "")),
            given.get("sort", "since"),
            given.get("after"),
            _limit(request),
        )
        return await service.read(_read, service, listing.queue, caller.site_id, question)

    return [figures, figure, behind, queue]


def _reader(service: Service, request: HttpRequest) -> Caller:
    """Who may see figures: leads, IT, other programs, and the trial's shared token. A bench's own key may not."""
    caller = service.caller(request)
    if caller.kind is CallerKind.PERSON:
        caller.require_role(*_READERS)
    elif caller.is_proven:
        raise ApiError(403, "role", "a bench does not read figures", "sign in as a lead")
    return caller


def _read(
    service: Service, read: Callable[Concatenate[Connection, str, _P], _T], site_id: str, *args: _P.args,
    **kwargs: _P.kwargs,
) -> _T:  # fmt: skip
    with service.database.reading() as connection:
        return read(connection, site_id, *args, **kwargs)


def _filters(request: HttpRequest, caller: Caller) -> dict[str, str]:
    found = {
        name: _plain(name, value) for name, value in request.query_params.items() if name not in _WORDS
    }  # fmt: skip
    if caller.merchant is not None:
        if found.get("merchant", caller.merchant) != caller.merchant:
            raise ApiError(403, "other_merchants", f"no rights for {found['merchant']!r}", "ask for your own goods")
        found["merchant"] = caller.merchant
    return found


def _plain(name: str, value: str) -> str:
    if "\x00" in value or len(value) > 200 or not value.isprintable():
        raise InvalidInput(f"{name}={value[:50]!r}: expected up to 200 printable characters")
    return value


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{name}={text!r}: expected a day, e.g. 2026-11-23") from error


def _kind(text: str) -> QueueKind:
    try:
        return QueueKind(text)
    except ValueError as error:
        raise InvalidInput(f"kind={text!r}: expected one of {', '.join(QueueKind)}") from error


def _limit(request: HttpRequest) -> int:
    text: str = request.query_params.get("limit", "100")
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= listing.LARGEST_PAGE:
        raise InvalidInput(f"limit={text!r}: expected 1 to {listing.LARGEST_PAGE}")
    return int(text)

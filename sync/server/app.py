"""The application: all routes over one service, and what an error looks like from outside."""

from __future__ import annotations

import logging
from typing import Any, cast

from litestar import Litestar, Request, Response
from litestar.datastructures import ResponseHeader
from litestar.exceptions import HTTPException
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,
)

from station.errors import EnvironmentFault, InvalidInput, OperatorError, StoreFault
from sync.protocol import ErrorAnswer, ErrorBody
from sync.server.auth import Unauthorised
from sync.server.errors import ApiError
from sync.server.rights import put_rights
from sync.server.routes import access, bench, downstream, feed, figures, operations, people, returns, sessions, units
from sync.server.service import Service

logger = logging.getLogger(__name__)

_NO_STORE = "no-store"
_OF_THE_CONTENT = (DataError, IntegrityError, ProgrammingError, NotSupportedError)
"""What the database refuses now it will refuse for ever. "Come again later" would stop that bench's line at this
record; as an error of ours it makes the bench look for the bad one and send the others."""


def build_app(service: Service) -> Litestar:
    """Put the handlers over a service. The app closes it when it ends."""
    app = Litestar(
        route_handlers=[
            *access.routes(service),
            *bench.routes(service),
            *feed.routes(service),
            *returns.routes(service),
            *units.routes(service),
            *figures.routes(service),
            *downstream.routes(service),
            *operations.routes(service),
            *people.routes(service),
            *sessions.routes(service),
        ],
        before_request=service.identify,
        on_shutdown=[service.close],
        exception_handlers={Exception: _answer_error},
        response_headers=[ResponseHeader(name="Cache-Control", value=_NO_STORE)],
        request_max_body_size=max(service.limits.body_bytes, service.limits.photo_bytes) + 1,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    put_rights(app)
    return app


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
        return ApiError(400, "invalid", str(error), "see sync/protocol")
    if isinstance(error, OperatorError):
        return ApiError(409, "not_now", str(error), "see the message")
    if isinstance(error, StoreFault):
        return ApiError(507, "storage", str(error), "free space on the server; the bench keeps its copy")
    if isinstance(error, EnvironmentFault):
        return ApiError(503, "elsewhere", str(error), "try again later, or ask IT", {"Retry-After": "5"})
    if isinstance(error, (DBAPIError, TimeoutError)) and not isinstance(error, _OF_THE_CONTENT):
        logger.warning("database: %s", getattr(error, "orig", error))
        return ApiError(503, "database", "the database does not take it now", "try again later", {"Retry-After": "5"})
    if isinstance(error, HTTPException):
        return ApiError(
            error.status_code, "http", error.detail, "see sync/protocol", cast("dict[str, str]", error.headers)
        )
    return ApiError(500, "defect", "an error in the server; nothing of this request was kept", "see the server's log")

"""What holds for every route there is and will be, around the application.

Methods that nothing here answers, requests that a browser was tricked into, bodies that never end, text that a database
refuses, answers without their headers, and errors that would show a traceback: none of it reaches a handler or a
client. No database is asked.
Source: OWASP ASVS 5.0, 3.4.x (headers), 3.5.x (forged requests), 4.1.x, 16.5.x; RFC 9110 §9.3.8 (TRACE).
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final, TypeAlias, cast

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from sync.protocol import ErrorAnswer, ErrorBody
from sync.protocol.people import CSRF_HEADER
from sync.server.people.audit import Event, note
from sync.server.people.sessions import csrf_of, session_token

logger = logging.getLogger(__name__)

Scope: TypeAlias = MutableMapping[str, Any]  # ASGI's own shapes, at the edge of the framework
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is answered now; also in its answer, as ``X-Request-Id``."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEADERS: Final = {
    b"cache-control": b"no-store",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b"x-frame-options": b"DENY",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}
"""Put into every answer that does not say otherwise."""
_HSTS: Final = b"max-age=31536000; includeSubDomains"
_LONGEST_HEAD: Final = 16 * 1024
"""The parser limits a head that is not complete yet; one that came in a single packet it takes whole."""
_LONGEST_ADDRESS: Final = 4 * 1024
HEADERS_S: Final = 20.0
"""For the head of a request to arrive."""
CHUNK_S: Final = 20.0
"""For each piece of a body."""
SLOWEST: Final = 500
"""Bytes per second that a body comes with on average, at the least; a bench behind a bad line has a thousand."""


class Guarded:
    """The application behind its guards."""

    def __init__(self, app: object, chunk_s: float = CHUNK_S) -> None:
        """
        Args:
            app: an ASGI application, typed by whichever framework.
        """
        self._app = cast("ASGIApp", app)
        self._chunk_s = chunk_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _text_headers(scope)
        given = headers.get("x-request-id", "")
        name = given if _ID.fullmatch(given) else secrets.token_hex(8)
        mark = request_id.set(name)
        answer = _Answer(send, name, is_https=scope["scheme"] == "https")
        try:
            refusal = _refusal(scope, headers)
            if refusal is not None:
                await answer.refuse(*refusal)
                return
            await self._app(scope, _Patience(receive, self._chunk_s).receive, answer.send)
        except Exception:
            logger.exception("a request failed outside every handler", extra={"request": name})
            if answer.has_begun:
                raise  # half an answer is out: only closing the connection tells the client
            await answer.refuse(500, "defect", "an error in the server", "see the server's log")
        finally:
            request_id.reset(mark)


def _refusal(scope: Scope, headers: dict[str, str]) -> tuple[int, str, str, str] | None:
    method = scope["method"]
    if sum(len(name) + len(value) for name, value in scope["headers"]) > _LONGEST_HEAD:
        return 431, "head", f"the headers are longer than {_LONGEST_HEAD} bytes", "send fewer or shorter ones"
    if len(scope["raw_path"]) + len(scope["query_string"]) > _LONGEST_ADDRESS:
        return 414, "address", f"the address is longer than {_LONGEST_ADDRESS} bytes", "send a shorter one"
    if method not in _METHODS:
        return 405, "method", f"the method {method[:20]!r} is not answered here", "see /v1/openapi.json"
    if "\x00" in scope["path"] or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
        return 400, "nul", "the address contains NUL", "leave it out"
    if method in _SAFE:
        return None
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return _forged(scope, headers, "another site")
    token = session_token(headers)
    # signing in needs none: whoever signs in has none yet, and what it carries ends by it
    if token and (method, scope["path"]) != ("POST", "/v1/session"):
        sent = headers.get(CSRF_HEADER.lower(), "")
        if not hmac.compare_digest(sent.encode(), csrf_of(token).encode()):
            return _forged(scope, headers, "no token")
    return None


def _forged(scope: Scope, headers: dict[str, str], why: str) -> tuple[int, str, str, str]:
    client = scope["client"]
    note(Event.FORGED_REQUEST, "", why=why, method=scope["method"], address=client[0] if client else "")
    return 403, "forged", f"the header {CSRF_HEADER} is missing or wrong", "send the csrf of GET /v1/session back in it"


def _text_headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in scope["headers"]:
        name = key.decode("latin-1").lower()
        text = value.decode("latin-1")
        # several cookie headers are one (RFC 9113 §8.2.3); of the others the first counts
        found[name] = f"{found[name]}; {text}" if name == "cookie" and name in found else found.get(name, text)
    return found


class _Answer:
    """Adds the headers, and knows whether something went out."""

    def __init__(self, send: Send, name: str, *, is_https: bool) -> None:
        self._send = send
        self._name = name.encode()
        self._is_https = is_https
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = list(message["headers"])
            there = {key.lower() for key, _ in headers}
            headers += [(key, value) for key, value in _HEADERS.items() if key not in there]
            if self._is_https and b"strict-transport-security" not in there:
                headers.append((b"strict-transport-security", _HSTS))
            headers.append((b"x-request-id", self._name))
            message["headers"] = headers
        await self._send(message)

    async def refuse(self, status: int, code: str, text: str, advice: str) -> None:
        body = msgspec.json.encode(ErrorAnswer(ErrorBody(code, text, advice)))
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if status == 405:
            head.append((b"allow", ", ".join(sorted(_METHODS)).encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": head})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


class _Patience:
    """Waits for a body, but not for ever: who is too slow is treated as gone."""

    def __init__(self, receive: Receive, chunk_s: float) -> None:
        self._receive = receive
        self._chunk_s = chunk_s
        self._size = 0
        self._waited = 0.0
        self._is_over = False

    async def receive(self) -> Message:
        if self._is_over:
            return await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._chunk_s):
                message = await self._receive()
        except TimeoutError:
            return self._gone()
        self._waited += loop.time() - began
        if message["type"] != "http.request":
            self._is_over = True
            return message
        self._size += len(message["body"])
        self._is_over = not message["more_body"]
        if not self._is_over and self._waited > self._chunk_s and self._size < SLOWEST * self._waited:
            return self._gone()
        return message

    def _gone(self) -> Message:
        self._is_over = True
        logger.info("a body came too slowly", extra={"bytes": self._size, "request": request_id.get()})
        return {"type": "http.disconnect"}


class PatientH11(H11Protocol):
    """uvicorn's protocol with an end to waiting for the head of a request, the first one or any later."""

    headers_s = HEADERS_S
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(self.headers_s, self._close_slow)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()  # the beginning of the next head may be here already

    def _watch(self) -> None:
        is_cut = self.conn.their_state is h11.IDLE and self.conn.trailing_data[0] != b""
        if not is_cut:
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.headers_s, self._close_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()

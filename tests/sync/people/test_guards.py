"""What holds around every route: methods, headers, slow and hostile clients, errors without a traceback."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
from typing import Any

import httpx
import pytest

from station.people import Role
from sync.server import guards
from sync.server.guards import Guarded, PatientH11
from tests.sync.people.conftest import MakeServer
from tests.sync.people.material import PeopleServer


def raw(server: PeopleServer, data: bytes) -> bytes:
    """Everything the server says to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(data)
        said = b""
        while chunk := connection.recv(65536):
            said += chunk
        return said


@pytest.mark.parametrize("path", ["/v1/health", "/v1/session", "/v1/nothing", "/v1/people", "/"])
def test_every_answer_has_its_headers(server: PeopleServer, path: str) -> None:
    answer = server.ask("GET", path)
    for name, value in (("cache-control", "no-store"), ("x-content-type-options", "nosniff"),
                        ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")):  # fmt: skip
        assert answer.headers.get_list(name) == [value]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers, "over plain http it means nothing"
    https = server.ask("GET", path, headers={"X-Forwarded-Proto": "https", "X-Request-Id": "proxy-17-abcdef"})
    assert "max-age=31536000" in https.headers["strict-transport-security"]
    assert https.headers["x-request-id"] == "proxy-17-abcdef"
    assert server.ask("GET", path, headers={"X-Request-Id": "<script>"}).headers["x-request-id"] != "<script>"


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "DEBUG", "get", "X" * 30])
def test_methods_that_nothing_here_answers(server: PeopleServer, method: str) -> None:
    said = raw(
        server, f"{method} /v1/health HTTP/1.1\r\nHost: x\r\nCookie: secret=1\r\nConnection: close\r\n\r\n".encode()
    )
    assert said.startswith((b"HTTP/1.1 405", b"HTTP/1.1 400"))
    assert b"secret=1" not in said


@pytest.mark.parametrize(
    "data",
    [
        b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX\x00: a\r\n\r\n",
    ],
    ids=["long header", "long address", "two lengths", "two other lengths", "TLS", "NUL"],
)  # fmt: skip
def test_heads_that_no_client_of_ours_sends_are_refused(
    server: PeopleServer, data: bytes, expected_warnings: Any
) -> None:
    expected_warnings(r"uvicorn\.error: Invalid HTTP request received", required=False)
    expected_warnings(r"uvicorn\.error: Unsupported upgrade", required=False)
    said = raw(server, data)
    assert said == b"" or re.match(rb"HTTP/1.1 (4\d\d)", said)
    assert said.count(b"HTTP/1.1 2") == 0
    assert server.ask("GET", "/v1/health").status_code == 200


@pytest.mark.parametrize("path", ["/v1/people/a%00b", "/v1/feed/returns?after=%00", "/v1/hello?station=a%00b"])
def test_nul_in_an_address_is_refused_at_the_door(server: PeopleServer, path: str) -> None:
    assert server.ask("GET", path).status_code == 400


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"[" * 4000, {}, 400),
        (b'{"login":' * 400, {}, 400),
        (b'{"login": "a", "password": "' + b"x" * 5000 + b'"}', {}, 413),
        (gzip.compress(b'{"login":"' + b"a" * 10_000_000), {"Content-Encoding": "gzip"}, 413),
        (b'{"login": "a", "password": "b", "admin": true}', {}, 400),
        (b'{"login": "\xff", "password": "b"}', {}, 400),
        (b'{"login": "a", "login": "b"', {}, 400),
        (b"", {}, 400),
        (b"<x/>", {"Content-Type": "text/xml"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 415),
    ],
    ids=range(10),
)
def test_bodies_that_are_too_deep_too_large_or_nonsense(
    server: PeopleServer, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = server.ask("POST", "/v1/session", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text
    assert "sync/server" not in answer.text


def test_depth_in_a_push_is_judged_entry_by_entry_and_never_recursed_into(server: PeopleServer) -> None:
    entry = '{"generation":1,"seq":1,"id":"x","payload":' + "[" * 3000 + "]" * 3000 + "}"
    body = '{"station":"bench-1","entries":[' + entry + "]}"
    assert server.ask("POST", "/v1/journal", content=body.encode()).status_code in (200, 400)
    assert server.ask("GET", "/v1/health").status_code == 200


def test_a_head_that_never_ends_is_not_waited_for(server: PeopleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientH11, "headers_s", 0.2)
    for data in (b"", b"GET /v1/health HT", b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/hea"):
        said = raw(server, data)  # returns because the server closes; with the control below it would not
        assert said.count(b"HTTP/1.1 200") == (1 if b"\r\n\r\n" in data else 0)


def test_without_the_guard_such_a_head_keeps_its_connection(
    server: PeopleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(PatientH11, "headers_s", 3600.0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.6) as connection:
        connection.sendall(b"GET /v1/health HT")
        with pytest.raises(TimeoutError):
            connection.recv(10)


def test_a_body_that_never_ends_is_not_waited_for(make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guarded.__init__, "__defaults__", (0.2,))
    server = make_server()
    said = raw(server, b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{")
    assert said.startswith(b"HTTP/1.1 400")
    assert b'"cut"' in said


def test_a_body_that_trickles_is_not_waited_for_either() -> None:
    """Every piece comes in time, and it would still take days."""
    clock = [0.0]

    class Loop(asyncio.SelectorEventLoop):
        def time(self) -> float:
            clock[0] += 1.0
            return clock[0]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def trickle() -> int:
        patience = guards._Patience(receive, 20.0)
        for count in range(1000):
            if (await patience.receive())["type"] == "http.disconnect":
                return count
        return -1

    loop = Loop()
    try:
        assert 0 < loop.run_until_complete(trickle()) < 50
    finally:
        loop.close()


def test_an_error_outside_every_handler_shows_no_traceback(expected_warnings: Any) -> None:
    expected_warnings(r"sync\.server\.guards: a request failed outside every handler")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("with a password in it")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=Guarded(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get("/v1/anything")

    answer = asyncio.run(ask())
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "defect"
    assert "password" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_names_are_escaped_where_html_is_written(server: PeopleServer) -> None:
    """And elsewhere they go out as JSON that no browser takes for a page."""
    server.add("ida", Role.ADMIN)
    ida = server.browser("ida")
    evil = "<script>alert(1)</script>"
    assert ida.ask("PUT", "/v1/people/max", json={"name": evil}).status_code == 201
    answer = ida.ask("GET", "/v1/people/max")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.text)["name"] == evil

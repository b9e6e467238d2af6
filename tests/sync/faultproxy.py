"""A loopback HTTP proxy that does to requests what networks do; seeded, so that a run can be repeated."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum


class Fate(StrEnum):
    OK = "ok"
    REFUSE = "refuse"
    """The line is closed before anything is read."""
    DROP_REQUEST = "drop_request"
    """Read, never forwarded."""
    CUT_REQUEST = "cut_request"
    """Half of it is forwarded."""
    DROP_RESPONSE = "drop_response"
    """Done at the server, but nobody learns it."""
    CUT_RESPONSE = "cut_response"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    """Forwarded twice; the second answer comes back."""
    TRICKLE = "trickle"
    # the server does it, and something on the way answers instead
    PORTAL = "portal"
    """A log-in page with 200."""
    REDIRECT = "redirect"
    GARBAGE = "garbage"
    """200, our content type, bytes that are none of ours."""
    EMPTY_200 = "empty_200"
    OTHER_JSON = "other_json"
    """200, JSON, of another program."""
    HTML_502 = "html_502"
    TOO_MANY = "too_many"
    """429 with Retry-After."""
    PORTAL_BEFORE = "portal_before"
    """A log-in page; the server never hears of it."""


def _said(status: str, content_type: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


_PAGE = b"<!doctype html><title>Welcome to our network</title><form>room, name</form>"
LIES: Mapping[Fate, bytes] = {
    Fate.PORTAL: _said("200 OK", "text/html", _PAGE),
    Fate.PORTAL_BEFORE: _said("200 OK", "text/html", _PAGE),
    Fate.REDIRECT: _said("302 Found", "text/html", b"", "Location: http://192.0.2.1/login"),
    Fate.GARBAGE: _said("200 OK", "application/json", b'{"results":[{"generation":1,"seq":\xff\x00'),
    Fate.EMPTY_200: _said("200 OK", "application/json", b""),
    Fate.OTHER_JSON: _said("200 OK", "application/json", b'{"status":"accepted","ok":true,"results":null}'),
    Fate.HTML_502: _said("502 Bad Gateway", "text/html", b"<h1>502</h1>"),
    Fate.TOO_MANY: _said("429 Too Many Requests", "text/plain", b"slow down", "Retry-After: 1"),
}


STORM: Mapping[Fate, int] = {
    Fate.OK: 6, Fate.REFUSE: 1, Fate.DROP_REQUEST: 1, Fate.CUT_REQUEST: 1, Fate.DROP_RESPONSE: 3,
    Fate.CUT_RESPONSE: 2, Fate.DELAY: 1, Fate.DUPLICATE: 2, Fate.TRICKLE: 1,
}  # fmt: skip


class FaultProxy:
    """Runs on its own thread from ``with`` to its end. ``fates`` may be changed at any time (``heal``)."""

    def __init__(
        self, target_port: int, seed: int, fates: Mapping[Fate, int] = STORM, *, delay_s: float = 0.0,
        bytes_per_s: float | None = None,
    ) -> None:  # fmt: skip
        """
        Args:
            delay_s: half of a round trip, on every request and every answer.
            bytes_per_s: how narrow the line is, in each direction; None = as wide as it is.
        """
        self._delay_s = delay_s
        self._bytes_per_s = bytes_per_s
        self.seen: Counter[Fate] = Counter()
        self._target_port = target_port
        self._rng = random.Random(seed)
        self._fates = dict(fates)
        self._ambushes: dict[bytes, list[Fate]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def heal(self) -> None:
        self.set_fates({Fate.OK: 1})

    def set_fates(self, fates: Mapping[Fate, int]) -> None:
        """From the next request on."""
        self._fates = dict(fates)

    def ambush(self, start: bytes, *fates: Fate) -> None:
        """These come to the next requests that begin so, whatever the dice say: a run has teeth for certain."""
        self._ambushes[start] = list(fates)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", 0), self._loop
        ).result(5)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            with _closing_quietly():
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            if self._draw() is Fate.REFUSE:
                self.seen[Fate.REFUSE] += 1
                return
            request = await _message(reader)
            await self._travel(request)
            waiting = next((fates for start, fates in self._ambushes.items() if request.startswith(start)), [])
            fate = waiting.pop(0) if waiting else self._draw()
            if fate is Fate.REFUSE:
                fate = Fate.DROP_REQUEST  # it is read already
            self.seen[fate] += 1
            if fate is Fate.DROP_REQUEST:
                return
            if fate is Fate.CUT_REQUEST:
                await self._forward(request[: len(request) // 2], read=False)
                return
            if fate is Fate.DELAY:
                await asyncio.sleep(0.05)
            if fate is Fate.PORTAL_BEFORE:
                writer.write(LIES[fate])
                await writer.drain()
                continue
            if fate is Fate.DUPLICATE:
                await self._forward(request)
            answer = await self._forward(request)
            await self._travel(answer)
            answer = LIES.get(fate, answer)
            if fate is Fate.DROP_RESPONSE:
                return
            if fate is Fate.CUT_RESPONSE:
                writer.write(answer[: len(answer) * 2 // 3])
                await writer.drain()
                return
            if fate is Fate.TRICKLE:
                for start in range(0, len(answer), 200):
                    writer.write(answer[start : start + 200])
                    await writer.drain()
                    await asyncio.sleep(0.001)
            else:
                writer.write(answer)
                await writer.drain()

    async def _travel(self, message: bytes) -> None:
        seconds = self._delay_s + (len(message) / self._bytes_per_s if self._bytes_per_s else 0.0)
        if seconds:
            await asyncio.sleep(seconds)

    async def _forward(self, request: bytes, *, read: bool = True) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        try:
            writer.write(request)
            await writer.drain()
            return await _message(reader) if read else b""
        finally:
            with _closing_quietly():
                writer.close()

    def _draw(self) -> Fate:
        return self._rng.choices(list(self._fates), list(self._fates.values()))[0]


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One whole HTTP message; both ends of ours always send Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return head + await reader.readexactly(int(value))
    return head


@contextlib.contextmanager
def _closing_quietly() -> Iterator[None]:
    with contextlib.suppress(OSError, RuntimeError):
        yield

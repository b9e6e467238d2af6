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


STORM: Mapping[Fate, int] = {
    Fate.OK: 6, Fate.REFUSE: 1, Fate.DROP_REQUEST: 1, Fate.CUT_REQUEST: 1, Fate.DROP_RESPONSE: 3,
    Fate.CUT_RESPONSE: 2, Fate.DELAY: 1, Fate.DUPLICATE: 2, Fate.TRICKLE: 1,
}  # fmt: skip


class FaultProxy:
    """Runs on its own thread from ``with`` to its end. ``fates`` may be changed at any time (``heal``)."""

    def __init__(self, target_port: int, seed: int, fates: Mapping[Fate, int] = STORM) -> None:
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
        self._fates = {Fate.OK: 1}

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
            fate = self._draw()
            if fate is Fate.REFUSE:
                self.seen[fate] += 1
                return
            request = await _message(reader)
            waiting = next((fates for start, fates in self._ambushes.items() if request.startswith(start)), [])
            fate = waiting.pop(0) if waiting else fate
            self.seen[fate] += 1
            if fate is Fate.DROP_REQUEST:
                return
            if fate is Fate.CUT_REQUEST:
                await self._forward(request[: len(request) // 2], read=False)
                return
            if fate is Fate.DELAY:
                await asyncio.sleep(0.05)
            if fate is Fate.DUPLICATE:
                await self._forward(request)
            answer = await self._forward(request)
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

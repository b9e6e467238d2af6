"""A server that answers as a function says, and a loop that is stepped by hand against it."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from station.clock import SystemClock
from sync.client.api import HttpApi
from sync.client.decide import Timing
from sync.client.loop import SyncLoop
from sync.client.states import SyncState
from tests.sync.material import (
    SWIFT,
    FileOutbox,
    dice,
)

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}


class ScriptedServer:
    """A real HTTP server that answers as a function says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.held = 0
        self.answer: Callable[[str, str, bytes], Answer] = lambda method, path, body: (500, {}, b"")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                outer.requests.append((self.command, self.path, body))
                status, headers, answer = outer.with_heads(self.path, *outer.answer(self.command, self.path, body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = _do

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def with_heads(self, path: str, status: int, headers: dict[str, str], answer: bytes) -> Answer:
        """What a greeting says of heads fits what was answered before, unless the script says otherwise."""
        try:
            said = json.loads(answer) if status == 200 else None
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, dict) and path == "/v1/journal":
            for one in said.get("results") or []:
                if isinstance(one, dict) and one.get("status") in ("accepted", "duplicate", "quarantined"):
                    self.held = max(self.held, one["seq"])
        elif isinstance(said, dict) and path.startswith("/v1/hello") and said.get("heads") == [] and self.held:
            answer = json.dumps(said | {"heads": [{"generation": 1, "seq": self.held, "hash": None}]}).encode()
        return status, headers, answer

    def pushes(self) -> list[dict]:
        return [json.loads(body) for _, path, body in self.requests if path == "/v1/journal"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def good(method: str, path: str, body: bytes, *, epoch: str = "e1", heads: tuple = ()) -> Answer:
    """What a server that takes everything answers."""
    if path.startswith("/v1/hello"):
        limits = {"batch_entries": 100, "batch_bytes": 524288, "body_bytes": 4194304, "photo_bytes": 8388608,
                  "missing_hashes": 200}  # fmt: skip
        answer: dict = {"limits": limits, "heads": list(heads)}
    elif path == "/v1/journal":
        results = [
            {"generation": e["generation"], "seq": e["seq"], "id": e["id"]}
            | ({"status": "quarantined", "code": "payload_withheld"} if "withheld" in e else {"status": "accepted"})
            for e in json.loads(body)["entries"]
        ]
        answer = {"results": results, "heads": []}
    elif path == "/v1/photos/missing":
        return 200, JSON, json.dumps({"missing": json.loads(body)["hashes"], "held": []}).encode()
    else:
        answer = {"sha256": path.rpartition("/")[2], "size": len(body), "status": "stored"}
    return 200, JSON, json.dumps(answer | {"protocol": 1, "epoch": epoch, "server_time": "x"}).encode()


class Steps:
    """A loop that is made to step on this thread; its waits are jumped over."""

    class Clock(SystemClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    def __init__(self, outbox: FileOutbox, url: str, timing: Timing = SWIFT) -> None:
        self.clock = self.Clock()
        self.api = HttpApi(url, token=None, clock=self.clock)
        self.loop = SyncLoop(outbox, self.api, self.clock, dice(1), timing)
        self.states: list[SyncState] = []
        self.waits: list[float] = []

    def run(self, exchanges: int) -> SyncState:
        """Until so many exchanges were made (or nothing is left for a second)."""
        made = 0

        def should_stop() -> bool:
            return made >= exchanges

        step = self.loop.step

        def counted() -> float:
            nonlocal made
            wait_s = step()
            made += 1
            self.waits.append(wait_s)
            self.clock.ahead += wait_s
            return 0.0

        self.loop.step = counted  # type: ignore[method-assign]
        self.loop.run(should_stop, self.states.append)
        self.loop.step = step  # type: ignore[method-assign]
        return self.states[-1]

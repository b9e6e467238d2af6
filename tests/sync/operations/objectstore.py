"""An S3-compatible object store on loopback: as much of the protocol as photos need, and every way to fail."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Mishap(StrEnum):
    """What becomes of one PUT."""

    ERROR = "error"
    """500, nothing kept."""
    FULL = "full"
    """507, nothing kept."""
    DENIED = "denied"
    HANG = "hang"
    """No answer; nothing kept."""
    CUT = "cut"
    """The connection ends halfway through the body."""
    KEPT_UNSAID = "kept_unsaid"
    """Kept, but the answer is lost."""
    LIE = "lie"
    """Half of the bytes are kept, and 200 is said: the negative control."""


class ObjectStore:
    """Objects in memory behind real HTTP."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts = 0
        self.mishaps: list[Mishap] = []
        """For the next PUTs, one each."""
        self.always: Mishap | None = None
        self.released = threading.Event()
        self.conditional = True
        """Whether it honours ``If-None-Match``."""

    url = ""

    def photos_url(self, bucket: str = "photos", prefix: str = "station") -> str:
        return f"s3://{bucket}/{prefix}?endpoint={self.url}&region=eu-test-1"


def handler_of(store: ObjectStore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in {"ETag": '"x"', "Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            if "Content_Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def error(self, status: int, code: str) -> None:
            self.answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

        @property
        def key(self) -> str:
            return urlsplit(self.path).path

        def do_PUT(self) -> None:
            store.puts += 1
            mishap = store.mishaps.pop(0) if store.mishaps else store.always
            length = int(self.headers["Content-Length"])
            if mishap is Mishap.CUT:
                self.rfile.read(length // 2)
                self.close_connection = True
                self.connection.close()
                return
            body = self.rfile.read(length)
            if mishap is Mishap.HANG:
                store.released.wait(20)
                self.close_connection = True
                return
            if mishap in (Mishap.ERROR, Mishap.FULL, Mishap.DENIED):
                status = {Mishap.ERROR: 500, Mishap.FULL: 507, Mishap.DENIED: 403}[mishap]
                return self.error(status, "InternalError")
            if mishap is Mishap.LIE:
                store.objects[self.key] = body[: length // 2]
                return self.answer(200)
            wanted = self.headers.get("x-amz-checksum-sha256")
            if wanted != base64.b64encode(hashlib.sha256(body).digest()).decode():
                return self.error(400, "BadDigest")
            if store.conditional and self.headers.get("If-None-Match") == "*" and self.key in store.objects:
                return self.error(412, "PreconditionFailed")
            store.objects[self.key] = body
            if mishap is Mishap.KEPT_UNSAID:
                self.close_connection = True
                self.connection.close()
                return None
            return self.answer(200)

        def do_GET(self) -> None:
            content = store.objects.get(self.key)
            if content is None:
                return self.error(404, "NoSuchKey")
            return self.answer(200, content, Content_Length=str(len(content)))

        do_HEAD = do_GET

        def do_DELETE(self) -> None:
            store.objects.pop(self.key, None)
            self.answer(204)

        def do_POST(self) -> None:  # DeleteObjects
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            for part in body.split("<Key>")[1:]:
                store.objects.pop(f"{self.key.rstrip('/')}/{part.partition('</Key>')[0]}", None)
            self.answer(200, b"<DeleteResult><Deleted><Key>x</Key></Deleted></DeleteResult>")

    return Handler


@contextmanager
def running_store() -> Iterator[ObjectStore]:
    store = ObjectStore()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(store))
    server.daemon_threads = True
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield store
    finally:
        store.released.set()
        server.shutdown()
        thread.join()
        server.server_close()

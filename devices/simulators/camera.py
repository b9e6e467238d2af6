"""A bench camera as a process of its own: draws the bench and serves it as MJPEG over HTTP, or writes it as a clip.

What the station sees went through a real JPEG encoder, a real socket and OpenCV's own decoder; nothing in the station
knows that nobody stands there. Control lines make goods appear, turn and vanish, and the camera misbehave.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import cv2

from devices.simulators.director import CAMERA_STEPS, Director
from devices.simulators.scenes import GOODS
from devices.simulators.steps import Step, StepQueue, say, seconds
from station.errors import EnvironmentFault, InvalidInput

if TYPE_CHECKING:
    from devices.camera.model import Image

__all__ = ["CAMERA_STEPS", "PATH", "Live", "serve", "show_reel", "write_clip"]

_QUALITY = 88
PATH = "/live.mjpg"


def _jpeg(image: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], live: Live) -> None:
        self.live = live
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that goes away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Standard output carries the answers only."""

    def do_GET(self) -> None:
        if self.path != PATH:
            self.send_error(404, f"the picture is at {PATH}")
            return
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with contextlib.suppress(OSError):
            for jpeg in self.server.live.frames():
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                self.wfile.write(head + jpeg + b"\r\n")


class Live:
    """The HTTP end: the newest frame for whoever asks, and a plug that can be pulled."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._changed = threading.Condition()
        self._frame = b""
        self._number = 0
        self._plugged = 0
        self._server: _Server | None = None
        self._address = address
        self.plug()

    @property
    def url(self) -> str:
        return f"http://{self._address[0]}:{self._address[1]}{PATH}"

    def plug(self) -> None:
        """Listen, on the same port as before.

        Raises:
            EnvironmentFault: the port is taken.
        """
        try:
            self._server = _Server(self._address, self)
        except OSError as error:
            raise EnvironmentFault(f"cannot listen on {self._address[0]}:{self._address[1]}: {error}") from error
        self._address = (self._address[0], int(self._server.server_address[1]))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="http", daemon=True).start()

    def unplug(self) -> None:
        """Drop every viewer and refuse new ones."""
        with self._changed:
            self._plugged += 1
            self._changed.notify_all()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def show(self, jpeg: bytes) -> None:
        with self._changed:
            self._frame, self._number = jpeg, self._number + 1
            self._changed.notify_all()

    def frames(self) -> Iterator[bytes]:
        """Each new frame, the newest only, until the plug is pulled."""
        with self._changed:
            era, number = self._plugged, self._number - 1
        while True:
            with self._changed:
                # A viewer's socket has no other way to learn that the plug was pulled, so this never waits for ever.
                self._changed.wait_for(lambda n=number: self._number > n or self._plugged != era, 5.0)  # type: ignore[misc]
                if self._plugged != era:
                    return
                jpeg, number = self._frame, self._number
            if jpeg:
                yield jpeg


class _Pace:
    """Waits so that frames leave at the camera's rate."""

    def __init__(self, fps: float) -> None:
        self._period = 1.0 / fps
        self._due = time.monotonic()

    def wait(self) -> None:
        now = time.monotonic()
        self._due = max(self._due + self._period, now - 0.5)
        if self._due > now:
            time.sleep(self._due - now)


def serve(
    out: TextIO, steps: StepQueue, address: tuple[str, int], *, size: tuple[int, int], fps: float, seed: int
) -> None:
    """Run the camera until ``quit``; says ``{"port": URL}`` first, then ``{"done": step}`` after each step.

    Raises:
        EnvironmentFault: the port is taken.
    """
    cv2.setNumThreads(1)
    director = Director(size, fps, seed, _jpeg, live=True)
    live = Live(address)
    live.show(director.still())
    say(out, port=live.url)
    pace = _Pace(fps)
    try:
        while True:
            step = steps.next()
            if step is None:
                live.show(director.still())
                pace.wait()
                continue
            if step["do"] == "quit":
                say(out, done="quit")
                return
            try:
                if step["do"] == "unplug":
                    length_s = seconds(step)
                    live.unplug()
                    time.sleep(length_s)
                    live.plug()
                elif step["do"] == "stall":
                    # Connected, and nothing comes.
                    time.sleep(seconds(step))
                elif step["do"] == "truncate":
                    for frame in director.play({"do": "wait", "seconds": seconds(step)}):
                        live.show(frame[: len(frame) // 2])
                        pace.wait()
                else:
                    for frame in director.play(step):
                        live.show(frame)
                        pace.wait()
                say(out, done=step["do"])
            except InvalidInput as error:
                say(out, error=str(error))
    finally:
        live.unplug()


def write_clip(path: Path, steps: tuple[Step, ...], *, size: tuple[int, int], fps: float, seed: int) -> int:
    """Write the steps as a Motion-JPEG AVI and return its number of frames.

    Raises:
        InvalidInput: a bad step.
        EnvironmentFault: the file cannot be written.
    """
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    if not writer.isOpened():
        raise EnvironmentFault(f"cannot write the clip {str(path)!r}: check the folder, and that the name ends in .avi")
    director = Director(size, fps, seed, lambda image: image)
    count = 0
    try:
        for step in steps:
            if step["do"] in ("quit", "unplug", "stall", "truncate"):
                continue
            for image in director.play(step):
                writer.write(image)
                count += 1
    finally:
        writer.release()
    return count


def show_reel() -> Iterator[Step]:
    """Steps without end for a simulator that nobody scripts: everything the bench knows, one after the other."""
    for seed in itertools.count(1):
        for scene in GOODS:
            yield {"do": "place", "scene": scene, "seed": seed}
            yield {"do": "wait", "seconds": 2}
            yield {"do": "turn", "variant": "label"}
            yield {"do": "wait", "seconds": 2}
            yield {"do": "remove"}
            yield {"do": "wait", "seconds": 1}

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
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TextIO, TypeVar

import cv2
import numpy as np

from devices.simulators.scenes import GOODS, Sprite, Stage, Variant, hand_sprite, sensor_noise
from devices.simulators.steps import Step, StepQueue, say, seconds
from station.errors import EnvironmentFault, InvalidInput

if TYPE_CHECKING:
    from devices.camera.model import Image

CAMERA_STEPS = {
    "place": frozenset({"scene", "variant", "seed", "serial"}),
    "turn": frozenset({"variant", "seed", "serial"}),
    "remove": frozenset[str](),
    "wait": frozenset({"seconds"}),
    "blur": frozenset({"seconds"}),
    "dark": frozenset({"seconds"}),
    "black": frozenset({"seconds"}),
    "freeze": frozenset({"seconds"}),
    "unplug": frozenset({"seconds"}),
    "quit": frozenset[str](),
}
_MOTION_S = 0.55
_NOISES = 6
_SIGMA = 2.6
_QUALITY = 88
PATH = "/live.mjpg"

T = TypeVar("T")


class Director(Generic[T]):
    """Turns steps into frames. Still frames are made once for each of a few noises and then shown again."""

    def __init__(
        self, size: tuple[int, int], fps: float, seed: int, make: Callable[[Image], T], *, live: bool = False
    ) -> None:
        self.fps = fps
        self._live = live
        """Somebody is watching: the picture goes on while the next thing is being drawn."""
        self._stage = Stage(*size)
        self._seed = seed
        self._make = make
        self._noise = [
            np.asarray(np.round(sensor_noise((size[1], size[0]), seed + k, _SIGMA)), np.int16) for k in range(_NOISES)
        ]
        self._count = 0
        self._item: Sprite | None = None
        self._what: tuple[str, int] = ("", seed)
        self._light, self._blur = 1.0, 0.0
        self._still: dict[int, T] = {}
        self._clean: Image | None = None

    def still(self) -> T:
        """The next frame of a bench on which nothing moves."""
        self._count += 1
        index = self._count % _NOISES
        if index not in self._still:
            if self._clean is None:
                self._clean = self._stage.compose(self._item, light=self._light)
            self._still[index] = self._develop(self._clean)
        return self._still[index]

    def play(self, step: Step) -> Iterator[T]:
        """The frames of one step, from its first movement until all is still again.

        Raises:
            InvalidInput: a scene or variant that does not exist.
        """
        match step["do"]:
            case "place":
                yield from self._place(step)
            case "turn":
                yield from self._turn(step)
            case "remove":
                yield from self._leave()
            case "blur":
                yield from self._spell(step, blur=4.0 * self._stage.height / 720)
            case "dark":
                yield from self._spell(step, light=0.2)
            case "black":
                yield from self._spell(step, light=0.0)
            case "freeze":
                frozen = self.still()
                yield from itertools.repeat(frozen, self._frames(seconds(step)))
            case _:
                for _ in range(self._frames(seconds(step))):
                    yield self.still()

    def _frames(self, length_s: float) -> int:
        return max(1, round(length_s * self.fps))

    def _spell(self, step: Step, *, light: float = 1.0, blur: float = 0.0) -> Iterator[T]:
        self._light, self._blur = light, blur
        self._changed()
        for _ in range(self._frames(seconds(step))):
            yield self.still()
        self._light, self._blur = 1.0, 0.0
        self._changed()

    def _changed(self) -> None:
        self._still.clear()
        self._clean = None

    def _read_item(self, step: Step, scene: str) -> tuple[str, Variant, int, str | None]:
        variant, seed, serial = step.get("variant", "front"), step.get("seed", self._what[1]), step.get("serial")
        if scene not in GOODS:
            raise InvalidInput(f"no scene is called {scene!r}; expected one of {', '.join(GOODS)}")
        if variant not in set(Variant):
            raise InvalidInput(f"no variant is called {variant!r}; expected one of {', '.join(Variant)}")
        if not isinstance(seed, int):
            raise InvalidInput(f"seed is {seed!r}, expected a whole number")
        return scene, Variant(str(variant)), seed, None if serial is None else str(serial)

    def _draw(self, scene: str, variant: Variant, seed: int, serial: str | None) -> Generator[T, None, Sprite]:
        """Draw a thing (and the hand that brings it); when live, still frames go on meanwhile."""

        def draw() -> Sprite:
            hand_sprite(self._stage.height)
            return self._stage.item(scene, variant, seed, serial)

        if not self._live:
            return draw()
        with ThreadPoolExecutor(1, "draw") as pool:
            drawing = pool.submit(draw)
            while not drawing.done():
                yield self.still()
            return drawing.result()

    def _place(self, step: Step) -> Iterator[T]:
        scene, variant, seed, serial = self._read_item(step, str(step.get("scene", "")))
        item = yield from self._draw(scene, variant, seed, serial)
        if self._item is not None:
            yield from self._leave()
        count = self._frames(_MOTION_S)
        for k in range(count):
            part = (k + 1) / count
            coming = _ease(min(1.0, part / 0.65))
            leaving = _ease(max(0.0, (part - 0.6) / 0.4))
            yield self._moving(item, drop=1.0 - coming, hand=leaving)
        self._item, self._what = item, (scene, seed)
        self._changed()

    def _turn(self, step: Step) -> Iterator[T]:
        if self._item is None:
            raise InvalidInput('nothing lies there to be turned; {"do": "place", …} comes first')
        scene, variant, seed, serial = self._read_item({"variant": "turned", **step}, self._what[0])
        before = self._item
        after = yield from self._draw(scene, variant, seed, serial)
        count = self._frames(_MOTION_S)
        for k in range(count):
            part = (k + 1) / count
            over = np.cos(np.pi * min(1.0, part / 0.8))
            hand = 0.0 if part < 0.6 else _ease((part - 0.6) / 0.4)
            yield self._moving(before if over > 0 else after, squeeze=abs(float(over)), hand=hand)
        self._item, self._what = after, (scene, seed)
        self._changed()

    def _leave(self) -> Iterator[T]:
        item, self._item = self._item, None
        count = self._frames(_MOTION_S * 0.7)
        for k in range(count if item is not None else 0):
            yield self._moving(item, drop=_ease((k + 1) / count) * 1.1, hand=0.0)
        self._changed()

    def _moving(self, item: Sprite | None, *, drop: float = 0.0, squeeze: float = 1.0, hand: float | None = None) -> T:
        self._count += 1
        image = self._stage.compose(item, drop=drop, squeeze=squeeze, hand=hand, light=self._light)
        return self._develop(image)

    def _develop(self, clean: Image) -> T:
        """Lens and sensor: blur, noise, the final format."""
        image = cv2.GaussianBlur(clean, (0, 0), self._blur) if self._blur else clean
        noisy = np.add(image, self._noise[self._count % _NOISES], dtype=np.int16)
        return self._make(np.asarray(np.clip(noisy, 0 if self._light else 4, 255 if self._light else 7), np.uint8))


def _ease(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part * part * (3 - 2 * part)


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
            if step["do"] in ("quit", "unplug"):
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

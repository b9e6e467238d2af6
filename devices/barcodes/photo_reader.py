"""Reads photos and live pictures on a thread of its own, and says what is in them. It never acts as a scanner.

Price: what is seen is evidence, offered where the bench asks for it (a serial number, a GTIN to compare). A person who
means a code scans it; a code that merely lies in the picture, on the box of another item perhaps, must not do anything.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from devices.barcodes.agree import TwoFrames
from station.clock import Clock, SystemClock
from station.errors import InvalidInput

if TYPE_CHECKING:
    from devices.barcodes.found import Found
    from devices.camera.model import Image

LIVE_EVERY_S = 0.2
"""Live pictures are read at most so often."""
_MAX_WAITING = 16
"""Photos; a bench takes one a second at most."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class SeenInPhoto:
    """Everything that was read in one photo; sent once for each photo, in the order in which they were given."""

    photo: str
    """The name it was given with."""
    found: tuple[Found, ...]
    sure: tuple[Found, ...]
    """Those of ``found`` that a live picture has shown too."""
    taken_at: datetime
    problem: str = ""
    """Why the photo could not be read, in words."""


@dataclass(frozen=True, slots=True)
class SeenLive:
    """Two live pictures in a row show this code; said once while it lies there."""

    found: Found
    at: float
    """Monotonic seconds of the second picture."""


SeenEvent: TypeAlias = SeenInPhoto | SeenLive


@dataclass(frozen=True, slots=True)
class _Photo:
    name: str
    jpeg: bytes
    taken_at: datetime


class PhotoReader:
    """``run`` belongs to one thread; every other method may be called from any thread and returns at once."""

    def __init__(self, *, live_every_s: float = LIVE_EVERY_S, clock: Clock | None = None) -> None:
        """
        Args:
            live_every_s: seconds between two live pictures that are read.
            clock: given by tests.
        """
        self._live_every_s = live_every_s
        self._clock: Clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._photos: deque[_Photo] = deque()
        self._frame: tuple[Image, float] | None = None
        self._next_live = 0.0
        self._restart = False

    def read_photo(self, name: str, jpeg: bytes, taken_at: datetime) -> None:
        """Queue a photo. More than 16 waiting: the oldest one is given up, and said to be."""
        with self._changed:
            self._photos.append(_Photo(name, jpeg, taken_at))
            self._changed.notify_all()

    def offer(self, frame: Image, at: float) -> bool:
        """Show a live picture; it is read if the last one is long enough ago and no photo waits.

        Args:
            frame: ``(h, w, 3) uint8 BGR`` or BGRA that nobody changes any more.
            at: monotonic seconds.

        Returns:
            It was taken. Until it is read, a newer one takes its place.
        """
        with self._changed:
            if at < self._next_live or self._photos:
                return False
            self._next_live = at + self._live_every_s
            self._frame = (frame, at)
            self._changed.notify_all()
            return True

    def restart(self) -> None:
        """Another item lies there: earlier live pictures say nothing about it."""
        with self._changed:
            self._frame = None
            self._restart = True

    def run(self, should_stop: Callable[[], bool], emit: Callable[[SeenEvent], None]) -> None:
        """Read until ``should_stop()``, which is asked at least every 0.1 s between two pictures.

        A picture that cannot be read is told by its event. What still waits at the end is not read.
        """
        rule = TwoFrames()
        while not should_stop():
            work = self._next()
            if work.another_item:
                rule.restart()
            for name, taken_at in work.given_up:
                emit(SeenInPhoto(name, (), (), taken_at, "too many photos were waiting to be read: scan the code"))
            if work.photo is not None:
                emit(_look_at_photo(work.photo, rule))
            elif work.frame is not None:
                image, at = work.frame
                for found in _look_live(image, rule):
                    emit(SeenLive(found, at))

    def _next(self) -> _Work:
        with self._changed:
            if not (self._photos or self._frame or self._restart):
                self._changed.wait(_POLL_S)
            given_up = []
            while len(self._photos) > _MAX_WAITING:
                lost = self._photos.popleft()
                given_up.append((lost.name, lost.taken_at))
            photo = self._photos.popleft() if self._photos else None
            frame = None
            if photo is None:
                frame, self._frame = self._frame, None
            another_item, self._restart = self._restart, False
            return _Work(photo, frame, another_item, given_up)


@dataclass(frozen=True, slots=True)
class _Work:
    photo: _Photo | None
    frame: tuple[Image, float] | None
    another_item: bool
    given_up: list[tuple[str, datetime]]


def _look_at_photo(photo: _Photo, rule: TwoFrames) -> SeenInPhoto:
    from devices.barcodes.files import decode_picture
    from devices.barcodes.read import read_image

    try:
        found = read_image(decode_picture(photo.jpeg, photo.name))
    except InvalidInput as error:
        return SeenInPhoto(photo.name, (), (), photo.taken_at, str(error))
    return SeenInPhoto(photo.name, found, tuple(one for one in found if rule.knows(one)), photo.taken_at)


def _look_live(frame: Image, rule: TwoFrames) -> tuple[Found, ...]:
    from devices.barcodes.read import read_middle

    return rule.look(read_middle(frame))

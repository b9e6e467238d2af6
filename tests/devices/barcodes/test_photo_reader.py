"""Photos and live pictures on the reader's own thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from devices.barcodes.photo_reader import PhotoReader, SeenEvent, SeenInPhoto, SeenLive
from ui.benchmark.barcode_scenes import Scene, Shooting, Wanted, photograph

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
BLANK = np.full((480, 640, 3), 128, np.uint8)


def label(seed: int) -> Scene:
    return photograph((Wanted("Code128", Shooting(module_px=2, tilt_deg=3)),), seed, size=(640, 480))


def jpeg(image: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1])


@dataclass
class Running:
    reader: PhotoReader
    events: queue.SimpleQueue[SeenEvent] = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)

    def next(self) -> SeenEvent:
        return self.events.get(timeout=20)

    def start(self) -> None:
        self.thread = threading.Thread(target=self.reader.run, args=(self.stop.is_set, self.events.put))
        self.thread.start()


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running(PhotoReader(live_every_s=0.2))
    running.start()
    yield running
    running.stop.set()
    running.thread.join(20)
    assert not running.thread.is_alive()


def photo(event: SeenEvent) -> SeenInPhoto:
    assert isinstance(event, SeenInPhoto)
    return event


def test_each_photo_is_answered_once_in_order(running: Running) -> None:
    scenes = [label(1), label(2)]
    running.reader.read_photo("one", jpeg(scenes[0].image), AT)
    running.reader.read_photo("none", jpeg(BLANK), AT)
    running.reader.read_photo("two", jpeg(scenes[1].image), AT)
    events = [photo(running.next()) for _ in range(3)]
    assert [one.photo for one in events] == ["one", "none", "two"]
    texts = [[found.text for found in one.found] for one in events]
    assert texts == [[scenes[0].codes[0].text], [], [scenes[1].codes[0].text]]
    # a photo alone is one look
    assert [one.sure for one in events] == [(), (), ()]
    assert {one.taken_at for one in events} == {AT}


def test_a_broken_photo_is_told_and_the_next_one_is_read(running: Running) -> None:
    scene = label(1)
    running.reader.read_photo("broken", jpeg(scene.image)[:900], AT)
    running.reader.read_photo("whole", jpeg(scene.image), AT)
    broken, whole = photo(running.next()), photo(running.next())
    assert "'broken' is no picture" in broken.problem
    assert broken.found == ()
    assert (len(whole.found), whole.problem) == (1, "")


def test_two_live_pictures_agree_and_so_does_the_photo_behind_them() -> None:
    running = Running(PhotoReader(live_every_s=0.2))
    running.start()
    try:
        scene, other = label(1), label(2)
        text = scene.codes[0].text
        live = cv2.copyMakeBorder(scene.image, 240, 240, 320, 320, cv2.BORDER_CONSTANT, value=(128, 128, 128))
        at = 100.0
        seen: SeenEvent | None = None
        while seen is None and at < 120:
            running.reader.offer(live, at)
            at += 0.2
            try:
                seen = running.events.get(timeout=0.3)
            except queue.Empty:
                continue
        assert isinstance(seen, SeenLive)
        assert seen.found.text == text
        running.reader.read_photo("same", jpeg(scene.image), AT)
        same = running.next()
        assert [one.text for one in photo(same).sure] == [text]
        # the control: another item's label in the photo is not sure
        running.reader.read_photo("other", jpeg(other.image), AT)
        assert photo(running.next()).sure == ()
        running.reader.restart()
        running.reader.read_photo("again", jpeg(scene.image), AT)
        again = photo(running.next())
        assert (len(again.found), again.sure) == (1, ())
    finally:
        running.stop.set()
        running.thread.join(20)


def test_live_pictures_are_taken_five_times_a_second_at_most() -> None:
    reader = PhotoReader(live_every_s=0.2)
    taken = [number for number in range(60) if reader.offer(BLANK, 50 + number / 30)]
    assert len(taken) == 10
    reader.read_photo("waits", b"", AT)
    assert not reader.offer(BLANK, 99.0), "photos come first"


def test_too_many_photos_give_the_oldest_up_and_say_so() -> None:
    running = Running(PhotoReader())
    for number in range(20):
        running.reader.read_photo(str(number), jpeg(BLANK), AT)
    running.start()
    try:
        events = [photo(running.next()) for _ in range(20)]
    finally:
        running.stop.set()
        running.thread.join(20)
    assert [one.photo for one in events] == [str(number) for number in range(20)]
    assert ["too many" in one.problem for one in events] == [True] * 4 + [False] * 16

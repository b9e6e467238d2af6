"""Every camera fault of DEVICES §8.2, on cameras behind an injected opener; the loop under test is the real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from devices.camera.encode import encode_jpeg
from devices.camera.eye import Eye
from devices.camera.fingerprint import SAME_PHOTO_AT_MOST, distance, fingerprint
from devices.camera.frame import Frame
from devices.camera.jpeg import is_whole
from devices.camera.model import CameraSettings, ShotTaken
from devices.camera.requests import Requests
from devices.ports import Light
from tests.devices.camera.machine import FastClock, Machine, Webcam, scene

CLOCK = FastClock(10.0)
"""What lasts 10 s lasts one; limits on the camera's own pace are ten times as wide as a station's."""


def settings(source: str = "0", **changes: Any) -> CameraSettings:
    plain: dict[str, Any] = {"silent_after_s": 10.0, "frozen_after_s": 10.0, "warm_up_s": 0.2, "backend": "v4l2"}
    return CameraSettings(source, width=640, height=360, preview_width=320, preview_height=180, **{**plain, **changes})


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, LEFT01=Webcam())
    yield machine
    machine.let_all_go()


def test_never_opens(machine: Machine, start: Any, expected_warnings: Any) -> None:
    """``VideoCapture()`` of a busy camera may block for ever (opencv#15074)."""
    expected_warnings("no picture for")
    expected_warnings("hangs in its driver")
    machine.hang_in_open = threading.Event()
    camera = start(settings(), FastClock(40.0), machine.hardware)
    assert "no picture for" in camera.wait_light(Light.SILENT).detail
    gone = camera.wait_light(Light.GONE)
    assert "hangs in its driver: unplug it" in gone.detail
    assert len(machine.asked) == 3, "no more threads than that hang beside each other"
    machine.hang_in_open.set()
    camera.wait_light(Light.WORKING)
    late = machine.webcams["LEFT01"].openings[:3]
    assert all(capture.released.wait(10) for capture in late), "what opened too late was released"


def test_opens_in_the_wrong_size(machine: Machine, start: Any, expected_warnings: Any) -> None:
    expected_warnings("delivers 640×360 instead of 1920×1080")
    camera = start(CameraSettings("0", preview_width=320, preview_height=180, backend="v4l2"), CLOCK, machine.hardware)
    camera.wait_until(lambda: camera.frame is not None and bool(camera.frame.notes))
    assert "set a size that it has" in camera.frame.notes[0]
    camera.camera.shoot_now()
    camera.wait_until(lambda: len(camera.shots) == 1)
    assert (camera.shots[0].width, camera.shots[0].height) == (640, 360), "the pictures count, not what get() says"


@pytest.mark.parametrize("fault", ["none", "false", "error"])
def test_returns_true_and_nothing(machine: Machine, start: Any, expected_warnings: Any, fault: str) -> None:
    expected_warnings("stopped sending pictures")
    webcam = machine.webcams["LEFT01"]
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    webcam.fault = fault
    assert "stopped sending pictures: check its cable" in camera.wait_light(Light.GONE).detail
    webcam.fault = ""
    camera.wait_light(Light.WORKING)
    assert webcam.openings[0].released.is_set()


def test_frozen_frame(machine: Machine, start: Any, expected_warnings: Any) -> None:
    expected_warnings("has not changed")
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    machine.webcams["LEFT01"].fault = "frozen"
    machine.webcams["LEFT01"].obeys, machine.webcams["LEFT01"].automatic = True, False
    assert "has not changed" in camera.wait_light(Light.SILENT).detail
    camera.camera.shoot_now()
    machine.webcams["LEFT01"].fault = ""
    camera.wait_light(Light.WORKING)


@pytest.mark.parametrize(("fault", "words"), [("black", "take the cover off"), ("white", "shines into the lens")])
def test_black_frame_and_all_white(
    machine: Machine, start: Any, expected_warnings: Any, fault: str, words: str
) -> None:
    """A saturated sensor delivers equal pictures; the words are about the light, not about a camera that hangs."""
    expected_warnings(words)
    camera = start(settings(frozen_after_s=0.5), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    machine.webcams["LEFT01"].fault = fault
    assert words in camera.wait_light(Light.SILENT).detail
    camera.wait_until(lambda: len(machine.webcams["LEFT01"].openings) > 1)
    machine.webcams["LEFT01"].fault = ""
    camera.wait_light(Light.WORKING)


def test_unplug_in_read(machine: Machine, start: Any, expected_warnings: Any) -> None:
    """The reader hangs in ``read``; the device node is gone, and that is noticed first."""
    expected_warnings("was unplugged")
    webcam = machine.webcams["LEFT01"]
    camera = start(settings(silent_after_s=1000.0), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    webcam.fault = "hang"
    machine.plug()
    assert "was unplugged: plug it in again" in camera.wait_light(Light.GONE).detail
    webcam.fault = ""
    machine.plug("LEFT01")
    camera.wait_light(Light.WORKING)
    assert not webcam.openings[0].released.is_set(), "the first reader still hangs, and nobody waited for it"
    webcam.let_go.set()
    assert webcam.openings[0].released.wait(10)


def test_ten_seconds_stall(machine: Machine, start: Any, expected_warnings: Any) -> None:
    expected_warnings("no picture for")
    webcam = machine.webcams["LEFT01"]
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    webcam.fault = "hang"
    assert "no picture for" in camera.wait_light(Light.SILENT).detail
    camera.camera.shoot_now()
    webcam.fault = ""
    camera.wait_light(Light.WORKING)
    webcam.let_go.set()
    assert webcam.openings[0].released.wait(10)


def test_two_cameras_swapped_order(tmp_path: Path, start: Any, expected_warnings: Any) -> None:
    """By its number the station would photograph with the neighbour's camera after a replug."""
    expected_warnings("was unplugged")
    expected_warnings("is not there", required=False)
    machine = Machine(tmp_path, LEFT01=Webcam(), RIGHT02=Webcam(item=None))
    left = machine.webcams["LEFT01"]
    camera = start(settings("0"), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    machine.plug()
    camera.wait_light(Light.GONE)
    machine.plug("RIGHT02", "LEFT01")
    camera.wait_light(Light.WORKING)
    assert len(left.openings) == 2
    assert machine.webcams["RIGHT02"].openings == []
    assert machine.asked[-1][0] == str(tmp_path / "video1")
    # The negative control: the number that was configured is the other camera now.
    assert machine.found("RIGHT02").index == 0


def test_another_camera_in_its_place_is_not_taken_for_it(tmp_path: Path, start: Any, expected_warnings: Any) -> None:
    expected_warnings("stopped sending pictures")
    expected_warnings("is not there; the one that is plugged in is another")
    machine = Machine(tmp_path, LEFT01=Webcam(), RIGHT02=Webcam())
    machine.plug("LEFT01")
    camera = start(settings("usb:046D:0825:LEFT01"), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    machine.plug("RIGHT02")
    machine.webcams["LEFT01"].fault = "false"
    camera.wait_until(lambda: "is another: usb:046d:0825:RIGHT02" in camera.lights[-1].detail)
    assert machine.webcams["RIGHT02"].openings == []


def test_a_camera_that_is_replugged_while_it_opens_is_opened_again(
    tmp_path: Path, start: Any, expected_warnings: Any
) -> None:
    expected_warnings("was replugged while")
    machine = Machine(tmp_path, LEFT01=Webcam(), RIGHT02=Webcam())
    machine.replug_in_open = ["RIGHT02", "LEFT01"]
    camera = start(settings("usb:046d:0825:LEFT01"), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    wrong = machine.webcams["RIGHT02"].openings
    assert len(wrong) == 1
    assert wrong[0].released.is_set()
    assert len(machine.webcams["LEFT01"].openings) == 1


def broken_at(jpeg: bytes) -> list[int]:
    return [2, 20, len(jpeg) // 4, len(jpeg) // 2, len(jpeg) - 3, len(jpeg) - 2, len(jpeg) - 1]


def test_truncated_jpeg_on_read_back() -> None:
    jpeg, _, _ = encode_jpeg(scene("mug", (640, 360)).astype(np.uint8))
    assert is_whole(jpeg)
    assert not any(is_whole(jpeg[:length]) for length in broken_at(jpeg))
    assert not is_whole(jpeg[:1000] + jpeg[1400:2000]), "a piece is missing"
    assert not is_whole(b"")
    # The negative control: what begins like a JPEG is not one yet.
    assert jpeg[:20].startswith(b"\xff\xd8\xff")


class SetClock:
    """A clock whose wall time can be set while the monotonic time goes on."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.passed = 100.0

    def now(self) -> datetime:
        return self.wall + timedelta(seconds=self.passed - 100.0)

    def monotonic(self) -> float:
        return self.passed


@pytest.mark.parametrize("step", [timedelta(hours=-2), timedelta(days=1)])
def test_clock_change_between_frame_and_save(step: timedelta) -> None:
    clock, requests = SetClock(), Requests((320, 180))
    eye = Eye(settings(), requests, clock)
    requests.press("front", clock.monotonic())
    image = scene("mug", (640, 360)).astype(np.uint8)
    frame = Frame(clock.monotonic(), 1, image, None, (640, 360))
    clock.wall += step
    clock.passed += 0.2
    (shot,) = [event for event in eye.look(frame, fresh=True) if isinstance(event, ShotTaken)]
    assert shot.taken_at == clock.now() - timedelta(seconds=0.2), "by the clock as it is now, never in its future"
    assert shot.taken_at.strftime("%Y:%m:%d %H:%M:%S").encode() in shot.jpeg


def test_the_shot_has_the_fingerprint_of_its_picture(machine: Machine, start: Any) -> None:
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    camera.camera.shoot_now()
    camera.wait_until(lambda: len(camera.shots) == 1)
    shot = camera.shots[0]
    stored = cv2.imdecode(np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert distance(shot.fingerprint, fingerprint(stored)) <= SAME_PHOTO_AT_MOST


def test_two_cameras_at_once_have_nothing_in_common(tmp_path: Path, start: Any) -> None:
    machine = Machine(tmp_path, TOP001=Webcam(item="mug"), SIDE02=Webcam(item="shoe"))
    cameras = [
        start(settings(f"usb:046d:0825:{serial}", name=name), CLOCK, machine.hardware)
        for serial, name in (("TOP001", "camera-1"), ("SIDE02", "camera-2"))
    ]
    for camera in cameras:
        camera.wait_light(Light.WORKING)
    cameras[0].camera.arm("front", needs_change=False, item_is_there=True)
    cameras[1].camera.shoot_now("front")
    for camera in cameras:
        camera.wait_until(lambda camera=camera: len(camera.shots) == 1)
    top, side = cameras[0].shots[0], cameras[1].shots[0]
    assert [(shot.device, shot.shot, shot.automatic) for shot in (top, side)] == [
        ("camera-1", "front", True),
        ("camera-2", "front", False),
    ]
    assert distance(top.fingerprint, side.fingerprint) > 4 * SAME_PHOTO_AT_MOST

"""What a device is told, in which order, per backend; on captures that keep the list of what they were told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest

from devices.camera.controls import KNOBS, Act, Held, Order, carry_out
from devices.camera.model import CameraSettings
from devices.camera.opening import open_source
from station.errors import DeviceFault, InvalidInput
from tests.devices.camera.machine import MJPG, Capture, Machine, Webcam


def opened(tmp_path: Path, backend: str, **webcam: Any) -> Capture:
    machine = Machine(tmp_path, LEFT01=Webcam(**webcam))
    settings = CameraSettings("usb:046d:0825:LEFT01", width=1920, height=1080, fps=30, backend=backend)
    result = open_source(settings, machine.hardware)
    assert result.backend == backend
    assert machine.asked == [(str(tmp_path / "video0"), getattr(cv2, f"CAP_{backend.upper()}"))]
    capture = result.capture
    assert isinstance(capture, Capture)
    return capture


def test_v4l2_is_asked_for_the_format_first_and_for_raw_jpeg_last(tmp_path: Path) -> None:
    capture = opened(tmp_path, "v4l2")
    assert capture.told == [
        ("FOURCC", MJPG),
        ("FRAME_WIDTH", 1920),
        ("FRAME_HEIGHT", 1080),
        ("FPS", 30),
        ("BUFFERSIZE", 1),
        ("CONVERT_RGB", 0),
    ]


def test_v4l2_without_mjpg_keeps_pixels_and_says_that_it_will_be_slow(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam(has_mjpg=False))
    result = open_source(CameraSettings("0", backend="v4l2"), machine.hardware)
    capture = result.capture
    assert isinstance(capture, Capture)
    assert "CONVERT_RGB" not in capture.names()
    assert "uncompressed" in result.notes[0]


def test_directshow_forgets_the_format_and_is_told_again(tmp_path: Path) -> None:
    assert opened(tmp_path, "dshow", forgets_format=True).names() == [
        "FOURCC",
        "FRAME_WIDTH",
        "FRAME_HEIGHT",
        "FPS",
        "FOURCC",
    ]


def test_media_foundation_is_not_asked_for_an_output_format_that_it_refuses(tmp_path: Path) -> None:
    assert opened(tmp_path, "msmf").names() == ["FRAME_WIDTH", "FRAME_HEIGHT", "FPS"]


def test_an_index_is_opened_by_the_path_of_the_camera_that_it_means(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam(), RIGHT02=Webcam())
    result = open_source(CameraSettings("1", backend="v4l2"), machine.hardware)
    assert result.camera == machine.found("RIGHT02")
    assert result.node == tmp_path / "video1"


def test_a_link_to_a_device_is_followed_to_its_camera(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam())
    link = tmp_path / "by-id-camera"
    link.symlink_to(tmp_path / "video0")
    result = open_source(CameraSettings(str(link), backend="v4l2"), machine.hardware)
    assert result.camera == machine.found("LEFT01")


def test_what_cannot_be_opened_is_released_and_said(tmp_path: Path) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam())
    with pytest.raises(DeviceFault, match="close the program that uses it"):
        open_source(CameraSettings("7", backend="v4l2"), machine.hardware)
    with pytest.raises(DeviceFault, match="is another: usb:046d:0825:LEFT01"):
        open_source(CameraSettings("usb:046d:0825:OTHER"), machine.hardware)
    with pytest.raises(InvalidInput, match="is no key"):
        CameraSettings("usb:logitech")


def told(tmp_path: Path, backend: str, order: Order, **webcam: Any) -> tuple[list[tuple[str, float]], Held]:
    capture = opened(tmp_path, backend, **webcam)
    capture.told.clear()
    return capture.told, carry_out(capture, backend, order)


def test_v4l2_exposure_goes_to_automatic_to_manual_and_to_its_value(tmp_path: Path) -> None:
    """3 then 1 then the value (opencv#9738)."""
    calls, held = told(tmp_path, "v4l2", Order(Act.FREEZE), exposure=37.0)
    assert calls == [
        ("AUTO_EXPOSURE", 3),
        ("AUTO_EXPOSURE", 1),
        ("EXPOSURE", 37.0),
        ("AUTOFOCUS", 0),
        ("AUTO_WB", 0),
        ("WB_TEMPERATURE", 4600.0),
    ]
    assert held == Held(exposure=37.0, focus=None, white_balance=4600.0)


def test_media_foundation_makes_a_value_manual_by_setting_it(tmp_path: Path) -> None:
    """``AUTO_EXPOSURE = 0`` would set the exposure to 0 there, which is one second."""
    calls, held = told(tmp_path, "msmf", Order(Act.HOLD, Held(exposure=-6.0, focus=40.0, white_balance=4500.0)))
    assert calls == [("EXPOSURE", -6.0), ("FOCUS", 40.0), ("TEMPERATURE", 4500.0)]
    assert held.focus == 40.0


@pytest.mark.parametrize(
    ("backend", "exposure", "half"), [("v4l2", 60.0, 30.0), ("msmf", -6.0, -7.0), ("dshow", -6.0, -7.0)]
)
def test_half_the_light_is_said_in_the_backends_units(
    tmp_path: Path, backend: str, exposure: float, half: float
) -> None:
    calls, _ = told(tmp_path, backend, Order(Act.EXPOSE, Held(exposure=exposure), 0.5))
    assert ("EXPOSURE", half) in calls


@pytest.mark.parametrize("backend", sorted(KNOBS))
def test_every_property_of_the_table_exists_in_opencv(backend: str) -> None:
    knobs = KNOBS[backend]
    for knob in (knobs.exposure, knobs.focus, knobs.white_balance):
        for name in (knob.value, *(name for name, _ in (*knob.automatic, *knob.manual))):
            assert isinstance(getattr(cv2, name), int), name

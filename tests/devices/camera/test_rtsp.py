"""A camera on the network by RTSP, with OpenCV's own FFmpeg. H.264 and a real camera are not yet checked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pytest

from devices.camera.model import CameraSettings
from devices.ports import Light
from tests.devices.camera.machine import scene
from tests.devices.camera.rtsp import RtspCamera


@lru_cache(maxsize=4)
def jpeg(number: int) -> bytes:
    image = scene("mug", (640, 360)) + np.random.default_rng(number).integers(-4, 5, (360, 640, 3))
    return cv2.imencode(".jpg", np.clip(image, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


@pytest.fixture
def served() -> Iterator[RtspCamera]:
    camera = RtspCamera(lambda number: jpeg(number % 4))
    yield camera
    camera.close()


def test_an_rtsp_camera_is_seen_and_photographed(served: RtspCamera, start: Any, expected_warnings: Any) -> None:
    camera = start(CameraSettings(served.url, preview_width=320, preview_height=180, silent_after_s=5.0))
    camera.wait_light(Light.WORKING)
    setups = [request for request in served.asked if request.startswith("SETUP")]
    assert setups
    assert all("RTP/AVP/TCP" in request for request in setups), "parts of pictures get lost over UDP"
    camera.camera.shoot_now()
    camera.wait_until(lambda: len(camera.shots) == 1)
    shot = cv2.imdecode(np.frombuffer(camera.shots[0].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shot.shape == (360, 640, 3)
    assert float(np.abs(shot.astype(float) - scene("mug", (640, 360))).mean()) < 8.0
    expected_warnings("camera-1 is (gone|silent)")
    served.close()
    camera.wait_until(lambda: camera.lights[-1].light is not Light.WORKING)


def test_negative_control_with_options_of_ones_own_opencv_asks_for_udp() -> None:
    """Whoever sets FFmpeg's options and says nothing of the transport loses OpenCV's own preference for TCP."""
    served = RtspCamera(lambda number: jpeg(0))
    code = "import sys, cv2; cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG, [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 3000])"
    environment = {"PATH": "/usr/bin:/bin", "OPENCV_FFMPEG_CAPTURE_OPTIONS": "fflags;nobuffer"}
    subprocess.run([sys.executable, "-c", code, served.url], env=environment, check=True, timeout=60)
    served.close()
    setups = [request for request in served.asked if request.startswith("SETUP")]
    assert "RTP/AVP/TCP" not in setups[0]


def test_an_rtsp_camera_that_refuses_says_so(start: Any, expected_warnings: Any) -> None:
    expected_warnings("camera-1 is gone")
    refusing = RtspCamera(jpeg, speaks_tcp=False)
    camera = start(CameraSettings(refusing.url))
    assert "does not answer" in camera.wait_light(Light.GONE).detail
    refusing.close()

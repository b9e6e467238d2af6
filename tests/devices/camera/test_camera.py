"""The whole path: a simulated bench, JPEG over a real socket, OpenCV's decoder, the owner thread."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp

from devices.camera.encode import encode_jpeg
from devices.camera.model import CameraSettings
from devices.ports import Light
from station.errors import InvalidInput

ROOT = Path(__file__).resolve().parents[3]


def settings(source: str, **changes: Any) -> CameraSettings:
    return CameraSettings(
        source, preview_width=320, preview_height=320, silent_after_s=1.0, frozen_after_s=0.8, **changes
    )


def decoded(jpeg: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def test_the_preview_is_ready_for_the_screen(bench: Any, start: Any) -> None:
    camera = start(settings(bench.url))
    camera.wait_light(Light.WORKING)
    first = camera.frame
    camera.wait_frames(3)
    assert first is not None
    assert first.preview.shape == (180, 320, 4)
    assert first.preview.dtype == np.uint8
    assert first.preview.flags.c_contiguous
    assert (first.preview[..., 3] == 255).all()
    assert first.preview.base is None or first.preview.base is not camera.frame.preview.base
    assert first.still == 0.0
    assert first.armed is None
    camera.camera.set_preview_size(100, 1000)
    camera.wait_until(lambda: camera.frame.preview.shape == (56, 100, 4))


def test_an_item_is_photographed_by_itself_turned_and_photographed_again(bench: Any, start: Any) -> None:
    camera = start(settings(bench.url))
    camera.wait_until(lambda: camera.frame is not None and camera.frame.quality.good)
    camera.wait_frames(14)
    camera.camera.arm("front", needs_change=False)
    camera.wait_frames(25)
    assert camera.shots == [], "nothing lies there"
    assert "lay the item down" in camera.hints

    bench.do("place", scene="headphones", variant="front", seed=3)
    camera.wait_until(lambda: len(camera.shots) == 1)
    front = camera.shots[0]
    assert (front.shot, front.width, front.height, front.device) == ("front", 640, 360, "camera-1")
    assert front.automatic
    assert front.quality.good
    assert max(camera.rings) == 1.0
    assert decoded(front.jpeg).shape == (360, 640, 3)

    camera.camera.arm("label", needs_change=True)
    camera.wait_frames(25)
    assert len(camera.shots) == 1, "it has not been turned"
    assert "turn the item" in camera.hints
    bench.do("turn", variant="label")
    camera.wait_until(lambda: len(camera.shots) == 2)
    assert camera.shots[1].shot == "label"
    camera.wait_frames(20)
    assert len(camera.shots) == 2, "one shot for one demand"


def test_an_item_that_lay_there_first_is_photographed_once_the_scale_feels_it(bench: Any, start: Any) -> None:
    """The camera comes up late and has never seen the bench empty: it takes the item itself for the empty bench."""
    bench.do("place", scene="kettle", variant="front", seed=3)
    camera = start(settings(bench.url))
    camera.wait_until(lambda: camera.frame is not None and camera.frame.quality.good)
    camera.wait_frames(40)
    camera.camera.arm("front", needs_change=False)
    camera.wait_frames(25)
    assert camera.shots == [], "by the picture alone it cannot know"
    camera.camera.disarm()
    camera.wait_frames(2)
    camera.camera.arm("front", needs_change=False, item_is_there=True)
    camera.wait_until(lambda: len(camera.shots) == 1)
    bench.do("remove")


def test_a_hand_that_passes_does_not_count_as_turning(bench: Any, start: Any) -> None:
    camera = start(settings(bench.url))
    bench.do("place", scene="mug", variant="front", seed=1)
    camera.camera.arm("front", needs_change=False)
    camera.wait_until(lambda: len(camera.shots) == 1)
    camera.camera.arm("back", needs_change=True)
    bench.do("turn", variant="front", seed=1)
    camera.wait_frames(25)
    assert len(camera.shots) == 1
    bench.do("turn", variant="turned", seed=1)
    camera.wait_until(lambda: len(camera.shots) == 2)


def test_blur_and_darkness_wait_and_photo_by_hand_does_not(bench: Any, start: Any) -> None:
    camera = start(settings(bench.url))
    bench.do("place", scene="shoe", seed=2)
    bench.tell("blur", seconds=2)
    camera.wait_until(lambda: camera.frame is not None and "not sharp" in camera.frame.quality.reasons)
    camera.camera.arm("side", needs_change=False)
    camera.wait_until(lambda: "not sharp" in camera.hints)
    camera.camera.shoot_now()
    camera.wait_until(lambda: len(camera.shots) == 1)
    assert not camera.shots[0].automatic
    assert camera.shots[0].shot == "side"
    assert camera.shots[0].quality.reasons == ("not sharp",)
    bench.wait_for("done")

    bench.tell("dark", seconds=1.5)
    camera.camera.arm("sole", needs_change=False)
    camera.wait_until(lambda: "too dark" in camera.hints)
    assert len(camera.shots) == 1
    bench.wait_for("done")
    camera.wait_until(lambda: len(camera.shots) == 2)
    assert camera.shots[1].automatic

    camera.camera.shoot_now()
    camera.wait_until(lambda: len(camera.shots) == 3)
    assert camera.shots[2].shot == "extra"


def test_a_frozen_picture_is_noticed_and_never_photographed(bench: Any, start: Any, expected_warnings: Any) -> None:
    expected_warnings("camera-1 is silent the picture has not changed")
    camera = start(settings(bench.url))
    camera.wait_light(Light.WORKING)
    bench.do("place", scene="kettle", seed=2)
    bench.tell("freeze", seconds=2.5)
    camera.camera.arm("front", needs_change=False)
    seen = camera.wait_light(Light.SILENT)
    assert "has not changed" in seen.detail
    assert camera.shots == []
    camera.camera.shoot_now()
    bench.wait_for("done")
    camera.wait_light(Light.WORKING)
    camera.wait_until(lambda: len(camera.shots) >= 1)


def test_a_pulled_plug_is_noticed_and_the_camera_comes_back(bench: Any, start: Any, expected_warnings: Any) -> None:
    expected_warnings("camera-1 is gone")
    camera = start(settings(bench.url))
    camera.wait_light(Light.WORKING)
    bench.tell("unplug", seconds=1.5)
    gone = camera.wait_light(Light.GONE)
    assert "cable" in gone.detail
    bench.wait_for("done")
    assert camera.wait_light(Light.WORKING).detail == ""
    bench.do("place", scene="book", seed=4)
    camera.camera.arm("cover", needs_change=False)
    camera.wait_until(lambda: len(camera.shots) == 1)


def test_a_covered_lens_is_noticed(bench: Any, start: Any, expected_warnings: Any) -> None:
    expected_warnings("camera-1 is silent the picture is black")
    camera = start(settings(bench.url))
    camera.wait_light(Light.WORKING)
    bench.tell("black", seconds=2)
    assert "black" in camera.wait_light(Light.SILENT).detail
    bench.wait_for("done")
    camera.wait_light(Light.WORKING)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("/nowhere/camera", "is not there"),
        ("63", "cannot be opened"),
        ("http://127.0.0.1:9/live.mjpg", "does not answer"),
        (__file__, "cannot be opened"),
    ],
)
def test_a_camera_that_is_not_there_says_so_in_words(
    source: str, words: str, start: Any, expected_warnings: Any
) -> None:
    expected_warnings("camera-1 is gone")
    camera = start(settings(source))
    assert words in camera.wait_light(Light.GONE).detail
    assert camera.frames == 0


def test_settings_are_checked() -> None:
    with pytest.raises(InvalidInput, match="has no source"):
        CameraSettings(" ")
    with pytest.raises(InvalidInput, match="is not one of"):
        CameraSettings("0", backend="magic")
    with pytest.raises(InvalidInput, match="expected 1 or more"):
        CameraSettings("0", fps=0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that the simulator wrote: an item comes, lies, shows its label."""
    folder = tmp_path_factory.mktemp("clip")
    script = folder / "steps.jsonl"
    script.write_text(
        '{"do": "wait", "seconds": 1}\n'
        "# comments are skipped\n"
        '{"do": "place", "scene": "drill", "variant": "label", "seed": 5, "serial": "TQ5-10293"}\n'
        '{"do": "wait", "seconds": 1.5}\n',
        encoding="utf-8",
    )
    code = "from ui.cli.devices.simulate import simulate_camera as s; s()"
    arguments = ["--script", str(script), "--out", str(folder / "clip.avi"), "--size", "960x540", "--fps", "10"]
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, capture_output=True, timeout=60)
    return folder / "clip.avi"


def test_a_clip_plays_again_and_again_and_its_label_can_be_scanned(clip: Path, start: Any) -> None:
    camera = start(CameraSettings(str(clip), preview_width=640, preview_height=360))
    camera.camera.arm("label", needs_change=True)
    camera.wait_until(lambda: len(camera.shots) == 1)
    symbols = zxingcpp.read_barcodes(decoded(camera.shots[0].jpeg))
    assert [(symbol.text, symbol.symbology_identifier) for symbol in symbols] == [("TQ5-10293", "]C0")]
    camera.wait_frames(45)
    assert [light.light for light in camera.lights] == [Light.WORKING]


def test_a_clip_of_another_codec_plays_too(tmp_path: Path, start: Any) -> None:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 15, (320, 240))
    assert writer.isOpened()
    random = np.random.default_rng(3)
    for _ in range(15):
        writer.write(random.integers(0, 255, (240, 320, 3), np.uint8))
    writer.release()
    camera = start(settings(str(path)))
    camera.wait_frames(25)
    assert camera.frame.preview.shape == (240, 320, 4)


def test_the_environment_is_set_before_opencv_loads() -> None:
    """In a fresh process: importing the camera sets the switches and does not load cv2."""
    code = (
        "import os, sys, devices.camera.camera, devices.camera.model\n"
        "assert 'cv2' not in sys.modules and 'numpy' not in sys.modules\n"
        "assert os.environ['OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT'] == '9'\n"
        "assert os.environ['OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS'] == '0'\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "9"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=60)


def test_a_photograph_keeps_to_its_budget() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (2448, 3264, 3), np.uint8)
    jpeg, width, height = encode_jpeg(noise)
    assert len(jpeg) <= 1_000_000
    assert max(width, height) <= 1920
    assert decoded(jpeg).shape == (height, width, 3)
    assert width / height == pytest.approx(3264 / 2448, rel=0.01)
    # The negative control: at full quality and size it is far over.
    assert cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].size > 3_000_000


def test_arming_from_many_threads_takes_one_shot_each(bench: Any, start: Any) -> None:
    camera = start(settings(bench.url))
    bench.do("place", scene="power_bank", seed=2)

    def press() -> None:
        for _ in range(50):
            camera.camera.arm("front", needs_change=False)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    camera.wait_until(lambda: len(camera.shots) == 1)
    camera.wait_frames(20)
    assert len(camera.shots) == 1
    camera.camera.arm("front", needs_change=False)
    camera.camera.disarm()
    camera.wait_frames(20)
    assert len(camera.shots) == 1

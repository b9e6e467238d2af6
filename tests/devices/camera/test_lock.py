"""Controls are locked, and the pictures say whether it worked: on webcams with automatic loops and on the stream."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from devices.camera.appearance import appearance, compare, hints
from devices.camera.model import Appearance, CameraSettings, ControlVerdict
from devices.ports import Light
from devices.simulators.scenes import Stage, Variant, sensor_noise
from station.errors import InvalidInput
from tests.devices.camera.machine import FastClock, Machine, Webcam

CLOCK = FastClock(10.0)
STAGE = Stage(640, 360)


def picture(item: str | None, seed: int, *, gain: float = 1.0, red: float = 1.0, **place: float) -> np.ndarray:
    clean = STAGE.compose(None if item is None else STAGE.item(item, Variant.FRONT, seed), **place)
    noisy = clean * np.array([gain, gain, gain * red], np.float32) + sensor_noise(clean.shape, seed, 3.0)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def settings(source: str = "usb:046d:0825:LEFT01", **changes: Any) -> CameraSettings:
    return CameraSettings(
        source,
        width=640,
        height=360,
        preview_width=320,
        preview_height=180,
        silent_after_s=40.0,
        frozen_after_s=40.0,
        warm_up_s=0.2,
        backend="v4l2",
        lock=True,
        **changes,
    )


def plain(**changes: Any) -> CameraSettings:
    return replace(settings("0"), lock=False, **changes)


@pytest.mark.parametrize("item", ["kettle", "carton", "t_shirt", "headphones", "mug"])
@pytest.mark.parametrize("hand", [None, 0.3])
def test_goods_and_hands_do_not_change_how_the_bench_looks(item: str, hand: float | None) -> None:
    place = {} if hand is None else {"hand": hand}
    change = compare(appearance(picture(None, 1)), appearance(picture(item, 2, **place)))
    assert change.within(0.05, 0.05)


@pytest.mark.parametrize("gain", [0.6, 0.8, 1.25])
def test_exposure_changes_how_the_bench_looks_whatever_lies_there(gain: float) -> None:
    change = compare(appearance(picture(None, 1)), appearance(picture("kettle", 2, gain=gain)))
    assert change.brightness == pytest.approx(gain, rel=0.06)
    assert (change.red, change.blue) == (pytest.approx(1.0, abs=0.05), pytest.approx(1.0, abs=0.05))


def test_negative_control_the_median_of_the_whole_picture_takes_goods_for_exposure() -> None:
    empty, dark_item = picture(None, 1), picture("kettle", 2)
    moved = abs(np.median(dark_item) / np.median(empty) - 1.0)
    assert moved > abs(compare(appearance(empty), appearance(dark_item)).brightness - 1.0)


def test_white_balance_is_told_from_exposure() -> None:
    change = compare(appearance(picture(None, 1)), appearance(picture("mug", 2, red=1.25)))
    assert change.red == pytest.approx(1.25, rel=0.05)
    assert change.brightness == pytest.approx(1.0, abs=0.05)


def test_a_station_that_has_changed_since_set_up_says_how() -> None:
    reference = appearance(picture(None, 1), 1000)

    def said(sharpness: int = -1, **changes: float) -> tuple[str, ...]:
        return hints(compare(reference, appearance(picture("book", 2, **changes), sharpness)))

    assert said() == ()
    assert said(sharpness=900) == ()
    assert "darker than at set-up (-4" in said(gain=0.6)[0]
    assert "colours differ" in said(red=1.3)[0]
    assert "clean the lens" in said(sharpness=300)[0]


def test_a_reference_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="take the reference anew"):
        compare(Appearance(((1, 2, 3),)), appearance(picture(None, 1)))


def test_locked(tmp_path: Path, start: Any) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam())
    webcam = machine.webcams["LEFT01"]
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_until(lambda: len(camera.verdicts) == 1)
    assert camera.verdicts[0].verdict is ControlVerdict.LOCKED
    assert camera.frame.notes == ()
    assert not webcam.automatic
    held = webcam.exposure
    webcam.item = "carton"
    camera.wait_frames(30)
    assert webcam.exposure == held, "what lies there no longer changes the exposure"


def test_the_camera_ignores_it(tmp_path: Path, start: Any, expected_warnings: Any) -> None:
    """It takes every value, answers every question, and goes on as it likes: only the picture tells."""
    expected_warnings("the camera ignores it")
    machine = Machine(tmp_path, LEFT01=Webcam(obeys=False))
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_until(lambda: len(camera.verdicts) == 1)
    assert camera.verdicts[0].verdict is ControlVerdict.IGNORED
    camera.wait_until(lambda: any("the camera ignores it" in note for note in camera.frame.notes))
    capture = machine.webcams["LEFT01"].openings[0]
    assert ("AUTO_EXPOSURE", 1) in capture.told, "the negative control: it was told, and said yes"


def test_an_exposure_that_the_camera_does_not_tell_truly_is_found_by_the_picture(tmp_path: Path, start: Any) -> None:
    """Many answer with the value last set, not with what the automatic found."""
    machine = Machine(tmp_path, LEFT01=Webcam(exposure_says=250.0))
    webcam = machine.webcams["LEFT01"]
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_until(lambda: len(camera.verdicts) == 1)
    assert camera.verdicts[0].verdict is ControlVerdict.LOCKED
    assert float(np.median(webcam.frame(1)[..., 1])) == pytest.approx(120, rel=0.15)
    assert webcam.exposure < 150


def test_the_same_values_again_after_a_reconnection(tmp_path: Path, start: Any, expected_warnings: Any) -> None:
    expected_warnings("stopped sending")
    machine = Machine(tmp_path, LEFT01=Webcam())
    webcam = machine.webcams["LEFT01"]
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_until(lambda: len(camera.verdicts) == 1)
    held = webcam.exposure
    webcam.fault = "false"
    camera.wait_light(Light.GONE)
    webcam.fault, webcam.automatic, webcam.exposure = "", True, 400.0
    camera.wait_until(lambda: len(camera.verdicts) == 2)
    assert camera.verdicts[1].verdict is ControlVerdict.LOCKED
    assert ("EXPOSURE", held) in webcam.openings[-1].told
    assert webcam.exposure == held


def test_drifted_locked_again(tmp_path: Path, start: Any) -> None:
    """The firmware went back to automatic by itself, and then the lamp changed."""
    machine = Machine(tmp_path, LEFT01=Webcam())
    webcam = machine.webcams["LEFT01"]
    camera = start(settings(), FastClock(12.0), machine.hardware)
    camera.wait_until(lambda: len(camera.verdicts) == 1)
    webcam.lamp = 0.5
    camera.wait_until(lambda: len(camera.verdicts) == 2)
    assert camera.verdicts[1].verdict is ControlVerdict.LOCKED_AGAIN
    assert camera.verdicts[1].detail == "drifted: locked again"
    assert float(np.median(webcam.frame(1)[..., 1])) == pytest.approx(120, rel=0.2)


def test_lock_now(tmp_path: Path, start: Any) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam())
    camera = start(settings(), CLOCK, machine.hardware)
    camera.wait_until(lambda: len(camera.verdicts) == 1)
    camera.camera.lock_now()
    camera.wait_until(lambda: len(camera.verdicts) == 2)
    assert camera.verdicts[1].verdict is ControlVerdict.LOCKED


def test_nothing_is_tried_while_a_shot_is_waited_for(tmp_path: Path, start: Any) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam(item=None))
    webcam = machine.webcams["LEFT01"]
    camera = start(settings(), CLOCK, machine.hardware)
    camera.camera.arm("front", needs_change=True)
    camera.wait_until(lambda: camera.frame is not None and camera.frame.armed == "front")
    camera.wait_frames(40)
    assert camera.verdicts == []
    assert ("AUTO_EXPOSURE", 1) not in webcam.openings[0].told
    camera.camera.disarm()
    camera.wait_until(lambda: len(camera.verdicts) == 1)


def test_without_lock_the_controls_are_left_alone(tmp_path: Path, start: Any) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam())
    camera = start(plain(), CLOCK, machine.hardware)
    camera.wait_frames(20)
    assert not any("AUTO" in name for name in machine.webcams["LEFT01"].openings[0].names())


def test_a_reference_is_taken_and_compared(tmp_path: Path, start: Any) -> None:
    machine = Machine(tmp_path, LEFT01=Webcam(item=None, automatic=False))
    camera = start(plain(), CLOCK, machine.hardware)
    camera.wait_light(Light.WORKING)
    camera.camera.take_reference()
    camera.wait_until(lambda: len(camera.references) == 1)
    camera.stop()
    machine.webcams["LEFT01"].lamp = 0.4
    changed = plain(reference=camera.references[0].appearance)
    later = start(changed, CLOCK, machine.hardware)
    later.wait_until(lambda: later.frame is not None and any("darker than at set-up" in n for n in later.frame.notes))


def test_the_stream_is_watched_for_drift_although_nothing_can_be_set(
    bench: Any, start: Any, expected_warnings: Any
) -> None:
    """An exposure jump of a network camera, through JPEG, socket and decoder."""
    expected_warnings("the light or the camera's exposure has changed")
    stream = CameraSettings(bench.url, preview_width=320, preview_height=180, lock=True, silent_after_s=40.0)
    camera = start(stream, FastClock(3.0))
    camera.wait_until(lambda: camera.frame is not None and camera.frame.quality.good)
    camera.wait_frames(25)
    bench.tell("expose", factor=0.4, seconds=3)
    camera.wait_until(lambda: len(camera.verdicts) == 1)
    assert camera.verdicts[0].verdict is ControlVerdict.DRIFTED
    assert "(-3" in camera.verdicts[0].detail
    bench.wait_for("done")

"""Faults of the picture itself, through the simulated camera: JPEG, socket, decoder."""

from __future__ import annotations

from typing import Any

import pytest

from devices.camera.model import CameraSettings
from devices.ports import Light


def settings(source: str, **changes: Any) -> CameraSettings:
    return CameraSettings(source, preview_width=320, preview_height=320, **{"silent_after_s": 3.0, **changes})


def test_truncated_jpeg(bench: Any, start: Any, expected_warnings: Any) -> None:
    """Broken frames without end are no picture: the camera says so, and comes back by itself."""
    expected_warnings("no picture for|stopped sending")
    camera = start(settings(bench.url, silent_after_s=1.0))
    camera.wait_light(Light.WORKING)
    bench.tell("truncate", seconds=2.5)
    camera.wait_until(lambda: camera.lights[-1].light is not Light.WORKING)
    assert camera.shots == []
    bench.wait_for("done")
    camera.wait_light(Light.WORKING)


@pytest.mark.slow
def test_a_stream_that_stalls(bench: Any, start: Any, expected_warnings: Any) -> None:
    """Connected, and nothing comes."""
    expected_warnings("no picture for|stopped sending")
    camera = start(settings(bench.url, silent_after_s=1.0))
    camera.wait_light(Light.WORKING)
    bench.tell("stall", seconds=2.5)
    camera.wait_until(lambda: camera.lights[-1].light is not Light.WORKING)
    bench.wait_for("done")
    camera.wait_light(Light.WORKING)


@pytest.mark.parametrize("factor", [0.55, pytest.param(1.5, marks=pytest.mark.slow)])
def test_exposure_jump_is_not_an_item_that_was_turned(bench: Any, start: Any, factor: float) -> None:
    camera = start(settings(bench.url))
    bench.do("place", scene="carton", variant="front", seed=3)
    camera.camera.arm("front", needs_change=False, item_is_there=True)
    camera.wait_until(lambda: len(camera.shots) == 1)
    camera.camera.arm("back", needs_change=True, item_is_there=True)
    bench.do("expose", factor=factor, seconds=1.2)
    camera.wait_frames(5)
    assert len(camera.shots) == 1
    assert "turn the item" in camera.hints
    bench.do("turn", variant="turned")
    camera.wait_until(lambda: len(camera.shots) == 2)


def test_very_noisy(bench: Any, start: Any) -> None:
    """σ 25, ten times a healthy sensor: not taken for movement, nor for sharpness; the shot is still taken."""
    camera = start(settings(bench.url))
    bench.do("place", scene="headphones", variant="front", seed=3)
    bench.tell("noise", sigma=25, seconds=3)
    camera.wait_frames(8)
    camera.camera.arm("front", needs_change=False, item_is_there=True)
    camera.wait_until(lambda: len(camera.shots) == 1)
    assert camera.lights[-1].light is Light.WORKING
    bench.wait_for("done")


@pytest.mark.slow
def test_focus_that_hunts_is_waited_for(bench: Any, start: Any) -> None:
    camera = start(settings(bench.url))
    bench.do("place", scene="headphones", variant="front", seed=3)
    bench.tell("hunt", seconds=2.5)
    camera.wait_until(lambda: camera.frame is not None and "not sharp" in camera.frame.quality.reasons)
    camera.camera.arm("front", needs_change=False, item_is_there=True)
    camera.wait_until(lambda: "not sharp" in camera.hints or "hold still" in camera.hints)
    assert camera.shots == []
    bench.wait_for("done")
    camera.wait_until(lambda: len(camera.shots) == 1)
    assert camera.shots[0].quality.good

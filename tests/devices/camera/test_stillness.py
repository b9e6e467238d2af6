"""Movement, presence and change on rendered pictures with sensor noise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.camera.quality import luminance
from devices.camera.shot import AutoShot, Look
from devices.camera.stillness import (
    CHANGED_PERMILLE,
    MOVING_PERMILLE,
    EmptyBench,
    changed,
    moved,
    small_picture,
)
from devices.simulators.scenes import GOODS, Stage, Variant, sensor_noise

STAGE = Stage(640, 360)
SIGMA = 8.0
"""Far more than a healthy sensor has."""


def small(image: np.ndarray, seed: int, light: float = 1.0) -> np.ndarray:
    noisy = np.clip(image * light + sensor_noise(image.shape, seed, SIGMA), 0, 255).astype(np.uint8)
    return small_picture(luminance(noisy))


def item(scene: str | None, variant: str = "front", **place: float) -> np.ndarray:
    return STAGE.compose(None if scene is None else STAGE.item(scene, Variant(variant), 3), **place)


def test_noise_and_flicker_are_not_movement() -> None:
    image = item("headphones")
    for seed, light in enumerate((1.0, 1.04, 0.95, 1.1, 0.9)):
        assert moved(small(image, seed), small(image, seed + 50, light)) < MOVING_PERMILLE


def test_negative_control_the_raw_difference_takes_noise_and_flicker_for_movement() -> None:
    image = item("headphones")
    one, two = small(image, 1), small(image, 2, 1.1)
    assert np.count_nonzero(np.abs(one - two) > 5.0) * 1000 // one.size >= MOVING_PERMILLE


@pytest.mark.parametrize("pixels", [3, 6, 20])
@pytest.mark.parametrize("scene", ["headphones", "carton", "t_shirt", "mug"])
def test_a_small_shift_is_movement(scene: str, pixels: int) -> None:
    before = small(item(scene), 1)
    after = small(item(scene, drop=pixels / 720), 2)
    assert moved(before, after) >= MOVING_PERMILLE


def test_a_hand_at_the_edge_is_movement() -> None:
    assert moved(small(item("phone"), 1), small(item("phone", hand=0.4), 2)) >= MOVING_PERMILLE


@pytest.mark.parametrize("scene", sorted(GOODS))
def test_every_article_is_seen_on_the_bench_and_seen_to_be_turned(scene: str) -> None:
    empty, front = small(item(None), 1), small(item(scene), 2)
    assert changed(empty, front) >= CHANGED_PERMILLE
    assert changed(front, small(item(scene, "label"), 3)) >= CHANGED_PERMILLE
    assert changed(front, small(item(scene), 4)) < CHANGED_PERMILLE


def test_the_empty_bench_is_learned_while_goods_come_and_go() -> None:
    bench = EmptyBench()
    empty = item(None)
    for seed, scene in enumerate(sorted(GOODS)):
        bench.seen_still(small(empty, seed))
        assert not bench.occupied(small(empty, seed + 100))
        for variant in ("front", "label", "front"):
            picture = small(item(scene, variant), seed)
            assert bench.occupied(picture)
            bench.seen_still(picture)
    assert not bench.occupied(small(empty, 999, 1.1))


def test_one_article_turned_again_and_again_does_not_become_the_bench() -> None:
    bench = EmptyBench()
    bench.seen_still(small(item(None), 1))
    for seed in range(3):
        for variant in ("front", "label"):
            bench.seen_still(small(item("shoe", variant), seed))
    assert bench.occupied(small(item("shoe"), 50))
    assert not bench.occupied(small(item(None), 51))


def test_a_station_that_starts_with_an_item_on_the_bench_takes_it_for_one() -> None:
    assert EmptyBench().occupied(small(item("kettle"), 1))
    assert not EmptyBench().occupied(np.full((90, 160), 120, np.float32))


def test_the_bench_may_be_shown() -> None:
    bench = EmptyBench()
    bench.remember(small(item("carton"), 1))
    assert not bench.occupied(small(item("carton"), 2))
    assert bench.occupied(small(item(None), 3))


def look(at: float, **changes: object) -> Look:
    facts: dict[str, object] = {"fresh": True, "moving": False, "occupied": True, "changed": False, "reasons": ()}
    return Look(at, **{**facts, **changes})  # type: ignore[arg-type]


def times(count: int, start: float = 0.0) -> list[float]:
    return [start + 0.05 * k for k in range(count)]


def test_the_ring_closes_in_half_a_second() -> None:
    auto = AutoShot()
    auto.arm(needs_change=False)
    verdicts = [auto.step(look(at)) for at in times(12)]
    assert [verdict.take for verdict in verdicts].index(True) == 10
    assert verdicts[10].still == 1.0
    rising = [verdict.still for verdict in verdicts[:11]]
    assert rising == sorted(rising)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"moving": True}, "hold still"),
        ({"occupied": False}, "lay the item down"),
        ({"reasons": ("too dark", "not sharp")}, "too dark"),
    ],
)
def test_the_ring_opens_at_once_and_says_why(changes: dict[str, object], hint: str) -> None:
    auto = AutoShot()
    auto.arm(needs_change=False)
    for at in times(8):
        auto.step(look(at))
    bad = auto.step(look(0.4, **changes))
    assert (bad.still, bad.hint, bad.take) == (0.0, hint, False)
    assert not any(auto.step(look(at)).take for at in times(9, 0.45))


def test_a_second_shot_waits_for_the_item_to_be_turned() -> None:
    auto = AutoShot()
    auto.arm(needs_change=True)
    assert {auto.step(look(at)).hint for at in times(60)} == {"turn the item"}
    assert any(auto.step(look(at, changed=True)).take for at in times(12, 5.0))


def test_a_frozen_picture_never_closes_the_ring() -> None:
    auto = AutoShot()
    auto.arm(needs_change=False)
    for at in times(6):
        auto.step(look(at))
    verdicts = [auto.step(look(at, fresh=False)) for at in times(200, 0.3)]
    assert not any(verdict.take for verdict in verdicts)
    assert max(verdict.still for verdict in verdicts) < 1.0


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans()), max_size=120))
def test_no_shot_without_half_a_second_of_all_that_is_asked(steps: list[tuple[bool, bool, bool, bool, bool]]) -> None:
    auto = AutoShot()
    auto.arm(needs_change=True)
    good_since: float | None = None
    for number, (fresh, moving, occupied, differs, clear) in enumerate(steps):
        at = 0.1 * number
        reasons = () if clear else ("glare",)
        good = not moving and occupied and differs and clear
        good_since = (at if good_since is None else good_since) if good else None
        verdict = auto.step(Look(at, fresh, moving, occupied, differs, reasons))
        if verdict.take:
            assert fresh
            assert good_since is not None
            assert at - good_since >= 0.5 - 1e-9
            good_since = None


def test_pictures_of_other_sizes_are_strangers() -> None:
    bench = EmptyBench()
    bench.seen_still(small_picture(np.asarray(cv2.resize(luminance(item(None)), (640, 480)))))
    assert bench.occupied(small(item(None), 1))

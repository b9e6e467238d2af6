"""Figures of pictures, judged on pictures that were really blurred, darkened, compressed and made noisy."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pytest

from devices.camera.model import Gate
from devices.camera.quality import exposure, half_size, is_black, is_white, judge, luminance, sharpness
from devices.simulators.scenes import GOODS, Variant, render_scene, sensor_noise

GATE = Gate()


@lru_cache(maxsize=16)
def scene(name: str, variant: str = "front", size: tuple[int, int] = (1280, 720)) -> np.ndarray:
    return render_scene(name, Variant(variant), seed=3, size=size)


def noisy(image: np.ndarray, sigma: float, seed: int = 1) -> np.ndarray:
    return np.clip(image + sensor_noise(image.shape, seed, sigma), 0, 255).astype(np.uint8)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def raw_laplacian(image: np.ndarray) -> float:
    """The usual figure: variance of the Laplacian at full size."""
    return float(cv2.Laplacian(luminance(image), cv2.CV_64F).var())


def figure(image: np.ndarray) -> int:
    return sharpness(half_size(luminance(image)))


SIZES = [(name, (1280, 720)) for name in sorted(GOODS)] + [("kettle", (1920, 1080)), ("t_shirt", (640, 360))]


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_every_article_is_sharp_in_focus_and_not_out_of_it(name: str, size: tuple[int, int]) -> None:
    image = scene(name, size=size)
    sharp = judge(noisy(image, 2.6), GATE)
    assert sharp.reasons == ()
    soft = judge(noisy(blurred(image, 2.5), 2.6), GATE)
    assert soft.reasons == ("not sharp",)
    assert soft.sharpness * 3 < sharp.sharpness


@pytest.mark.parametrize("variant", list(Variant))
@pytest.mark.parametrize("name", ["headphones", "mug"])
def test_every_variant_is_good_enough_for_the_record(name: str, variant: Variant) -> None:
    assert judge(noisy(scene(name, variant, (640, 360)), 2.6), GATE).reasons == ()


@pytest.mark.parametrize("name", ["headphones", "t_shirt", "carton", "kettle"])
def test_noise_does_not_pass_for_detail(name: str) -> None:
    """σ 2 blur under strong sensor noise. The negative control: the usual figure takes it for sharper than sharp."""
    image = scene(name, size=(1920, 1080))
    bad = noisy(blurred(image, 2.0), 8.0)
    assert raw_laplacian(bad) > raw_laplacian(image)
    assert "not sharp" in judge(bad, GATE).reasons
    assert judge(noisy(image, 8.0), GATE).reasons == ()


def test_dark_but_sharp_is_judged_sharp_and_dark() -> None:
    """The negative control: the usual figure takes it for blurred."""
    image = noisy(scene("headphones"), 1.5)
    dark = (image * 0.25).astype(np.uint8)
    assert raw_laplacian(dark) < raw_laplacian(image) / 10
    quality = judge(dark, GATE)
    assert quality.sharpness > 0.5 * judge(image, GATE).sharpness
    assert quality.reasons == ("too dark",)


def test_motion_blur_is_refused() -> None:
    kernel = np.zeros((1, 17), np.float32)
    kernel[0] = 1 / 17
    smeared = cv2.filter2D(cv2.filter2D(scene("shoe"), -1, kernel), -1, kernel.T)
    assert "not sharp" in judge(noisy(smeared, 2.6), GATE).reasons


@pytest.mark.parametrize("level", [40, 120, 230])
def test_a_picture_without_texture_cannot_be_judged(level: int) -> None:
    flat = np.full((720, 1280, 3), level, np.uint8)
    assert figure(flat) == -1
    assert figure(noisy(flat, 6.0)) == -1
    assert "no texture, cannot judge" in judge(noisy(flat, 6.0), GATE).reasons


def test_jpeg_changes_little() -> None:
    image = noisy(scene("drill"), 2.6)
    packed = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1], cv2.IMREAD_COLOR)
    assert figure(packed) == pytest.approx(figure(image), rel=0.25)


def test_exposure_has_its_words() -> None:
    image = scene("mug")
    assert judge((image * 0.2).astype(np.uint8), GATE).reasons == ("too dark",)
    assert "too bright" in judge(np.clip(image * 1.9 + 30, 0, 255).astype(np.uint8), GATE).reasons
    glare = image.copy()
    cv2.circle(glare, (640, 300), 160, (255, 255, 255), -1)
    assert "glare" in judge(noisy(glare, 2.6), GATE).reasons


def test_exposure_counts() -> None:
    picture = np.zeros((10, 100), np.uint8)
    picture[:, 50:] = 100
    picture[:, 90:] = 255
    assert exposure(picture) == (100, 100, 500) or exposure(picture) == (0, 100, 500)
    assert exposure(np.full((4, 4), 77, np.uint8)) == (77, 0, 0)


def test_black_is_a_covered_lens_and_not_a_dark_room() -> None:
    black = np.clip(np.random.default_rng(1).normal(4, 2, (90, 160)), 0, 255).astype(np.uint8)
    assert is_black(black)
    assert not is_black(luminance((scene("phone") * 0.15).astype(np.uint8)))


def test_a_picture_too_small_to_judge_says_so() -> None:
    assert sharpness(np.zeros((40, 40), np.uint8)) == -1


def test_a_reflection_on_the_label_is_seen_although_the_picture_as_a_whole_is_fine() -> None:
    image = noisy(scene("carton", "label", (1920, 1080)), 2.6)
    plain = judge(image, GATE)
    assert plain.glare < 300
    shining = image.copy()
    cv2.circle(shining, (960, 400), 70, (255, 255, 255), -1)
    quality = judge(shining, Gate(max_glare=600))
    assert quality.glare > 900
    assert quality.clipped_high < GATE.max_clipped_high, "the negative control: the share of the whole says nothing"
    assert quality.reasons == ("glare",)
    assert judge(shining, GATE).reasons == (), "off unless the station asks for it"


def test_a_lamp_at_the_rim_of_the_picture_hides_nothing() -> None:
    image = noisy(scene("carton", "label", (1920, 1080)), 2.6)
    cv2.circle(image, (40, 40), 60, (255, 255, 255), -1)
    assert judge(image, GATE).glare < 300


def test_white_is_blown_out_from_corner_to_corner_and_not_a_white_carton() -> None:
    assert is_white(np.full((90, 160), 255, np.uint8))
    assert not is_white(luminance(np.clip(scene("mug") * 1.5, 0, 255).astype(np.uint8)))

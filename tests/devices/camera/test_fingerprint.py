"""The same photo is found again, two photos are not taken for one; the long measurement is in the docstring."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import cv2
import numpy as np
import pytest

from devices.camera.fingerprint import BITS, SAME_PHOTO_AT_MOST, distance, fingerprint
from devices.simulators.scenes import GOODS, Stage, Variant, sensor_noise


@lru_cache(maxsize=1)
def stage() -> Stage:
    return Stage(960, 540)


@lru_cache(maxsize=64)
def photo(scene: str, variant: str, seed: int) -> np.ndarray:
    """One item of an article, put down by hand: not quite where the last one lay."""
    aside = np.random.default_rng(seed + 500).uniform(-0.04, 0.04, 2)
    clean = stage().compose(stage().item(scene, Variant(variant), seed), aside=(float(aside[0]), float(aside[1])))
    return packed(np.clip(clean + sensor_noise(clean.shape, seed, 2.6), 0, 255).astype(np.uint8), 90)


def packed(image: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def usual_hash(image: np.ndarray) -> int:
    """64 bits of the whole picture: what a library would give."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:8, :8].ravel()[1:]
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


SCENES = ["headphones", "carton", "phone"]


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_photo_in_another_file_is_found(scene: str) -> None:
    image = photo(scene, "front", 1)
    original = fingerprint(image)
    half = cv2.resize(image, (480, 270), interpolation=cv2.INTER_AREA)
    noisy = np.clip(image + np.random.default_rng(1).normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    copies = {
        "quality 40": packed(image, 40),
        "half size": packed(half, 80),
        "darker": packed((image * 0.75).astype(np.uint8), 85),
        "noisier": packed(noisy, 85),
        "softer": packed(cv2.GaussianBlur(image, (0, 0), 1.5), 85),
    }
    far = {what: distance(original, fingerprint(copy)) for what, copy in copies.items()}
    assert max(far.values()) <= SAME_PHOTO_AT_MOST, far


@pytest.mark.parametrize("scene", SCENES)
def test_two_items_of_one_article_are_two_photos(scene: str) -> None:
    prints = [fingerprint(photo(scene, "front", seed)) for seed in range(1, 4)]
    assert min(distance(a, b) for a, b in combinations(prints, 2)) > 2 * SAME_PHOTO_AT_MOST


def test_negative_control_the_usual_hash_takes_two_items_for_one_photo() -> None:
    """At the distance that is usually taken, 10 of 64, it accuses honest pairs: bench and framing are the same."""
    honest = [
        distance(usual_hash(photo(scene, "front", a)), usual_hash(photo(scene, "front", b)))
        for scene in SCENES
        for a, b in combinations(range(1, 4), 2)
    ]
    assert sum(1 for far in honest if far <= 10) >= 2


@pytest.mark.slow
def test_few_honest_pairs_are_accused() -> None:
    accused = pairs = 0
    for scene in GOODS:
        for variant in ("front", "label", "turned"):
            prints = [fingerprint(photo(scene, variant, seed)) for seed in range(10, 18)]
            far = [distance(a, b) for a, b in combinations(prints, 2)]
            pairs += len(far)
            accused += sum(1 for one in far if one <= SAME_PHOTO_AT_MOST)
    assert pairs == 924
    assert accused <= 4


def test_size_and_colour_of_the_picture_do_not_matter() -> None:
    image = photo("mug", "front", 1)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    large = cv2.resize(image, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    assert distance(fingerprint(image), fingerprint(grey)) == 0
    assert distance(fingerprint(image), fingerprint(large)) <= SAME_PHOTO_AT_MOST
    assert fingerprint(image) < 2**BITS
    fingerprint(np.zeros((9, 16), np.uint8))


def test_distance_counts_bits() -> None:
    assert distance(0b1011, 0b0001) == 2
    assert distance(0, 2**BITS - 1) == BITS

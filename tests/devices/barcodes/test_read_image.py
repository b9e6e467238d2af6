"""Codes in drawn pictures: at every tilt, small, blurred, several, upside down, and none at all."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from devices.barcodes.found import Found, FoundBy
from devices.barcodes.read import MAX_PIXELS, read_image, read_middle
from devices.barcodes.symbols import ALL
from devices.simulators.scenes import GOODS, Variant, render_scene
from station.errors import InvalidInput
from ui.benchmark import barcodes
from ui.benchmark.barcode_scenes import LINEAR, MATRIX, Printed, Scene, Shooting, Wanted, clutter, photograph

Picture = NDArray[np.uint8]
SMALL = (960, 720)
AIMS = {
    "EAN13": "]E0",
    "UPCA": "]E0",
    "UPCE": "]E0",
    "EAN8": "]E4",
    "Code128": "]C0",
    "Code39": "]A0",
    "ITF": "]I1",
    "DataBarOmni": "]e0",
    "DataBarExp": "]e0",
    "QRCode": "]Q1",
    "DataMatrix": "]d1",
    "PDF417": "]L2",
    "Aztec": "]z0",
}


def zxing_alone(image: Picture) -> set[str]:
    formats = zxingcpp.BarcodeFormats(ALL)
    return {one.text for one in zxingcpp.read_barcodes(image, formats=formats, text_mode=zxingcpp.TextMode.Plain)}


def one_code(symbology: str, shooting: Shooting, seed: int, size: tuple[int, int] = SMALL) -> Scene:
    return photograph((Wanted(symbology, shooting),), seed, size=size)


def texts(found: tuple[Found, ...]) -> set[str]:
    return {one.text for one in found}


def area(corners: tuple[tuple[float, float], ...]) -> float:
    """Positive when the corners go clockwise on the screen."""
    return sum(
        x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True)
    ) / 2  # fmt: skip


def assert_lies_there(found: Found, printed: Printed, slack: float) -> None:
    for seen, drawn in zip(found.corners, printed.corners, strict=True):
        assert math.dist(seen, drawn) <= slack, (found, printed)
    assert area(found.corners) > 0


@pytest.mark.parametrize("symbology", [*LINEAR, *MATRIX])
@pytest.mark.parametrize("tilt", [0, 205])
def test_every_symbology_is_read_with_its_aim_identifier_and_place(symbology: str, tilt: int) -> None:
    scene = one_code(symbology, Shooting(module_px=3.0, tilt_deg=tilt), 11)
    (found,) = read_image(scene.image)
    (printed,) = scene.codes
    assert (found.text, found.aim) == (printed.text, AIMS[symbology])
    assert found.as_scan == (found.aim + found.text).encode()
    # upside down or not, the first corner is where the symbol begins
    assert_lies_there(found, printed, slack=14)


@pytest.mark.parametrize("symbology", ["EAN13", "Code128", "Code39", "ITF", "PDF417"])
def test_bars_are_read_at_every_tilt_and_zxing_alone_does_not(symbology: str) -> None:
    alone = 0
    for tilt in range(0, 360, 30):
        scene = one_code(symbology, Shooting(module_px=2.5, tilt_deg=tilt + 7, lean=0.1), tilt, (800, 600))
        expected = {scene.codes[0].text}
        assert texts(read_image(scene.image)) == expected, tilt
        alone += zxing_alone(scene.image) == expected
    assert alone <= 8, "the scenes have become too easy to show anything"


def test_all_codes_of_a_picture_are_found_whatever_the_first_pass_found() -> None:
    wanted = (
        Wanted("QRCode", Shooting(tilt_deg=12)),
        Wanted("EAN13", Shooting(tilt_deg=0)),
        Wanted("Code128", Shooting(tilt_deg=50, module_px=2.5)),
        Wanted("DataMatrix", Shooting(tilt_deg=130, module_px=4)),
        Wanted("UPCE", Shooting(tilt_deg=75)),
    )
    scene = photograph(wanted, 5, size=(1600, 1000))
    found = read_image(scene.image)
    assert sorted(one.text for one in found) == sorted(one.text for one in scene.codes)
    assert {one.found_by for one in found} > {FoundBy.WHOLE}
    assert texts(found) > zxing_alone(scene.image), "zxing-cpp alone finds some of them, not all"
    assert [one.corners[0][1] for one in found] == sorted(one.corners[0][1] for one in found)


@pytest.mark.parametrize(
    ("symbology", "shooting", "seed"),
    [
        ("EAN13", Shooting(module_px=1.5, tilt_deg=33), 1),
        ("Code128", Shooting(module_px=1.5, tilt_deg=8, blur_px=0.7), 2),
        ("EAN13", Shooting(module_px=2.5, tilt_deg=20, blur_px=1.5), 3),
        ("Code128", Shooting(module_px=3.0, tilt_deg=40, contrast=0.25), 4),
        ("Code39", Shooting(module_px=2.5, tilt_deg=115, noise=12.0, quality=60), 5),
        ("UPCA", Shooting(module_px=3.0, tilt_deg=65, lean=0.35, lean_towards_deg=30), 6),
        ("Code128", Shooting(module_px=3.0, tilt_deg=25, glare=True), 7),
        ("Code128", Shooting(module_px=3.0, tilt_deg=25, inverted=True), 8),
        ("QRCode", Shooting(module_px=3.0, tilt_deg=41, inverted=True), 9),
        ("QRCode", Shooting(module_px=2.0, tilt_deg=41), 10),
        ("DataMatrix", Shooting(module_px=2.5, tilt_deg=28), 11),
        ("Code128", Shooting(module_px=2.5, tilt_deg=4, motion_px=3.0), 12),
        ("Code39", Shooting(module_px=9.0, tilt_deg=37), 13),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hard_pictures(symbology: str, shooting: Shooting, seed: int) -> None:
    size = (1920, 1440) if shooting.module_px > 4 else SMALL
    scene = one_code(symbology, shooting, seed, size)
    assert texts(read_image(scene.image)) == {scene.codes[0].text}


def test_more_reads_fewer_wrong_ones_and_never_two_values_at_one_place() -> None:
    ours = alone = alone_wrong = 0
    for scene in barcodes.scenes(8):
        there = {one.text for one in scene.codes}
        found = read_image(scene.image)
        assert texts(found) <= there, "a wrong reading"
        for place, one in enumerate(found):
            middle = np.mean(one.corners, axis=0)
            for other in found[place + 1 :]:
                quad = np.array(other.corners, np.float32)
                assert cv2.pointPolygonTest(quad, (float(middle[0]), float(middle[1])), False) < 0
        plain = zxing_alone(scene.image)
        ours, alone = ours + len(texts(found)), alone + len(plain & there)
        alone_wrong += len(plain - there)
    assert ours >= 1.5 * alone
    assert alone_wrong > 0, "the control: these scenes do mislead a reader that believes what it hears once"


@pytest.mark.slow
def test_no_wrong_reading_over_many_scenes() -> None:
    ours = alone = 0
    for scene in barcodes.scenes(120):
        there = {one.text for one in scene.codes}
        found = texts(read_image(scene.image))
        assert found <= there
        ours, alone = ours + len(found), alone + len(zxing_alone(scene.image) & there)
    assert ours >= 1.5 * alone


def test_nothing_is_read_where_nothing_is() -> None:
    for seed in range(8):
        random = np.random.default_rng(seed)
        picture = clutter(SMALL, random) + random.normal(0, 4, (SMALL[1], SMALL[0], 1))
        assert read_image(np.clip(picture, 0, 255).astype(np.uint8)) == ()
    for thing in list(GOODS)[:3]:
        assert read_image(render_scene(thing, Variant.FRONT, size=SMALL)) == ()


def test_the_same_picture_gives_the_same_answer() -> None:
    scene = next(barcodes.scenes(1))
    assert read_image(scene.image) == read_image(scene.image.copy())


@pytest.mark.parametrize(
    "turn",
    [
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY),
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[:, :, None],
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2BGRA),
        lambda image: image.astype(np.uint16) << 8,
        lambda image: image.astype(np.float32) / 255,
        lambda image: image.astype(np.int32),
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) > 128,
        lambda image: image[:, ::-1][:, ::-1],
    ],
    ids=["grey", "one channel", "alpha", "16 bits", "float", "int32", "bool", "not contiguous"],
)
def test_pictures_of_any_kind(turn: object) -> None:
    scene = one_code("Code128", Shooting(tilt_deg=3), 2)
    assert callable(turn)
    assert texts(read_image(turn(scene.image))) == {scene.codes[0].text}


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 5), (5, 1), (2, 2, 3), (31, 31), (33, 40, 3), (1, 4000), (4000, 2), (20, 70_000)]
)
def test_pictures_of_any_size(shape: tuple[int, ...]) -> None:
    assert read_image(np.random.default_rng(1).integers(0, 255, shape, np.uint8)) == ()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 0, 3), np.uint8),
        np.zeros((5, 5, 2), np.uint8),
        np.zeros(9, np.uint8),
        np.zeros((2, 2, 2, 2), np.uint8),
        np.zeros((9, 9), np.complex64),
    ],
    ids=lambda array: f"{array.shape} {array.dtype}",
)
def test_what_is_no_picture_is_refused_in_words(array: NDArray[np.generic]) -> None:
    with pytest.raises(InvalidInput, match="is no picture: expected"):
        read_image(array)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=90)), st.booleans())
@settings(max_examples=30)
def test_noise_of_any_shape_is_read_or_not(noise: Picture, enlarge: bool) -> None:
    if enlarge:
        noise = np.repeat(np.repeat(noise, 4, axis=0), 4, axis=1)
    assert isinstance(read_image(noise), tuple)


def test_a_picture_beyond_the_limit_is_read_smaller_with_corners_of_the_original() -> None:
    scene = one_code("QRCode", Shooting(module_px=4, tilt_deg=10), 3, (640, 480))
    large = cv2.resize(scene.image, (640 * 9, 480 * 9), interpolation=cv2.INTER_NEAREST)
    large = np.pad(large, ((0, 600), (0, 0), (0, 0)), constant_values=90)
    assert large.shape[0] * large.shape[1] > MAX_PIXELS
    (found,) = read_image(large)
    (printed,) = scene.codes
    grown = Printed(printed.text, printed.symbology, tuple((x * 9, y * 9) for x, y in printed.corners))  # type: ignore[arg-type]
    assert found.text == printed.text
    assert_lies_there(found, grown, slack=60)


def test_the_middle_of_a_live_picture() -> None:
    label = one_code("Code128", Shooting(module_px=2.5, tilt_deg=30), 4, (520, 400))
    live = np.full((1080, 1920, 3), 120, np.uint8)
    live[340:740, 700:1220] = label.image
    (found,) = read_middle(live)
    assert found.text == label.codes[0].text
    moved = tuple((x + 700, y + 340) for x, y in label.codes[0].corners)
    assert_lies_there(found, Printed(found.text, "Code128", moved), slack=10)  # type: ignore[arg-type]
    aside = np.full((1080, 1920, 3), 120, np.uint8)
    aside[0:400, 0:520] = label.image
    assert read_middle(aside) == ()
    assert texts(read_image(aside)) == {label.codes[0].text}, "the control: it is there, only not in the middle"
    assert read_middle(np.zeros((1, 1), np.uint8)) == ()

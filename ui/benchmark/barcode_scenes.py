"""Pictures of codes on a cluttered bench whose content and corners are known: tilted, leaning, small, blurred, noisy.

Codes are drawn by zxing-cpp's writer larger than they appear, filtered to what the lens would leave of them, and laid
into the picture by one perspective transform. The same seed always gives the same picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import zxingcpp

from station.errors import Defect
from station.identify.gtin import check_digit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from devices.camera.model import Image

Corner: TypeAlias = tuple[float, float]

_FINE = 6
"""Pixels per module of the drawing that is laid into the picture."""
_BAR_MODULES = {"EAN13": 52, "EAN8": 44, "UPCA": 52, "UPCE": 44, "Code128": 40, "Code39": 40, "ITF": 40}
"""Height of the bars in modules: some less than the standards print, as labels are."""
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
LINEAR = ("EAN13", "UPCA", "EAN8", "UPCE", "Code128", "Code39", "ITF", "DataBarOmni", "DataBarExp")
MATRIX = ("QRCode", "DataMatrix", "PDF417", "Aztec")


@dataclass(frozen=True, slots=True)
class Printed:
    """A code that is in a picture."""

    text: str
    """As a reader must return it."""
    symbology: str
    """zxing-cpp's name of the format."""
    corners: tuple[Corner, Corner, Corner, Corner]
    """Pixels, clockwise from the symbol's own upper left corner, quiet zones not included."""


@dataclass(frozen=True, slots=True)
class Scene:
    image: Image
    """``(h, w, 3) uint8 BGR``."""
    codes: tuple[Printed, ...]


@dataclass(frozen=True, slots=True)
class Shooting:
    """How a code is photographed."""

    module_px: float = 3.0
    """Pixels per module in the picture, before the lean."""
    tilt_deg: float = 0.0
    """Clockwise in the picture's plane."""
    lean: float = 0.0
    """How much smaller the far side is than the near one, 0…0.4."""
    lean_towards_deg: float = 90.0
    blur_px: float = 0.5
    """Standard deviation of the lens' blur, pixels."""
    motion_px: float = 0.0
    """Length of the smear, pixels, in a random direction."""
    noise: float = 3.0
    """Standard deviation of the sensor's noise, levels."""
    contrast: float = 0.85
    """Of the print, 0…1."""
    glare: bool = False
    """A lamp's reflection over a part of the code."""
    quality: int = 90
    """Of the JPEG that the picture has been through."""
    inverted: bool = False
    """Light bars on a dark label."""
    quiet: float = 1.0
    """How much of the quiet zone is there; less than 1 = something is printed into it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One code and how it is photographed."""

    symbology: str
    shooting: Shooting = field(default_factory=Shooting)


def content(symbology: str, random: np.random.Generator) -> str:
    """A text that a goods label may carry in this symbology."""
    if symbology in ("EAN13", "UPCA", "EAN8"):
        length = {"EAN13": 12, "UPCA": 11, "EAN8": 7}[symbology]
        body = str(random.integers(1, 9)) + "".join(map(str, random.integers(0, 10, length - 1)))
        return body + check_digit(body)
    if symbology == "UPCE":
        return "0" + "".join(map(str, random.integers(3, 10, 6)))
    if symbology == "ITF":
        body = "1" + "".join(map(str, random.integers(0, 10, 12)))
        return body + check_digit(body)
    if symbology == "DataBarOmni":
        body = "0" + "".join(map(str, random.integers(0, 10, 12)))
        return body + check_digit(body)
    letters = "".join(random.choice(list(_ALPHABET), 8))
    if symbology == "DataBarExp":
        return f"(01)09521234543213(21){letters}"
    if symbology in ("Code128", "Code39"):
        return f"RMA-{letters}"
    return f"https://example.org/r/{letters}?s={random.integers(10**9)}"


def _drawing(symbology: str, text: str) -> tuple[str, NDArray[np.uint8]]:
    """The text as read back and the symbol, ``(modules high, modules wide) uint8`` 0 = dark, without quiet zone."""
    options = {"force_square": True} if symbology == "DataMatrix" else {}
    barcode = zxingcpp.create_barcode(text, zxingcpp.barcode_format_from_str(symbology), **options)
    modules = np.asarray(barcode.to_image(1, False, False))
    if symbology in _BAR_MODULES:
        modules = np.repeat(modules[modules.shape[0] // 2][None], _BAR_MODULES[symbology], axis=0)
    elif symbology in ("DataBarOmni", "DataBarExp"):
        modules = np.repeat(modules[modules.shape[0] // 2][None], 34, axis=0)
    read = zxingcpp.read_barcode(
        np.pad(np.repeat(np.repeat(modules, 4, 0), 4, 1), 48, constant_values=255),
        formats=zxingcpp.BarcodeFormats((zxingcpp.barcode_format_from_str(symbology),)),
        text_mode=zxingcpp.TextMode.Plain,
    )
    if read is None:
        raise Defect(f"the {symbology} drawn for {text!r} does not read back")
    return read.text, modules


def clutter(size: tuple[int, int], random: np.random.Generator) -> Image:
    """A busy bench without any code: print, rulers, vents, cloth, blisters; ``(h, w, 3) uint8 BGR``."""
    width, height = size
    small = random.integers(60, 200, (height // 90 + 2, width // 90 + 2, 3)).astype(np.float32)
    picture = np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    for _ in range(26 * width * height // 2_000_000 + 6):
        at = (int(random.integers(width)), int(random.integers(height)))
        ink = tuple(float(level) for level in random.integers(0, 255, 3))
        kind = random.integers(5)
        if kind == 0:
            words = "".join(random.choice(list(_ALPHABET + "    "), 18))
            cv2.putText(picture, words, at, int(random.integers(0, 4)), random.uniform(0.4, 1.6), ink, 2, cv2.LINE_AA)
        elif kind == 1:
            box = (at, (float(random.integers(40, 360)), float(random.integers(20, 240))), random.uniform(0, 180))
            cv2.fillConvexPoly(picture, cv2.boxPoints(box).astype(np.int32), ink, cv2.LINE_AA)
        elif kind == 2:  # evenly spaced lines: a ruler, a vent, a comb
            step, turn = random.uniform(4, 14), random.uniform(0, math.pi)
            along = np.array([math.cos(turn), math.sin(turn)])
            across = np.array([-along[1], along[0]]) * random.uniform(10, 60)
            for k in range(int(random.integers(8, 40))):
                middle = np.array(at) + along * step * k
                ends = [tuple(int(v) for v in middle + side * across) for side in (-1, 1)]
                cv2.line(picture, ends[0], ends[1], ink, max(1, int(step / 2.5)), cv2.LINE_AA)
        elif kind == 3:
            axes = (int(random.integers(10, 120)), int(random.integers(10, 90)))
            cv2.ellipse(picture, at, axes, float(random.uniform(0, 180)), 0, 360, ink, -1, cv2.LINE_AA)
        else:  # cloth: grain in all directions
            side = int(random.integers(40, 160))
            patch = picture[at[1] : at[1] + side, at[0] : at[0] + side]
            patch[:] = np.clip(patch + random.normal(0, 30, patch.shape), 0, 255)
    return np.asarray(picture, np.uint8)


def photograph(wanted: tuple[Wanted, ...], seed: int, *, size: tuple[int, int] = (1280, 960)) -> Scene:
    """Lay the codes on a cluttered bench, side by side in cells, and photograph it.

    Args:
        wanted: at most six codes.
        size: (width, height) in pixels.
    """
    random = np.random.default_rng(seed)
    picture = clutter(size, random).astype(np.float32)
    columns = 1 if len(wanted) == 1 else 2 if len(wanted) <= 4 else 3
    rows = -(-len(wanted) // columns)
    printed = []
    for place, one in enumerate(wanted):
        cell = (size[0] / columns, size[1] / rows)
        middle = (cell[0] * (place % columns + 0.5), cell[1] * (place // columns + 0.5))
        printed.append(_lay(picture, one, middle, cell, random))
    worst = max((one.shooting for one in wanted), key=lambda shot: shot.noise, default=Shooting())
    picture += random.normal(0, worst.noise, picture.shape[:2]).astype(np.float32)[..., None]
    image = np.asarray(np.clip(picture, 0, 255), np.uint8)
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, worst.quality])
    return Scene(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8), tuple(printed))


def _lay(
    picture: NDArray[np.float32],
    wanted: Wanted,
    middle: Corner,
    cell: tuple[float, float],
    random: np.random.Generator,
) -> Printed:
    shot = wanted.shooting
    text, modules = _drawing(wanted.symbology, content(wanted.symbology, random))
    quiet = (11 if wanted.symbology in LINEAR else 4) * shot.quiet
    label = _label(modules, shot, quiet, random)
    height, width = label.shape
    edge = width - modules.shape[1] * _FINE, height - modules.shape[0] * _FINE
    inner = np.array(
        [(x, y) for x, y in ((edge[0] / 2, edge[1] / 2), (width - edge[0] / 2, edge[1] / 2))]
        + [(width - edge[0] / 2, height - edge[1] / 2), (edge[0] / 2, height - edge[1] / 2)],
        np.float64,
    )
    room = [max(0.0, (side - math.hypot(width, height) * shot.module_px / _FINE) / 2) * 0.8 for side in cell]
    centre = (middle[0] + random.uniform(-room[0], room[0]), middle[1] + random.uniform(-room[1], room[1]))
    lay = _transform((width, height), shot, centre)
    # what the picture's pixels cannot hold is filtered off first, or the warp would turn it into moiré
    fine = _FINE / shot.module_px
    soft = cv2.GaussianBlur(label, (0, 0), fine * math.hypot(0.35, shot.blur_px))
    if shot.motion_px:
        soft = cv2.filter2D(soft, -1, _smear(shot.motion_px * fine, random.uniform(0, math.pi)))
    size = (picture.shape[1], picture.shape[0])
    laid = cv2.warpPerspective(soft, lay, size, flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(np.ones_like(label), lay, size, flags=cv2.INTER_LINEAR)
    if shot.glare:
        spot = np.zeros(picture.shape[:2], np.float32)
        reach = shot.module_px * max(modules.shape) * 0.18
        away = (int(centre[0] + random.uniform(-1, 1) * reach), int(centre[1] + random.uniform(-1, 1) * reach))
        cv2.circle(spot, away, max(2, int(reach)), 1.0, -1)
        laid = laid + np.asarray(cv2.GaussianBlur(spot, (0, 0), reach * 0.7), np.float32) * 180
    picture *= (1 - cover)[..., None]
    picture += (laid * cover)[..., None]
    seen = cv2.perspectiveTransform(inner[None], lay)[0]
    corners = tuple((float(x), float(y)) for x, y in seen)
    return Printed(text, wanted.symbology, (corners[0], corners[1], corners[2], corners[3]))


def _label(
    modules: NDArray[np.uint8], shot: Shooting, quiet: float, random: np.random.Generator
) -> NDArray[np.float32]:
    paper, ink = 228.0, 228.0 * (1 - shot.contrast)
    if shot.inverted:
        paper, ink = ink, paper
    fine = np.repeat(np.repeat(modules, _FINE, axis=0), _FINE, axis=1)
    symbol = np.where(fine > 127, paper, ink).astype(np.uint8)
    clear = round(quiet * _FINE)
    label = cv2.copyMakeBorder(symbol, clear, clear, clear, clear, cv2.BORDER_CONSTANT, value=paper)
    margin = 6 * _FINE
    label = cv2.copyMakeBorder(label, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=paper)
    words = "".join(random.choice(list(_ALPHABET), 12))
    cv2.putText(label, words, (margin, label.shape[0] - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.9, ink, 2, cv2.LINE_AA)
    if shot.quiet < 1:
        cv2.rectangle(label, (margin - 6, 0), (margin, label.shape[0]), ink, -1)
    return np.asarray(label, np.float32)


def _transform(label: tuple[int, int], shot: Shooting, centre: Corner) -> NDArray[np.float64]:
    """From the drawing's pixels to the picture's: scale and tilt, then the far side shrinks."""
    scale = shot.module_px / _FINE
    half = np.array([label[0] / 2, label[1] / 2])
    corners = np.array([(0, 0), (label[0], 0), label, (0, label[1])], np.float64) - half
    turn, away = math.radians(shot.tilt_deg), math.radians(shot.lean_towards_deg)
    rotate = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    laid = corners @ rotate.T * scale
    depth = laid @ np.array([math.cos(away), math.sin(away)])
    reach = max(1e-6, float(np.abs(depth).max()))
    laid = laid * (1 - shot.lean / 2 * (1 + depth / reach))[:, None]
    target = (laid + np.array(centre)).astype(np.float32)
    source = (corners + half).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, target), np.float64)


def _smear(length: float, direction: float) -> NDArray[np.float32]:
    side = max(3, math.ceil(length) | 1)
    kernel = np.zeros((side, side), np.float32)
    middle = (side - 1) / 2
    across = np.array([math.cos(direction), math.sin(direction)]) * length / 2
    ends = [tuple(round(v) for v in middle + side_ * across) for side_ in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA)
    return np.asarray(kernel / kernel.sum(), np.float32)

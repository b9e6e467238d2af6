"""The bench as the camera sees it from above: desk, scale plate with its mat, what lies there, and a hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from devices.camera.encode import encode_jpeg
from devices.simulators.drawing import Pixels, Sheet, box, colour, grain, oval, smooth
from devices.simulators.goods import GOODS
from devices.simulators.variants import Variant, draw, serial_for

if TYPE_CHECKING:
    from devices.camera.model import Image

__all__ = [
    "GOODS",
    "Sprite",
    "Stage",
    "Variant",
    "render_reference",
    "render_scene",
    "serial_for",
    "write_reference_pictures",
]

_REFERENCE_BYTES = 60_000


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn thing, ready to be laid into a picture."""

    pixels: Pixels
    """``(h, w, 3) float32`` premultiplied BGR 0…1."""
    alpha: Pixels
    shadow: Pixels
    """``(h, w) float32`` 0…1, of the same size: how dark it makes what lies below."""


def _sprite(pixels: Pixels, alpha: Pixels, reach: float) -> Sprite:
    offset = np.array([[1, 0, reach * 0.8], [0, 1, reach * 1.1]], np.float32)
    far = cv2.GaussianBlur(cv2.warpAffine(alpha, offset, (alpha.shape[1], alpha.shape[0])), (0, 0), reach)
    near = cv2.GaussianBlur(alpha, (0, 0), reach * 0.3)
    return Sprite(pixels, alpha, np.asarray(np.clip(0.42 * far + 0.22 * near, 0, 0.62), np.float32))


@lru_cache(maxsize=8)
def item_sprite(scene: str, variant: Variant, seed: int, height: int, serial: str | None = None) -> Sprite:
    """A thing at the size it has in a picture ``height`` pixels high, turned to the angle of this seed."""
    scale = height * 0.84 / 760
    sheet = draw(scene, variant, seed, scale, serial)
    margin = round(70 * scale)
    pixels = cv2.copyMakeBorder(sheet.pixels, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    alpha = cv2.copyMakeBorder(sheet.alpha, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    # The label stays upright so that its bars keep whole pixels; everything else lies as it was put down.
    angle = 0.0 if variant is Variant.LABEL else float(np.random.default_rng(seed + 1000).uniform(-7, 7))
    if variant is Variant.TURNED:
        angle += 180.0 if scene in ("book", "carton", "power_bank", "phone") else 24.0
    if angle:
        rows, columns = alpha.shape
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, 1.0)
        pixels = cv2.warpAffine(pixels, turn, (columns, rows), flags=cv2.INTER_LINEAR)
        alpha = cv2.warpAffine(alpha, turn, (columns, rows), flags=cv2.INTER_LINEAR)
    return _sprite(np.asarray(pixels, np.float32), np.asarray(alpha, np.float32), 16 * scale)


@lru_cache(maxsize=4)
def hand_sprite(height: int) -> Sprite:
    """A gloved right hand, fingers up, with its sleeve."""
    scale = height * 0.84 / 760
    s = Sheet(scale, (460, 1000))
    s.part(
        s.area(smooth([(120, 520), (330, 520), (372, 760), (400, 1010), (70, 1010), (90, 760)])),
        "#27364a",
        edge=60,
        gloss=0.0,
    )
    s.noise(s.area(box(60, 520, 360, 480, 10)), 60, 0.06, size=2)
    s.part(
        s.area(smooth([(128, 470), (318, 470), (340, 545), (320, 590), (130, 590), (108, 545)])),
        "#d8e04a",
        edge=30,
        gloss=0.05,
    )
    for k in range(9):
        s.groove([(130 + 24 * k, 486), (126 + 25 * k, 580)], 4, depth=0.22)
    fingers = (
        ((136, 300), (112, 170), (118, 96)),
        ((188, 280), (180, 130), (190, 42)),
        ((244, 280), (250, 126), (262, 44)),
        ((294, 304), (318, 176), (334, 112)),
    )
    for finger in fingers:
        s.part(s.line(smooth(finger, closed=False), 56), "#6d7f8d", edge=28, gloss=0.06)
        s.part(s.area(oval(finger[2][0], finger[2][1] + 8, 24, 30)), "#3a4752", edge=20, gloss=0.10, shadow=0.1)
    s.part(s.line(smooth([(150, 430), (84, 372), (46, 300)], closed=False), 58), "#6d7f8d", edge=29, gloss=0.06)
    s.part(
        s.area(smooth([(112, 300), (210, 262), (318, 296), (334, 390), (306, 500), (140, 500), (110, 400)])),
        "#6d7f8d",
        edge=52,
        gloss=0.05,
        shadow=0.25,
    )
    s.part(
        s.area(smooth([(140, 330), (220, 306), (304, 332), (296, 430), (156, 430)])),
        "#3a4752",
        edge=22,
        gloss=0.06,
        shadow=0.15,
    )
    s.noise(s.area(box(30, 30, 400, 480, 10)), 61, 0.07, size=2)
    return _sprite(s.pixels, s.alpha, 22 * scale)


@lru_cache(maxsize=4)
def empty_bench(width: int, height: int, seed: int = 0) -> Pixels:
    """The bench with nothing on it, ``(h, w, 3) float32`` BGR 0…1."""
    u = height / 760
    shape = (height, width)
    wood = (
        colour("#a98d6b")[None, None, :]
        * (
            1
            + 0.035 * grain(shape, seed + 1, size=3 * u, stretch=60)
            + 0.04 * grain(shape, seed + 2, size=30 * u, stretch=9)
        )[..., None]
    )
    s = Sheet(u, (round(width / u), 760))
    s.pixels, s.alpha = np.asarray(wood[: s.shape[0], : s.shape[1]], np.float32).copy(), np.ones(s.shape, np.float32)
    units = s.shape[1] / u
    inset = max(20.0, (units - 1240) / 2)
    s.part(
        s.area(box(inset, 22, units - 2 * inset, 716, 34)),
        "#9ba4aa",
        edge=9,
        gloss=0.25,
        bands=((0, 1.0), (0.3, 1.1), (0.6, 0.95), (1, 1.02)),
        shadow=0.6,
    )
    s.noise(s.area(box(inset, 22, units - 2 * inset, 716, 34)), seed + 3, 0.03, size=1.2, stretch=40)
    mat = s.area(box(inset + 26, 46, units - 2 * inset - 52, 668, 20))
    s.part(mat, "#717c84", edge=5, gloss=0.0, sheen=0.05, shadow=0.2)
    s.noise(mat, seed + 4, 0.030, size=1.6)
    s.noise(mat, seed + 5, 0.02, size=60)
    for k in range(int((units - 2 * inset - 120) / 34)):
        x, tall = inset + 62 + 34 * k, 15 if k % 5 == 0 else 8
        s.tint(s.line([(x, 704), (x, 704 - tall)], 2), "#c9d1d6", 0.55)
    picture = cv2.resize(s.pixels, (width, height)) if s.shape != shape else s.pixels
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    lamp = 1.16 - 0.20 * ((across + 0.12) ** 2 + (down + 0.10) ** 2)
    return np.asarray(np.clip(picture * lamp[..., None], 0, 1), np.float32)


class Stage:
    """Composes pictures of one size."""

    def __init__(self, width: int, height: int, seed: int = 0) -> None:
        self.width, self.height, self.seed = width, height, seed
        self._bench = empty_bench(width, height, seed)
        self._resting: tuple[Sprite, int, int, Pixels] | None = None

    def item(self, scene: str, variant: Variant, seed: int, serial: str | None = None) -> Sprite:
        return item_sprite(scene, variant, seed, self.height, serial)

    def compose(
        self,
        item: Sprite | None,
        *,
        drop: float = 0.0,
        squeeze: float = 1.0,
        hand: float | None = None,
        light: float = 1.0,
        aside: tuple[float, float] = (0.0, 0.0),
    ) -> Image:
        """One clean picture, ``(h, w, 3) uint8 BGR``, without sensor noise.

        Args:
            item: what lies there, or nothing.
            drop: how far below its place it is, in picture heights.
            squeeze: its width while it is being turned over, 0…1.
            hand: how far the hand is out of the picture, 0 = at the item, 1 = gone; None = no hand.
            light: brightness of the lamp.
            aside: how far right and below its usual place it was put down, in picture heights.
        """
        canvas = self._bench.copy()
        down = round(drop * self.height)
        if item is not None:
            x, y = self.width // 2 + round(aside[0] * self.height), self.height // 2 + round(aside[1] * self.height)
            self._put(canvas, _squeezed(item, squeeze), x, y + down)
        if hand is not None and hand < 1.0:
            sprite = hand_sprite(self.height)
            place = round(self.height * (0.98 + 0.95 * hand)) + (down if hand == 0.0 else 0)
            self._put(canvas, sprite, round(self.width * 0.57), place)
        if light != 1.0:
            canvas *= light
        return np.asarray(canvas * 255.0 + 0.5, np.uint8)

    def _put(self, canvas: Pixels, sprite: Sprite, x: int, y: int) -> None:
        rows, columns = sprite.alpha.shape
        top, left = y - rows // 2, x - columns // 2
        y0, x0, y1, x1 = max(0, top), max(0, left), min(self.height, top + rows), min(self.width, left + columns)
        if y0 >= y1 or x0 >= x1:
            return
        part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        window = (slice(y0, y1), slice(x0, x1))
        through = ((1 - sprite.alpha[part]) * (1 - sprite.shadow[part]))[..., None]
        canvas[window] = canvas[window] * through + sprite.pixels[part]


def _squeezed(sprite: Sprite, squeeze: float) -> Sprite:
    if squeeze >= 0.999:
        return sprite
    size = (max(2, round(sprite.alpha.shape[1] * max(0.06, squeeze))), sprite.alpha.shape[0])
    return Sprite(
        np.asarray(cv2.resize(sprite.pixels, size), np.float32),
        np.asarray(cv2.resize(sprite.alpha, size), np.float32),
        np.asarray(cv2.resize(sprite.shadow, size), np.float32),
    )


def render_scene(
    scene: str | None,
    variant: Variant = Variant.FRONT,
    *,
    seed: int = 0,
    size: tuple[int, int] = (1280, 720),
    serial: str | None = None,
) -> Image:
    """The bench with one thing on it (None = empty), clean, ``(h, w, 3) uint8 BGR``; size = (width, height)."""
    stage = Stage(*size)
    return stage.compose(None if scene is None else stage.item(scene, variant, seed, serial))


def sensor_noise(shape: tuple[int, ...], seed: int, sigma: float) -> Pixels:
    """What a small sensor adds, levels: mostly brightness, a little colour."""
    random = np.random.default_rng(seed)
    grey = random.standard_normal((*shape[:2], 1), np.float32)
    tint = random.standard_normal((shape[0] // 2 + 1, shape[1] // 2 + 1, 3), np.float32)
    wide = cv2.resize(tint, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(sigma * (0.85 * grey + 0.5 * wide), np.float32)


def render_reference(scene: str, size: tuple[int, int] = (800, 600)) -> Image:
    """The catalogue's picture of an article on a bright ground, ``(h, w, 3) uint8 BGR``.

    Raises:
        InvalidInput: no such scene.
    """
    width, height = size
    scale = min(width / 1000, height / 760) * 0.94
    sheet = draw(scene, Variant.FRONT, 0, scale)
    pad = round(30 * scale)
    pixels = cv2.copyMakeBorder(sheet.pixels, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    alpha = cv2.copyMakeBorder(sheet.alpha, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    item = _sprite(np.asarray(pixels, np.float32), np.asarray(alpha, np.float32), 14 * scale)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    ground = colour("#e6eaed")[None, None, :] * (1.03 - 0.10 * (across**2 + (down + 0.1) ** 2))[..., None]
    canvas = np.asarray(ground, np.float32)
    rows, columns = item.alpha.shape
    top, left = (height - rows) // 2, (width - columns) // 2
    y0, x0, y1, x1 = max(0, top), max(0, left), min(height, top + rows), min(width, left + columns)
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    through = ((1 - item.alpha[part]) * (1 - item.shadow[part]))[..., None]
    canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * through + item.pixels[part]
    return np.asarray(np.clip(canvas, 0, 1) * 255.0 + 0.5, np.uint8)


def write_reference_pictures(folder: Path, size: tuple[int, int] = (800, 600)) -> tuple[Path, ...]:
    """Write ``<scene>.jpg`` for every scene, each at most 60 KB; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for scene in GOODS:
        jpeg, _, _ = encode_jpeg(render_reference(scene, size), max_bytes=_REFERENCE_BYTES)
        path = folder / f"{scene}.jpg"
        path.write_bytes(jpeg)
        paths.append(path)
    return tuple(paths)

"""Drawing with light: shapes become parts with rounded edges, sheen and a shadow on what lies below.

Everything is in *units* (a sheet is 1000 × 760) so that one drawing serves every picture size. A part's height comes
from the distance to its edge, the shading from that height under one lamp at the upper left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from station.assets import asset

Mask: TypeAlias = NDArray[np.uint8]
"""``(h, w) uint8``, 0 = outside, 255 = inside."""
Pixels: TypeAlias = NDArray[np.float32]
Point: TypeAlias = tuple[float, float]

UNITS = (1000, 760)
_LAMP = np.array([-0.40, -0.56, 0.726], np.float32)
_HALFWAY = np.array([-0.215, -0.302, 0.929], np.float32)


def colour(code: str) -> NDArray[np.float32]:
    """``#rrggbb`` as BGR 0…1."""
    return np.array([int(code[i : i + 2], 16) / 255.0 for i in (5, 3, 1)], np.float32)


def turned(points: Sequence[Point], degrees: float, about: Point) -> list[Point]:
    """Rotate clockwise on the screen."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x0, y0 = about
    return [(x0 + (x - x0) * c - (y - y0) * s, y0 + (x - x0) * s + (y - y0) * c) for x, y in points]


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 14) -> list[Point]:
    """A curve through the points (centripetal enough for drawings: Catmull-Rom)."""
    p = np.array(points, np.float64)
    n = len(p)
    ring = np.vstack([p[-1], p, p[:2]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out: list[Point] = []
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    for i in range(n if closed else n - 1):
        a, b, c, d = ring[i : i + 4]
        curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        out.extend((float(x), float(y)) for x, y in curve)
    if not closed:
        out.append((float(p[-1][0]), float(p[-1][1])))
    return out


def box(x: float, y: float, width: float, height: float, radius: float) -> list[Point]:
    """Outline of a rectangle with round corners."""
    r = min(radius, width / 2, height / 2)
    out: list[Point] = []
    corners = (
        (x + width - r, y + r, -90),
        (x + width - r, y + height - r, 0),
        (x + r, y + height - r, 90),
        (x + r, y + r, 180),
    )
    for cx, cy, start in corners:
        for k in range(13):
            a = math.radians(start + 7.5 * k)
            out.append((cx + r * math.cos(a), cy + r * math.sin(a)))
    return out


def oval(cx: float, cy: float, rx: float, ry: float, start: float = 0, end: float = 360) -> list[Point]:
    """Outline of an ellipse or, with angles in degrees clockwise from the right, of its arc."""
    return [
        (cx + rx * math.cos(math.radians(a)), cy + ry * math.sin(math.radians(a))) for a in np.linspace(start, end, 73)
    ]


@lru_cache(maxsize=64)
def font(pixels: int, *, heavy: bool = True) -> ImageFont.FreeTypeFont:
    """The bundled typeface at a size in pixels."""
    return ImageFont.truetype(str(asset("fonts", "Inter-Bold.ttf" if heavy else "Inter-SemiBold.ttf")), pixels)


def grain(shape: tuple[int, int], seed: int, *, size: float, stretch: float = 1.0) -> Pixels:
    """Soft random field, about −1…1, with blobs of ``size`` pixels, ``stretch`` times as wide as high."""
    random = np.random.default_rng(seed)
    rows = max(2, round(shape[0] / size) + 2)
    columns = max(2, round(shape[1] / (size * stretch)) + 2)
    field = random.standard_normal((rows, columns)).astype(np.float32)
    wide = cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(wide * 0.6, np.float32)


class Sheet:
    """A transparent sheet that parts are laid on, the lowest first."""

    def __init__(self, scale: float, units: tuple[int, int] = UNITS, *, plain: bool = False) -> None:
        self.scale = scale
        self.plain = plain
        """Seen from behind: prints and lettering are left out."""
        self.shape = (max(8, round(units[1] * scale)), max(8, round(units[0] * scale)))
        self.pixels: Pixels = np.zeros((*self.shape, 3), np.float32)
        """Premultiplied BGR, 0…1."""
        self.alpha: Pixels = np.zeros(self.shape, np.float32)

    def area(self, points: Sequence[Point]) -> Mask:
        """The inside of an outline."""
        mask = np.zeros(self.shape, np.uint8)
        fixed = np.round(np.array(points, np.float64) * self.scale * 16).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
        return mask

    def line(self, points: Sequence[Point], width: float, *, closed: bool = False) -> Mask:
        """A line of this width with round ends."""
        mask = np.zeros(self.shape, np.uint8)
        fixed = np.round(np.array(points, np.float64) * self.scale * 16).astype(np.int32)
        cv2.polylines(mask, [fixed], closed, 255, max(1, round(width * self.scale)), cv2.LINE_AA, 4)
        return mask

    def part(
        self,
        mask: Mask,
        paint: str,
        *,
        edge: float = 6.0,
        gloss: float = 0.15,
        sheen: float = 0.12,
        shadow: float = 0.5,
        texture: Pixels | None = None,
        bands: Sequence[tuple[float, float]] = (),
        upright: bool = False,
    ) -> None:
        """Lay a solid part on the sheet.

        Args:
            mask: where it is.
            paint: its colour, ``#rrggbb``.
            edge: width over which its edge is rounded, units; more than half its width makes it a tube.
            gloss: strength of the highlight, 0…1.
            sheen: how much lighter the upper left is than the lower right.
            shadow: how dark its shadow on the parts below is, 0…1.
            texture: field of the sheet's shape that is added to the height (folds) in pixels.
            bands: (position 0…1, brightness) across the part, for round metal.
            upright: bands run from top to bottom instead of from left to right.
        """
        x, y, width, height = cv2.boundingRect(mask)
        if width == 0 or height == 0:
            return
        margin = 2 + round(16 * self.scale)
        x0, y0 = max(0, x - margin), max(0, y - margin)
        x1, y1 = min(self.shape[1], x + width + margin), min(self.shape[0], y + height + margin)
        window = (slice(y0, y1), slice(x0, x1))
        inside = mask[window]
        cover = (inside.astype(np.float32) / 255.0)[..., None]
        self._shade_below(window, inside, shadow)
        light, shine = _lit(inside, edge * self.scale, None if texture is None else texture[window])
        rows, columns = inside.shape
        across = np.linspace(0, 1, columns, dtype=np.float32)[None, :]
        down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
        light = light * (1.0 + sheen * (1.0 - across - down))
        if bands:
            place = (np.arange(rows) - (y - y0)) / height if upright else (np.arange(columns) - (x - x0)) / width
            ramp = np.interp(place, [b[0] for b in bands], [b[1] for b in bands]).astype(np.float32)
            light = light * (ramp[:, None] if upright else ramp[None, :])
        lit = np.clip(colour(paint)[None, None, :] * light[..., None] + gloss * shine[..., None], 0, 1)
        self.pixels[window] = self.pixels[window] * (1 - cover) + lit * cover
        self.alpha[window] = self.alpha[window] * (1 - cover[..., 0]) + cover[..., 0]

    def _shade_below(self, window: tuple[slice, slice], inside: Mask, strength: float) -> None:
        if strength <= 0:
            return
        reach = max(1.0, 7 * self.scale)
        offset = np.array([[1, 0, 4 * self.scale], [0, 1, 6 * self.scale]], np.float32)
        moved = cv2.warpAffine(inside, offset, (inside.shape[1], inside.shape[0]))
        dark = cv2.GaussianBlur(moved, (0, 0), reach).astype(np.float32) / 255.0
        self.pixels[window] *= 1.0 - strength * dark[..., None]

    def tint(self, mask: Mask, paint: str, opacity: float, *, blur: float = 0.0) -> None:
        """Colour what is there already; nothing is added where the sheet is empty."""
        soft = mask if blur <= 0 else cv2.GaussianBlur(mask, (0, 0), max(0.5, blur * self.scale))
        x, y, width, height = cv2.boundingRect(soft)  # most of a sheet is not touched
        window = (slice(y, y + height), slice(x, x + width))
        cover = (soft[window].astype(np.float32) / 255.0 * opacity * self.alpha[window])[..., None]
        self.pixels[window] = self.pixels[window] * (1 - cover) + colour(paint)[None, None, :] * cover

    def groove(self, points: Sequence[Point], width: float = 3.0, *, closed: bool = False, depth: float = 0.5) -> None:
        """A seam: a dark line with a light edge below it."""
        lower = [(x + width * 0.5, y + width * 0.6) for x, y in points]
        self.tint(self.line(lower, width, closed=closed), "#ffffff", 0.22 * depth)
        self.tint(self.line(points, width, closed=closed), "#000000", depth)

    def text(
        self, x: float, y: float, words: str, size: float, paint: str, *, heavy: bool = True, opacity: float = 1.0
    ) -> None:
        """Print words, centred on (x, y)."""
        if self.plain:
            return
        mask = PilImage.new("L", (self.shape[1], self.shape[0]), 0)
        face = font(max(6, round(size * self.scale)), heavy=heavy)
        ImageDraw.Draw(mask).text((x * self.scale, y * self.scale), words, 255, face, anchor="mm")
        self.tint(np.asarray(mask, np.uint8), paint, opacity)

    def film(self, mask: Mask, opacity: float, shine: Pixels) -> None:
        """Lay clear foil over everything: a little white, and highlights ``shine`` (the sheet's shape, 0…1)."""
        cover = mask.astype(np.float32) / 255.0
        veil = np.clip(cover * (opacity + 0.75 * shine), 0, 0.9)
        self.pixels = self.pixels * (1 - veil[..., None]) + veil[..., None]
        self.alpha = self.alpha * (1 - veil) + veil

    def lay(self, pixels: Pixels, alpha: Pixels, x: int, y: int) -> None:
        """Lay a premultiplied picture on the sheet, its upper left corner at pixel (x, y)."""
        rows, columns = alpha.shape
        y0, x0 = max(0, y), max(0, x)
        y1, x1 = min(self.shape[0], y + rows), min(self.shape[1], x + columns)
        if y0 >= y1 or x0 >= x1:
            return
        part = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
        window = (slice(y0, y1), slice(x0, x1))
        through = 1 - alpha[part]
        self.pixels[window] = self.pixels[window] * through[..., None] + pixels[part]
        self.alpha[window] = self.alpha[window] * through + alpha[part]

    def noise(self, mask: Mask, seed: int, strength: float, *, size: float = 2.0, stretch: float = 1.0) -> None:
        """Roughen a surface: cloth, leather, brushed metal."""
        field = grain(self.shape, seed, size=max(1.0, size * self.scale), stretch=stretch)
        gain = 1.0 + strength * field * (mask.astype(np.float32) / 255.0)
        self.pixels = np.clip(self.pixels * gain[..., None], 0, 1)


def _lit(inside: Mask, edge: float, texture: Pixels | None) -> tuple[Pixels, Pixels]:
    """Brightness (flat = 1) and highlight (0…1) of a part whose edge is rounded over ``edge`` pixels."""
    solid = np.asarray(inside > 127, np.uint8)
    distance = cv2.distanceTransform(
        cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), cv2.DIST_L2, 5
    )
    reach = max(1.0, edge)
    rest = (1.0 - np.minimum(distance[1:-1, 1:-1], reach) / reach).astype(np.float32)
    height = (reach * np.sqrt(np.maximum(0.0, 1.0 - rest * rest))).astype(np.float32)
    height = cv2.GaussianBlur(height, (0, 0), max(0.7, reach * 0.13))
    if texture is not None:
        height = height + texture
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    norm = 1.0 / np.sqrt(slope_x * slope_x + slope_y * slope_y + 1.0)
    facing = (-slope_x * _LAMP[0] - slope_y * _LAMP[1] + _LAMP[2]) * norm
    shine = np.maximum(0.0, (-slope_x * _HALFWAY[0] - slope_y * _HALFWAY[1] + _HALFWAY[2]) * norm)
    light = 0.42 + 0.58 * np.clip(facing, 0.0, 1.0) / _LAMP[2]
    return np.asarray(light, np.float32), np.asarray(shine**48, np.float32)

"""Bars, laid upright and read again: the second opinion on linear codes, and the first on tilted ones.

All rows of an upright strip show the same bars, so that they can be averaged: noise goes down until the blur of lens
and hand can be taken back (Wiener's filter, along the reading direction only). That reads 1.5 pixels per module.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from devices.barcodes.symbols import LINEAR, Symbol, read_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from devices.barcodes.texture import Region
    from devices.camera.model import Image

_QUIET = 0.08
"""Share of the width that is added on either side, so that the quiet zones are in the strip."""
_QUIET_MIN = 24.0
_TRIM = 0.2
"""Share of the height that is left out above and below: what surrounds the bars reaches into the region …"""
_TRIM_MAX = 16.0
"""… by at most so many pixels, half the window of the search."""
_ROWS = 32
"""Rows of the strip that zxing-cpp reads."""
_SAMPLED = 2
"""So many rows of the picture, at most, go into one of them."""
_MEAN_ROWS = 24
"""Rows from which the mean row is made."""
_ENLARGE = 1.5
_LONGEST = 3000
"""Pixels; a longer strip is not enlarged."""
_REREAD = 3.0
_BLURS = (0.8, 1.2, 1.7)
"""Standard deviations in pixels that are taken back, one after the other."""
_FLOOR = (0.02, 0.01, 0.005)
"""Share of noise that each of them allows for."""
_PARTS = 3
_BAND_ROWS = 8
"""zxing-cpp decides between dark and light in blocks of 8 × 8 pixels."""
_NARROWEST = 40.0
"""Pixels across all bars; UPC-E has 51 modules."""
_GLANCE_ROWS = 8
_NEIGHBOURHOOD = 49
"""Pixels: what dark and light are relative to."""
_FAINT = 0.5
"""Rows with less than this share of the usual change are no longer in the bars."""
_MIN_BARS = 20
"""The shortest code that is read here (UPC-E) has 34 bars and spaces, DataBar 46; some may have merged."""
_MIN_VARIETY = 0.25
"""Standard deviation over mean of the distances between edges: combs, vents and rulers have less."""


@dataclass(frozen=True, slots=True)
class Strip:
    """An upright cut-out: x runs along the reading direction."""

    image: Image
    """``(rows, columns) uint8``."""
    region: Region
    left: float
    """u of the first column, pixels of the picture."""
    scale: float
    """Columns per pixel of the picture."""

    along: Region | None = None
    """The region whose u is asked for, where it is not the one that was cut out."""

    def extent(self, symbol: Symbol) -> tuple[float, float]:
        """Where a symbol that was read in this strip begins and ends, as u; begin > end = it is upside down."""
        begin, end = symbol.corners[[0, 3], 0].mean(), symbol.corners[[1, 2], 0].mean()
        own = self.left + float(begin) / self.scale, self.left + float(end) / self.scale
        if self.along is None:
            return own
        middle = (self.region.top + self.region.bottom) / 2
        there = [self.along.to_uv(*self.region.to_xy(u, middle))[0] for u in own]
        return there[0], there[1]


def cut(
    grey: Image,
    region: Region,
    *,
    scale: float = _ENLARGE,
    rows: int = _ROWS,
    shift: float = 0.0,
    along: Region | None = None,
) -> Strip:
    """Lay a region upright.

    Args:
        grey: ``(h, w) uint8``.
        scale: columns per pixel.
        rows: as many, each the mean of several where the region is higher.
        along: where the symbols are to be reported, if not in this region.
        shift: where in its height the middle of the strip lies, −1…1: 0 = in the middle.
    """
    quiet = max(_QUIET_MIN, _QUIET * region.width)
    left, width = region.left - quiet, region.width + 2 * quiet
    scale = min(scale, max(1.0, _LONGEST / width))
    trim = min(_TRIM_MAX, _TRIM * region.height)
    top, height = region.top + trim, region.height - 2 * trim
    if shift:
        top, height = top + height * (0.25 + 0.25 * shift), height / 2
    # the bars are the same all along: where the region is high, some of its rows say enough
    high = max(4, min(int(height), _SAMPLED * rows))
    image = _upright(grey, region, left, top, (max(8, int(width * scale)), high), scale, high / max(1.0, height))
    if high > rows:
        image = np.asarray(cv2.resize(image, (image.shape[1], rows), interpolation=cv2.INTER_AREA), np.uint8)
    return Strip(image, region, left, scale, along)


def _upright(
    grey: Image,
    region: Region,
    left: float,
    top: float,
    size: tuple[int, int],
    columns_per_pixel: float = 1.0,
    rows_per_pixel: float = 1.0,
) -> Image:
    """What lies at (left, top) along the region's axes, ``(size[1], size[0]) uint8``."""
    c, s = math.cos(region.angle), math.sin(region.angle)
    x, y = 1 / columns_per_pixel, 1 / rows_per_pixel
    lay = np.array([[c * x, -s * y, left * c - top * s], [s * x, c * y, left * s + top * c]], np.float64)
    smooth = cv2.INTER_CUBIC if columns_per_pixel > 1 else cv2.INTER_LINEAR
    flags = smooth | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(grey, lay, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def looks_readable(grey: Image, region: Region) -> bool:
    """There are enough edges along the reading direction, and they do not come evenly as those of a comb do."""
    if region.width < _NARROWEST:
        return False
    top, size = region.top + 0.3 * region.height, (int(region.width), _GLANCE_ROWS)
    rows = _upright(grey, region, region.left, top, size, rows_per_pixel=_GLANCE_ROWS / (0.4 * region.height))
    line = rows.mean(axis=0, dtype=np.float32)[None]
    away = line - cv2.blur(line, (_NEIGHBOURHOOD, 1))
    spread = cv2.blur(np.abs(away), (_NEIGHBOURHOOD, 1))
    sure = (np.abs(away) > 0.25 * spread) & (spread > 3)
    edges = np.flatnonzero(np.diff(np.sign(away[sure])))
    if len(edges) < _MIN_BARS:
        return False
    steps = np.diff(np.flatnonzero(sure[0])[edges])
    return float(steps.std()) >= _MIN_VARIETY * float(steps.mean())


def corners_of(grey: Image, region: Region, begin: float, end: float) -> NDArray[np.float64]:
    """The four corners of a linear symbol that was read from ``begin`` to ``end`` (u), clockwise from its upper left.

    Returns:
        ``(4, 2)`` pixels of the picture. Top and bottom are where the bars end, to about two pixels.
    """
    first, last = min(begin, end), max(begin, end)
    top, high = region.top - _TRIM_MAX, max(4, int(region.height + 2 * _TRIM_MAX))
    columns = min(max(8, int(last - first)), _LONGEST)
    image = _upright(grey, region, first, top, (columns, high), columns / max(1.0, last - first))
    change = np.abs(np.diff(image.astype(np.int16), axis=1)).sum(axis=1)
    middle = high // 2
    low = change < _FAINT * np.median(change[high // 3 : max(high // 3 + 1, 2 * high // 3)])
    above, below = np.flatnonzero(low[:middle]), np.flatnonzero(low[middle:])
    upper = top + (int(above[-1]) + 1 if len(above) else _TRIM_MAX)
    lower = top + (middle + int(below[0]) if len(below) else high - _TRIM_MAX)
    way = [(begin, upper), (end, upper), (end, lower), (begin, lower)]
    if begin > end:
        way = [(begin, lower), (end, lower), (end, upper), (begin, upper)]
    return np.array([region.to_xy(u, v) for u, v in way], np.float64)


def read_strip(strip: Strip) -> list[Symbol]:
    """Read the strip as it is."""
    return read_symbols(strip.image, LINEAR)


def restored(grey: Image, region: Region) -> Iterator[Strip]:
    """The same bars with the blur taken back, a little, more, and much; each of them is a reading of its own."""
    raw = cut(grey, region, scale=3.0 if region.width < 700 else 2.0, rows=_MEAN_ROWS)
    lines = _means(raw.image)
    for blur, floor in zip(_BLURS, _FLOOR, strict=True):
        clear = _unblurred(lines, blur * raw.scale, floor)
        middle, spread = clear.mean(axis=1, keepdims=True), clear.std(axis=1, keepdims=True)
        levels = np.clip((clear - middle) / (spread + 1e-3) * 60 + 128, 0, 255).astype(np.uint8)
        yield Strip(np.repeat(levels, _BAND_ROWS, axis=0), region, raw.left, raw.scale)


def reread(grey: Image, lines: Region, along: Region) -> Strip:
    """The very lines in which zxing-cpp has read something, enlarged and sharpened.

    Where it misread a blurred code, this reads the right one or nothing (four of four among its own samples).
    """
    strip = cut(grey, lines, scale=_REREAD, along=along)
    soft = cv2.GaussianBlur(strip.image, (0, 0), _REREAD * 1.33, sigmaY=0.01)
    return replace(strip, image=np.asarray(cv2.addWeighted(strip.image, 3, soft, -2, 0), np.uint8))


def inverted(strip: Strip) -> Strip:
    """Light bars on a dark ground made dark on light: zxing-cpp reads linear codes one way round only."""
    return replace(strip, image=np.asarray(255 - strip.image, np.uint8))


def _means(image: Image) -> NDArray[np.float32]:
    """The mean row of the whole and of each part (a leaning label's bars fan out, glare covers some)."""
    rows = image.shape[0]
    cuts = np.linspace(0, rows, _PARTS + 1).astype(int) if rows >= 3 * _PARTS else np.array([0, rows])
    spans = [(0, rows), *itertools.pairwise(cuts)]
    return np.stack([image[a:b].mean(axis=0, dtype=np.float32) for a, b in spans])


def _unblurred(lines: NDArray[np.float32], blur: float, floor: float) -> NDArray[np.float32]:
    """Wiener's filter for a Gaussian blur. Source: N. Wiener, Extrapolation … of Stationary Time Series, 1949."""
    pad = 64
    padded = np.pad(lines, ((0, 0), (pad, pad)), mode="edge")
    size = cv2.getOptimalDFTSize(padded.shape[1])
    padded = np.pad(padded, ((0, 0), (0, size - padded.shape[1])), mode="edge")
    passed = np.exp(-2 * (np.pi * blur * np.fft.rfftfreq(size)) ** 2)
    back = passed / (passed**2 + floor) * (1 + floor)
    clear = np.fft.irfft(np.fft.rfft(padded, axis=1) * back, size, axis=1)
    return np.asarray(clear[:, pad : pad + lines.shape[1]], np.float32)

"""Figures of one picture and the verdict on them. Pure functions on arrays.

Variance of the Laplacian, the usual figure, is fooled twice: sensor noise looks like detail, and a dark picture looks
blurred. So it is taken at half resolution, tile by tile, the noise that the smoothest tiles show is taken off, and the
rest is divided by the tile's own variance; tiles without contrast do not vote.
Source: DEVICES.md §4.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from devices.camera.model import Gate, Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from devices.camera.model import Image

_TILE = 32
"""Side of a tile in pixels of the half-resolution picture."""
_MIN_STD = 9.0
"""Contrast (standard deviation, luminance levels) below which a tile cannot say whether it is sharp, at full light."""
_MIN_TILES = 3
_LAPLACE_GAIN = 20.0
"""Sum of squares of the kernel 0 1 0 / 1 −4 1 / 0 1 0: what white noise of variance 1 gives."""
_NOISE_SPREAD = 1.2
"""Noise differs from tile to tile (light, chance); so much more than the smoothest tiles' is taken off."""


def luminance(frame: Image) -> Image:
    """Grey picture ``(h, w) uint8`` of a ``(h, w, 3) uint8 BGR`` or ``(h, w) uint8`` one."""
    return frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)


def half_size(grey: Image) -> Image:
    """``(h//2, w//2) uint8``, each pixel the mean of four."""
    height, width = grey.shape[:2]
    return np.asarray(cv2.resize(grey, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA))


def _tile_means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over whole tiles of a ``(h, w) float32`` array; ``(h // 32, w // 32) float32``."""
    rows, columns = values.shape[0] // _TILE, values.shape[1] // _TILE
    cut = np.ascontiguousarray(values[: rows * _TILE, : columns * _TILE])
    return np.asarray(cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA), np.float32).reshape(rows, columns)


def sharpness(half: Image) -> int:
    """Laplacian energy over local variance, without the sensor's noise, ×1000.

    Args:
        half: ``(h, w) uint8`` luminance at half resolution (``half_size``).

    Returns:
        0 and more, about 1000 for crisp print and below 150 for a blur of σ 2 at full resolution; −1 = fewer than three
        tiles have enough contrast to tell.
    """
    if min(half.shape) < 3 * _TILE:
        return -1
    grey = half.astype(np.float32)
    mean = _tile_means(grey)
    variance = _tile_means(grey * grey) - mean * mean
    laplacian = cv2.Laplacian(grey, cv2.CV_32F, ksize=1)
    energy = _tile_means(np.asarray(laplacian * laplacian, np.float32))
    # The smoothest tenth of the tiles shows what the sensor alone does to this very figure.
    floor = float(np.percentile(energy, 10))
    noise = floor / _LAPLACE_GAIN
    signal = variance - noise
    # Contrast is judged relative to the light, so that a dark but crisp picture keeps its tiles.
    light = max(0.2, float(np.percentile(mean, 90)) / 160.0)
    textured = signal >= (_MIN_STD * min(1.0, light)) ** 2
    textured &= signal >= 4.0 * noise
    if int(textured.sum()) < _MIN_TILES:
        return -1
    detail = np.maximum(energy[textured] - _NOISE_SPREAD * floor, 0.0)
    ratio = np.sort(detail / signal[textured])
    # The crisper half decides: an item with one soft side, or the desk beneath it, is still in focus.
    return round(1000.0 * float(ratio[len(ratio) // 2 :].mean()))


def exposure(grey: Image) -> tuple[int, int, int]:
    """Median luminance 0…255, permille of pixels ≥ 250, permille ≤ 5, of a ``(h, w) uint8`` picture."""
    histogram = cv2.calcHist([np.ascontiguousarray(grey)], [0], None, [256], [0, 256]).ravel()
    total = int(histogram.sum())
    median = int(np.searchsorted(np.cumsum(histogram), (total + 1) // 2))
    return median, int(histogram[250:].sum()) * 1000 // total, int(histogram[:6].sum()) * 1000 // total


def worst_glare(half: Image) -> int:
    """Permille of blown out pixels (≥ 250) in the worst region of a ``(h, w) uint8`` picture at half resolution.

    A reflection on a label is two thousandths of the picture and all of the label, so the share of the whole says
    nothing. Regions are 1/32 × 1/18 of the picture; those at its rim show the desk and do not count.
    """
    burnt = cv2.threshold(np.ascontiguousarray(half[::2, ::2]), 249, 255, cv2.THRESH_BINARY)[1]
    share = cv2.resize(burnt, (32, 18), interpolation=cv2.INTER_AREA)
    return round(1000 * int(share[2:-2, 4:-4].max()) / 255)


def is_white(grey: Image) -> bool:
    """Say whether a ``(h, w) uint8`` picture is blown out from corner to corner."""
    return bool(np.percentile(grey, 1) >= 250)


def is_black(grey: Image) -> bool:
    """Say whether a ``(h, w) uint8`` picture shows nothing at all: lens covered or light off."""
    return bool(np.percentile(grey, 99) <= 12)


def judge(frame: Image, gate: Gate) -> Quality:
    """All figures of a ``(h, w, 3) uint8 BGR`` or ``(h, w) uint8`` picture, with the reasons against it."""
    return judge_half(half_size(luminance(frame)), gate)


def judge_half(half: Image, gate: Gate) -> Quality:
    """The same of a luminance picture already at half resolution."""
    median, high, low = exposure(half)
    value = sharpness(half)
    glare = worst_glare(half)
    return Quality(value, median, high, low, glare, _reasons(value, median, high, low, glare, gate))


def _reasons(value: int, median: int, high: int, low: int, glare: int, gate: Gate) -> tuple[str, ...]:
    reasons = []
    if median < gate.min_brightness or low > gate.max_clipped_low:
        reasons.append("too dark")
    if median > gate.max_brightness:
        reasons.append("too bright")
    elif high > gate.max_clipped_high or glare > gate.max_glare:
        reasons.append("glare")
    if value < 0:
        reasons.append("no texture, cannot judge")
    elif value < gate.min_sharpness:
        reasons.append("not sharp")
    return tuple(reasons)

"""Where a code may be, and how it lies: places whose brightness changes back and forth, in one direction or in two.

Bars make gradients in one direction, a matrix of modules in two at right angles; either way bright-to-dark and
dark-to-bright balance out, which tells both from the edge of a box. Works at any tilt, from 1.5 to about 10 pixels per
module at each of the levels, which are three times apart.

Source: the structure tensor (J. Bigün and G. H. Granlund, ICCV 1987), its fourth-order sister for crossing directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from devices.camera.model import Image

CELL = 8
"""Side of a cell in pixels of its level: the finest place that the search tells apart."""
_SAMPLE = 2
"""Every other pixel of every other row says as much about texture as all of them."""
_WINDOW = 5
"""Side of the window that a cell's texture is averaged over, in cells."""
_BAND = 32
"""Rows of cells that are computed at once: what fits into the processor's cache."""
LEVEL = 3
"""Each level has so many times fewer pixels on a side."""
_SMALLEST = 96
"""Pixels: the shorter side of the smallest level."""
_MIN_ENERGY = 1000.0
"""Mean squared gradient (Sobel, levels²) below which there is no print; a faint, blurred code has 5000."""
_MAX_SLOPE_BARS = 0.04
"""Share of the energy in the mean gradient: 1 = a single edge, 0 = as much up as down."""
_MAX_SLOPE_MATRIX = 0.02
_MIN_BARS = 0.6
"""Share of the energy in one direction from which a cell belongs to bars (print has 0.8 and more)."""
_MAX_MATRIX = 0.75
"""… up to which it belongs to a matrix: the rows of PDF417 are bars too."""
_MIN_CROSSED = 0.1
"""Share of a matrix in two directions at right angles; less is cloth or grain."""
_CORE = 0.2
"""Share of the strongest cells' energy that a cell of the same code has at least."""
_MIN_CELLS = 20
_SPREAD = math.radians(18)
"""How far the direction of a cell may be from that of its region (a leaning label fans out)."""


class Kind(Enum):
    BARS = auto()
    MATRIX = auto()


@dataclass(frozen=True, slots=True)
class Region:
    """An upright rectangle in a turned picture."""

    kind: Kind
    angle: float
    """Radians, clockwise in the picture from its x axis to the direction of reading u (across the bars)."""
    left: float
    """Extent along u, pixels."""
    right: float
    top: float
    """Extent along v, which is u turned a quarter clockwise."""
    bottom: float
    weight: float
    """How much there is of it: its area in cells times contrast."""
    density: float
    """How much change there is per pixel."""

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        """In the picture's pixels."""
        return self.to_xy((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    def to_uv(self, x: float, y: float) -> tuple[float, float]:
        """From the picture's pixels to the region's axes."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        return x * c + y * s, y * c - x * s

    def to_xy(self, u: float, v: float) -> tuple[float, float]:
        """From the region's axes to the picture's pixels."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        return u * c - v * s, u * s + v * c

    def holds(self, x: float, y: float, *, slack: float = 0.0) -> bool:
        """The point lies inside, or at most ``slack`` pixels outside."""
        u, v = self.to_uv(x, y)
        return self.left - slack <= u <= self.right + slack and self.top - slack <= v <= self.bottom + slack


def levels(grey: Image) -> Iterator[Image]:
    """The picture, and copies of it that are three times smaller each: large modules look small in one of them."""
    while True:
        yield grey
        size = (grey.shape[1] // LEVEL, grey.shape[0] // LEVEL)
        if min(size) < _SMALLEST:
            return
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def regions(grey: Image) -> list[Region]:
    """Find what looks like codes, the weightiest first.

    Args:
        grey: ``(h, w) uint8``, one level.
    """
    if min(grey.shape) < 4 * CELL:
        return []
    cells = _measure(grey)
    lined = np.abs(cells.line)
    busy = cells.energy > _MIN_ENERGY
    bars = busy & (cells.slope < _MAX_SLOPE_BARS * cells.energy) & (lined > _MIN_BARS * cells.energy)
    matrix = busy & (cells.slope < _MAX_SLOPE_MATRIX * cells.energy) & (lined < _MAX_MATRIX * cells.energy)
    found = [_region(Kind.BARS, places, angle, cells) for places, angle in _split(bars, cells.line)]
    for places in _cores(matrix, cells.energy):
        crossing = cells.cross[places[:, 0], places[:, 1]].sum()
        if abs(crossing) > _MIN_CROSSED * cells.energy[places[:, 0], places[:, 1]].sum():
            found.append(_region(Kind.MATRIX, places, float(np.angle(crossing)) / 4, cells))
    return sorted(found, key=lambda one: -one.weight)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Texture, one value per cell, ``(rows, columns) float32``."""

    energy: NDArray[np.float32]
    line: NDArray[np.complex64]
    """Mean of gradient²/…: its angle is twice the direction, its length the energy in that direction."""
    cross: NDArray[np.complex64]
    """The same for two directions at right angles: its angle is four times the direction."""
    slope: NDArray[np.float32]
    """Energy of the mean gradient."""


def _measure(grey: Image) -> _Cells:
    rows, columns = grey.shape[0] // CELL, grey.shape[1] // CELL
    sums = np.empty((7, rows, columns), np.float32)
    for row in range(0, rows, _BAND):
        last = min(rows, row + _BAND)
        above = CELL if row else 0
        below = CELL if last * CELL < grey.shape[0] - CELL else 0
        part = grey[row * CELL - above : last * CELL + below, : columns * CELL]
        across, down = cv2.spatialGradient(np.ascontiguousarray(part))
        height = (last - row) * CELL
        dx = across[above : above + height : _SAMPLE, ::_SAMPLE].astype(np.float32)
        dy = down[above : above + height : _SAMPLE, ::_SAMPLE].astype(np.float32)
        a, b = dx * dx - dy * dy, 2 * dx * dy
        e = dx * dx + dy * dy
        inverse = 1 / (e + 1)
        planes = (e, a, b, (a * a - b * b) * inverse, 2 * a * b * inverse, dx, dy)
        for number, plane in enumerate(planes):
            sums[number, row:last] = cv2.resize(plane, (columns, last - row), interpolation=cv2.INTER_AREA)
    for plane in sums:
        cv2.blur(plane, (_WINDOW, _WINDOW), dst=plane)
    energy, *rest, mean_x, mean_y = sums
    line, cross = rest[0] + 1j * rest[1], rest[2] + 1j * rest[3]
    return _Cells(energy, line, cross, mean_x * mean_x + mean_y * mean_y)


def _patches(mask: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """Connected cells, as (row, column) pairs."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    for number in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= _MIN_CELLS):
        if number:  # 0 is the background
            x, y, width, height, _ = (int(value) for value in stats[number])
            yield np.argwhere(labels[y : y + height, x : x + width] == number) + np.array((y, x))


def _cores(mask: NDArray[np.bool_], energy: NDArray[np.float32]) -> Iterator[NDArray[np.intp]]:
    """Connected cells, without the fainter texture around that they have grown together with."""
    for places in _patches(mask):
        own = energy[places[:, 0], places[:, 1]]
        strong = own > _CORE * np.partition(own, -1 - len(own) // 10)[-1 - len(own) // 10]
        if np.count_nonzero(strong) >= 0.9 * len(places):
            yield places
            continue
        corner, shape = places.min(axis=0), np.ptp(places, axis=0) + 1
        rest = np.zeros(shape, np.bool_)
        rest[places[strong, 0] - corner[0], places[strong, 1] - corner[1]] = True
        for found in _patches(rest):
            yield found + corner


def _split(
    mask: NDArray[np.bool_], line: NDArray[np.complex64], depth: int = 0
) -> Iterator[tuple[NDArray[np.intp], float]]:
    """Connected cells of one direction, and the direction in radians."""
    for places in _patches(mask):
        here = line[places[:, 0], places[:, 1]]
        mean = here.sum()
        agree = np.abs(np.angle(here * np.conj(mean))) < 2 * _SPREAD
        if depth == 3 or np.count_nonzero(agree) >= 0.85 * len(places):
            yield places, float(np.angle(mean)) / 2
            continue
        corner, shape = places.min(axis=0), np.ptp(places, axis=0) + 1
        for part in (places[agree], places[~agree]):
            rest = np.zeros(shape, np.bool_)
            rest[part[:, 0] - corner[0], part[:, 1] - corner[1]] = True
            window = line[corner[0] : corner[0] + shape[0], corner[1] : corner[1] + shape[1]]
            for found, angle in _split(rest, window, depth + 1):
                yield found + corner, angle


def _region(kind: Kind, places: NDArray[np.intp], angle: float, cells: _Cells) -> Region:
    y, x = (places[:, 0] + 0.5) * CELL, (places[:, 1] + 0.5) * CELL
    c, s = math.cos(angle), math.sin(angle)
    u, v = x * c + y * s, y * c - x * s
    contrast = math.sqrt(float(cells.energy[places[:, 0], places[:, 1]].mean()))
    half = CELL / 2
    return Region(
        kind,
        angle,
        float(u.min()) - half,
        float(u.max()) + half,
        float(v.min()) - half,
        float(v.max()) + half,
        len(places) * contrast,
        contrast,
    )

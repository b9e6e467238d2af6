"""A picture → every barcode in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from devices.barcodes import patches, strips
from devices.barcodes.found import Found, FoundBy
from devices.barcodes.symbols import ALL, WHOLE, Symbol, read_symbols
from devices.barcodes.texture import LEVEL, Kind, Region, levels, regions
from station.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from devices.camera.model import Image

MAX_PIXELS = 24_000_000
"""A larger picture is scaled down: time and memory stay bounded."""
MAX_SIDE = 16_000
"""Pixels; zxing-cpp refuses 65 536."""
_SMALL = 60_000
"""Pixels of a picture that may be a cut-out with nothing around the code: the search for places needs its margin."""
_MAX_STRIPS = 16
"""Places with bars that are read again; more than that are on no bench."""
_MAX_RESTORED = 6
_MAX_PATCHES = 6
_MAX_GLANCES = 24
_LIVE_STRIPS = 3


def read_image(image: NDArray[np.generic]) -> tuple[Found, ...]:
    """Find and read every barcode in a picture.

    Args:
        image: ``(h, w, 3) uint8 BGR``; ``(h, w)`` grey, BGRA and 16-bit are taken too.

    Returns:
        From top to bottom; empty where there is none. The same picture always gives the same answer: what is tried is
        bounded by number, not by a clock.

    Raises:
        InvalidInput: the array is no picture at all.
    """
    grey, shrink = _grey(image)
    found = _Reader(grey).read()
    return tuple(
        sorted((_scaled(one, shrink) for one in found), key=lambda one: (one.corners[0][1], one.corners[0][0]))
    )


def read_middle(image: NDArray[np.generic], share: float = 0.6) -> tuple[Found, ...]:
    """Read what is held into the middle of a live picture: costs about a tenth of ``read_image``.

    Args:
        image: as for ``read_image``.
        share: of the picture's width and height that is looked at.

    Returns:
        As ``read_image``, with corners in the whole picture. Matrix codes are read as they are, bars at any tilt; a
        single reading of a live picture is no fact yet (``agree.TwoFrames``).

    Raises:
        InvalidInput: the array is no picture at all.
    """
    _check_shape(image)
    rows, columns = image.shape[:2]
    top, left = int(rows * (1 - share) / 2), int(columns * (1 - share) / 2)
    grey, shrink = _grey(image[top : rows - top, left : columns - left])
    found = (_scaled(one, shrink) for one in _Reader(grey).read_quickly())
    return tuple(_moved(one, left, top) for one in found)


def _check_shape(image: NDArray[np.generic]) -> None:
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)) or not image.size:
        raise InvalidInput(f"an array of shape {image.shape!r} is no picture: expected (h, w), (h, w, 3) or (h, w, 4)")


def _grey(image: NDArray[np.generic]) -> tuple[Image, float]:
    """Grey, 8 bits, not too large; and how many pixels of the original one of its pixels is."""
    _check_shape(image)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.dtype != np.uint8:
        image = _eight_bits(image)
    picture = np.ascontiguousarray(image)
    if picture.ndim == 3:
        code = cv2.COLOR_BGR2GRAY if picture.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
        picture = cv2.cvtColor(picture, code)
    rows, columns = picture.shape
    shrink = max(1.0, math.sqrt(rows * columns / MAX_PIXELS), max(rows, columns) / MAX_SIDE)
    if shrink > 1:
        size = (max(1, int(columns / shrink)), max(1, int(rows / shrink)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(picture, np.uint8), shrink


def _eight_bits(image: NDArray[np.generic]) -> NDArray[np.generic]:
    if image.dtype == np.uint16:
        return np.asarray(np.asarray(image, np.uint16) >> 8, np.uint8)
    if image.dtype == np.bool_:
        return np.asarray(image, np.uint8) * np.uint8(255)
    if image.dtype.kind not in "fui":
        raise InvalidInput(f"an array of {image.dtype!s} is no picture: expected uint8 or uint16")
    values = np.nan_to_num(np.asarray(image, np.float32))
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) * (255 / max(high - low, 1e-6)), np.uint8)


def _scaled(found: Found, shrink: float) -> Found:
    if shrink == 1:
        return found
    a, b, c, d = (((x + 0.5) * shrink - 0.5, (y + 0.5) * shrink - 0.5) for x, y in found.corners)
    return replace(found, corners=(a, b, c, d))


def _moved(found: Found, left: int, top: int) -> Found:
    a, b, c, d = ((x + left, y + top) for x, y in found.corners)
    return replace(found, corners=(a, b, c, d))


@dataclass(slots=True)
class _Claim:
    """One text that was read at one place, and how often independently."""

    symbol: Symbol
    begin: float
    end: float
    found_by: FoundBy
    along_bars: bool
    """It was read on lines that cross all bars: not a piece of a longer code."""
    votes: int = 1

    @property
    def is_believed(self) -> bool:
        if self.symbol.is_strong:
            # a sharpened picture may show characters that were never printed, and one in a hundred checks out
            return self.votes >= 2 or self.found_by is not FoundBy.RESTORED
        return self.votes >= 2 and (self.along_bars or not self.symbol.may_be_a_piece)

    def overlaps(self, other: _Claim) -> bool:
        """They cannot both be there."""
        a, b = sorted((self.begin, self.end)), sorted((other.begin, other.end))
        common = min(a[1], b[1]) - max(a[0], b[0])
        return common > 0.2 * min(a[1] - a[0], b[1] - b[0])


@dataclass(slots=True)
class _Claims:
    """What was read along one region."""

    all: list[_Claim] = field(default_factory=list)

    def add(self, symbol: Symbol, begin: float, end: float, found_by: FoundBy) -> None:
        claim = _Claim(symbol, begin, end, found_by, along_bars=found_by is not FoundBy.WHOLE)
        for known in self.all:
            if known.symbol.text == symbol.text and known.symbol.aim == symbol.aim and known.overlaps(claim):
                known.votes += 1
                if found_by is not FoundBy.WHOLE:  # read along the bars: its ends are the symbol's
                    known.begin, known.end, known.along_bars = begin, end, True
                return
        self.all.append(claim)

    def settled(self) -> list[_Claim]:
        """Those that are believed: enough agreeing readings, and none that contradicts."""
        return [
            one
            for one in self.all
            if one.is_believed
            and all(one is other or not one.overlaps(other) or _outweighs(one, other) for other in self.all)
        ]


def _outweighs(one: _Claim, other: _Claim) -> bool:
    if one.symbol.is_strong != other.symbol.is_strong and other.votes < 2:
        return one.symbol.is_strong
    return one.votes >= 3 * other.votes


class _Reader:
    """The passes over one picture."""

    def __init__(self, grey: Image) -> None:
        self._grey = grey
        self._found: list[Found] = []
        self._strips = _MAX_STRIPS
        self._restored = _MAX_RESTORED
        self._patches = _MAX_PATCHES

    def read(self) -> list[Found]:
        small = self._grey.size <= _SMALL
        whole = read_symbols(self._grey, ALL if small else WHOLE, turn=True, shrink=True, invert=small)
        lines = self._take_whole(whole)
        for number, grey in enumerate(levels(self._grey)):
            level = _Level(grey, LEVEL**number)
            places = regions(grey)
            unread = self._read_bars(level, [one for one in places if one.kind is Kind.BARS], lines)
            self._read_matrices(level, [one for one in places if one.kind is Kind.MATRIX] + unread)
        level = _Level(self._grey, 1)
        for symbol in lines:
            region = _region_of(symbol)
            if region is not None and not self._is_known(level, region):
                self._read_region(level, region, [symbol])
        return self._found

    def read_quickly(self) -> list[Found]:
        """Only what costs little, for a live picture."""
        lines = self._take_whole(read_symbols(self._grey, WHOLE, turn=True))
        self._strips, self._restored = _LIVE_STRIPS, 0
        level = _Level(self._grey, 1)
        self._read_bars(level, [one for one in regions(self._grey) if one.kind is Kind.BARS], lines)
        return self._found

    def _take_whole(self, whole: Sequence[Symbol]) -> list[Symbol]:
        """Keep the matrix codes; returns the linear ones, which are to be read again."""
        for symbol in whole:
            if not symbol.is_linear:
                self._take(symbol, symbol.corners, FoundBy.WHOLE)
        return [one for one in whole if one.is_linear]

    def _take(self, symbol: Symbol, corners: NDArray[np.float64], found_by: FoundBy) -> None:
        """Keep a reading unless something is known at its place already."""
        own, middle = corners.astype(np.float32), corners.mean(axis=0)
        for known in self._found:
            quad = np.array(known.corners, np.float32)
            if _inside(quad, middle) or _inside(own, quad.mean(axis=0)):
                return
        a, b, c, d = ((float(x), float(y)) for x, y in corners)
        self._found.append(Found(symbol.text, symbol.raw, symbol.symbology, symbol.aim, (a, b, c, d), found_by))

    def _is_known(self, level: _Level, region: Region) -> bool:
        middle = level.to_picture(np.array([region.middle]))[0]
        return any(_inside(np.array(one.corners, np.float32), middle) for one in self._found)

    def _read_bars(self, level: _Level, places: Sequence[Region], lines: list[Symbol]) -> list[Region]:
        """Read what looks like bars; what zxing-cpp has read there is taken out of ``lines`` and heard again.

        Returns:
            Places with bars that are no linear code: rows of a PDF417, perhaps.
        """
        unread = []
        for region in places:
            own = [one for one in lines if region.holds(*level.from_picture(one.corners).mean(axis=0), slack=4)]
            if not own:
                if self._strips == 0 or self._is_known(level, region):
                    continue
                if not strips.looks_readable(level.grey, region):
                    continue
                self._strips -= 1
            lines[:] = [one for one in lines if not any(one is mine for mine in own)]
            if not self._read_region(level, region, own):
                unread.append(region)
        return unread

    def _read_region(self, level: _Level, region: Region, own: Sequence[Symbol]) -> bool:
        """Read the bars of one region until it is settled; says whether anything was believed."""
        claims = _Claims()
        for symbol in own:
            ends = [region.to_uv(*corner)[0] for corner in level.from_picture(symbol.corners)]
            claims.add(symbol, (ends[0] + ends[3]) / 2, (ends[1] + ends[2]) / 2, FoundBy.WHOLE)
        for strip, found_by in self._tries(level, region, own, claims):
            for symbol in strips.read_strip(strip):
                claims.add(symbol, *strip.extent(symbol), found_by)
            settled = claims.settled()
            if settled:
                break
        for claim in settled:
            corners = strips.corners_of(level.grey, region, claim.begin, claim.end)
            self._take(claim.symbol, level.to_picture(corners), claim.found_by)
        return bool(settled)

    def _tries(
        self, level: _Level, region: Region, own: Sequence[Symbol], claims: _Claims
    ) -> Iterator[tuple[strips.Strip, FoundBy]]:
        """One way after the other to read a region; what has been claimed so far decides which come next."""
        grey = level.grey
        strip = strips.cut(grey, region)
        yield strip, FoundBy.STRIP
        if claims.all:
            yield strips.cut(grey, region, shift=-1.0), FoundBy.STRIP
            yield strips.cut(grey, region, shift=1.0), FoundBy.STRIP
        for symbol in own:
            lines = _region_of(symbol, 1 / level.scale)
            if lines is not None:
                yield strips.reread(grey, lines, region), FoundBy.WHOLE
        if self._restored:
            self._restored -= 1
            for clear in strips.restored(grey, region):
                yield clear, FoundBy.RESTORED
        if not claims.all:
            yield strips.inverted(strip), FoundBy.STRIP
        if claims.all:
            yield strips.inverted(strips.cut(grey, region, shift=-1.0)), FoundBy.STRIP

    def _read_matrices(self, level: _Level, places: Sequence[Region]) -> None:
        for region in sorted(places, key=lambda one: -one.density)[:_MAX_GLANCES]:
            if self._patches == 0:
                return
            if self._is_known(level, region) or not patches.looks_readable(level.grey, region):
                continue
            self._patches -= 1
            for symbol, corners in patches.readings(level.grey, region):
                self._take(symbol, level.to_picture(corners), FoundBy.PATCH)


@dataclass(frozen=True, slots=True)
class _Level:
    """One of the copies of the picture."""

    grey: Image
    scale: int
    """How many times smaller it is."""

    def to_picture(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return points if self.scale == 1 else (points + 0.5) * self.scale - 0.5

    def from_picture(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return points if self.scale == 1 else (points + 0.5) / self.scale - 0.5


def _inside(quad: NDArray[np.float32], point: NDArray[np.float64]) -> bool:
    return cv2.pointPolygonTest(quad.reshape(-1, 1, 2), (float(point[0]), float(point[1])), False) >= 0


def _region_of(symbol: Symbol, scale: float = 1.0) -> Region | None:
    """Where a linear symbol was read, as the lines lie that were read."""
    corners = symbol.corners * scale
    begin, end = corners[[0, 3]].mean(axis=0), corners[[1, 2]].mean(axis=0)
    along = end - begin
    if not np.any(along):
        return None
    blank = Region(Kind.BARS, math.atan2(along[1], along[0]), 0, 0, 0, 0, 0, 0)
    places = np.array([blank.to_uv(*corner) for corner in corners])
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    more = 8 + 0.3 * (bottom - top)  # the strip is cut out a little narrower than its region
    return Region(Kind.BARS, blank.angle, left, right, top - more, bottom + more, 0, 0)

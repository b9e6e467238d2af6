"""The edge to zxing-cpp: which formats a returns bench meets, and one symbol as it came out of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import zxingcpp

from station.identify.text import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from devices.camera.model import Image

_Format = zxingcpp.BarcodeFormat

RETAIL = (_Format.EANUPC,)
LINEAR = (*RETAIL, _Format.Code128, _Format.Code39, _Format.ITF, _Format.DataBar)
SQUARE = (_Format.QRCodeModel2, _Format.DataMatrix, _Format.Aztec)
STACKED = (_Format.PDF417,)
WHOLE = (*LINEAR, *SQUARE)
"""What is looked for in the whole of a large picture. PDF417 costs a quarter of the time there, and is seen only
upright; the search for places finds it at any tilt."""
ALL = (*LINEAR, *SQUARE, *STACKED)
# No Micro QR: the corner of a tilted QR code reads as one. No Code 93, Codabar, MSI: nothing that comes back bears
# them, and each format more is one more thing that clutter can be taken for.

_LINEAR_SYMBOLOGIES = frozenset(
    int(one) for one in (_Format.EANUPC, _Format.Code128, _Format.Code39, _Format.ITF, _Format.DataBar)
)
_STRONG_LINEAR = frozenset(int(one) for one in (_Format.Code128, _Format.DataBar))
_PIECES = frozenset(int(one) for one in (_Format.ITF, _Format.ITF14, _Format.UPCE, _Format.EAN8))


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol that zxing-cpp found in one picture."""

    text: str
    """Control characters as they are: GS between two GS1 elements."""
    raw: bytes
    symbology: str
    aim: str
    corners: NDArray[np.float64]
    """``(4, 2)``: pixels of the picture it was read from; upper left, upper right, lower right, lower left of the
    symbol. Of a linear symbol read at an angle these are the ends of the lines that were read."""
    is_linear: bool
    is_strong: bool
    """Its own check makes a wrong reading very unlikely: error correction, or a check over all characters."""
    may_be_a_piece: bool
    """A line that leaves the bars of a longer code above or below can look like this one (zxing-cpp issue 255)."""


def read_symbols(
    image: Image,
    formats: Sequence[zxingcpp.BarcodeFormat],
    *,
    turn: bool = False,
    shrink: bool = False,
    invert: bool = False,
) -> list[Symbol]:
    """Read one picture with zxing-cpp; symbols with errors are left out.

    Args:
        image: ``(h, w) uint8``.
        turn: look for linear symbols from top to bottom too.
        shrink: look at smaller copies too.
        invert: look for light matrix symbols on a dark ground too.
    """
    if image.size == 0:
        return []
    found = zxingcpp.read_barcodes(
        np.ascontiguousarray(image),
        formats=zxingcpp.BarcodeFormats(formats),
        try_rotate=turn,
        try_downscale=shrink,
        try_invert=invert,
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [_symbol(one) for one in found if one.valid and (one.text or one.bytes)]


def _symbol(found: zxingcpp.Barcode) -> Symbol:
    place = found.position
    corners = [(point.x, point.y) for point in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
    family = int(found.symbology)
    linear = family in _LINEAR_SYMBOLOGIES
    return Symbol(
        text=found.text or decode(found.bytes),
        raw=bytes(found.bytes),
        symbology=str(found.format),
        aim=found.symbology_identifier,
        corners=np.array(corners, np.float64),
        is_linear=linear,
        is_strong=not linear or family in _STRONG_LINEAR,
        may_be_a_piece=int(found.format) in _PIECES,
    )

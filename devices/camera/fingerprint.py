"""Is this the photo that was used before? A fingerprint that survives re-encoding and that two items do not share.

Context: a photo that proves the condition of one unit must not be filed for another. On a bench the usual perceptual
hash (64 bits, the whole picture) fails: background and framing are always the same, so two items of one article came
out equal, distance 0. Decision: the middle of the picture only, 1024 bits: the signs of its 1024 lowest
frequencies. Price: 128 bytes a photo; two real photos of an item that was not moved between them count as one; and a
photo that was cropped by more than half a percent, or shrunk below about 480 pixels, mostly gets away. It is a reason
to look, not a proof.

Measured on rendered scenes at 960×540 with sensor noise: 11 articles, front, label and other side, ten items each, put
down within ±4 % of the height and ±7° (labels 0°).

======================================  ==============================  =====================
two pictures                            distance                        taken for one (≤ 50)
======================================  ==============================  =====================
two items, same article, same side      min 44, 1 % below 118, med 494  1 of 1485
same photo, JPEG quality 40             max 49                          100 %
same photo at half size                 max 42                          100 %
same photo darker, noisier or blurred   max 33                          100 %
same photo brighter (highlights lost)   max 90                          67 %
same photo, up to 0.5 % cut off a side  max 93                          75 %
same photo, up to 1 % cut off a side    max 156                         10 %
======================================  ==============================  =====================

Real photos are yet to be measured.
Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), the DCT based hash.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from devices.camera.quality import luminance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from devices.camera.model import Image

BITS = 1024
SAME_PHOTO_AT_MOST = 50
"""Distance up to which two pictures are one photo."""
_SIDE = 128
_WIDTH, _HEIGHT = 0.70, 0.85
"""Part of the picture that is looked at: the item, not the desk."""


@lru_cache(maxsize=1)
def _lowest() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the 1024 lowest frequencies without the mean, by diagonals."""
    order = sorted((row + column, row, column) for row in range(_SIDE // 2) for column in range(_SIDE // 2))
    chosen = order[1 : BITS + 1]
    return np.array([row for _, row, _ in chosen]), np.array([column for _, _, column in chosen])


def fingerprint(image: Image) -> int:
    """1024 bits, most significant first: lowest frequency first.

    Args:
        image: ``(h, w, 3) uint8 BGR`` or ``(h, w) uint8``, any size.
    """
    height, width = image.shape[:2]
    rows, columns = max(1, round(height * _HEIGHT)), max(1, round(width * _WIDTH))
    top, left = (height - rows) // 2, (width - columns) // 2
    middle = luminance(np.ascontiguousarray(image[top : top + rows, left : left + columns]))
    square = cv2.resize(middle, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    signs = cv2.dct(square)[_lowest()] > 0
    return int.from_bytes(np.packbits(signs).tobytes(), "big")


def distance(a: int, b: int) -> int:
    """How many bits differ, 0…1024; about 512 for pictures that have nothing in common."""
    return (a ^ b).bit_count()

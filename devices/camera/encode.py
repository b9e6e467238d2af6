"""JPEG for the record, within the size budget: at most 1920 pixels on the longer side and 1 MB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from devices.camera.exif import Origin, exif_segment
from devices.camera.jpeg import insert_after_jfif
from station.errors import Defect

if TYPE_CHECKING:
    from devices.camera.model import Image

MAX_SIDE = 1920
"""Pixels."""
MAX_BYTES = 1_000_000
_QUALITIES = (90, 85, 80, 75, 70)
_SHRINK = 0.85


def fit(image: Image, width: int, height: int) -> tuple[int, int]:
    """The largest (width, height) inside the given box with the picture's aspect ratio; never larger than it is."""
    rows, columns = image.shape[:2]
    scale = min(1.0, width / columns, height / rows)
    return max(1, round(columns * scale)), max(1, round(rows * scale))


def encode_jpeg(
    image: Image, *, max_side: int = MAX_SIDE, max_bytes: int = MAX_BYTES, origin: Origin | None = None
) -> tuple[bytes, int, int]:
    """Encode a picture.

    Args:
        image: ``(h, w, 3) uint8 BGR``.
        origin: goes into the file as EXIF; None = none is written.
        max_side: longer side in pixels; a larger picture is scaled down.
        max_bytes: quality goes from 90 down to 70 to stay below; if that is not enough, the picture shrinks.

    Returns:
        The JPEG's bytes and its (width, height).
    """
    about = None if origin is None else exif_segment(origin)
    room = max_bytes - (0 if about is None else len(about.body) + 4)
    size = fit(image, max_side, max_side)
    while True:
        fitted = _scaled(image, size)
        for quality in _QUALITIES:
            done, data = cv2.imencode(".jpg", fitted, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if not done:
                raise Defect(f"cv2 did not encode a picture of shape {image.shape!r} and type {image.dtype}")
            if data.size <= room:
                jpeg = data.tobytes()
                return jpeg if about is None else insert_after_jfif(jpeg, about), size[0], size[1]
        if size[0] <= 16 or size[1] <= 16:
            raise Defect(f"a picture of {size[0]}×{size[1]} does not fit into {max_bytes} bytes")
        size = (max(16, int(size[0] * _SHRINK)), max(16, int(size[1] * _SHRINK)))


def _scaled(image: Image, size: tuple[int, int]) -> Image:
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)

"""A picture file → pixels, the right way up."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image as PilImage
from PIL import ImageOps, UnidentifiedImageError

from station.errors import InvalidInput

if TYPE_CHECKING:
    from devices.camera.model import Image

MAX_BYTES = 100_000_000
MAX_PIXELS = 120_000_000
"""More than any camera has; a small file that unfolds into gigabytes is refused before it does."""


def load_picture(path: Path) -> Image:
    """Read a picture file, turned as its EXIF data says.

    Returns:
        ``(h, w, 3) uint8 BGR``; transparent parts are white.

    Raises:
        InvalidInput: it cannot be read, is no picture, or is far too large.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InvalidInput(f"{str(path)!r} has {size} bytes: expected a picture of at most 100 MB")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise InvalidInput(f"cannot read {str(path)!r}: {reason or error}") from error
    return decode_picture(data, str(path))


def decode_picture(data: bytes, name: str = "the picture") -> Image:
    """The same for a file's bytes; ``name`` is for the error's text.

    Raises:
        InvalidInput: no picture, cut short, or far too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a half-broken file: it is read or refused, nothing between
            with PilImage.open(io.BytesIO(data)) as file:
                width, height = file.size
                if width * height > MAX_PIXELS:
                    raise InvalidInput(f"{name!r} has {width} × {height} pixels: expected at most 120 million")
                return _pixels(ImageOps.exif_transpose(file))
    except InvalidInput:
        raise
    except UnidentifiedImageError as error:  # its own words name a buffer of ours
        raise InvalidInput(
            f"{name!r} is no picture that can be read (of no kind that is known): "
            "expected JPEG, PNG, WebP, TIFF or BMP, complete"
        ) from error
    except Exception as error:  # what Pillow's decoders raise for broken files has no common class
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InvalidInput(
            f"{name!r} is no picture that can be read ({reason}): expected JPEG, PNG, WebP, TIFF or BMP, complete"
        ) from error


def _pixels(file: PilImage.Image) -> Image:
    if file.mode.startswith(("I;16", "I", "F")):
        values = np.asarray(file).astype(np.float64)
        top = 65_535.0 if file.mode.startswith("I") and values.max(initial=0) > 255 else max(1.0, values.max(initial=0))
        grey = np.clip(values * (255 / top), 0, 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    if file.mode in ("RGBA", "LA", "PA") or "transparency" in file.info:
        solid = PilImage.new("RGBA", file.size, "white")
        solid.alpha_composite(file.convert("RGBA"))
        file = solid
    return np.asarray(cv2.cvtColor(np.asarray(file.convert("RGB")), cv2.COLOR_RGB2BGR), np.uint8)

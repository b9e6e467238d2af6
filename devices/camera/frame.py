"""One frame as it came from the camera, decoded no further than somebody needs it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.camera.model import Image

_JPEG_START = b"\xff\xd8\xff"


class Frame:
    """Pixels, or the JPEG that the camera made, decoded only as large as somebody needs it.

    Decoding is most of what a camera costs. At half size it takes a third less, and a preview needs no more; the whole
    picture is decoded only when it is photographed. Used by one thread.
    """

    def __init__(
        self, at: float, number: int, image: Image | None, packet: Image | None, size: tuple[int, int]
    ) -> None:
        self.at = at
        """Monotonic seconds when ``read`` returned."""
        self.number = number
        self._full = image
        self._packet = packet
        self._size = size
        self._half: Image | None = None

    def checksum(self) -> int:
        """Differs from frame to frame with a living sensor, whose noise changes every picture."""
        if self._packet is not None:
            return zlib.crc32(self._packet.tobytes())
        full = self.full()
        return 0 if full is None else zlib.crc32(full[::16].tobytes())

    def full(self) -> Image | None:
        """``(h, w, 3) uint8 BGR``; None = the JPEG is broken."""
        import cv2

        if self._full is None and self._packet is not None:
            self._full = _picture(cv2.imdecode(self._packet, cv2.IMREAD_COLOR))
        return self._full

    def at_least(self, width: int, height: int) -> Image | None:
        """The picture at half size if that covers (width, height) in one direction, else whole; None = broken."""
        import cv2

        half_width, half_height = self._size[0] // 2, self._size[1] // 2
        if self._packet is None or self._full is not None or (half_width < width and half_height < height):
            return self.full()
        if self._half is None:
            self._half = _picture(cv2.imdecode(self._packet, cv2.IMREAD_REDUCED_COLOR_2))
        return self._half

    def half_luminance(self) -> Image | None:
        """``(h/2, w/2) uint8``, from whatever is decoded already; None = broken."""
        from devices.camera.quality import half_size, luminance

        if self._half is not None:
            return luminance(self._half)
        full = self.full()
        return None if full is None else half_size(luminance(full))


def frame_of(data: Image, at: float, number: int, size: tuple[int, int]) -> Frame:
    """Tell a picture from a JPEG: the latter is one row (or one column) of bytes that begins with its marker."""
    if data.ndim in (1, 2) and 1 in (data.ndim, *data.shape) and data.ravel()[:3].tobytes() == _JPEG_START:
        return Frame(at, number, None, data.ravel(), size)
    return Frame(at, number, data if data.ndim == 3 and data.shape[2] == 3 else None, None, size)


def _picture(decoded: object) -> Image | None:
    import numpy as np

    return decoded if isinstance(decoded, np.ndarray) and decoded.ndim == 3 and decoded.size else None

"""What was read in a picture. Plain values: no cv2, no zxing-cpp."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
"""x to the right, y down, pixels."""


class FoundBy(StrEnum):
    """The pass that read it first."""

    WHOLE = "whole"
    """zxing-cpp on the picture as it is."""
    STRIP = "strip"
    """Bars that were laid upright."""
    RESTORED = "restored"
    """Bars that were laid upright, averaged and sharpened."""
    PATCH = "patch"
    """A matrix that was laid upright and enlarged."""


@dataclass(frozen=True, slots=True)
class Found:
    """One barcode in a picture."""

    text: str
    """Control characters as they are: GS between two GS1 elements. EAN and UPC as 13 digits, EAN-8 as 8."""
    raw: bytes
    """What the symbol holds, before any character set."""
    symbology: str
    """``EAN-13``, ``Code 128``, ``QR Code`` …: zxing-cpp's names."""
    aim: str
    """AIM symbology identifier, e.g. ``]E0``."""
    corners: tuple[Point, Point, Point, Point]
    """In the picture that was given, clockwise from the symbol's own upper left corner."""
    found_by: FoundBy

    @property
    def as_scan(self) -> bytes:
        """As a scanner with AIM identifiers switched on would send it."""
        return self.aim.encode("ascii") + self.text.encode("utf-8", "surrogatepass")

"""Colour arithmetic: contrast as WCAG defines it, and how far apart two colours are for colour-blind eyes."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

Triple: TypeAlias = tuple[float, float, float]


class Vision(StrEnum):
    """Ways of seeing colour that the palette must survive."""

    NORMAL = "normal"
    PROTAN = "protan"
    DEUTAN = "deutan"
    TRITAN = "tritan"


_MACHADO: dict[Vision, tuple[Triple, Triple, Triple]] = {
    Vision.PROTAN: (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    Vision.DEUTAN: (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    Vision.TRITAN: (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""Severity 1.0, applied to linear RGB."""


def linear(colour: str) -> Triple:
    """Linear-light red, green and blue (0…1) of ``#RRGGBB``.

    >>> linear("#FFFFFF")
    (1.0, 1.0, 1.0)
    """
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two opaque colours, 1…21.

    Source: WCAG 2.2, definitions of contrast ratio and relative luminance.

    >>> round(contrast("#000000", "#FFFFFF"), 1)
    21.0
    """
    first, second = (0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(other)))
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def difference(one: str, other: str, vision: Vision = Vision.NORMAL) -> float:
    """ΔE*76 between two colours as seen with one kind of vision.

    Source: CIE 1976 L*a*b*, D65; Machado, Oliveira, Fernandes (2009), severity 1.0.

    >>> round(difference("#000000", "#FFFFFF"))
    100
    """
    seen = [_lab(_simulate(linear(colour), vision)) for colour in (one, other)]
    return float(sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5)


def _simulate(rgb: Triple, vision: Vision) -> Triple:
    if vision is Vision.NORMAL:
        return rgb
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * channel for weight, channel in zip(row, rgb, strict=True))))
        for row in _MACHADO[vision]
    )
    return red, green, blue


def _lab(rgb: Triple) -> Triple:
    red, green, blue = rgb
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)

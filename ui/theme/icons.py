"""Icons: SVG files in ``resources/icons``, drawn in any colour and size, kept as pixmaps."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from station.assets import asset
from station.errors import Defect


@lru_cache(maxsize=64)
def _source(name: str) -> bytes:
    return asset("icons", f"{name}.svg").read_bytes()


@lru_cache(maxsize=256)
def icon(name: str, size: int, colour: str, ratio: float = 1.0) -> QPixmap:
    """An icon as a square pixmap.

    Args:
        name: file name in ``resources/icons`` without ``.svg``.
        size: edge in logical pixels.
        colour: ``#RRGGBB``.
        ratio: device pixel ratio of where it is painted.

    Raises:
        Defect: no such icon, or it is not an SVG.
    """
    renderer = QSvgRenderer(QByteArray(_source(name).replace(b"currentColor", colour.encode())))
    if not renderer.isValid():
        raise Defect(f"icon {name!r} is not a readable SVG")
    edge = max(1, round(size * ratio))
    pixmap = QPixmap(edge, edge)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, edge, edge))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap

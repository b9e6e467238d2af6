"""Every state as a picture: ``python -m ui.bench.gallery OUTDIR [--theme dark] [--size 1920x1080] [--scale 1.0]``.

For looking, not for comparing pixels: a person opens the pictures before a screen is called done.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QApplication

from station.inspection.view import BenchView
from ui.bench.gallery_views import NOW, VIEWS
from ui.bench.placement import Stage, place
from ui.bench.window import BenchIdentity, BenchWindow
from ui.theme.metrics import Metrics
from ui.theme.tokens import THEMES, Theme

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

IDENTITY = BenchIdentity("Bench 07", "Receiving hall A", "Ana K.")
_DPI = {1366: 100.0, 1920: 102.0}


class StillClock:
    """A clock that stands at the moment of the fixtures."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def sketch(kind: str, width: int, height: int) -> QImage:
    """A plain drawing of an item, so that picture places are not empty."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#3A4650"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(QRectF(width * 0.06, height * 0.06, width * 0.88, height * 0.88), QColor("#4B5862"))
    unit = height / 10
    middle = QPointF(width / 2, height / 2)
    ink = QColor("#C98383" if "broken" in kind else "#DDE5EA")
    painter.setPen(QPen(ink, unit * 0.55, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    if kind == "pens.png":
        for number in range(4):
            x = middle.x() + (number - 1.5) * unit * 1.5
            painter.drawLine(QPointF(x, middle.y() - 2.6 * unit), QPointF(x, middle.y() + 2.6 * unit))
    else:
        painter.drawArc(QRectF(middle.x() - 2.4 * unit, middle.y() - 3 * unit, 4.8 * unit, 5 * unit), 0, 180 * 16)
        painter.setBrush(QColor("#2B353D"))
        for side in (-1, 1):
            cup = QRectF(0, 0, 1.5 * unit, 2.6 * unit)
            cup.moveCenter(QPointF(middle.x() + side * 2.4 * unit, middle.y() + 1.1 * unit))
            painter.drawRoundedRect(cup, unit * 0.6, unit * 0.6)
    painter.end()
    return image


def as_array(image: QImage) -> NDArray[uint8]:
    """A QImage as the ``(height, width, 4) uint8 BGRA`` array that a camera hands over."""
    import numpy

    picture = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = numpy.frombuffer(picture.constBits(), numpy.uint8)
    return flat.reshape(picture.height(), picture.bytesPerLine() // 4, 4)[:, : picture.width()].copy()


def make_window(theme: Theme, width: int, height: int, scale: float, folder: Path) -> BenchWindow:
    """A window as on a bench with everything working but low paper."""
    metrics = Metrics(_DPI.get(width, 102.0), scale)
    window = BenchWindow(
        IDENTITY,
        theme,
        metrics=metrics,
        photo_loader=lambda sha: (folder / "headphones.png").read_bytes(),
        picture_folder=folder,
        clock=StillClock(),
    )
    window.resize(width, height)
    for device in ("scanner", "scale", "camera"):
        window.show_light(device, "working", "")
    window.show_light("printer", "silent", "paper low")
    window.show_sync("online", 12, 3, NOW, 0)
    return window


def write_pictures(folder: Path) -> None:
    """Reference pictures for the fixtures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("headphones.png", "pens.png", "seal-intact.png", "seal-broken.png"):
        sketch(name, 640, 400).save(str(folder / name))


def shoot(window: BenchWindow, view: BenchView, path: Path) -> None:
    """Show one view and write what is on the screen."""
    window.show_view(view)
    if place(view).stage is Stage.LIVE:
        window.show_indication(view.weight.gross_mg if view.weight else None, "waiting", False)
        window.show_frame(as_array(sketch("item", 960, 540)), 0.7 if view.wants_photo else 0.0, "hold still")
    for _ in range(3):
        QApplication.processEvents()
        window.grab()
        window.pictures.wait()
        QApplication.processEvents()
    window.grab().save(str(path))


def main(arguments: list[str] | None = None) -> int:
    """Write one PNG per state."""
    parser = argparse.ArgumentParser(prog="python -m ui.bench.gallery", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--theme", choices=sorted(THEMES), default="dark")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="")
    options = parser.parse_args(arguments)
    width, _, height = options.size.partition("x")
    if "DISPLAY" not in os.environ and "WAYLAND_DISPLAY" not in os.environ:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication(sys.argv[:1])
    write_pictures(options.folder / "pictures")
    window = make_window(THEMES[options.theme], int(width), int(height), options.scale, options.folder / "pictures")
    window.show()
    for name, view in VIEWS.items():
        if options.only in name:
            shoot(window, view, options.folder / f"{name}.png")
    if options.only in "20-help":
        window.show_help(True)
        shoot_as_is(window, options.folder / "20-help.png")
        window.show_help(False)
    if options.only in "21-banner":
        window.show_banner("The printer is out of paper: labels wait and print when there is a new roll")
        shoot(window, VIEWS["11-photos"], options.folder / "21-banner.png")
    window.close()
    application.processEvents()
    return 0


def shoot_as_is(window: BenchWindow, path: Path) -> None:
    """Write what is on the screen now."""
    QApplication.processEvents()
    window.grab().save(str(path))


if __name__ == "__main__":
    sys.exit(main())

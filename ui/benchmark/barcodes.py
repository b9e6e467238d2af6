"""Barcodes in pictures: reads, wrong reads and time beside zxing-cpp alone, at every tilt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ui.benchmark.figure import Figure

if TYPE_CHECKING:
    from devices.camera.model import Image
    from ui.benchmark.barcode_scenes import Scene

_TILTS = 24
"""Every 7.5° of half a turn; each with three scenes of two codes."""


class _Count:
    """What one reader makes of the scenes."""

    def __init__(self, read: Callable[[Image], list[str]]) -> None:
        self._read = read
        self.reads = 0
        self.wrong = 0
        self.milliseconds = 0.0

    def look(self, scene: Scene) -> None:
        started = time.thread_time()
        found = self._read(scene.image)
        self.milliseconds += (time.thread_time() - started) * 1000
        there = {one.text for one in scene.codes}
        self.reads += len(there & set(found))
        self.wrong += len(set(found) - there)


def measure(folder: Path) -> list[Figure]:
    """Read drawn scenes with both readers on one core each.

    Args:
        folder: not used, nothing is written.
    """
    import cv2

    cv2.setNumThreads(1)
    ours, alone = _Count(_ours), _Count(_zxing_alone)
    codes = 0
    for scene in scenes(_TILTS):
        codes += len(scene.codes)
        ours.look(scene)
        alone.look(scene)
    count = _TILTS * 3
    value, limit = ours.milliseconds / count, alone.milliseconds / count
    what = f"zxing-cpp alone, the same formats, {codes} codes in {count} scenes at every tilt"
    return [
        Figure(
            "barcode_reads", ours.reads, f"of {codes}", alone.reads, what,
            round(alone.reads / max(1, ours.reads), 2), "more than the limit", ours.reads > alone.reads,
        ),
        Figure(
            "barcode_wrong_reads", ours.wrong, "", alone.wrong, what,
            round(ours.wrong / max(1, alone.wrong), 2), "no more than the limit", ours.wrong <= alone.wrong,
        ),
        Figure(
            "barcode_time", round(value, 1), "ms", round(limit, 1), f"{what}; CPU time of one picture",
            round(value / limit, 2), "≤ 2 × the limit", value <= 2 * limit,
        ),
    ]  # fmt: skip


def scenes(tilts: int) -> Iterator[Scene]:
    """Three scenes of 1280 × 960 pixels for each tilt, two codes in each; every second one is hard to read.

    Args:
        tilts: how many, evenly over half a turn; the second code of a scene lies across the first.
    """
    import numpy as np

    from ui.benchmark.barcode_scenes import LINEAR, MATRIX, Shooting, Wanted, photograph

    symbologies = (*LINEAR, *MATRIX, "QRCode")
    for number in range(tilts * 3):
        random = np.random.default_rng(number)
        hard = number % 2 == 1
        wanted = tuple(
            Wanted(
                symbologies[(2 * number + place) % len(symbologies)],
                Shooting(
                    module_px=float(random.choice([1.5, 2.0, 2.5, 3.0])),
                    tilt_deg=180.0 * (number // 3) / tilts + 90.0 * place,
                    lean=float(random.choice([0.0, 0.15, 0.3])),
                    lean_towards_deg=float(random.uniform(0, 360)),
                    blur_px=float(random.choice([0.7, 1.0, 1.3])) if hard else 0.5,
                    motion_px=float(random.choice([0.0, 3.0])) if hard else 0.0,
                    noise=6.0 if hard else 3.0,
                    contrast=float(random.choice([0.4, 0.85])) if hard else 0.85,
                    quality=75 if hard else 90,
                ),
            )
            for place in (0, 1)
        )
        yield photograph(wanted, number)


def _ours(image: Image) -> list[str]:
    from devices.barcodes.read import read_image

    return [one.text for one in read_image(image)]


def _zxing_alone(image: Image) -> list[str]:
    import zxingcpp

    from devices.barcodes.symbols import ALL

    formats = zxingcpp.BarcodeFormats(ALL)
    return [one.text for one in zxingcpp.read_barcodes(image, formats=formats, text_mode=zxingcpp.TextMode.Plain)]

"""Shutter → photo hashed and durable, 1080p at quality 90."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from station.store.photos import PhotoStore
from ui.benchmark.figure import Figure, percentile

_REPEATS = 60


def measure(folder: Path) -> list[Figure]:
    """Encode and keep, each beside the bare encode + write + fsync + rename of the same picture."""
    import cv2
    import numpy as np

    from devices.camera.encode import encode_jpeg

    cv2.setNumThreads(1)
    noise = np.random.default_rng(1)
    small = noise.integers(0, 255, (135, 240, 3), dtype=np.uint8)
    scene = cv2.GaussianBlur(cv2.resize(small, (1920, 1080), interpolation=cv2.INTER_CUBIC), (0, 0), 2)
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        photos = PhotoStore(Path(scratch) / "photos")
        for number in range(_REPEATS):
            picture = np.asarray(scene + noise.integers(0, 6, scene.shape, dtype=np.uint8), np.uint8)
            started = time.perf_counter()
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
            _write(Path(scratch) / f"{number}.jpg", data.tobytes())
            bare.append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            jpeg, _, _ = encode_jpeg(picture)
            photos.keep(jpeg)
            ours.append((time.perf_counter() - started) * 1000)
    value, limit = percentile(ours, 50), percentile(bare, 50)
    return [
        Figure(
            "shutter_to_durable", round(value, 1), "ms", round(limit, 1), "bare cv2.imencode + write + fsync + rename",
            round(value / limit, 2), "≤ 1.5 × the limit", value <= 1.5 * limit,
        )
    ]  # fmt: skip


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

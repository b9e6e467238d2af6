"""A figure and its limit."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One line of ``station benchmark`` (DESIGN §8)."""

    name: str
    value: float
    unit: str
    limit: float
    limit_is: str
    """What the limit is, in words."""
    ratio: float
    """value ÷ limit for times; limit ÷ value for rates: 1.0 = as good as the bare minimum."""
    target: str
    ok: bool


class Report(msgspec.Struct, frozen=True):
    """The whole run."""

    machine: dict[str, str]
    figures: list[Figure]


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": str(os.cpu_count()),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "",
    }


class Append:
    """The raw limit of a durable write: append some bytes to a file and fsync it."""

    def __init__(self, folder: Path, size: int = 2_000) -> None:
        self._file = (folder / "append.raw").open("ab", buffering=0)
        self._bytes = b"x" * size

    def once_ms(self) -> float:
        started = time.perf_counter()
        self._file.write(self._bytes)
        os.fsync(self._file.fileno())
        return (time.perf_counter() - started) * 1000

    def close(self) -> None:
        self._file.close()

"""Figures of the running server for Prometheus.

Counters and histograms of all workers lie in one block of shared memory, made before the workers are forked: each
worker adds in a slot of its own, and whichever is asked sums them all up. A worker that replaces a dead one takes over
its slot with what it counted, so that counters never go back. Gauges about the database are read from it when asked.

Source: Prometheus, "Exposition formats", text format 0.0.4.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CAPACITY: Final = 4096
"""Numbers in a slot; the first is the process id."""
_DOUBLE: Final = struct.Struct("d")


class Slots:
    """Shared numbers: one row per worker. Make it before forking."""

    def __init__(self, workers: int) -> None:
        self._count = workers
        self._memory = mmap.mmap(-1, workers * _CAPACITY * _DOUBLE.size)
        self._claim = get_context("fork" if hasattr(os, "fork") else None).Lock()
        self._adding = threading.Lock()
        self._owner = 0
        self._mine = 0

    def add(self, number: int, amount: float) -> None:
        """Add to one of this worker's numbers."""
        with self._adding:
            if self._owner != os.getpid():
                self._take_slot()
            place = (self._mine * _CAPACITY + number) * _DOUBLE.size
            (before,) = _DOUBLE.unpack_from(self._memory, place)
            _DOUBLE.pack_into(self._memory, place, before + amount)

    def total(self, number: int) -> float:
        """The sum over all workers, dead ones too."""
        return sum(self._read(slot, number) for slot in range(self._count))

    def _take_slot(self) -> None:
        with self._claim:
            free = [slot for slot in range(self._count) if not _lives(int(self._read(slot, 0)))]
            self._mine = free[0] if free else 0
            _DOUBLE.pack_into(self._memory, self._mine * _CAPACITY * _DOUBLE.size, float(os.getpid()))
        self._owner = os.getpid()

    def _read(self, slot: int, number: int) -> float:
        value: float = _DOUBLE.unpack_from(self._memory, (slot * _CAPACITY + number) * _DOUBLE.size)[0]
        return value


def _lives(process: int) -> bool:
    if not process:
        return False
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Gauge:
    """A value that is known when it is asked for."""

    name: str
    help: str
    values: Sequence[tuple[Mapping[str, str], float]]


class Metrics:
    """What this server counts. Every series is named at the start, in the same order in every worker."""

    def __init__(self, slots: Slots | None = None) -> None:
        self._slots = slots or Slots(1)
        self._next = 1
        self._counters: dict[str, tuple[str, dict[tuple[tuple[str, str], ...], int]]] = {}
        self._histograms: dict[str, tuple[str, dict[tuple[tuple[str, str], ...], int]]] = {}

    def counter(self, name: str, text: str, series: Iterable[Mapping[str, str]] = ({},)) -> None:
        """Name a counter and its series."""
        self._counters[name] = (text, {_key(labels): self._reserve(1) for labels in series})

    def histogram(self, name: str, text: str, series: Iterable[Mapping[str, str]] = ({},)) -> None:
        """Name a histogram of seconds and its series."""
        self._histograms[name] = (text, {_key(labels): self._reserve(len(BUCKETS_S) + 2) for labels in series})

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter; a series that was not named is passed over."""
        number = self._counters[name][1].get(_key(labels))
        if number is not None:
            self._slots.add(number, amount)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add one observation to a histogram."""
        first = self._histograms[name][1].get(_key(labels))
        if first is None:
            return
        bucket = next((at for at, upper in enumerate(BUCKETS_S) if seconds <= upper), len(BUCKETS_S))
        self._slots.add(first + bucket, 1.0)
        self._slots.add(first + len(BUCKETS_S) + 1, seconds)

    def text(self, gauges: Iterable[Gauge] = ()) -> str:
        """Everything in Prometheus' text format."""
        lines: list[str] = []
        for name, (text, series) in self._counters.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} counter"]
            lines += [f"{name}{_labels(key)} {_number(self._slots.total(number))}" for key, number in series.items()]
        for name, (text, series) in self._histograms.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} histogram"]
            for key, first in series.items():
                lines += self._histogram_lines(name, key, first)
        for gauge in gauges:
            lines += [f"# HELP {gauge.name} {gauge.help}", f"# TYPE {gauge.name} gauge"]
            lines += [f"{gauge.name}{_labels(_key(labels))} {_number(value)}" for labels, value in gauge.values]
        return "\n".join(lines) + "\n"

    def _histogram_lines(self, name: str, key: tuple[tuple[str, str], ...], first: int) -> list[str]:
        lines, running = [], 0.0
        for at, upper in enumerate((*(f"{one:g}" for one in BUCKETS_S), "+Inf")):
            running += self._slots.total(first + at)
            lines.append(f"{name}_bucket{_labels((*key, ('le', upper)))} {_number(running)}")
        total = self._slots.total(first + len(BUCKETS_S) + 1)
        return [*lines, f"{name}_sum{_labels(key)} {total!r}", f"{name}_count{_labels(key)} {_number(running)}"]

    def _reserve(self, numbers: int) -> int:
        first = self._next
        self._next += numbers
        assert self._next <= _CAPACITY, "more series than a slot has room for"
        return first


def _key(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _labels(key: Sequence[tuple[str, str]]) -> str:
    if not key:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in key) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)

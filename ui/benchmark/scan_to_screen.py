"""Last byte of a scan → its answer painted, the durable write included, in a small and in a large world."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import tty
from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QThread, QTimer, Signal, Slot
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLabel

from station.config import Config, ScannerConfig, StationConfig
from station.errors import EnvironmentFault
from station.identify.commands import Command
from station.inspection.view import State
from ui.app import BenchApp, make_application
from ui.benchmark.figure import Append, Figure, percentile
from ui.benchmark.world import STATION, gtin, open_world
from ui.threads import Handled

_REPEATS = 120
_WITHIN_MS = 5_000
LARGE_ITEMS, LARGE_RETURNS = 1_000_000, 200_000


def measure(folder: Path, *, small_only: bool = False) -> list[Figure]:
    """Scan parcels and items through a real pseudo-terminal into the real window.

    Args:
        small_only: leave the world of a million articles out (it takes half a minute to build).
    """
    if sys.platform == "win32":
        raise EnvironmentFault("scan → screen is measured over a pseudo-terminal, which Windows has none of")
    make_application([])
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        limit = _bare(Path(scratch))
        small = _world(Path(scratch) / "small", 1_000, 1_000)
        figures = [_figure("scan_to_screen_p95_1k", small, limit)]
        if not small_only:
            large = _world(Path(scratch) / "large", LARGE_ITEMS, LARGE_RETURNS)
            figures.append(_figure("scan_to_screen_p95_1m", large, limit))
            value, base = percentile(large, 50), percentile(small, 50)
            figures.append(
                Figure(
                    "scan_to_screen_growth",
                    round(value, 2),
                    "ms",
                    round(base, 2),
                    "median with 1 k articles",
                    round(value / base, 2),
                    "≤ 1.2 × the limit",
                    value <= 1.2 * base,
                )
            )
    return figures


def _figure(name: str, values: list[float], limit: float) -> Figure:
    value, worst = percentile(values, 95), percentile(values, 99)
    return Figure(
        name, round(value, 2), "ms", round(limit, 2), "p95: bare pty → signal → label painted + one fsync'd append",
        round(value / limit, 2), f"p95 ≤ 20 ms, p99 ≤ 50 ms (p99 was {worst:.1f})", value <= 20 and worst <= 50,
    )  # fmt: skip


def _world(home: Path, items: int, returns: int) -> list[float]:
    open_world(home, items=items, returns=returns).close()
    hand, port = _line()
    config = Config(station=StationConfig(id=STATION), scanner=ScannerConfig(port=port))
    bench = BenchApp(home, config)
    bench.window.resize(1920, 1080)
    bench.window.show()
    bench.start()
    probe = _Probe(bench)
    try:
        probe.wait_for(State.IDLE)
        step = max(1, returns // _REPEATS)
        for number in range(_REPEATS):
            rma = number * step
            probe.scan(hand, f"RMA-2026-{rma:06d}", State.ITEM)
            probe.scan(hand, "]E0" + gtin((rma + 7919) % items)[1:], State.MISMATCH)
            probe.scan(hand, "]E0" + gtin(rma % items)[1:], State.WEIGHT)
            for _ in range(3):
                bench.desk.submit("command", lambda desk: desk.command(Command.UNDO))
            probe.wait_for(State.IDLE)
    finally:
        bench.stop()
        bench.window.close()
        os.close(hand)
    return probe.milliseconds


def _line() -> tuple[int, str]:
    hand, device = os.openpty()
    tty.setraw(hand)
    tty.setraw(device)
    return hand, os.ttyname(device)


class _Probe(QObject):
    """Writes scans and waits until their answer is painted."""

    def __init__(self, bench: BenchApp) -> None:
        super().__init__()
        self._state: State | None = None
        self._generation = 0
        self._painted = 0
        self._loop = QEventLoop()
        self.milliseconds: list[float] = []
        bench.controller.shown.connect(self.on_shown)
        bench.window.painted.connect(self.on_painted)

    def scan(self, hand: int, text: str, state: State) -> None:
        """One scan; the time ends when the view with that state is on the screen."""
        os.write(hand, text.encode() + b"\r")
        started = time.perf_counter()
        self.wait_for(state)
        self.milliseconds.append((time.perf_counter() - started) * 1000)

    def wait_for(self, state: State) -> None:
        late = QTimer()
        late.setSingleShot(True)
        late.timeout.connect(self._loop.quit)
        late.start(_WITHIN_MS)
        while not (self._state is state and self._painted >= self._generation):
            self._loop.exec()
            if not late.isActive():
                raise EnvironmentFault(f"the bench did not come to {state.value!r}, it stands at {self._state}")

    @Slot(object, int)
    def on_shown(self, handled: Handled, generation: int) -> None:
        self._state, self._generation = handled.outcome.view.state, generation

    @Slot(int)
    def on_painted(self, generation: int) -> None:
        self._painted = generation
        self._loop.quit()


class _BareReader(QThread):
    """The least that a scan path can be: a blocking read and a signal."""

    arrived = Signal(bytes)

    def __init__(self, port: str) -> None:
        super().__init__()
        self._file = os.open(port, os.O_RDONLY | os.O_NOCTTY)

    def run(self) -> None:
        while not self.isInterruptionRequested():
            data = os.read(self._file, 100)
            if data == b"\x04":
                break
            self.arrived.emit(data)
        os.close(self._file)


class _BareLabel(QLabel):
    painted = Signal()

    @Slot(bytes)
    def show_bytes(self, data: bytes) -> None:
        self.setText(data.decode())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted.emit()


def _bare(folder: Path) -> float:
    hand, port = _line()
    label = _BareLabel("")
    label.resize(1920, 1080)
    label.show()
    reader = _BareReader(port)
    reader.arrived.connect(label.show_bytes)
    loop = QEventLoop()
    label.painted.connect(loop.quit)
    reader.start()
    append = Append(folder)
    times: list[float] = []
    for number in range(_REPEATS):
        os.write(hand, b"RMA-2026-%06d" % number)
        started = time.perf_counter()
        loop.exec()
        times.append((time.perf_counter() - started) * 1000 + append.once_ms())
    os.write(hand, b"\x04")
    reader.wait(2_000)
    append.close()
    os.close(hand)
    label.close()
    return percentile(times, 95)

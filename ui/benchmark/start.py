"""Start → a bench that can be used, warm, beside a bare PySide6 window."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from station.errors import EnvironmentFault
from ui.benchmark.figure import Figure, percentile

_REPEATS = 5
_WITHIN_S = 60

BARE = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, ready)
def ready():
    sys.stdout.write("ready\\n"); sys.stdout.flush(); application.quit()
application = QApplication([])
window = Window(); window.resize(1920, 1080); window.show()
application.exec()
"""

OURS = """
import sys
from pathlib import Path
from station.config import Config, ScreenConfig
from ui.app import BenchApp, make_application
application = make_application([])
bench = BenchApp(Path(sys.argv[1]), Config())
bench.window.resize(1920, 1080)
bench.window.show()
def ready(generation):
    sys.stdout.write("ready\\n"); sys.stdout.flush(); application.quit()
bench.window.painted.connect(ready)
bench.start()
application.exec()
bench.stop()
"""


def measure(folder: Path) -> list[Figure]:
    """Process start → painted: an empty window; and our window with the desk's first view from the open store."""
    bare: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home = Path(scratch) / "station"
        _seconds(OURS, str(home))  # makes the database and warms the caches
        _seconds(BARE, "")
        for _ in range(_REPEATS):
            bare.append(_seconds(BARE, ""))
            ours.append(_seconds(OURS, str(home)))
    value, limit = percentile(ours, 50), percentile(bare, 50)
    return [
        Figure(
            "start_to_usable", round(value, 2), "s", round(limit, 2), "process start → first paint of a bare window",
            round(value / limit, 2), "≤ 0.7 s and ≤ 3 × the limit", value <= 0.7 and value <= 3 * limit,
        )
    ]  # fmt: skip


def _seconds(code: str, argument: str) -> float:
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, argument], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - started
        process.wait(_WITHIN_S)
    if line.strip() != b"ready":
        raise EnvironmentFault(f"a window did not come up (exit code {process.returncode}); run it by hand to see why")
    return seconds

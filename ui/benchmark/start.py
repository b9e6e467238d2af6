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
from station.config import Config
from ui.app import BenchApp, make_application
def say(text):
    sys.stdout.write(text + "\\n"); sys.stdout.flush()
application = make_application([])
bench = BenchApp(Path(sys.argv[1]), Config())
bench.window.resize(1920, 1080)
bench.window.show()
answered = []
def painted(generation):
    say("ready")
    if answered and generation >= answered[0]:
        application.quit()
bench.window.painted.connect(painted)
bench.start()
bench.controller.shown.connect(lambda handled, generation: answered.append(generation))
application.exec()
bench.stop()
"""


def measure(folder: Path) -> list[Figure]:
    """Process start → our window painted and taking scans; and → the first view from the open store painted."""
    bare: list[float] = []
    painted: list[float] = []
    answered: list[float] = []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home = Path(scratch) / "station"
        _seconds(OURS, str(home))  # makes the database and warms the caches
        _seconds(BARE, "")
        for _ in range(_REPEATS):
            bare.append(_seconds(BARE, "")[0])
            first, *_, last = _seconds(OURS, str(home))
            painted.append(first)
            answered.append(last)
    value, store, limit = percentile(painted, 50), percentile(answered, 50), percentile(bare, 50)
    return [
        Figure(
            "start_to_usable",
            round(value, 2),
            "s",
            round(limit, 2),
            "process start → first paint of a bare PySide6 window",
            round(value / limit, 2),
            "≤ 0.7 s and ≤ 3 × the limit (painted, scans are taken)",
            value <= 0.7 and value <= 3 * limit,
        ),
        Figure(
            "start_to_first_answer",
            round(store, 2),
            "s",
            round(limit, 2),
            "process start → first paint of a bare PySide6 window",
            round(store / limit, 2),
            "≤ 1.5 s (the store is open, its view painted)",
            store <= 1.5,
        ),
    ]


def _seconds(code: str, argument: str) -> list[float]:
    """When the process said each ``ready``, seconds since it was started."""
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    started = time.perf_counter()
    times: list[float] = []
    with subprocess.Popen(
        [sys.executable, "-c", code, argument], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == b"ready":
                times.append(time.perf_counter() - started)
        process.wait(_WITHIN_S)
    if not times or process.returncode != 0:
        raise EnvironmentFault(f"a window did not come up (exit code {process.returncode}); run it by hand to see why")
    return times

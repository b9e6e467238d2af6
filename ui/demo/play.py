"""Plays the demo: seeds a bench, raises the stage, opens the same app, lets the robot work, gives the verdict."""

from __future__ import annotations

import csv
import logging
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
from PySide6.QtCore import QObject, QRunnable, QThreadPool, QTimer, Slot
from PySide6.QtGui import QImage

from station.assets import asset
from station.clock import SystemClock
from station.config import (
    FILE_NAME,
    CameraConfig,
    Config,
    PrinterConfig,
    ScaleConfig,
    ScannerConfig,
    StationConfig,
    SyncConfig,
)
from station.errors import Defect, InvalidInput
from station.exchange.reading import read_catalogue, read_returns
from station.inspection.desk import Desk
from station.inspection.view import BenchView, State
from station.logs import configure_logging, log_uncaught
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation
from station.store.store import Store
from ui.app import BenchApp, make_application, quit_on_signals
from ui.demo.hands import Hands
from ui.demo.robot import Robot
from ui.demo.shift import UnitPlan, plan_shift, write_returns
from ui.demo.stage import Stage
from ui.demo.verdict import Timings, judge
from ui.threads import Handled

logger = logging.getLogger(__name__)

STATION_ID = "bench-07"
_MARK = ".station-demo"
_LEFT_BEHIND = ("station", "server", "labels", "screens", "logs")
_WINDOW_PACE_MS = 1_400
_DRAIN_WITHIN_S = 60.0
_SCREEN = (1920, 1080)


def play(folder: Path, *, units: int, seed: int, headless: bool, hands_off: bool) -> int:
    """Run the demo.

    Args:
        folder: gets ``station/``, ``server/``, ``labels/``, ``screens/``, ``logs/`` and, headless, ``summary.json``.

    Returns:
        Exit code: 0 only if every invariant held (headless), or the window was closed by its user.
    """
    home = _make_room(folder)
    configure_logging(home, to_stderr=logging.ERROR)
    log_uncaught()
    catalogue = _catalogue()
    plans = plan_shift(catalogue, units, seed)
    write_returns(plans, folder / "returns.csv")
    seed_store(home, catalogue, folder / "returns.csv")
    application = make_application(sys.argv[:1])
    quit_on_signals(application)
    started = time.monotonic()
    with Stage(folder, seed) as stage:
        bench = BenchApp(home, _config(stage), pictures=asset("demo", "pictures"))
        robot = Robot(plans, stage, pace_ms=0 if headless else _WINDOW_PACE_MS)
        watcher = _Watcher(bench, folder if headless else None, over=application.quit)
        try:
            _raise_curtain(bench, robot, watcher, stage, plans, headless=headless, hands_off=hands_off)
            application.exec()
        finally:
            robot.end_network_gap()
            bench.stop()
            QThreadPool.globalInstance().waitForDone()
        if not headless:
            return 0
        summary, problems = judge(
            robot.runs[: robot.finished_units],
            home=home,
            labels=stage.labels,
            server_url=stage.server_url,
            timings=watcher.timings,
            seconds=time.monotonic() - started,
        )
    problems = [*watcher.problems, *problems]
    (folder / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    for problem in problems:
        click.echo(f"station: {problem}", err=True)
    click.echo(f"{summary.inspections} of {units} units inspected in {summary.seconds} s: {folder / 'summary.json'}")
    return 1 if problems or summary.inspections != units else 0


def _make_room(folder: Path) -> Path:
    """The station's home in a demo folder; what an earlier demo left there is cleared away, nothing else is touched.

    Raises:
        InvalidInput: the folder holds something that no demo has put there.
    """
    home = folder / "station"
    if home.exists():
        if not (folder / _MARK).exists():
            raise InvalidInput(f"--out {str(folder)!r} holds a station that is not a demo's: choose another folder")
        for name in _LEFT_BEHIND:
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / "summary.json").unlink(missing_ok=True)
    home.mkdir(parents=True)
    (folder / _MARK).write_text("what a demo of the returns station left; the next demo here clears it away\n")
    (home / FILE_NAME).write_text(f'[station]\nid = "{STATION_ID}"\nname = "Bench 07"\n', encoding="utf-8")
    return home


def _raise_curtain(
    bench: BenchApp,
    robot: Robot,
    watcher: _Watcher,
    stage: Stage,
    plans: tuple[UnitPlan, ...],
    *,
    headless: bool,
    hands_off: bool,
) -> None:
    """Show the window and connect who plays."""
    if headless:
        bench.window.resize(*_SCREEN)
        bench.window.show()
    else:
        # Where no window manager maximises it, it must still fit the screen.
        bench.window.setGeometry(bench.window.screen().availableGeometry())
        bench.window.showMaximized()
    bench.start()
    watcher.begin()
    if not hands_off:
        bench.controller.shown.connect(robot.on_shown)
        bench.window.painted.connect(robot.on_painted)
    if headless:
        robot.finished.connect(watcher.wait_for_drain)
        robot.stuck.connect(watcher.on_stuck)
    else:
        watcher.hands = _hands(plans, stage, bench, None if hands_off else robot)


def seed_store(home: Path, catalogue: tuple[CatalogueItem, ...], returns: Path) -> None:
    """Import merchants, articles and the shop's returns file, by the same way as ``station import``."""
    with Store.open(home, station=STATION_ID, clock=SystemClock()) as store:
        store.put_merchants(_merchants())
        store.put_items(catalogue)
        records = list(read_returns(returns))
        refused = [record for record in records if not isinstance(record, ReturnAuthorisation | CatalogueItem)]
        if refused:
            raise Defect(f"the demo's own returns file was refused: {refused[0]}")
        store.put_returns(record for record in records if isinstance(record, ReturnAuthorisation))


def _merchants() -> tuple[Merchant, ...]:
    with asset("demo", "merchants.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Merchant(row["merchant"], row["name"], row["policy"], row["grading_scheme"], row["currency"])
            for row in csv.DictReader(file)
        )


def _catalogue() -> tuple[CatalogueItem, ...]:
    records = list(read_catalogue(asset("demo", "catalogue.csv")))
    return tuple(record for record in records if isinstance(record, CatalogueItem))


def _config(stage: Stage) -> Config:
    return Config(
        station=StationConfig(id=STATION_ID, name="Bench 07", hall="Receiving hall A", inspector="Ana K."),
        scanner=ScannerConfig(port=stage.scanner_port),
        scale=ScaleConfig(port=stage.scale_port, driver="mt_sics"),
        camera=CameraConfig(source=stage.camera_url),
        printer=PrinterConfig(address=stage.printer_address),
        sync=SyncConfig(server=stage.server_url),
    )


def _hands(plans: tuple[UnitPlan, ...], stage: Stage, bench: BenchApp, robot: Robot | None) -> Hands:
    """In the window a person takes over by touching anything, and may hand back."""
    hands = Hands(plans, stage)
    if robot is None:
        hands.show()
        return hands

    def take_over() -> None:
        if robot.playing:
            robot.stop()
            hands.take_over(robot.finished_units)

    def hand_back() -> None:
        hands.hide()
        robot.play(hands.index)
        bench.desk.submit("minute", Desk.show)

    bench.window.touched.connect(take_over)
    hands.play_again.connect(hand_back)
    return hands


class _Save(QRunnable):
    """Writes one screenshot, off the GUI thread; by OpenCV, which lets the other threads run meanwhile."""

    def __init__(self, image: QImage, path: Path) -> None:
        super().__init__()
        self._image = image.convertToFormat(QImage.Format.Format_RGB32)
        self._path = path

    def run(self) -> None:
        import cv2
        import numpy as np

        height, width = self._image.height(), self._image.width()
        rows = np.frombuffer(self._image.constBits(), np.uint8).reshape(height, self._image.bytesPerLine() // 4, 4)
        picture = np.ascontiguousarray(rows[:, :width, :3])
        if not cv2.imwrite(str(self._path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
            logger.error("the screenshot %s could not be written", self._path)


class _Watcher(QObject):
    """Measures, takes screenshots, and ends a headless demo once everything is at the server."""

    def __init__(self, bench: BenchApp, folder: Path | None, *, over: Callable[[], None]) -> None:
        """
        Args:
            folder: gets the screenshots; None = none are taken.
            over: ends the demo.
        """
        super().__init__()
        self._over = over
        self.hands: Hands | None = None
        """The window of hands lives as long as the demo."""
        self._bench = bench
        self._screens = folder / "screens" if folder is not None else None
        if self._screens is not None:
            self._screens.mkdir(exist_ok=True)
        self._shots = 0
        self._last: tuple[str, ...] = ()
        self._born: dict[int, float] = {}
        self._view: BenchView | None = None
        self._deadline = 0.0
        self.timings = Timings()
        self.problems: list[str] = []
        self._drain = QTimer(self)
        self._drain.setInterval(100)
        self._drain.timeout.connect(self.look_at_drain)

    def begin(self) -> None:
        """Watch a bench that was started; connected before the robot: the picture is taken before the next act."""
        self._bench.controller.shown.connect(self.on_shown)
        self._bench.window.painted.connect(self.on_painted)

    @Slot(object, int)
    def on_shown(self, handled: Handled, generation: int) -> None:
        view = self._view = handled.outcome.view
        if handled.what == "scan":
            self._born[generation] = handled.born
        if handled.outcome.labels or (view.state is State.DONE and handled.what in ("scan", "command")):
            self.timings.confirm_ms.append(handled.took_s * 1000)

    @Slot(int)
    def on_painted(self, generation: int) -> None:
        now = time.monotonic()
        for shown in [number for number in self._born if number <= generation]:
            self.timings.scan_to_screen_ms.append((now - self._born.pop(shown)) * 1000)
        view = self._view
        if self._screens is None or view is None:
            return
        screen = (view.state.value, view.notice.code, str(view.question), str(view.current_shot), str(view.lpn))
        if screen != self._last:
            self._last = screen
            self._shots += 1
            path = self._screens / f"{self._shots:04d}-{view.state.value}-{view.notice.code}.png"
            QThreadPool.globalInstance().start(_Save(self._bench.window.grab().toImage(), path))

    @Slot()
    def wait_for_drain(self) -> None:
        """The last unit is done; give the sync its minute."""
        self._deadline = time.monotonic() + _DRAIN_WITHIN_S
        self._drain.start()

    @Slot()
    def look_at_drain(self) -> None:
        unsent = self._bench.unsent()
        if unsent.entries == 0 and unsent.photos == 0:
            self._over()
        elif time.monotonic() > self._deadline:
            self.problems.append(
                f"{unsent.entries} entries and {unsent.photos} photos did not reach the server in time"
            )
            self._over()

    @Slot(str)
    def on_stuck(self, text: str) -> None:
        self.problems.append(f"the bench did not go on: {text}")
        self._over()

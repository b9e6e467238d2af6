"""The composition root of the desktop app: every object is made here, handed down, and ended here in order.

The window is painted first; the store, the rules, the camera and the devices come up behind it, each on its own thread.
Scans that arrive meanwhile wait in the desk's queue.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from devices.barcodes.photo_reader import PhotoReader
from devices.scanner.duplicates import DuplicateGuard
from station.clock import Clock, SystemClock
from station.config import Config
from station.errors import EnvironmentFault, InvalidInput, StoreFault
from station.ids import uuid7
from station.inspection.answer_pictures import picture_folders
from station.inspection.facts import Look, Photo
from station.inspection.view import Band, BenchView, Notice, State, Step, Tone
from ui.bench.window import BenchIdentity, BenchWindow
from ui.controller import BenchController
from ui.garbage import CycleCollector
from ui.loops import HouseLine, SyncLine, camera_loop, is_enrolled, printer_line, scale_loop, scanner_loop
from ui.theme.tokens import THEMES, Theme
from ui.threads import DeskThread, Loop, LoopThread
from ui.widgets.sound import SoundPlayer

if TYPE_CHECKING:
    from devices.camera.model import ShotTaken
    from station.inspection.desk import Desk
    from station.store.outbox import Unsent
    from station.store.store import Store
    from ui.wedge import KeyboardWedge

logger = logging.getLogger(__name__)

_STARTING = BenchView(State.IDLE, Step.PARCEL, Notice(Band.IDLE, "starting"), actions=())
"""Painted before the store is open; scans are queued from then on."""

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
"""One of them says where Qt on Linux shall paint."""

_SAME_AT_MOST = 36
"""Photos that differ in no more bits show the very same. Less than the distance of any two items that were measured
(44), since each photo is compared with hundreds; a copy stored again as a poorer JPEG may then escape (49)."""

SHIFT = timedelta(hours=9)
"""Figures of "this shift" reach back this far."""


class BenchApp(QObject):
    """One running bench."""

    def __init__(self, home: Path, config: Config, *, clock: Clock | None = None, pictures: Path | None = None) -> None:
        super().__init__()
        self._home = home
        self._config = config
        self._clock: Clock = clock or SystemClock()
        self._store: Store | None = None
        station = config.station
        self.window = BenchWindow(
            BenchIdentity(station.name, station.hall, station.inspector),
            _theme(config.screen.theme),
            scale=float(config.screen.scale),
            photo_loader=self._photo_bytes,
            picture_folder=pictures,
            clock=self._clock,
        )
        self.window.pictures.answer_folders = picture_folders(home)
        self._sound = SoundPlayer()
        self.desk = DeskThread(self._open_desk, self._close_store, _warm_up)
        self.window.show_view(_STARTING)
        self._sync = SyncLine(home, config.sync, self._clock)
        self._house = HouseLine(home, config.backup, self._clock)
        self._loops: list[LoopThread] = []
        self._wedge: KeyboardWedge | None = None
        self._garbage: CycleCollector | None = None
        self.controller: BenchController

    def start(self) -> None:
        """Bring up everything behind the window; nothing here waits."""
        self._garbage = CycleCollector()
        config = self._config
        guard = DuplicateGuard()
        scanners = {
            device: scanner_loop(device, table, settings, guard)
            for device, table, settings in (
                ("scanner-1", "scanner", config.scanner),
                ("scanner-2", "scanner_2", config.scanner_2),
            )
        }
        scale, run_scale = scale_loop(config.scale)
        camera, run_camera = camera_loop("camera-1", config.camera)
        second_camera, run_second_camera = camera_loop("camera-2", config.camera_2)
        printer = printer_line(config.printer)
        reader = PhotoReader(clock=self._clock) if camera is not None else None
        if camera is not None:
            self.window.picture_resized.connect(lambda size: camera.set_preview_size(size.width(), size.height()))
        if second_camera is not None:
            second_camera.set_preview_size(16, 16)  # only its shots are wanted
        self.controller = BenchController(
            self.window,
            self.desk,
            self._clock,
            keep_photo=self._keep_photo,
            play=self._play,
            scanners={device: scanner for device, (scanner, _) in scanners.items() if scanner is not None},
            scale=scale,
            camera=camera,
            second_camera=second_camera,
            read_photo=reader.read_photo if reader is not None else None,
            print_label=printer.submit if printer is not None else None,
            scan_back=config.printer.scan_back,
            wake_sync=self._sync.wake,
        )
        self.desk.start()
        for device, (_, run_scanner) in scanners.items():
            self._run(device, run_scanner, self.controller.on_scanner)
        self._start_wedge(guard)
        self._run("scale", run_scale, self.controller.on_scale)
        self._run("camera", run_camera, self.controller.on_camera)
        self._run("camera-2", run_second_camera, self.controller.on_second_camera)
        self._run("codes", reader.run if reader is not None else None, self.controller.on_codes)
        self._run("printer", printer.run if printer is not None else None, self.controller.on_printer)
        self._run("sync", self._sync.loop, self.controller.on_sync)
        self._run("house", self._house.loop, self.on_housekeeping)

    def _start_wedge(self, guard: DuplicateGuard) -> None:
        """Take scans from the keyboard too, where this bench has such a scanner."""
        if not self._config.wedge.enabled:
            return
        from ui.wedge import KeyboardWedge

        self._wedge = KeyboardWedge(prefix=self._config.wedge.prefix, guard=guard, clock=self._clock, parent=self)
        self._wedge.happened.connect(self.controller.on_scanner)
        self._wedge.layout_tested.connect(self.controller.on_layout_tested)
        self._wedge.start()

    def stop(self) -> None:
        """End the loops, finish what the desk has queued, close the store. Idempotent."""
        if self._wedge is not None:
            self._wedge.stop()
            self._wedge = None
        for loop in self._loops:
            loop.requestInterruption()
        for loop in self._loops:
            if not loop.stop():
                logger.error("%s did not end in time", loop.objectName())
        self._loops.clear()
        if self.desk.isRunning() and not self.desk.stop():
            logger.error("the desk did not end in time")
        if self._garbage is not None:
            self._garbage.stop()
            self._garbage = None

    def unsent(self) -> Unsent:
        """What has not reached the server; a short read."""
        return self._the_store().unsent()

    # --- made on the desk's thread --------------------------------------------------------------------------------

    def _open_desk(self) -> Desk:
        from station.decision.rules import folders_for, load_rules
        from station.inspection.desk import Desk, Seat, Site
        from station.review.agreement.blind_store import BlindStore
        from station.review.bench import Auditing, shipped
        from station.review.own_key import own_key
        from station.review.plan import read_plan
        from station.review.settled import history_of
        from station.review.switching import standings
        from station.store.store import Store

        station = self._station_id()
        store = Store.open(self._home, station=station, clock=self._clock)
        self._store = store
        self._sync.begin(store)
        self._house.begin(store)
        seat = Seat(station, self._config.station.inspector)
        rules = load_rules(folders_for(self._home)).with_outcomes(store.outcome_cells())
        plan = read_plan()
        audit = Auditing(own_key(self._home), plan, standings(plan, history_of(store.settled_looks())))
        site = Site(self._config.station.market, self._config.weight.budget, shipped(), audit)
        return Desk(BlindStore(store), rules, seat, self._clock, uuid7, self._clock.now() - SHIFT, site)

    def _station_id(self) -> str:
        """The name under which this bench records: the one it joined the server with, where it did."""
        configured = self._config.station.id
        if not is_enrolled(self._home):
            return configured
        from sync.client.identity import read_enrolment

        enrolment = read_enrolment(self._home)
        if enrolment is not None and enrolment.station != configured:
            logger.warning("this bench joined the server as %s; id = %r is not used", enrolment.station, configured)
        return enrolment.station if enrolment is not None else configured

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _keep_photo(self, shot: ShotTaken) -> tuple[Photo, Look]:
        """Make a photo durable; runs on the desk's thread, before the draft names it."""
        stored = self._the_store().photos.keep(shot.jpeg)
        photo = Photo(
            sha256=stored.sha256,
            size=stored.size,
            width=shot.width,
            height=shot.height,
            shot=shot.shot,
            taken_at=shot.taken_at,
            sharpness=shot.quality.sharpness,
            brightness=shot.quality.brightness,
            device=shot.device,
        )
        return photo, Look(shot.fingerprint, _SAME_AT_MOST)

    def _the_store(self) -> Store:
        if self._store is None:
            raise StoreFault("the store is not open yet: try again in a moment")
        return self._store

    def _photo_bytes(self, sha256: str) -> bytes | None:
        """For thumbnails; called on the window's own worker."""
        return self._store.photos.read(sha256) if self._store is not None else None

    def _play(self, tone: Tone) -> None:
        self._sound.play(tone)

    def _run(self, name: str, loop: Loop | None, receive: Callable[[object], None]) -> None:
        if loop is None:
            return
        thread = LoopThread(name, loop)
        thread.happened.connect(receive)
        thread.crashed.connect(self.on_loop_crashed)
        self._loops.append(thread)
        thread.start()

    def on_housekeeping(self, report: object) -> None:
        """What was done by itself is in the log and in the report; nobody at the bench is told."""

    def on_loop_crashed(self, name: str, text: str) -> None:
        self.window.show_light(name, "gone", text)


def _warm_up() -> None:
    from station.identify.interpret import prepare

    prepare()


def _theme(name: str) -> Theme:
    theme = THEMES.get(name)
    if theme is None:
        raise InvalidInput(f"[screen] theme = {name!r}: expected one of {', '.join(THEMES)}")
    return theme


def make_application(arguments: list[str]) -> QApplication:
    """The one QApplication, with our style and font.

    Raises:
        EnvironmentFault: there is no display; Qt itself would abort the process.
    """
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _DISPLAYS):
        raise EnvironmentFault(
            "there is no display to show the bench on: start it in a desktop session, or set DISPLAY"
        )
    application = QApplication(arguments)
    application.setApplicationName("Returns inspection station")
    return application


def quit_on_signals(application: QApplication) -> None:
    """SIGTERM (a logout, a service manager) and Ctrl-C end the window in order: loops, desk, store.

    Python runs its handlers between two of its own instructions; the window's clock is one every second.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: application.quit())

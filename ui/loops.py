"""Configuration → the loop that owns each device, ready to run on a thread. What is not configured has no loop."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from devices.camera.camera import Camera
from devices.camera.model import CameraSettings
from devices.escapes import unescape
from devices.printer.loop import PrinterLoop
from devices.printer.model import LabelPrinter
from devices.printer.printer import printer_from
from devices.printer.template import load_template
from devices.scale import DRIVERS
from devices.scale.instrument import Scale
from devices.scanner import DuplicateGuard, ScannerInstrument, line_settings, scanner_from
from devices.supervisor import Supervisor
from devices.transport import Opener
from station.clock import Clock
from station.config import BackupConfig, CameraConfig, PrinterConfig, ScaleConfig, ScannerConfig, SyncConfig
from station.errors import InvalidInput
from ui.threads import Loop

if TYPE_CHECKING:
    from station.store.store import Store
    from sync.client.loop import SyncLoop
    from sync.client.people import PeopleKeys, SignIn

_SETTLED_S = 5.0
"""After the store was opened; the first screen and the first scan come before any housekeeping."""


def scanner_loop(
    device: str, table: str, config: ScannerConfig, guard: DuplicateGuard
) -> tuple[ScannerInstrument | None, Loop | None]:
    """A scanner on a serial line and its loop.

    Args:
        device: its name on this bench, e.g. ``scanner-1``.
        table: where its settings stand, for messages.
        guard: shared by all scanners of the bench.

    Raises:
        InvalidInput: a setting is wrong.
    """
    if not config.port:
        return None, None
    with _said_of(table):
        scanner = scanner_from(
            device,
            protocol=config.protocol,
            suffix=config.suffix,
            feedback=config.feedback,
            duplicate_ms=config.duplicate_ms,
            guard=guard,
        )
        opener = Opener(config.port, line_settings(config.baud, config.bits))
    return scanner, Supervisor(scanner, opener, port=config.port).run


def scale_loop(config: ScaleConfig) -> tuple[Scale | None, Loop | None]:
    """A scale and its loop.

    Raises:
        InvalidInput: a setting is wrong.
    """
    if not config.port:
        return None, None
    driver = DRIVERS.get(config.driver)
    if driver is None:
        raise InvalidInput(f"[scale] driver = {config.driver!r}: expected one of {', '.join(sorted(DRIVERS))}")
    with _said_of("scale"):
        if config.unit:
            driver = driver.in_unit(config.unit)
        line = replace(driver.line, baud=config.baud or driver.line.baud)
        if config.bits:
            line = line_settings(line.baud, config.bits)
        scale = Scale("scale-1", driver, poll=unescape(config.poll) or None, line=line)
        opener = Opener(config.port, line)
    return scale, Supervisor(scale, opener, port=config.port).run


def camera_loop(device: str, config: CameraConfig) -> tuple[Camera | None, Loop | None]:
    """A camera and its loop."""
    if not config.source:
        return None, None
    camera = Camera(
        CameraSettings(config.source, device, config.width, config.height, backend=config.backend, lock=config.lock)
    )
    return camera, camera.run


def printer_line(config: PrinterConfig) -> PrinterLoop | None:
    """A label printer and its queue.

    Raises:
        InvalidInput: a setting is wrong, or there is no such template.
    """
    if not config.address:
        return None
    printer = printer_from(config.kind, config.address, baud=config.baud, system=_system_printer)
    return PrinterLoop(printer, load_template(config.template, config.dpi))


def _system_printer(queue: str) -> LabelPrinter:
    from ui.printing.system import SystemPrinter  # QtPrintSupport costs the start-up time that few benches need

    return SystemPrinter(queue)


@contextmanager
def _said_of(table: str) -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"[{table}] {error}") from error


class HouseLine:
    """The bench's own housekeeping: sweep and daily backup, while nobody works. Waits for the store like the sync."""

    def __init__(self, home: Path, config: BackupConfig, clock: Clock) -> None:
        self._home = home
        self._config = config
        self._clock = clock
        self._store: Store | None = None

    def begin(self, store: Store) -> None:
        """The store is open. From any thread."""
        self._store = store

    def loop(self, should_stop: Callable[[], bool], emit: Callable[[object], None]) -> None:
        """Emits each report."""
        pause, house = threading.Event(), None
        while not should_stop():
            if house is None and self._store is not None and self._store.quiet_s >= _SETTLED_S:
                from station.store.housekeeping import Housekeeping, plan_for

                plan = plan_for(self._home, self._config.folder, self._config.keep)
                house = Housekeeping(self._store, plan, self._clock)
            if house is not None and house.is_due:
                emit(house.work(should_stop))
            pause.wait(0.5)


def is_enrolled(home: Path) -> bool:
    """Whether this bench joined a server. The client's own modules load later, behind the painted window."""
    return (home / "enrolment.json").exists()


class SyncLine:
    """The lane to the centre. Its thread waits for the store, which opens behind the painted window."""

    def __init__(self, home: Path, config: SyncConfig, clock: Clock) -> None:
        self._home = home
        self._config = config
        self._clock = clock
        self._store: Store | None = None
        self._open = threading.Event()
        self._loop: SyncLoop | None = None
        self._people: PeopleKeys | None = None
        self._making = threading.Lock()

    @property
    def loop(self) -> Loop | None:
        """What its thread runs; None = this bench works alone."""
        return self._run if self._config.server or is_enrolled(self._home) else None

    def begin(self, store: Store) -> None:
        """The store is open. From any thread."""
        self._store = store
        self._open.set()

    def wake(self) -> None:
        """Something was recorded. From any thread, at any time."""
        if self._loop is not None:
            self._loop.wake()

    def sign_in(self) -> SignIn | None:
        """Who knows the people of this bench; None = the store is not open yet. Not for the GUI thread."""
        from sync.client.people import SignIn

        store = self._store
        return SignIn(store, self._people_keys(store), self._clock) if store is not None else None

    def _people_keys(self, store: Store) -> PeopleKeys:
        """One pair of keys for the feed and for the sign-in."""
        from sync.client.people import PeopleKeys
        from sync.client.vault import Vault

        with self._making:
            if self._people is None:
                self._people = PeopleKeys(store, Vault(self._home))
            return self._people

    def _run(self, should_stop: Callable[[], bool], emit: Callable[[object], None]) -> None:
        from sync.client.api import HttpApi
        from sync.client.forgetting import Forgetting
        from sync.client.identity import load_identity
        from sync.client.lineage import Lineage
        from sync.client.loop import SyncLoop
        from sync.protocol import TOKEN_VARIABLE

        while not self._open.wait(0.1):
            if should_stop():
                return
        store = self._store
        if store is None:
            return
        identity = load_identity(self._home, self._clock)
        url = self._config.server or (identity.enrolment.url if identity is not None else "")
        api = HttpApi(
            url, token=os.environ.get(TOKEN_VARIABLE), clock=self._clock, identity=identity, unsent=store.unsent
        )
        try:
            lineage = Lineage(store, identity)
            self._loop = SyncLoop(
                store, api, self._clock, random.Random(), feed=store, lineage=lineage, people=self._people_keys(store),
                forgetting=Forgetting(store),
            )  # fmt: skip
            self._loop.run(should_stop, emit)
        finally:
            api.close()

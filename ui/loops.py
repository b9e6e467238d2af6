"""Configuration → the loop that owns each device, ready to run on a thread. What is not configured has no loop."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from devices.camera.camera import Camera
from devices.camera.model import CameraSettings
from devices.printer.loop import PrinterLoop
from devices.printer.printer import ZplPrinter
from devices.printer.template import load_template
from devices.scale import DRIVERS
from devices.scale.instrument import Scale
from devices.scanner.line import Scanner
from devices.supervisor import Supervisor
from devices.transport import LineSettings, open_transport
from station.clock import Clock
from station.config import CameraConfig, PrinterConfig, ScaleConfig, ScannerConfig, SyncConfig
from station.errors import InvalidInput
from station.store.outbox import Outbox
from ui.threads import Loop

if TYPE_CHECKING:
    from sync.client.loop import SyncLoop


def scanner_loop(config: ScannerConfig) -> Loop | None:
    """A line-terminated scanner."""
    if not config.port:
        return None
    settings = LineSettings(baud=config.baud)
    return Supervisor(Scanner("scanner-1"), lambda: open_transport(config.port, settings), port=config.port).run


def scale_loop(config: ScaleConfig) -> tuple[Scale | None, Loop | None]:
    """A scale and its loop.

    Raises:
        InvalidInput: the driver's name is not in the table.
    """
    if not config.port:
        return None, None
    driver = DRIVERS.get(config.driver)
    if driver is None:
        raise InvalidInput(f"[scale] driver = {config.driver!r}: expected one of {', '.join(sorted(DRIVERS))}")
    settings = replace(driver.line, baud=config.baud or driver.line.baud)
    scale = Scale("scale-1", driver)
    return scale, Supervisor(scale, lambda: open_transport(config.port, settings), port=config.port).run


def camera_loop(config: CameraConfig) -> tuple[Camera | None, Loop | None]:
    """A camera and its loop."""
    if not config.source:
        return None, None
    camera = Camera(CameraSettings(config.source, "camera-1", config.width, config.height))
    return camera, camera.run


def printer_line(config: PrinterConfig) -> PrinterLoop | None:
    """A label printer on TCP and its queue.

    Raises:
        InvalidInput: the address is not ``HOST`` or ``HOST:PORT``, or there is no such template.
    """
    if not config.address:
        return None
    host, colon, port = config.address.rpartition(":")
    if colon and not (host and port.isascii() and port.isdigit()):
        raise InvalidInput(f"[printer] address = {config.address!r}: expected HOST or HOST:PORT, e.g. 10.0.0.7:9100")
    printer = ZplPrinter(host, int(port)) if colon else ZplPrinter(config.address)
    return PrinterLoop(printer, load_template(config.template, config.dpi))


class SyncLine:
    """The lane to the centre. Its thread waits for the store, which opens behind the painted window."""

    def __init__(self, config: SyncConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._outbox: Outbox | None = None
        self._open = threading.Event()
        self._loop: SyncLoop | None = None

    @property
    def loop(self) -> Loop | None:
        """What its thread runs; None = this bench works alone."""
        return self._run if self._config.server else None

    def begin(self, outbox: Outbox) -> None:
        """The store is open. From any thread."""
        self._outbox = outbox
        self._open.set()

    def wake(self) -> None:
        """Something was recorded. From any thread, at any time."""
        if self._loop is not None:
            self._loop.wake()

    def _run(self, should_stop: Callable[[], bool], emit: Callable[[object], None]) -> None:
        from sync.client.api import HttpApi
        from sync.client.loop import SyncLoop
        from sync.protocol import TOKEN_VARIABLE

        while not self._open.wait(0.1):
            if should_stop():
                return
        if self._outbox is None:
            return
        api = HttpApi(self._config.server, token=os.environ.get(TOKEN_VARIABLE), clock=self._clock)
        try:
            self._loop = SyncLoop(self._outbox, api, self._clock, random.Random())
            self._loop.run(should_stop, emit)
        finally:
            api.close()

"""One owner thread per port: opens, listens, asks, reconnects, and says how the device is.

Context: serial readers in the field end after their first exception and keep the last weight shown (DEVICES §7).
Decision: the loop here knows nothing of protocols; an ``Instrument`` turns bytes and time into events. Everything that
goes wrong with the line becomes a light and a sentence, and the loop goes on until it is told to stop.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from devices.ports import DeviceEvent, Light, LightChanged, Transport
from station.clock import Clock, SystemClock
from station.errors import DeviceFault

logger = logging.getLogger(__name__)

BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)
"""Pauses before the next attempt to open; the last one repeats. A quarter more or less is added by chance."""
_SLICE_S = 0.05
"""How long one read or one pause lasts: the thread ends within two of them."""
_PROVEN_S = 2.0
"""A line that lived this long starts the pauses anew."""


class Instrument(Protocol):
    """What stands at the other end: bytes and time in, events and bytes out. Called by the owner thread only."""

    @property
    def device(self) -> str:
        """Its name on this bench, e.g. ``scale-1``."""
        ...

    def opened(self, now: float) -> None:
        """The line has just been opened."""
        ...

    def received(self, data: bytes, at: datetime, now: float) -> Iterable[DeviceEvent]: ...

    def tick(self, at: datetime, now: float, *, quiet: bool) -> tuple[bytes, Iterable[DeviceEvent]]:
        """Time has passed; ``quiet`` = nothing waited on the line. Returns bytes to send and events."""
        ...

    def broke_off(self) -> Iterable[DeviceEvent]:
        """The line is gone: nothing half-received counts."""
        ...

    def health(self, now: float) -> tuple[Light, str] | None:
        """How the device is while its line is open; None = too early to tell."""
        ...


class Supervisor:
    """Keeps one device running. ``run`` is the body of its thread."""

    def __init__(
        self,
        instrument: Instrument,
        open_line: Callable[[], Transport],
        *,
        port: str = "",
        clock: Clock | None = None,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            instrument: used by this supervisor's thread only.
            open_line: opens the port anew at each call; raises ``DeviceFault``.
            port: its path, if it has one: reappearing ends a pause at once.
            pause, jitter: sleeping and chance (0…1), given by tests.
        """
        self._instrument = instrument
        self._open_line = open_line
        self._path = Path(port) if port.startswith("/") else None
        self._clock = clock or SystemClock()
        self._pause = pause
        self._jitter = jitter
        self._shown: tuple[Light, str] | None = None

    def run(self, should_stop: Callable[[], bool], emit: Callable[[DeviceEvent], None]) -> None:
        """Serve the device until ``should_stop``; events go to ``emit`` in the order in which they happened."""
        failures = 0
        while not should_stop():
            started = self._clock.monotonic()
            try:
                self._serve(should_stop, emit)
            except DeviceFault as fault:
                for event in self._instrument.broke_off():
                    emit(event)
                self._show((Light.GONE, str(fault)), emit)
                failures = 1 if self._clock.monotonic() - started >= _PROVEN_S else failures + 1
                self._back_off(failures, should_stop)

    def _serve(self, should_stop: Callable[[], bool], emit: Callable[[DeviceEvent], None]) -> None:
        line = self._open_line()
        try:
            self._instrument.opened(self._clock.monotonic())
            while not should_stop():
                self._show(self._instrument.health(self._clock.monotonic()), emit)
                data = line.read(_SLICE_S)
                now, at = self._clock.monotonic(), self._clock.now()
                if data:
                    for event in self._instrument.received(data, at, now):
                        emit(event)
                request, events = self._instrument.tick(at, now, quiet=not data)
                for event in events:
                    emit(event)
                if request:
                    line.write(request)
        finally:
            line.close()

    def _show(self, state: tuple[Light, str] | None, emit: Callable[[DeviceEvent], None]) -> None:
        if state is None or state == self._shown:
            return
        # While it is gone, each failed attempt has its own text; the light changes once.
        if self._shown and self._shown[0] is state[0] is Light.GONE:
            return
        self._shown = state
        level = logging.INFO if state[0] is Light.WORKING else logging.WARNING
        logger.log(level, "%s is %s %s", self._instrument.device, state[0], state[1])
        emit(LightChanged(self._instrument.device, *state))

    def _back_off(self, failures: int, should_stop: Callable[[], bool]) -> None:
        wait_s = BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1] * (0.75 + self._jitter() / 2)
        end = self._clock.monotonic() + wait_s
        was_there = self._is_there()
        while not should_stop() and self._clock.monotonic() < end:
            self._pause(_SLICE_S)
            is_there = self._is_there()
            if is_there and not was_there:
                return
            was_there = is_there

    def _is_there(self) -> bool:
        return self._path is not None and self._path.exists()

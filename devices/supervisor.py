"""One owner thread per port: opens, listens, asks, reconnects, and says how the device is.

Context: serial readers in the field end after their first exception and keep the last weight shown (DEVICES §7).
Decision: the loop here knows nothing of protocols; an ``Instrument`` turns bytes and time into events. Everything that
goes wrong with the line becomes a light and a sentence, and the loop goes on until it is told to stop.

What was shown while a device is gone stays shown, unless there is something else to do now: an adapter that comes back
as another device, without permission, or held by another program has its own words.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from devices.cable import CableWatch
from devices.discovery.keys import is_key, parse_key
from devices.discovery.listing import Listing, list_ports
from devices.ports import DeviceAbsent, DeviceEvent, Light, LightChanged, Transport
from station.clock import Clock, SystemClock
from station.errors import DeviceFault

logger = logging.getLogger(__name__)

BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)
"""Pauses before the next attempt to open; the last one repeats. A quarter more or less is added by chance."""
_SLICE_S = 0.05
"""How long one read or one pause lasts: the thread ends within two of them."""
_PROVEN_S = 2.0
"""A line that lived this long starts the pauses anew."""
_FRESH_S = 1.0
"""A node that just appeared may be refused for this long: the system sets its owner and group a moment later."""
_LOOK_EVERY_S = 1.0
"""How often the machine's ports are listed while a device is gone."""


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
        listing: Listing = list_ports,
    ) -> None:
        """
        Args:
            instrument: used by this supervisor's thread only.
            open_line: opens the port anew at each call; raises ``DeviceFault``.
            port: its path or key, if it has one: reappearing ends a pause at once.
            pause, jitter, listing: sleeping, chance (0…1) and the machine's serial ports, given by tests.
        """
        self._instrument = instrument
        self._open_line = open_line
        self._clock = clock or SystemClock()
        self._is_there = _presence(port, listing, self._clock)
        self._pause = pause
        self._jitter = jitter
        self._cable = CableWatch()
        self._shown: tuple[Light, str] | None = None
        self._shows_absence = False
        self._appeared_at: float | None = None

    def run(self, should_stop: Callable[[], bool], emit: Callable[[DeviceEvent], None]) -> None:
        """Serve the device until ``should_stop``; events go to ``emit`` in the order in which they happened."""
        failures = 0
        while not should_stop():
            started = self._clock.monotonic()
            try:
                self._serve(should_stop, emit)
            except DeviceFault as fault:
                now = self._clock.monotonic()
                for event in self._instrument.broke_off():
                    emit(event)
                self._show_gone(fault, now, emit)
                failures = 1 if now - started >= _PROVEN_S else failures + 1
                if self._back_off(failures, should_stop):
                    failures = 0

    def _serve(self, should_stop: Callable[[], bool], emit: Callable[[DeviceEvent], None]) -> None:
        line = self._open_line()
        try:
            self._instrument.opened(self._clock.monotonic())
            while not should_stop():
                self._show_health(self._clock.monotonic(), emit)
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
        except DeviceFault:
            self._cable.broke_off(self._clock.monotonic())
            raise
        finally:
            line.close()

    def _show_health(self, now: float, emit: Callable[[DeviceEvent], None]) -> None:
        state = self._instrument.health(now)
        if state is not None:
            light, detail = state
            self._shows_absence = False
            self._show((light, detail or self._cable.advice(now)), emit)

    def _show_gone(self, fault: DeviceFault, now: float, emit: Callable[[DeviceEvent], None]) -> None:
        is_gone = self._shown is not None and self._shown[0] is Light.GONE
        is_absent = isinstance(fault, DeviceAbsent)
        just_appeared = self._appeared_at is not None and now - self._appeared_at < _FRESH_S
        if is_gone and ((is_absent and self._shows_absence) or just_appeared):
            return
        self._shows_absence = is_absent
        self._show((Light.GONE, str(fault)), emit)

    def _show(self, state: tuple[Light, str], emit: Callable[[DeviceEvent], None]) -> None:
        if state == self._shown:
            return
        self._shown = state
        level = logging.INFO if state[0] is Light.WORKING else logging.WARNING
        logger.log(level, "%s is %s %s", self._instrument.device, state[0], state[1])
        emit(LightChanged(self._instrument.device, *state))

    def _back_off(self, failures: int, should_stop: Callable[[], bool]) -> bool:
        """Wait for the next attempt; True = the port has come back meanwhile."""
        wait_s = BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1] * (0.75 + self._jitter() / 2)
        end = self._clock.monotonic() + wait_s
        was_there = self._is_there()
        while not should_stop() and self._clock.monotonic() < end:
            self._pause(_SLICE_S)
            is_there = self._is_there()
            if is_there and not was_there:
                self._appeared_at = self._clock.monotonic()
                return True
            was_there = is_there
        return False


def _presence(port: str, listing: Listing, clock: Clock) -> Callable[[], bool]:
    """Tells whether a port is there, without opening it; what cannot be looked at is never there."""
    if port.startswith("/"):
        return Path(port).exists
    if not is_key(port) and not port.upper().startswith("COM"):
        return lambda: False
    key = parse_key(port) if is_key(port) else None
    looked_at, is_there = float("-inf"), False

    def look() -> bool:
        nonlocal looked_at, is_there
        if clock.monotonic() - looked_at >= _LOOK_EVERY_S:
            looked_at = clock.monotonic()
            ports = listing()
            is_there = any(key.fits(found) if key else found.device.upper() == port.upper() for found in ports)
        return is_there

    return look

"""A plain scanner that sends each code as a line: USB-CDC or RS-232, any maker.

Source: DEVICES §2.1 (suffixes, gap, duplicate window), §2.3 (what it is told). Not yet checked on hardware.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime

from devices.ports import DeviceEvent, Light, Refused, ScanArrived, ScanOutcome
from devices.probes import PROBING_S, is_probe
from devices.scanner.duplicates import DuplicateGuard, why_refused
from devices.scanner.feedback import Feedback, Silent
from devices.scanner.framer import Damaged, Framing, LineFramer
from station.identify.scan import RawScan

DUPLICATE_S = 0.7
STALE_S = 2.0
"""So long after its last byte a code that has not ended is given up: no line pauses like that within a code."""


class Owed:
    """A damaged code that the scanner was asked to send again: it comes, or its loss is said aloud."""

    _WITHIN_S = 5.0
    """Longer than a scanner waits before it tries again by itself."""

    def __init__(self) -> None:
        self._fault: Damaged | None = None
        self._until = 0.0

    def asked(self, fault: Damaged, now: float) -> None:
        self._fault, self._until = fault, now + self._WITHIN_S

    def came(self) -> None:
        self._fault = None

    def overdue(self, now: float, *, at_once: bool = False) -> Damaged | None:
        """The loss, once; ``at_once`` = it is known already that it will not come."""
        if self._fault is None or (now < self._until and not at_once):
            return None
        fault, self._fault = self._fault, None
        return Damaged(fault.raw, f"{fault.reason}, and it was not sent again; scan again")


class Scanner:
    """An ``Instrument``. Never silent: a scanner that nobody uses sends nothing."""

    def __init__(
        self,
        device: str,
        *,
        framing: Framing | None = None,
        duplicate_s: float = DUPLICATE_S,
        guard: DuplicateGuard | None = None,
        feedback: Feedback | None = None,
    ) -> None:
        """
        Args:
            duplicate_s: the same code again within this time is refused, with a reason that is shown; 0 = never.
            guard: shared by all scanners of a bench; None = this one stands alone.
            feedback: what the scanner is told; None = nothing.
        """
        self._device = device
        self._framing = framing or Framing()
        self._framer = LineFramer(self._framing)
        self._duplicate_s = duplicate_s
        self._guard = guard or DuplicateGuard()
        self._feedback = feedback or Silent()
        self._told: deque[ScanOutcome] = deque(maxlen=8)
        self._owed = Owed()
        self._opened_at = self._last_byte = 0.0

    @property
    def device(self) -> str:
        return self._device

    def tell(self, outcome: ScanOutcome) -> None:
        """What became of its last scan. From any thread; never waits."""
        self._told.append(outcome)

    def opened(self, now: float) -> None:
        self._framer.drop()
        self._told.clear()
        self._owed.came()
        self._feedback.opened(now)
        self._opened_at = self._last_byte = now

    def received(self, data: bytes, at: datetime, now: float) -> Iterator[DeviceEvent]:
        self._last_byte = now
        yield from self._take(self._framer.feed(data), at, now)

    def tick(self, at: datetime, now: float, *, quiet: bool) -> tuple[bytes, list[DeviceEvent]]:
        events: list[DeviceEvent] = []
        if quiet and self._framer.has_rest:
            silence_s = now - self._last_byte
            if self._framing.gap_s is not None and silence_s >= self._framing.gap_s:
                events += self._take(self._framer.gap(), at, now)
            elif silence_s >= STALE_S:
                events += self._take(self._framer.stale(), at, now)
        if lost := self._owed.overdue(now):
            events.append(Refused(self._device, lost.reason, lost.raw))
        while self._told:
            self._feedback.told(self._told.popleft(), now)
        return self._feedback.due(now), events

    def broke_off(self) -> list[DeviceEvent]:
        return [Refused(self._device, d.reason, d.raw) for d in self._framer.drop() if isinstance(d, Damaged)]

    def health(self, now: float) -> tuple[Light, str] | None:
        return Light.WORKING, ""

    def _take(self, parts: list[bytes | Damaged], at: datetime, now: float) -> Iterator[DeviceEvent]:
        for part in parts:
            if isinstance(part, Damaged):
                yield self._refuse(part, now)
                continue
            self._owed.came()
            if now - self._opened_at < PROBING_S and is_probe(part):
                yield Refused(self._device, "a modem probe of another program, not a code", part, harmless=True)
            elif by := self._guard.counted_by(part, self._device, now, self._duplicate_s):
                self._feedback.repeated(now)
                yield Refused(self._device, why_refused(self._device, by, self._duplicate_s), part, harmless=True)
            else:
                self._feedback.taken(now)
                yield ScanArrived(RawScan(part, self._device, at))

    def _refuse(self, part: Damaged, now: float) -> Refused:
        if self._feedback.damaged(now):
            self._owed.asked(part, now)
            return Refused(self._device, f"{part.reason} – the scanner is to send it again", part.raw, harmless=True)
        self._owed.came()
        return Refused(self._device, part.reason, part.raw)

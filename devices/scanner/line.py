"""A plain scanner that sends each code as a line: USB-CDC or RS-232, any maker.

Source: DEVICES §2.1 (suffixes, gap, duplicate window). Not yet checked on hardware.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from devices.ports import DeviceEvent, Light, Refused, ScanArrived
from devices.scanner.framer import Damaged, Framing, LineFramer
from station.identify.scan import RawScan

DUPLICATE_S = 0.7
_MODEM_PROBE = re.compile(rb"AT(?:[EQVXZ&+].{0,30})?")
"""What ModemManager asks new serial ports for their first ten seconds, echoed back by some of them."""
_PROBE_S = 12.0


class Scanner:
    """An ``Instrument``. Never silent: a scanner that nobody uses sends nothing."""

    def __init__(self, device: str, *, framing: Framing | None = None, duplicate_s: float = DUPLICATE_S) -> None:
        """
        Args:
            duplicate_s: the same code again within this time is refused, with a reason that is shown; 0 = never.
        """
        self._device = device
        self._framing = framing or Framing()
        self._framer = LineFramer(self._framing)
        self._duplicate_s = duplicate_s
        self._last: tuple[bytes, float] | None = None
        self._opened_at = self._last_byte = 0.0

    @property
    def device(self) -> str:
        return self._device

    def opened(self, now: float) -> None:
        self._framer.drop()
        self._opened_at = self._last_byte = now

    def received(self, data: bytes, at: datetime, now: float) -> Iterator[DeviceEvent]:
        self._last_byte = now
        yield from self._take(self._framer.feed(data), at, now)

    def tick(self, at: datetime, now: float, *, quiet: bool) -> tuple[bytes, list[DeviceEvent]]:
        gap_s = self._framing.gap_s
        if not quiet or gap_s is None or not self._framer.has_rest or now - self._last_byte < gap_s:
            return b"", []
        return b"", list(self._take(self._framer.gap(), at, now))

    def broke_off(self) -> list[DeviceEvent]:
        return [Refused(self._device, d.reason, d.raw) for d in self._framer.drop() if isinstance(d, Damaged)]

    def health(self, now: float) -> tuple[Light, str] | None:
        return Light.WORKING, ""

    def _take(self, parts: list[bytes | Damaged], at: datetime, now: float) -> Iterator[DeviceEvent]:
        for part in parts:
            if isinstance(part, Damaged):
                yield Refused(self._device, part.reason, part.raw)
            elif now - self._opened_at < _PROBE_S and _MODEM_PROBE.fullmatch(part):
                yield Refused(self._device, "a modem probe of another program, not a code", part, harmless=True)
            elif self._last and self._last[0] == part and now - self._last[1] < self._duplicate_s:
                reason = f"the same code again within {self._duplicate_s:g} s: counted once"
                yield Refused(self._device, reason, part, harmless=True)
            else:
                self._last = (part, now)
                yield ScanArrived(RawScan(part, self._device, at))

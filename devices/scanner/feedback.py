"""What a scanner is told: that a code has arrived, and what became of it. One class per maker, no I/O.

Two things, not one. *Receipt* answers the line: Honeywell's ACK/NAK protocol holds the scanner until the host says that
the code arrived whole, and has it sent again after a NAK. *Outcome* answers the inspector: the desk's word, a moment
later, on the scanner's beeper. A site that wants the second switches the scanner's own good-read beep off.

Not yet checked on hardware.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from devices.ports import ScanOutcome

ACK, NAK, ESC = b"\x06", b"\x15", b"\x1b"
_ASK_AGAIN = 2
"""NAKs for one code. Then the scanner must be let go, or it waits for ever."""
_BETWEEN_BEEPS_S = 0.25
_AFTER_NOT_ON_FILE_S = 1.0
"""Its beeps take this long; the enable command would cut them short."""
_DEAF_S = 30.5
"""A scanner may ignore commands for 30 s after it was switched on."""


class Feedback(Protocol):
    """Called by the owner thread only."""

    def opened(self, now: float) -> None:
        """The line is open: nothing of before is to be sent."""
        ...

    def taken(self, now: float) -> None:
        """A whole code has arrived and is on its way to the desk."""
        ...

    def repeated(self, now: float) -> None:
        """A whole code has arrived that does not count again; the desk will not hear of it."""
        ...

    def damaged(self, now: float) -> bool:
        """A code has not arrived whole. True = the scanner was asked to send it again."""
        ...

    def told(self, outcome: ScanOutcome, now: float) -> None:
        """The desk has spoken."""
        ...

    def due(self, now: float) -> bytes:
        """What is to be sent by now."""
        ...


class Silent:
    """No word to the scanner."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, bytes]] = []

    def opened(self, now: float) -> None:
        self._waiting.clear()

    def taken(self, now: float) -> None: ...

    def repeated(self, now: float) -> None: ...

    def damaged(self, now: float) -> bool:
        return False

    def told(self, outcome: ScanOutcome, now: float) -> None: ...

    def due(self, now: float) -> bytes:
        ready = b"".join(data for at, data in self._waiting if at <= now)
        self._waiting = [(at, data) for at, data in self._waiting if at > now]
        return ready

    def _send(self, data: bytes, at: float) -> None:
        self._waiting.append((at, data))


class Honeywell(Silent):
    """ACK/NAK for receipt, escape commands for the outcome.

    Source: Honeywell 3310g user's guide p. 2-22 (ACK 06, NAK 15: the last code is sent again, and the scanner waits
    until it is answered); Xenon/Granit user's guide p. 111 (ESC 7 good read, ESC 8 ESC 8 not on file, a comma ends each
    command) and Honeywell 2020 p. 2-13 (ESC 4, 5, 6: one beep low, medium, high). With Host ACK on the scanner rests
    until such a command comes or 10 s have passed, so a code that the desk never hears of is answered here.
    """

    _OUTCOMES: Mapping[ScanOutcome, bytes] = {
        ScanOutcome.ACCEPTED: ESC + b"7,",
        ScanOutcome.REJECTED: (ESC + b"8,") * 2,
        ScanOutcome.ATTENTION: (ESC + b"6," + ESC + b"4,") * 2,
    }

    def __init__(self) -> None:
        super().__init__()
        self._asked_again = 0

    def opened(self, now: float) -> None:
        super().opened(now)
        self._asked_again = 0

    def taken(self, now: float) -> None:
        self._asked_again = 0
        self._send(ACK, now)

    def repeated(self, now: float) -> None:
        self.taken(now)
        self._send(ESC + b"5,", now)

    def damaged(self, now: float) -> bool:
        if self._asked_again < _ASK_AGAIN:
            self._asked_again += 1
            self._send(NAK, now)
            return True
        self.taken(now)
        return False

    def told(self, outcome: ScanOutcome, now: float) -> None:
        self._send(self._OUTCOMES[outcome], now)


class Datalogic(Silent):
    """Single-letter host commands of Datalogic, PSC and their relatives.

    Source: Datalogic Magellan 9300i p. 469 (E 45 enable, 01 good-read tone whatever the beeper's setting, F 46 not on
    file); Magellan 800i p. 153 (after F the scanner is off until E comes); QuickScan 2300 p. 179 (a scanner that some
    host disabled stays so until E); PowerScan p. 143 (commands may be ignored for 30 s after a reset, so E is repeated
    then). Reset and disable are never sent.
    """

    def opened(self, now: float) -> None:
        super().opened(now)
        self._send(b"E", now)
        self._send(b"E", now + _DEAF_S)

    def told(self, outcome: ScanOutcome, now: float) -> None:
        match outcome:
            case ScanOutcome.ACCEPTED:
                self._send(b"\x01", now)
            case ScanOutcome.ATTENTION:
                self._send(b"\x01", now)
                self._send(b"\x01", now + _BETWEEN_BEEPS_S)
            case ScanOutcome.REJECTED:
                self._send(b"F", now)
                self._send(b"E", now + _AFTER_NOT_ON_FILE_S)


FEEDBACKS: Mapping[str, Callable[[], Feedback]] = {"none": Silent, "honeywell": Honeywell, "datalogic": Datalogic}
"""The configuration's words."""

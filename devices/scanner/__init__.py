"""Scanners: bytes to whole scans, never half a one, never one twice. ``station.identify`` decides what a scan means.

``framer`` cuts bytes into scans, ``line`` is the scanner on a serial line, ``feedback`` what it is told, ``ssi`` and
``ssi_packets`` Zebra's packets, ``duplicates`` the one guard that all scanners of a bench share.

Decision: a code is acknowledged to the scanner when it has arrived whole; whether the desk liked it is a second word
(``tell``), because the desk may take longer than a scanner waits. Price: a scanner's own good-read beep only says that
it has read; sites that want one beep per scan switch it off and let the station's answer beep.
"""

from __future__ import annotations

from typing import Protocol

from devices.ports import ScanOutcome
from devices.scanner.duplicates import DuplicateGuard
from devices.scanner.feedback import FEEDBACKS
from devices.scanner.framer import Framing, framing_of
from devices.scanner.line import Scanner
from devices.scanner.ssi import SsiScanner
from devices.supervisor import Instrument
from devices.transport import LineSettings
from station.errors import InvalidInput

__all__ = [
    "DuplicateGuard",
    "Framing",
    "Scanner",
    "ScannerInstrument",
    "SsiScanner",
    "framing_of",
    "line_settings",
    "scanner_from",
]

PROTOCOLS = ("line", "ssi")


class ScannerInstrument(Instrument, Protocol):
    """What the supervisor serves and the controller answers."""

    def tell(self, outcome: ScanOutcome) -> None:
        """What became of its last scan. From any thread; never waits."""
        ...


def scanner_from(
    device: str,
    *,
    protocol: str = "line",
    suffix: str = "any",
    feedback: str = "none",
    duplicate_ms: int = 700,
    guard: DuplicateGuard | None = None,
) -> ScannerInstrument:
    """The scanner that a configuration describes.

    Args:
        device: its name on this bench, e.g. ``scanner-1``.
        guard: the same object for all scanners of a bench, so that two that read one label count it once.

    Raises:
        InvalidInput: a word that is in no table, or a negative time.
    """
    if duplicate_ms < 0:
        raise InvalidInput(f"duplicate_ms = {duplicate_ms!r}: expected milliseconds from 0 (never refuse) up")
    if protocol == "ssi":
        return SsiScanner(device, duplicate_s=duplicate_ms / 1000, guard=guard)
    if protocol != "line":
        raise InvalidInput(f"protocol = {protocol!r}: expected one of {', '.join(PROTOCOLS)}")
    if feedback not in FEEDBACKS:
        raise InvalidInput(f"feedback = {feedback!r}: expected one of {', '.join(FEEDBACKS)}")
    return Scanner(
        device,
        framing=framing_of(suffix),
        duplicate_s=duplicate_ms / 1000,
        guard=guard,
        feedback=FEEDBACKS[feedback](),
    )


def line_settings(baud: int, bits: str) -> LineSettings:
    """Speed and bits as a configuration writes them.

    Raises:
        InvalidInput: not data bits, parity and stop bits.

    >>> str(line_settings(9600, "7E1"))
    '9600 7E1'
    """
    known = len(bits) == 3 and bits[0] in "78" and bits[1] in "NEO" and bits[2] in "12"
    if not known:
        raise InvalidInput(f"bits = {bits!r}: expected data bits, parity and stop bits, e.g. 8N1 or 7E1")
    return LineSettings(baud=baud, data_bits=int(bits[0]), parity=bits[1], stop_bits=int(bits[2]))

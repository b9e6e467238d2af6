"""What came out of a scanner, and what it may mean: the types of this room."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CandidateKind(StrEnum):
    """What a scan may be. The words are the command line's contract (DESIGN §8)."""

    RMA = "rma"
    LPN = "lpn"
    TRACKING = "tracking"
    GTIN = "gtin"
    SSCC = "sscc"
    SERIAL = "serial"
    GS1 = "gs1"
    COMMAND = "command"
    BADGE = "badge"


class Check(StrEnum):
    """Verdict on the check digit."""

    OK = "ok"
    BAD = "bad"
    NONE = "none"
    """The code has no check digit."""


@dataclass(frozen=True, slots=True)
class RawScan:
    """One complete scan, exactly as the scanner sent it, terminator removed."""

    data: bytes
    """All bytes between two terminators, AIM prefix and control characters included."""
    source: str
    """Name of the device it came from, e.g. ``scanner-1``."""
    at: datetime
    """UTC, when the last byte arrived."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One meaning of a scan."""

    kind: CandidateKind
    key: str
    """Normalised key: GTIN as 14 digits, a tracking number as the carrier prints it, a command's code."""
    reason: str
    """Why this is a candidate, in words."""
    carrier: str | None = None
    check: Check = Check.NONE
    elements: tuple[tuple[str, str], ...] = field(default=())
    """GS1 application identifiers and values in the order read, e.g. ``(("01", "0426…"), ("21", "HD7-22941"))``."""

    def element(self, ai: str) -> str | None:
        """The value of one GS1 application identifier, or None where the scan has none."""
        return next((value for found, value in self.elements if found == ai), None)

"""What the devices' rooms agree on: the byte transport, an indication, the events that a bench receives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from station.errors import DeviceFault
from station.identify.scan import RawScan
from station.inspection.facts import StableSource, WeightReading


class DeviceAbsent(DeviceFault):
    """The device is not there: unplugged, switched off, its cable out. Nothing new to say until it is back."""


class Transport(Protocol):
    """A byte line to one device. Every failure of the line is a ``DeviceFault``, whatever the library raised."""

    @property
    def name(self) -> str: ...

    def read(self, timeout_s: float) -> bytes:
        """Bytes that have arrived, at least one unless the time is over (then ``b""``).

        Raises:
            DeviceFault: unplugged, hung up, closed.
        """
        ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None:
        """Idempotent; never raises."""
        ...


class Status(StrEnum):
    """What a scale says about its indication (the command line's words)."""

    OK = "ok"
    MOTION = "motion"
    OVERLOAD = "overload"
    UNDERLOAD = "underload"
    ZERO_ERROR = "zero_error"
    NOT_ZEROED = "not_zeroed"
    FAULT = "fault"
    NO_REPLY = "no_reply"


class WeightKind(StrEnum):
    GROSS = "gross"
    NET = "net"
    TARE = "tare"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Indication:
    """One frame of a scale, understood. No weight is never zero: ``gross_mg`` is None unless ok or in motion."""

    status: Status
    gross_mg: int | None
    """Indicated mass in milligrams, exact; None = the scale gave none."""
    unit: str | None
    interval_mg: int | None
    """The step that the frame's digits can show, milligrams."""
    stable: bool
    stable_source: StableSource
    kind: WeightKind
    raw: bytes
    """The frame with its terminator."""
    at: datetime
    monotonic: float
    """Seconds, when the last byte of the frame arrived."""


class Light(StrEnum):
    """How a device is. Connected but silent is not connected."""

    WORKING = "working"
    SILENT = "silent"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class ScanArrived:
    scan: RawScan


@dataclass(frozen=True, slots=True)
class Indicated:
    indication: Indication


@dataclass(frozen=True, slots=True)
class WeightAccepted:
    """The acceptance rule (DEVICES §0.3) was met: ≥ 3 equal settled indications over ≥ 0.4 s, fresh."""

    reading: WeightReading


@dataclass(frozen=True, slots=True)
class LightChanged:
    device: str
    light: Light
    detail: str
    """For people: what is wrong and what to do; a device that works has one only if its line is bad."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Bytes that were not a scan or an indication, with the reason; nothing was taken from them."""

    device: str
    reason: str
    raw: bytes
    harmless: bool = False
    """Nothing for the operator to do: the same code twice in a moment, or another program's probe of the port."""


class ScanOutcome(StrEnum):
    """What became of a scan, for the scanner's own beeper (``tell`` of a scanner)."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ATTENTION = "attention"


DeviceEvent = ScanArrived | Indicated | WeightAccepted | LightChanged | Refused

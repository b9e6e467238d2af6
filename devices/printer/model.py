"""What every kind of label printer has in common: how it is, and what has become of a label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from station.errors import DeviceFault

if TYPE_CHECKING:
    from devices.printer.label import LabelImage


class PrintFault(DeviceFault):
    """A label did not surely get printed."""

    def __init__(self, message: str, *, may_have_printed: bool) -> None:
        super().__init__(message)
        self.may_have_printed = may_have_printed
        """True = bytes of the label had left for the printer: sending it again could print it twice."""


class Unreachable(DeviceFault):
    """Nothing is at the printer's address or port."""


class Delivery(StrEnum):
    """How much is known of a label that left without a fault."""

    PRINTED = "printed"
    """The printer worked it off and answered afterwards, ready for the next."""
    HANDED_OVER = "handed_over"
    """Somebody took it who cannot say what became of it: only a scan of the label proves that it is there."""


@dataclass(frozen=True, slots=True)
class PrinterState:
    """Whether a label can be printed now."""

    stops: tuple[str, ...]
    """Why not, in words for people; empty = ready."""
    remarks: tuple[str, ...] = ()
    """What will stop it soon."""

    @property
    def ready(self) -> bool:
        return not self.stops


class LabelPrinter(Protocol):
    """A printer of whatever make. Each call opens the line anew and closes it. Used by one thread."""

    @property
    def address(self) -> str:
        """Where it is, for messages."""
        ...

    def status(self) -> PrinterState:
        """Ask how it is.

        Raises:
            DeviceFault: it cannot be reached (``Unreachable``), or does not answer: silence is never *ready*.
        """
        ...

    def print(self, label: LabelImage, job_id: str) -> Delivery:
        """Send one label to a ready printer.

        Raises:
            PrintFault: not ready, unreachable, silent or broken off; says whether the label may have been printed.
            InvalidInput: this printer can never print this label.
        """
        ...

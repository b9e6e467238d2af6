"""A ZPL printer on TCP port 9100 or a serial line: is it ready, and has this label been printed?

Not yet checked on hardware.
Source: ZPL II Programming Guide, ``~HS`` and ``~JX``.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devices.printer.line import Line, OpenLine, drain
from devices.printer.model import Delivery, PrinterState, PrintFault
from devices.printer.zpl import CANCEL_PARTIAL, HOST_STATUS, zpl_label
from station.errors import DeviceFault

if TYPE_CHECKING:
    from devices.printer.label import LabelImage

_STRING = re.compile(rb"\x02([^\x02\x03]*)\x03")
_FIELDS = (12, 11, 2)
_MOST_STATUS_BYTES = 4096
_ASK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class ZplStatus:
    """What ``~HS`` says. Source: ZPL II Programming Guide, ``~HS``."""

    paper_out: bool
    paused: bool
    buffer_full: bool
    partial_format: bool
    """The beginning of a label has come and its end has not."""
    formats_waiting: int
    """Formats in the receive buffer."""
    corrupt_ram: bool
    under_temperature: bool
    over_temperature: bool
    head_open: bool
    ribbon_out: bool
    labels_remaining: int
    """Labels of the current batch that are not printed yet."""

    def reasons(self) -> tuple[str, ...]:
        """Why it cannot print, in words; empty = ready."""
        said = (
            (self.head_open, "the print head is open: close it"),
            (self.paper_out, "no paper: put in a new roll"),
            (self.ribbon_out, "no ribbon: put in a new one"),
            (self.paused, "paused: press the printer's pause key"),
            (self.over_temperature, "the print head is too hot: wait a minute"),
            (self.under_temperature, "the print head is too cold: wait a minute"),
            (self.corrupt_ram, "the printer has lost its settings: switch it off and on"),
            (self.buffer_full, "its buffer is full: wait, or switch it off and on"),
        )
        return tuple(words for happened, words in said if happened)

    @property
    def ready(self) -> bool:
        return not self.reasons()

    @property
    def idle(self) -> bool:
        """Everything it was given is on paper."""
        return not self.formats_waiting and not self.labels_remaining and not self.partial_format


def parse_status(reply: bytes) -> ZplStatus:
    """Read the three strings that answer ``~HS``.

    Args:
        reply: ``<STX>aaa,b,c,dddd,eee,f,g,h,iii,j,k,l<ETX><CR><LF>`` and two more, as they came.

    Raises:
        DeviceFault: fewer than three strings, a missing field, or a flag that is neither 0 nor 1.
    """
    strings = [found.decode("latin-1").split(",") for found in _STRING.findall(reply)]
    if len(strings) < 3 or any(len(fields) < wanted for fields, wanted in zip(strings, _FIELDS, strict=False)):
        raise DeviceFault(f"the printer's status is incomplete: expected three strings, got {reply[:200]!r}")
    one, two = strings[0], strings[1]
    try:
        return ZplStatus(
            paper_out=_flag(one[1]),
            paused=_flag(one[2]),
            formats_waiting=int(one[4]),
            buffer_full=_flag(one[5]),
            partial_format=_flag(one[7]),
            corrupt_ram=_flag(one[9]),
            under_temperature=_flag(one[10]),
            over_temperature=_flag(one[11]),
            head_open=_flag(two[2]),
            # A direct thermal printer has no ribbon to run out of.
            ribbon_out=_flag(two[3]) and _flag(two[4]),
            labels_remaining=int(two[8]),
        )
    except ValueError as error:
        raise DeviceFault(f"the printer's status makes no sense ({error}): {reply[:200]!r}") from error


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(f"{text!r} is neither 0 nor 1")
    return text == "1"


class ZplPrinter:
    """One printer (a ``LabelPrinter``)."""

    def __init__(self, address: str, open_line: OpenLine, *, timeout_s: float = 2.0, settle_s: float = 3.0) -> None:
        """
        Args:
            timeout_s: longest wait for an answer.
            settle_s: how long it may be busy with a label before we no longer wait for the end.
        """
        self._address = address
        self._open_line = open_line
        self._timeout_s = timeout_s
        self._settle_s = settle_s

    @property
    def address(self) -> str:
        return self._address

    def status(self) -> PrinterState:
        """Ask how it is.

        Raises:
            DeviceFault: it cannot be reached, or it does not answer in time. Several models answer nothing at all
                while paper or ribbon is out or the head is open, so silence means *not ready*, never *fine*.
        """
        line = self._open_line()
        try:
            return PrinterState(self._ask(line).reasons())
        finally:
            line.close()

    def print(self, label: LabelImage, job_id: str) -> Delivery:
        """Send one label to a ready printer and hear from it again afterwards.

        Raises:
            PrintFault: not ready, unreachable, silent or broken off; says whether the label may have been printed.
        """
        zpl = zpl_label(label, job_id)
        try:
            line = self._open_line()
        except DeviceFault as fault:
            raise PrintFault(str(fault), may_have_printed=False) from fault
        try:
            self._make_ready(line)
            return self._send(line, zpl)
        finally:
            line.close()

    def _make_ready(self, line: Line) -> None:
        try:
            status = self._ask(line)
            if status.partial_format:
                # The rest of a label that was cut off: ours would be taken for its end.
                line.write(CANCEL_PARTIAL + b"\n")
                status = self._ask(line)
            if not status.ready:
                raise DeviceFault(f"the printer at {self._address} is not ready: {', '.join(status.reasons())}")
            if status.partial_format:
                raise DeviceFault(
                    f"the printer at {self._address} waits for the rest of a label that was cut off: "
                    "switch it off and on"
                )
        except DeviceFault as fault:
            raise PrintFault(str(fault), may_have_printed=False) from fault

    def _send(self, line: Line, zpl: bytes) -> Delivery:
        try:
            line.write(zpl)
            after = self._ask(line, line.clearing_s(len(zpl)))
            deadline = time.monotonic() + self._settle_s
            while after.ready and not after.idle and time.monotonic() < deadline:
                time.sleep(_ASK_AGAIN_S)
                after = self._ask(line)
        except DeviceFault as fault:
            raise PrintFault(
                f"the connection to the printer at {self._address} broke while the label was sent; "
                f"it may have been printed: look, and reprint it if it is not there ({fault})",
                may_have_printed=True,
            ) from fault
        if not after.ready:
            raise PrintFault(
                f"the printer took the label, then stopped: {', '.join(after.reasons())}; "
                "it may print once that is done: look before you reprint",
                may_have_printed=True,
            )
        return Delivery.PRINTED if after.idle else Delivery.HANDED_OVER

    def _ask(self, line: Line, late_s: float = 0.0) -> ZplStatus:
        drain(line)
        line.write(HOST_STATUS + b"\n")
        deadline = time.monotonic() + self._timeout_s + late_s
        reply = b""
        while len(_STRING.findall(reply)) < 3:
            left = deadline - time.monotonic()
            if left <= 0 or len(reply) > _MOST_STATUS_BYTES:
                raise DeviceFault(
                    f"the printer at {self._address} does not answer: look for an open head, missing paper or ribbon"
                )
            reply += line.read(left)
        return parse_status(reply)

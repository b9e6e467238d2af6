"""A ZPL printer on TCP port 9100: is it ready, and has this label gone to it?"""

from __future__ import annotations

import logging
import re
import socket
import time
from dataclasses import dataclass

from devices.printer.zpl import HOST_STATUS
from station.errors import DeviceFault

logger = logging.getLogger(__name__)

_STRING = re.compile(rb"\x02([^\x02\x03]*)\x03")
_FIELDS = (12, 11, 2)
_MOST_STATUS_BYTES = 4096


class PrintFault(DeviceFault):
    """A label did not surely get printed."""

    def __init__(self, message: str, *, may_have_printed: bool) -> None:
        super().__init__(message)
        self.may_have_printed = may_have_printed
        """True = bytes of the label had left for the printer: sending it again could print it twice."""


class Unreachable(DeviceFault):
    """Nothing listens at the printer's address."""


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What ``~HS`` says. Source: ZPL II Programming Guide, ``~HS``."""

    paper_out: bool
    paused: bool
    buffer_full: bool
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


def parse_status(reply: bytes) -> PrinterStatus:
    """Read the three strings that answer ``~HS``.

    Args:
        reply: ``<STX>aaa,b,c,dddd,eee,f,g,h,iii,j,k,l<ETX><CR><LF>`` and two more, as they came.

    Raises:
        DeviceFault: fewer than three strings, a missing field, or a flag that is neither 0 nor 1.
    """
    strings = [found.decode("latin-1").split(",") for found in _STRING.findall(reply)]
    if len(strings) < 3 or any(len(fields) < wanted for fields, wanted in zip(strings, _FIELDS, strict=False)):
        raise DeviceFault(f"the printer's status is incomplete: expected three strings, got {reply!r}")
    one, two = strings[0], strings[1]
    try:
        return PrinterStatus(
            paper_out=_flag(one[1]),
            paused=_flag(one[2]),
            formats_waiting=int(one[4]),
            buffer_full=_flag(one[5]),
            corrupt_ram=_flag(one[9]),
            under_temperature=_flag(one[10]),
            over_temperature=_flag(one[11]),
            head_open=_flag(two[2]),
            # A direct thermal printer has no ribbon to run out of.
            ribbon_out=_flag(two[3]) and _flag(two[4]),
            labels_remaining=int(two[8]),
        )
    except ValueError as error:
        raise DeviceFault(f"the printer's status makes no sense ({error}): {reply!r}") from error


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(f"{text!r} is neither 0 nor 1")
    return text == "1"


class ZplPrinter:
    """One printer; each question and each label has its own connection, since many printers take only one at a time."""

    def __init__(self, host: str, port: int = 9100, *, timeout_s: float = 2.0) -> None:
        self.host, self.port = host, port
        self.timeout_s = timeout_s

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def status(self) -> PrinterStatus:
        """Ask how it is.

        Raises:
            DeviceFault: it cannot be reached, or it does not answer in time. Several models answer nothing at all
                while paper or ribbon is out or the head is open, so silence means *not ready*, never *fine*.
        """
        with self._connect() as line:
            return self._ask(line)

    def print(self, zpl: bytes) -> None:
        """Send one label to a ready printer and hear from it again afterwards.

        Args:
            zpl: the whole format, ``^XA`` to ``^XZ``.

        Raises:
            PrintFault: not ready, unreachable, silent or broken off; says whether the label may have been printed.
        """
        try:
            with self._connect() as line:
                status = self._ask(line)
                if not status.ready:
                    raise DeviceFault(f"the printer at {self.address} is not ready: {', '.join(status.reasons())}")
                self._send(line, zpl)
        except PrintFault:
            raise
        except DeviceFault as error:
            raise PrintFault(str(error), may_have_printed=False) from error

    def _send(self, line: socket.socket, zpl: bytes) -> None:
        try:
            line.sendall(zpl)
            after = self._ask(line)
        except (OSError, DeviceFault) as error:
            raise PrintFault(
                f"the connection to the printer at {self.address} broke while the label was sent; "
                f"it may have been printed: look, and reprint it if it is not there ({error})",
                may_have_printed=True,
            ) from error
        if not after.ready:
            raise PrintFault(
                f"the printer took the label, then stopped: {', '.join(after.reasons())}; "
                "it may print once that is done: look before you reprint",
                may_have_printed=True,
            )

    def _connect(self) -> socket.socket:
        try:
            line = socket.create_connection((self.host, self.port), self.timeout_s)
        except OSError as error:
            raise Unreachable(
                f"the printer at {self.address} cannot be reached: check its power and its network cable ({error})"
            ) from error
        line.settimeout(self.timeout_s)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    def _ask(self, line: socket.socket) -> PrinterStatus:
        deadline = time.monotonic() + self.timeout_s
        reply = b""
        try:
            line.sendall(HOST_STATUS + b"\n")
            while len(_STRING.findall(reply)) < 3:
                left = deadline - time.monotonic()
                if left <= 0 or len(reply) > _MOST_STATUS_BYTES:
                    raise TimeoutError
                line.settimeout(left)
                piece = line.recv(1024)
                if not piece:
                    raise ConnectionResetError("the printer closed the connection")
                logger.debug("%s > %r", self.address, piece)
                reply += piece
        except TimeoutError as error:
            raise DeviceFault(
                f"the printer at {self.address} does not answer: look for an open head, missing paper or ribbon"
            ) from error
        except OSError as error:
            raise DeviceFault(f"the connection to the printer at {self.address} broke: {error}") from error
        finally:
            line.settimeout(self.timeout_s)
        return parse_status(reply)

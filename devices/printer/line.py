"""The line to a label printer, TCP or serial: bytes there and back, opened anew for each question and each label.

A printer that was switched off and on again leaves a dead line behind (python-escpos issue #437), and many take only
one connection at a time: so nothing is kept open between two labels. A TCP line waits a moment for the printer to let
go as well, because a job that arrives while the last one is being closed is mixed up with it on some Zebras (apple/cups
issue #5689).
"""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

from devices.ports import Transport
from devices.printer.model import Unreachable
from devices.transport import LineSettings, Opener, SerialTransport
from station.errors import DeviceFault

logger = logging.getLogger(__name__)

_PIECE = 4096
_SERIAL_PIECE = 256
_SERIAL_BUFFER = 4096
"""Bytes that the system may still hold when ``write`` returns."""
_SERIAL_WRITE_S = 6.0
"""A printer that has sent XOFF prints what it holds, which takes seconds, before it takes more."""
_LETTING_GO_S = 0.2
_MOST_PIECES = 50
"""Of unasked bytes before we call it babble."""


class Line(Transport, Protocol):
    """A ``Transport`` that carries kilobytes."""

    def clearing_s(self, count: int) -> float:
        """Seconds that the last ``count`` bytes written may still be under way."""
        ...


OpenLine: TypeAlias = Callable[[], Line]
"""Raises ``Unreachable``."""


class TcpLine:
    """One connection to a printer."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        """
        Raises:
            Unreachable: nobody listens there.
        """
        self._name = f"{host}:{port}"
        self._timeout_s = timeout_s
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise Unreachable(
                f"the printer at {self._name} cannot be reached: check its power and its network cable ({error})"
            ) from error

    @property
    def name(self) -> str:
        return self._name

    def read(self, timeout_s: float) -> bytes:
        try:
            self._socket.settimeout(max(timeout_s, 0.001))
            data = self._socket.recv(_PIECE)
        except TimeoutError:
            return b""
        except OSError as error:
            raise DeviceFault(f"the connection to the printer at {self._name} broke: {error}") from error
        if not data:
            raise DeviceFault(f"the connection to the printer at {self._name} broke: the printer closed it")
        logger.debug("%s < %r", self._name, data)
        return data

    def write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._timeout_s)
            for start in range(0, len(data), _PIECE):
                self._socket.sendall(data[start : start + _PIECE])
        except TimeoutError as error:
            raise DeviceFault(f"the printer at {self._name} takes no more data") from error
        except OSError as error:
            raise DeviceFault(f"the connection to the printer at {self._name} broke: {error}") from error

    def clearing_s(self, count: int) -> float:
        return 0.0

    def close(self) -> None:
        deadline = time.monotonic() + _LETTING_GO_S
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if not self._socket.recv(_PIECE):
                    break
        self._socket.close()


class SerialLine:
    """A serial printer with XON/XOFF, 8 data bits, no parity."""

    def __init__(self, open_port: Callable[[], Transport], baud: int) -> None:
        """
        Raises:
            Unreachable: absent, busy, not permitted.
        """
        self._baud = baud
        try:
            self._line = open_port()
        except DeviceFault as fault:
            raise Unreachable(f"the printer cannot be reached: {fault}") from fault

    @property
    def name(self) -> str:
        return self._line.name

    def read(self, timeout_s: float) -> bytes:
        return self._line.read(timeout_s)

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), _SERIAL_PIECE):
            self._line.write(data[start : start + _SERIAL_PIECE])

    def clearing_s(self, count: int) -> float:
        """Ten bits a byte; more than the buffer holds has gone before ``write`` returned."""
        return min(count, _SERIAL_BUFFER) * 10 / self._baud

    def close(self) -> None:
        # What the printer would not take (XOFF) is forgotten: the system would wait half a minute for it.
        if isinstance(self._line, SerialTransport):
            self._line.discard_output()
        self._line.close()


def serial_opener(port: str, baud: int) -> OpenLine:
    """How to open a serial printer's line: always the same device, wherever it is plugged in."""
    open_port = Opener(port, LineSettings(baud=baud, xonxoff=True), write_timeout_s=_SERIAL_WRITE_S)
    return lambda: SerialLine(open_port, baud)


def drain(line: Line) -> None:
    """Throw away what has come unasked, so that the next answer is the answer to the next question.

    Raises:
        DeviceFault: it never stops talking: not a printer.
    """
    for _ in range(_MOST_PIECES):
        if not line.read(0.0):
            return
    raise DeviceFault(f"what answers at {line.name} is not a label printer: it talks without being asked")

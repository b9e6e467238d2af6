"""A byte line to one device through pyserial, with one kind of failure: ``DeviceFault``.

pyserial 3.5 raises five kinds of exception when a cable is pulled, depending on the call that notices first (DEVICES
§6.2); all of them end here. Bytes are logged at DEBUG here and nowhere else, in the line format of ``capture.py``, so
that ``station devices replay`` plays a field log.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import serial

from station.errors import DeviceFault

if sys.platform != "win32":
    import fcntl
    import grp
    import termios

    _LINE_ERRORS: tuple[type[Exception], ...] = (
        serial.SerialException,
        OSError,
        termios.error,
        TypeError,
        AttributeError,
    )
else:
    _LINE_ERRORS = (serial.SerialException, OSError, TypeError, AttributeError)

_OPEN_ERRORS: tuple[type[Exception], ...] = (*_LINE_ERRORS, ValueError)
"""ValueError: a URL that pyserial does not know, a speed that the port cannot do."""

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_SLICE_S = 0.05
"""Longest single wait inside pyserial. Fixed at open: setting ``timeout`` later calls tcsetattr each time."""
_WRITE_TIMEOUT_S = 0.15
"""Requests to a device are a few bytes; the owner thread must be able to stop within 0.2 s."""
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How the bits are sent; ignored by lines that have no bits, such as ``socket://``."""

    baud: int = 9600
    data_bits: int = 8
    """7 or 8."""
    parity: str = "N"
    """``N``, ``E`` or ``O``."""
    stop_bits: int = 1

    def __str__(self) -> str:
        """
        >>> str(LineSettings(baud=4800, data_bits=7, parity="E"))
        '4800 7E1'
        """
        return f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


def format_bytes(seconds: float, direction: str, data: bytes) -> str:
    """One line of a capture or of a log: seconds, ``<`` from the device or ``>`` to it, hex bytes.

    >>> format_bytes(1.5, "<", b"S S")
    '1.500000 < 53 20 53'
    """
    return f"{seconds:.6f} {direction} {data.hex(' ').upper()}"


def open_transport(port: str, settings: LineSettings) -> SerialTransport:
    """Open a line for this process alone.

    Args:
        port: anything pyserial opens: a device path, ``COM3``, ``socket://host:port``, ``loop://``, ``rfc2217://…``.

    Raises:
        DeviceFault: absent, busy, not permitted, not a serial line; the text says what to do.

    Source: DEVICES §6.1 (a plain ``open`` of a locked port succeeds, so TIOCEXCL is set beside flock) and §6.5.
    """
    if _is_pseudo_terminal(port) and (settings.data_bits, settings.parity) != (8, "N"):
        # A pty carries bytes, not bits: Linux keeps CS8 silently and glibc then refuses the second open.
        settings = replace(settings, data_bits=8, parity="N", stop_bits=1)
    try:
        line = serial.serial_for_url(port, do_not_open=True)
        line.baudrate = settings.baud
        line.bytesize = settings.data_bits
        line.parity = settings.parity
        line.stopbits = settings.stop_bits
        line.timeout = _SLICE_S
        line.write_timeout = _WRITE_TIMEOUT_S
        if isinstance(line, serial.Serial):
            line.exclusive = True
        line.open()
    except _OPEN_ERRORS as error:
        raise DeviceFault(_why_not_opened(port, error)) from error
    _lock(line, port)
    return SerialTransport(port, line)


class SerialTransport:
    """A ``Transport`` over one open pyserial line. For one thread; only ``close`` may come from another."""

    def __init__(self, port: str, line: Any) -> None:
        self._port = port
        self._line = line
        self._is_socket = port.lower().startswith("socket://")
        self._closed = False

    @property
    def name(self) -> str:
        return self._port

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, waiting for the first byte only.

        Raises:
            DeviceFault: unplugged, hung up or closed.
        """
        deadline = time.monotonic() + timeout_s
        data = self._guard("read from", self._read_some)
        while not data and time.monotonic() < deadline:
            data = self._guard("read from", self._read_some)
        if data:
            logger.debug("%s %s", self._port, _Lazy(time.monotonic(), "<", data))
        return data

    def write(self, data: bytes) -> None:
        """Send all bytes.

        Raises:
            DeviceFault: unplugged, or the device takes no bytes.
        """
        self._guard("write to", lambda: self._line.write(data))
        logger.debug("%s %s", self._port, _Lazy(time.monotonic(), ">", data))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self._is_socket:
                self._close_socket()
            else:
                self._line.close()
        except _LINE_ERRORS:
            logger.info("closing %s failed; the port is given up", self._port, exc_info=True)

    def _close_socket(self) -> None:
        # pyserial 3.5 leaves the socket open when the other end hung up first, and sleeps 0.3 s in any case.
        self._line.is_open = False
        self._line._socket.close()

    def _read_some(self) -> bytes:
        if not self._is_socket:
            return bytes(self._line.read(max(1, min(self._line.in_waiting, _CHUNK))))
        # A socket only tells that something waits, not how much: take one byte, then whatever is there, unwaited.
        first = bytes(self._line.read(1))
        if not first:
            return b""
        self._line.timeout = 0
        try:
            return first + bytes(self._line.read(_CHUNK))
        except serial.SerialException:
            return first  # hung up right behind its last byte: the next read reports it
        finally:
            self._line.timeout = _SLICE_S

    def _guard(self, doing: str, action: Callable[[], _T]) -> _T:
        if self._closed:
            raise DeviceFault(f"{self._port!r} is closed")
        try:
            return action()
        except _LINE_ERRORS as error:
            if isinstance(error, serial.SerialTimeoutException):
                raise DeviceFault(f"{self._port!r} takes no bytes: is the device switched on?") from error
            logger.info("cannot %s %s: %s", doing, self._port, error)
            raise DeviceFault(f"{self._port!r} is unplugged or switched off: check its cable and its power") from error


class _Lazy:
    """Formats bytes only if the record is really written."""

    def __init__(self, seconds: float, direction: str, data: bytes) -> None:
        self._parts = (seconds, direction, data)

    def __str__(self) -> str:
        return format_bytes(*self._parts)


def _is_pseudo_terminal(port: str) -> bool:
    return port.startswith("/") and os.path.realpath(port).startswith("/dev/pts/")


def _lock(line: Any, port: str) -> None:
    # Not on a pty: its other end keeps the terminal alive, so the mark would outlive a killed process.
    if sys.platform == "win32" or not isinstance(line, serial.Serial) or _is_pseudo_terminal(port):
        return
    try:
        fcntl.ioctl(line.fileno(), termios.TIOCEXCL)
    except OSError:
        logger.info("%s cannot be locked against other programs", port)


def _why_not_opened(port: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.EACCES or "PermissionError" in text or "Access is denied" in text:
        return f"no permission to open {port!r}: {_how_to_permit(port)}"
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV) or "FileNotFoundError" in text:
        return f"no such port: {port!r}; is the cable plugged in and the device switched on?"
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return f"{port!r} is in use by another program; close that program first"
    if number in (errno.ENOTTY, errno.EINVAL) or "not configure port" in text:
        return f"{port!r} is not a serial line, or refuses these settings ({text})"
    if port.lower().startswith("socket://"):
        return f"nothing answers at {port!r} ({text}); expected socket://HOST:PORT of a device server that is on"
    return f"cannot open {port!r}: {text}"


def _how_to_permit(port: str) -> str:
    if sys.platform == "win32":
        return "another program holds it, or Windows has not released it yet; close that program and try again"
    try:
        group = grp.getgrgid(Path(port).stat().st_gid).gr_name
    except (OSError, KeyError):
        group = "dialout"
    return f"add the user to the group {group!r} (sudo usermod -aG {group} USER), then log out and in again"

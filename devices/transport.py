"""A byte line to one device through pyserial, with one kind of failure: ``DeviceFault``.

pyserial 3.5 raises five kinds of exception when a cable is pulled, depending on the call that notices first (DEVICES
§6.2); all of them end here. Bytes are logged at DEBUG here and nowhere else, in the line format of ``capture.py``, so
that ``station devices replay`` plays a field log.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import serial

from devices.discovery.keys import is_key, must_be_same, parse_key, port_at, resolve
from devices.discovery.listing import ListedPort, Listing, list_ports
from devices.locks import PortLock
from devices.ports import DeviceAbsent, Transport
from devices.refusals import refusal
from station.errors import DeviceFault

if sys.platform != "win32":
    import fcntl
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
    xonxoff: bool = False
    """The device may stop us with XOFF (13 hex) and let us go on with XON (11 hex): label printers."""

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


def open_transport(
    port: str,
    settings: LineSettings,
    *,
    write_timeout_s: float = _WRITE_TIMEOUT_S,
    listing: Listing = list_ports,
) -> Transport:
    """Open a line for this process alone, once. What opens a port again and again uses an ``Opener``.

    Args:
        port: anything pyserial opens: a device path, ``COM3``, ``socket://host:port``, ``loop://``, ``rfc2217://…``;
            a USB device wherever it is plugged in, ``usb:VID:PID:SERIAL`` or ``usb:VID:PID@PLACE``;
            or ``hid:VID:PID`` of a USB device without a serial line (``hid_transport.py``).
        write_timeout_s: longest wait of one ``write``; more only for devices that take kilobytes.
        listing: the machine's serial ports; tests give tables.

    Raises:
        InvalidInput: begins with ``usb:`` and is not a key.
        DeviceFault: absent, busy, not permitted, not a serial line, another device; the text says what to do.
    """
    return Opener(port, settings, write_timeout_s=write_timeout_s, listing=listing)()


class Opener:
    """Opens one port again and again, and only ever the same device behind it. For one thread.

    A key is looked up at each opening, so the device is found at whichever node it came back. Behind a plain path the
    device of the first opening is remembered, and another one that appears there is refused.

    Source: DEVICES §6.1 (a plain ``open`` of a locked port succeeds, so TIOCEXCL is set beside flock), §6.5 and S17.
    """

    def __init__(
        self,
        port: str,
        settings: LineSettings,
        *,
        write_timeout_s: float = _WRITE_TIMEOUT_S,
        listing: Listing = list_ports,
    ) -> None:
        """
        Raises:
            InvalidInput: begins with ``usb:`` and is not a key.
        """
        if is_key(port):
            parse_key(port)
        self._port = port
        self._settings = settings
        self._write_timeout_s = write_timeout_s
        self._listing = listing
        self._known: ListedPort | None = None

    def __call__(self) -> Transport:
        """Open it now.

        Raises:
            DeviceFault: see ``open_transport``.
        """
        if self._port.lower().startswith("hid:"):
            from devices.hid_transport import open_hid  # hidapi is loaded only where such a port is used

            return open_hid(self._port)
        path = self._find()
        if _is_url(path):
            return self._open(path, None)
        lock = PortLock(path)
        lock.acquire()
        try:
            line = self._open(path, lock)
        except BaseException:
            lock.release()
            raise
        try:
            # now it cannot change any more: a node's number is not given away while the node is open
            if self._find() != path:
                raise DeviceAbsent(f"{self._port!r} moved while it was being opened")
        except DeviceFault:
            line.close()
            raise
        return line

    def _find(self) -> str:
        """Where the device is now; learns which device stands behind a plain path."""
        if is_key(self._port):
            return resolve(self._port, self._listing())
        if _is_url(self._port):
            return self._port
        found = port_at(self._port, self._listing())
        if self._known is None:
            self._known = found
        elif _exists(self._port):
            must_be_same(self._port, self._known, found)
        return self._port

    def _open(self, path: str, lock: PortLock | None) -> SerialTransport:
        settings = self._settings
        if _is_pseudo_terminal(path) and (settings.data_bits, settings.parity) != (8, "N"):
            # A pty carries bytes, not bits: Linux keeps CS8 silently and glibc then refuses the second open.
            settings = replace(settings, data_bits=8, parity="N", stop_bits=1)
        try:
            line = serial.serial_for_url(path, do_not_open=True)
            line.baudrate = settings.baud
            line.bytesize = settings.data_bits
            line.parity = settings.parity
            line.stopbits = settings.stop_bits
            line.timeout = _SLICE_S
            line.write_timeout = self._write_timeout_s
            line.xonxoff = settings.xonxoff
            if isinstance(line, serial.Serial):
                line.exclusive = True
            line.open()
        except _OPEN_ERRORS as error:
            raise refusal(self._port, path, error) from error
        _exclude(line, path)
        if path != self._port:
            logger.info("%s is at %s", self._port, path)
        return SerialTransport(self._port, line, lock)


class SerialTransport:
    """A ``Transport`` over one open pyserial line. For one thread; only ``close`` may come from another."""

    def __init__(self, port: str, line: Any, lock: PortLock | None = None) -> None:
        self._port = port
        self._line = line
        self._lock = lock
        self._is_socket = port.lower().startswith("socket://")
        self._broken = False
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

    def discard_output(self) -> None:
        """Forget the bytes that the device has not taken, so that ``close`` need not wait for it. Never raises."""
        discard = getattr(self._line, "reset_output_buffer", None)
        if discard is None or self._closed:
            return
        try:
            discard()
        except _LINE_ERRORS:
            logger.info("%s takes no order to forget its output", self._port)

    def discard_input(self) -> None:
        """Forget what has arrived and was not read.

        Raises:
            DeviceFault: unplugged or closed.
        """
        self._guard("clear", self._line.reset_input_buffer)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._broken and not self._is_socket:
            # Linux waits up to 30 s at the close for bytes that a dead line will never take
            with contextlib.suppress(*_LINE_ERRORS):
                self._line.reset_output_buffer()
        try:
            if self._is_socket:
                self._close_socket()
            else:
                self._line.close()
        except _LINE_ERRORS:
            logger.info("closing %s failed; the port is given up", self._port, exc_info=True)
        finally:
            if self._lock is not None:
                self._lock.release()

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
            self._broken = True
            if isinstance(error, serial.SerialTimeoutException):
                raise DeviceFault(f"{self._port!r} takes no bytes: is the device switched on?") from error
            logger.info("cannot %s %s: %s", doing, self._port, error)
            raise DeviceAbsent(f"{self._port!r} is unplugged or switched off: check its cable and its power") from error


class _Lazy:
    """Formats bytes only if the record is really written."""

    def __init__(self, seconds: float, direction: str, data: bytes) -> None:
        self._parts = (seconds, direction, data)

    def __str__(self) -> str:
        return format_bytes(*self._parts)


def _is_pseudo_terminal(path: str) -> bool:
    return path.startswith("/") and os.path.realpath(path).startswith("/dev/pts/")


def _is_url(port: str) -> bool:
    return "://" in port


def _exists(path: str) -> bool:
    return not path.startswith("/") or Path(path).exists()


def _exclude(line: Any, path: str) -> None:
    # Not on a pty: its other end keeps the terminal alive, so the mark would outlive a killed process.
    if sys.platform == "win32" or not isinstance(line, serial.Serial) or _is_pseudo_terminal(path):
        return
    try:
        fcntl.ioctl(line.fileno(), termios.TIOCEXCL)
    except OSError:
        logger.info("%s cannot be locked against other programs", path)

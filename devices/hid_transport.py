"""A byte line to a USB device without a serial line, through hidapi, with one kind of failure: ``DeviceFault``.

Ports: ``hid:VID:PID`` (hexadecimal), ``hid:VID:PID:SERIAL`` when two alike are plugged in, ``hid:PATH`` for one place
(``hid:/dev/hidraw0``). One read returns one report, with its number first. Bytes are logged at DEBUG in the line format
of ``capture.py``.

Context: hidapi says "open failed" for whatever happened, and its Linux build has two modules, of which only ``hidraw``
leaves the kernel's driver alone. Decision: enumerate first, so that absent, ambiguous and forbidden are told apart
before anything is opened; ``hidraw`` where it exists. Price: one enumeration (a few milliseconds) per opening.

Source: hidapi 0.15 (module ``hid``, and ``hidraw`` on Linux); DEVICES §1.10 (udev rule; Windows needs hidapi, not
libusb). Not yet checked on hardware.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from devices.ports import DeviceAbsent
from devices.transport import format_bytes
from station.errors import DeviceFault

logger = logging.getLogger(__name__)

PREFIX = "hid:"
_SCALE_PAGE = 0x8D
_SLICE_S = 0.05
"""Longest single wait inside hidapi, so that a close from another thread is noticed."""
_REPORT_BYTES = 64
_NUMBERS = re.compile(r"(?P<vendor>[0-9A-Fa-f]{4}):(?P<product>[0-9A-Fa-f]{4})(?::(?P<serial>.+))?")

_HID_ERRORS: tuple[type[Exception], ...] = (OSError, ValueError, RuntimeError)
"""hidapi raises OSError when the device is gone, ValueError when it is not open."""


class HidLibrary(Protocol):
    """The part of hidapi that is used."""

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> Sequence[dict[str, Any]]: ...

    def device(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class HidPort:
    """A port as the configuration writes it."""

    text: str
    vendor: int | None = None
    product: int | None = None
    serial: str = ""
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> HidPort:
        """
        Raises:
            DeviceFault: not such a port.

        >>> HidPort.parse("hid:0922:8003").product
        32771
        """
        rest = text[len(PREFIX) :] if text.lower().startswith(PREFIX) else ""
        if found := _NUMBERS.fullmatch(rest):
            return cls(text, int(found["vendor"], 16), int(found["product"], 16), found["serial"] or "")
        if not rest or re.fullmatch(r"[0-9A-Fa-f]{0,5}(:[0-9A-Fa-f]{0,5})?", rest):
            raise DeviceFault(f"{text!r} is not a USB device: expected hid:0922:8003, perhaps with :SERIAL behind")
        return cls(text, path=rest)


def load_hidapi() -> HidLibrary:
    """hidapi's module for this system.

    Raises:
        DeviceFault: it cannot be loaded.
    """
    names = ("hidraw", "hid") if sys.platform == "linux" else ("hid",)
    for name in names:
        try:
            library: HidLibrary = importlib.import_module(name)
        except ImportError as error:
            logger.info("hidapi's module %s cannot be loaded: %s", name, error)
        else:
            return library
    raise DeviceFault("USB scales need the Python package hidapi, which cannot be loaded here: install it again")


def open_hid(port: str, library: HidLibrary | None = None) -> HidTransport:
    """Open a USB device.

    Args:
        library: hidapi; tests give another.

    Raises:
        DeviceFault: absent, ambiguous, not permitted, in use; the text says what to do.
    """
    wanted = HidPort.parse(port)
    library = library or load_hidapi()
    try:
        found = library.enumerate(wanted.vendor or 0, wanted.product or 0)
    except _HID_ERRORS as error:
        raise DeviceFault(f"cannot look for {port!r}: {error}") from error
    chosen = _choose(wanted, found)
    try:
        device = library.device()
        device.open_path(chosen["path"])
    except _HID_ERRORS as error:
        raise DeviceFault(_why_not_opened(wanted, chosen, error)) from error
    return HidTransport(port, device)


class HidTransport:
    """A ``Transport`` over one open HID device. For one thread; only ``close`` may come from another."""

    def __init__(self, port: str, device: Any) -> None:
        self._port = port
        self._device = device
        self._closed = False

    @property
    def name(self) -> str:
        return self._port

    def read(self, timeout_s: float) -> bytes:
        """The next report, or b"" if none came in time.

        Raises:
            DeviceFault: unplugged or closed.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            if self._closed:
                raise DeviceFault(f"{self._port!r} is closed")
            left_s = min(_SLICE_S, max(0.001, deadline - time.monotonic()))
            try:
                report = bytes(self._device.read(_REPORT_BYTES, max(1, round(left_s * 1000))))
            except _HID_ERRORS as error:
                raise self._gone("read from", error) from error
            if report:
                self._log("<", report)
                return report
            if time.monotonic() >= deadline:
                return b""

    def write(self, data: bytes) -> None:
        """Send one report, its number first.

        Raises:
            DeviceFault: unplugged, closed, or the device takes no such report.
        """
        if self._closed:
            raise DeviceFault(f"{self._port!r} is closed")
        try:
            taken = self._device.write(data)
        except _HID_ERRORS as error:
            raise self._gone("write to", error) from error
        if taken < 0:
            raise DeviceFault(f"{self._port!r} takes no requests: a USB scale sends by itself, leave poll empty")
        self._log(">", data)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._device.close()
        except _HID_ERRORS:
            logger.info("closing %s failed; the device is given up", self._port, exc_info=True)

    def _gone(self, doing: str, error: Exception) -> DeviceFault:
        logger.info("cannot %s %s: %s", doing, self._port, error)
        return DeviceAbsent(
            f"{self._port!r} is unplugged or has switched itself off: check its cable, press its button"
        )

    def _log(self, way: str, data: bytes) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s %s", self._port, format_bytes(time.monotonic(), way, data))


def _choose(wanted: HidPort, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if wanted.path:
        for entry in found:
            if os.fsdecode(entry["path"]) == wanted.path:
                return entry
        raise DeviceAbsent(f"no USB device at {wanted.text!r}: is it plugged in and switched on?")
    alike = [entry for entry in found if not wanted.serial or entry.get("serial_number") == wanted.serial]
    if not alike:
        others = ", ".join(sorted({repr(entry.get("serial_number") or "") for entry in found}))
        there = f"; plugged in are those with serial {others}" if others else ""
        raise DeviceAbsent(f"no USB device {wanted.text!r}{there}: is it plugged in and switched on?")
    # One device may show several interfaces; the scale is the one on the scales' usage page.
    scales = [entry for entry in alike if entry.get("usage_page") == _SCALE_PAGE] or alike
    paths = {bytes(entry["path"]) for entry in scales}
    if len(paths) > 1:
        names = ", ".join(sorted(os.fsdecode(path) for path in paths))
        raise DeviceFault(f"{wanted.text!r} names {len(paths)} devices ({names}): add :SERIAL, or use hid:PATH")
    return scales[0]


def _why_not_opened(wanted: HidPort, chosen: dict[str, Any], error: Exception) -> str:
    path = os.fsdecode(chosen["path"])
    if path.startswith("/dev/") and not os.access(path, os.R_OK | os.W_OK):
        return f"no permission to open {wanted.text!r} ({path}): {udev_advice(chosen)}"
    if sys.platform == "win32":
        return f"{wanted.text!r} cannot be opened: another program holds it; close that program and try again"
    return f"cannot open {wanted.text!r} ({path}): {error}; plug it in again, and if that fails, {udev_advice(chosen)}"


def udev_advice(entry: dict[str, Any]) -> str:
    """The rule that lets people who are logged in open this device, and where to put it.

    >>> udev_advice({"vendor_id": 0x0922, "product_id": 0x8003})[:64]
    'put this line into /etc/udev/rules.d/70-station-scale.rules, the'
    """
    rule = (
        f'KERNEL=="hidraw*", ATTRS{{idVendor}}=="{entry.get("vendor_id", 0):04x}", '
        f'ATTRS{{idProduct}}=="{entry.get("product_id", 0):04x}", MODE="0660", TAG+="uaccess"'
    )
    return f"put this line into /etc/udev/rules.d/70-station-scale.rules, then plug the device in again: {rule}"

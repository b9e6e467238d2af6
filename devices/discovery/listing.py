"""The serial ports that this machine has now.

On Linux sysfs is read here and not through pyserial, whose ``comports`` raises ``TypeError`` when a device goes while
it is being listed (pyserial issues 550 and 774) and lists legacy ports without hardware on newer kernels. Elsewhere
pyserial lists. Not yet checked on Windows.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

_GAP_S = 1.0
"""On Windows, listing ports can make another thread's opening fail with "Access is denied" (pyserial issue 309)."""


@dataclass(frozen=True, slots=True)
class ListedPort:
    """One serial port as the system describes it."""

    device: str
    """What pyserial opens, e.g. ``/dev/ttyUSB0`` or ``COM3``."""
    vid: int | None = None
    """USB vendor; None = not a USB device."""
    pid: int | None = None
    serial: str = ""
    """USB serial number as the device gives it: often empty, often the same on every device of a kind."""
    place: str = ""
    """The socket: bus, hub ports and, for devices with several interfaces, the interface, e.g. ``1-2.3:1.0``."""
    maker: str = ""
    product: str = ""
    driver: str = ""
    """The system's driver for it, where known, e.g. ``ch341``."""


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One device on the USB, whether or not it has a serial port."""

    vid: int
    pid: int
    place: str
    product: str
    has_port: bool


Listing = Callable[[], Sequence[ListedPort]]
"""Lists the ports that are there now; tests give tables."""


def list_ports() -> tuple[ListedPort, ...]:
    """The ports that are there now; at most a second old on Windows."""
    return linux_ports(Path("/")) if sys.platform == "linux" else _SPACED.list()


def linux_ports(root: Path) -> tuple[ListedPort, ...]:
    """Read ``root/sys`` and ``root/dev``. What vanishes while it is being read is left out."""
    try:
        nodes = sorted((root / "sys/class/tty").iterdir(), key=lambda node: _natural(node.name))
    except OSError:
        return ()
    return tuple(port for node in nodes if (port := _linux_port(root, node)) is not None)


def linux_usb_devices(root: Path) -> tuple[UsbDevice, ...]:
    """Everything on the USB, to find a converter that no driver has made a port of."""
    places = {re.sub(r":.*", "", port.place) for port in linux_ports(root)}
    found = []
    for folder in sorted((root / "sys/bus/usb/devices").glob("*-*")):
        vid, pid = _hex(folder / "idVendor"), _hex(folder / "idProduct")
        if ":" not in folder.name and vid is not None and pid is not None:
            found.append(UsbDevice(vid, pid, folder.name, _text(folder / "product"), folder.name in places))
    return tuple(found)


def _linux_port(root: Path, node: Path) -> ListedPort | None:
    device = root / "dev" / node.name
    if not (node / "device").is_symlink():
        return None  # a console
    try:
        folder = (node / "device").resolve(strict=True)
        # 0 = the driver reserved a number for a UART that is not there
        if _text(node / "type") == "0" or not device.exists():
            return None
    except OSError:
        return None
    usb = next((up for up in _upwards(folder, root) if (up / "idVendor").exists()), None)
    if usb is None:
        return ListedPort(str(device), driver=_link_name(folder / "driver"))
    vid, pid = _hex(usb / "idVendor"), _hex(usb / "idProduct")
    if vid is None or pid is None:
        return None
    interface = next((up for up in _upwards(folder, root) if up.parent == usb), usb)
    return ListedPort(
        device=str(device),
        vid=vid,
        pid=pid,
        serial=_text(usb / "serial"),
        place=usb.name if _text(usb / "bNumInterfaces") in ("", "1") else interface.name,
        maker=_text(usb / "manufacturer"),
        product=_text(usb / "product"),
        driver=_link_name(interface / "driver"),
    )


def _upwards(folder: Path, root: Path) -> Iterator[Path]:
    yield folder
    for up in folder.parents:
        if up == root or up.name == "sys":
            return
        yield up


def _link_name(link: Path) -> str:
    try:
        return link.resolve(strict=True).name
    except OSError:
        return ""


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _hex(file: Path) -> int | None:
    text = _text(file)
    return int(text, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,4}", text) else None


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]


class _Spaced:
    """Lists through pyserial at most once a second, one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listed_at = float("-inf")
        self._ports: tuple[ListedPort, ...] = ()

    def list(self) -> tuple[ListedPort, ...]:
        from serial.tools.list_ports import comports

        with self._lock:
            if time.monotonic() - self._listed_at < _GAP_S:
                return self._ports
            try:
                self._ports = tuple(
                    ListedPort(
                        device=port.device,
                        vid=port.vid,
                        pid=port.pid,
                        serial=port.serial_number or "",
                        place=port.location or "",
                        maker=port.manufacturer or "",
                        product=port.product or "",
                    )
                    for port in sorted(comports())
                )
            except (OSError, TypeError, ValueError):
                logger.info("the system cannot list its ports now", exc_info=True)
            self._listed_at = time.monotonic()
            return self._ports


_SPACED = _Spaced()

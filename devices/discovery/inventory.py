"""Everything that could be a device of this bench: what it probably is, its key, who holds it, what is in its way.

Nothing is opened. On Linux the reasons why a port cannot be used are looked up too; each comes with what to do.
Not yet checked on Windows.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devices.discovery.keys import describe, keys_of, usb_names
from devices.discovery.listing import ListedPort, UsbDevice, linux_usb_devices, list_ports
from devices.discovery.usb_ids import KnownDevice, What, known_device
from devices.locks import Holder, holder
from devices.refusals import how_to_permit
from devices.serials import is_own_number
from station.errors import StationError

if TYPE_CHECKING:
    from devices.hid_transport import HidLibrary

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a device cannot be used, or may trouble later."""

    text: str
    fix: str


@dataclass(frozen=True, slots=True)
class Found:
    """One device."""

    kind: str
    """``serial``, ``hid``, ``camera``, or ``usb``: a converter that has no port."""
    port: str
    """Where it is now, e.g. ``/dev/ttyUSB0``; empty without a port."""
    key: str
    """What to write into the configuration; the same wherever it is plugged in, if it has a number of its own."""
    name: str
    what: What
    names: frozenset[str] = frozenset()
    """Everything that a configuration may call it, in lower case: its path, by number, by place."""
    held_by: Holder | None = None
    problems: tuple[Problem, ...] = field(default=())

    def is_called(self, port: str) -> bool:
        """Whether a configured port means this device; a link counts as what it leads to."""
        if not port:
            return False
        return port.casefold() in self.names or (
            port.startswith("/") and os.path.realpath(port) == os.path.realpath(self.port or self.key)
        )


def inventory(
    ports: Sequence[ListedPort] | None = None,
    *,
    root: Path = Path("/"),
    who_holds: Callable[[str], Holder | None] = holder,
) -> tuple[Found, ...]:
    """List serial ports, USB scales, cameras, and converters without a driver.

    Args:
        ports: instead of the machine's.
        root: where ``sys``, ``proc`` and ``run`` are, for tests.
    """
    listed = tuple(list_ports() if ports is None else ports)
    running = _programs(root)
    stranded = linux_usb_devices(root) if sys.platform == "linux" else ()
    return (
        *serial_devices(listed, running=running, root=root, who_holds=who_holds),
        *hid_scales(),
        *cameras(),
        *converters_without_port(stranded, running),
    )


def serial_devices(
    ports: Sequence[ListedPort],
    *,
    running: Iterable[str] = (),
    root: Path = Path("/"),
    who_holds: Callable[[str], Holder | None] = holder,
) -> tuple[Found, ...]:
    """The listed serial ports."""
    running = set(running)
    keys = keys_of(ports)
    found = []
    for port in ports:
        known = known_device(port.vid, port.pid)
        problems = [*_forbidden(port.device), *_modem_manager(port, running, root), *_identity(port, keys, ports)]
        found.append(
            Found(
                kind="serial",
                port=port.device,
                key=keys[port.device],
                name=_name(port, known),
                what=known.what if known else What.UNKNOWN,
                names=_names(port.device, *usb_names(port)),
                held_by=who_holds(port.device),
                problems=tuple(problems),
            )
        )
    return tuple(found)


def converters_without_port(devices: Iterable[UsbDevice], running: Iterable[str] = ()) -> tuple[Found, ...]:
    """Serial converters on the USB that no driver has made a port of."""
    found = []
    for device in devices:
        known = known_device(device.vid, device.pid)
        if device.has_port or known is None or known.pid is None or known.what is not What.ADAPTER:
            continue
        if known.claimed and known.claimed in set(running):
            why = Problem(
                f"{known.claimed} has taken it for its own",
                f"sudo apt remove {known.claimed} (it drives braille displays; keep it if one is used), then replug",
            )
        else:
            why = Problem(
                "the system has made no port of it: its driver is missing or another program has taken it",
                "plug it in again and look at the last lines of 'sudo dmesg'",
            )
        key = f"usb:{device.vid:04x}:{device.pid:04x}@{device.place}"
        name = device.product or known.name
        found.append(Found("usb", "", key, name, known.what, names=_names(key), problems=(why,)))
    return tuple(found)


def hid_scales(library: HidLibrary | None = None) -> tuple[Found, ...]:
    """USB scales without a serial line.

    Args:
        library: hidapi; tests give another.
    """
    from devices.hid_transport import load_hidapi, udev_advice
    from devices.scale.hid import KNOWN_USB_SCALES, SCALE_USAGE_PAGE

    try:
        listed = list((library or load_hidapi()).enumerate())
    except (StationError, OSError, RuntimeError, ValueError) as error:
        logger.info("USB scales cannot be listed: %s", error)
        return ()
    scales: dict[str, dict[str, Any]] = {}
    for entry in listed:
        if (entry["vendor_id"], entry["product_id"]) in KNOWN_USB_SCALES or entry.get("usage_page") == SCALE_USAGE_PAGE:
            scales.setdefault(os.fsdecode(entry["path"]), entry)
    found = []
    for path, entry in sorted(scales.items()):
        kind = (entry["vendor_id"], entry["product_id"])
        plain = f"hid:{kind[0]:04x}:{kind[1]:04x}"
        alike = [other for other in scales.values() if (other["vendor_id"], other["product_id"]) == kind]
        found.append(
            Found(
                kind="hid",
                port=path,
                key=_hid_key(entry, path, alike),
                name=KNOWN_USB_SCALES.get(kind) or entry.get("product_string") or "USB scale",
                what=What.SCALE,
                names=_names(path, f"hid:{path}", plain, f"{plain}:{entry.get('serial_number')}"),
                problems=_not_permitted(path, udev_advice(entry)),
            )
        )
    return tuple(found)


def _hid_key(entry: dict[str, Any], path: str, alike: Sequence[dict[str, Any]]) -> str:
    key = f"hid:{entry['vendor_id']:04x}:{entry['product_id']:04x}"
    if len(alike) == 1:
        return key
    number = entry.get("serial_number") or ""
    own = is_own_number(number) and sum(other.get("serial_number") == number for other in alike) == 1
    return f"{key}:{number}" if own else f"hid:{path}"


def cameras() -> tuple[Found, ...]:
    """Cameras, where the system can list them without opening any."""
    from devices.camera.enumerate import list_cameras

    try:
        listed = list_cameras()
    except StationError as error:
        logger.info("cameras cannot be listed: %s", error)
        return ()
    return tuple(
        Found(
            kind="camera",
            port=camera.path,
            key=camera.key,
            name=camera.name,
            what=What.CAMERA,
            names=_names(camera.path, camera.key, str(camera.index)),
            problems=_forbidden(camera.path),
        )
        for camera in listed
    )


def _names(*names: str) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)


def _name(port: ListedPort, known: KnownDevice | None) -> str:
    own = " ".join(word for word in (port.maker, port.product) if word)
    if known and own and own.casefold() not in known.name.casefold():
        return f"{known.name} ({own})"
    return known.name if known else own or ("built-in serial port" if port.vid is None else describe(port))


def _forbidden(path: str) -> tuple[Problem, ...]:
    return _not_permitted(path, "") and _not_permitted(path, how_to_permit(path))


def _not_permitted(path: str, fix: str) -> tuple[Problem, ...]:
    if sys.platform == "win32" or not path.startswith("/") or os.access(path, os.R_OK | os.W_OK):
        return ()
    return (Problem("this user may not open it", fix),)


def _modem_manager(port: ListedPort, running: set[str], root: Path) -> tuple[Problem, ...]:
    if "ModemManager" not in running or not re.search(r"tty(ACM|USB)\d+$", port.device):
        return ()
    known = known_device(port.vid, port.pid)
    if (known and known.what is What.MODEM) or _is_left_alone(port, root):
        return ()
    return (
        Problem(
            "ModemManager asks each new port whether it is a modem, for some ten seconds after plugging in",
            'sudo systemctl disable --now ModemManager, or a udev rule with ENV{ID_MM_DEVICE_IGNORE}="1" for this '
            "device; what it sends is ignored until then",
        ),
    )


def _is_left_alone(port: ListedPort, root: Path) -> bool:
    """udev's own record of the node, e.g. ``/run/udev/data/c188:0``."""
    try:
        number = (root / "sys/class/tty" / Path(port.device).name / "dev").read_text().strip()
        record = (root / "run/udev/data" / f"c{number}").read_text()
    except OSError:
        return False
    return re.search(r"^E:ID_MM_(?:DEVICE|PORT)_IGNORE=1$", record, re.MULTILINE) is not None


def _identity(port: ListedPort, keys: dict[str, str], ports: Sequence[ListedPort]) -> tuple[Problem, ...]:
    if port.vid is None or "@" not in keys[port.device]:
        return ()
    if is_own_number(port.serial) and any(
        other is not port and other.place.partition(":")[0] == port.place.partition(":")[0] for other in ports
    ):
        return ()  # one device with several ports: each is known by its interface
    reason = "shares its serial number with another one" if is_own_number(port.serial) else "has no number of its own"
    return (Problem(f"it {reason}, so it is known by its socket", "always plug it into the same socket"),)


def _programs(root: Path) -> set[str]:
    names = set()
    for file in (root / "proc").glob("[0-9]*/comm"):
        try:
            names.add(file.read_text().strip())
        except OSError:
            continue
    return names

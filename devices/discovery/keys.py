"""A port's name that survives replugging: ``usb:VID:PID:SERIAL``, or ``usb:VID:PID@PLACE`` where there is no number.

Source: DEVICES §6.1 (CH340 has no serial number, many CP210x share "0001", so ``/dev/serial/by-id`` collides).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from devices.discovery.listing import ListedPort
from devices.ports import DeviceAbsent
from devices.serials import is_own_number
from station.errors import DeviceFault, InvalidInput

_KEY = re.compile(r"usb:(?P<vid>[0-9a-f]{4}):(?P<pid>[0-9a-f]{4})(?::(?P<serial>.+)|@(?P<place>.+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UsbKey:
    """Which device is meant. Exactly one of ``serial`` and ``place`` is set."""

    vid: int
    pid: int
    serial: str = ""
    place: str = ""

    def __str__(self) -> str:
        tail = f":{self.serial}" if self.serial else f"@{self.place}"
        return f"usb:{self.vid:04x}:{self.pid:04x}{tail}"

    def fits(self, port: ListedPort) -> bool:
        """Windows gives serial numbers in capitals, so case does not count."""
        if (port.vid, port.pid) != (self.vid, self.pid):
            return False
        return port.serial.casefold() == self.serial.casefold() if self.serial else port.place == self.place


def is_key(port: str) -> bool:
    return port.lower().startswith("usb:")


def parse_key(text: str) -> UsbKey:
    """Read a key.

    Raises:
        InvalidInput: not of one of the two forms.

    >>> parse_key("usb:1a86:7523@1-2.3")
    UsbKey(vid=6790, pid=29987, serial='', place='1-2.3')
    >>> str(parse_key("usb:0403:6001:A10KXYZ7"))
    'usb:0403:6001:A10KXYZ7'
    """
    found = _KEY.fullmatch(text)
    if not found:
        raise InvalidInput(
            f"{text!r} is no USB device: expected usb:VID:PID:SERIAL or usb:VID:PID@PLACE with VID and PID of four hex "
            "digits, as 'station devices list' shows them"
        )
    return UsbKey(int(found["vid"], 16), int(found["pid"], 16), found["serial"] or "", found["place"] or "")


def keys_of(ports: Iterable[ListedPort]) -> dict[str, str]:
    """Each listed port's device → its key: by serial number, by place, or the device's own path.

    A number that two listed ports share tells neither of them: two clones, or one device with two ports.
    """
    ports = tuple(ports)
    return {port.device: _key_of(port, ports) for port in ports}


def _key_of(port: ListedPort, ports: Sequence[ListedPort]) -> str:
    identity = identity_of(port, ports)
    return port.device if identity is None else str(identity)


def identity_of(port: ListedPort, ports: Sequence[ListedPort]) -> UsbKey | None:
    """Which device this is; None = the system cannot say, as with a built-in port."""
    if port.vid is None or port.pid is None:
        return None
    if is_own_number(port.serial):
        by_number = UsbKey(port.vid, port.pid, serial=port.serial)
        if sum(by_number.fits(other) for other in ports) == 1:
            return by_number
    return UsbKey(port.vid, port.pid, place=port.place) if port.place else None


def usb_names(port: ListedPort) -> tuple[str, ...]:
    """Every key that can mean a listed port: by its number and by its place."""
    if port.vid is None or port.pid is None:
        return ()
    keys = (UsbKey(port.vid, port.pid, serial=port.serial), UsbKey(port.vid, port.pid, place=port.place))
    return tuple(str(key) for key in keys if key.serial or key.place)


def resolve(text: str, ports: Sequence[ListedPort]) -> str:
    """Where the device of a key is now, e.g. ``/dev/ttyUSB3``.

    Raises:
        DeviceAbsent: it is not plugged in; another one of its kind is named where there is one.
        DeviceFault: several devices are alike, or another one sits at its place.
        InvalidInput: not a key.
    """
    key = parse_key(text)
    fitting = [port for port in ports if key.fits(port)]
    if len(fitting) == 1:
        return fitting[0].device
    if fitting:
        raise DeviceFault(
            f"{len(fitting)} devices say that they are {text!r} ({_devices(fitting)}): unplug one, or pair the device "
            "by its socket: station devices list, then station devices pair"
        )
    if key.place:
        sitting = [port for port in ports if _same_socket(port.place, key.place)]
        if sitting:
            raise DeviceFault(
                f"another device ({describe(sitting[0])}) is plugged in where {text!r} belongs: this is not the paired "
                "device. Plug the paired one into this socket, or pair the new one"
            )
    twins = [port for port in ports if (port.vid, port.pid) == (key.vid, key.pid)]
    if twins and key.place:
        raise DeviceAbsent(
            f"{text!r} is not in its socket; one of its kind is at {twins[0].place!r}. It has no number of its own: "
            "plug it back into its socket, or pair it anew"
        )
    if twins:
        raise DeviceAbsent(
            f"{text!r} is not plugged in; {describe(twins[0])} at {twins[0].device!r} is of the same kind, but it is "
            "not the paired device"
        )
    raise DeviceAbsent(f"{text!r} is not plugged in: check its cable, and that the device is switched on")


def port_at(path: str, ports: Sequence[ListedPort]) -> ListedPort | None:
    """The listed port behind a path, also through a link."""
    real = os.path.realpath(path)
    return next((port for port in ports if port.device == path or os.path.realpath(port.device) == real), None)


def must_be_same(path: str, known: ListedPort, found: ListedPort | None) -> None:
    """Refuse another device behind the same path.

    Raises:
        DeviceFault: it is another one, or it has no number of its own and sits in another socket.
    """
    if found is None:
        raise DeviceFault(f"what is at {path!r} now is not {describe(known)}: this is not the paired device")
    same_kind = (found.vid, found.pid, found.serial.casefold()) == (known.vid, known.pid, known.serial.casefold())
    if not same_kind:
        raise DeviceFault(
            f"at {path!r} there is now another device ({describe(found)}): this is not the paired device "
            f"({describe(known)}). Plug the right one in, or pair the new one"
        )
    if not is_own_number(known.serial) and found.place != known.place:
        raise DeviceFault(
            f"the device at {path!r} has no number of its own and sits in another socket ({found.place!r}, it was "
            f"{known.place!r}): plug it back into its socket, or pair it anew"
        )


def describe(port: ListedPort) -> str:
    """A listed port in a few words.

    >>> describe(ListedPort("/dev/ttyUSB0", 0x0403, 0x6001, "A10KXYZ7", "1-2", "FTDI", "FT232R"))
    'FT232R 0403:6001 A10KXYZ7'
    """
    number = f" {port.serial}" if is_own_number(port.serial) else ""
    usb = "" if port.vid is None or port.pid is None else f"{port.vid:04x}:{port.pid:04x}"
    return f"{port.product} {usb}{number}".strip() or port.device


def _same_socket(place: str, other: str) -> bool:
    return bool(place) and place.partition(":")[0] == other.partition(":")[0]


def _devices(ports: Sequence[ListedPort]) -> str:
    return ", ".join(port.device for port in ports)

"""A folder that looks like a Linux machine's ``/sys`` and ``/dev``, with devices that can be plugged in and out.

Written from the kernel's ABI documents (sysfs-bus-usb, sysfs-tty) and a real machine's tree, not from our reader.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Machine:
    """One machine; ``root`` is its file system."""

    root: Path
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        for folder in ("sys/class/tty", "sys/bus/usb/devices", "sys/devices/usb1", "dev", "proc", "run/udev/data"):
            (self.root / folder).mkdir(parents=True)

    def plug_in(
        self,
        place: str,
        vid: str,
        pid: str,
        *,
        serial: str = "",
        product: str = "",
        maker: str = "",
        nodes: tuple[str, ...] = (),
        interfaces: int = 1,
        driver: str = "ftdi_sio",
        leads_to: str | None = None,
    ) -> Path:
        """A USB device with serial ports, one interface each.

        Args:
            nodes: names of its ports, e.g. ``ttyUSB0``.
            interfaces: what the device says; a CDC device has two for one port.
            leads_to: what the first node is really, e.g. a pseudo-terminal.
        """
        device = self.root / "sys/devices/usb1" / place
        device.mkdir()
        texts = {"idVendor": vid, "idProduct": pid, "bNumInterfaces": f" {interfaces}"}
        texts |= {"serial": serial, "product": product, "manufacturer": maker}
        for name, text in texts.items():
            if text:
                (device / name).write_text(f"{text}\n")
        (self.root / "sys/bus/usb/devices" / place).symlink_to(device)
        for number, node in enumerate(nodes):
            interface = device / f"{place}:1.{number}"
            owner = interface / node if node.startswith("ttyUSB") else interface  # usb-serial has a level of its own
            owner.mkdir(parents=True)
            bound = self.root / "sys/bus/usb/drivers" / driver
            bound.mkdir(parents=True, exist_ok=True)
            (interface / "driver").symlink_to(bound)
            self._node(node, owner, leads_to if number == 0 else None)
        return device

    def built_in(self, node: str, *, type_: int) -> None:
        """A port of the main board; type 0 = a number without a UART."""
        owner = self.root / "sys/devices/pnp0" / f"00:0{next(self.numbers)}"
        owner.mkdir(parents=True)
        self._node(node, owner, None)
        (self.root / "sys/class/tty" / node / "type").write_text(f"{type_}\n")

    def virtual(self, node: str) -> None:
        """A console: no device behind it."""
        (self.root / "sys/class/tty" / node).mkdir()
        (self.root / "dev" / node).touch()

    def pull_out(self, place: str, *nodes: str) -> None:
        for node in nodes:
            (self.root / "dev" / node).unlink()
            shutil.rmtree(self.root / "sys/class/tty" / node)
        (self.root / "sys/bus/usb/devices" / place).unlink()
        shutil.rmtree(self.root / "sys/devices/usb1" / place)

    def runs(self, program: str) -> None:
        process = self.root / "proc" / str(1000 + next(self.numbers))
        process.mkdir()
        (process / "comm").write_text(f"{program}\n")

    def _node(self, node: str, owner: Path, leads_to: str | None) -> None:
        entry = self.root / "sys/class/tty" / node
        entry.mkdir()
        (entry / "device").symlink_to(owner)
        (entry / "dev").write_text(f"188:{next(self.numbers)}\n")
        device = self.root / "dev" / node
        if leads_to:
            device.symlink_to(leads_to)
        else:
            device.touch(mode=0o660)

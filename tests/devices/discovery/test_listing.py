"""What is read from a machine's sysfs, whatever happens to it meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

from devices.discovery.listing import ListedPort, UsbDevice, linux_ports, linux_usb_devices, list_ports
from tests.devices.discovery.sysfs import Machine


def test_each_port_is_described(machine: Machine) -> None:
    machine.plug_in(
        "1-2.3", "0403", "6001", serial="A10KXYZ7", product="FT232R", maker="FTDI", nodes=("ttyUSB10",), interfaces=1
    )
    machine.plug_in("1-2.4", "1a86", "7523", product="USB Serial", nodes=("ttyUSB2",), driver="ch341")
    machine.plug_in("1-1", "05e0", "1701", serial="S1", nodes=("ttyACM0",), interfaces=2, driver="cdc_acm")
    dev = machine.root / "dev"
    assert linux_ports(machine.root) == (
        ListedPort(str(dev / "ttyACM0"), 0x05E0, 0x1701, "S1", "1-1:1.0", driver="cdc_acm"),
        ListedPort(str(dev / "ttyUSB2"), 0x1A86, 0x7523, "", "1-2.4", product="USB Serial", driver="ch341"),
        ListedPort(str(dev / "ttyUSB10"), 0x0403, 0x6001, "A10KXYZ7", "1-2.3", "FTDI", "FT232R", "ftdi_sio"),
    )


def test_two_ports_of_one_device_have_their_own_places(machine: Machine) -> None:
    machine.plug_in("3-1", "0403", "6010", serial="FT5X", nodes=("ttyUSB0", "ttyUSB1"), interfaces=2)
    assert [port.place for port in linux_ports(machine.root)] == ["3-1:1.0", "3-1:1.1"]


def test_consoles_and_numbers_without_hardware_are_left_out(machine: Machine) -> None:
    machine.virtual("tty0")
    machine.built_in("ttyS0", type_=4)
    machine.built_in("ttyS1", type_=0)
    assert [port.device for port in linux_ports(machine.root)] == [str(machine.root / "dev/ttyS0")]


def test_what_vanishes_while_it_is_listed_is_left_out(machine: Machine) -> None:
    """pyserial's own listing raises TypeError here (pyserial issues 550 and 774)."""
    device = machine.plug_in("1-2", "0403", "6001", serial="A10KXYZ7", nodes=("ttyUSB0",))
    machine.plug_in("1-3", "1a86", "7523", nodes=("ttyUSB1",))
    for step in ("bNumInterfaces", "idVendor"):
        (device / step).unlink()
        assert [port.place for port in linux_ports(machine.root) if port.vid == 0x1A86] == ["1-3"]
    shutil.rmtree(device)
    assert [port.place for port in linux_ports(machine.root)] == ["1-3"]
    (machine.root / "dev/ttyUSB1").unlink()
    assert linux_ports(machine.root) == ()


def test_no_sysfs_is_no_ports(tmp_path: Path) -> None:
    assert linux_ports(tmp_path) == ()


def test_usb_devices_tell_whether_they_have_a_port(machine: Machine) -> None:
    machine.plug_in("1-2", "1a86", "7523", product="USB Serial")
    machine.plug_in("1-3", "0403", "6001", nodes=("ttyUSB0",))
    machine.plug_in("1-4", "05e0", "1701", nodes=("ttyACM0",), interfaces=2)
    assert linux_usb_devices(machine.root) == (
        UsbDevice(0x1A86, 0x7523, "1-2", "USB Serial", has_port=False),
        UsbDevice(0x0403, 0x6001, "1-3", "", has_port=True),
        UsbDevice(0x05E0, 0x1701, "1-4", "", has_port=True),
    )


def test_this_machine_can_be_listed() -> None:
    assert all(port.device for port in list_ports())

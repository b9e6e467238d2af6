"""What a list says about each device, and what to do about what is in its way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devices.discovery.inventory import Found, converters_without_port, hid_scales, inventory, serial_devices
from devices.discovery.listing import ListedPort, UsbDevice, linux_ports
from devices.discovery.usb_ids import What, known_device
from devices.locks import Holder
from tests.devices.discovery.sysfs import Machine


def on(machine: Machine, *running: str) -> tuple[Found, ...]:
    return serial_devices(linux_ports(machine.root), running=running, root=machine.root, who_holds=lambda path: None)


def words(device: Found) -> str:
    return "; ".join(f"{problem.text}: {problem.fix}" for problem in device.problems)


def test_each_device_is_put_into_words(machine: Machine) -> None:
    machine.plug_in("1-1", "05e0", "1701", serial="S12345", nodes=("ttyACM0",), interfaces=2)
    machine.plug_in("1-2", "0403", "6001", serial="A10KXYZ7", product="FT232R", maker="FTDI", nodes=("ttyUSB0",))
    machine.plug_in("1-3", "1a86", "7523", nodes=("ttyUSB1",))
    machine.plug_in("1-4", "dead", "beef", serial="X9Y8Z7", product="Thing", nodes=("ttyUSB2",))
    machine.built_in("ttyS0", type_=4)
    found = on(machine)
    assert [(device.what, device.name, device.key) for device in found] == [
        (What.SCANNER, "Zebra scanner, USB CDC host", "usb:05e0:1701:S12345"),
        (What.UNKNOWN, "built-in serial port", str(machine.root / "dev/ttyS0")),
        (What.ADAPTER, "FTDI FT232R", "usb:0403:6001:A10KXYZ7"),
        (What.ADAPTER, "CH340", "usb:1a86:7523@1-3"),
        (What.UNKNOWN, "Thing", "usb:dead:beef:X9Y8Z7"),
    ]
    assert (
        words(found[3])
        == "it has no number of its own, so it is known by its socket: always plug it into the same socket"
    )
    assert not found[1].problems
    assert not found[2].problems


def test_a_device_is_called_by_its_path_its_number_and_its_place(machine: Machine, tmp_path: Path) -> None:
    machine.plug_in("1-2", "0403", "6001", serial="A10KXYZ7", nodes=("ttyUSB0",))
    (device,) = on(machine)
    link = tmp_path / "scale"
    link.symlink_to(machine.root / "dev/ttyUSB0")
    names = [str(machine.root / "dev/ttyUSB0"), str(link), "usb:0403:6001:a10kxyz7", "usb:0403:6001@1-2"]
    assert all(device.is_called(name) for name in names)
    assert not any(device.is_called(name) for name in ("", "usb:0403:6001@1-3", "/dev/null", "COM3"))


def test_two_clones_with_one_number_are_told(machine: Machine) -> None:
    for number in (1, 2):
        machine.plug_in(f"1-{number}", "10c4", "ea60", serial="SAME-77A", nodes=(f"ttyUSB{number}",))
    found = on(machine)
    assert [device.key for device in found] == ["usb:10c4:ea60@1-1", "usb:10c4:ea60@1-2"]
    assert all("shares its serial number with another one" in words(device) for device in found)


def test_two_ports_of_one_device_are_no_trouble(machine: Machine) -> None:
    machine.plug_in("3-1", "0403", "6010", serial="FT5XYZ", nodes=("ttyUSB0", "ttyUSB1"), interfaces=2)
    found = on(machine)
    assert [device.key for device in found] == ["usb:0403:6010@3-1:1.0", "usb:0403:6010@3-1:1.1"]
    assert not any(device.problems for device in found)


def test_modem_manager_is_named_where_it_disturbs(machine: Machine) -> None:
    machine.plug_in("1-1", "05e0", "1701", serial="S12345", nodes=("ttyACM0",), interfaces=2)
    assert "ModemManager" not in words(on(machine)[0])
    (device,) = on(machine, "systemd", "ModemManager")
    assert "systemctl disable --now ModemManager" in words(device)
    number = (machine.root / "sys/class/tty/ttyACM0/dev").read_text().strip()
    record = machine.root / "run/udev/data" / f"c{number}"
    record.write_text("S:serial/by-id/x\nE:ID_MM_DEVICE_IGNORE=1\n")
    assert not on(machine, "ModemManager")[0].problems


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may open everything")
def test_a_port_without_permission_names_the_group(machine: Machine) -> None:
    machine.plug_in("1-1", "05e0", "1701", serial="S12345", nodes=("ttyACM0",), interfaces=2)
    (machine.root / "dev/ttyACM0").chmod(0)
    assert "may not open it" in words(on(machine)[0])


def test_who_holds_a_port_is_shown(machine: Machine) -> None:
    machine.plug_in("1-1", "05e0", "1701", serial="S12345", nodes=("ttyACM0",), interfaces=2)
    ports = linux_ports(machine.root)
    (device,) = serial_devices(ports, root=machine.root, who_holds=lambda path: Holder(4711, "minicom"))
    assert str(device.held_by) == "minicom (process 4711)"


def test_a_converter_that_no_driver_has_taken_is_explained() -> None:
    stranded = [
        UsbDevice(0x1A86, 0x7523, "1-2", "USB Serial", has_port=False),
        UsbDevice(0x0403, 0x6001, "1-3", "", has_port=True),
        UsbDevice(0x05E0, 0x1701, "1-4", "", has_port=False),
        UsbDevice(0x1D6B, 0x0002, "1-0", "root hub", has_port=False),
    ]
    (plain,) = converters_without_port(stranded)
    assert (plain.kind, plain.port, plain.name) == ("usb", "", "USB Serial")
    assert "dmesg" in words(plain)
    (taken,) = converters_without_port(stranded, ["brltty"])
    assert "brltty has taken it" in words(taken)
    assert "sudo apt remove brltty" in words(taken)


class Hidapi:
    def __init__(self, *entries: dict[str, object]) -> None:
        self._entries = entries

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> tuple[dict[str, object], ...]:
        return self._entries

    def device(self) -> object:
        raise AssertionError("a list opens nothing")


def entry(path: str, vid: int, pid: int, *, page: int = 1, serial: str = "") -> dict[str, object]:
    return {"path": path.encode(), "vendor_id": vid, "product_id": pid, "usage_page": page, "serial_number": serial}


def test_usb_scales_are_found_by_name_or_by_usage_page() -> None:
    library = Hidapi(
        entry("/dev/hidraw0", 0x046D, 0xC31C),
        entry("/dev/hidraw1", 0x0922, 0x8003),
        entry("/dev/hidraw1", 0x0922, 0x8003, page=0x8D),
        entry("/dev/hidraw2", 0xBEEF, 0x0001, page=0x8D),
    )
    found = hid_scales(library)
    assert [(device.key, device.port, device.what) for device in found] == [
        ("hid:0922:8003", "/dev/hidraw1", What.SCALE),
        ("hid:beef:0001", "/dev/hidraw2", What.SCALE),
    ]
    assert found[0].is_called("hid:0922:8003")
    assert found[0].is_called("hid:/dev/hidraw1")


def test_two_usb_scales_of_one_kind_have_their_own_keys() -> None:
    numbered = Hidapi(
        entry("/dev/hidraw1", 0x0922, 0x8003, serial="0071200123"),
        entry("/dev/hidraw2", 0x0922, 0x8003, serial="0071200456"),
    )
    assert [device.key for device in hid_scales(numbered)] == ["hid:0922:8003:0071200123", "hid:0922:8003:0071200456"]
    plain = Hidapi(entry("/dev/hidraw1", 0x0922, 0x8003), entry("/dev/hidraw2", 0x0922, 0x8003))
    assert [device.key for device in hid_scales(plain)] == ["hid:/dev/hidraw1", "hid:/dev/hidraw2"]


def test_the_table_of_devices_is_sound() -> None:
    for vid, pid, what in [
        (0x0403, 0x6001, What.ADAPTER),
        (0x1A86, 0x7523, What.ADAPTER),
        (0x10C4, 0xEA60, What.ADAPTER),
        (0x067B, 0x2303, What.ADAPTER),
        (0x05F9, 0x4204, What.SCANNER),
        (0x0C2E, 0x0B61, What.SCANNER),
        (0x0A5F, 0x0110, What.PRINTER),
        (0x0EB8, 0x2200, What.SCALE),
    ]:
        row = known_device(vid, pid)
        assert row is not None
        assert row.what is what
    assert known_device(None, None) is None


def test_this_machine_can_be_looked_at(tmp_path: Path) -> None:
    assert all(device.key for device in inventory())
    assert [device.kind for device in inventory((ListedPort("/dev/ttyS0"),), root=tmp_path)][:1] == ["serial"]

"""USB devices without a serial line: a hidapi of our own, since a test cannot plug one in (DEVICES §1.10; S17, S18)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from devices.hid_transport import HidTransport, load_hidapi, open_hid
from devices.transport import LineSettings, open_transport
from station.errors import DeviceFault

REPORT = bytes.fromhex("03 04 02 00 F4 01")


@dataclass
class FakeDevice:
    """Behaves as hidapi 0.15: lists of integers, OSError when unplugged, ValueError when closed."""

    reports: list[bytes] = field(default_factory=list)
    refuses: bool = False
    unplugged: bool = False
    opened: bytes = b""
    closed: int = 0

    def open_path(self, path: bytes) -> None:
        if self.refuses:
            raise OSError("open failed")
        self.opened = path

    def read(self, length: int, timeout_ms: int) -> list[int]:
        if self.unplugged:
            raise OSError("read error")
        return list(self.reports.pop(0)[:length]) if self.reports else []

    def write(self, data: bytes) -> int:
        return -1

    def close(self) -> None:
        self.closed += 1


@dataclass
class FakeHidapi:
    entries: list[dict[str, Any]]
    made: FakeDevice = field(default_factory=FakeDevice)

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> Sequence[dict[str, Any]]:
        return [
            entry
            for entry in self.entries
            if vendor_id in (0, entry["vendor_id"]) and product_id in (0, entry["product_id"])
        ]

    def device(self) -> FakeDevice:
        return self.made


def entry(path: str, serial: str = "", page: int = 0x8D, product: int = 0x8003) -> dict[str, Any]:
    return {
        "path": os.fsencode(path),
        "vendor_id": 0x0922,
        "product_id": product,
        "serial_number": serial,
        "usage_page": page,
    }


def test_one_report_a_read() -> None:
    library = FakeHidapi([entry("/dev/hidraw3")], FakeDevice([REPORT, b"\x02\x01"]))
    line = open_hid("hid:0922:8003", library)
    assert library.made.opened == b"/dev/hidraw3"
    assert [line.read(0.5), line.read(0.5), line.read(0.01)] == [REPORT, b"\x02\x01", b""]
    assert line.name == "hid:0922:8003"


def test_an_unplug_is_a_device_fault() -> None:
    line = open_hid("hid:0922:8003", FakeHidapi([entry("/dev/hidraw3")], FakeDevice(unplugged=True)))
    with pytest.raises(DeviceFault, match="unplugged or has switched itself off"):
        line.read(0.1)


def test_close_may_be_repeated_and_ends_reading() -> None:
    library = FakeHidapi([entry("/dev/hidraw3")])
    line = open_hid("hid:0922:8003", library)
    line.close()
    line.close()
    assert library.made.closed == 1
    with pytest.raises(DeviceFault, match="closed"):
        line.read(0.1)
    with pytest.raises(DeviceFault, match="closed"):
        line.write(b"\x02\x02")


def test_a_scale_takes_no_requests() -> None:
    line = open_hid("hid:0922:8003", FakeHidapi([entry("/dev/hidraw3")]))
    with pytest.raises(DeviceFault, match="leave poll empty"):
        line.write(b"SI\r\n")


def test_two_alike_need_a_serial_number_and_a_path_is_one_place() -> None:
    library = FakeHidapi([entry("/dev/hidraw3", "A1"), entry("/dev/hidraw4", "B2")])
    with pytest.raises(DeviceFault, match=r"2 devices .*hidraw3.*add :SERIAL"):
        open_hid("hid:0922:8003", library)
    open_hid("hid:0922:8003:B2", library)
    assert library.made.opened == b"/dev/hidraw4"
    open_hid("hid:/dev/hidraw3", library)
    assert library.made.opened == b"/dev/hidraw3"
    with pytest.raises(DeviceFault, match=r"'hid:0922:8003:C3'.*serial 'A1', 'B2'"):
        open_hid("hid:0922:8003:C3", library)


def test_of_several_interfaces_the_scale_is_taken() -> None:
    library = FakeHidapi([entry("/dev/hidraw3", page=0x01), entry("/dev/hidraw4")])
    open_hid("hid:0922:8003", library)
    assert library.made.opened == b"/dev/hidraw4"


def test_no_permission_says_which_rule_is_missing(tmp_path: Path) -> None:
    absent = "/dev/hidraw-that-nobody-may-open"
    library = FakeHidapi([entry(absent)], FakeDevice(refuses=True))
    with pytest.raises(DeviceFault, match="no permission") as caught:
        open_hid("hid:0922:8003", library)
    rule = 'KERNEL=="hidraw*", ATTRS{idVendor}=="0922", ATTRS{idProduct}=="8003", MODE="0660", TAG+="uaccess"'
    assert rule in str(caught.value)
    assert "/etc/udev/rules.d/" in str(caught.value)
    readable = tmp_path / "hidraw0"
    readable.write_bytes(b"")
    with pytest.raises(DeviceFault, match="open failed"):
        open_hid("hid:0922:8003", FakeHidapi([entry(str(readable))], FakeDevice(refuses=True)))


@pytest.mark.parametrize("port", ["hid:", "hid:0922", "hid:922:8003", "hid:0922:800G", "hid:09221:80031"])
def test_a_port_that_is_none_says_what_one_looks_like(port: str) -> None:
    with pytest.raises(DeviceFault, match=r"hid:0922:8003|no USB device at"):
        open_hid(port, FakeHidapi([]))


def test_the_real_hidapi_is_there_and_finds_no_such_device() -> None:
    assert isinstance(load_hidapi().enumerate(0xFFFE, 0xFFFE), list)
    with pytest.raises(DeviceFault, match="'hid:fffe:fffe': is it plugged in"):
        open_transport("hid:fffe:fffe", LineSettings())
    assert HidTransport.__name__  # the transport that open_transport would have given

"""Which name a port gets, and where a name leads (DEVICES §6.1, S17)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.discovery.keys import UsbKey, identity_of, keys_of, must_be_same, parse_key, port_at, resolve
from devices.discovery.listing import ListedPort
from devices.ports import DeviceAbsent
from station.errors import DeviceFault, InvalidInput

FTDI = ListedPort("/dev/ttyUSB0", 0x0403, 0x6001, "A10KXYZ7", "1-2", "FTDI", "FT232R USB UART")
FTDI_2 = ListedPort("/dev/ttyUSB1", 0x0403, 0x6001, "B20QRST8", "1-3")
CLONE = ListedPort("/dev/ttyUSB2", 0x10C4, 0xEA60, "0001", "1-4.1")
CLONE_2 = ListedPort("/dev/ttyUSB3", 0x10C4, 0xEA60, "0001", "1-4.2")
CH340 = ListedPort("/dev/ttyUSB4", 0x1A86, 0x7523, "", "1-5")
TWIN = ListedPort("/dev/ttyUSB5", 0x0403, 0x6001, "A10KXYZ7", "2-1")
BOARD = ListedPort("/dev/ttyS0")
DUAL = (
    ListedPort("/dev/ttyUSB6", 0x0403, 0x6010, "FT5XYZ", "3-1:1.0"),
    ListedPort("/dev/ttyUSB7", 0x0403, 0x6010, "FT5XYZ", "3-1:1.1"),
)


@pytest.mark.parametrize(
    ("port", "among", "key"),
    [
        (FTDI, (FTDI, FTDI_2, CH340), "usb:0403:6001:A10KXYZ7"),
        (FTDI, (FTDI, TWIN), "usb:0403:6001@1-2"),
        (TWIN, (FTDI, TWIN), "usb:0403:6001@2-1"),
        (CLONE, (CLONE,), "usb:10c4:ea60@1-4.1"),
        (CLONE_2, (CLONE, CLONE_2), "usb:10c4:ea60@1-4.2"),
        (CH340, (CH340,), "usb:1a86:7523@1-5"),
        (DUAL[0], DUAL, "usb:0403:6010@3-1:1.0"),
        (DUAL[1], DUAL, "usb:0403:6010@3-1:1.1"),
        (BOARD, (BOARD, FTDI), "/dev/ttyS0"),
    ],
)
def test_the_key_of_a_port(port: ListedPort, among: tuple[ListedPort, ...], key: str) -> None:
    keys = keys_of(among)
    assert keys[port.device] == key
    assert len(set(keys.values())) == len(among), "no two ports have the same key"
    if key.startswith("usb:"):
        assert resolve(key, among) == port.device


def test_a_device_is_found_at_whichever_node_it_came_back() -> None:
    key = keys_of((FTDI, CH340))[FTDI.device]
    moved = ListedPort("/dev/ttyUSB9", 0x0403, 0x6001, "a10kxyz7", "4-1")
    assert resolve(key, (CH340, moved)) == "/dev/ttyUSB9"


@pytest.mark.parametrize(
    ("key", "there", "fault", "words"),
    [
        ("usb:0403:6001:A10KXYZ7", (), DeviceAbsent, "not plugged in: check its cable"),
        ("usb:0403:6001:A10KXYZ7", (FTDI_2,), DeviceAbsent, "B20QRST8 at '/dev/ttyUSB1'.*not the paired device"),
        ("usb:0403:6001:A10KXYZ7", (FTDI, TWIN), DeviceFault, "2 devices say.*/dev/ttyUSB0, /dev/ttyUSB5.*unplug one"),
        ("usb:1a86:7523@1-2", (FTDI,), DeviceFault, "another device .FT232R.*this is not the paired device"),
        ("usb:1a86:7523@1-9", (CH340,), DeviceAbsent, "not in its socket.*one of its kind is at '1-5'"),
        ("usb:0403:6010@3-1:1.0", (DUAL[1],), DeviceFault, "this is not the paired device"),
        ("usb:1a86:7523@1-5", (), DeviceAbsent, "not plugged in"),
    ],
)
def test_what_cannot_be_found_is_told_calmly(
    key: str, there: tuple[ListedPort, ...], fault: type[DeviceFault], words: str
) -> None:
    with pytest.raises(DeviceFault, match=words) as caught:
        resolve(key, there)
    assert type(caught.value) is fault


@pytest.mark.parametrize("text", ["usb:", "usb:0403:6001", "usb:403:6001:X", "usb:0403:6001@", "usb:zzzz:6001:A"])
def test_what_is_no_key_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected usb:VID:PID:SERIAL or usb:VID:PID@PLACE"):
        parse_key(text)


PORTS = st.builds(
    ListedPort,
    device=st.sampled_from([f"/dev/ttyUSB{n}" for n in range(8)]),
    vid=st.sampled_from([0x0403, 0x10C4]),
    pid=st.sampled_from([1, 2]),
    serial=st.sampled_from(["", "0001", "A10KXYZ7", "B20QRST8", "A4:CF:12:0B:44:AA", "AB@CD"]),
    place=st.sampled_from([f"1-{n}" for n in range(9)] + ["2-1:1.0", "2-1:1.1"]),
)


@given(st.lists(PORTS, max_size=6, unique_by=(lambda port: port.device, lambda port: port.place)))
def test_every_key_leads_to_its_own_port_and_to_no_other(ports: list[ListedPort]) -> None:
    for device, key in keys_of(ports).items():
        assert str(parse_key(key)) == key
        assert resolve(key, ports) == device
        others = [port for port in ports if port.device != device]
        with pytest.raises(DeviceFault):
            resolve(key, others)


def test_the_same_path_must_stay_the_same_device() -> None:
    must_be_same("/dev/ttyUSB0", FTDI, ListedPort("/dev/ttyUSB0", 0x0403, 0x6001, "A10KXYZ7", "9-9"))
    with pytest.raises(DeviceFault, match=r"another device.*this is not the paired device"):
        must_be_same("/dev/ttyUSB0", FTDI, CH340)
    with pytest.raises(DeviceFault, match="another device"):
        must_be_same("/dev/ttyUSB0", FTDI, FTDI_2)
    with pytest.raises(DeviceFault, match="not the paired device"):
        must_be_same("/dev/ttyUSB0", FTDI, None)
    with pytest.raises(DeviceFault, match="no number of its own and sits in another socket"):
        must_be_same("/dev/ttyUSB2", CLONE, CLONE_2)


def test_a_port_is_found_by_its_path() -> None:
    assert port_at("/dev/ttyUSB1", (FTDI, FTDI_2)) is FTDI_2
    assert port_at("/dev/ttyUSB8", (FTDI, FTDI_2)) is None
    assert identity_of(BOARD, (BOARD,)) is None
    assert identity_of(FTDI, (FTDI,)) == UsbKey(0x0403, 0x6001, serial="A10KXYZ7")

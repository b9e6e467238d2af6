"""Which cameras there are, from trees like the kernel's; and what a configured source means after a replug."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from devices.camera.enumerate import (
    CameraFound,
    cameras_listed,
    linux_cameras,
    list_cameras,
    resolve,
)
from devices.serials import is_own_number
from station.errors import DeviceFault, EnvironmentFault

CAPTURE = 0x0420_0001
METADATA = 0x04A0_0000


class Machine:
    """A ``/sys`` and ``/dev`` as Linux lays them out."""

    def __init__(self, root: Path) -> None:
        self.sysfs = root / "sys/class/video4linux"
        self.dev = root / "dev"
        self._bus = root / "sys/devices/pci0000:00/0000:00:14.0/usb1"
        for folder in (self.sysfs, self.dev / "v4l/by-id", self.dev / "v4l/by-path", self._bus):
            folder.mkdir(parents=True)

    def plug(
        self,
        number: int,
        socket: str,
        model: str = "046d:0825",
        serial: str | None = "8A3F1C20",
        *,
        interface: str = "1.0",
        index: int = 0,
        name: str = "UVC Camera",
    ) -> None:
        device = self._bus / socket
        place = device / f"{socket}:{interface}"
        node = place / "video4linux" / f"video{number}"
        node.mkdir(parents=True)
        vid, pid = model.split(":")
        (device / "idVendor").write_text(vid + "\n")
        (device / "idProduct").write_text(pid + "\n")
        if serial is not None:
            (device / "serial").write_text(serial + "\n")
        (node / "name").write_text(name + "\n")
        (node / "index").write_text(f"{index}\n")
        (node / "device").symlink_to(place)
        (self.sysfs / f"video{number}").symlink_to(node)

    def plug_other(self, number: int, name: str) -> None:
        """Not USB: a loopback device or a ribbon-cable camera."""
        node = self.sysfs / f"video{number}"
        node.mkdir()
        (node / "name").write_text(name)
        (self.dev / f"video{number}").touch()
        (self.dev / f"v4l/by-path/platform-cam-{name}-video-index0").symlink_to(f"../../video{number}")

    def cameras(self, caps: dict[str, int] | None = None) -> list[CameraFound]:
        return linux_cameras(self.sysfs, self.dev, lambda node: (caps or {}).get(node.name))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_usb_camera_is_named_by_its_serial_number(machine: Machine) -> None:
    machine.plug(0, "1-1.4", name="HD Webcam C270")
    (camera,) = machine.cameras()
    assert camera.key == "usb:046d:0825:8A3F1C20"
    assert (camera.index, camera.name, camera.path) == (0, "HD Webcam C270", str(machine.dev / "video0"))
    assert (camera.vid, camera.pid, camera.serial, camera.place) == (0x046D, 0x0825, "8A3F1C20", "1-1.4")


def test_the_metadata_node_is_no_camera(machine: Machine) -> None:
    machine.plug(0, "1-1")
    machine.plug(1, "1-1", index=1)
    assert [camera.index for camera in machine.cameras()] == [0], "by its index"
    caps = {"video0": METADATA, "video1": CAPTURE}
    assert [camera.index for camera in machine.cameras(caps)] == [1], "what the node says of itself counts more"


@pytest.mark.parametrize("serial", [None, "", "0001", "200901010001", "SN0001", "00000000"])
def test_a_camera_without_a_serial_number_of_its_own_is_named_by_its_socket(
    machine: Machine, serial: str | None
) -> None:
    machine.plug(0, "1-1.2", serial=serial)
    assert machine.cameras()[0].key == "usb:046d:0825@1-1.2"


def test_two_cameras_with_one_serial_number_are_named_by_their_sockets(machine: Machine) -> None:
    machine.plug(0, "1-1", serial="ABCD12")
    machine.plug(2, "1-2", serial="ABCD12")
    assert [camera.key for camera in machine.cameras()] == ["usb:046d:0825@1-1", "usb:046d:0825@1-2"]
    with pytest.raises(DeviceFault, match=r"could be 2 cameras.*@1-1, usb:046d:0825@1-2"):
        resolve("usb:046d:0825:ABCD12", machine.cameras())


def test_colour_and_infrared_of_one_camera_are_two(machine: Machine) -> None:
    machine.plug(0, "1-7", interface="1.0", name="Integrated Camera")
    machine.plug(2, "1-7", interface="1.2", name="Integrated IR Camera")
    assert [camera.key for camera in machine.cameras()] == ["usb:046d:0825@1-7:1.0", "usb:046d:0825@1-7:1.2"]
    assert resolve("usb:046d:0825@1-7:1.2", machine.cameras()).index == 2


def test_what_is_not_on_usb_has_a_path_that_lasts(machine: Machine) -> None:
    machine.plug_other(10, "loop")
    (camera,) = machine.cameras()
    assert camera.key == str(machine.dev / "v4l/by-path/platform-cam-loop-video-index0")
    assert (camera.vid, camera.serial, camera.place) == (None, "", "")


def test_cameras_come_in_the_order_of_their_numbers(machine: Machine) -> None:
    for number in (10, 2, 0):
        machine.plug(number, f"1-{number + 1}", serial=f"S{number}x")
    assert [camera.index for camera in machine.cameras()] == [0, 2, 10]


def test_a_machine_without_cameras_has_none(tmp_path: Path) -> None:
    assert linux_cameras(tmp_path / "nothing", tmp_path) == []


def test_two_cameras_that_changed_their_order_are_still_the_right_ones(tmp_path: Path) -> None:
    before, after = Machine(tmp_path / "before"), Machine(tmp_path / "after")
    for machine, (first, second) in ((before, (0, 2)), (after, (2, 0))):
        machine.plug(first, "1-1", serial="LEFT01")
        machine.plug(second, "1-2", serial="RIGHT02")
    assert resolve("usb:046D:0825:left01", before.cameras()).index == 0
    assert resolve("usb:046d:0825:LEFT01", after.cameras()).index == 2
    # The negative control: the number alone now means the other camera.
    assert before.cameras()[0].serial != after.cameras()[0].serial


def test_a_key_says_what_is_wrong(machine: Machine) -> None:
    machine.plug(0, "1-1")
    cameras = machine.cameras()
    assert resolve("usb:046d:0825", cameras).index == 0
    with pytest.raises(DeviceFault, match="check its USB cable"):
        resolve("usb:1234:0825:X1", cameras)
    with pytest.raises(DeviceFault, match="the one that is plugged in is another: usb:046d:0825:8A3F1C20"):
        resolve("usb:046d:0825:OTHER", cameras)
    with pytest.raises(DeviceFault, match="plug it into the same socket"):
        resolve("usb:046d:0825@1-9", cameras)
    with pytest.raises(DeviceFault, match="expected usb:VID:PID:SERIAL"):
        resolve("usb:46d", cameras)


def test_every_key_that_is_listed_resolves_to_its_camera(machine: Machine) -> None:
    machine.plug(0, "1-1", serial="A1B2")
    machine.plug(1, "1-1", serial="A1B2", index=1)
    machine.plug(2, "1-2.1", serial=None)
    machine.plug(4, "1-2.2", serial="0001")
    machine.plug(6, "1-3", "0c45:6366", "SN0001", interface="1.0")
    machine.plug(8, "1-3", "0c45:6366", "SN0001", interface="1.2")
    cameras = machine.cameras()
    assert [resolve(camera.key, cameras) for camera in cameras] == cameras
    assert len({camera.key for camera in cameras}) == 5


@pytest.mark.parametrize("serial", ["8A3F1C20", "AB17", "20230907-17"])
def test_a_serial_number_that_tells_apart(serial: str) -> None:
    assert is_own_number(serial)


@dataclass
class Listed:
    """What the package for Windows and macOS says."""

    index: int
    name: str
    path: str | None
    vid: int | None
    pid: int | None


def test_windows_cameras_are_named_by_what_their_path_says() -> None:
    guid = "{e5323777-f976-4f5b-9b55-b94699c46e44}"
    cameras = cameras_listed(
        [
            Listed(0, "By socket", rf"\\?\usb#vid_046d&pid_0825&mi_00#7&1b2c3d4e&0&0000#{guid}\global", 0x46D, 0x825),
            Listed(1, "By serial number", rf"\\?\usb#vid_1bcf&pid_2284#AX12B7#{guid}\global", 0x1BCF, 0x2284),
            Listed(2, "OBS Virtual Camera", None, None, None),
        ]
    )
    assert [camera.key for camera in cameras] == ["usb:046d:0825@7&1b2c3d4e&0&0000", "usb:1bcf:2284:AX12B7", "2"]
    assert [resolve(camera.key, cameras).index for camera in cameras[:2]] == [0, 1]


def test_macos_cameras_are_named_by_their_socket() -> None:
    cameras = cameras_listed(
        [
            Listed(0, "C920", "0x14100000046d082d", 0x46D, 0x82D),
            Listed(1, "FaceTime", "EAB7A68FEC2B4487AADFD8A91C1CB782", None, None),
        ]
    )
    assert [camera.key for camera in cameras] == ["usb:046d:082d@0x14100000", "EAB7A68FEC2B4487AADFD8A91C1CB782"]


def test_without_the_package_windows_says_what_to_do() -> None:
    with pytest.raises(EnvironmentFault, match="install the package 'cv2-enumerate-cameras'"):
        list_cameras(platform="win32")


def test_this_machine_can_be_asked() -> None:
    assert all(Path(camera.path).exists() for camera in list_cameras(platform="linux"))

"""Which cameras there are, and which of them a configured source means, wherever it is plugged in today.

Context: the number of a camera changes when cables are changed, and a station that photographs with the neighbour's
camera does not notice it. Decision: a camera is named by vendor, product and serial number; by the socket it is plugged
into if its serial number is missing, a placeholder, or carried by two cameras at once. Price: a camera named by its
socket has to stay in it, and the list says so by the ``@`` in the key.

Linux needs no library: sysfs tells all. Windows and macOS number their cameras in an order that only their own
interfaces know; there the small package ``cv2-enumerate-cameras`` is asked, imported when needed.
Not yet checked on hardware.
Source: Linux kernel, Documentation/admin-guide/media and ABI/stable/sysfs-bus-usb; kernel commit 088ead255245 (metadata
nodes of UVC cameras, since 4.16) and systemd#11640, PipeWire#62 (``device_caps`` tells them apart); videodev2.h.
"""

from __future__ import annotations

import importlib
import re
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from devices.serials import is_own_number
from station.errors import DeviceFault, EnvironmentFault

_SYSFS = Path("/sys/class/video4linux")
_DEV = Path("/dev")
_QUERYCAP = 0x80685600
"""``VIDIOC_QUERYCAP`` = ``_IOR('V', 0, struct v4l2_capability)``, 104 bytes."""
_CAPTURES = 0x0000_0001 | 0x0000_1000
"""``V4L2_CAP_VIDEO_CAPTURE`` and ``…_CAPTURE_MPLANE``."""
_HAS_DEVICE_CAPS = 0x8000_0000
KEY = re.compile(r"usb:([0-9a-f]{4}):([0-9a-f]{4})(?:([:@])(.+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CameraFound:
    """One camera that is plugged in now."""

    index: int
    """OpenCV's number for it, today."""
    name: str
    key: str
    """What belongs into ``source``: ``usb:VID:PID:SERIAL``, ``usb:VID:PID@PLACE``, or a device path."""
    path: str
    """Device node (Linux), device interface path (Windows) or unique id (macOS)."""
    vid: int | None
    pid: int | None
    serial: str
    """As the device says it, even a placeholder; empty = none."""
    place: str = ""
    """Where it is plugged in: the USB port chain, e.g. ``1-1.4``; empty = not USB."""


def list_cameras(backend: str = "auto", platform: str = sys.platform) -> list[CameraFound]:
    """Every camera of this machine, in OpenCV's order.

    Args:
        backend: as in the configuration; on Windows ``dshow`` counts in another order than ``msmf``.
        platform: ``sys.platform``, given by tests.

    Raises:
        EnvironmentFault: this system needs a package that is not installed.
    """
    return linux_cameras() if platform.startswith("linux") else _asked_cameras(platform, backend)


def resolve(source: str, cameras: Iterable[CameraFound]) -> CameraFound:
    """The one camera that a ``usb:…`` key means.

    Args:
        source: ``usb:VID:PID:SERIAL``, ``usb:VID:PID@PLACE``, or ``usb:VID:PID`` where there is only one such camera.
        cameras: what is plugged in now.

    Raises:
        DeviceFault: not a key, none fits, or more than one does.
    """
    parts = KEY.fullmatch(source.strip())
    if parts is None:
        raise DeviceFault(f"camera {source!r} is no key: expected usb:VID:PID:SERIAL or usb:VID:PID@PLACE")
    cameras = list(cameras)
    vid, pid, kind, name = int(parts[1], 16), int(parts[2], 16), parts[3], parts[4]
    same_model = [camera for camera in cameras if (camera.vid, camera.pid) == (vid, pid)]
    found = same_model
    if kind == ":":
        found = [camera for camera in same_model if camera.serial.lower() == name.lower()]
    elif kind == "@":
        found = [camera for camera in same_model if camera.place.lower() == name.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(camera.key for camera in found)
        raise DeviceFault(f"camera {source!r} could be {len(found)} cameras: take one of {keys} into the configuration")
    if same_model and kind == "@":
        places = ", ".join(camera.place for camera in same_model)
        raise DeviceFault(
            f"camera {source!r} is not there; one of its kind is at {places}: plug it into the same socket as before"
        )
    if same_model:
        raise DeviceFault(f"camera {source!r} is not there; the one that is plugged in is another: {same_model[0].key}")
    raise DeviceFault(f"camera {source!r} is not there: check its USB cable; station devices list shows what is")


def linux_cameras(
    sysfs: Path = _SYSFS, dev: Path = _DEV, capabilities: Callable[[Path], int | None] | None = None
) -> list[CameraFound]:
    """The same from sysfs.

    Args:
        sysfs, dev: given by tests.
        capabilities: what a device node can do (``device_caps``); None = it could not be asked.
    """
    ask = capabilities or _device_caps
    found = []
    for folder in sysfs.glob("video*") if sysfs.is_dir() else ():
        number = folder.name.removeprefix("video")
        if number.isdecimal() and _captures(folder, ask(dev / folder.name)):
            found.append(_linux_camera(int(number), folder, dev))
    return _with_keys(sorted(found, key=lambda camera: camera.index))


def _captures(folder: Path, caps: int | None) -> bool:
    """Say whether a node delivers pictures: a UVC camera has a second node for metadata, with index 1."""
    return bool(caps & _CAPTURES) if caps is not None else _line(folder / "index") in ("", "0")


def _device_caps(node: Path) -> int | None:
    try:
        import fcntl

        with node.open("rb", buffering=0) as file:
            answer = fcntl.ioctl(file, _QUERYCAP, bytes(104))
    except (ImportError, OSError):
        return None
    whole, this_node = struct.unpack_from("=II", answer, 84)
    return int(this_node if whole & _HAS_DEVICE_CAPS else whole)


def _linux_camera(index: int, folder: Path, dev: Path) -> CameraFound:
    node = dev / folder.name
    name = _line(folder / "name") or folder.name
    interface = (folder / "device").resolve() if (folder / "device").exists() else None
    device = interface.parent if interface is not None else None
    vid, pid = (_hex(device / what) if device else None for what in ("idVendor", "idProduct"))
    if device is None or interface is None or vid is None or pid is None:
        return CameraFound(index, name, _lasting_path(node, dev), str(node), None, None, "")
    serial = _line(device / "serial")
    return CameraFound(index, name, interface.name, str(node), vid, pid, serial, device.name)


def _lasting_path(node: Path, dev: Path) -> str:
    """A link that stays the same when numbers change, for what is not on USB; else the node itself."""
    for folder in ("by-id", "by-path"):
        for link in sorted((dev / "v4l" / folder).glob("*")):
            if link.is_symlink() and link.resolve() == node.resolve():
                return str(link)
    return str(node)


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _hex(path: Path) -> int | None:
    try:
        return int(_line(path), 16)
    except ValueError:
        return None


def _with_keys(found: list[CameraFound]) -> list[CameraFound]:
    """Give each USB camera its key; two functions of one camera (colour and infrared) are told apart by interface."""

    def how_many(what: Callable[[CameraFound], object], camera: CameraFound) -> int:
        return sum(1 for other in found if other.vid is not None and what(other) == what(camera))

    placed = [
        replace(camera, place=camera.key) if camera.vid is not None and _shares_place(camera, found) else camera
        for camera in found
    ]
    keyed = []
    for camera in placed:
        if camera.vid is None or camera.pid is None:
            keyed.append(camera)
            continue
        model = f"usb:{camera.vid:04x}:{camera.pid:04x}"
        alone = how_many(lambda one: (one.vid, one.pid, one.serial), camera) == 1
        by_serial = alone and is_own_number(camera.serial)
        keyed.append(replace(camera, key=f"{model}:{camera.serial}" if by_serial else f"{model}@{camera.place}"))
    return keyed


def _shares_place(camera: CameraFound, found: list[CameraFound]) -> bool:
    return sum(1 for other in found if other.place == camera.place) > 1


class _Listed(Protocol):
    """What ``cv2-enumerate-cameras`` says of a camera."""

    index: int
    name: str
    path: str | None
    vid: int | None
    pid: int | None


def _asked_cameras(platform: str, backend: str) -> list[CameraFound]:
    try:
        # By name: it is installed on Windows and macOS only.
        package = importlib.import_module("cv2_enumerate_cameras")
    except ImportError as error:
        raise EnvironmentFault(
            "cameras cannot be listed on this system: install the package 'cv2-enumerate-cameras', "
            "or give the camera's number as its source"
        ) from error
    import cv2

    windows = cv2.CAP_DSHOW if backend == "dshow" else cv2.CAP_MSMF
    return cameras_listed(package.enumerate_cameras(windows if platform == "win32" else cv2.CAP_AVFOUNDATION))


def cameras_listed(listed: Iterable[_Listed]) -> list[CameraFound]:
    r"""The cameras of a list that Windows or macOS gave.

    Windows puts the instance into the path, ``\\?\usb#vid_046d&pid_0825&mi_00#7&1b2c&0&0000#{…}\global``: an instance
    with ``&`` was made from the socket, one without is the serial number. The unique id of macOS is the socket's number
    with vendor and product behind it, ``0x14100000046d0825``.
    """
    found = []
    for camera in listed:
        path = camera.path or ""
        serial = place = ""
        if camera.vid is not None and camera.pid is not None:
            instance = path.split("#")[2] if path.count("#") >= 2 else ""
            if instance and "&" not in instance:
                serial = instance
            place = instance or path.removesuffix(f"{camera.vid:04x}{camera.pid:04x}") or str(camera.index)
        lasting = path or str(camera.index)
        vid, pid = (camera.vid, camera.pid) if place else (None, None)
        found.append(CameraFound(camera.index, camera.name, lasting, path, vid, pid, serial, place))
    return _with_keys(found)

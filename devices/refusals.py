"""Why a port did not open, in words that say what to do. Linux and Windows name the same trouble differently."""

from __future__ import annotations

import errno
import getpass
import os
import sys
from pathlib import Path

from devices.locks import holder
from devices.ports import DeviceAbsent
from station.errors import DeviceFault

if sys.platform != "win32":
    import grp


def refusal(port: str, path: str, error: Exception) -> DeviceFault:
    """The fault to raise for what opening a port raised.

    Args:
        port: as the site's configuration names it.
        path: where it is now.
    """
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.EACCES or "PermissionError" in text or "Access is denied" in text:
        return DeviceFault(f"no permission to open {port!r}: {how_to_permit(path)}")
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO) or "FileNotFoundError" in text:
        return DeviceAbsent(f"no such port: {port!r}; is the cable plugged in and the device switched on?")
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        who = holder(path)
        return DeviceFault(f"{port!r} is in use by {who or 'another program'}; close that program first")
    if number in (errno.ENOTTY, errno.EINVAL) or "not configure port" in text:
        return DeviceFault(f"{port!r} is not a serial line, or refuses these settings ({text})")
    if path.lower().startswith("socket://"):
        return DeviceAbsent(
            f"nothing answers at {port!r} ({text}); expected socket://HOST:PORT of a device server that is on"
        )
    return DeviceFault(f"cannot open {port!r}: {text}")


def how_to_permit(path: str) -> str:
    """What gives this user the right to open a port."""
    if sys.platform == "win32":
        return "another program holds it, or Windows has not released it yet; close that program and try again"
    try:
        owner = grp.getgrgid(Path(path).stat().st_gid)
        group, members, number = owner.gr_name, owner.gr_mem, owner.gr_gid
    except (OSError, KeyError):
        group, members, number = "dialout", [], -1
    if _user() in members and number not in os.getgroups():
        return f"the user is in the group {group!r} since the last log-in only: log out and in again"
    return f"add the user to the group {group!r} (sudo usermod -aG {group} USER), then log out and in again"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return ""

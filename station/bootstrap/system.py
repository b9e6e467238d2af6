"""Python, the C library and the shared libraries that Qt loads; installed where this process may."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

from station.bootstrap import NotReady, say

TYPE_CHECKING = False  # typing is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OLDEST_PYTHON = (3, 11)
OLDEST_GLIBC = (2, 34)
"""What PySide6's wheels are built for: Debian 12, Ubuntu 22.04, RHEL 9."""

HEADLESS = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
}
"""Shared library → Debian package: what Qt loads even without a screen."""

DESKTOP = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
"""The same for a window on an X display."""


def python_refusal(version: tuple[int, ...], executable: str) -> str | None:
    """Say why this Python cannot run the program; None when it can.

    Args:
        version: at least major and minor, e.g. ``(3, 9, 2)``.
        executable: its path, for the text.
    """
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return None
    oldest, this = ".".join(map(str, OLDEST_PYTHON)), ".".join(map(str, version))
    return (
        f"Python {oldest} or newer is needed, {executable} is {this}. Install a newer one and start again with it, "
        f"e.g. python{oldest} -m station"
    )


def libc_refusal(libc: str | None) -> str | None:
    """Say why Qt's wheels do not run on this C library; None when they do.

    Args:
        libc: what ``CS_GNU_LIBC_VERSION`` says, e.g. ``"glibc 2.36"``; None where there is no glibc (Alpine).
    """
    oldest = ".".join(map(str, OLDEST_GLIBC))
    supported = f"PySide6 needs glibc {oldest} or newer (Debian 12, Ubuntu 22.04, RHEL 9)"
    if libc is None:
        return f"{supported}, this system has another C library. Use one of those systems"
    try:
        version = tuple(int(part) for part in libc.split()[-1].split(".")[:2])
    except (ValueError, IndexError):
        return None  # an unusual name is no proof of an old library: let pip decide
    return None if version >= OLDEST_GLIBC else f"{supported}, this system has {libc}. Use one of those systems"


def unloadable(wanted: Iterable[str], load: Callable[[str], object]) -> list[str]:
    """The shared libraries that cannot be loaded, in the given order."""
    missing = []
    for soname in wanted:
        try:
            load(soname)
        except OSError:
            missing.append(soname)
    return missing


def wanted_libraries(has_display: bool) -> dict[str, str]:
    """Shared library → Debian package for this kind of start."""
    return {**HEADLESS, **DESKTOP} if has_display else dict(HEADLESS)


def apt_line(packages: Iterable[str]) -> str:
    """The one line that a person runs to install the packages."""
    return "sudo apt-get update && sudo apt-get install -y --no-install-recommends " + " ".join(packages)


def apt_prefix(is_root: bool, has_sudo: bool, has_terminal: bool) -> list[str] | None:
    """How this process may run the package manager: as it is, through sudo, or (None) not at all."""
    if is_root:
        return []
    # without a terminal sudo could not ask for the password, and nobody would see that something is installed
    return ["sudo"] if has_sudo and has_terminal else None


def find_missing() -> dict[str, str]:
    """What this system lacks: a shared library or Python module → the Debian package that brings it."""
    import ctypes

    wanted = wanted_libraries(bool(os.environ.get("DISPLAY")))
    missing = {soname: wanted[soname] for soname in unloadable(wanted, ctypes.CDLL)}
    importlib.invalidate_caches()
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        missing["Python's venv and ensurepip"] = "python{}.{}-venv".format(*sys.version_info[:2])
    return missing


def run_apt(prefix: list[str], packages: list[str]) -> None:
    """Install the packages; apt's own words go to a terminal, or into the error when it fails.

    Raises:
        NotReady: apt-get failed.
    """
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    steps = [[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]]
    said = b""
    for step in steps:
        if sys.stderr.isatty():
            code = subprocess.call(step, stdout=sys.stderr)
        else:
            done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            code, said = done.returncode, said + done.stdout
    # one stale source among many fails the update although the packages can be had: only the install decides
    if code:
        last = "\n".join(said.decode(errors="replace").splitlines()[-15:])
        raise NotReady(
            f"apt-get ended with code {code}. Run this line, then start again:\n{apt_line(packages)}\n{last}"
        )


def ensure_system() -> None:
    """Have every shared library that Qt needs, installing the missing ones where this process may.

    Raises:
        NotReady: something is missing and cannot be installed from here.
    """
    # startswith, so that type checkers read the rest on every system
    if not sys.platform.startswith("linux"):
        return
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        libc = None
    refusal = libc_refusal(libc)
    if refusal:
        raise NotReady(refusal)
    missing = find_missing()
    if not missing:
        return
    names, packages = ", ".join(missing), list(missing.values())
    if not shutil.which("apt-get"):
        raise NotReady(f"this system lacks {names}. Install the packages that bring them and start again")
    has_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    prefix = apt_prefix(os.geteuid() == 0, shutil.which("sudo") is not None, has_terminal)
    if prefix is None:
        raise NotReady(f"this system lacks {names}. Run this line, then start again:\n{apt_line(packages)}")
    say(f"this system lacks {names}; installing {' '.join(packages)} …")
    run_apt(prefix, packages)
    still = find_missing()
    if still:
        raise NotReady(f"apt-get installed {' '.join(packages)}, but {', '.join(still)} still cannot be loaded")

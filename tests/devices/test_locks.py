"""One program per port: a real process holds it, dies, and is named."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.locks import PortLock, holder
from devices.simulators.line import PtyLine
from devices.transport import LineSettings, open_transport
from station.errors import DeviceFault

HOLD = """
import sys, time
from devices.transport import LineSettings, open_transport
line = open_transport(sys.argv[1], LineSettings())
print("open", flush=True)
sys.stdin.read()
line.close()
"""


@pytest.fixture
def port() -> Iterator[str]:
    line = PtyLine()
    yield line.port
    line.close()


@pytest.fixture
def other_process(port: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.communicate()


def test_another_process_is_named_and_leaves_its_port(port: str, other_process: subprocess.Popen[str]) -> None:
    with pytest.raises(DeviceFault, match=rf"is in use by .*\(process {other_process.pid}\)"):
        open_transport(port, LineSettings())
    found = holder(port)
    assert found is not None
    assert found.pid == other_process.pid
    other_process.communicate("")
    assert holder(port, proc=Path("no-such-folder")) is None  # the simulator has its other end open
    open_transport(port, LineSettings()).close()


def test_the_lock_of_a_killed_process_is_taken_over(port: str, other_process: subprocess.Popen[str]) -> None:
    other_process.kill()
    other_process.wait()
    assert holder(port, proc=Path("no-such-folder")) is None  # the simulator has its other end open
    open_transport(port, LineSettings()).close()


def test_two_roles_with_one_port_are_told(port: str) -> None:
    line = open_transport(port, LineSettings())
    with pytest.raises(DeviceFault, match="in use by this program itself, for another device"):
        open_transport(port, LineSettings())
    line.close()
    open_transport(port, LineSettings()).close()


def test_a_link_is_the_port_that_it_leads_to(port: str, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(port)
    lock = PortLock(str(link), tmp_path)
    lock.acquire()
    with pytest.raises(DeviceFault, match="in use"):
        PortLock(port, tmp_path).acquire()
    lock.release()
    lock.release()
    again = PortLock(port, tmp_path)
    again.acquire()
    again.release()


def test_another_program_that_only_opens_it_is_named_too(port: str, tmp_path: Path) -> None:
    """minicom and friends have no lock file of ours."""
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    try:
        found = holder(port, tmp_path)
        assert found is not None
        assert found.pid == os.getpid()
    finally:
        os.close(descriptor)


def test_a_folder_that_cannot_be_written_costs_only_the_name(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    lock = PortLock("/dev/ttyUSB0", blocked)
    lock.acquire()
    lock.release()
    assert holder("/dev/ttyUSB0", blocked, proc=tmp_path) is None


@pytest.mark.parametrize("content", ["", "rubbish", "999999999\nstation run\n", "\x00\xff"])
def test_what_a_crash_left_in_the_file_is_no_lock(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()
    (folder / "dev-ttyUSB0.lock").write_text(content)
    assert holder("/dev/ttyUSB0", folder, proc=tmp_path) is None
    lock = PortLock("/dev/ttyUSB0", folder)
    lock.acquire()
    found = holder("/dev/ttyUSB0", folder, proc=tmp_path)
    assert found is not None
    assert found.pid == os.getpid()
    lock.release()


def test_a_link_planted_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, victim = tmp_path / "locks", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("precious")
    (folder / "dev-ttyUSB0.lock").symlink_to(victim)
    lock = PortLock("/dev/ttyUSB0", folder)
    lock.acquire()
    lock.release()
    assert victim.read_text() == "precious"


AS_NOBODY = """
import os, sys
from devices.transport import LineSettings, open_transport
from station.errors import DeviceFault
os.setresuid(65534, 65534, 65534)
try:
    open_transport(sys.argv[1], LineSettings())
except DeviceFault as fault:
    print(fault)
"""


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can become somebody else")
def test_what_the_kernel_refuses_is_told(port: str) -> None:
    def opened_by_nobody() -> str:
        command = [sys.executable, "-c", AS_NOBODY, port]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    Path(port).chmod(0o600)
    assert "no permission to open" in opened_by_nobody()
    assert "usermod -aG" in opened_by_nobody()
    Path(port).chmod(0o666)
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(descriptor, termios.TIOCEXCL)
    try:
        assert "is in use by" in opened_by_nobody()
    finally:
        fcntl.ioctl(descriptor, termios.TIOCNXCL)
        os.close(descriptor)
    assert opened_by_nobody() == ""

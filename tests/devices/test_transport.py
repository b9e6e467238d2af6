"""Real pseudo-terminals, real sockets: every failure of a line is a DeviceFault (DEVICES §6.2, S17, S18)."""

from __future__ import annotations

import logging
import os
import re
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from devices.discovery.listing import ListedPort, linux_ports
from devices.ports import DeviceAbsent, Transport
from devices.simulators.line import PtyLine, ServedLine, TcpLine, serve_line
from devices.transport import LineSettings, Opener, SerialTransport, open_transport
from station.errors import DeviceFault, InvalidInput
from tests.devices.discovery.sysfs import Machine

SETTINGS = LineSettings()


@pytest.fixture(params=["pty", "tcp"])
def device(request: pytest.FixtureRequest) -> Iterator[ServedLine]:
    line = serve_line(tcp=request.param == "tcp")
    yield line
    line.close()


@pytest.fixture
def line(device: ServedLine) -> Iterator[Transport]:
    transport = open_transport(device.port, SETTINGS)
    device.read(0.01)  # a TCP server takes its client on its next turn
    yield transport
    transport.close()


def until(transport: Transport, size: int) -> bytes:
    data, deadline = b"", time.monotonic() + 5
    while len(data) < size and time.monotonic() < deadline:
        data += transport.read(0.05)
    return data


def test_bytes_go_both_ways(device: ServedLine, line: Transport) -> None:
    everything = bytes(range(256))
    assert device.write(everything)
    assert until(line, 256) == everything
    line.write(everything)
    heard, deadline = b"", time.monotonic() + 5
    while len(heard) < 256 and time.monotonic() < deadline:
        heard += device.read(0.05)
    assert heard == everything


def test_a_read_gives_what_is_there_at_once(device: ServedLine, line: Transport) -> None:
    device.write(b"S S     12.345 kg\r\n")
    assert until(line, 1).startswith(b"S")
    start = time.monotonic()
    device.write(b"half")
    assert line.read(5.0)
    assert time.monotonic() - start < 2.0, "the read waited for more than the first bytes"


def test_nothing_in_time_is_no_bytes(line: Transport) -> None:
    assert line.read(0.06) == b""


def read_for(line: Transport, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        line.read(0.05)


def write_often(line: Transport) -> None:
    for _ in range(10):
        line.write(b"SI\r\n")


def test_unplug_is_a_device_fault_in_read_and_write(device: ServedLine, line: Transport) -> None:
    device.unplug()
    with pytest.raises(DeviceFault, match="unplugged"):
        read_for(line, 5.0)
    with pytest.raises(DeviceFault):
        write_often(line)
    line.close()
    line.close()
    with pytest.raises(DeviceFault, match="closed"):
        line.read(0.01)


def test_the_last_bytes_before_an_unplug_arrive(device: ServedLine, line: Transport) -> None:
    device.write(b"RMA-1\r")
    assert until(line, 6) == b"RMA-1\r"


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("/dev/no-such-port", "no such port.*cable"),
        ("socket://127.0.0.1:1", "nothing answers"),
        ("nonsense://x", "cannot open"),
        ("/dev/null", "not a serial line"),
        ("", "cannot open|no such port"),
    ],
)
def test_what_cannot_be_opened_says_why(port: str, words: str) -> None:
    with pytest.raises(DeviceFault, match=words) as caught:
        open_transport(port, SETTINGS)
    assert repr(port) in str(caught.value)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may open everything")
def test_no_permission_names_the_group(tmp_path: Path) -> None:
    port = tmp_path / "port"
    port.touch(mode=0o000)
    with pytest.raises(DeviceFault, match="usermod -aG"):
        open_transport(str(port), SETTINGS)


def test_the_text_for_no_permission() -> None:
    from devices.refusals import refusal

    text = str(refusal("/dev/null", "/dev/null", PermissionError(13, "Permission denied")))
    assert "no permission to open '/dev/null'" in text
    assert re.search(r"usermod -aG \w+ USER", text)


def test_a_port_is_ours_alone() -> None:
    device = PtyLine()
    first = open_transport(device.port, SETTINGS)
    with pytest.raises(DeviceFault, match="in use by this program itself"):
        open_transport(device.port, SETTINGS)
    first.close()
    open_transport(device.port, SETTINGS).close()
    device.close()


@pytest.mark.parametrize("bits", [(8, "N"), (7, "E"), (7, "O")])
def test_a_port_opens_again_and_again_with_any_parity(bits: tuple[int, str]) -> None:
    device = PtyLine()
    for _ in range(3):
        open_transport(device.port, LineSettings(data_bits=bits[0], parity=bits[1])).close()
    device.close()


def test_loop_is_a_port_too() -> None:
    line = open_transport("loop://", SETTINGS)
    line.write(b"RMA-1\r")
    assert until(line, 6) == b"RMA-1\r"
    line.close()


def test_the_log_has_every_byte_in_the_form_that_replay_reads(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    from devices.capture import read_capture

    caplog.set_level(logging.DEBUG, "devices.transport")
    device = TcpLine()
    line = open_transport(device.port, SETTINGS)
    device.read(0.1)
    device.write(b"S S     12.345 kg\r\n")
    until(line, 19)
    line.write(b"SI\r\n")
    line.close()
    device.close()
    log = tmp_path / "station.log"
    log.write_text("\n".join(f"2026-03-02 08:00:00 DEBUG {r.name} {r.getMessage()}" for r in caplog.records))
    assert b"".join(chunk.data for chunk in read_capture(log)) == b"S S     12.345 kg\r\n"


def test_bytes_that_nobody_reads_are_lost_and_block_nobody() -> None:
    device = PtyLine()
    start = time.monotonic()
    while device.write(b"x" * 1000):
        assert time.monotonic() - start < 20
    assert time.monotonic() - start < 5
    line = open_transport(device.port, SETTINGS)
    device.write(b"fresh")
    assert until(line, 5) == b"fresh"
    line.close()
    device.close()


# Every exception that pyserial lets through, at every call (S17, DEVICES §6.2)

FIVE = (
    serial.SerialException("device reports readiness to read but returned no data"),
    OSError(5, "Input/output error"),
    termios.error(5, "Input/output error"),
    TypeError("an integer is required (got type NoneType)"),
    AttributeError("'NoneType' object has no attribute 'fileno'"),
)


class StubLine:
    """A pyserial line whose every call can be told to fail."""

    def __init__(self) -> None:
        self.failing: dict[str, Exception] = {}
        self.closed = False

    def _call(self, name: str) -> None:
        if name in self.failing:
            raise self.failing[name]

    @property
    def in_waiting(self) -> int:
        self._call("in_waiting")
        return 1

    def read(self, size: int) -> bytes:
        self._call("read")
        return b"x"

    def write(self, data: bytes) -> int:
        self._call("write")
        return len(data)

    def reset_input_buffer(self) -> None:
        self._call("reset_input_buffer")

    def reset_output_buffer(self) -> None:
        self._call("reset_output_buffer")

    def close(self) -> None:
        self.closed = True
        self._call("close")


CALLS: dict[str, Callable[[SerialTransport], object]] = {
    "in_waiting": lambda line: line.read(0.05),
    "read": lambda line: line.read(0.05),
    "write": lambda line: line.write(b"SI\r\n"),
    "reset_input_buffer": lambda line: line.discard_input(),
}


@pytest.mark.parametrize("error", FIVE, ids=lambda error: type(error).__qualname__)
@pytest.mark.parametrize("call", CALLS)
def test_each_exception_at_each_call_is_an_absent_device(call: str, error: Exception) -> None:
    stub = StubLine()
    line = SerialTransport("/dev/ttyUSB0", stub)
    CALLS[call](line)
    stub.failing = {call: error}
    with pytest.raises(DeviceAbsent, match="'/dev/ttyUSB0' is unplugged or switched off"):
        CALLS[call](line)
    stub.failing = {"close": error, "reset_output_buffer": error}
    line.close()
    assert stub.closed


@pytest.mark.parametrize("error", FIVE, ids=lambda error: type(error).__qualname__)
def test_closing_never_raises(error: Exception) -> None:
    stub = StubLine()
    stub.failing = {"close": error}
    line = SerialTransport("/dev/ttyUSB0", stub)
    line.close()
    line.close()
    with pytest.raises(DeviceFault, match="closed"):
        line.read(0.05)


def test_a_line_that_takes_no_bytes_is_not_absent() -> None:
    stub = StubLine()
    stub.failing = {"write": serial.SerialTimeoutException("Write timeout")}
    with pytest.raises(DeviceFault, match="takes no bytes: is the device switched on") as caught:
        SerialTransport("/dev/ttyUSB0", stub).write(b"SI\r\n")
    assert not isinstance(caught.value, DeviceAbsent)


def test_our_own_defects_are_not_taken_for_a_cable() -> None:
    stub = StubLine()
    stub.failing = {"read": ZeroDivisionError("a bug")}
    with pytest.raises(ZeroDivisionError):
        SerialTransport("/dev/ttyUSB0", stub).read(0.05)


def clear_often(line: SerialTransport) -> None:
    for _ in range(100):
        line.discard_input()
        line.read(0.05)


def test_input_is_cleared_on_a_real_line_until_it_is_unplugged(device: ServedLine, line: SerialTransport) -> None:
    device.write(b"old")
    assert until(line, 1)
    line.discard_input()
    device.write(b"new")
    assert until(line, 3).endswith(b"new")
    device.unplug()
    with pytest.raises(DeviceAbsent):
        clear_often(line)


# Which device it is (S17)


class Socket:
    """A USB device on a machine: its node leads to a pseudo-terminal."""

    def __init__(self, machine: Machine, place: str, node: str, *, pid: str = "6001", serial: str = "") -> None:
        self.line = PtyLine()
        self._machine, self._place, self._node = machine, place, node
        machine.plug_in(place, "0403", pid, serial=serial, product="FT232R", nodes=(node,), leads_to=self.line.port)

    def pull_out(self) -> None:
        self.line.close()
        self._machine.pull_out(self._place, self._node)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


def opener(machine: Machine, port: str) -> Opener:
    return Opener(port, SETTINGS, listing=lambda: linux_ports(machine.root))


def says(device: Socket, line: Transport) -> bool:
    device.line.write(b"hello")
    return until(line, 5) == b"hello"


def test_a_device_is_found_again_at_another_node_and_in_another_socket(machine: Machine) -> None:
    open_again = opener(machine, "usb:0403:6001:A10KXYZ7")
    first = Socket(machine, "1-2", "ttyUSB0", serial="A10KXYZ7")
    line = open_again()
    assert line.name == "usb:0403:6001:A10KXYZ7"
    assert says(first, line)
    first.pull_out()
    with pytest.raises(DeviceAbsent):
        read_for(line, 5.0)
    line.close()
    with pytest.raises(DeviceAbsent, match="not plugged in"):
        open_again()
    other = Socket(machine, "1-2", "ttyUSB0", serial="B20QRST8")
    with pytest.raises(DeviceAbsent, match="not the paired device"):
        open_again()
    back = Socket(machine, "1-4", "ttyUSB1", serial="A10KXYZ7")
    line = open_again()
    assert says(back, line)
    line.close()
    back.pull_out()
    other.pull_out()


def test_two_identical_adapters_are_told_apart_by_their_sockets(machine: Machine) -> None:
    scale, scanner = opener(machine, "usb:0403:6001@1-2"), opener(machine, "usb:0403:6001@1-3")
    left, right = Socket(machine, "1-2", "ttyUSB0"), Socket(machine, "1-3", "ttyUSB1")
    lines = scale(), scanner()
    assert says(left, lines[0])
    assert says(right, lines[1])
    for line, socket in zip(lines, (left, right), strict=True):
        line.close()
        socket.pull_out()
    # back in the other order: the system numbers the nodes as it finds them
    right, left = Socket(machine, "1-3", "ttyUSB0"), Socket(machine, "1-2", "ttyUSB1")
    lines = scale(), scanner()
    assert says(left, lines[0])
    assert says(right, lines[1])
    for line, socket in zip(lines, (left, right), strict=True):
        line.close()
        socket.pull_out()


def test_another_device_in_the_socket_is_refused(machine: Machine) -> None:
    other = Socket(machine, "1-2", "ttyUSB0", pid="6015", serial="X9Y8Z7")
    with pytest.raises(DeviceFault, match="this is not the paired device"):
        opener(machine, "usb:0403:6001@1-2")()
    other.pull_out()


def test_a_plain_path_stays_the_device_of_the_first_opening(machine: Machine) -> None:
    path = str(machine.root / "dev/ttyUSB0")
    open_again = opener(machine, path)
    with pytest.raises(DeviceAbsent, match="no such port"):
        open_again()
    first = Socket(machine, "1-2", "ttyUSB0", serial="A10KXYZ7")
    line = open_again()
    line.close()
    first.pull_out()
    with pytest.raises(DeviceAbsent, match="no such port"):
        open_again()
    other = Socket(machine, "1-2", "ttyUSB0", serial="B20QRST8")
    for _ in range(2):
        with pytest.raises(DeviceFault, match=r"another device.*this is not the paired device"):
            open_again()
    opener(machine, path)().close()  # the negative control: without the memory it opens
    other.pull_out()
    back = Socket(machine, "1-7", "ttyUSB0", serial="A10KXYZ7")
    line = open_again()
    assert says(back, line)
    line.close()
    back.pull_out()


def test_a_device_that_moves_while_it_is_opened_is_not_taken(machine: Machine) -> None:
    first = Socket(machine, "1-2", "ttyUSB0", serial="A10KXYZ7")
    here = linux_ports(machine.root)
    moved = (ListedPort(str(machine.root / "dev/ttyUSB5"), 0x0403, 0x6001, "A10KXYZ7", "1-9"),)
    listings = iter([here, moved])
    with pytest.raises(DeviceAbsent, match="moved while it was being opened"):
        Opener("usb:0403:6001:A10KXYZ7", SETTINGS, listing=lambda: next(listings))()
    vanished = iter([here, ()])
    with pytest.raises(DeviceAbsent, match="not plugged in"):
        Opener("usb:0403:6001:A10KXYZ7", SETTINGS, listing=lambda: next(vanished))()
    open_transport(first.line.port, SETTINGS).close()  # nothing was left locked
    first.pull_out()


def test_a_node_that_vanishes_between_list_and_open_is_absent(machine: Machine) -> None:
    first = Socket(machine, "1-2", "ttyUSB0", serial="A10KXYZ7")
    here = linux_ports(machine.root)
    first.pull_out()
    with pytest.raises(DeviceAbsent, match="no such port: 'usb:0403:6001:A10KXYZ7'"):
        Opener("usb:0403:6001:A10KXYZ7", SETTINGS, listing=lambda: here)()


def test_a_wrong_key_is_told_before_anything_runs() -> None:
    with pytest.raises(InvalidInput, match="expected usb:VID:PID"):
        Opener("usb:403:6001", SETTINGS)

"""Real pseudo-terminals, real sockets: every failure of a line is a DeviceFault (DEVICES §6.2, S17, S18)."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.simulators.line import PtyLine, ServedLine, TcpLine, serve_line
from devices.transport import LineSettings, SerialTransport, open_transport
from station.errors import DeviceFault

SETTINGS = LineSettings()


@pytest.fixture(params=["pty", "tcp"])
def device(request: pytest.FixtureRequest) -> Iterator[ServedLine]:
    line = serve_line(tcp=request.param == "tcp")
    yield line
    line.close()


@pytest.fixture
def line(device: ServedLine) -> Iterator[SerialTransport]:
    transport = open_transport(device.port, SETTINGS)
    device.read(0.01)  # a TCP server takes its client on its next turn
    yield transport
    transport.close()


def until(transport: SerialTransport, size: int) -> bytes:
    data, deadline = b"", time.monotonic() + 5
    while len(data) < size and time.monotonic() < deadline:
        data += transport.read(0.05)
    return data


def test_bytes_go_both_ways(device: ServedLine, line: SerialTransport) -> None:
    everything = bytes(range(256))
    assert device.write(everything)
    assert until(line, 256) == everything
    line.write(everything)
    heard, deadline = b"", time.monotonic() + 5
    while len(heard) < 256 and time.monotonic() < deadline:
        heard += device.read(0.05)
    assert heard == everything


def test_a_read_gives_what_is_there_at_once(device: ServedLine, line: SerialTransport) -> None:
    device.write(b"S S     12.345 kg\r\n")
    assert until(line, 1).startswith(b"S")
    start = time.monotonic()
    device.write(b"half")
    assert line.read(5.0)
    assert time.monotonic() - start < 2.0, "the read waited for more than the first bytes"


def test_nothing_in_time_is_no_bytes(line: SerialTransport) -> None:
    assert line.read(0.06) == b""


def read_for(line: SerialTransport, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        line.read(0.05)


def write_often(line: SerialTransport) -> None:
    for _ in range(10):
        line.write(b"SI\r\n")


def test_unplug_is_a_device_fault_in_read_and_write(device: ServedLine, line: SerialTransport) -> None:
    device.unplug()
    with pytest.raises(DeviceFault, match="unplugged"):
        read_for(line, 5.0)
    with pytest.raises(DeviceFault):
        write_often(line)
    line.close()
    line.close()
    with pytest.raises(DeviceFault, match="closed"):
        line.read(0.01)


def test_the_last_bytes_before_an_unplug_arrive(device: ServedLine, line: SerialTransport) -> None:
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

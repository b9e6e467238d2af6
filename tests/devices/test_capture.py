"""Capture and replay: what was recorded is what is played, at the pace at which it came."""

from __future__ import annotations

import io
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.capture import CaptureWriter, Chunk, read_capture
from devices.replay import play
from devices.simulators.line import PtyLine
from devices.transport import LineSettings, open_transport
from station.errors import InvalidInput


class Ticks:
    """A clock that moves 0.1 s at each look."""

    def __init__(self) -> None:
        self.seconds = 7.0

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        self.seconds += 0.1
        return self.seconds


def test_what_was_written_is_read(tmp_path: Path) -> None:
    out = io.StringIO()
    writer = CaptureWriter(out, "/dev/ttyUSB0", LineSettings(), Ticks())
    writer.received(b"S S ")
    writer.sent(b"SI\r\n")
    writer.note("unplugged\nand back")
    writer.received(bytes(range(256)))
    text = out.getvalue()
    assert text.splitlines()[0] == "# station capture 1 · /dev/ttyUSB0 · 9600 8N1 · 2026-03-02T08:00:00+00:00"
    assert "0.200000 > 53 49 0D 0A" in text
    file = tmp_path / "capture.txt"
    file.write_text(text, encoding="utf-8")
    first, second = read_capture(file)
    assert (first.data, second.data) == (b"S S ", bytes(range(256)))
    assert first.seconds == 0.0
    assert second.seconds == pytest.approx(0.3)


@pytest.mark.parametrize("tool", [["xxd"], ["hexdump", "-C"], ["od", "-A", "x", "-t", "x1"]])
def test_dumps_of_common_tools(tmp_path: Path, tool: list[str]) -> None:
    data = b"   0.360 kg    G\r\n" * 3
    source, dump = tmp_path / "raw", tmp_path / "dump"
    source.write_bytes(data)
    try:
        text = subprocess.run([*tool, str(source)], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip(f"{tool[0]} is not on this machine")
    dump.write_text(text)
    assert b"".join(chunk.data for chunk in read_capture(dump)) == data


def test_a_plain_dump_is_played_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "dump.txt"
    file.write_text("20 47 0D 0A 20 31    \n2E 35 20 67 0D 0A 20       text behind it\n")
    assert read_capture(file) == (Chunk(0.0, b" G\r\n"), Chunk(0.1, b" 1.5 g\r\n"), Chunk(0.2, b" "))


@pytest.mark.parametrize(
    ("name", "size"), [("ohaus_defender3000_hex.txt", 8192), ("tscale_nhb.txt", 7358), ("tscale_qhw.txt", 14922)]
)
def test_the_shared_captures_are_read_whole(shared_data: Path, name: str, size: int) -> None:
    assert sum(len(chunk.data) for chunk in read_capture(shared_data / "scales" / name)) == size


@pytest.mark.parametrize("text", ["", "hello\n", "# only a comment\n", "\x00\x01\x02"])
def test_a_file_without_bytes_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "nothing.txt"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=r"nothing\.txt"):
        read_capture(file)
    with pytest.raises(InvalidInput, match="cannot read"):
        read_capture(tmp_path)


def test_the_pace_is_kept() -> None:
    chunks = (Chunk(0.0, b"a"), Chunk(0.3, b"b"), Chunk(0.6, b"c"))
    device = PtyLine()
    line = open_transport(device.port, LineSettings())
    start = time.monotonic()
    assert play(chunks, device) == 3
    took = time.monotonic() - start
    assert 0.6 <= took < 3.0
    start = time.monotonic()
    assert play(chunks, device, speed=10.0) == 3
    assert time.monotonic() - start < 0.5
    heard = b""
    while len(heard) < 6:
        heard += line.read(0.5)
    assert heard == b"abcabc"
    assert play(chunks, device, should_stop=lambda: True) == 0
    line.close()
    device.close()

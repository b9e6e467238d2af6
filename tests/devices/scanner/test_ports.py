"""Scanners through the kernel: a simulator's process, a pseudo-terminal, the supervisor's thread."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.ports import DeviceEvent, Light, LightChanged, Refused, ScanArrived, ScanOutcome
from devices.scanner import DuplicateGuard, ScannerInstrument, scanner_from
from devices.supervisor import Supervisor
from devices.transport import LineSettings, open_transport

WAIT_S = 30.0


class Bench:
    """One simulated scanner and the thread that serves it."""

    def __init__(self, instrument: ScannerInstrument, link: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "station", "devices", "simulate", "scanner", "--link", str(link), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        port = json.loads(self.process.stdout.readline())["port"]
        self.events: queue.SimpleQueue[DeviceEvent] = queue.SimpleQueue()
        self.seen: list[DeviceEvent] = []
        self._stop = threading.Event()
        supervisor = Supervisor(instrument, lambda: open_transport(port, LineSettings()), port=port)
        self._thread = threading.Thread(target=supervisor.run, args=(self._stop.is_set, self.events.put))
        self._thread.start()

    def do(self, what: str, **more: object) -> None:
        """Have the simulator do it, and wait until it is done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        assert "done" in json.loads(self.process.stdout.readline())

    def wait_scan(self) -> bytes:
        while True:
            event = self.events.get(timeout=WAIT_S)
            self.seen.append(event)
            if isinstance(event, ScanArrived):
                return event.scan.data

    def wait_light(self, light: Light) -> None:
        while True:
            event = self.events.get(timeout=WAIT_S)
            self.seen.append(event)
            if isinstance(event, LightChanged) and event.light is light:
                return

    def end(self) -> None:
        self._stop.set()
        self._thread.join(WAIT_S)
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(WAIT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.end()


def test_an_ssi_scanner_on_a_port_is_set_up_read_and_survives_an_unplug(
    benches: list[Bench], tmp_path: Path, expected_warnings: object
) -> None:
    expected_warnings("is gone")  # type: ignore[operator]
    scanner = scanner_from("scanner-1", protocol="ssi")
    bench = Bench(scanner, tmp_path / "ssi", "--protocol", "ssi")
    benches.append(bench)
    bench.wait_light(Light.WORKING)
    bench.do("scan", text="4006381333931", type="ean13")
    assert bench.wait_scan() == b"]E04006381333931"
    scanner.tell(ScanOutcome.ACCEPTED)
    large = "x" * 1000 + "\\x1d" + "y" * 1000
    bench.do("damage", times=1)
    bench.do("scan", text=large, type="qr")
    assert bench.wait_scan() == large.replace("\\x1d", "\x1d").encode()
    bench.do("unplug", seconds=0.3)
    bench.wait_light(Light.GONE)
    bench.wait_light(Light.WORKING)
    bench.do("scan", text="RMA-10442")
    assert bench.wait_scan() == b"]C0RMA-10442"
    assert all(event.harmless for event in bench.seen if isinstance(event, Refused))


def test_two_scanners_at_one_bench_one_of_them_waits_for_its_ack(benches: list[Bench], tmp_path: Path) -> None:
    guard = DuplicateGuard()
    left = Bench(
        scanner_from("scanner-1", feedback="honeywell", suffix="packet", guard=guard, duplicate_ms=60_000),
        tmp_path / "left",
        *("--handshake", "honeywell", "--prefix", r"\x02", "--suffix", r"\x03"),
    )
    benches.append(left)
    right = Bench(scanner_from("scanner-2", suffix="lf", guard=guard, duplicate_ms=60_000), tmp_path / "right")
    benches.append(right)
    left.wait_light(Light.WORKING)
    right.wait_light(Light.WORKING)
    code = "[)>\\x1e06\\x1d1P17\\r\\n\\x1e\\x04"
    left.do("damage", times=1)
    left.do("scan", text=code)
    assert left.wait_scan() == b"[)>\x1e06\x1d1P17\r\n\x1e\x04"
    left.do("scan", text="RMA-1", aim="]C0")  # it was let go: the second code comes
    assert left.wait_scan() == b"]C0RMA-1"
    right.do("bytes", hex=b"RMA-1\nRMA-2\r\n".hex())
    assert right.wait_scan() == b"RMA-2"
    refused = [event for event in right.seen if isinstance(event, Refused)]
    assert [event.raw for event in refused] == [b"RMA-1"]
    assert "scanner-1" in refused[0].reason

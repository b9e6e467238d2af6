"""A real label printer simulator in a process of its own, and a loop on a thread of its own."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.printer.loop import PrinterEvent, PrinterLoop
from devices.printer.printer import ZplPrinter
from devices.printer.template import load_template

ROOT = Path(__file__).resolve().parents[3]


class PrinterProcess:
    """The simulator, driven by steps on its standard input."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        code = "from ui.cli.devices.simulate import simulate_printer as s; s()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, "--script", "-", "--out", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said: list[dict[str, object]] = []
        self._answers: queue.Queue[dict[str, object]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        host, port = str(self.wait_for("port")["port"]).split(":")
        self.host, self.port = host, int(port)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            self.said.append(answer)
            self._answers.put(answer)

    def wait_for(self, key: str, timeout_s: float = 20.0) -> dict[str, object]:
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._answers.get(timeout=max(0.01, deadline - time.monotonic()))
            if key in answer:
                return answer

    def do(self, what: str, **values: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **values}) + "\n")
        self._process.stdin.flush()
        assert self.wait_for("done")["done"] == what

    def labels(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("label-*.png"))

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(10) == 0
        self._process.stdout.close()


@pytest.fixture
def printer_process(tmp_path: Path) -> Iterator[PrinterProcess]:
    process = PrinterProcess(tmp_path / "labels")
    yield process
    process.stop()


class RunningLoop:
    """A ``PrinterLoop`` on its thread, with everything it emitted."""

    def __init__(self, process: PrinterProcess) -> None:
        printer = ZplPrinter(process.host, process.port, timeout_s=0.6)
        self.loop = PrinterLoop(printer, load_template("unit"), check_every_s=0.2)
        self.events: list[PrinterEvent] = []
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.loop.run, args=(self._stop.is_set, self._emit))
        self._thread.start()

    def _emit(self, event: PrinterEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_until(self, holds: Callable[[list[PrinterEvent]], bool], timeout_s: float = 20.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: holds(self.events), timeout_s), self.events

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def running(printer_process: PrinterProcess) -> Iterator[RunningLoop]:
    loop = RunningLoop(printer_process)
    yield loop
    loop.stop()

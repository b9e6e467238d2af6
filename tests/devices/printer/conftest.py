"""Real label printer simulators in processes of their own, and a loop on a thread of its own."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from devices.printer.loop import PrinterEvent, PrinterLoop
from devices.printer.model import LabelPrinter
from devices.printer.printer import printer_from
from devices.printer.template import load_template

ROOT = Path(__file__).resolve().parents[3]
LINES = ("zpl-tcp", "zpl-serial", "escpos-tcp", "escpos-serial")
_CURES = (
    "switch_off", "plug", "paper_in", "paper_full", "head_close", "ribbon_in", "cutter_free", "resume", "unmute",
)  # fmt: skip


class PrinterProcess:
    """The simulator, driven by steps on its standard input."""

    def __init__(self, folder: Path, way: str = "zpl-tcp") -> None:
        self.folder = folder
        self.kind, _, line = way.partition("-")
        code = "from ui.cli.devices.simulate import simulate_printer as s; s()"
        serial = ["--link", str(folder.parent / f"{way}.port")] if line == "serial" else []
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, "--script", "-", "--out", str(folder), "--kind", self.kind, *serial],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answers: queue.Queue[dict[str, object]] = queue.Queue()
        self._printed: list[str] = []
        self._before = 0
        self._spoilt: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.address = str(self.wait_for("port")["port"])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if "printed" in answer:
                self._printed.append(answer["printed"])
            if "error" in answer:
                self._spoilt.append(answer["error"])
            self._answers.put(answer)

    def printer(self) -> LabelPrinter:
        return printer_from(self.kind, self.address, timeout_s=0.5)

    def wait_for(self, key: str, timeout_s: float = 20.0) -> dict[str, object]:
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._answers.get(timeout=max(0.01, deadline - time.monotonic()))
            if key in answer:
                return answer

    def send(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what}) + "\n")
        self._process.stdin.flush()

    def do(self, what: str) -> None:
        self.send(what)
        assert self.wait_for("done")["done"] == what

    def fresh(self) -> PrinterProcess:
        """As if it had just been switched on, with an empty tray."""
        for step in _CURES:
            self.do(step)
        self._before = len(self._printed)
        self._spoilt.clear()
        return self

    def papers(self) -> list[Path]:
        """What lies in the tray, first label first; asks the printer, so that what it has said is known."""
        self.do("resume")
        return [self.folder / name for name in self._printed[self._before :]]

    def codes(self) -> list[list[str]]:
        """What a scanner reads on each label in the tray."""
        return [
            [symbol.text for symbol in zxingcpp.read_barcodes(np.asarray(Image.open(path).convert("L")))]
            for path in self.papers()
        ]

    def spoilt(self) -> list[str]:
        self.do("resume")
        return list(self._spoilt)

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(10) == 0
        self._process.stdout.close()


@pytest.fixture(scope="session")
def _processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], PrinterProcess]]:
    running: dict[str, PrinterProcess] = {}
    folder = tmp_path_factory.mktemp("printers")

    def process(way: str) -> PrinterProcess:
        if way not in running:
            running[way] = PrinterProcess(folder / way, way)
        return running[way].fresh()

    yield process
    for one in running.values():
        one.stop()


@pytest.fixture
def printer_process(_processes: Callable[[str], PrinterProcess]) -> PrinterProcess:
    """A ZPL printer on TCP."""
    return _processes("zpl-tcp")


@pytest.fixture(params=LINES)
def any_printer(_processes: Callable[[str], PrinterProcess], request: pytest.FixtureRequest) -> PrinterProcess:
    """Each kind of printer on each kind of line."""
    return _processes(request.param)


@pytest.fixture(params=["zpl-tcp", "escpos-serial"])
def either_printer(_processes: Callable[[str], PrinterProcess], request: pytest.FixtureRequest) -> PrinterProcess:
    """Each kind of printer, each kind of line once."""
    return _processes(request.param)


@pytest.fixture(params=[way for way in LINES if way.endswith("serial")])
def serial_printer(_processes: Callable[[str], PrinterProcess], request: pytest.FixtureRequest) -> PrinterProcess:
    return _processes(request.param)


@pytest.fixture
def zpl_serial_printer(_processes: Callable[[str], PrinterProcess]) -> PrinterProcess:
    return _processes("zpl-serial")


@pytest.fixture(params=[way for way in LINES if way.startswith("escpos")])
def escpos_printer(_processes: Callable[[str], PrinterProcess], request: pytest.FixtureRequest) -> PrinterProcess:
    return _processes(request.param)


class RunningLoop:
    """A ``PrinterLoop`` on its thread, with everything it emitted."""

    def __init__(self, process: PrinterProcess) -> None:
        self.loop = PrinterLoop(process.printer(), load_template("unit"), check_every_s=0.2)
        self.events: list[PrinterEvent] = []
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.loop.run, args=(self._stop.is_set, self._emit))
        self._thread.start()

    def _emit(self, event: PrinterEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_until(self, holds: Callable[[list[PrinterEvent]], bool], timeout_s: float = 30.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: holds(self.events), timeout_s), self.events

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def running(printer_process: PrinterProcess) -> Iterator[RunningLoop]:
    loop = RunningLoop(printer_process)
    yield loop
    loop.stop()


@pytest.fixture
def running_either(either_printer: PrinterProcess) -> Iterator[RunningLoop]:
    loop = RunningLoop(either_printer)
    yield loop
    loop.stop()

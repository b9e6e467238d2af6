"""The processes around the app: simulated scanner, scale, camera and printer, and the central server.

Each simulator is ``python -m ui.cli devices simulate …``: real bytes over a pseudo-terminal or TCP, driven by JSON
lines on its standard input, exactly as a person would drive it from a script.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from station.errors import EnvironmentFault

logger = logging.getLogger(__name__)

START_WITHIN_S = 30.0
_STOP_WITHIN_S = 5.0


class Child:
    """A process that prints JSON lines and reads them."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._said: queue.SimpleQueue[dict[str, object]] = queue.SimpleQueue()
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **environment},
        )
        assert self._process.stdout is not None
        threading.Thread(target=self._listen, args=(self._process.stdout,), name=name, daemon=True).start()

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            try:
                said = json.loads(line)
            except ValueError:
                logger.info("%s: %r", self.name, line[:200])
                continue
            if isinstance(said, dict):
                self._said.put(said)

    def hear(self, key: str, within_s: float = START_WITHIN_S) -> str:
        """The value of ``key`` in the next line that has it.

        Raises:
            EnvironmentFault: it said nothing of the kind in time, or ended.
        """
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                said = self._said.get(timeout=min(left, 0.2))
            except queue.Empty:
                if self._process.poll() is not None:
                    raise EnvironmentFault(
                        f"the simulated {self.name} ended with code {self._process.returncode}; see {self._log.name}"
                    ) from None
                continue
            if key in said:
                return str(said[key])
        raise EnvironmentFault(f"the simulated {self.name} said nothing of {key!r} within {within_s:.0f} s")

    def do(self, what: str, **details: object) -> None:
        """Send one line of the script; returns at once."""
        stdin = self._process.stdin
        if stdin is None or self._process.poll() is not None:
            return
        try:
            stdin.write(json.dumps({"do": what, **details}).encode() + b"\n")
            stdin.flush()
        except OSError:
            logger.warning("the simulated %s is gone", self.name)

    def kill(self) -> None:
        """End it the hard way, as a power cut would."""
        self._process.kill()
        self._close()

    def stop(self) -> None:
        """Ask it to end; after five seconds end it."""
        self._process.terminate()
        self._close()

    def _close(self) -> None:
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._log.close()


class Stage:
    """All processes of one demo; a context manager that ends them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = str(seed)
        self._logs = folder / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self.labels = folder / "labels"
        self.server_home = folder / "server"
        self._children: list[Child] = []
        self._server: Child | None = None
        self._server_address = "127.0.0.1:0"
        self.scanner_port = self.scale_port = self.camera_url = self.printer_address = self.server_url = ""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _start(self) -> None:
        simulate = ("devices", "simulate")
        common = ("--seed", self._seed, "--script", "-")
        self.scanner = self._child("scanner", [*simulate, "scanner", *self._line("scanner"), *common])
        self.scale = self._child("scale", [*simulate, "scale", "--driver", "mt_sics", *self._line("scale"), *common])
        self.camera = self._child("camera", [*simulate, "camera", "--seed", self._seed, "--script", "-"])
        self.printer = self._child("printer", [*simulate, "printer", "--out", str(self.labels), "--script", "-"])
        self.start_server()
        self.scanner_port = self.scanner.hear("port")
        self.scale_port = self.scale.hear("port")
        self.camera_url = self.camera.hear("port")
        self.printer_address = self.printer.hear("port")

    def _line(self, name: str) -> tuple[str, ...]:
        """A path of its own for each line: the numbers of pseudo-terminals are given to others after an unplug."""
        return ("--tcp",) if sys.platform == "win32" else ("--link", str(self._folder / f"{name}.tty"))

    def _child(self, name: str, arguments: Sequence[str]) -> Child:
        child = Child(name, arguments, self._logs / f"{name}.log", {})
        self._children.append(child)
        return child

    @property
    def server_runs(self) -> bool:
        return self._server is not None

    def start_server(self) -> None:
        """Start the central server; after the first time at the same address."""
        if self._server is not None:
            return
        arguments = ["--home", str(self.server_home), "server", "--until-eof", "--listen", self._server_address]
        self._server = Child("server", arguments, self._logs / "server.log", {})
        self.server_url = self._server.hear("listening")
        self._server_address = self.server_url.rpartition("/")[2]

    def kill_server(self) -> None:
        """Cut the network the hard way: the server is gone in the middle of whatever it did."""
        if self._server is not None:
            self._server.kill()
            self._server = None

    def _end(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        for child in self._children:
            child.stop()
        self._children.clear()

"""A label printer as a process of its own: ZPL or ESC/POS, on TCP or a serial line, prints PNG files, has its moods."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TextIO

from devices.simulators.line import ServedLine
from devices.simulators.printer_escpos import EscPosMachine
from devices.simulators.printer_paper import Moods, Tray
from devices.simulators.printer_zpl import ZplMachine
from devices.simulators.steps import StepQueue, say, seconds
from station.errors import EnvironmentFault, InvalidInput

PRINTER_STEPS = {
    "paper_out": frozenset[str](),
    "paper_in": frozenset[str](),
    "paper_low": frozenset[str](),
    "paper_full": frozenset[str](),
    "head_open": frozenset[str](),
    "head_close": frozenset[str](),
    "cover_open": frozenset[str](),
    "cover_close": frozenset[str](),
    "ribbon_out": frozenset[str](),
    "ribbon_in": frozenset[str](),
    "cutter_jam": frozenset[str](),
    "cutter_free": frozenset[str](),
    "pause": frozenset[str](),
    "resume": frozenset[str](),
    "mute": frozenset[str](),
    "unmute": frozenset[str](),
    "reset_mid_job": frozenset[str](),
    "off_mid_job": frozenset[str](),
    "unplug": frozenset[str](),
    "plug": frozenset[str](),
    "switch_off": frozenset[str](),
    "wait": frozenset({"seconds"}),
    "quit": frozenset[str](),
}
_FLAGS = {
    "paper_out": ("paper_out", True),
    "paper_in": ("paper_out", False),
    "paper_low": ("paper_low", True),
    "paper_full": ("paper_low", False),
    "head_open": ("head_open", True),
    "head_close": ("head_open", False),
    "cover_open": ("head_open", True),
    "cover_close": ("head_open", False),
    "ribbon_out": ("ribbon_out", True),
    "ribbon_in": ("ribbon_out", False),
    "cutter_jam": ("cutter_jammed", True),
    "cutter_free": ("cutter_jammed", False),
    "pause": ("paused", True),
    "resume": ("paused", False),
    "mute": ("mute", True),
    "unmute": ("mute", False),
}
_BREAK_AFTER = 600
"""Bytes of a job after which ``reset_mid_job`` and ``off_mid_job`` cut the line."""
_SLICE = 256


class Machine(Protocol):
    """The inside of a printer; the caller holds the moods' lock."""

    @property
    def mid_job(self) -> int:
        """Bytes of a job that has begun and not ended; 0 = between two jobs."""
        ...

    def feed(self, data: bytes, answer: Callable[[bytes], None]) -> None: ...

    def work(self) -> None:
        """The moods have changed."""
        ...

    def power_cycle(self) -> None:
        """Forget everything."""
        ...


MACHINES: dict[str, Callable[[Moods, Tray], Machine]] = {"zpl": ZplMachine, "escpos": EscPosMachine}


class Mouth:
    """Where bytes go in, whatever line they came over."""

    def __init__(self, machine: Machine, moods: Moods) -> None:
        self.machine = machine
        self.moods = moods

    def take(self, data: bytes, answer: Callable[[bytes], None]) -> bool:
        """Feed the machine; False = the line is to be cut here, in the middle of a job."""
        with self.moods.changed:
            for start in range(0, len(data), _SLICE):
                self.machine.feed(data[start : start + _SLICE], answer)
                if self.moods.break_off and self.machine.mid_job > _BREAK_AFTER:
                    if self.moods.break_off == "off":
                        self.machine.power_cycle()
                    return False
        return True


class Socket(Protocol):
    """The printer's end of its line."""

    @property
    def port(self) -> str: ...

    def plug(self) -> None: ...

    def unplug(self) -> None: ...


class TcpSocket:
    """Listens; one thread for each connection."""

    def __init__(self, address: tuple[str, int], mouth: Mouth) -> None:
        self._address = address
        self._mouth = mouth
        self._socket: socket.socket | None = None
        self._lines: set[socket.socket] = set()
        self.plug()

    @property
    def port(self) -> str:
        return f"{self._address[0]}:{self._address[1]}"

    def plug(self) -> None:
        """Listen, on the same port as before.

        Raises:
            EnvironmentFault: the port is taken.
        """
        if self._socket is not None:
            return
        try:
            listening = socket.create_server(self._address)
        except OSError as error:
            raise EnvironmentFault(f"cannot listen on {self.port}: {error}") from error
        self._address = (self._address[0], int(listening.getsockname()[1]))
        self._socket = listening
        threading.Thread(target=self._accept, args=(listening,), name="printer", daemon=True).start()

    def unplug(self) -> None:
        listening, self._socket = self._socket, None
        if listening is not None:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for line in tuple(self._lines):
            _reset(line)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), name="job", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        self._lines.add(line)
        try:
            while piece := line.recv(65536):
                if not self._mouth.take(piece, line.sendall):
                    if self._mouth.moods.break_off == "off":
                        self.unplug()
                    self._mouth.moods.break_off = ""
                    _reset(line)
                    return
        except OSError:
            return
        finally:
            self._lines.discard(line)
            line.close()


class SerialSocket:
    """One serial line; what breaks off a job is its plug."""

    def __init__(self, line: ServedLine, mouth: Mouth) -> None:
        self._line = line
        self._mouth = mouth
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, name="serial", daemon=True).start()

    @property
    def port(self) -> str:
        return self._line.port

    def plug(self) -> None:
        with self._lock:
            self._line.plug_in()

    def unplug(self) -> None:
        with self._lock:
            self._line.unplug()

    def _serve(self) -> None:
        while True:
            with self._lock:
                data = self._line.read(0.02)
                if data and not self._mouth.take(data, self._answer):
                    self._mouth.moods.break_off = ""
                    self._line.unplug()
            time.sleep(0.002)  # whoever wants to plug gets the lock

    def _answer(self, data: bytes) -> None:
        self._line.write(data)


def _reset(line: socket.socket) -> None:
    """Break the connection off as a pulled plug does."""
    try:
        line.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        )
        line.shutdown(socket.SHUT_RD)
        line.close()
    except OSError:
        return


def serve(
    out: TextIO,
    steps: StepQueue,
    address: tuple[str, int],
    folder: Path | None,
    *,
    kind: str = "zpl",
    line: ServedLine | None = None,
) -> None:
    """Run the printer until ``quit``; says ``{"port": …}`` first and ``{"printed": FILE}`` for each label.

    Args:
        address: HOST and port to listen on, unless there is a ``line``.
        folder: where labels go as PNG files; None = nowhere.
        kind: a key of ``MACHINES``.
        line: a serial line in place of TCP.

    Raises:
        EnvironmentFault: the port is taken, or the folder cannot be made.
    """
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(f"cannot make the folder {str(folder)!r} for labels: {error}") from error
    moods = Moods()
    machine = MACHINES[kind](moods, Tray(folder, out))
    mouth = Mouth(machine, moods)
    plug: Socket = TcpSocket(address, mouth) if line is None else SerialSocket(line, mouth)
    say(out, port=plug.port)
    while True:
        step = steps.next(0.5)
        if step is None:
            continue
        if step["do"] == "quit":
            plug.unplug()
            say(out, done="quit")
            return
        try:
            _do(str(step["do"]), seconds(step), plug, machine, moods)
            say(out, done=step["do"])
        except InvalidInput as error:
            say(out, error=str(error))


def _do(what: str, length_s: float, plug: Socket, machine: Machine, moods: Moods) -> None:
    if what in ("unplug", "switch_off"):
        plug.unplug()
    elif what == "plug":
        plug.plug()
    with moods.changed:
        if what in _FLAGS:
            name, value = _FLAGS[what]
            setattr(moods, name, value)
        elif what == "switch_off":
            machine.power_cycle()
        elif what in ("reset_mid_job", "off_mid_job"):
            moods.break_off = what.partition("_")[0]
        elif what == "wait":
            moods.changed.wait_for(lambda: False, length_s)
        machine.work()

"""The script of a simulator: one JSON object a line, done one after the other, each acknowledged on stdout.

Every simulator knows ``{"do":"wait","seconds":0.2}``, ``{"do":"unplug","seconds":1.0}`` (gone for that long, then back
at the same link) and ``{"do":"quit"}``; the rest is its own. The end of stdin ends it, and so does its parent's end.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from devices.simulators.line import ServedLine
from station.errors import InvalidInput

Command = dict[str, object]
"""One line of a script, e.g. ``{"do": "put", "gross_mg": 288000}``."""

_TICK_S = 0.01
_END: Command = {"do": "quit"}


class Device(Protocol):
    """A simulated device; times are monotonic seconds."""

    def do(self, command: Command, now: float) -> tuple[bytes, float]:
        """Begin a command of its own.

        Returns:
            Bytes to send at once, and the time at which the command is done.

        Raises:
            InvalidInput: not a command of this device, or a value is missing.
        """
        ...

    def hear(self, data: bytes, now: float) -> None:
        """The program at the other end has sent these bytes."""
        ...

    def speak(self, now: float) -> bytes:
        """What the device sends by now."""
        ...


def run_simulator(
    device: Device,
    line: ServedLine,
    scripts: Sequence[str],
    *,
    say: Callable[[str], None],
    stdin: int = 0,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Serve until quit, the end of stdin, or the parent's end.

    Args:
        scripts: files, ``-`` for stdin; after files alone the device serves on until it is ended.
        say: prints one line.
        stdin: file descriptor; a buffered stdin in a background thread would abort the interpreter at its end.

    Raises:
        InvalidInput: a script cannot be read or holds something else than a command.
    """
    parent = os.getppid()
    commands: queue.SimpleQueue[Command | InvalidInput] = queue.SimpleQueue()
    current: Command | None = None
    done_at = 0.0
    try:
        die_with_parent()
        threading.Thread(target=_feed, args=(scripts, stdin, commands), daemon=True).start()
        say(json.dumps({"port": line.port}))
        while os.getppid() == parent:
            now = monotonic()
            if current is not None and now >= done_at:
                if current["do"] == "unplug":
                    line.plug_in()
                say(json.dumps({"done": current} | ({"port": line.port} if current["do"] == "unplug" else {})))
                current = None
            if current is None:
                with contextlib.suppress(queue.Empty):
                    taken = commands.get_nowait()
                    if isinstance(taken, InvalidInput):
                        raise taken
                    current, done_at = taken, now
                    if current["do"] == "quit":
                        say(json.dumps({"done": current}))
                        return
                    done_at = _begin(current, device, line, now)
            heard = line.read(_TICK_S)
            now = monotonic()
            if heard:
                device.hear(heard, now)
            spoken = device.speak(now)
            if spoken:
                line.write(spoken)
    finally:
        line.close()


def _begin(command: Command, device: Device, line: ServedLine, now: float) -> float:
    if command["do"] == "wait":
        return now + number(command, "seconds")
    if command["do"] == "unplug":
        seconds = number(command, "seconds")
        line.unplug()
        return now + seconds
    data, done_at = device.do(command, now)
    if data:
        line.write(data)
    return done_at


def _feed(scripts: Sequence[str], stdin: int, commands: queue.SimpleQueue[Command | InvalidInput]) -> None:
    for script in scripts:
        try:
            if script == "-":
                for text in _lines(stdin):
                    _put(text, commands)
                commands.put(_END)
            else:
                for text in Path(script).read_text(encoding="utf-8").splitlines():
                    _put(text, commands)
        except (OSError, ValueError) as error:
            commands.put(InvalidInput(f"cannot read the script {script!r}: {error}"))
            return


def _lines(descriptor: int) -> Iterator[str]:
    rest = b""
    while data := os.read(descriptor, 4096):
        *lines, rest = (rest + data).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines)
    yield rest.decode("utf-8", "replace")


def _put(text: str, commands: queue.SimpleQueue[Command | InvalidInput]) -> None:
    if not text.strip() or text.lstrip().startswith("#"):
        return
    try:
        command = json.loads(text)
    except ValueError:
        command = None
    if not isinstance(command, dict) or not isinstance(command.get("do"), str):
        commands.put(InvalidInput(f'{text.strip()!r} is not a command: expected e.g. {{"do": "wait", "seconds": 0.5}}'))
    else:
        commands.put(command)


def number(command: Command, name: str) -> float:
    """A command's number.

    Raises:
        InvalidInput: absent, not a number, or below 0.
    """
    value = command.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise InvalidInput(f"{json.dumps(command)} needs {name!r}: a number from 0 up")
    return float(value)


def hex_bytes(command: Command) -> bytes:
    """A command's ``hex``.

    Raises:
        InvalidInput: absent or not hex.
    """
    try:
        return bytes.fromhex(str(command["hex"]))
    except (KeyError, ValueError):
        raise InvalidInput(f"{json.dumps(command)} needs 'hex': bytes like 00007f7f") from None


def die_with_parent() -> None:
    """Ask Linux to end this process when its parent ends; elsewhere the loop notices."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)

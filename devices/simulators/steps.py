"""Control lines of the camera and printer simulators: one JSON object a line, from a file or from standard input."""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TextIO, TypeAlias

from station.errors import InvalidInput

Step: TypeAlias = "Mapping[str, str | int | float | bool]"


def read_step(line: str, known: Mapping[str, frozenset[str]]) -> Step:
    """Read one control line.

    Args:
        line: e.g. ``{"do": "wait", "seconds": 2}``.
        known: step → the keys it may have besides ``do``.

    Raises:
        InvalidInput: not JSON, an unknown step or key, or a value of the wrong type.
    """
    try:
        value = json.loads(line)
    except ValueError as error:
        raise InvalidInput(f"control line {line.strip()!r} is not JSON: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("do"), str):
        raise InvalidInput(f'control line {line.strip()!r} has no step: expected {{"do": "…"}}')
    if value["do"] not in known:
        raise InvalidInput(f"unknown step {value['do']!r}; expected one of {', '.join(sorted(known))}")
    for key, item in value.items():
        if key != "do" and key not in known[value["do"]]:
            raise InvalidInput(f"step {value['do']!r} has no {key!r}; it takes {', '.join(sorted(known[value['do']]))}")
        if not isinstance(item, (str, int, float, bool)):
            raise InvalidInput(f"step {value['do']!r}: {key!r} is {item!r}, expected a text or a number")
    return value


def seconds(step: Step, default: float = 1.0) -> float:
    """The step's ``seconds``, 0…3600.

    Raises:
        InvalidInput: not a number, or out of range.
    """
    value = step.get("seconds", default)
    if isinstance(value, (str, bool)) or not 0 <= value <= 3600:
        raise InvalidInput(f"step {step['do']!r}: seconds is {value!r}, expected 0 to 3600")
    return float(value)


def read_script(path: Path, known: Mapping[str, frozenset[str]]) -> tuple[Step, ...]:
    """All steps of a file; empty lines and lines that start with ``#`` are skipped.

    Raises:
        InvalidInput: names the line.
    """
    steps = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                steps.append(read_step(line, known))
            except InvalidInput as error:
                raise InvalidInput(f"{path}, line {number}: {error}") from error
    return tuple(steps)


class StepQueue:
    """Steps in the order they were said. Standard input is read on a thread of its own; its end means ``quit``."""

    def __init__(self, steps: tuple[Step, ...] = ()) -> None:
        self._queue: queue.SimpleQueue[Step] = queue.SimpleQueue()
        for step in steps:
            self._queue.put(step)

    def follow(
        self, lines: TextIO, known: Mapping[str, frozenset[str]], refuse: Callable[[InvalidInput], None]
    ) -> None:
        def read() -> None:
            for line in lines:
                if not line.strip():
                    continue
                try:
                    self._queue.put(read_step(line, known))
                except InvalidInput as error:
                    refuse(error)
            self._queue.put({"do": "quit"})

        threading.Thread(target=read, name="steps", daemon=True).start()

    def next(self, timeout_s: float | None = None) -> Step | None:
        try:
            return self._queue.get(timeout=timeout_s) if timeout_s else self._queue.get_nowait()
        except queue.Empty:
            return None


class EndlessSteps(StepQueue):
    """Steps from a generator, one whenever the last is done."""

    def __init__(self, steps: Iterator[Step]) -> None:
        super().__init__()
        self._steps = steps

    def next(self, timeout_s: float | None = None) -> Step | None:
        return next(self._steps, None)


def open_steps(
    script: str | None, known: Mapping[str, frozenset[str]], refuse: Callable[[InvalidInput], None]
) -> StepQueue:
    """The steps of ``--script``: None = none, ``-`` = standard input, else a file.

    Raises:
        InvalidInput: the file has a bad line.
    """
    if script is None:
        return StepQueue()
    if script == "-":
        steps = StepQueue()
        steps.follow(sys.stdin, known, refuse)
        return steps
    return StepQueue(read_script(Path(script), known))


def say(out: TextIO, **answer: object) -> None:
    """Write one JSON line and flush it."""
    out.write(json.dumps(answer, ensure_ascii=False) + "\n")
    out.flush()


def listen_address(text: str) -> tuple[str, int]:
    """``HOST:PORT``; port 0 = any free one.

    Raises:
        InvalidInput: not an address.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise InvalidInput(f"{text!r} is not an address: expected HOST:PORT, e.g. 127.0.0.1:0")
    return host, int(port)

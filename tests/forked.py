"""Processes of ours that start in a blink: forks of one that has imported everything.

Context: a server process takes one to two seconds of CPU to import its packages, and the tests start a hundred.
Decision: a fork server for each test process, from which servers come as real processes with a life, signals and files
of their own. That they also start from nothing, by their command line, is for the tests of the command line, of the
wheel and of the demo. Price: POSIX only; elsewhere each is started from nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any


def context() -> BaseContext:
    """Where processes come from; what the fork server has imported is the same for all."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.faults.serving", "tests.forked", "ui.cli.server", "alembic.command"])
    return made


def start(
    body: Callable[..., Any], *arguments: object, log: Path, environment: Mapping[str, str] | None = None
) -> BaseProcess:
    """Start a process: ``body(*arguments)``, with stdout and stderr at the end of a log file.

    Args:
        environment: beside that of this process as it is now.
    """
    whole = {**os.environ, **(environment or {})}
    process = context().Process(target=_live, args=(body, arguments, log, whole))  # type: ignore[attr-defined]
    process.start()
    return process  # type: ignore[no-any-return]


def _live(body: Callable[..., Any], arguments: tuple[object, ...], log: Path, environment: dict[str, str]) -> None:
    # the fork server has the environment of the test that needed it first
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    body(*arguments)
    sys.stdout.flush()

"""``station test``: the whole test suite, as CI runs it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import click

from station.errors import EnvironmentFault


def find_checkout() -> Path:
    """The folder with the tests.

    Raises:
        EnvironmentFault: this is an installed program; its tests stayed in the source.
    """
    root = Path(__file__).resolve().parent.parent.parent
    if not (root / "tests" / "conftest.py").is_file() or not (root / "pyproject.toml").is_file():
        raise EnvironmentFault(
            f"there are no tests in {root}: an installed station does not bring them. "
            "Take a checkout of the source and run there: python3 -m station test"
        )
    return root


def pytest_environment(settings: dict[str, str], has_display: bool) -> dict[str, str]:
    """The process environment of the tests: Qt without a screen unless there is one.

    The tests start a hundred processes of ours; compiling our modules anew in each would take minutes, so bytecode is
    written here even where the machine is set not to.
    """
    ours = {name: value for name, value in settings.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return ours if has_display else {**ours, "QT_QPA_PLATFORM": "offscreen"}


_UNUSED = ("schemathesis", "faker")
"""Plugins of pytest that come with our packages; nothing here uses them, and they double the start of each worker."""

_PYTEST_USAGE = 4
"""pytest's own code for words it does not know; ours is 2."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--slow", is_flag=True, help="Run the long seeds and soaks too.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- PYTEST OPTIONS]")
def test(slow: bool, words: tuple[str, ...]) -> int:
    """Run the test suite; what follows -- goes to pytest, e.g. station test -- -k store."""
    root = find_checkout()
    if importlib.util.find_spec("pytest") is None:
        raise EnvironmentFault(
            f"pytest is not installed for {sys.executable}. Start with python3 -m station test, which brings it, "
            "or run pip install -e '.[test]'"
        )
    options = ["--slow"] if slow else []
    for unused in _UNUSED:
        options += ["-p", f"no:{unused}"]
    if not any(word == "-n" or word.startswith(("-n", "--numprocesses", "--pdb")) for word in words):
        # the tests wait for processes and devices most of the time; a file's tests stay together, for their fixtures
        options += ["-n", str((os.cpu_count() or 1) + 2), "--dist", "loadfile", "--no-loadscope-reorder"]
    if not os.access(root, os.W_OK):
        options += ["-p", "no:cacheprovider"]  # pytest warns when it cannot write its cache, and a warning is an error
    command = [sys.executable, "-m", "pytest", *options, *words]
    has_display = sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    with subprocess.Popen(command, cwd=root, env=pytest_environment(dict(os.environ), has_display)) as child:
        while True:
            try:
                code = child.wait()
                return 2 if code == _PYTEST_USAGE else code
            except KeyboardInterrupt:
                continue  # pytest got it too, and ends with its summary

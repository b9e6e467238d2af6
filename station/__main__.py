"""Set up what the program needs, then hand over to the command line: ``python3 -m station …``.

Python is new enough → the shared libraries load → the environment is ready → ``ui.cli`` takes over. Standard library
only, readable by an old Python: see ``station/bootstrap``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from station.bootstrap import NotReady, say
from station.bootstrap.environment import ensure_environment
from station.bootstrap.system import ensure_system, python_refusal

DISTRIBUTION = "returns-inspection-station"


def is_installed(root: Path) -> bool:
    """Say whether these files are an installed distribution, whose installer has brought the dependencies.

    Args:
        root: the folder that holds ``station/``.
    """
    if not (root / "pyproject.toml").is_file():
        return True  # a wheel or a frozen program
    import importlib.metadata
    import json

    try:
        origin = json.loads(importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False
    editable = bool(origin.get("dir_info", {}).get("editable"))
    return editable and str(origin.get("url", "")).rstrip("/") == root.as_uri()


def run_here(root: Path, arguments: list[str]) -> None:
    """Run the command line in this process; ends by ``SystemExit``.

    ``python -m`` puts the working directory first on the import path; a folder ``ui/`` there would be run instead of
    ours, so it is taken off and our own folder put first (STYLE §14).
    """
    import runpy

    sys.path[:] = [str(root), *(entry for entry in sys.path if entry not in ("", str(Path.cwd()), str(root)))]
    sys.argv[1:] = arguments
    runpy.run_module("ui.cli", run_name="__main__", alter_sys=True)


def hand_over(python: Path, arguments: list[str]) -> int:
    """Become the command line in the environment. Returns only on Windows, with its exit code."""
    # -P: no folder of the working directory may shadow our packages
    command = [str(python), "-P", "-m", "ui.cli", *arguments]
    settings = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(command[0], command, settings)
    # Windows has no exec: a shell would think that we have ended
    with subprocess.Popen(command, env=settings) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child got it too, and ends by itself


def first_word(arguments: list[str]) -> str:
    """The command: the first word that is no option, nor the value of ``--home``."""
    words = iter(arguments)
    for word in words:
        if word == "--home":
            next(words, "")
        elif not word.startswith("-"):
            return word
    return ""


def main(arguments: list[str]) -> int:
    """Do all the steps; returns an exit code only when nothing was handed over to."""
    refusal = python_refusal(tuple(sys.version_info[:3]), sys.executable)
    if refusal:
        say(refusal)
        return 3
    root = Path(__file__).resolve().parent.parent
    if is_installed(root):
        run_here(root, arguments)
        return 0
    try:
        ensure_system()
        python = ensure_environment(root, for_tests=first_word(arguments) == "test")
    except NotReady as error:
        say(str(error))
        return 3
    except KeyboardInterrupt:
        say("stopped; the next start begins again")
        return 130
    return hand_over(python, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

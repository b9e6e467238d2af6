"""The command line: ``station COMMAND``. One module here per room's commands, loaded only when it is asked for.

``main`` is the program's entry. Before it imports anything of ours it makes sure that the five packages lie side by
side: their names are generic, and a foreign ``ui/`` or ``sync/`` that is found first would be run half in our place
(STYLE §14). ``group.py`` has the table of commands and turns errors into exit codes.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGES = ("station", "devices", "sync", "ui", "resources")
ENVIRONMENT_EXIT = 3


def strangers(root: Path) -> list[str]:
    """Say of each of our packages that is missing or comes from elsewhere what is wrong with it.

    Args:
        root: the folder that all five must lie in.
    """
    found = []
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = spec.origin if spec is not None else None
        if origin is None:
            found.append(f"the package {name!r} is missing, expected in {root / name}")
        elif Path(origin).resolve().parent != root / name:
            found.append(f"the package {name!r} comes from {Path(origin).parent}, expected {root / name}")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the words after the program's name; None = those of this process.
    """
    if not getattr(sys, "frozen", False):
        foreign = strangers(Path(__file__).resolve().parent.parent.parent)
        if foreign:
            advice = "start it from another folder, or install it into an environment of its own"
            sys.stderr.writelines(f"station: {line}\n" for line in [*foreign, advice])
            return ENVIRONMENT_EXIT
    try:
        from ui.cli.group import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in PACKAGES:
            raise
        sys.stderr.write(
            f"station: the package {error.name!r} is not installed for {sys.executable}. "
            "Start with python3 -m station in a checkout, which installs what is needed\n"
        )
        return ENVIRONMENT_EXIT
    return run(sys.argv[1:] if argv is None else list(argv))

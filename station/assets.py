"""Where the data of ``resources/`` lies: beside the code in a checkout and in a wheel, in the bundle when frozen."""

from __future__ import annotations

import sys
from pathlib import Path

from station.errors import Defect


def asset(*parts: str) -> Path:
    """The path of a file or folder under ``resources/``.

    Raises:
        Defect: it is not part of this installation.
    """
    frozen = getattr(sys, "_MEIPASS", None)
    root = Path(frozen) if frozen else Path(__file__).resolve().parent.parent
    path = root.joinpath("resources", *parts)
    if not path.exists():
        raise Defect(f"resource {'/'.join(parts)!r} is missing from this installation ({path})")
    return path

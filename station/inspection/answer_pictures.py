"""Pictures of answers: a drawing for each choice, named in the protocol, found in the site's folder or in ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from station.assets import asset

FOLDER = "pictures"
LARGEST = 256 * 1024
"""Bytes; a drawing of one answer is a few kilobytes."""


def picture_folders(home: Path | None = None) -> tuple[Path, ...]:
    """Where answer pictures are looked for: the site's own ``rules/pictures`` first, then this installation's."""
    ours = asset() / FOLDER
    return (ours,) if home is None else (home / "rules" / FOLDER, ours)


def picture_file(name: str, folders: Sequence[Path]) -> Path | None:
    """The file of a picture; None = there is none of that name.

    Args:
        name: as the protocol has it, without ``.svg``; anything but a plain name finds nothing.
    """
    if not name or Path(name).name != name or name.startswith("."):
        return None
    return next((path for folder in folders if (path := folder / f"{name}.svg").is_file()), None)

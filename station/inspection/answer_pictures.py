"""Pictures of answers: a drawing for each choice, named in the protocol, found in the site's folder or in ours.

A drawing is an SVG of 96 × 64 units in two colours that stand for the theme's: ``currentColor`` is the ink, and
:data:`MARK` points at what is not as it should be. Both are replaced before it is drawn, so one file serves the light,
the dark and the high-contrast theme; areas are the ink at a low opacity, so that an outline stays readable on any
ground. Colour is never alone: without the mark's colour each drawing still tells its answer. Any other colour in a
site's own file stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from station.assets import asset

FOLDER = "pictures"
LARGEST = 256 * 1024
"""Bytes; a drawing of one answer is a kilobyte or two."""
MARK = "#E0A000"
"""Stands for the theme's colour of attention."""


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


def recoloured(drawing: bytes, ink: str, mark: str) -> bytes:
    """A drawing in the colours of a theme.

    Args:
        ink: ``#RRGGBB`` of lines and areas.
        mark: ``#RRGGBB`` of what the drawing points at.

    >>> recoloured(b'<path stroke="currentColor"/><path stroke="#E0A000"/>', "#F4F7F9", "#FFD23F")
    b'<path stroke="#F4F7F9"/><path stroke="#FFD23F"/>'
    """
    return drawing.replace(b"currentColor", ink.encode()).replace(MARK.encode(), mark.encode())

"""What the harness needs to know of a protocol: two whole messages of the maker's table, and what they weigh."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """Two stable gross loads of one scale, byte for byte from a manual or a real capture."""

    frame: bytes
    mass_mg: int
    other: bytes
    other_mg: int
    checked: bool = False
    """A check makes each single damage harmless by itself; the negative control then uses the unchecked form."""
    first: int = 0
    """Messages before one counts: a layout that must be learnt, an old first report."""
    unit: str = ""
    """What the scale is set to, for protocols that send no unit."""
    declared: bool = True
    """The scale says itself when it is at rest; otherwise it takes longer."""
    loses_a_byte: bool = True
    """A message with one byte lost is never a valid one, even if every message loses the same one."""

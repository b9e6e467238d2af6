"""Which layout a scale's lines have, when bytes alone cannot tell a layout from another one with a byte lost.

A documented layout is believed at its first line, any other after three lines in a row with the number and the unit in
the same columns. Once a layout is known, another one has to prove itself in the same way, so that a line which lost a
byte is refused even where it looks like a valid line of another maker.
"""

from __future__ import annotations

from collections.abc import Hashable

from devices.scale.frames import Frame, Garbage, Reading

PROOF = 3
"""Lines in a row before a learnt or another layout is believed."""


class LayoutJudge:
    """Remembers the layout of one scale since its port was opened."""

    def __init__(self) -> None:
        self._layout: Hashable = None
        self._candidate: Hashable = None
        self._seen = 0

    def judge(self, layout: Hashable, reading: Reading, *, documented: bool) -> Frame:
        """The reading, or why it is not believed yet.

        Args:
            layout: what all lines of one scale have in common, e.g. its name and the columns.
            documented: a maker's table gives these exact columns.
        """
        if layout == self._layout:
            self._candidate, self._seen = None, 0
            return reading
        needed = 1 if documented and self._layout is None else PROOF
        self._seen = self._seen + 1 if layout == self._candidate else 1
        self._candidate = layout
        if self._seen < needed:
            what = "a layout without a table" if self._layout is None else "another layout than before"
            return Garbage(reading.raw, f"{what} ({self._seen} of {needed} to believe it)")
        self._layout, self._candidate, self._seen = layout, None, 0
        return reading

    def interrupt(self) -> None:
        """A line of no layout: the proof of a new one begins anew."""
        self._candidate, self._seen = None, 0


def refused(line: bytes, family: str) -> Garbage:
    """Say why a line was not understood.

    >>> refused(b"4.54pH 24.7\\xf8C", "print layout").reason
    'no known print layout'
    """
    high = sum(byte > 0x7F for byte in line)
    if high * 4 > len(line):
        return Garbage(line, "bytes above 127: check baud rate and parity")
    return Garbage(line, f"no known {family}")

"""Lines that were not taken, with everything needed to mend them."""

from __future__ import annotations

from dataclasses import dataclass

from station.errors import InvalidInput

_SHOWN = 120


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """One row of the file that was left out; all others are read."""

    line: int
    """Line of the file on which the row begins, from 1."""
    column: str | None
    """Column as this program calls it; None = the row as a whole."""
    value: str
    """What stood there, cut to 120 characters."""
    expected: str
    """What would have been right, and what to do."""

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.value!r}: {self.expected}"


class CellRefused(InvalidInput):
    """One cell cannot be read; the reader turns it into a ``RefusedLine``."""

    def __init__(self, column: str | None, value: str, expected: str) -> None:
        super().__init__(f"{column}: {value[:_SHOWN]!r}: {expected}")
        self.column = column
        self.value = value
        self.expected = expected

    def at(self, line: int) -> RefusedLine:
        """The line that this cell makes unreadable."""
        return RefusedLine(line, self.column, self.value[:_SHOWN], self.expected)

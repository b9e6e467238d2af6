"""A delimited file as rows of named cells: finds the delimiter and the header, survives broken quotes."""

from __future__ import annotations

import csv
import difflib
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from station.errors import InvalidInput
from station.exchange.refused import RefusedLine
from station.exchange.textfile import TextFile

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_JOINTS = re.compile(r"[\s_\-./]+")
_HEADER_WITHIN = 10
"""Lines in front of the header that may be blank or a ``sep=`` line."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of file."""

    name: str
    """As a person calls it, e.g. ``Amazon FBA customer returns``."""
    columns: tuple[str, ...]
    """Names in the order in which a row's cells are given to its reader."""
    required: frozenset[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names that are understood: normalised → column."""

    def column(self, header: str) -> str | None:
        """The column that a header cell means, whatever its case, spaces, hyphens and underscores."""
        name = fold(header)
        for column in self.columns:
            if fold(column) == name:
                return column
        return self.aliases.get(name)


def fold(header: str) -> str:
    """A header without case and joints.

    >>> fold(" Order-ID "), fold("order_id")
    ('orderid', 'orderid')
    """
    return _JOINTS.sub("", header.strip().strip("\ufeff\"'").casefold())


class Row(NamedTuple):
    """One row that has something in it. (A tuple: a frozen dataclass costs four times as much to make.)"""

    line: int
    cells: tuple[str, ...]
    """Trimmed, in the order of the layout's columns; an absent column is an empty cell."""


class Table:
    """A file whose header one of the layouts knows.

    Args:
        path: the file.
        layouts: what it may be.
        others: what it may be by mistake, for a better message: layout and the command that reads it.

    Raises:
        InvalidInput: it is none of these, or its header is not usable; says what is missing.
    """

    def __init__(self, path: Path, layouts: Sequence[Layout], others: Sequence[tuple[Layout, str]] = ()) -> None:
        self.file = TextFile(path)
        self.layout, self._delimiter, self._header, self._header_line = self._recognise(layouts, others)
        self.delimiter = _DELIMITERS[self._delimiter]
        """In words: ``comma``, ``semicolon``, ``tab`` or ``pipe``."""
        names = [self.layout.column(cell) for cell in self._header]
        found = [name for name in names if name is not None]
        for name in found:
            if found.count(name) > 1:
                raise InvalidInput(
                    f"{str(path)!r}: the column {name!r} occurs {found.count(name)} times, expected once"
                )
        self.ignored = tuple(cell for cell, name in zip(self._header, names, strict=True) if name is None and cell)
        """Header cells that this program has no use for."""
        self.present = frozenset(found)
        self._pick = tuple(names.index(name) if name in found else -1 for name in self.layout.columns)

    def _recognise(
        self, layouts: Sequence[Layout], others: Sequence[tuple[Layout, str]]
    ) -> tuple[Layout, str, list[str], int]:
        head = list(islice(self.file.lines(), _HEADER_WITHIN))
        line = next((n for n, text in enumerate(head) if text.strip(" \t\r\n,;|") and not _is_separator(text)), None)
        path = str(self.file.path)
        if line is None:
            raise InvalidInput(f"{path!r}: no header line among the first {_HEADER_WITHIN} lines")
        cut = [(delimiter, _cells(head[line], delimiter)) for delimiter in _DELIMITERS]
        scored = [
            (len({layout.column(cell) for cell in cells} & set(layout.columns)), layout, delimiter, cells)
            for delimiter, cells in cut
            for layout in layouts
        ]
        complete = [one for one in scored if one[1].required <= {one[1].column(cell) for cell in one[3]}]
        if complete:
            _, layout, delimiter, cells = max(complete, key=lambda one: one[0])
            return layout, delimiter, cells, line + 1
        for other, command in others:
            if any(other.required <= {other.column(cell) for cell in cells} for _, cells in cut):
                raise InvalidInput(f"{path!r} is a file of {other.name}: read it with {command}")
        score, layout, _, cells = max(scored, key=lambda one: one[0])
        raise InvalidInput(f"{path!r}: {_what_is_missing(score, layout, layouts, cells)}")

    def rows(self) -> Iterator[Row | RefusedLine]:
        """Yield every row that is not blank; rows that are no rows come as refused lines."""
        width = len(self._header)
        pick = self._pick
        for record in _records(self.file.lines(), self._delimiter, self._header_line):
            if isinstance(record, RefusedLine):
                yield record
                continue
            cells = [cell.strip() for cell in record.cells]
            if not any(cells):
                continue
            if len(cells) != width:
                problem = self._wrong_width(cells, record.ends_cut_off)
                if problem is not None:
                    yield RefusedLine(record.line, None, self._delimiter.join(cells)[:120], problem)
                    continue
                cells += [""] * (width - len(cells))
            if cells == self._header:
                continue  # files joined together repeat it
            if record.has_formula:
                cells = [_unwrapped(cell) for cell in cells]
            cells.append("")  # what an absent column, -1, picks
            yield Row(record.line, tuple([cells[index] for index in pick]))

    def _wrong_width(self, cells: Sequence[str], ends_cut_off: bool) -> str | None:
        """Why these cells cannot be a row; None = empty cells at the end were left out or added."""
        width = len(self._header)
        if any(cells[width:]):
            found = f"expected {width} cells as in the header, found {len(cells)}"
            return f"{found}: quote text that holds a {self.delimiter}"
        if len(cells) < width and ends_cut_off:
            return f"expected {width} cells, found {len(cells)}: the file ends in the middle of this line"
        return None


def _unwrapped(cell: str) -> str:
    # ="0012" is how spreadsheets are made to keep a leading zero.
    return cell[2:-1].strip() if cell.startswith('="') and cell.endswith('"') and len(cell) > 2 else cell


def _is_separator(text: str) -> bool:
    return text.strip('\ufeff" \r\n').lower().startswith("sep=")


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip().strip("\ufeff") for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return []


def _what_is_missing(score: int, layout: Layout, layouts: Sequence[Layout], cells: Sequence[str]) -> str:
    if score < 2:
        wanted = "; or ".join(f"{one.name}: {', '.join(one.columns)}" for one in layouts)
        return f"the header {','.join(cells)[:200]!r} has no columns that are known here. Expected {wanted}"
    names = {layout.column(cell) for cell in cells}
    missing = sorted(layout.required - names)
    unknown = {fold(cell): cell for cell in cells if layout.column(cell) is None}
    parts = []
    for name in missing:
        near = difflib.get_close_matches(fold(name), unknown, n=1)
        parts.append(f"{name!r}" + (f" (did you mean it by {unknown[near[0]]!r}?)" if near else ""))
    return f"looks like {layout.name}, but the column {', '.join(parts)} is missing"


class _Feed(Iterator[str]):
    """Physical lines for csv.reader, remembering those of the record in work so that they can be given again."""

    def __init__(self, lines: Iterator[str], number: int) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self.number = number
        """Of the last line given out."""

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._record.append(line)
        self.number += 1
        return line

    def begin(self) -> int:
        self._record = []
        return self.number + 1

    def give_up_first(self) -> str:
        """Give all lines of the record but its first again."""
        first, *rest = self._record
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)
        return first

    def ends_cut_off(self) -> bool:
        return bool(self._record) and not self._record[-1].endswith("\n")

    def has_formula(self) -> bool:
        return any('="' in line for line in self._record)


class _Record(NamedTuple):
    """The cells of one record, as they stand in the file."""

    line: int
    cells: list[str]
    ends_cut_off: bool
    has_formula: bool


def _records(lines: Iterator[str], delimiter: str, skip: int) -> Iterator[_Record | RefusedLine]:
    """Cut lines into records; after one that cannot be cut, go on with the line after its first."""
    feed = _Feed(lines, skip)
    for _ in range(skip):
        next(lines, None)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        line = feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            expected = (
                "a quote is opened and not closed, or text follows a closed one; double quotes inside quoted text"
            )
            yield RefusedLine(line, None, feed.give_up_first().strip()[:120], expected)
            reader = csv.reader(feed, delimiter=delimiter, strict=True)
            continue
        yield _Record(line, cells, feed.ends_cut_off(), feed.has_formula())

"""The first pass over a file: what only the whole of it can say, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from station.exchange.dates import DateOrder, OrderEvidence
from station.exchange.refused import RefusedLine
from station.exchange.table import Row, Table

_FILTER_BITS = 1 << 25
"""4 MB. With a million different keys one in 270 is taken for a repeated one, which costs nothing but its entry."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What the second pass needs to know beforehand."""

    orders: dict[str, DateOrder]
    """Date column → day or month first."""
    scattered: dict[str, int]
    """Key that comes again after another one in between → how often its run of rows begins."""


class _Seen:
    """Keys met so far, as a Bloom filter: never forgets one, sometimes remembers one that was not there."""

    def __init__(self) -> None:
        self._bits = bytearray(_FILTER_BITS // 8)

    def add(self, key: str) -> bool:
        """Add a key; True if it may have been there before."""
        number = hash(key)
        known = True
        for place in (number % _FILTER_BITS, (number >> 25) % _FILTER_BITS):
            byte, bit = place >> 3, 1 << (place & 7)
            if not self._bits[byte] & bit:
                known = False
                self._bits[byte] |= bit
        return known


def survey(table: Table, date_columns: tuple[str, ...], key_of: Callable[[Row], str]) -> Survey:
    """Go through the file once.

    Args:
        table: the file.
        date_columns: columns whose order of day and month must be found.
        key_of: what makes rows belong together.
    """
    columns = table.layout.columns
    evidence = {name: OrderEvidence() for name in date_columns if name in table.present}
    looks = [(columns.index(name), found.see) for name, found in evidence.items()]
    seen = _Seen()
    runs: dict[str, int] = {}
    last: str | None = None
    for row in _only_rows(table):
        for index, see in looks:
            see(row.cells[index])
        key = key_of(row)
        if key != last:
            last = key
            if seen.add(key):
                # The first run was not counted when it was seen, so the count begins at two.
                runs[key] = runs.get(key, 1) + 1
    return Survey({name: found.order() for name, found in evidence.items()}, runs)


def _only_rows(table: Table) -> Iterator[Row]:
    for row in table.rows():
        if not isinstance(row, RefusedLine):
            yield row

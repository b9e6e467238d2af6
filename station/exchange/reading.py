"""The door of this room: a path in, records and refused lines out.

``read_returns``, ``read_catalogue``, ``read_sales`` and ``read_outcomes`` refuse a file that is none at once
(``InvalidInput``), and one line after the other while they are iterated (``RefusedLine``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from station.decision.recovery import UnitOutcome
from station.errors import InvalidInput
from station.exchange.amazon import amazon_records
from station.exchange.catalogue_csv import catalogue_records
from station.exchange.layouts import AMAZON, CATALOGUE, RETURNS, SALES
from station.exchange.outcomes_csv import OUTCOMES, UNIT_OUTCOMES, unit_outcome_records
from station.exchange.refused import RefusedLine
from station.exchange.returns_csv import return_records
from station.exchange.sales_csv import sale_records
from station.exchange.table import Table
from station.returns.model import CatalogueItem, ReturnAuthorisation
from station.returns.sale import Sale

_T = TypeVar("_T")

AMAZON_MERCHANT = "amazon"
"""Merchant of an Amazon report, where none is named."""

ReturnsRecord: TypeAlias = ReturnAuthorisation | CatalogueItem | RefusedLine
"""An Amazon report also says what its articles are called; such items carry no category and no price."""

CatalogueRecord: TypeAlias = CatalogueItem | RefusedLine
SalesRecord: TypeAlias = Sale | RefusedLine
OutcomesRecord: TypeAlias = UnitOutcome | RefusedLine


class Reading(Generic[_T]):
    """One file, recognised but not yet read. Iterate it as often as needed; each time it is read from the beginning."""

    def __init__(self, table: Table, records: Callable[[], Iterator[_T]]) -> None:
        self._table = table
        self._records = records

    def __iter__(self) -> Iterator[_T]:
        return self._records()

    @property
    def format(self) -> str:
        """What was recognised, e.g. ``Amazon FBA customer returns, tab-separated``."""
        return f"{self._table.layout.name}, {self._table.delimiter}-separated"

    @property
    def is_amazon(self) -> bool:
        """It is Amazon's report and not our own format."""
        return self._table.layout is AMAZON

    @property
    def ignored_columns(self) -> tuple[str, ...]:
        """Header cells that nothing is done with."""
        return self._table.ignored

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._table.file.size

    @property
    def position(self) -> int:
        """Bytes read so far in the current pass; a file is gone through twice."""
        return self._table.file.position


def read_returns(path: Path, *, merchant: str | None = None, currency: str = "EUR") -> Reading[ReturnsRecord]:
    """Recognise a file of announced returns: our columns or Amazon's FBA customer-returns report.

    Args:
        path: CSV with comma, semicolon, tab or bar, in UTF-8, UTF-16 or Windows-1252.
        merchant: whose returns these are, where a row does not say.
        currency: of amounts whose row names none.

    Raises:
        InvalidInput: no such file; the message says what is missing.
    """
    table = Table(path, (RETURNS, AMAZON), ((CATALOGUE, "station import catalogue"),))
    if table.layout is AMAZON:
        owner = merchant or AMAZON_MERCHANT
        return Reading(table, lambda: amazon_records(table, owner))
    _need_merchant(table, merchant)
    return Reading(table, lambda: return_records(table, merchant, currency))


def read_catalogue(path: Path, *, merchant: str | None = None, currency: str = "EUR") -> Reading[CatalogueRecord]:
    """Recognise a catalogue in our columns; arguments and errors as for ``read_returns``."""
    others = ((RETURNS, "station import returns"), (AMAZON, "station import returns"))
    table = Table(path, (CATALOGUE,), others)
    _need_merchant(table, merchant)
    return Reading(table, lambda: catalogue_records(table, merchant, currency))


def read_sales(path: Path, *, merchant: str | None = None, currency: str = "EUR") -> Reading[SalesRecord]:
    """Recognise a file of sales in our columns; arguments and errors as for ``read_returns``.

    A file with a column ``rma`` is one of returns and refused: its rows would be counted as sold.
    """
    table = Table(path, (SALES,), ((RETURNS, "station import returns"), (CATALOGUE, "station import catalogue")))
    if any(RETURNS.column(cell) == "rma" for cell in table.ignored):
        raise InvalidInput(f"{str(path)!r} is a file of returns: read it with station import returns")
    _need_merchant(table, merchant)
    return Reading(table, lambda: sale_records(table, merchant, currency))


def read_outcomes(path: Path, *, merchant: str | None = None, currency: str = "EUR") -> Reading[OutcomesRecord]:
    """Recognise a file of what units brought; arguments and errors as for ``read_returns``."""
    others = ((OUTCOMES, "station recovery, which needs no licence plates"), (SALES, "station import sales"))
    table = Table(path, (UNIT_OUTCOMES,), others)
    _need_merchant(table, merchant)
    return Reading(table, lambda: unit_outcome_records(table, merchant, currency))


def _need_merchant(table: Table, merchant: str | None) -> None:
    if merchant is None and "merchant" not in table.present:
        raise InvalidInput(
            f"{str(table.file.path)!r} has no column 'merchant': say whose goods these are with --merchant ID"
        )

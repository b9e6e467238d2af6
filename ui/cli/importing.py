"""``station import``: announced returns, catalogues, sales and outcomes from files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import click

from station.clock import SystemClock
from station.config import load_config
from station.exchange.importing import ImportReport, Tally, import_file
from station.exchange.layouts import AMAZON_COLUMNS, CATALOGUE_COLUMNS, RETURN_COLUMNS, SALES_COLUMNS
from station.exchange.outcomes_csv import OUTCOME_COLUMNS
from station.exchange.reading import (
    CatalogueRecord,
    OutcomesRecord,
    Reading,
    ReturnsRecord,
    SalesRecord,
    read_catalogue,
    read_outcomes,
    read_returns,
    read_sales,
)
from station.exchange.refused import RefusedLine

_Reading: TypeAlias = Reading[ReturnsRecord] | Reading[CatalogueRecord] | Reading[SalesRecord] | Reading[OutcomesRecord]

_SHOWN = 50
"""Refused lines that a person is shown."""


def _columns(columns: Mapping[str, str]) -> str:
    return "\n".join(f"  {name:<14}{meaning}" for name, meaning in columns.items())


_EPILOG = f"""\b
Returns, our columns:
{_columns(RETURN_COLUMNS)}
\b
Returns, Amazon's FBA customer-returns report:
  {", ".join(AMAZON_COLUMNS[:7])},
  {", ".join(AMAZON_COLUMNS[7:])}
\b
Catalogue:
{_columns(CATALOGUE_COLUMNS)}
\b
Sales, for return rates:
{_columns(SALES_COLUMNS)}
\b
Outcomes, what units really brought; the station learns from them what its goods are worth:
{_columns(OUTCOME_COLUMNS)}

The delimiter may be comma, semicolon, tab or bar, the text UTF-8, UTF-16 or Windows-1252. Dates are ISO 8601,
22.11.2026, or 11/22/2026 where the whole column shows whether the day or the month comes first. Refused lines are
listed with the reason, all others are imported; the exit code is then 1. Importing a file again changes nothing.
"""


def _currency(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """It becomes the currency of merchants that are new, so it is checked even if no row needs it."""
    if len(value) != 3 or not value.isascii() or not value.isalpha():
        raise click.BadParameter(f"{value!r} is no ISO 4217 code: expected one such as EUR")
    return value.upper()


@click.command("import", epilog=_EPILOG)
@click.argument("kind", type=click.Choice(["returns", "catalogue", "sales", "outcomes"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--merchant", metavar="ID", help="Whose goods these are, where the file does not say.")
@click.option(
    "--currency",
    metavar="CODE",
    default="EUR",
    show_default=True,
    callback=_currency,
    help="Of amounts whose row names none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def import_(context: click.Context, kind: str, file: Path, merchant: str | None, currency: str, as_json: bool) -> int:
    """Read announced returns, a catalogue, sales or outcomes from FILE into this station."""
    home: Path = context.obj
    reading: _Reading
    if kind == "returns":
        reading = read_returns(file, merchant=merchant, currency=currency)
    elif kind == "sales":
        reading = read_sales(file, merchant=merchant, currency=currency)
    elif kind == "outcomes":
        reading = read_outcomes(file, merchant=merchant, currency=currency)
    else:
        reading = read_catalogue(file, merchant=merchant, currency=currency)

    from station.store.store import Store

    progress = _Progress(reading)
    config = load_config(home)
    with Store.open(home, station=config.station.id, clock=SystemClock()) as store:
        report = import_file(reading, store, currency=currency, on_batch=progress.show)
    progress.clear()
    if as_json:
        click.echo(json.dumps(_as_json(kind, file, reading, report)))
    else:
        _show(file, reading, report)
    return 1 if report.refused_total else 0


class _Progress:
    """Per cent of the file on standard error; nothing where that is no terminal."""

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading
        self._on = sys.stderr.isatty() and reading.size > 1 << 20

    def show(self) -> None:
        if self._on:
            percent = min(100, self._reading.position * 100 // self._reading.size)
            click.echo(f"\r{percent:3} %", err=True, nl=False)

    def clear(self) -> None:
        if self._on:
            click.echo("\r     \r", err=True, nl=False)


def _as_json(kind: str, file: Path, reading: _Reading, report: ImportReport) -> dict[str, object]:
    return {
        "file": str(file),
        "kind": kind,
        "format": reading.format,
        "ignored_columns": list(reading.ignored_columns),
        "merchants": _tally(report.merchants),
        "articles": _tally(report.articles),
        "returns": _tally(report.returns),
        "sales": _tally(report.sales),
        "outcomes": _tally(report.outcomes),
        "lines": report.lines,
        "refused_total": report.refused_total,
        "refused": [_refused(line) for line in report.refused],
    }


def _tally(tally: Tally) -> dict[str, int]:
    return {"new": tally.new, "changed": tally.changed, "unchanged": tally.unchanged}


def _refused(line: RefusedLine) -> dict[str, object]:
    return {"line": line.line, "column": line.column, "value": line.value, "expected": line.expected}


def _show(file: Path, reading: _Reading, report: ImportReport) -> None:
    click.secho(f"{file.name}: {reading.format}", bold=True)
    tallies = ("merchants", report.merchants), ("articles", report.articles), ("returns", report.returns)
    for name, tally in (*tallies, ("sales", report.sales), ("outcomes", report.outcomes)):
        if tally.total:
            counts = f"{tally.new} new, {tally.changed} changed, {tally.unchanged} unchanged"
            click.echo(f"  {name:<10}{tally.total:>9}   {counts}")
    if report.lines:
        click.echo(f"  {'lines':<10}{report.lines:>9}")
    if reading.ignored_columns:
        click.echo(f"  not used: {', '.join(reading.ignored_columns)}")
    if not report.refused_total:
        click.echo("  every line was read")
        return
    what = "1 line was" if report.refused_total == 1 else f"{report.refused_total} lines were"
    click.secho(f"  {what} refused: mend and import the file again", fg="red")
    for line in report.refused[:_SHOWN]:
        click.echo(f"    {line}")
    if report.refused_total > _SHOWN:
        click.echo(f"    and {report.refused_total - _SHOWN} more (--json lists them)")

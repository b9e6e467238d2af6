"""``station recovery``: outcomes → a rule file of what goods really bring, added to what was learned before."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from station.decision.recovery import Cell, RecoveryBook, Summary, check_recovery, summary_of
from station.errors import InvalidInput
from station.exchange.outcomes_csv import OUTCOME_COLUMNS, OUTCOMES, outcome_records
from station.exchange.refused import RefusedLine
from station.exchange.table import Table
from station.toml_file import read_toml, typed

_EPILOG = "\b\nColumns:\n" + "\n".join(f"  {name:<14}{meaning}" for name, meaning in OUTCOME_COLUMNS.items())


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The rule file to write.")
@click.option("--add-to", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="What was learned before.")
@click.option("--merchant", help="Where the file has no merchant.")
@click.option("--currency", default="EUR", show_default=True, help="Where the file has no currency.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def recovery(
    files: tuple[Path, ...], out: Path, add_to: Path | None, merchant: str | None, currency: str, as_json: bool
) -> int:
    """Learn what goods bring from FILES of outcomes, and write a rule file for the folder "rules" of a station.

    Every row counts, so give each file once. The version is one higher than that of --add-to. Refused lines are listed
    and the exit code is then 1.
    """
    before = RecoveryBook(version=1)
    if add_to is not None:
        before = typed(read_toml(add_to), RecoveryBook)
        check_recovery(before, str(add_to))
    learned, refused = Summary(), []
    for file in files:
        for record in outcome_records(Table(file, (OUTCOMES,)), merchant, currency):
            if isinstance(record, RefusedLine):
                refused.append(f"{file}: {record}")
            else:
                learned.add(record)
    count = sum(sums.n for sums in learned.cells.values())
    if not count:
        raise InvalidInput(f"no outcome could be read from {', '.join(map(str, files))}; nothing is written")
    whole = summary_of(before.cells).merge(learned)
    version = before.version + 1 if add_to is not None else 1
    book = msgspec.structs.replace(before, version=version, cells=tuple(whole.lines()))
    _write(out, book)
    if as_json:
        document = {
            "file": str(out),
            "version": version,
            "outcomes": count,
            "cells": len(book.cells),
            "refused": refused,
        }
        click.echo(json.dumps(document))
    else:
        click.echo(f"{out}: version {version}, {count} outcomes added, {len(book.cells)} lines")
        for line in refused:
            click.echo(f"refused  {line}", err=True)
    return 1 if refused else 0


def _write(out: Path, book: RecoveryBook) -> None:
    text = [
        'kind = "recovery"',
        f"version = {book.version}",
        f"strength_sku = {book.strength_sku}",
        f"strength_category = {book.strength_category}",
        f"spread_bp = {book.spread_bp}",
        "cells = [",
        *(f"  {_line(cell)}," for cell in book.cells),
        "]",
    ]
    partial = out.with_name(f".{out.name}.part")
    partial.write_text("\n".join(text) + "\n", encoding="utf-8")
    partial.replace(out)


def _line(cell: Cell) -> str:
    """One cell as an inline table; JSON's strings are TOML's."""
    plain = {key: value for key, value in msgspec.to_builtins(cell).items() if key != "sha256"}
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in plain.items()) + " }"

"""``station journal``: prove what is kept, or make the rows anew from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from station.clock import SystemClock

if TYPE_CHECKING:
    from station.store.proof import RebuildReport, VerifyReport

_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


@click.group()
def journal() -> None:
    """Prove the journal, or rebuild the rows made from it."""


@journal.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_json
def verify(as_json: bool, file: Path | None) -> None:
    """Recompute every hash of the journal and of the photos, and compare the rows; exit 1 if anything is wrong.

    Changes nothing. The station may be running. With FILE, a unit's evidence dossier, it checks that instead and needs
    no station.
    """
    if file is not None:
        from ui.cli.exporting import verify_file

        return verify_file(file, as_json)
    from station.store import proof

    report = proof.verify(_home(), progress=_progress())
    click.echo(json.dumps(_verify_document(report)) if as_json else _verify_text(report))
    if not report.ok:
        raise click.exceptions.Exit(1)


@journal.command()
@_json
def rebuild(as_json: bool) -> None:
    """Make all rows anew from the journal, in one transaction, and say what differed. The station must be closed."""
    from station.store import proof

    report = proof.rebuild(_home(), clock=SystemClock(), progress=_progress())
    click.echo(json.dumps(_rebuild_document(report)) if as_json else _rebuild_text(report))


def _home() -> Path:
    home = click.get_current_context().obj
    assert isinstance(home, Path)
    return home


def _progress() -> Callable[[str, int], None]:
    """Counts on standard error where a person watches; nothing in a pipe."""
    shown = sys.stderr.isatty()

    def tell(what: str, done: int) -> None:
        if shown and done % 1000 == 0:
            click.echo(f"\r{done} {what} …", err=True, nl=False)

    return tell


def _verify_document(report: VerifyReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "entries": report.entries,
        "photos": report.photos,
        "generations": [
            {"generation": head.generation, "entries": head.seq, "head": head.hash} for head in report.heads
        ],
        "problems": [
            {
                "flaw": problem.flaw.value,
                "generation": problem.generation,
                "seq": problem.seq,
                "photo": problem.photo,
                "text": problem.text,
            }
            for problem in report.problems
        ],
        "notes": list(report.notes),
    }


def _verify_text(report: VerifyReport) -> str:
    lines = [f"{problem.flaw.value}: {problem.text}" for problem in report.problems]
    lines += [f"note: {note}" for note in report.notes]
    lines += [f"generation {head.generation}: {head.seq} entries, head {head.hash}" for head in report.heads]
    looked_at = f"{report.entries} entries and {report.photos} photos"
    count = len(report.problems)
    found = "1 problem" if count == 1 else f"{count} problems"
    lines.append(f"{looked_at} verify" if report.ok else f"{looked_at} looked at: {found}")
    return "\n".join(lines)


def _rebuild_document(report: RebuildReport) -> dict[str, object]:
    return {
        "changed": report.changed,
        "entries": report.entries,
        "skipped": report.skipped,
        "tables": [
            {
                "table": table.table,
                "rows": table.rows,
                "missing": table.missing,
                "extra": table.extra,
                "examples": list(table.examples),
            }
            for table in report.tables
        ],
    }


def _rebuild_text(report: RebuildReport) -> str:
    lines = []
    for table in report.tables:
        line = f"{table.table}: {table.rows} rows"
        if table.missing or table.extra:
            line += f", {table.missing} were missing or different, {table.extra} did not belong"
            line += f" ({', '.join(table.examples)})"
        lines.append(line)
    lines.append(
        f"{report.entries} entries replayed, {report.skipped} of them make no rows; "
        + ("the rows are as the journal says now" if report.changed else "nothing differed")
    )
    return "\n".join(lines)

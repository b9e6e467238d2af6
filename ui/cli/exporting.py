"""``station export``: the journal as EPCIS, CSV or lines, and the evidence dossier of one unit."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from station.errors import InvalidInput

if TYPE_CHECKING:
    from station.exchange.dossier_verify import DossierReport, End

_F = TypeVar("_F", bound=Callable[..., object])


@click.group()
def export() -> None:
    """Write what this station recorded to a file; the station may be running."""


def _out(command: _F) -> _F:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output."),
        click.option("--out", metavar="PATH", required=True, type=click.Path(dir_okay=False, path_type=Path)),
    ):
        command = option(command)
    return command


@export.command()
@_out
@click.pass_obj
def epcis(home: Path, out: Path, as_json: bool) -> None:
    """All inspections as one EPCIS 2.0 document (JSON-LD)."""
    from station.clock import SystemClock
    from station.exchange.epcis import write_document
    from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED
    from station.store.reading import read_entries

    entries = read_entries(home, (INSPECTION_CONFIRMED, INSPECTION_VOIDED))
    _say("epcis", out, _write(out, write_document(entries, SystemClock().now())), len(entries), as_json)


@export.command("csv")
@click.option("--table", type=click.Choice(["inspections", "units"]), default="inspections", show_default=True)
@_out
@click.pass_obj
def csv_(home: Path, out: Path, as_json: bool, table: str) -> None:
    """Inspections, or units as they stand now, for a spreadsheet.

    A text that a spreadsheet would run as a formula has an apostrophe in front.
    """
    from station.exchange.csv_export import Table, write_csv
    from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED
    from station.store.reading import read_entries

    entries = read_entries(home, (INSPECTION_CONFIRMED, INSPECTION_VOIDED))
    _say("csv", out, _write(out, write_csv(entries, Table(table))), len(entries), as_json)


@export.command()
@_out
@click.pass_obj
def journal(home: Path, out: Path, as_json: bool) -> None:
    """Every entry as one line of JSON, exact bytes and hashes, to be kept elsewhere."""
    from station.journal.lines import write_lines
    from station.store.reading import read_entries

    entries = read_entries(home)
    _say("journal", out, _write(out, write_lines(entries)), len(entries), as_json)


@export.command()
@click.argument("unit", metavar="LPN")
@_out
@click.pass_obj
def dossier(home: Path, unit: str, out: Path, as_json: bool) -> None:
    """The evidence of one unit in a single file that anybody can check: station journal verify FILE."""
    from station.exchange.dossier import collect, pack
    from station.store.photos import PhotoStore
    from station.store.reading import read_countersigned, read_entries
    from station.store.store import PHOTOS

    photos = PhotoStore(home / PHOTOS)

    def read_photo(sha256: str) -> bytes:
        if not photos.path(sha256).exists():
            raise FileNotFoundError(sha256)
        return photos.read(sha256)

    evidence = collect(read_entries(home), unit, read_photo, read_countersigned(home))
    size = _write(out, [pack(evidence)])
    _say("dossier", out, size, len(evidence.payloads), as_json)


def verify_file(file: Path, as_json: bool) -> None:
    """Check a dossier and say what was proven; exit 1 if anything in it was changed."""
    from station.exchange.dossier_verify import LARGEST, verify_dossier

    if file.stat().st_size > LARGEST:
        raise InvalidInput(f"{str(file)!r} is larger than any dossier ({LARGEST} bytes)")
    report = verify_dossier(file.read_bytes())
    click.echo(json.dumps(_document(report)) if as_json else _text(report))
    if not report.ok:
        raise click.exceptions.Exit(1)


def _document(report: DossierReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "objects": report.objects,
        "entries": report.entries,
        "photos": report.photos,
        "chains": [
            {
                "generation": end.generation,
                "first": end.first,
                "last": end.seq,
                "head": end.hash,
                "countersigned": [
                    {"server": head.server, "seq": head.seq, "at": head.at, "key": head.key} for head in end.signed
                ],
            }
            for end in report.ends
        ],
        "problems": [{"object": problem.object, "text": problem.text} for problem in report.problems],
    }


def _text(report: DossierReport) -> str:
    lines = [f"{problem.object}: {problem.text}" for problem in report.problems]
    for end in report.ends:
        lines.append(f"generation {end.generation}: entries {end.first} to {end.seq}, head {end.hash}")
        lines += _signatures(end)
    found = f"{report.entries} entries, {report.photos} photos, {report.objects} objects"
    lines.append(f"{found}: nothing was changed" if report.ok else f"{found}: this is not what was exported")
    return "\n".join(lines)


def _signatures(end: End) -> list[str]:
    if not end.signed:
        return ["  no signature of a server: compare the head with the server's own copy"]
    return [
        f"  signed by server {head.server} on {head.at} with key {head.key}: ask whether it is theirs"
        for head in end.signed
    ]


def _write(out: Path, pieces: Iterable[bytes]) -> int:
    """Write a whole file or none; returns its size in bytes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{uuid.uuid4().hex}.part")
    size = 0
    try:
        with partial.open("xb") as file:
            for piece in pieces:
                size += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return size


def _say(kind: str, out: Path, size: int, entries: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"kind": kind, "file": str(out), "bytes": size, "entries": entries}))
    else:
        click.echo(f"{out}: {entries} entries, {size} bytes")

"""``station benchmark``: every figure beside its limit, measured in the same run."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from ui.benchmark.figure import Figure

FIGURES = (
    "scan", "confirm", "shutter", "weight", "preview", "barcode", "start", "drain", "dashboards", "storm", "decide",
    "replay",
)  # fmt: skip


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--only", multiple=True, type=click.Choice(FIGURES), help="Only these; may be given several times.")
@click.option("--small", is_flag=True, help="Leave out the world of a million articles.")
@click.option(
    "--disk", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Folder on the disk to measure."
)
def benchmark(as_json: bool, only: tuple[str, ...], small: bool, disk: Path | None) -> int:
    """Measure this machine: exit code 1 if a figure misses its target."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from ui.benchmark.figure import Report, machine

    folder = disk or Path(tempfile.gettempdir())
    figures: list[Figure] = []
    for name in only or FIGURES:
        if not as_json and sys.stderr.isatty():
            click.echo(f"measuring {name} …", err=True)
        figures += _runner(name, small)(folder)
    if as_json:
        click.echo(msgspec.json.encode(Report(machine(), figures)).decode())
    else:
        _show(figures)
    return 0 if all(figure.ok for figure in figures) else 1


def _runner(name: str, small: bool) -> Callable[[Path], list[Figure]]:
    from ui.benchmark import (
        barcodes,
        confirm,
        dashboards,
        decide,
        drain,
        preview,
        replay,
        scan_to_screen,
        shutter,
        start,
        storm,
        weight,
    )

    return {
        "scan": lambda folder: scan_to_screen.measure(folder, small_only=small),
        "confirm": confirm.measure,
        "shutter": shutter.measure,
        "weight": weight.measure,
        "preview": preview.measure,
        "barcode": barcodes.measure,
        "start": start.measure,
        "drain": drain.measure,
        "dashboards": lambda folder: dashboards.measure(folder, inspections=200_000 if small else 2_000_000),
        "storm": storm.measure,
        "decide": decide.measure,
        "replay": replay.measure,
    }[name]


def _show(figures: list[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "value", "limit", "ratio", "target", ""):
        table.add_column(heading, justify="right" if heading in ("value", "limit", "ratio") else "left")
    for figure in figures:
        table.add_row(
            figure.name, f"{figure.value:g} {figure.unit}", f"{figure.limit:g}", f"{figure.ratio:g} ×", figure.target,
            "ok" if figure.ok else "MISSED",
        )  # fmt: skip
    Console().print(table)
    for figure in figures:
        click.echo(f"  limit of {figure.name}: {figure.limit_is}")

"""``station print``: the papers of a site, as a PDF or on a printer. Needs no window and no screen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from station.errors import InvalidInput

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication

    from ui.printing.page import Document, Paper
    from ui.printing.totes import ToteLabel

_F = TypeVar("_F", bound=Callable[..., object])


@click.group("print")
def print_() -> None:
    """Print the command sheet, tote labels or a return-to-vendor slip."""


def _leaving(command: _F) -> _F:
    for option in (
        click.option("--language", default="en", show_default=True, help="Language of the words, e.g. de."),
        click.option("--paper", type=click.Choice(["a4", "letter"]), default="a4", show_default=True),
        click.option("--printer", metavar="NAME", help="Print on this printer of the computer."),
        click.option("--out", metavar="FILE.pdf", type=click.Path(dir_okay=False, path_type=Path)),
    ):
        command = option(command)
    return command


@print_.command("sheet")
@_leaving
def print_sheet(out: Path | None, printer: str | None, paper: str, language: str) -> None:
    """All commands as bar codes, from the one table that the bench reads."""
    _qt(language)
    from ui.printing.command_sheet import CommandSheet

    _leave(CommandSheet(_paper(paper)), out, printer)


@print_.command("totes")
@_leaving
@click.option("--tote", "only", multiple=True, metavar="R-14", help="Only this one; may be given again.")
@click.option("--labels", is_flag=True, help="One by one on the bench's label printer, in place of a sheet.")
@click.pass_obj
def print_totes(
    home: Path,
    only: tuple[str, ...],
    labels: bool,
    out: Path | None,
    printer: str | None,
    paper: str,
    language: str,
) -> None:
    """A label for each tote of the rules in force, to be cut out or from the label printer."""
    _qt(language)
    from station.decision.rules import folders_for, load_rules
    from ui.printing.totes import ToteLabel, ToteSheet

    known = {tote.tote: ToteLabel(tote.tote, tote.title) for tote in load_rules(folders_for(home)).totes.totes}
    for name in only:
        if name not in known:
            raise InvalidInput(f"there is no tote {name!r}; expected one of {', '.join(sorted(known))}")
    totes = [label for name, label in known.items() if not only or name in only]
    if labels:
        _on_label_printer(home, totes)
        return
    _leave(ToteSheet(totes, _paper(paper)), out, printer)


@print_.command("rtv")
@_leaving
@click.option("--vendor", required=True, help="Who gets them.")
@click.option("--authorisation", default="", help="The vendor's own return number.")
@click.argument("plates", nargs=-1, metavar="[LPN]…")
@click.pass_obj
def print_rtv(
    home: Path,
    plates: tuple[str, ...],
    vendor: str,
    authorisation: str,
    out: Path | None,
    printer: str | None,
    paper: str,
    language: str,
) -> None:
    """A slip for the units that go back to a vendor: those named, or all of this bench."""
    _qt(language)
    from station.clock import SystemClock
    from station.config import load_config
    from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED
    from station.store.reading import read_entries
    from ui.printing.vendor import VendorParcel, VendorSlip, units_for_vendor

    bench = load_config(home).station
    units = units_for_vendor(read_entries(home, (INSPECTION_CONFIRMED, INSPECTION_VOIDED)), plates)
    sender = " · ".join(part for part in (bench.hall, bench.name) if part)
    parcel = VendorParcel(vendor, authorisation, sender, SystemClock().now().astimezone().date())
    _leave(VendorSlip(parcel, units, _paper(paper)), out, printer)


def _leave(document: Document, out: Path | None, printer: str | None) -> None:
    from ui.printing.output import print_document, write_pdf

    if (out is None) == (printer is None):
        raise InvalidInput("say where it shall go: either --out FILE.pdf or --printer NAME")
    if printer is not None:
        codes = print_document(document, printer)
        click.echo(f"handed to {printer}: {document.pages} pages, {len(codes)} codes read back")
    elif out is not None:
        codes = write_pdf(document, out)
        click.echo(f"{out}: {document.pages} pages, {len(codes)} codes read back")


def _on_label_printer(home: Path, totes: list[ToteLabel]) -> None:
    from devices.printer.label import compose, tote_fields
    from devices.printer.printer import printer_from
    from devices.printer.template import load_template
    from station.config import load_config
    from ui.printing.system import SystemPrinter

    config = load_config(home).printer
    if not config.address:
        raise InvalidInput("this bench has no label printer: set [printer] address, or use --out FILE.pdf")
    printer = printer_from(config.kind, config.address, baud=config.baud, system=SystemPrinter)
    template = load_template("tote", config.dpi)
    composed = [(tote.tote, compose(template, tote_fields(tote.tote, tote.title))) for tote in totes]
    for name, label in composed:
        click.echo(f"{name}: {printer.print(label, f'tote-{name}').value}")


def _paper(name: str) -> Paper:
    from ui.printing.page import Paper

    return Paper[name.upper()]


def _qt(language: str) -> QCoreApplication:
    """A Qt without a screen, with our fonts and the words of a language.

    Raises:
        InvalidInput: there are no words of this language.
    """
    from PySide6.QtCore import QCoreApplication, QLocale, QTranslator
    from PySide6.QtGui import QGuiApplication

    from station.assets import asset
    from ui.theme.look import load_fonts

    running = QCoreApplication.instance()
    application = running or QGuiApplication([sys.argv[0], "-platform", "offscreen"])
    load_fonts()
    QLocale.setDefault(QLocale(language))
    if language != "en":
        folder = asset() / "translations"
        file = folder / f"station_{language}.qm"
        translator = QTranslator(application)
        if not file.exists() or not translator.load(str(file)):
            have = sorted({"en", *(path.stem.partition("_")[2] for path in folder.glob("station_*.qm"))})
            raise InvalidInput(f"there are no words in {language!r}; expected one of {', '.join(have)}")
        application.installTranslator(translator)
    return application

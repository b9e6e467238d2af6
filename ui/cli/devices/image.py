"""``station devices read-image``: the barcodes in picture files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from station.errors import InvalidInput

if TYPE_CHECKING:
    from devices.barcodes.found import Found

_NOTHING_FOUND = 1


@click.command("read-image")
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def read_image_(files: tuple[Path, ...], as_json: bool) -> int:
    r"""Read every barcode in each picture FILE (JPEG, PNG, WebP, TIFF, BMP).

    Exit code 1 if a picture shows none, 2 if a file is no picture. Corners are pixels of the picture the right way up,
    clockwise from the code's own upper left corner. In plain output control characters are shown as \x1d.
    """
    from devices.barcodes.files import load_picture
    from devices.barcodes.read import read_image

    images: list[dict[str, object]] = []
    code = 0
    for file in files:
        try:
            found = read_image(load_picture(file))
        except InvalidInput as error:
            click.echo(f"station: {error}", err=True)
            images.append({"file": str(file), "barcodes": [], "problem": str(error)})
            code = InvalidInput.exit_code
            continue
        images.append({"file": str(file), "barcodes": [_document(one) for one in found]})
        if not found:
            code = code or _NOTHING_FOUND
        if not as_json:
            _show(file, found)
    if as_json:
        click.echo(json.dumps({"images": images}))
    return code


def _document(found: Found) -> dict[str, object]:
    return {
        "text": found.text,
        "symbology": found.symbology,
        "aim": found.aim,
        "corners": [[round(x, 1), round(y, 1)] for x, y in found.corners],
        "found_by": found.found_by.value,
    }


def _show(file: Path, found: tuple[Found, ...]) -> None:
    click.secho(_printable(str(file)), bold=True)
    if not found:
        click.echo(
            "  no barcode: hold the camera nearer, at least 2 pixels per bar, and keep lamps' reflections off it"
        )
    for one in found:
        x, y = one.corners[0]
        click.echo(f"  {one.symbology:<14} {one.aim}  {_printable(one.text)}")
        click.echo(f"  {'':<14} upper left corner at {x:.0f}, {y:.0f}; found by the pass '{one.found_by.value}'")


def _printable(text: str) -> str:
    """Text without anything that could steer a terminal."""
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
    encoding = sys.stdout.encoding or "utf-8"
    return safe.encode(encoding, "backslashreplace").decode(encoding)

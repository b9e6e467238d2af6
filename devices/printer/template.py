"""Label templates: where each field stands on which label, as TOML in ``resources/labels``."""

from __future__ import annotations

import difflib
import math
import tomllib
from enum import StrEnum
from pathlib import Path

import msgspec

from station.assets import asset
from station.errors import InvalidInput


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


class Face(StrEnum):
    """Weights of the bundled typeface."""

    REGULAR = "regular"
    SEMIBOLD = "semibold"
    BOLD = "bold"
    DISPLAY = "display"


class SymbolKind(StrEnum):
    CODE128 = "code128"


class TextField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of text in a box; millimetres."""

    field: str
    x: float
    y: float
    width: float
    height: float
    size: float
    """Em size of the largest type."""
    min_size: float
    face: Face = Face.BOLD
    align: Align = Align.LEFT
    inverse: bool = False
    """White on a black box."""
    mandatory: bool = False
    shorten: bool = False
    """Cut off with … where even the smallest type does not fit; otherwise the label is refused."""


class SymbolField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A bar code in a box, quiet zones included; millimetres. Always mandatory."""

    field: str
    kind: SymbolKind
    x: float
    y: float
    width: float
    height: float
    max_dots: int = 4
    """Most dots per module, at the template's own resolution."""


class LabelTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of label."""

    name: str
    width_mm: float
    height_mm: float
    dpi: int
    """Printer resolution, 203 or 300."""
    text: tuple[TextField, ...] = ()
    symbol: tuple[SymbolField, ...] = ()

    def dots(self, millimetres: float) -> int:
        return round(millimetres * self.dpi / 25.4)


_RESOLUTIONS = (203, 300, 600)


def read_template(source: str, where: str) -> LabelTemplate:
    """Read a template's TOML.

    Args:
        source: the text.
        where: file name for messages.

    Raises:
        InvalidInput: not TOML, a key that no template has, a value of the wrong type, or a box beyond the label.
    """
    try:
        template = msgspec.convert(tomllib.loads(source), LabelTemplate, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput(f"label template {where!r}: {error}{_meant(str(error))}") from error
    if template.dpi not in _RESOLUTIONS:
        raise InvalidInput(f"label template {where!r}: dpi is {template.dpi!r}, expected 203, 300 or 600")
    fields: tuple[TextField | SymbolField, ...] = (*template.text, *template.symbol)
    for field in fields:
        inside = field.x >= 0 and field.y >= 0 and field.width > 0 and field.height > 0
        if (
            not inside
            or field.x + field.width > template.width_mm + 1e-6
            or field.y + field.height > template.height_mm + 1e-6
        ):
            raise InvalidInput(
                f"label template {where!r}: the box of {field.field!r} reaches beyond the label of "
                f"{template.width_mm:g} × {template.height_mm:g} mm"
            )
    return template


def _meant(message: str) -> str:
    """``; did you mean …`` for an unknown key."""
    found = message.split("`")
    known = {*LabelTemplate.__struct_fields__, *TextField.__struct_fields__, *SymbolField.__struct_fields__}
    close = difflib.get_close_matches(found[1], known, 1) if "unknown field" in message and len(found) > 1 else []
    return f"; did you mean {close[0]!r}?" if close else ""


def load_template(name: str, dpi: int | None = None) -> LabelTemplate:
    """A template that ships with the station, for a printer of another resolution if ``dpi`` is given.

    Raises:
        InvalidInput: the template is wrong.
        Defect: there is none of this name.
    """
    path: Path = asset("labels", f"{name}.toml")
    template = read_template(path.read_text(encoding="utf-8"), path.name)
    if dpi is not None and dpi not in _RESOLUTIONS:
        raise InvalidInput(f"a label printer of {dpi!r} dpi is not known; expected 203, 300 or 600")
    return template if dpi is None or dpi == template.dpi else _at(template, dpi)


def _at(template: LabelTemplate, dpi: int) -> LabelTemplate:
    """The same label for a printer of another resolution: the same millimetres, bars as wide as before or wider."""
    symbols = tuple(
        msgspec.structs.replace(symbol, max_dots=math.ceil(symbol.max_dots * dpi / template.dpi))
        for symbol in template.symbol
    )
    return msgspec.structs.replace(template, dpi=dpi, symbol=symbols)

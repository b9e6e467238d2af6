"""Composing a label: text and bars on a bitmap of the printer's own dots, read back before it leaves this module."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from devices.printer.symbol import (
    CODE128_AIM,
    QUIET_MODULES,
    WRITERS,
    Expected,
    Writer,
    check_code128,
    check_symbols,
    code128_modules,
    least_dots,
)
from devices.printer.template import Align, Face, LabelTemplate, SymbolField, TextField
from station.assets import asset
from station.errors import InvalidInput
from station.inspection.view import LabelJob

_FONTS = {
    Face.REGULAR: "Inter-Regular.ttf",
    Face.SEMIBOLD: "Inter-SemiBold.ttf",
    Face.BOLD: "Inter-Bold.ttf",
    Face.DISPLAY: "InterDisplay-Bold.ttf",
}
_PADDING_MM = 1.2
"""Between the edge of a black box and its white letters."""


@dataclass(frozen=True, slots=True)
class LabelImage:
    """A finished label, dot for dot as the printer burns it. Every symbol on it has been read back."""

    width: int
    """Dots."""
    height: int
    dpi: int
    bits: bytes
    """Rows from the top, each padded to whole bytes, most significant bit first, 1 = black."""
    module_dots: int
    """Dots per module of the narrowest symbol; 0 = no symbol on it."""

    @property
    def bytes_per_row(self) -> int:
        return (self.width + 7) // 8

    def picture(self) -> Image.Image:
        """The label as a Pillow image of mode ``1``, for a preview."""
        inverted = bytes(value ^ 0xFF for value in self.bits)
        return Image.frombytes("1", (self.width, self.height), inverted)

    def png(self) -> bytes:
        out = io.BytesIO()
        self.picture().save(out, "PNG", dpi=(self.dpi, self.dpi))
        return out.getvalue()


def label_fields(job: LabelJob) -> dict[str, str]:
    """The fields of template ``unit`` for one job; a reprint is marked COPY."""
    return {
        "lpn": job.lpn,
        "title": job.title,
        "grade": f"GRADE {job.grade}" if job.grade else "NO GRADE",
        # The screen says "Hold" too: the tote's people read one word for one thing.
        "disposition": "HOLD" if job.disposition == "quarantine" else job.disposition.replace("_", " ").upper(),
        "tote": job.tote,
        "copy": f"COPY {job.copy}" if job.copy else "",
    }


def tote_fields(tote: str, title: str) -> dict[str, str]:
    """The fields of template ``tote``."""
    return {"tote": tote, "title": title}


def hold_fields(lpn: str, title: str, *, word: str, reason: str, date: str = "") -> dict[str, str]:
    """The fields of template ``hold``: ``word`` is HOLD, DAMAGED …, read from afar."""
    return {"word": word.upper(), "reason": reason, "lpn": lpn, "title": title, "date": date}


def vendor_fields(vendor: str, authorisation: str, units: int) -> dict[str, str]:
    """The fields of template ``vendor``: ``authorisation`` is the return number that the vendor gave."""
    count = f"{units} UNIT" + ("S" if units != 1 else "")
    return {"word": "RETURN TO VENDOR", "vendor": vendor, "authorisation": authorisation, "units": count}


def compose(template: LabelTemplate, fields: Mapping[str, str], *, writers: Sequence[Writer] = WRITERS) -> LabelImage:
    """Draw a label and read its symbols back.

    Args:
        template: where everything stands.
        fields: field name → text; what the template does not name is left out.
        writers: asked in turn for a symbol's modules until one reads back.

    Raises:
        InvalidInput: a mandatory field is missing or does not fit, or its bars would be too narrow to print.
        Defect: a symbol on the finished bitmap does not read back as what it should be.
    """
    size = (template.dots(template.width_mm), template.dots(template.height_mm))
    paper = Image.new("L", size, 255)
    expected, narrowest = [], 0
    for symbol_field in template.symbol:
        text = fields.get(symbol_field.field, "")
        dots = _draw_code128(paper, template, symbol_field, text, writers)
        narrowest = dots if narrowest == 0 else min(narrowest, dots)
        expected.append(Expected(text, CODE128_AIM))
    for text_field in template.text:
        _draw_text(paper, template, text_field, _clean(fields.get(text_field.field, "")))
    final = paper.point([0] * 128 + [255] * 128).convert("1", dither=Image.Dither.NONE)
    check_symbols(final, expected)
    bits = bytes(value ^ 0xFF for value in final.tobytes())
    return LabelImage(*size, template.dpi, _clear_padding(bits, size[0]), narrowest)


def _clear_padding(bits: bytes, width: int) -> bytes:
    """Make the unused bits at the end of each row white."""
    spare = -width % 8
    if not spare:
        return bits
    row, mask = (width + 7) // 8, 0xFF << spare & 0xFF
    return bytes(value & mask if (place + 1) % row == 0 else value for place, value in enumerate(bits))


def _clean(text: str) -> str:
    """One line without control characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


@lru_cache(maxsize=64)
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(asset("fonts", _FONTS[face])), size)


def _draw_text(paper: Image.Image, template: LabelTemplate, field: TextField, text: str) -> None:
    if not text:
        if field.mandatory:
            raise InvalidInput(f"label {template.name!r} needs a {field.field!r}, and none was given")
        return
    padding = template.dots(_PADDING_MM) if field.inverse else 0
    width, height = template.dots(field.width) - 2 * padding, template.dots(field.height)
    text, font = _fitted(template, field, text, width, height)
    left, top, right, bottom = font.getbbox(text, anchor="ls")
    free = width - (right - left)
    shift = {Align.LEFT: 0.0, Align.CENTRE: free / 2, Align.RIGHT: float(free)}[field.align]
    x = template.dots(field.x) + padding + round(shift) - round(left)
    # Capitals stand in the middle of the box; letters with tails move up as far as their tails need.
    capital = -font.getbbox("H", anchor="ls")[1]
    y = template.dots(field.y) + min((height + capital) / 2, height - bottom)
    y = max(y, template.dots(field.y) - top)
    pen = ImageDraw.Draw(paper)
    if field.inverse:
        x0, y0 = template.dots(field.x), template.dots(field.y)
        pen.rounded_rectangle((x0, y0, x0 + width + 2 * padding - 1, y0 + height - 1), template.dots(1.0), fill=0)
    pen.text((x, round(y)), text, fill=255 if field.inverse else 0, font=font, anchor="ls")


def _fitted(
    template: LabelTemplate, field: TextField, text: str, width: int, height: int
) -> tuple[str, ImageFont.FreeTypeFont]:
    """The text, shortened if need be, in the largest type that fits the box.

    Raises:
        InvalidInput: not even the smallest type fits, and the field may not be shortened.
    """
    smallest = max(6, template.dots(field.min_size))
    for size in range(max(smallest, template.dots(field.size)), smallest - 1, -1):
        if _fits(text, _font(field.face, size), width, height):
            return text, _font(field.face, size)
    font = _font(field.face, smallest)
    if field.shorten:
        for length in range(len(text) - 1, 0, -1):
            short = text[:length].rstrip(" .,-–·") + "…"
            if _fits(short, font, width, height):
                return short, font
    raise InvalidInput(
        f"{field.field} {text!r} does not fit on label {template.name!r}: "
        f"{field.width:g} × {field.height:g} mm, smallest type {field.min_size:g} mm; use a shorter one"
    )


def _fits(text: str, font: ImageFont.FreeTypeFont, width: int, height: int) -> bool:
    left, top, right, bottom = font.getbbox(text, anchor="ls")
    return right - left <= width and bottom - top <= height


def _draw_code128(
    paper: Image.Image, template: LabelTemplate, field: SymbolField, text: str, writers: Sequence[Writer]
) -> int:
    """Draw one Code 128; returns its dots per module."""
    check_code128(text)
    modules = code128_modules(text, writers)
    room = template.dots(field.width)
    dots = min(field.max_dots, room // (len(modules) + 2 * QUIET_MODULES))
    if dots < (least := least_dots(template.dpi)):
        raise InvalidInput(
            f"{field.field} {text!r} is too long for label {template.name!r}: its bars would be under {least} dots "
            f"wide on {field.width:g} mm at {template.dpi} dpi; use a wider label or a shorter code"
        )
    x = template.dots(field.x) + (room - len(modules) * dots) // 2
    y, height = template.dots(field.y), template.dots(field.height)
    pen = ImageDraw.Draw(paper)
    for place, module in enumerate(modules):
        if module == "1":
            pen.rectangle((x + place * dots, y, x + (place + 1) * dots - 1, y + height - 1), fill=0)
    return dots

"""Code 128 as a row of modules, by two independent writers, and the gate that reads a bitmap back."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import barcode
import numpy as np
import zxingcpp

from station.errors import Defect, InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

logger = logging.getLogger(__name__)

Writer: TypeAlias = Callable[[str], str]
"""Text → modules as ``0`` and ``1``, first bar to last bar, without quiet zones."""

QUIET_MODULES = 10
"""Clear modules on either side. Source: ISO/IEC 15417 §4.4.2 (Code 128: 10 X)."""
_MIN_DOTS = 2
"""Fewest dots per module that a thermal printer keeps apart (DEVICES §5.2: at 1.6 dots 28 of 100 were read)."""
_MIN_MODULE_MM = 0.25
"""Narrowest bar that common hand scanners read at arm's length; 2 dots at 203 dpi, 3 at 300."""
CODE128_AIM = "]C0"
_LONGEST = 48


def python_barcode_modules(text: str) -> str:
    """Modules by python-barcode. Version 0.16.1 drops a leading ``99`` (its issue #251)."""
    return str(barcode.Code128(text).build()[0])


def zxing_modules(text: str) -> str:
    """Modules by zxing-cpp's writer."""
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image(1, False, False)
    pixels = np.asarray(symbol)
    row = pixels[pixels.shape[0] // 2]
    return "".join("1" if value < 128 else "0" for value in row).strip("0")


def least_dots(dpi: int) -> int:
    """Fewest dots per module at a printer's resolution.

    >>> [least_dots(dpi) for dpi in (203, 300, 600)]
    [2, 3, 6]
    """
    return max(_MIN_DOTS, math.ceil(_MIN_MODULE_MM * dpi / 25.4))


def check_code128(text: str) -> None:
    """Refuse what our Code 128 labels may not carry.

    Raises:
        InvalidInput: empty, too long, or a character outside printable ASCII.
    """
    if not text or len(text) > _LONGEST or any(not 32 <= ord(letter) < 127 for letter in text):
        raise InvalidInput(f"{text!r} cannot be a Code 128 label: expected 1 to {_LONGEST} printable ASCII characters")


@dataclass(frozen=True, slots=True)
class Expected:
    """One symbol that must be readable on a bitmap."""

    text: str
    aim: str
    """AIM symbology identifier, e.g. ``]C0``."""


def check_symbols(picture: PilImage, expected: Sequence[Expected]) -> None:
    """Read a label back with zxing-cpp and compare text and AIM identifier of every symbol.

    Raises:
        Defect: a symbol is missing, reads as something else, or one is there that nobody asked for.
    """
    read = zxingcpp.read_barcodes(np.asarray(picture.convert("L")))
    found = sorted((symbol.text, symbol.symbology_identifier) for symbol in read)
    wanted = sorted((symbol.text, symbol.aim) for symbol in expected)
    if found != wanted:
        raise Defect(
            f"the label does not read back: expected {wanted!r}, read {found!r}; it was not printed. "
            "Write the licence plate by hand and call IT"
        )


def reads_back(modules: str, text: str) -> bool:
    """Say whether a row of modules decodes to exactly this text as plain Code 128."""
    clear = "0" * QUIET_MODULES
    row = np.array([255 if module == "0" else 0 for module in clear + modules + clear], np.uint8)
    picture = np.repeat(np.broadcast_to(row, (24, row.size)), 3, axis=1)
    read = zxingcpp.read_barcodes(np.ascontiguousarray(picture), formats=zxingcpp.barcode_formats_from_str("Code128"))
    return [(symbol.text, symbol.symbology_identifier) for symbol in read] == [(text, CODE128_AIM)]


WRITERS: tuple[Writer, ...] = (python_barcode_modules, zxing_modules)


def code128_modules(text: str, writers: Sequence[Writer] = WRITERS) -> str:
    """The first writer's modules that read back; if none does, the last one's, for the gate to refuse."""
    modules = ""
    for writer in writers:
        modules = writer(text)
        if reads_back(modules, text):
            return modules
        logger.info("%s writes %r wrongly; the next writer is asked", getattr(writer, "__name__", writer), text)
    return modules

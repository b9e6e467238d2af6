"""What stands in a cell → a value. Each function refuses with the cell quoted and what to do."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import category

from station.errors import InvalidInput
from station.exchange.refused import CellRefused
from station.identify.carriers import tracking_key
from station.identify.gtin import check_digit, parse_gtin
from station.quantities import Money, parse_money
from station.returns.model import Trait

_MAX_QUANTITY = 10_000
_LIST = re.compile(r"[;|]+")
_SPACED_LIST = re.compile(r"[;|,\s]+")
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?[eE]\+?\d+")
_GRAMS = re.compile(r"(\d{1,9})(?:[.,](\d{1,3}))?(?: ?g)?", re.ASCII)
_AMOUNT = re.compile(r"\d{1,12}(?:[.,]\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?", re.ASCII)
_CURRENCY_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY", "zł": "PLN"}
_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "sí", "si", "tak"})
_NO = frozenset({"", "no", "n", "false", "0", "nein", "nie"})


def text(value: str, column: str, limit: int, *, lines: bool = False) -> str:
    """A text that can be stored: not too long, decoded, without control characters."""
    if len(value) > limit:
        raise CellRefused(column, value, f"at most {limit} characters, found {len(value)}")
    if not value.isprintable():
        for char in value:
            if category(char) == "Cc" and not (lines and char in "\n\t"):
                raise CellRefused(column, value, f"control character {char!r}; remove it")
    if "\ufffd" in value:
        raise CellRefused(column, value, "holds bytes that are neither UTF-8 nor Windows-1252; save the file as UTF-8")
    return value


def required(value: str, column: str, limit: int = 128) -> str:
    """A text that must be there."""
    if not value:
        raise CellRefused(column, value, "must not be empty")
    return text(value, column, limit)


def optional(value: str, column: str, limit: int = 128, *, lines: bool = False) -> str | None:
    """A text, or None where the cell is empty."""
    return text(value, column, limit, lines=lines) if value else None


def one_line(value: str) -> str:
    """A title that was written over several lines, on one."""
    return " ".join(value.split()) if "\n" in value or "\t" in value else value


def quantity(value: str, column: str) -> int:
    """A whole number of units; an empty cell is 1."""
    if value in ("", "1"):
        return 1
    whole = value.removesuffix(".0").removesuffix(",0")
    if not whole.isascii() or not whole.isdigit() or not 1 <= int(whole[:9]) <= _MAX_QUANTITY or len(whole) > 9:
        raise CellRefused(column, value, f"expected a whole number from 1 to {_MAX_QUANTITY}")
    return int(whole)


def several(value: str, column: str, limit: int = 128) -> tuple[str, ...]:
    """Codes separated by semicolon or bar."""
    if not value:
        return ()
    if ";" not in value and "|" not in value:
        return (text(value, column, limit),)
    return tuple(dict.fromkeys(text(part.strip(), column, limit) for part in _LIST.split(value) if part.strip()))


def tracking(value: str, column: str) -> tuple[str, ...]:
    """Tracking numbers in the form under which scans look them up."""
    found = several(value, column)
    return (tracking_key(found[0]),) if len(found) == 1 else tuple(dict.fromkeys(map(tracking_key, found)))


def gtins(value: str, column: str) -> tuple[str, ...]:
    """GTINs of 8, 12, 13 or 14 digits with right check digits, as 14 digits."""
    if not value:
        return ()
    return tuple(dict.fromkeys(_gtin(part, value, column) for part in _SPACED_LIST.split(_unspaced(value)) if part))


def _unspaced(value: str) -> str:
    return value.replace(" ", "") if value.replace(" ", "").isdigit() and " " in value and len(value) <= 20 else value


def _gtin(part: str, cell: str, column: str) -> str:
    if _SCIENTIFIC.fullmatch(part) or (_SCIENTIFIC.fullmatch(cell)):
        advice = (
            "a spreadsheet rounded this GTIN and its digits are lost; format the column as text and export it again"
        )
        raise CellRefused(column, cell, advice)
    try:
        return parse_gtin(part)
    except InvalidInput as error:
        if part.isascii() and part.isdigit() and len(part) in (10, 11) and check_digit(part[:-1]) == part[-1]:
            advice = f"{part!r} lost its leading zeros; format the column as text and export it again"
            raise CellRefused(column, cell, advice) from error
        raise CellRefused(column, cell, str(error)) from error


def currency(value: str, column: str, default: str) -> str:
    """An ISO 4217 code; an empty cell is the merchant's currency."""
    code = value.upper() if value else default
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise CellRefused(column, value, "expected a currency such as EUR")
    return code


@lru_cache(maxsize=4096)
def _amount(value: str, code: str) -> Money | str:
    bare = value
    for sign, meant in _CURRENCY_SIGNS.items():
        if sign in bare:
            if meant != code:
                return f"the amount is in {meant}, the row in {code}; fill the column currency"
            bare = bare.replace(sign, "")
    bare = bare.removesuffix(code).removeprefix(code).strip().strip("\xa0")
    if not _AMOUNT.fullmatch(bare):
        grouped = _GROUPED.fullmatch(bare)
        if grouped is None:
            return "expected an amount of zero or more, such as 54.90"
        separator = grouped[1]
        head, mark, tail = bare, "", ""
        if len(bare) > 3 and bare[-3] in ".," and bare[-3] != separator:
            head, mark, tail = bare[:-3], ".", bare[-2:]
        elif len(bare) > 2 and bare[-2] in ".," and bare[-2] != separator:
            head, mark, tail = bare[:-2], ".", bare[-1]
        bare = head.replace(separator, "") + mark + tail
    try:
        return parse_money(bare, code)
    except InvalidInput as error:
        return str(error)


def amount(value: str, column: str, code: str) -> Money | None:
    """Money in one currency, decimal comma or point; an empty cell is None (unknown).

    ``1,234`` is refused in a currency of two decimals: a thousand, or one and a bit?
    """
    if not value:
        return None
    found = _amount(value, code)
    if isinstance(found, str):
        raise CellRefused(column, value, found)
    return found


def grams(value: str, column: str) -> int | None:
    """A mass in grams, up to three decimals, as milligrams; an empty cell is None (unknown)."""
    if not value:
        return None
    found = _GRAMS.fullmatch(value)
    if found is None:
        raise CellRefused(column, value, "expected grams such as 286 or 20.7")
    return int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0"))


def accessories(value: str, column: str) -> tuple[tuple[str, int], ...]:
    """Parts that can be missing, ``name:grams`` separated by semicolons."""
    found = []
    for part in filter(None, map(str.strip, value.split(";"))):
        name, colon, mass = part.rpartition(":")
        mass_mg = grams(mass.strip(), column) if colon else None
        if not name.strip() or mass_mg is None:
            raise CellRefused(column, value, f"{part!r}: expected name:grams, such as charger:84;cable:20.5")
        found.append((text(name.strip(), column, 128), mass_mg))
    return tuple(found)


def traits(value: str, column: str) -> tuple[Trait, ...]:
    """Traits by name, separated by semicolon, bar, comma or space; in the order of the enumeration."""
    if not value:
        return ()
    found = set()
    for part in filter(None, _SPACED_LIST.split(value.lower().replace("-", "_"))):
        try:
            found.add(Trait(part))
        except ValueError:
            known = ", ".join(Trait)
            raise CellRefused(column, value, f"{part!r} is no trait; known are {known}") from None
    return tuple(one for one in Trait if one in found)


def yes_or_no(value: str, column: str) -> bool:
    """Yes or no in a few languages; an empty cell is no."""
    lower = value.lower()
    if lower in _YES or lower in _NO:
        return lower in _YES
    raise CellRefused(column, value, "expected yes or no")


def file_name(value: str, column: str) -> str | None:
    """The name of a picture beside the data, without any folder."""
    if not value:
        return None
    if "/" in value or "\\" in value or value.startswith(".") or ":" in value:
        raise CellRefused(column, value, "expected a file name without folders, such as headphones.jpg")
    return text(value, column, 128)

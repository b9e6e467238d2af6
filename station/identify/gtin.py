"""GS1 numbers with a check digit: GTIN in its four lengths, UPC-E, SSCC."""

from __future__ import annotations

from station.errors import InvalidInput
from station.identify.text import is_ascii_digits

GTIN_LENGTHS = (8, 12, 13, 14)

_NAMES = {8: "EAN-8", 12: "UPC-A", 13: "EAN-13", 14: "GTIN-14"}


def check_digit(body: str) -> str:
    """The check digit that belongs behind ``body``.

    Source: GS1 General Specifications §7.9: weights 3, 1, 3 … from the right, up to the next ten.

    >>> check_digit("400638133393"), check_digit("34043383644263659")
    ('1', '7')
    """
    total = sum(map(int, body[::-2])) * 3 + sum(map(int, body[-2::-2]))
    return str(-total % 10)


def has_good_check_digit(number: str) -> bool:
    """The last digit of ``number`` (ASCII digits only) is the right one."""
    return check_digit(number[:-1]) == number[-1]


def expand_upc_e(code: str) -> str | None:
    """The UPC-A of eight UPC-E digits (number system, six digits, check digit), check digit not verified.

    Returns:
        Twelve digits, or None when the number system is neither 0 nor 1: then it is no UPC-E.

    Source: GS1 General Specifications §5.2 (UPC-E).

    >>> expand_upc_e("04252614"), expand_upc_e("24252614")
    ('042100005264', None)
    """
    if len(code) != 8 or not is_ascii_digits(code) or code[0] not in "01":
        return None
    system, body, check = code[0], code[1:7], code[7]
    last = body[5]
    if last in "012":
        middle = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        middle = body[:3] + "00000" + body[3:5]
    elif last == "4":
        middle = body[:4] + "00000" + body[4]
    else:
        middle = body[:5] + "0000" + last
    return system + middle + check


def gtin_name(digits: str) -> str:
    """What a GTIN of this length is called."""
    return _NAMES[len(digits)]


def is_in_store(gtin14: str) -> bool:
    """A restricted circulation number: it means something only inside the company that printed it.

    Source: GS1 General Specifications (GS1 prefixes):  02, 04 and 20–29 of a GTIN-13, 0 and 2 of a GTIN-8.
    """
    if gtin14.startswith("000000") and gtin14 != "0" * 14:
        return gtin14[6] in "02"
    return gtin14[0] == "0" and (gtin14[1:3] in ("02", "04") or gtin14[1] == "2")


def parse_gtin(text: str) -> str:
    """Read a GTIN of 8, 12, 13 or 14 digits as 14 digits.

    Raises:
        InvalidInput: not such a number, or its check digit is wrong.

    >>> parse_gtin("4006381333931")
    '04006381333931'
    """
    digits = "".join(text.split())
    if not is_ascii_digits(digits) or len(digits) not in GTIN_LENGTHS:
        raise InvalidInput(f"{text!r} is not a GTIN: expected 8, 12, 13 or 14 digits")
    if not digits.strip("0"):
        raise InvalidInput(f"{text!r} is not a GTIN: only zeros")
    if not has_good_check_digit(digits):
        raise InvalidInput(f"{text!r} has the check digit {digits[-1]}, expected {check_digit(digits[:-1])}")
    return digits.rjust(14, "0")

"""The code on a badge: a reserved prefix, chance, and a check character. No product's barcode can be one.

``BDG-`` and ten characters, the last of them the check over all letters and digits before it. Retail symbols, GS1 and
carriers' numbers are digits or begin otherwise; a shop's own code that happens to begin with ``BDG-`` fails the check
in 35 of 36 cases, and its HMAC is nobody's in all others. Fourteen characters stay readable as Code 128 at 60 mm.
Source: ISO/IEC 7064:2003, hybrid system MOD 37,36 (finds every single wrong character and every neighbouring swap).
"""

from __future__ import annotations

import secrets
from typing import Final, NewType

from station.errors import InvalidInput

BadgeCode = NewType("BadgeCode", str)
"""A whole, checked badge code in upper case."""

PREFIX: Final = "BDG-"
_VALUES: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHOSEN: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U: people read badges to each other."""
_LENGTH: Final = 9
"""Characters between prefix and check: 45 bits of chance."""


def new_badge() -> BadgeCode:
    """Make a code that nobody has; it says nothing about its holder.

    >>> parse_badge(new_badge())[:4]
    'BDG-'
    """
    body = "".join(secrets.choice(_CHOSEN) for _ in range(_LENGTH))
    return BadgeCode(PREFIX + body + _check_of(body))


def check_character(text: str) -> str:
    """The check character of capital letters and digits.

    >>> check_character("A12425GABC1234002")  # the example of ISO 7064's best known user, GRid
    'M'
    """
    rest = 36
    for character in text:
        rest = (rest + _VALUES.index(character)) % 36 or 36
        rest = rest * 2 % 37
    return _VALUES[(37 - rest) % 36]


def _check_of(body: str) -> str:
    return check_character(PREFIX.strip("-") + body)


def parse_badge(text: str) -> BadgeCode:
    """Read what a scanner sent or a person typed.

    Raises:
        InvalidInput: anything but a whole badge code with the right check character. The text is not quoted: it may be
            most of somebody's badge.
    """
    code = text.strip(" \t\r\n").upper()
    if not code.startswith(PREFIX):
        raise InvalidInput(f"this is no badge: expected a code that begins with {PREFIX}; scan your badge")
    body, check = code[len(PREFIX) : -1], code[-1]
    if len(body) != _LENGTH or not all(character in _VALUES for character in body + check):
        raise InvalidInput(
            f"the badge code has {len(code)} characters or a foreign one: expected {PREFIX} and "
            f"{_LENGTH + 1} letters and digits; scan it again"
        )
    if _check_of(body) != check:
        raise InvalidInput("the badge's check character is wrong: scan it again, or have the badge printed anew")
    return BadgeCode(code)
